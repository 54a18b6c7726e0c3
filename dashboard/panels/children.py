"""The parts of the place, ranked worst first by one measure, each a step down."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, go, heading, nothing, strip, table, words
from dashboard.words import Words
from layers._peers import Fences, fences
from queries import kpi
from queries.figures import FIGURES, ChildRow


def render(context: Context, view: View) -> Any:
    """Draw the ranking by the figure whose tile is chosen."""
    w = words(context, view)
    measure = view.measure if view.measure in FIGURES else "overdue"
    figure = FIGURES[measure]
    answer = kpi.children(context.store, context.ask(view), measure)
    known = [v for row in answer.rows if not row.few and (v := row.values.get(measure)) is not None]
    rule = fences(known, _bad(measure), figure.unit)
    most = max((abs(v) for v in known), default=0.0)
    rows = [_row(w, view, row, measure, most, rule) for row in answer.rows]
    shown: Any = nothing(w, "children.none")
    if rows:
        head = [(w("children.rank"), "num rank"), (w("children.place"), ""), (w("children.value"), "num")]
        # A count stands for itself; of a rate one wants to know what it is made of.
        shown = table(head if figure.unit == "n" else [*head, (w("children.n"), "num")], rows, "ranking")
    aside = w("children.worst_first") if figure.good else w("children.most_first")
    return [heading(w("children.by", measure=w.pick(figure.title)), aside), shown, strip(w, answer)]


def _bad(measure: str) -> Any:
    return {"up": "down", "down": "up", None: None}[FIGURES[measure].good]


def _row(w: Words, view: View, row: ChildRow, measure: str, most: float, rule: Fences) -> html.Tr:
    figure = FIGURES[measure]
    value = row.values.get(measure)
    share = None if value is None else value if figure.unit == "%" else abs(value) / most if most else 0.0
    few = html.Span(f" {w('children.few')}", className="few", title=w("children.few_why")) if row.few else ""
    made = w.n(row.n) if row.denominator is None else f"{w.n(row.numerator)}/{w.n(row.denominator)}"
    out = 0 if row.few else rule.step(value, _bad(measure))
    mark = html.Span("▲ ", title=w("children.look"), **{"aria-label": w("children.look")}) if out else ""
    cells = [
        html.Td([mark, w.n(row.rank)], className="num rank"),
        html.Td([go(view.but(place=row.place.code), w.name(row.place), "drill"), few, bar(share)]),
        html.Td(w("unknown"), className="num quiet") if value is None else html.Td(w.value(value, figure.unit), className="num value"),
    ]
    if figure.unit != "n":
        cells.append(html.Td(made, className="num quiet"))
    return html.Tr(cells, className="outlier" if out else "")


PANEL = Panel(
    id="children", title={"zh": "下级区域", "en": "Areas below"}, order=20,
    slots={"leader": "left"}, render=render, then=True,
)
