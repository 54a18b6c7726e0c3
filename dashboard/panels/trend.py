"""Reported, closed and open over the period, beside the period before and the same days a year ago.

Drawn as plain columns: plotly's bundle alone (1.45 MB gzipped) would double the first view.
"""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, nothing, strip, words
from dashboard.words import Words
from queries import kpi
from queries.figures import Tile, TrendRow


def render(context: Context, view: View) -> Any:
    """Draw the columns and the two comparisons."""
    w = words(context, view)
    ask = context.ask(view)
    answer = kpi.trend(context.store, ask)
    most = max((v for row in answer.rows for v in (row.reported, row.closed) if v is not None), default=0)
    body: Any = nothing(w)
    if answer.rows:
        first, last = answer.rows[0].day, answer.rows[-1].day
        body = html.Div(
            [
                html.Div([html.Span(w.n(most)), html.Span("0")], className="trend-axis"),
                html.Div([_column(w, row, most) for row in answer.rows], className="trend-columns", role="img",
                         **{"aria-label": w("trend.label", since=w.day(first), until=w.day(last), most=w.n(most))}),
                html.Div([html.Span(w.day(first)), html.Span(w.day(last))], className="trend-days"),
            ],
            className="trend",
        )
    tiles = {tile.id: tile for tile in kpi.tiles(context.store, ask).rows}
    compared = [_compared(w, tiles[key]) for key in ("reported", "closed") if key in tiles]
    key = html.Span([html.I(className="key reported"), w("trend.reported"), html.I(className="key closed"), w("trend.closed")],
                    className="keys")
    return [heading(w.pick(PANEL.title), [key, *compared]), body, strip(w, answer)]


def _column(w: Words, row: TrendRow, most: int) -> html.Div:
    if row.reported is None and row.closed is None:
        return html.Div(className="column unknown", title=w("trend.unknown", day=w.day(row.day)))
    title = w("trend.column", day=w.day(row.day), reported=w.n(row.reported), closed=w.n(row.closed), open=w.n(row.open))
    parts = [
        html.Span(className=name, style={"height": f"{(value or 0) / most * 100 if most else 0:.1f}%"})
        for name, value in (("reported", row.reported), ("closed", row.closed))
    ]
    weekend = " weekend" if row.day.weekday() >= 5 else ""
    return html.Div(parts, className=f"column{weekend}", title=title)


def _compared(w: Words, tile: Tile) -> html.Span:
    return html.Span(
        f"{w.pick(tile.title)} {w('kpi.previous')} {_percent(w, tile.value, tile.previous)}"
        f" · {w('kpi.last_year')} {_percent(w, tile.value, tile.last_year)}",
        className="compared",
    )


def _percent(w: Words, value: float | None, before: float | None) -> str:
    if value is None or not before:
        return w("kpi.no_compare")
    return f"{(value - before) / before * 100:+.1f}%"


PANEL = Panel(
    id="trend", title={"zh": "趋势", "en": "Trend"}, order=40, slots={"leader": "below"}, render=render,
)
