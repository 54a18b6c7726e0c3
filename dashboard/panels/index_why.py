"""Why did it move, and where: a waterfall from the score before to the score now. A bar opens its records, a record its cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import amount, answers, cases_view, cents, counts, parts
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, scroll, strip, table, words
from dashboard.words import Words
from queries import governance, index_records
from queries.answerable import answerable
from queries.governance import WhyRow
from queries.index_records import RecordRow


def render(context: Context, view: View) -> Any:
    """Draw the steps from before to now; the points as they are shown add up to the change as it is shown."""
    w, ask = words(context, view), context.ask(view)
    answer, whole = governance.why(context.store, ask), governance.index(context.store, ask).rows[0]
    told = parts(answer.rows, whole)
    if not told or whole.score is None or whole.before is None:
        return [heading(w.pick(PANEL.title)), nothing(w, "index.no_change"), strip(w, answer)]
    before, now = round(whole.before * 100), round(whole.score * 100)
    shown = [(row, n) for row, n in told if n]
    low, wide = _range(before, [n for _, n in shown])
    lines = [_end(w("index.before"), before, low, wide)]
    at = before
    for row, n in shown:
        lines.append(_step(w, view, row, n, (at - low) / wide, n / wide))
        if view.measure == row.id:
            lines.append(_records(context, w, view, row))
        at += n
    if len(shown) < len(answer.rows):
        lines.append(html.Div(html.Span(w("index.rest", n=str(len(answer.rows) - len(shown)))), className="why quiet"))
    lines.append(_end(w("index.now"), now, low, wide))
    total = html.P(w("index.total", points=cents(now - before)), className="why-total")
    return [heading(w.pick(PANEL.title), w("index.against_previous")), total, scroll(lines, "whys"), strip(w, answer)]


def _range(before: int, steps: Sequence[int]) -> tuple[float, float]:
    """Return where the drawn range begins and how wide it is: all of the way, with a tenth of room at both ends."""
    way = [before]
    for n in steps:
        way.append(way[-1] + n)
    wide = max(max(way) - min(way), 10) * 1.2
    return min(way) - wide / 12, wide


def _end(name: str, value: int, low: float, wide: float) -> html.Div:
    mark = html.Span(className="why-mark", style={"left": f"{100 * (value - low) / wide:.2f}%"})
    line = [html.Span(name, className="why-name"), html.Span(mark, className="why-bar", **{"aria-hidden": "true"}), html.Strong(f"{value / 100:.2f}", className="why-points")]
    return html.Div(html.Div(line, className="why-line"), className="why why-end")


def _step(w: Words, view: View, row: WhyRow, n: int, left: float, width: float) -> html.Div:
    if width < 0:
        left, width = left + width, -width
    fill = html.Span(className="why-fill down" if n < 0 else "why-fill", style={"left": f"{100 * left:.2f}%", "width": f"{max(100 * width, 0.4):.2f}%"})
    line = [html.Span(w.pick(row.title), className="why-name"), html.Span(fill, className="why-bar", **{"aria-hidden": "true"}),
            html.Span(f"{'▼' if n < 0 else '▲'} {cents(n)}", className="why-points")]
    more: list[Any] = []
    if row.value is not None and row.value_before is not None:
        more.append(html.Span(w("index.from_to", before=amount(w, row.value_before, row.measure), value=amount(w, row.value, row.measure)), className="quiet"))
    # The two areas that did most of it; all of them are among its records.
    more += [html.Span(f"{w.pick(name)} {cents(round(100 * points))}", className="quiet") for _, name, points in row.areas[:2] if abs(points) >= 0.005]
    if row.id == "mix":
        return html.Div([html.Div(line, className="why-line"), html.Div(more, className="why-more")], className="why")
    on = view.measure == row.id
    opened = go(view.but(measure=View.measure if on else row.id), [html.Span("▾ " if on else "▸ ", **{"aria-hidden": "true"}), *line[:1]], "why-name", w("index.records"))
    return html.Div([html.Div([opened, *line[1:]], className="why-line"), html.Div(more, className="why-more")], className="why on" if on else "why")


def _records(context: Context, w: Words, view: View, row: WhyRow) -> html.Div:
    answer = index_records.records(context.store, context.ask(view), row.id)
    head = [(w("children.place"), ""), (w("index.counts_before"), "num"), (w("index.counts_now"), "num"), (w("index.points_aside"), "num"), (w("index.cases"), "num")]
    rows = [_record(w, view, row, one) for one in answer.rows]
    who = html.P(answers(w, answerable(context.store, context.ask(view), row.id)), className="quiet")
    return html.Div([table(head, rows) if rows else nothing(w), who], className="why-records")


def _counts(w: Words, one: RecordRow, top: float | None, under: float | None) -> str:
    return "" if not one.code and under is None else counts(w, top, under)


def _record(w: Words, view: View, row: WhyRow, one: RecordRow) -> html.Tr:
    there = view.but(place=one.code)
    cases = cases_view(there, row.opens) if one.code else None
    points = "–" if one.points is None else cents(round(100 * one.points))
    return html.Tr([html.Td(go(there, w.pick(one.title), "drill") if one.code else html.Span(w.pick(one.title), className="quiet")), html.Td(_counts(w, one, one.numerator_before, one.denominator_before), className="num quiet"),
                    html.Td(_counts(w, one, one.numerator, one.denominator), className="num"), html.Td(points, className="num"),
                    html.Td(go(cases, w("index.open"), "chip") if cases else html.Span(w("index.no_cases") if one.code else "", className="quiet"), className="num")])


PANEL = Panel(id="index_why", title={"zh": "为什么变了", "en": "Why did it move?"}, order=20, slots={"index": "left"}, render=render)
