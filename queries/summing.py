"""Reads the roll-ups: sums of areas over pieces of time. The one place that knows how they are asked.

A statement is made once for its shape and bound each time; sums of several windows come from one statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from queries.answers import remembered
from queries.clock import EPOCH, month_bucket
from queries.frame import Ask
from queries.intervals import chunks, merged
from queries.periods import DAY, MONTH, Piece, by_days, shortest
from queries.rollup import NOBODY
from queries.tables import (
    MEASURES,
    UPPER,
    area,
    cases,
    category,
    department,
    duration,
    rollup,
    total,
)

Sums = dict[str, int]
#: Codes of the categories and of the departments that figures are narrowed to; empty = all.
Narrowing = tuple[tuple[str, ...], tuple[str, ...]]
#: Stands among the codes of departments for "no department is named".
UNNAMED = "-"


def when(table: Table, wanted: Iterable[Piece]) -> ColumnElement[bool]:
    """Return the condition that a roll-up's row lies in one of some pieces of time."""
    return or_(*(and_(table.c.grain == p.grain, table.c.bucket.between(p.lo, p.hi)) for p in wanted))


def inside_of(key: tuple[int, int], wanted: Iterable[Piece]) -> bool:
    """Return whether a grain and bucket lie in one of some pieces of time."""
    return any(key[0] == p.grain and p.lo <= key[1] <= p.hi for p in wanted)


def narrowing(ask: Ask) -> Narrowing:
    """Return the codes of categories and departments that an ask is narrowed to."""
    return ask.filters.categories, ask.filters.departments


def conditions(table: Table, ask: Ask) -> list[ColumnElement[bool]]:
    """Return the conditions that narrow a table with a category and a department to those of an ask."""
    held = zip((category, department), (table.c.category_id, table.c.department_id), narrowing(ask), strict=True)
    return [column.in_(ids_of(words, codes)) for words, column, codes in held if codes]


def ids_of(words: Table, codes: Any) -> Select[Any] | CompoundSelect[Any]:
    """Return the ids by which the roll-ups know some codes of categories or departments."""
    found = select(words.c.id).where(words.c.code.in_(codes))
    return found if words is category else found.union_all(select(literal(NOBODY)).where(literal(UNNAMED).in_(codes)))


