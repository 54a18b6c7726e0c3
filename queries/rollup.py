"""Keeps the roll-ups: additive measures by area, day or month, and category.

Each measure falls on a day of its own: reported, still_open and who found it (found = by the grid or a
sensor, called = by a hotline, public = by residents, machine = by a sensor and filed since) on the reported
day; filed on the filed day; closed, rework, handled_* on the closing day; due, due_closed, due_on_time and
the urgent ones among them on the deadline's day (the cohort of those that should close). A case that was closed before it was reported, or without a
known time, counts as closed on its reported day and has no handling time. A cancelled case is closed
(it is open no more) but has neither deadline nor handling time.

`contributions` is the only place where this is decided; loads, rebuilds and answers from the facts
all use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from sqlalchemy import Connection, delete, func, select

from queries.clock import EPOCH
from queries.store import bulk
from queries.tables import KEPT, UPPER, cases, duration, open_now, rollup, total
from queries.touched import MOST, everything, touch

#: What must be known of a case to count it.
COLUMNS = ("node", "category_id", "department_id", "status", "is_open", "rework", "reported_at", "filed_at", "due_at", "closed_at", "urgent", "origin")
SCHEMA = {
    "node": pl.Int64, "category_id": pl.Int64, "department_id": pl.Int64, "status": pl.String, "is_open": pl.Boolean, "rework": pl.Int64,
    "reported_at": pl.Int64, "filed_at": pl.Int64, "due_at": pl.Int64, "closed_at": pl.Int64, "urgent": pl.Boolean, "origin": pl.String,
}
#: Handling times are kept in bins whose ends are 1.12 apart: a percentile is within 6 % of the truth.
BASE = 1.12
SHORTEST = 60
BINS_KEY = ("area_id", "grain", "bucket", "category_id", "bin")
KEY = ("area_id", "grain", "bucket", "category_id", "department_id")
TOTAL_KEY = ("area_id", "grain", "bucket")
OPEN_KEY = ("area_id", "category_id", "department_id", "status")
#: Who found it, where that was our own work and no complaint: the grid, or a sensor or camera.
FOUND = ("grid", "sensor")
#: Stands in a roll-up for "no department is named".
NOBODY = 0
CHUNK = 200_000

AreasOf = Callable[[np.ndarray], np.ndarray]


def bin_hours(number: int) -> float:
    """Return the hours that stand for a bin: its geometric middle."""
    return SHORTEST * BASE ** (number + 0.5) / 3600


def contributions(facts: pl.DataFrame, zone: ZoneInfo) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return what cases add to the measures, the duration bins and the open counts, by node.

    `facts` holds COLUMNS and a `weight` (+1 to add a case, -1 to take back what it added before).
    """
    weight, is_open, cancelled = pl.col("weight"), pl.col("is_open"), pl.col("status") == "cancelled"
    end, due = pl.col("end"), pl.col("due_at")
    facts = facts.with_columns(
        pl.col("department_id").fill_null(NOBODY),
        end=pl.when(~is_open).then(pl.max_horizontal(pl.coalesce("closed_at", "reported_at"), "reported_at"))
    )
    timed = ~is_open & ~cancelled & (pl.col("closed_at") >= pl.col("reported_at"))
    owed = due.is_not_null() & ~cancelled
    took = pl.col("closed_at") - pl.col("reported_at")
    on_time = ~is_open & (pl.col("closed_at") <= due)
    zero = pl.lit(0, pl.Int64)

    def part(moment: str, keep: pl.Expr | None, **measures: pl.Expr) -> pl.DataFrame:
        some = facts.lazy() if keep is None else facts.lazy().filter(keep)
        return (
            some.with_columns(bucket=_day(moment, zone))
            .group_by("node", "category_id", "department_id", "bucket")
            .agg(*((measures[m].cast(pl.Int64) * weight).sum().alias(m) if m in measures
                   else zero.alias(m) for m in KEPT))
            .collect()
        )

    one, urgent, origin = pl.lit(1), pl.col("urgent"), pl.col("origin")
    by_day = pl.concat([
        part("reported_at", None, reported=one, still_open=is_open, found=origin.is_in(FOUND), called=origin == "hotline", public=origin == "public",
             machine=(origin == "sensor") & pl.col("filed_at").is_not_null()),
        part("filed_at", pl.col("filed_at").is_not_null(), filed=one),
        part("end", end.is_not_null(), closed=one, rework=pl.col("rework") > 0, handled_n=timed.fill_null(False),
             handled_s=pl.when(timed).then(took).otherwise(0)),
        part("due_at", owed, due=one, due_closed=~is_open, due_on_time=on_time.fill_null(False),
             urgent_due=urgent, urgent_on_time=urgent & on_time.fill_null(False)),
    ])
    number = ((took.clip(SHORTEST).cast(pl.Float64) / SHORTEST).log() / math.log(BASE) + 1e-9).floor()
    bins = (
        facts.lazy().filter(timed).with_columns(bucket=_day("end", zone), bin=number.cast(pl.Int64))
        # Kept for all categories together (0): by category they would be as many as the cases.
        .group_by("node", "bucket", "bin").agg(n=weight.sum()).with_columns(category_id=zero).collect()
    )
    waiting = (
        facts.lazy().filter(is_open).group_by("node", "category_id", "department_id", "status").agg(n=weight.sum()).collect()
    )
    return by_day, bins, waiting


