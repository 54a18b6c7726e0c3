"""Process mining in plain SQL: who follows whom, how long it takes, which ways cases take. Any log will do.

A log is a SELECT of case_id (whole numbers), activity, at and ord (what breaks a tie). One window over it gives
each step its successor; the rest are sums of that. Work is cut by case into parts that run side by side, each on
a connection of its own; counts, sums and histograms of the parts add up, and the medians are exact: a histogram
says in which class a median lies, and only that class is read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    Float,
    MetaData,
    Select,
    Table,
    Text,
    case,
    func,
    insert,
    literal,
    or_,
    select,
)

from queries.store import Store

#: Between the steps of a way through the process.
MARK = "\x1f"
#: Borders of the classes in which the parts count durations, in seconds.
BORDERS = tuple(4 ** n for n in range(1, 15))
#: A case by case range of a log: from the first to the last number, both inside.
Log = Callable[[int, int], Select[Any]]

#: What the window gives, kept for the length of one reading: a step, its successor, the seconds between.
_SCRATCH = Table("flow_scratch", MetaData(), Column("a", Text), Column("b", Text), Column("d", Float), prefixes=["TEMPORARY"])


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One step after another: how often, and the seconds between them."""

    a: str
    b: str
    n: int
    mean_s: float
    median_s: float


@dataclass(frozen=True, kw_only=True)
class Mined:
    """What a log tells. `rework` = in how many cases a step came more than once."""

    cases: int
    events: int
    edges: tuple[Edge, ...]
    variants: tuple[tuple[tuple[str, ...], int], ...]
    starts: dict[str, int]
    ends: dict[str, int]
    rework: dict[str, int]
    case_mean_s: float | None
    case_median_s: float | None


@dataclass
class _Part:
    held: dict[tuple[str, str, int], tuple[int, float]]
    ways: Counter[str]
    took: np.ndarray
    close: Callable[[], None]
    read: Callable[[str, str, int], list[float]]


