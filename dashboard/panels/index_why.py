"""Why did it move: what each indicator did to the index, and where; the points add up to the change."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import cases_view, signed
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, scroll, strip, words
from dashboard.words import Words
from queries import governance
from queries.governance import WhyRow


def render(context: Context, view: View) -> Any:
    """Draw a waterfall: bars to the left took points, bars to the right brought them."""
    w = words(context, view)
    ask = context.ask(view)
    answer = governance.why(context.store, ask)
    rows = [row for row in answer.rows if abs(row.points) >= 0.005]
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w, "index.no_change"), strip(w, answer)]
    whole = sum(row.points for row in answer.rows)
    most = max((abs(row.points) for row in rows), default=1.0)
    total = html.P(w("index.total", points=signed(whole)), className="why-total")
    return [heading(w.pick(PANEL.title), w("index.against_previous")), scroll([total, *(_row(w, view, row, most) for row in rows)], "whys"), strip(w, answer)]


def _row(w: Words, view: View, row: WhyRow, most: float) -> Any:
    down = row.points < 0
    fill = html.Span(className="why-fill down" if down else "why-fill", style={"width": f"{abs(row.points) / most * 50:.1f}%"})
    line = [html.Span(w.pick(row.title), className="why-name"), html.Span(fill, className="why-bar", **{"aria-hidden": "true"}),
            html.Span(f"{'▼' if down else '▲'} {signed(row.points)}", className="why-points")]
    places = [go(view.but(place=code), f"{w.pick(name)} {signed(points)}", "chip") for code, name, points in row.areas[:3] if abs(points) >= 0.005]
    values = w("index.from_to", before=w.share(row.value_before), value=w.share(row.value)) if row.value is not None and row.value_before is not None else ""
    cases = cases_view(view, row.opens)
    more = [html.Span(values, className="quiet"), *places, *([go(cases, w("index.cases"), "chip")] if cases else [])]
    return html.Div([html.Div(line, className="why-line"), html.Div(more, className="why-more")], className="why")


PANEL = Panel(id="index_why", title={"zh": "为什么变了", "en": "Why did it move?"}, order=20, slots={"index": "left"}, render=render)