def _day(name: str, zone: ZoneInfo) -> pl.Expr:
    local = pl.from_epoch(pl.col(name), time_unit="s").dt.replace_time_zone("UTC").dt.convert_time_zone(zone.key)
    return local.dt.date().cast(pl.Int32).cast(pl.Int64)


class Projector:
    """Collects what loads change and writes it to the roll-ups once, at the end.

    The arithmetic runs beside the caller, who is busy with the database; it needs no connection.
    """

    def __init__(self, zone: ZoneInfo, areas_of: AreasOf) -> None:
        """Count in the local days of `zone`, for the areas that `areas_of` names at each node."""
        self._zone = zone
        self._areas_of = areas_of
        self._beside = ThreadPoolExecutor(1, "sums")
        self._added: list[Future[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]] = []

    @property
    def mark(self) -> int:
        """Return where `back` can go back to."""
        return len(self._added)

    def back(self, mark: int) -> None:
        """Forget what was added since the mark."""
        del self._added[mark:]

    def add(self, facts: pl.DataFrame, weight: int = 1) -> None:
        """Count cases, or take back what they counted before (weight -1)."""
        if not len(facts):
            return
        facts = facts.select(pl.col(c).cast(t) for c, t in SCHEMA.items()).with_columns(weight=pl.lit(weight, pl.Int64))
        self._added.append(self._beside.submit(contributions, facts, self._zone))

    def write(self, connection: Connection) -> int:
        """Write what was collected; return the number of roll-up rows touched."""
        if not self._added:
            return 0
        every = [job.result() for job in self._added]
        days, bins, waiting = (pl.concat(parts) for parts in zip(*every, strict=True))
        self._added = []
        marks = days.select("node", "bucket").unique().head(MOST + 1)
        if len(marks) > MOST:
            everything(connection)
        else:
            touch(connection, marks.rows())
        lines = self._lines(pl.concat(frame["node"] for frame in (days, bins, waiting)).unique().sort())
        jobs = [
            (rollup, KEY, KEPT, self._beside.submit(_graded, lines, days, ["category_id", "department_id"], [], list(KEPT), KEY)),
            (total, TOTAL_KEY, KEPT, self._beside.submit(_totals, lines, days)),
            (duration, BINS_KEY, ("n",), self._beside.submit(_graded, lines, bins, ["category_id"], ["bin"], ["n"], BINS_KEY)),
            (open_now, OPEN_KEY, ("n",), self._beside.submit(_spread, lines, waiting, ["category_id", "department_id", "status"], ["n"])),
        ]
        return sum(_put(connection, table, job.result(), key, measures) for table, key, measures, job in jobs)

    def _lines(self, nodes: pl.Series) -> list[pl.DataFrame]:
        """Return, level by level, which area stands over each node."""
        lines = self._areas_of(nodes.to_numpy())
        return [pl.DataFrame({"node": nodes, "area_id": lines[:, level]}).filter(pl.col("area_id") > 0) for level in range(lines.shape[1])]


def _graded(lines: list[pl.DataFrame], frame: pl.DataFrame, by: list[str], more: list[str], measures: list[str], key: tuple[str, ...]) -> pl.DataFrame:
    """Return days of all levels and months of the upper ones."""
    upper, lower = (_spread(some, frame, [*by, "bucket", *more], measures) for some in (lines[:UPPER], lines[UPPER:]))
    return _together([upper, lower], [_months(upper, [*by, *more], measures)], key, measures)