def of_departments(codes: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a case is of some departments, or of none where that is among them."""
    named = cases.c.department_id.in_(select(department.c.id).where(department.c.code.in_(codes)))
    return or_(named, cases.c.department_id.is_(None)) if UNNAMED in codes else named


@lru_cache(maxsize=256)
def _statement(table: Table, by: tuple[str, ...], measures: tuple[str, ...], n: int, narrowed: tuple[bool, ...]) -> Select[Any]:
    """Return the sums of some areas over n pieces of time; made once, bound each time."""
    # One part for each piece: a key is (area, grain, bucket), and SQLite reads all of an area where pieces stand under an OR.
    parts = [_part(table, by, measures, i, narrowed) for i in range(n)]
    whole = (parts[0] if n == 1 else union_all(*parts)).subquery()
    keys = [whole.c[name] for name in by]
    return select(*keys, *(func.sum(whole.c[m]).label(m) for m in measures)).group_by(*keys)


def _part(table: Table, by: tuple[str, ...], measures: tuple[str, ...], i: int, narrowed: tuple[bool, ...]) -> Select[Any]:
    statement = select(*(table.c[name] for name in (*by, *measures))).where(
        table.c.area_id.in_(bindparam("areas", expanding=True)), table.c.grain == bindparam(f"grain{i}"),
        table.c.bucket.between(bindparam(f"lo{i}"), bindparam(f"hi{i}")))
    for k, (words, key) in enumerate(((category, "category_id"), (department, "department_id"))):
        if narrowed[k]:
            statement = statement.where(table.c[key].in_(ids_of(words, bindparam(f"codes{k}", expanding=True))))
    return statement


def _apart(wanted: Iterable[Piece]) -> list[Piece]:
    """Return pieces that hold the same buckets, none of them twice."""
    held: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for piece in wanted:
        held[piece.grain].append((piece.lo, piece.hi))
    return [Piece(grain=grain, lo=lo, hi=hi) for grain, spans in held.items() for lo, hi in merged(spans)]


def summed(
    connection: Connection, table: Table, by: tuple[str, ...], measures: tuple[str, ...], areas: Sequence[int],
    wanted: Sequence[Piece], only: Narrowing = ((), ()),
) -> Iterator[Sequence[Any]]:
    """Yield rows of the keys and the sums of the measures."""
    wanted = _apart(wanted)
    if not wanted:
        return
    statement = _statement(table, by, measures, len(wanted), tuple(bool(codes) for codes in only))
    bound = _bound(wanted, only)
    for part in chunks(areas):
        yield from connection.execute(statement, bound | {"areas": list(part)}).all()


def sums_of(
    connection: Connection, by: tuple[str, ...], measures: tuple[str, ...], areas: Sequence[int], wanted: Sequence[Piece],
    only: Narrowing = ((), ()),
) -> Iterator[Sequence[Any]]:
    """Yield rows of the keys and the sums of the measures of cases. A key may come more than once: add them up.

    Where only days are kept, a month's rows come as those of its days.
    """
    for high, some in _by_height(connection, areas):
        for table, held in tables_of(high, any(only) or "category_id" in by or "department_id" in by, wanted):
            yield from summed(connection, table, by, measures, some, held, only)


def tables_of(high: bool, apart: bool, wanted: Sequence[Piece]) -> list[tuple[Table, list[Piece]]]:
    """Return where some pieces of time of areas are read, and as which: see `UPPER` in queries/tables.py.

    `high` = the areas lie on the upper levels; `apart` = categories or departments are told apart.
    """
    if high:
        return [(rollup if apart else total, list(wanted))]
    if apart:
        return [(rollup, by_days(wanted))]
    parts = ((total, [p for p in wanted if p.grain == MONTH]), (rollup, [p for p in wanted if p.grain == DAY]))
    return [(table, held) for table, held in parts if held]


def _by_height(connection: Connection, areas: Sequence[int]) -> list[tuple[bool, list[int]]]:
    """Return the areas of the upper levels and those below, each if there are any."""
    upper = remembered(connection, ("known", "upper"), lambda: frozenset(
        connection.scalars(select(area.c.id).where(area.c.level < UPPER))), lasting=True)
    parts = ((True, [a for a in areas if a in upper]), (False, [a for a in areas if a not in upper]))
    return [(high, some) for high, some in parts if some]


def _bound(wanted: Sequence[Piece], only: Narrowing) -> dict[str, Any]:
    bound: dict[str, Any] = {f"codes{i}": list(codes) for i, codes in enumerate(only) if codes}
    for i, piece in enumerate(wanted):
        bound |= {f"grain{i}": piece.grain, f"lo{i}": piece.lo, f"hi{i}": piece.hi}
    return bound


def by_bucket(
    connection: Connection, areas: Sequence[int], wanted: Sequence[Piece], only: Narrowing
) -> dict[tuple[int, int], Sums]:
    """Return the sums of some areas together by (grain, bucket)."""
    found: dict[tuple[int, int], Sums] = {}
    days = [piece for piece in wanted if piece.grain == DAY]
    for grain, bucket, *values in sums_of(connection, ("grain", "bucket"), MEASURES, areas, wanted, only):
        if grain == DAY and not inside_of((DAY, bucket), days):  # a month that is kept by its days
            grain, bucket = MONTH, month_bucket(EPOCH + timedelta(days=bucket))
        held = found.setdefault((grain, bucket), dict.fromkeys(MEASURES, 0))
        for m, n in zip(MEASURES, values, strict=True):
            held[m] += int(n)
    return found


def windows(
    connection: Connection, areas: Sequence[int], wanted: dict[str, list[Piece]], only: Narrowing
) -> dict[str, Sums]:
    """Return the sums of each named window, by one statement for all of them."""
    # Windows overlap; what is read are the stretches between their ends, each once, summed by the database.
    stretches, member = _plan(tuple(tuple(part) for part in wanted.values()))
    sums = np.zeros((len(stretches), len(MEASURES)), np.int64)
    for high, some in _by_height(connection, areas) if stretches else ():
        for table, which in _stretches_in(stretches, high, any(only)):
            statement = _stretched(table, len(which), tuple(bool(codes) for codes in only))
            bound = _bound([piece for _, piece in which], only)
            for part in chunks(some):
                for i, *values in connection.execute(statement, bound | {"areas": list(part)}).all():
                    sums[which[i][0]] += np.array(values, np.int64)
    return {name: dict(zip(MEASURES, row, strict=True)) for name, row in zip(wanted, (member @ sums).tolist(), strict=True)}


@lru_cache(maxsize=256)
def _plan(wanted: tuple[tuple[Piece, ...], ...]) -> tuple[list[Piece], np.ndarray]:
    """Return the stretches of some windows, and a row of 0 and 1 for each window: which stretches lie in it."""
    stretches = _stretches(piece for part in wanted for piece in part)
    member = [[inside_of((one.grain, one.lo), part) for one in stretches] for part in wanted]
    return stretches, np.array(member, np.int64).reshape(len(wanted), len(stretches))


def _stretches_in(stretches: Sequence[Piece], high: bool, apart: bool) -> list[tuple[Table, list[tuple[int, Piece]]]]:
    """Return which stretches are read where, each with its number."""
    if high or apart:
        ((table, held),) = tables_of(high, apart, stretches)
        return [(table, list(enumerate(held)))]
    parts = ((total, MONTH), (rollup, DAY))
    numbered = [(table, [(i, one) for i, one in enumerate(stretches) if one.grain == grain]) for table, grain in parts]
    return [(table, which) for table, which in numbered if which]


def _stretches(wanted: Iterable[Piece]) -> list[Piece]:
    """Return the stretches between the ends of some pieces that lie in at least one of them."""
    held: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for piece in wanted:
        held[piece.grain].add((piece.lo, piece.hi))
    out = []
    for grain, spans in held.items():
        ends = sorted({end for lo, hi in spans for end in (lo, hi + 1)})
        out += [Piece(grain=grain, lo=lo, hi=after - 1) for lo, after in pairwise(ends) if any(a <= lo <= b for a, b in spans)]
    return out


@lru_cache(maxsize=256)
def _stretched(table: Table, n: int, narrowed: tuple[bool, ...]) -> Select[Any] | CompoundSelect[Any]:
    """Return one row of sums for each of n stretches; made once, bound each time."""
    parts = []
    for i in range(n):
        rows = _part(table, (), MEASURES, i, narrowed).subquery()
        parts.append(select(literal_column(str(i)), *(func.coalesce(func.sum(rows.c[m]), literal_column("0")) for m in MEASURES)))
    return parts[0] if n == 1 else union_all(*parts)


def bins(connection: Connection, areas: Sequence[int], wanted: dict[str, list[Piece]]) -> dict[str, np.ndarray]:
    """Return how many handling times lie in each bin (by its number), of some areas together, in each named window; by one statement."""
    out = {name: np.zeros(0, np.int64) for name in wanted}
    for high, some in _by_height(connection, areas):
        held = {name: shortest(_apart(part)) if high else _apart(by_days(part)) for name, part in wanted.items()}
        names = [name for name, part in held.items() if part]
        if not names:
            continue
        pieces = [piece for name in names for piece in held[name]]
        bound = _bound(pieces, ((), ())) | {f"sign{i}": piece.sign for i, piece in enumerate(pieces)}
        statement = _binned(tuple(len(held[name]) for name in names))
        for part in chunks(some):
            rows = connection.execute(statement, bound | {"areas": list(part)}).all()
            if rows:
                which, numbers, counts = (np.array(column, np.int64) for column in zip(*rows, strict=True))
                for i, name in enumerate(names):
                    out[name] = _together(out[name], counted(numbers[which == i], counts[which == i]))
    return out


def counted(numbers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return how many there are in each bin, by its number, from some bins' numbers and counts."""
    # Exact as long as there are fewer than 2^53 of them.
    return np.bincount(numbers, counts).astype(np.int64)


def _together(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.zeros(max(len(a), len(b)), np.int64)
    out[:len(a)] += a
    out[:len(b)] += b
    return out


@lru_cache(maxsize=256)
def _binned(counts: tuple[int, ...]) -> Select[Any] | CompoundSelect[Any]:
    """Return the sums of each bin for some windows of so many pieces each; made once, bound each time."""
    parts, first = [], 0
    for k, count in enumerate(counts):
        rows = []
        for i in range(first, first + count):
            part = _part(duration, ("bin",), ("n",), i, (False, False)).subquery()
            rows.append(select(part.c.bin, (part.c.n * bindparam(f"sign{i}")).label("n")))
        whole = (rows[0] if count == 1 else union_all(*rows)).subquery()
        parts.append(select(literal_column(str(k)), whole.c.bin, func.sum(whole.c.n)).group_by(whole.c.bin))
        first += count
    return parts[0] if len(parts) == 1 else union_all(*parts)


def bins_by_area(connection: Connection, areas: Sequence[int], wanted: Sequence[Piece]) -> dict[int, np.ndarray]:
    """Return how many handling times lie in each bin (by its number), area by area; an area without any is left out."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for high, some in _by_height(connection, areas):
        for area_id, number, n in summed(connection, duration, ("area_id", "bin"), ("n",), some, bins_kept(high, wanted)):
            found[area_id].append((number, int(n)))
    return {area_id: counted(*np.array(held, np.int64).T) for area_id, held in found.items()}


def bins_kept(high: bool, wanted: Sequence[Piece]) -> list[Piece]:
    """Return as which pieces of time handling times are read: of the lower levels they are kept by day only."""
    return list(wanted) if high else by_days(wanted)
