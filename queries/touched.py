"""Which days of which places changed: a mark for each, in the transaction that changes the sums.

Whoever keeps something that is made of sums reads the marks since it last looked, and makes anew what they name and
nothing else. A mark names a node (all areas on its line changed) and days; a change of too much is one mark of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    SmallInteger,
    Table,
    delete,
    func,
    select,
)

from queries.intervals import chunks
from queries.store import bulk
from queries.tables import metadata, node

#: `id` is the order in which they were written: those who change sums do so one after the other.
touched = Table(
    "touched", metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("what", SmallInteger, nullable=False),  # 0 = sums of cases and steps, 1 = imported figures
    Column("node", Integer, nullable=False),  # 0 = every place
    Column("first", Integer, nullable=False), Column("last", Integer, nullable=False),  # days, both inside
    sqlite_autoincrement=True,
)
SUMS, FIGURES = 0, 1
EVERYWHERE, ALWAYS = 0, (-10_000_000, 10_000_000)
#: A change of more places and days than this is told as one of everything.
MOST = 2_000
#: So many marks are kept; whoever looked before the oldest of them makes everything anew.
KEPT = 50_000


@dataclass(frozen=True, kw_only=True)
class Touched:
    """What changed since a mark: ids of all areas on the lines of the nodes whose sums, or figures, were touched; None = everything."""

    mark: int
    sums: np.ndarray | None
    figures: np.ndarray | None


def touch(connection: Connection, days: Iterable[tuple[int, int]]) -> None:
    """Mark days of nodes as changed."""
    _put(connection, [(SUMS, n, day, day) for n, day in sorted(set(days))])


def touch_span(connection: Connection, number: int, first: int, last: int) -> None:
    """Mark days of one node, from first to last, as changed."""
    _put(connection, [(SUMS, number, first, last)])


def touch_figures(connection: Connection, spans: Sequence[tuple[int, int, int]]) -> None:
    """Mark spans of days (node, first, last) as those of which other figures hold now."""
    _put(connection, [(FIGURES, *span) for span in spans])


def everything(connection: Connection) -> None:
    """Mark every day of every place as changed."""
    _put(connection, [(what, EVERYWHERE, *ALWAYS) for what in (SUMS, FIGURES)])


def _put(connection: Connection, marks: Sequence[tuple[int, int, int, int]]) -> None:
    if len(marks) > MOST:
        everything(connection)
    elif marks:
        bulk(connection, touched, ("what", "node", "first", "last"), marks)


def last_mark(connection: Connection) -> int:
    """Return the last mark; 0 before the first."""
    return int(connection.scalar(select(func.max(touched.c.id))) or 0)


def since(connection: Connection, mark: int, first: int, last: int) -> Touched:
    """Return what changed after a mark in the days from first to last."""
    newest, oldest = connection.execute(select(func.max(touched.c.id), func.min(touched.c.id))).one()
    now = int(newest or 0)
    if now <= mark:
        return Touched(mark=max(now, mark), sums=np.zeros(0, np.int64), figures=np.zeros(0, np.int64))
    if oldest > mark + 1 or mark == 0:
        return Touched(mark=now, sums=None, figures=None)
    t, nodes = touched.c, (set[int](), set[int]())
    for what, number in connection.execute(select(t.what, t.node).distinct().where(t.id > mark, t.id <= now, t.first <= last, t.last >= first)):
        nodes[what].add(number)
    sums, figures = (None if EVERYWHERE in one or len(one) > MOST else _lines(connection, one) for one in nodes)
    return Touched(mark=now, sums=sums, figures=figures)


def forget(connection: Connection) -> int:
    """Let old marks go; return how many."""
    return connection.execute(delete(touched).where(touched.c.id <= last_mark(connection) - KEPT)).rowcount


def _lines(connection: Connection, nodes: set[int]) -> np.ndarray:
    areas: set[int] = set()
    here = set(nodes)
    while here:
        above: set[int] = set()
        for part in chunks(sorted(here)):
            for area_id, parent in connection.execute(select(node.c.area_id, node.c.parent).where(node.c.num.in_(part))):
                areas.add(area_id)
                above.update(() if parent is None else (parent,))
        here = above
    return np.array(sorted(areas), np.int64)
