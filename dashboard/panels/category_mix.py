"""Which categories the cases of the place are."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, go, heading, nothing, strip, words
from queries import kpi


def render(context: Context, view: View) -> Any:
    """Draw one bar per category; a category narrows everything."""
    w = words(context, view)
    answer = kpi.category_mix(context.store, context.ask(view))
    most = max((row.n for row in answer.rows), default=0)
    rows: list[Any] = []
    for row in answer.rows:
        on = row.id in view.filters.categories
        rows.append(go(
            view.narrowed(categories=() if on else (row.id,)),
            [html.Span(w.pick(row.title), className="mix-name"), bar(row.n / most if most else None),
             html.Span(w.n(row.n), className="mix-n"), html.Span(w.share(row.share, 0), className="mix-share")],
            "mix on" if on else "mix",
        ))
    return [heading(w.pick(PANEL.title), w("category.aside")),
            html.Div(rows, className="mixes") if rows else nothing(w), strip(w, answer)]


PANEL = Panel(
    id="category_mix", title={"zh": "案件类别", "en": "Categories"}, order=60, slots={"leader": "right"}, render=render, then=True,
)
