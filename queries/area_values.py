"""One figure for every area of a level, in columns: a city may have hundreds of thousands of grids.

Definitions are those of queries/kpi.py; what differs is that nothing here is done area by area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any, overload

import numpy as np
from sqlalchemy import Connection, Select, Table, bindparam, func, or_, select

from queries import kpi, places, summing
from queries import rollup as sums
from queries import scope as rights
from queries.answers import by_day, only_sums, remembered, stamped
from queries.clock import day_bucket, local_day, now, stamp
from queries.figures import AreaValue, Measure
from queries.frame import Answer, Ask
from queries.loop import past_cases
from queries.periods import DAY, Piece, pieces, upto
from queries.places import Place
from queries.store import Store
from queries.tables import UPPER, area, category, department, duration, node, open_now, total
from queries.today import city_now


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaColumns(Sequence[AreaValue]):
    """The rows of an answer about many areas, held as columns; a row is made when it is looked at.

    In `value` NaN is "not known"; a column that is None is known of no area.
    """

    area_id: np.ndarray
    code: np.ndarray
    dense: np.ndarray
    value: np.ndarray
    numerator: np.ndarray | None
    denominator: np.ndarray | None

    @property
    def n(self) -> np.ndarray:
        """Return what each value rests on."""
        rests = self.denominator if self.denominator is not None else self.numerator
        return np.zeros(len(self.code), np.int64) if rests is None else rests

    def __len__(self) -> int:
        return len(self.code)

    @overload
    def __getitem__(self, i: int) -> AreaValue: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[AreaValue]: ...
    def __getitem__(self, i: int | slice) -> AreaValue | Sequence[AreaValue]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        value = float(self.value[i])
        return AreaValue(
            area_id=int(self.area_id[i]), code=self.code[i], dense=int(self.dense[i]),
            value=None if np.isnan(value) else value, n=int(self.n[i]),
            numerator=None if self.numerator is None else int(self.numerator[i]),
            denominator=None if self.denominator is None else int(self.denominator[i]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """The visible areas of one level under a place, and the node intervals that hold them."""

    tree_id: int
    level: int
    spans: tuple[tuple[int, int], ...]
    num: np.ndarray
    last: np.ndarray
    area_id: np.ndarray
    code: np.ndarray
    dense: np.ndarray
    area_m2: np.ndarray
    residents: np.ndarray  # NaN = not known


def standing(connection: Connection, ask: Ask, level: int) -> Standing:
    """Return the areas of a level that an ask may see, in tree order."""
    place = places.find(connection, ask.place, ask.on, ask.scope)
    key = ("standing", ask.scope, place.num, level)
    return remembered(connection, key, lambda: _standing(connection, ask, place, level), lasting=True)


def _standing(connection: Connection, ask: Ask, place: Place, level: int) -> Standing:
    parts = rights.effective(connection, ask.scope, place)
    rows: list[Any] = []
    for part in sorted(parts, key=lambda one: one.num):
        rows += _plain(
            connection, select(node.c.num, node.c.area_id, area.c.code, node.c.dense, area.c.area_m2, area.c.residents, node.c.last)
            .join(area, area.c.id == node.c.area_id).order_by(node.c.num)
            .where(node.c.tree_id == place.tree_id, node.c.level == level, node.c.num.between(part.num, part.last), node.c.main.is_(True)))
    held = list(zip(*rows, strict=True)) if rows else [()] * 7
    return Standing(
        tree_id=place.tree_id, level=level, spans=tuple((part.num, part.last) for part in parts),
        num=np.array(held[0], np.int64), last=np.array(held[6], np.int64), area_id=np.array(held[1], np.int64), code=np.array(held[2], object),
        dense=np.array([d or 0 for d in held[3]], np.int64),
        area_m2=np.array(held[4], float), residents=np.array(held[5], float),
    )


def area_values(store: Store, ask: Ask, measure: str, level: int) -> Answer[AreaValue]:
    """Return one figure for every visible area of a level at or under the place."""
    figure = kpi.figure_named(measure)

    with store.read() as connection:
        where, today = standing(connection, ask, level), local_day(stamp(now()), city_now(connection).zone)
        key = ("area_values", ask, measure, level, today)
        columns = remembered(connection, key, lambda: _columns(connection, where, ask, figure), ageless=True)
        return replace(stamped(connection, (), ask=ask, notes=(*by_day(ask), *only_sums(ask))), rows=columns)


def _columns(connection: Connection, where: Standing, ask: Ask, figure: Measure) -> AreaColumns:
    value = np.full(len(where.code), np.nan)
    top = under = None
    if ask.at is not None and figure.id in kpi.COUNTED:
        top = past_cases.by_area(connection, ask, where.num, where.last, figure.id == "overdue")
        value = top.astype(float)
    elif ask.at is not None and figure.id in kpi.SINCE:
        pass  # what became of the cases later was not known then
    elif kpi.covered(connection, ask) and kpi.is_told(connection, figure):
        now_pieces = pieces(ask.since, ask.until)
        if figure.id in kpi.QUANTILES:
            if not any(summing.narrowing(ask)):  # handling times are kept for all categories and departments together
                value, top = _quantiles(connection, where, now_pieces, kpi.QUANTILES[figure.id])
        elif figure.id == "open" and _is_now(connection, ask):
            top = _open_now(connection, where, ask)
            value = top.astype(float)
        elif figure.id in STOCKS:
            came, left = STOCKS[figure.id]
            until = ask.until if figure.id == "open" else kpi.owed_until(connection, ask.until)
            two = _sums(connection, where, (came, left), upto(until), ask)
            top = two[0] - two[1]
            value = top.astype(float)
        elif figure.denominator is None:
            (top,) = _sums(connection, where, (figure.numerator,), now_pieces, ask)
            value = top.astype(float)
        else:
            top, under = _sums(connection, where, (figure.numerator, figure.denominator), now_pieces, ask)
            value = np.divide(top, under, out=value, where=under != 0)
    return AreaColumns(area_id=where.area_id, code=where.code, dense=where.dense, value=value, numerator=top, denominator=under)


#: What stands at a day's end is all that came less all that left.
STOCKS = {"open": ("reported", "closed"), "overdue": ("due", "due_closed")}


def _is_now(connection: Connection, ask: Ask) -> bool:
    """Return whether nothing is known to have come or gone after the asked days."""
    later = select(total.c.bucket).where(
        total.c.area_id == select(func.min(area.c.id)).where(area.c.level == 0).scalar_subquery(), total.c.grain == DAY,
        total.c.bucket > day_bucket(ask.until), or_(total.c.reported != 0, total.c.closed != 0))
    return connection.scalar(later.limit(1)) is None


def _open_now(connection: Connection, where: Standing, ask: Ask) -> np.ndarray:
    """Return how many cases are open: as many rows as there are open ones, and not the whole history of all areas."""
    out = np.zeros(len(where.num), np.int64)
    rows = _plain(connection, select(open_now.c.area_id, func.sum(open_now.c.n)).join(area, area.c.id == open_now.c.area_id)
                  .where(area.c.level == where.level, *summing.conditions(open_now, ask)).group_by(open_now.c.area_id))
    if rows and len(out):
        held, n = np.array(rows, np.int64).T
        order = np.argsort(where.area_id)
        at = np.searchsorted(where.area_id, held, sorter=order).clip(max=len(order) - 1)
        here = where.area_id[order[at]] == held
        out[order[at[here]]] = n[here]
    return out


def _sums(connection: Connection, where: Standing, measures: tuple[str, ...], wanted: Sequence[Piece], ask: Ask) -> list[np.ndarray]:
    out = [np.zeros(len(where.num), np.int64) for _ in measures]
    only = summing.narrowing(ask)
    for table, some in summing.tables_of(where.level < UPPER, any(only), wanted):
        for num, *values in _grouped(connection, where, table, (), measures, some, only):
            at = np.searchsorted(where.num, num)
            for held, more in zip(out, values, strict=True):
                held[at] += more
    return out


def _quantiles(connection: Connection, where: Standing, wanted: Sequence[Piece], share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the hours below which a share of each area's durations lies, and how many durations there are."""
    value, n = np.full(len(where.num), np.nan), np.zeros(len(where.num), np.int64)
    parts = list(_grouped(connection, where, duration, ("bin",), ("n",), summing.bins_kept(where.level < UPPER, wanted), ((), ())))
    if not parts:
        return value, n
    num, number, count = (np.concatenate([part[k] for part in parts]) for k in range(3))
    order = np.lexsort((number, num))
    at, number, count = np.searchsorted(where.num, num[order]), number[order], count[order]
    np.add.at(n, at, count)
    below = np.cumsum(count) - (np.cumsum(n) - n)[at]
    reached = np.flatnonzero((count != 0) & (below >= share * n[at]))
    first = reached[np.unique(at[reached], return_index=True)[1]]
    value[at[first]] = [round(sums.bin_hours(int(b)), 2) for b in number[first]]
    return value, n


