"""How long the open cases have been waiting."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, nothing, strip, words
from dashboard.words import Words
from queries import kpi
from queries.figures import AgeRow


def render(context: Context, view: View) -> Any:
    """Draw one column per band of age."""
    w = words(context, view)
    answer = kpi.open_by_age(context.store, context.ask(view))
    most = max((row.n for row in answer.rows), default=0)
    shown = html.Div([_column(w, row, most) for row in answer.rows], className="ages") if most else nothing(w, "age.none")
    return [heading(w.pick(PANEL.title), w("age.aside")), shown, strip(w, answer)]


def _column(w: Words, row: AgeRow, most: int) -> html.Div:
    band = w("age.older", since=row.days_from) if row.days_to is None else w("age.band", since=row.days_from, until=row.days_to)
    return html.Div([
        html.Span(w.n(row.n), className="age-n"),
        html.Div(html.Span(style={"height": f"{row.n / most * 100:.1f}%"}), className="age-box", **{"aria-hidden": "true"}),
        html.Span(band, className="age-name", title=w.pick(row.title)),
    ], className="age")


PANEL = Panel(
    id="open_by_age", title={"zh": "未结案件时长", "en": "Open by age"}, order=35, slots={"leader": "left"}, render=render, then=True,
)
