"""What is nobody's; each number opens its list."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import due_words, go, heading, strip, words
from dashboard.words import Words
from queries.loop import nobody
from queries.loop.nobody import GapRow, Orphan


def render(context: Context, view: View) -> Any:
    """Draw one fold per kind of gap."""
    w = words(context, view)
    answer = nobody.gaps(context.store, context.ask(view))
    return [heading(w.pick(PANEL.title)), html.Div([_gap(w, view, row) for row in answer.rows], className="scroll"), strip(w, answer)]


def _gap(w: Words, view: View, row: GapRow) -> Any:
    n = html.Strong(f"▲ {w.n(row.n)}" if row.n else w.n(0), className="watch" if row.n else "quiet")
    if not row.n:
        return html.Div([html.Span(w.pick(row.title)), n], className="gap")
    more = [html.Li(w("desk.first", n=len(row.first)), className="quiet")] if row.n > len(row.first) else []
    return html.Details([html.Summary([html.Span(w.pick(row.title)), n], className="gap"),
                         html.Ul([*(_orphan(w, view, one, row) for one in row.first), *more], className="plain")])


def _orphan(w: Words, view: View, one: Orphan, row: GapRow) -> html.Li:
    if one.case is not None:
        due = due_words(w, one.case.due_at)
        return html.Li([go(view.but(case=one.code), w.pick(one.case.title_words) or w.pick(one.case.category_name), "drill"),
                        html.Span(w.pick(one.case.area_name), className="quiet"), html.Span(due[0], className=f"due {due[1]}")])
    if row.id == "no_duty":
        return html.Li([go(view.but(scene="grid", place=one.code, case=""), w.pick(one.name), "drill"), html.Span(one.code, className="quiet")])
    return html.Li(go(view.but(scene="list", place=None, case="").narrowed(categories=(one.code,)), w.pick(one.name), "drill"))


PANEL = Panel(id="nobody", title={"zh": "无人认领", "en": "Nobody's"}, order=60, slots={"street": "side"}, render=render, then=True)
