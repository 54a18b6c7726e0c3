"""Where cases leave the standard way: each rule a sentence, how many break it, and some of them."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _flow
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries.frame import Answer
from queries.loop.flow import BrokenRule, Flow

HEAD = ({"zh": "标准流程的规则", "en": "Rule of the standard way"}, {"zh": "不符合", "en": "break it"}, {"zh": "适用", "en": "of"},
        {"zh": "例", "en": "such as"})


def render(context: Context, view: View) -> Any:
    """Draw it, or say that it is being read."""
    w = words(context, view)
    return _flow.shown(context, view, w, PANEL, lambda answer: _draw(w, view, answer))


def _draw(w: Words, view: View, answer: Answer[Flow]) -> list[Any]:
    rules = [rule for rule in answer.row.rules if rule.of]
    css = ("", "num", "num", "")
    shown: Any = nothing(w, "flow.no_steps")
    if rules:
        shown = table([(w.pick(word), name) for word, name in zip(HEAD, css, strict=True)], [_row(w, view, rule) for rule in rules])
    return [heading(w.pick(PANEL.title)), shown, strip(w, answer)]


def _row(w: Words, view: View, rule: BrokenRule) -> html.Tr:
    links = [go(view.but(scene="leader", case=no), no, "drill") for no in rule.examples]
    return html.Tr([html.Td(w.pick(rule.sentence)), html.Td(w.n(rule.n), className="num"), html.Td(w.n(rule.of), className="num quiet"),
                    html.Td([part for link in links for part in (link, " ")])])


PANEL = Panel(id="conformance", title={"zh": "是否按标准流程", "en": "By the standard way?"}, order=20, slots={"evaluation": "middle"}, render=render, then=True)
