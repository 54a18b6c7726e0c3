"""The parts of the place, ranked worst first by one measure, each a step down."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, chips, go, heading, nothing, strip, words
from dashboard.words import Words
from queries import kpi
from queries.figures import FIGURES, ChildRow

MEASURES = ("overdue", "closure_rate", "on_time_rate", "open", "reported", "handling_median_h")


def render(context: Context, view: View) -> Any:
    """Draw the ranking."""
    w = words(context, view)
    measure = view.measure if view.measure in FIGURES else "overdue"
    answer = kpi.children(context.store, context.ask(view), measure)
    known = [row.values.get(measure) for row in answer.rows]
    most = max((abs(v) for v in known if v is not None), default=0.0)
    choices = [
        go(view.but(measure=m), w.pick(FIGURES[m].title), "chip on" if m == measure else "chip") for m in MEASURES
    ]
    rows = [_row(w, view, row, measure, most) for row in answer.rows]
    table: Any = nothing(w, "children.none")
    if rows:
        head = html.Tr([html.Th(w(k), className=c) for k, c in (
            ("children.rank", "num"), ("children.place", ""), ("children.value", "num"), ("children.n", "num"))])
        table = html.Div(html.Table([html.Thead(head), html.Tbody(rows)], className="ranking"), className="scroll")
    return [heading(w.pick(PANEL.title), w("children.worst_first")), chips(choices), table, strip(w, answer)]


def _row(w: Words, view: View, row: ChildRow, measure: str, most: float) -> html.Tr:
    figure = FIGURES[measure]
    value = row.values.get(measure)
    share = None if value is None else value if figure.unit == "%" else abs(value) / most if most else 0.0
    few = html.Span(f" {w('children.few')}", className="few", title=w("children.few_why")) if row.few else ""
    made = w.n(row.n) if row.denominator is None else f"{w.n(row.numerator)}/{w.n(row.denominator)}"
    worst = row.rank is not None and row.rank <= 2 and figure.good is not None and not row.few and bool(most)
    return html.Tr(
        [
            html.Td([html.Span("▲ ", className="mark", title=w("children.look")) if worst else "",
                     w.n(row.rank)], className="num rank"),
            html.Td([go(view.but(place=row.place.code), w.name(row.place), "drill"), few, bar(share)]),
            html.Td(w.value(value, figure.unit) if value is not None else w("unknown"), className="num value"),
            html.Td(made, className="num quiet"),
        ],
        className="worst" if worst else "",
    )


PANEL = Panel(
    id="children", title={"zh": "下级区域", "en": "Areas below"}, order=20,
    slots={"leader": "left"}, render=render,
)
