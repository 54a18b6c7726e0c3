"""Departments by areas (条 × 块): one figure in every cell, with totals that are made of the same sums.

Rates are added by their numerators and denominators, never by averaging. What lies in the place but in none of
its parts is a column of its own, so that rows and columns add up to the corner. Read from roll-ups only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from queries import kpi, places, summing
from queries import scope as rights
from queries.answers import by_day, only_sums, remembered, stamped
from queries.errors import AskError
from queries.figures import Measure
from queries.frame import Answer, Ask
from queries.loop import past_cases
from queries.periods import Piece, pieces, upto
from queries.places import Place
from queries.rollup import NOBODY
from queries.store import Store
from queries.tables import department

Words = dict[str, str]
Pair = tuple[int, int]
#: Figures that can be added up: additive, or a rate of additive parts.
MEASURES = ("open", "overdue", "on_time_rate", "closure_rate", "rework_rate", "reported", "closed", "should_close")
#: More columns are a map's work, not a table's.
WIDEST = 150
NO_DEPARTMENT: Words = {"zh": "未派部门", "en": "No department yet"}
ELSEWHERE: Words = {"zh": "未细分", "en": "Not placed below"}
ACROSS: Words = {"zh": "跨界网格的案件按落点计入上级区域，“未细分”一列可为负", "en": "cases of a cell across a border count above by where they lie, so \"not placed below\" may be negative"}
NOTHING: Pair = (0, 0)


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
    """One department's figures, one per column, and its total. Code UNNAMED = no department is named."""

    code: str
    name: Words
    cells: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The whole table: columns, lines, the totals of the columns, and the corner. `whole`: the parts are all of the place."""

    figure: Measure
    whole: bool
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    totals: tuple[Cell, ...]
    corner: Cell


def matrix(store: Store, ask: Ask, measure: str) -> Answer[Matrix]:
    """Return departments by the areas below the place, or by what of the place may be seen."""
    figure = kpi.figure_named(measure)
    if measure not in MEASURES:
        raise AskError(f"{measure!r} cannot be added up. Choose one of: {', '.join(MEASURES)}.",
                       zh=f"“{figure.title['zh']}”不能相加，请另选指标。")
    with store.read() as connection:
        return remembered(connection, ("matrix", ask, measure), lambda: _matrix(connection, ask, figure))


def _matrix(connection: Connection, ask: Ask, figure: Measure) -> Answer[Matrix]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    below = rights.parts(connection, visible, place)
    if len(below) > WIDEST:
        raise AskError(f"{len(below):,} columns are too many. Choose a smaller place.", zh=f"{len(below):,} 列过多，请选择更小的区域。")
    if ask.at is not None and figure.id in kpi.COUNTED:
        known, found = True, _stood(connection, ask, figure, [*visible, *below])
    else:
        # What became of the cases later was not known at a moment of the past.
        known = kpi.covered(connection, ask) and kpi.is_told(connection, figure) and (ask.at is None or figure.id not in kpi.SINCE)
        found = _pairs(connection, ask, figure, [p.area_id for p in (*visible, *below)])
    table = _added(figure, _cell(figure, known),
                   found, visible, below, _names(connection), visible == [place])
    across = table.whole and any((one.numerator or 0) < 0 for one in table.totals)
    return stamped(connection, (table,), ask=ask, notes=(*by_day(ask), *only_sums(ask), *((ACROSS,) if across else ())))


def _names(connection: Connection) -> dict[int, Column]:
    rows = connection.execute(select(department).order_by(department.c.code))
    return {r.id: Column(code=r.code, name={"zh": r.name, "en": r.name_en or r.name}) for r in rows} | {
        NOBODY: Column(code=summing.UNNAMED, name=NO_DEPARTMENT)}


def _added(figure: Measure, cell: Callable[[Pair], Cell], found: dict[int, dict[int, Pair]], visible: Sequence[Place],
           below: Sequence[Place], names: dict[int, Column], whole: bool) -> Matrix:
    wholes, parts = [p.area_id for p in visible], [p.area_id for p in below]
    raw: list[tuple[Column, list[Pair], Pair]] = []
    for id_, named in names.items():
        total = _plus(found[area][id_] for area in wholes)
        held = [found[area][id_] for area in parts]
        if total != NOTHING or any(pair != NOTHING for pair in held):
            raw.append((named, [*held, _minus(total, _plus(held))], total))
    loose = bool(parts) and any(pairs[-1] != NOTHING for _, pairs, _ in raw)
    width = len(parts) + loose
    columns = [Column(code=p.code, name={"zh": p.name, "en": p.name_en or p.name}) for p in below]
    return Matrix(
        figure=figure, whole=whole, columns=tuple([*columns, Column(code="", name=ELSEWHERE)][:width]),
        lines=tuple(Line(code=named.code, name=named.name, cells=tuple(map(cell, pairs[:width])), total=cell(total)) for named, pairs, total in raw),
        totals=tuple(cell(_plus(pairs[i] for _, pairs, _ in raw)) for i in range(width)), corner=cell(_plus(total for _, _, total in raw)))


def _cell(figure: Measure, known: bool) -> Callable[[Pair], Cell]:
    def made(pair: Pair) -> Cell:
        if not known:
            return Cell(value=None, numerator=None, denominator=None)
        if figure.denominator is None:
            return Cell(value=pair[0], numerator=pair[0], denominator=None)
        return Cell(value=pair[0] / pair[1] if pair[1] else None, numerator=pair[0], denominator=pair[1])

    return made


def _pairs(connection: Connection, ask: Ask, figure: Measure, areas: Sequence[int]) -> dict[int, dict[int, Pair]]:
    """Return {area: {department: (numerator, denominator)}}, by one statement per 200 areas."""
    spans: Sequence[Piece]
    stock = figure.id in ("open", "overdue")
    if figure.id == "open":
        spans, measures = upto(ask.until), ("reported", "closed")
    elif figure.id == "overdue":
        spans, measures = upto(kpi.owed_until(connection, ask.until)), ("due", "due_closed")
    else:
        spans, measures = pieces(ask.since, ask.until), (figure.numerator, figure.denominator or figure.numerator)
    found: dict[int, dict[int, Pair]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    distinct = tuple(dict.fromkeys(measures))
    for area, dep, *values in summing.sums_of(connection, ("area_id", "department_id"), distinct, areas, spans, summing.narrowing(ask)):
        told = dict(zip(distinct, map(int, values), strict=True))
        top, under = told[measures[0]], told[measures[1]]
        found[area][dep] = (top - under, 0) if stock else (top, under if figure.denominator else 0)
    return found


def _stood(connection: Connection, ask: Ask, figure: Measure, areas: Sequence[Place]) -> dict[int, dict[int, Pair]]:
    """Return {area: {department: (numerator, 0)}} of the cases that were open, or overdue, at a moment of the past."""
    found: dict[int, dict[int, Pair]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    spans = [rights.ranges_under(connection, [one]) for one in areas]
    for one, held in zip(areas, past_cases.by_department(connection, ask, spans, figure.id == "overdue"), strict=True):
        for dep, n in held.items():
            found[one.area_id][dep or NOBODY] = n, 0
    return found


def _plus(pairs: Iterable[Pair]) -> Pair:
    held = list(pairs)
    return sum(p[0] for p in held), sum(p[1] for p in held)


def _minus(one: Pair, other: Pair) -> Pair:
    return one[0] - other[0], one[1] - other[1]


