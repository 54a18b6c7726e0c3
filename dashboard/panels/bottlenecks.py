"""Where the time goes: which step, which department, which hand-over; the usual ways; loops of rework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _flow
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, heading, nothing, strip, table, words
from dashboard.words import Words
from queries.frame import Answer
from queries.loop.flow import Flow, Leg

PARTS = (("legs", {"zh": "从哪一步到哪一步", "en": "From step to step"}), ("stages", {"zh": "哪个环节", "en": "Which step"}), ("departments", {"zh": "哪个部门", "en": "Which department"}),
         ("hand_overs", {"zh": "哪次交接", "en": "Which hand-over"}))
HEAD = ({"zh": "何处", "en": "where"}, {"zh": "占用时间", "en": "share of time"}, {"zh": "平均", "en": "mean"}, {"zh": "次", "en": "n"})
WAYS = {"zh": "常见走法（共 {} 种）", "en": "Usual ways ({} in all)"}
LOOPS = {"zh": "反复的步骤", "en": "Steps that came again"}
TIMES = {"zh": "{} 件", "en": "{} cases"}
READ = {"zh": "{} 件，{} 步", "en": "{} cases, {} steps"}
SHOWN = 6


def render(context: Context, view: View) -> Any:
    """Draw it, or say that it is being read."""
    w = words(context, view)
    return _flow.shown(context, view, w, PANEL, lambda answer: _draw(w, answer))


def _draw(w: Words, answer: Answer[Flow]) -> list[Any]:
    row = answer.row
    head = heading(w.pick(PANEL.title), w.pick(READ).format(w.n(row.cases), w.n(row.events)))
    if not row.cases:
        return [head, nothing(w, "flow.no_steps"), strip(w, answer)]
    parts: list[Any] = []
    # How long a case stood where is known of those that we saw; of a mere import only the steps are.
    for name, title in PARTS[1:] if row.stages else PARTS[:1]:
        legs: Sequence[Leg] = getattr(row, name)
        if legs:
            rows = [_leg(w, leg, name in ("legs", "hand_overs")) for leg in legs[:SHOWN]]
            parts += [html.H4(w.pick(title)), table([(w.pick(HEAD[0]), ""), (w.pick(HEAD[1]), ""), (w.pick(HEAD[2]), "num"), (w.pick(HEAD[3]), "num")], rows)]
    parts.append(html.H4(w.pick(WAYS).format(w.n(row.ways_in_all))))
    parts.append(html.Ol([html.Li([" › ".join(w.pick(word) for word in way.words), html.Span(f" {w.share(way.share)}", className="quiet")])
                          for way in row.ways[:SHOWN]], className="ways"))
    if row.loops:
        parts += [html.H4(w.pick(LOOPS)), html.P("、".join(f"{w.pick(word)} {w.pick(TIMES).format(w.n(n))}" for _, word, n in row.loops[:SHOWN]))]
    return [head, html.Div(parts, className="scroll"), strip(w, answer)]


def _leg(w: Words, leg: Leg, both: bool) -> html.Tr:
    name = f"{w.pick(leg.frm_words)} → {w.pick(leg.to_words)}" if both else w.pick(leg.frm_words)
    return html.Tr([html.Td(name), html.Td([bar(leg.share), html.Span(f" {w.share(leg.share, 0)}", className="quiet")]),
                    html.Td(w.length(leg.mean_s), className="num"), html.Td(w.n(leg.n), className="num quiet")])


PANEL = Panel(id="bottlenecks", title={"zh": "时间耗在哪里", "en": "Where the time goes"}, order=10, slots={"evaluation": "middle"}, render=render, then=True)
