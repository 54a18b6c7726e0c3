"""Departments that were called and did not come in time: where a leader looks, the latest first. Nothing while all of them came."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, strip, words
from dashboard.panels._whistles import came
from queries.loop import whistles

#: So many lines are drawn; the street's page has all of them.
LINES = 3


def render(context: Context, view: View) -> Any:
    """Draw them; each line opens its case."""
    w = words(context, view)
    answer = whistles.out(context.store, context.ask(view))
    missing = [row for row in answer.rows if row.arrived_at is None and row.late]
    if not missing:
        return []
    aside = [html.Span(f"▲ {w('whistle.late', n=len(missing))}", className="act"), go(view.but(scene="street", case=""), w("whistle.all"), "chip")]
    lines = [html.Li([
        html.Div([html.Strong(w.pick(row.department_name)), came(w, row)], className="line"),
        html.Div([go(view.but(case=row.case_no), w.pick(row.title_words), "drill", row.case_no), html.Span(w.pick(row.area_name)), html.Span(w.pick(row.reason_words))],
                 className="facts"),
    ], className="case") for row in missing[:LINES]]
    return [heading(w.pick(PANEL.title), aside), html.Ol(lines, className="lines"), strip(w, answer)]


PANEL = Panel(id="whistles_late", title={"zh": "吹哨 · 逾时未报到", "en": "Called and not come"}, order=8, slots={"leader": "right"}, render=render, then=True)