def mine(store: Store, log: Log, span: tuple[int, int], parts: int = 1) -> Mined:
    """Return what a log tells of the cases numbered from span[0] to span[1]."""
    lo, hi = span
    width = -(-(hi - lo + 1) // max(parts, 1))
    spans = [(start, min(start + width - 1, hi)) for start in range(lo, hi + 1, width)] if hi >= lo else []
    if not spans:
        return _mined([])
    with ThreadPoolExecutor(len(spans)) as pool:
        done = list(pool.map(lambda s: _part(store, log(*s)), spans))
    try:
        return _mined(done)
    finally:
        for part in done:
            part.close()


def collapsed(log: Select[Any]) -> Select[Any]:
    """Return a log without the steps that repeat the one before: how long something lasted, however often it was said."""
    inner = log.subquery()
    before = func.lag(inner.c.activity).over(partition_by=inner.c.case_id, order_by=(inner.c.at, inner.c.ord))
    told = select(inner, before.label("before")).subquery()
    return select(told.c.case_id, told.c.activity, told.c.at, told.c.ord).where(
        or_(told.c.before.is_(None), told.c.before != told.c.activity))


def _part(store: Store, log: Select[Any]) -> _Part:
    connection = store.engine.connect()
    try:
        _SCRATCH.create(connection)
        steps = log.subquery()
        window = {"partition_by": steps.c.case_id, "order_by": (steps.c.at, steps.c.ord)}
        pairs = select(steps.c.activity.label("a"), func.lead(steps.c.activity).over(**window).label("b"),
                       (func.lead(steps.c.at).over(**window) - steps.c.at).label("d")).subquery()
        connection.execute(insert(_SCRATCH).from_select(["a", "b", "d"], select(pairs).where(pairs.c.b.is_not(None))))
        number = _class(_SCRATCH.c.d)
        held = {
            (r.a, r.b, r.number): (int(r.n), float(r.total))
            for r in connection.execute(select(_SCRATCH.c.a, _SCRATCH.c.b, number.label("number"), func.count().label("n"),
                                               func.sum(_SCRATCH.c.d).label("total")).group_by(_SCRATCH.c.a, _SCRATCH.c.b, number))
        }
        ways, took = _ways(connection, log)
    except BaseException:
        connection.close()
        raise
    return _Part(held=held, ways=ways, took=took, close=lambda: _close(connection), read=lambda a, b, n: _read(connection, a, b, n))


def _ways(connection: Connection, log: Select[Any]) -> tuple[Counter[str], np.ndarray]:
    """Return how many cases took each way, and the seconds of every case."""
    # Both databases hand an aggregate the rows of an ordered subquery in their order.
    inner = log.subquery()
    steps = select(inner).order_by(inner.c.case_id, inner.c.at, inner.c.ord).subquery()
    whole = select(func.aggregate_strings(steps.c.activity, MARK), func.max(steps.c.at) - func.min(steps.c.at)).group_by(steps.c.case_id)
    ways: Counter[str] = Counter()
    took: list[float] = []
    for part in connection.execute(whole).partitions(50_000):
        ways.update(row[0] for row in part)
        took += [row[1] for row in part]
    return ways, np.array(took, float)


def _close(connection: Connection) -> None:
    connection.rollback()
    # A pooled connection of SQLite keeps its temporary tables.
    _SCRATCH.drop(connection, checkfirst=True)
    connection.commit()
    connection.close()


def _class(seconds: Any) -> Any:
    return case(*((seconds < border, i) for i, border in enumerate(BORDERS)), else_=len(BORDERS))


def _read(connection: Connection, a: str, b: str, number: int) -> list[float]:
    low = BORDERS[number - 1] if number else None
    high = BORDERS[number] if number < len(BORDERS) else None
    c = _SCRATCH.c
    where = [c.a == a, c.b == b, literal(1) == 1 if low is None else c.d >= low,
             literal(1) == 1 if high is None else c.d < high]
    return list(connection.scalars(select(c.d).where(*where)))


def _mined(parts: Sequence[_Part]) -> Mined:
    counts: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    totals: dict[tuple[str, str], float] = defaultdict(float)
    ways: Counter[str] = Counter()
    for part in parts:
        ways.update(part.ways)
        for (a, b, number), (n, total) in part.held.items():
            counts[a, b][number] += n
            totals[a, b] += total
    medians = {key: _median(parts, key, held) for key, held in counts.items()}
    edges = [Edge(a=a, b=b, n=sum(held.values()), mean_s=totals[a, b] / sum(held.values()), median_s=medians[a, b])
             for (a, b), held in counts.items()]
    took = np.concatenate([part.took for part in parts]) if parts else np.array([])
    n = sum(ways.values())
    routes = sorted(((tuple(way.split(MARK)), k) for way, k in ways.items()), key=lambda item: (-item[1], item[0]))
    starts, ends, rework = Counter[str](), Counter[str](), Counter[str]()
    for route, k in routes:
        starts[route[0]] += k
        ends[route[-1]] += k
        rework.update({step: k for step, times in Counter(route).items() if times > 1})
    return Mined(
        cases=n, events=n + sum(e.n for e in edges), edges=tuple(sorted(edges, key=lambda e: (-e.n, e.a, e.b))), variants=tuple(routes),
        starts=dict(starts), ends=dict(ends), rework=dict(rework),
        case_mean_s=float(took.mean()) if n else None, case_median_s=float(np.median(took)) if n else None,
    )


def _median(parts: Sequence[_Part], key: tuple[str, str], held: dict[int, int]) -> float:
    """Return the exact median of durations of which the classes are known."""
    n = sum(held.values())
    ranks = ((n - 1) // 2, n // 2)
    found, below = [], 0
    known: dict[int, np.ndarray] = {}
    for number in sorted(held):
        for rank in ranks:
            if below <= rank < below + held[number]:
                if number not in known:
                    known[number] = np.sort(np.concatenate([np.array(p.read(*key, number), float) for p in parts]))
                found.append(float(known[number][rank - below]))
        below += held[number]
    return sum(found) / len(found)