def _totals(lines: list[pl.DataFrame], frame: pl.DataFrame) -> pl.DataFrame:
    """Return, of all categories and departments together, days of the upper levels and months of all."""
    measures = list(KEPT)
    upper, lower = (_spread(some, frame, ["bucket"], measures) for some in (lines[:UPPER], lines[UPPER:]))
    return _together([upper], [_months(some, [], measures) for some in (upper, lower)], TOTAL_KEY, measures)


def _months(days: pl.DataFrame, by: list[str], measures: list[str]) -> pl.DataFrame:
    day = pl.col("bucket").cast(pl.Int32).cast(pl.Date)
    month = (day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1).alias("bucket")
    return _alive(days.with_columns(month).group_by("area_id", "bucket", *by).agg(pl.col(measures).sum()), measures)


def _together(days: list[pl.DataFrame], months: list[pl.DataFrame], key: tuple[str, ...], measures: list[str]) -> pl.DataFrame:
    # In the order of the key: pages are filled one after the other, and two writers cannot dead-lock.
    return pl.concat([part.with_columns(grain=pl.lit(grain)).select(*key, *measures)
                      for grain, parts in enumerate((days, months)) for part in parts]).sort(key)


def _spread(lines: list[pl.DataFrame], frame: pl.DataFrame, by: list[str], measures: list[str]) -> pl.DataFrame:
    """Return the sums of every area on the line of each node, in the order of their key."""
    frame = frame.group_by("node", *by).agg(pl.col(measures).sum())
    if not lines:
        return frame.clear().rename({"node": "area_id"})
    parts = [frame.join(areas, on="node").group_by("area_id", *by).agg(pl.col(measures).sum()) for areas in lines]
    # An area stands on one level, so no two parts speak of the same one.
    return _alive(pl.concat(parts), measures).sort("area_id", *by)


def _alive(frame: pl.DataFrame, measures: list[str]) -> pl.DataFrame:
    return frame.filter(pl.any_horizontal(pl.col(m) != 0 for m in measures))


def _put(connection: Connection, table, frame: pl.DataFrame, key: tuple[str, ...], measures: tuple[str, ...]) -> int:  # type: ignore[no-untyped-def]
    empty = connection.scalar(select(table.c.area_id).limit(1)) is None
    added = ", ".join(f"{m} = {table.name}.{m} + excluded.{m}" for m in measures)
    suffix = "" if empty or not len(frame) else f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}"
    return bulk(connection, table, [*key, *measures], frame, suffix)


def tidy(connection: Connection) -> None:
    """Remove rows that have come to nothing, so that equal states are equal tables."""
    nothing = [rollup.c[m] == 0 for m in KEPT]
    connection.execute(delete(rollup).where(*nothing))
    connection.execute(delete(total).where(*(total.c[m] == 0 for m in KEPT)))
    connection.execute(delete(duration).where(duration.c.n == 0))
    connection.execute(delete(open_now).where(open_now.c.n == 0))


def rebuild(connection: Connection, zone: ZoneInfo, areas_of: AreasOf) -> int:
    """Count all stored cases anew; return how many."""
    everything(connection)
    for table in (rollup, total, duration, open_now):
        connection.execute(delete(table))
    projector = Projector(zone, areas_of)
    last, n = 0, 0
    while True:
        facts = read_facts(connection, last)
        if not len(facts):
            break
        last, n = int(facts["id"][-1]), n + len(facts)
        projector.add(facts)
    projector.write(connection)
    return n


def read_facts(connection: Connection, after: int, limit: int = CHUNK) -> pl.DataFrame:
    """Return stored cases, in the order of their ids, as the projector reads them."""
    statement = (
        select(cases.c.id, *(cases.c[c] for c in COLUMNS))
        .where(cases.c.id > after).order_by(cases.c.id).limit(limit)
    )
    rows = [tuple(row) for row in connection.execute(statement)]
    return pl.DataFrame(rows, schema={"id": pl.Int64, **SCHEMA}, orient="row")


def reported_days(connection: Connection) -> tuple[date, date] | None:
    """Return the first and last local day on which a case was reported; None = no case.

    Each is found from its end of the days, so that it costs the same however long the history is.
    """
    days = select(total.c.bucket).where(total.c.grain == 0, total.c.reported > 0, total.c.area_id == _root()).limit(1)
    first = connection.scalar(days.order_by(total.c.bucket))
    last = connection.scalar(days.order_by(total.c.bucket.desc()))
    return None if first is None or last is None else (EPOCH + timedelta(days=first), EPOCH + timedelta(days=last))


def _root():  # type: ignore[no-untyped-def]
    from queries.tables import area

    return select(func.min(area.c.id)).where(area.c.level == 0).scalar_subquery()
