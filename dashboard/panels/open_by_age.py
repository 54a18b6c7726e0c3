"""How long the open cases have been waiting."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, heading, nothing, strip, words
from queries import kpi


def render(context: Context, view: View) -> Any:
    """Draw one bar per band of age."""
    w = words(context, view)
    answer = kpi.open_by_age(context.store, context.ask(view))
    most = max((row.n for row in answer.rows), default=0)
    rows = [
        html.Div(
            [html.Span(w.pick(row.title), className="mix-name"), bar(row.n / most if most else None),
             html.Span(w.n(row.n), className="mix-n")],
            className="mix",
        )
        for row in answer.rows
    ]
    return [heading(w.pick(PANEL.title), w("age.aside")),
            html.Div(rows, className="mixes") if rows else nothing(w), strip(w, answer)]


PANEL = Panel(
    id="open_by_age", title={"zh": "未结案件时长", "en": "Open by age"}, order=35, slots={"leader": "left"}, render=render,
)
