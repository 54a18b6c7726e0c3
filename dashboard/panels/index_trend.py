"""The index month by month: what is computed now as a column, what was released as a mark on it. An indicator that is opened shows its own months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import amount, counts, score_text
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries import governance
from queries.governance import FigureRow, MonthRow
from queries.index import Dimension, Indicator, found
from queries.periods import next_month


def render(context: Context, view: View) -> Any:
    """Draw a column for each month; a month opens as the page's period."""
    w, ask = words(context, view), context.ask(view)
    one = _opened(view)
    answer = governance.months(context.store, ask, of=one.id if one else "index")
    rows = list(answer.rows)
    while rows and rows[0].score is None:
        rows.pop(0)
    title = w.pick(PANEL.title) if one is None else w("index.months_of", name=w.pick(one.title))
    back = w("index.trend_aside") if one is None else go(view.but(measure=View.measure), w("index.months_back"), "chip")
    if not rows:
        return [heading(title, back), nothing(w, "index.no_change" if one is None else "index.no_months"), strip(w, answer)]
    columns = [_month(w, view, row, one) for row in rows]
    figures = _figures(context, w, view, one) if isinstance(one, Indicator) and one.imported else []
    return [heading(title, back), html.Div(columns, className="months"), *figures, strip(w, answer)]


def _opened(view: View) -> Dimension | Indicator | None:
    """Return the indicator or dimension that is opened on the page."""
    for dimension in found().values():
        for one in (dimension, *dimension.indicators):
            if one.id == view.measure:
                return one
    return None


def _month(w: Words, view: View, row: MonthRow, one: Dimension | Indicator | None) -> Any:
    mark = html.Span(className="month-mark", style={"bottom": f"{row.released:.1f}%"}) if row.released is not None else ""
    fill = html.Span(className="month-fill draft" if row.draft else "month-fill", style={"height": f"{row.score or 0:.1f}%"})
    shown, said = score_text(row.score), w("index.draft") if row.draft else w("index.released", score=score_text(row.released))
    if isinstance(one, Indicator):
        shown = amount(w, row.value, one.kind)
        parts = [w("index.month_counts", score=score_text(row.score), counts=counts(w, row.numerator, row.denominator))]
        if not row.draft:
            parts.append(w("index.frozen", counts=counts(w, row.frozen_numerator, row.frozen_denominator)))
        said = w("list.comma").join([*parts, *([w("index.draft")] if row.draft else [])])
    return go(view.but(period="custom", since=row.since, until=row.until),
              [html.Span(shown, className="month-score"), html.Span([fill, mark], className="month-track"),
               html.Span(["" if row.draft or one is None else html.Span("◆ ", title=said), f"{row.since:%Y-%m}"], className="month-name")], "month", said)


def _figures(context: Context, w: Words, view: View, one: Indicator) -> Sequence[Any]:
    """Return what departments told of an indicator here, with what a newer figure took the place of."""
    ask = context.ask(view)
    first = min(ask.since, ask.until.replace(year=ask.until.year - 1, day=1))
    answer = governance.figures(context.store, ask.but(since=first), one.id)
    head = [(w("index.figure_days"), ""), (w("index.figure_value"), "num"), (w("index.figure_said"), ""), (w("index.figure_known"), "")]
    rows = [_figure(w, row, one) for row in answer.rows]
    if not rows:
        return [] if one.top else [html.P(w("index.no_figures"), className="month-figures none quiet")]
    return [html.Div(table(head, rows), className="month-figures")]


def _figure(w: Words, row: FigureRow, one: Indicator) -> html.Tr:
    until = html.Small(w("index.figure_until", at=w.moment(row.known_to)), className="quiet") if row.known_to else html.Small(w("index.figure_holds"))
    value: list[Any] = [amount(w, row.value, one.kind)]
    if row.denominator is not None:
        value.append(html.Small(counts(w, row.numerator, row.denominator)))
    return html.Tr([html.Td(_days(row)), html.Td(value, className="num"),
                    html.Td([row.said or "–", html.Small(row.source, className="quiet")]), html.Td([w.moment(row.known_at), until])],
                   className="gone" if row.known_to else None)


def _days(row: FigureRow) -> str:
    if row.since.day == 1 and row.until + timedelta(days=1) == next_month(row.since):
        return f"{row.since:%Y-%m}"
    return str(row.since) if row.since == row.until else f"{row.since} – {row.until}"


PANEL = Panel(id="index_trend", title={"zh": "逐月指数", "en": "Month by month"}, order=25, slots={"index": "left"}, render=render)
