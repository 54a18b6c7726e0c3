"""Whistles that are out, and who has not come."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, words
from dashboard.panels._whistles import came
from queries.loop import whistles


def render(context: Context, view: View) -> Any:
    """Draw those that nobody answered first."""
    w, actor = words(context, view), context.actor
    answer = whistles.out(context.store, context.ask(view), actor.department if actor.post == "department" else "")
    missing = sum(1 for row in answer.rows if row.arrived_at is None)
    aside = html.Span(f"▲ {w('whistle.not_come', n=missing)}", className="watch") if missing else ""
    rows = [html.Li([
        html.Div([html.Strong(w.pick(row.department_name)), came(w, row)], className="line"),
        html.Div([go(view.but(case=row.case_no), w.pick(row.title_words), "drill", row.case_no), go(view.but(scene="grid", place=row.area_code, case=""), w.pick(row.area_name), "drill"),
                  html.Span(w.pick(row.reason_words))], className="facts"),
    ], className="case") for row in answer.rows]
    return [heading(w.pick(PANEL.title), aside), html.Ol(rows, className="lines scroll") if rows else nothing(w, "whistle.none"),
            strip(w, answer)]


PANEL = Panel(id="desk_whistles", title={"zh": "吹哨 · 未解除", "en": "Whistles out"}, order=20, slots={"street": "side"}, render=render, then=True)
