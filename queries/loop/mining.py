"""Process mining: who follows whom, how long it takes, which ways cases take. Any log will do.

A log is a SELECT of case_id (whole numbers), activity, at and ord (what breaks a tie): what counts as a step is said
in plain SQL. The database joins each column of a part into one text (it does that three times as fast as it hands
over rows, and outside of Python, so that parts run side by side); the counting is one pass over the steps in the
order of the cases. Medians are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Connection, Integer, Select, Text, cast, func, select

from queries.store import Store

#: Between the steps of a way through the process, and between the values of a joined column.
MARK = "\x1f"
#: Case numbers that are read at once, and parts of a second that a time keeps where it has any.
AT_ONCE, TICKS = 100_000, 1_000_000
#: A case by case range of a log: from the first to the last number, both inside.
Log = Callable[[int, int], Select[Any]]
_COLUMNS = {"case_id": pl.Int64, "activity": pl.Categorical, "at": pl.Int64, "ord": pl.Int64}


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
    pairs: pl.DataFrame
    ways: pl.DataFrame
    took: pl.Series


def mine(store: Store, log: Log, span: tuple[int, int], parts: int = 1, lasting: bool = False) -> Mined:
    """Return what a log tells of the cases numbered from span[0] to span[1]; `parts` are read side by side.

    `lasting` = a step that repeats the one before is the same one: how long something lasted, however often it was said.
    """
    with ThreadPoolExecutor(max(1, parts)) as pool:
        return _mined(list(pool.map(lambda s: _part(_steps(store, log(*s)), lasting), cut(span, AT_ONCE))))


def cut(span: tuple[int, int], width: int) -> list[tuple[int, int]]:
    """Return a span of case numbers in pieces of at most so many."""
    return [(start, min(start + width - 1, span[1])) for start in range(span[0], span[1] + 1, width)]


def without_loops(connection: Connection) -> None:
    """Let PostgreSQL join by hash or by order until the transaction ends.

    It takes what comes out of a window for a handful of rows, and would look all cases through for each of them.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")


def _steps(store: Store, log: Select[Any]) -> pl.DataFrame:
    """Return the steps of a log, case by case in their order; times in ticks."""
    inner = log.subquery()
    told = {name: inner.c[name] for name in _COLUMNS}
    if not isinstance(inner.c.at.type, Integer):
        told["at"] = cast(inner.c.at * TICKS, BigInteger)
    with store.read() as connection:
        without_loops(connection)
        row = connection.execute(select(*(func.aggregate_strings(cast(column, Text), MARK).label(name) for name, column in told.items()))).one()
    ticks = 1 if told["at"] is inner.c.at else TICKS
    columns = {name: pl.Series([text or None], dtype=pl.String).str.split(MARK).explode().drop_nulls().cast(kind)
               for (name, kind), text in zip(_COLUMNS.items(), row, strict=True)}
    return pl.DataFrame(columns).sort("case_id", "at", "ord").with_columns(pl.col("at") / ticks)


def _part(steps: pl.DataFrame, lasting: bool) -> _Part:
    same = pl.col("case_id") == pl.col("case_id").shift()
    if lasting:
        steps = steps.filter(~(same & (pl.col("activity") == pl.col("activity").shift())).fill_null(False))
    pairs = steps.select(
        "case_id", b="activity", a=pl.col("activity").shift(), d=pl.col("at") - pl.col("at").shift(), same=same).filter("same").select("a", "b", "d")
    cases = steps.group_by("case_id").agg(pl.col("activity").cast(pl.String).str.join(MARK).alias("way"), took=pl.col("at").max() - pl.col("at").min())
    return _Part(pairs=pairs, ways=cases.group_by("way").len("n"), took=cases["took"])


def _mined(parts: Sequence[_Part]) -> Mined:
    if not parts:
        return Mined(cases=0, events=0, edges=(), variants=(), starts={}, ends={}, rework={}, case_mean_s=None, case_median_s=None)
    told = pl.concat([part.pairs for part in parts]).group_by("a", "b").agg(n=pl.len(), mean_s=pl.col("d").mean(), median_s=pl.col("d").median())
    edges = [Edge(**row) for row in told.with_columns(pl.col("a", "b").cast(pl.String)).iter_rows(named=True)]
    ways = pl.concat([part.ways for part in parts]).group_by("way").agg(pl.col("n").sum())
    took = pl.concat([part.took for part in parts])
    routes = sorted(((tuple(way.split(MARK)), k) for way, k in ways.iter_rows()), key=lambda item: (-item[1], item[0]))
    starts, ends, rework = Counter[str](), Counter[str](), Counter[str]()
    for route, k in routes:
        starts[route[0]] += k
        ends[route[-1]] += k
        rework.update({step: k for step, times in Counter(route).items() if times > 1})
    n: Any = len(took)
    return Mined(
        cases=n, events=n + sum(e.n for e in edges), edges=tuple(sorted(edges, key=lambda e: (-e.n, e.a, e.b))), variants=tuple(routes),
        starts=dict(starts), ends=dict(ends), rework=dict(rework),
        case_mean_s=took.mean() if n else None, case_median_s=took.median() if n else None,  # type: ignore[arg-type]
    )
