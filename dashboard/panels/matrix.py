"""Departments by areas: every cell, total and corner opens the cases that it is about."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import (
    chip,
    chips,
    go,
    groups,
    heading,
    nothing,
    scroll,
    strip,
    words,
)
from dashboard.words import Words
from layers._peers import Fences, fences
from queries import matrix, places
from queries.figures import FEW, FIGURES
from queries.frame import Filters
from queries.matrix import Cell, Line, Matrix

ASIDE = {"zh": "行、列与合计由同一组数相加；比率按分子、分母相加", "en": "rows, columns and totals are made of the same sums; rates add up by numerator and denominator"}
USUAL = "overdue"


def render(context: Context, view: View) -> Any:
    """Draw the table of the chosen figure."""
    w, ask = words(context, view), context.ask(view)
    measure = view.measure if view.measure in matrix.MEASURES else USUAL
    answer = matrix.matrix(context.store, ask, measure)
    one = answer.row
    with context.store.read() as connection:
        place = w.name(places.find(connection, ask.place, ask.on, ask.scope))
    rule = _rule(one)
    top = html.Tr([html.Th(w("matrix.department"), className="first"), *(html.Th(_column(w, view, column.code, w.pick(column.name)), className="num", scope="col")
                                                                        for column in one.columns),
                   html.Th(w("matrix.total"), className="num total", scope="col")])
    rows = [_line(w, view, one, line, rule) for line in one.lines]
    foot = html.Tr([html.Th(w("matrix.total"), className="first", scope="row"),
                    *(_cell(w, _behind(view, one, column.code, ""), cell, one, "total")
                      for column, cell in zip(one.columns, one.totals, strict=True)),
                    _cell(w, _behind(view, one, None, ""), one.corner, one, "total")], className="foot")
    shown: Any = scroll(html.Table(groups([top], rows, [foot]), className="sticky matrix")) if rows else nothing(w)
    figures = chips([chip(view.but(measure=id_), w.pick(FIGURES[id_].title), id_ == measure, w.pick(FIGURES[id_].definition)) for id_ in matrix.MEASURES])
    return [heading(f"{place} · {w.pick(PANEL.title)}", w.pick(ASIDE), large=True), figures, html.P(w.pick(one.figure.definition), className="quiet"),
            shown, strip(w, answer)]


def _column(w: Words, view: View, code: str, name: str) -> Any:
    return go(view.but(place=code), name, "drill", w("matrix.down")) if code else name


def _line(w: Words, view: View, one: Matrix, line: Line, rule: Fences) -> html.Tr:
    cells = [_cell(w, _behind(view, one, column.code, line.code), cell, one, "", rule) for column, cell in zip(one.columns, line.cells, strict=True)]
    return html.Tr([html.Th(w.pick(line.name), className="first", scope="row"), *cells, _cell(w, _behind(view, one, None, line.code), line.total, one, "total")])


def _behind(view: View, one: Matrix, column: str | None, department: str) -> View:
    """Return the leader's page with the cases of a cell: column None = the place, empty = what lies in no part of it."""
    opens = one.figure.opens or Filters()
    kept = view.filters.departments
    filters = Filters(categories=view.filters.categories, departments=(department,) if department else kept, unplaced=column == "",
                      open_only=opens.open_only, overdue=opens.overdue)
    return view.but(scene="leader", place=column or view.place, filters=filters, order="overdue" if opens.open_only else "newest")


def _rule(one: Matrix) -> Fences:
    """Return from where on a rate stands out among the cells that rest on enough cases."""
    if one.figure.unit != "%":
        return Fences()
    known = [cell.value for line in one.lines for cell in line.cells if cell.value is not None and (cell.denominator or 0) >= FEW]
    return fences(known, _bad(one), "%")


def _bad(one: Matrix) -> Any:
    return {"up": "down", "down": "up", None: None}[one.figure.good]


def _cell(w: Words, to: View, cell: Cell, one: Matrix, name: str, rule: Fences | None = None) -> html.Td:
    rate = one.figure.denominator is not None
    css = f"num {name}".strip()
    if cell.value is None:
        return html.Td("—", className=f"{css} quiet", title=w("matrix.nothing") if rate else w("unknown"))
    if not rate and not cell.value:
        return html.Td("0", className=f"{css} quiet")
    few = rate and (cell.denominator or 0) < FEW
    out = rule is not None and not few and rule.step(cell.value, _bad(one)) > 0
    made = html.Small(f"{w.n(cell.numerator)}/{w.n(cell.denominator)}", className="quiet") if rate else ""
    text = w.value(cell.value, one.figure.unit)
    link = go(to, f"▲ {text}" if out else text, "drill", w("children.look") if out else w("matrix.few") if few else "")
    return html.Td([link, made], className=css + (" watch" if out else " quiet" if few else ""))


PANEL = Panel(id="matrix", title={"zh": "部门 × 区域（条 × 块）", "en": "Departments by areas"}, order=10, slots={"matrix": "main"}, render=render, then=True)
