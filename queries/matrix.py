"""Departments by areas (条 × 块): one figure in every cell, with totals that are made of the same sums.

Rates are added by their numerators and denominators, never by averaging. What lies in the place but in none of
the columns (not placed further down) is a column of its own, so that rows and columns add up to the corner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from queries import kpi, outlines, places, summing
from queries import scope as rights
from queries.answers import only_sums, remembered, stamped
from queries.errors import AskError
from queries.figures import FIGURES, Measure
from queries.frame import Answer, Ask
from queries.periods import Piece, pieces, upto
from queries.places import Place
from queries.rollup import NOBODY
from queries.store import Store
from queries.tables import department, rollup

Words = dict[str, str]
Pair = tuple[int, int]
#: Figures that a matrix can show: additive, or a rate of additive parts.
MEASURES = ("open", "overdue", "should_close", "on_time_rate", "reported")
#: More columns are a map's work, not a table's.
WIDEST = 150
NO_DEPARTMENT: Words = {"zh": "未派部门", "en": "No department yet"}
ELSEWHERE: Words = {"zh": "未细分", "en": "Not placed below"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure; None = not known, or nothing to divide by. What it is made of goes along."""

    value: float | None
    numerator: int | None
    denominator: int | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One area; code empty = what lies in none of them."""

    code: str
    name: Words


@dataclass(frozen=True, kw_only=True)
class Line:
    """One department's figures, one per column, and its total. Code empty = no department is named."""

    code: str
    name: Words
    cells: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The whole table: columns, lines, the totals of the columns, and the corner."""

    level: int
    levels: tuple[outlines.Level, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    totals: tuple[Cell, ...]
    corner: Cell


def matrix(store: Store, ask: Ask, measure: str, level: int | None = None) -> Answer[Matrix]:
    """Return departments by the areas of a level below the place (the next one unless named)."""
    figure = kpi.figure_named(measure)
    if measure not in MEASURES:
        raise AskError(f"{measure!r} cannot be added up. Choose one of: {', '.join(MEASURES)}.")
    with store.read() as connection:
        return remembered(connection, ("matrix", ask, measure, level), lambda: _matrix(connection, ask, figure, level))


def _matrix(connection: Connection, ask: Ask, figure: Measure, level: int | None) -> Answer[Matrix]:
    place = places.find(connection, ask.place, ask.until, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    below = [one for one in outlines.levels(connection) if one.level > place.level]
    chosen, columns = _columns(connection, ask, place, visible, below, level)
    whole, parts = [p.area_id for p in visible], [p.area_id for p in columns]
    found = _pairs(connection, ask, figure, [*whole, *parts])
    names = {r.id: (r.code, {"zh": r.name, "en": r.name_en or r.name}) for r in connection.execute(select(department))}
    names[NOBODY] = ("", NO_DEPARTMENT)
    known = kpi.covered(connection, ask)

    def cell(pair: Pair) -> Cell:
        if not known:
            return Cell(value=None, numerator=None, denominator=None)
        if figure.denominator is None:
            return Cell(value=pair[0], numerator=pair[0], denominator=None)
        return Cell(value=pair[0] / pair[1] if pair[1] else None, numerator=pair[0], denominator=pair[1])

    lines, rest = [], []
    for id_, (code, name) in sorted(names.items(), key=lambda one: (one[0] == NOBODY, one[1][0])):
        total = _plus(found[area][id_] for area in whole)
        held = [found[area][id_] for area in parts]
        rest.append(_minus(total, _plus(held)) if held else (0, 0))
        if total != (0, 0) or any(pair != (0, 0) for pair in held):
            lines.append((code, name, held, rest[-1], total))
    loose = any(pair != (0, 0) for pair in rest)
    sums = [_plus(found[area].values()) for area in parts] + ([_plus(rest)] if loose else [])
    corner = _plus(_plus(found[area].values()) for area in whole)
    table = Matrix(
        level=chosen, levels=tuple(below),
        columns=(*(Column(code=p.code, name={"zh": p.name, "en": p.name_en or p.name}) for p in columns),
                 *([Column(code="", name=ELSEWHERE)] if loose else [])),
        lines=tuple(Line(code=code, name=name, total=cell(total), cells=tuple(map(cell, [*held, *([left] if loose else [])])))
                    for code, name, held, left, total in lines),
        totals=tuple(map(cell, sums)), corner=cell(corner))
    return stamped(connection, (table,), ask=ask, notes=only_sums(ask))


def _columns(connection: Connection, ask: Ask, place: Place, visible: list[Place], below: list[outlines.Level],
             level: int | None) -> tuple[int, list[Place]]:
    """Return the level and its areas: the asked one, else the first below the place that holds more than one visible area."""
    for one in below:
        if level is not None and one.level != level:
            continue
        found = rights.visible_under(connection, ask.scope, place, one.level)
        if level is not None or len(found) > 1:
            if len(found) > WIDEST:
                raise AskError(f"{len(found):,} columns are too many. Choose a smaller place or a higher level.",
                               zh=f"{len(found):,} 列过多，请选择更小的区域或更高的层级。")
            return one.level, found
    return place.level, [] if visible == [place] else visible


def _pairs(connection: Connection, ask: Ask, figure: Measure, areas: Sequence[int]) -> dict[int, dict[int, Pair]]:
    """Return {area: {department: (numerator, denominator)}}, by one statement per 200 areas."""
    spans: Sequence[Piece]
    if figure.id == "open":
        spans, measures = upto(ask.until), ("reported", "closed")
    elif figure.id == "overdue":
        spans, measures = upto(kpi.owed_until(connection, ask.until)), ("due", "due_closed")
    else:
        spans, measures = pieces(ask.since, ask.until), (figure.numerator, figure.denominator or figure.numerator)
    found: dict[int, dict[int, Pair]] = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    distinct = tuple(dict.fromkeys(measures))
    for area, dep, *values in summing.summed(connection, rollup, ("area_id", "department_id"), distinct, areas, spans, summing.narrowing(ask)):
        told = dict(zip(distinct, values, strict=True))
        top, under = int(told[measures[0]]), int(told[measures[1]])
        found[area][dep] = (top - under, 0) if figure.id in ("open", "overdue") else (top, under if figure.denominator else 0)
    return found


def _plus(pairs: Iterable[Pair]) -> Pair:
    held = list(pairs)
    return sum(p[0] for p in held), sum(p[1] for p in held)


def _minus(one: Pair, other: Pair) -> Pair:
    return one[0] - other[0], one[1] - other[1]


__all__ = ["MEASURES", "Cell", "Column", "FIGURES", "Line", "Matrix", "matrix"]
