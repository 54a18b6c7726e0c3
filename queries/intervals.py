"""Node intervals: everything under a place is a few intervals of node numbers over all trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select

from queries.tables import node

#: No statement names more intervals or ids than this; SQLite refuses deep expressions.
CHUNK = 200


def ranges(connection: Connection, area_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Return the node intervals (ends included) of everything under some areas, over all trees.

    Further nodes that were made after their tree was written lie outside its interval, so they are
    looked up by their parent until no more are found.
    """
    found: list[tuple[int, int]] = []
    for part in chunks(sorted(set(area_ids))):
        rows = connection.execute(
            select(node.c.num, node.c.last, node.c.parent).where(node.c.area_id.in_(part))
        ).all()
        if any(r.parent is None for r in rows):
            # The city is one area in all trees, so everything is under it.
            lo, hi = connection.execute(select(func.min(node.c.num), func.max(node.c.num))).one()
            return [(lo, hi)]
        found += [(r.num, r.last) for r in rows]
    whole = merged(found)
    new = whole
    while new:
        late: list[tuple[int, int]] = []
        for part in chunks(new):
            under = or_(*(node.c.parent.between(lo, hi) for lo, hi in part))
            rows = connection.execute(
                select(node.c.num, node.c.last).where(node.c.main.is_(False), under)
            )
            late += [(r.num, r.last) for r in rows]
        grown = merged(whole + late)
        new = [] if grown == whole else merged(late)
        whole = grown
    return whole


def inside(column: ColumnElement[int], intervals: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    """Return the condition that a node column lies in one of some intervals; none = never true."""
    if not intervals:
        return literal(1) == 0
    return or_(*(column == lo if lo == hi else column.between(lo, hi) for lo, hi in intervals))


def merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same numbers in the fewest intervals."""
    joined: list[tuple[int, int]] = []
    for lo, hi in sorted(intervals):
        if joined and lo <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(hi, joined[-1][1]))
        else:
            joined.append((lo, hi))
    return joined


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield parts that are small enough for one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start:start + CHUNK]
