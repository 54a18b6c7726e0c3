"""Reported and closed over the period. A day or month that is not over is marked as unfinished.

Drawn as plain columns: plotly's bundle alone (1.45 MB gzipped) would double the first view.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, nothing, strip, words
from dashboard.panels.kpi import compared
from dashboard.words import Words
from queries import kpi
from queries.clock import moment
from queries.figures import TrendRow
from queries.periods import next_month


def render(context: Context, view: View) -> Any:
    """Draw the columns and the comparison with the period before."""
    w = words(context, view)
    ask, city = context.ask(view), context.city()
    answer = kpi.trend(context.store, ask)
    known = [v for row in answer.rows for v in (row.reported, row.closed) if v is not None]
    monthly = len(answer.rows) > 1 and (answer.rows[1].day - answer.rows[0].day).days > 1
    told = None if city.as_of is None else moment(city.as_of)
    unfinished = [row.day for row in answer.rows if _is_unfinished(row.day, monthly, told, w)]
    keys = [html.Span([html.I(className="key"), w("trend.reported")]), html.Span([html.I(className="key closed"), w("trend.closed")])]
    if unfinished:
        keys.append(html.Span([html.I(className="key unfinished"), w("trend.unfinished")]))
    body: Any = nothing(w, "trend.none") if not known else _plot(w, answer.rows, readable(max(known)), set(unfinished))
    tiles = [t for t in kpi.tiles(context.store, ask).rows if t.id in ("reported", "closed")]
    return [heading(w.pick(PANEL.title), [html.Span(keys, className="keys"), *compared(w, tiles)]), body, strip(w, answer)]


def readable(most: float) -> int:
    """Return the least round number that is not below a value: the top of the axis."""
    if most <= 1:
        return 2
    grain = 10.0 ** math.floor(math.log10(most))
    top = next(round(step * grain) for step in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10) if step * grain >= most)
    return top + top % 2  # half of it is written too


def _is_unfinished(day: date, monthly: bool, told: datetime | None, w: Words) -> bool:
    """Return whether the data does not yet speak of the whole day (or month)."""
    if told is None:
        return False
    last = told.astimezone(w.zone).date()
    return day <= last < next_month(day) if monthly else day == last


def _plot(w: Words, rows: tuple[TrendRow, ...], top: int, unfinished: set[date]) -> html.Div:
    first, last = rows[0].day, rows[-1].day
    return html.Div([
        html.Div([html.Span(w.n(n)) for n in (top, top / 2, 0)], className="trend-axis", **{"aria-hidden": "true"}),
        html.Div([_column(w, row, top, row.day in unfinished) for row in rows], className="trend-plot", role="img",
                 **{"aria-label": w("trend.label", since=w.day(first), until=w.day(last), most=w.n(top))}),
        html.Div([html.Span(w.day(first)), html.Span(w.day(last))], className="trend-days"),
    ], className="trend")


def _column(w: Words, row: TrendRow, top: int, unfinished: bool) -> html.Div:
    if row.reported is None and row.closed is None:
        return html.Div(className="column unknown", title=w("trend.unknown", day=w.day(row.day)))
    title = w("trend.column", day=w.day(row.day), reported=w.n(row.reported), closed=w.n(row.closed), open=w.n(row.open))
    if unfinished:
        title += f" ({w('trend.unfinished')})"
    css = "column" + (" weekend" if row.day.weekday() >= 5 else "") + (" unfinished" if unfinished else "")
    parts = [html.Span(className="reported", style={"height": f"{(row.reported or 0) / top * 100:.1f}%"})]
    if row.closed:
        parts.append(html.Span(className="closed", style={"bottom": f"{row.closed / top * 100:.1f}%"}))
    return html.Div(parts, className=css, title=title)


PANEL = Panel(
    id="trend", title={"zh": "趋势", "en": "Trend"}, order=40, slots={"leader": "below"}, render=render, then=True,
)
