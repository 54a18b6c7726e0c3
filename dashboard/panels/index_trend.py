"""The index month by month: what is computed now as a column, what was released as a mark on it."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import score_text
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, words
from queries import governance


def render(context: Context, view: View) -> Any:
    """Draw a column for each month; a month opens as the page's period."""
    w = words(context, view)
    answer = governance.months(context.store, context.ask(view))
    rows = list(answer.rows)
    while rows and rows[0].score is None:
        rows.pop(0)
    if not rows:
        return [heading(w.pick(PANEL.title)), nothing(w, "index.no_change"), strip(w, answer)]
    columns: list[Any] = []
    for row in rows:
        mark = html.Span(className="month-mark", style={"bottom": f"{row.released:.1f}%"}) if row.released is not None else ""
        fill = html.Span(className="month-fill draft" if row.draft else "month-fill", style={"height": f"{row.score or 0:.1f}%"})
        said = w("index.draft") if row.draft else w("index.released", score=score_text(row.released))
        columns.append(go(view.but(period="custom", since=row.since, until=row.until),
                          [html.Span(score_text(row.score), className="month-score"), html.Span([fill, mark], className="month-track"), html.Span(f"{row.since:%Y-%m}", className="month-name")],
                          "month", said))
    return [heading(w.pick(PANEL.title), w("index.trend_aside")), html.Div(columns, className="months"), strip(w, answer)]


PANEL = Panel(id="index_trend", title={"zh": "逐月指数", "en": "Month by month"}, order=25, slots={"index": "left"}, render=render)