def _grouped(
    connection: Connection, where: Standing, table: Table, by: tuple[str, ...], measures: tuple[str, ...],
    wanted: Sequence[Piece], only: summing.Narrowing,
) -> list[list[np.ndarray]]:
    """Return for each piece of time the columns: node number, further keys, sums."""
    statement = _statement(table, by, measures, tuple(bool(codes) for codes in only))
    bound: dict[str, Any] = {f"codes{i}": list(codes) for i, codes in enumerate(only) if codes}
    found = []
    for piece in wanted:
        for first, last in where.spans:
            rows = _plain(connection, statement, bound | {
                "tree": where.tree_id, "level": where.level, "first": first, "last": last,
                "grain": piece.grain, "lo": piece.lo, "hi": piece.hi})
            if rows:
                flat = np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * len(rows[0]))
                found.append(list(flat.reshape(len(rows), -1).T))
    return found


def _plain(connection: Connection, statement: Select[Any], bound: dict[str, Any] | None = None) -> list[Any]:
    # Numbers and text need nothing done to them: the driver's own tuples, a third of the time of rows.
    result = connection.execute(statement, bound or {})
    rows = result.cursor.fetchall()
    result.close()
    return rows


@lru_cache(maxsize=64)
def _statement(table: Table, by: tuple[str, ...], measures: tuple[str, ...], narrowed: tuple[bool, ...]) -> Select[Any]:
    # One piece of time each: the key is (area, grain, bucket), so each area costs one step into the index.
    keys = [node.c.num, *(table.c[name] for name in by)]
    statement = (
        select(*keys, *(func.sum(table.c[m]).label(m) for m in measures))
        .join(table, table.c.area_id == node.c.area_id)
        .where(node.c.tree_id == bindparam("tree"), node.c.level == bindparam("level"), node.c.main.is_(True),
               node.c.num.between(bindparam("first"), bindparam("last")),
               table.c.grain == bindparam("grain"), table.c.bucket.between(bindparam("lo"), bindparam("hi")))
        .group_by(*keys)
    )
    for i, (words, column) in enumerate(((category, "category_id"), (department, "department_id"))):
        if narrowed[i]:
            statement = statement.where(table.c[column].in_(summing.ids_of(words, bindparam(f"codes{i}", expanding=True))))
    return statement
