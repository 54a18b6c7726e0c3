"""Keeps the roll-ups while single cases change: what a case counted before is taken back, what it counts now is added.

The same sums as queries/rollup.py makes for whole loads, one case at a time and without a frame; a
property test holds the two together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Table

from queries.clock import day_bucket, month_bucket
from queries.loop.course import Course
from queries.loop.evaluation import CALL_BACKS
from queries.loop.tables import tally
from queries.rollup import BASE, BINS_KEY, FOUND, KEY, NOBODY, OPEN_KEY, SHORTEST, TOTAL_KEY
from queries.store import bulk
from queries.tables import KEPT, UPPER, duration, open_now, rollup, total
from queries.touched import touch

TALLY_KEY = ("area_id", "grain", "bucket", "measure", "category_id", "department_id")
DAY, MONTH = 0, 1
_AT = {name: i for i, name in enumerate(KEPT)}
Line = Sequence[int]


class Deltas:
    """What some changes add to the roll-ups; `write` brings it to the database once."""

    def __init__(self, zone: ZoneInfo, line_of: Callable[[int], Line], shift_s: int = 0) -> None:
        """Count in the local days of `zone`, call-backs in days that begin `shift_s` seconds before midnight.

        `line_of` gives the area ids from the city down at a node.
        """
        self._zone, self._line_of, self._shift = zone, line_of, shift_s
        self._sums: dict[tuple[int, ...], list[int]] = defaultdict(lambda: [0] * len(KEPT))
        self._bins: dict[tuple[int, ...], int] = defaultdict(int)
        self._open: dict[tuple[Any, ...], int] = defaultdict(int)
        # By node: it is spread over the areas on the node's line only once, when it is written.
        self._told: dict[tuple[Any, ...], int] = defaultdict(int)
        #: Days whose sums change, by node.
        self._touched: set[tuple[int, int]] = set()
        self._lines: dict[int, Line] = {}
        self._upper: set[int] = set()

    def move(self, before: Course | None, now: Course | None) -> None:
        """Count a case that went from one course to another; None = it was not there, or is not any more."""
        if before is not None and now is not None and _home(before) == _home(now):
            # Most steps change little; what stays the same is not taken back and added again.
            old, new = set(_flat(before)), set(_flat(now))
            self._add(now, old - new, -1)
            self._add(now, new - old, 1)
            if (before.reported_at, before.closed_at, before.status) != (now.reported_at, now.closed_at, now.status):
                self._add_rest(before, -1)
                self._add_rest(now, 1)
            return
        for course, sign in ((before, -1), (now, 1)):
            if course is not None:
                self._add(course, _flat(course), sign)
                self._add_rest(course, sign)

    def tell(self, course: Course, at: int, measure: str, n: int = 1, department_id: int | None = None) -> None:
        """Count something that happened at a moment to a case."""
        day, month = buckets(at, self._zone, self._shift if measure in CALL_BACKS else 0)
        own = course.department_id if department_id is None else department_id
        self._told[course.node, day, month, measure, course.category_id, own or NOBODY] += n
        self._touched.add((course.node, day))

    def write(self, connection: Connection) -> int:
        """Write what was counted, in the order of the keys, so that two writers cannot dead-lock; return how many rows."""
        # Which months are kept of which levels: see queries/tables.py, UPPER.
        apart = ((k, v) for k, v in sorted(self._sums.items()) if any(v) and (k[0] in self._upper or k[1] == DAY))
        n = _put(connection, rollup, KEY, KEPT, apart)
        n += _put(connection, total, TOTAL_KEY, KEPT, ((k, v) for k, v in sorted(self._totals().items()) if any(v)))
        for table, key, held in ((duration, BINS_KEY, self._bins), (open_now, OPEN_KEY, self._open), (tally, TALLY_KEY, self._tallies())):
            n += _put(connection, table, key, ("n",), ((k, (v,)) for k, v in sorted(held.items()) if v))  # type: ignore[attr-defined]
        touch(connection, self._touched)
        self.__init__(self._zone, self._line_of, self._shift)  # type: ignore[misc]
        return n

    def _totals(self) -> dict[tuple[int, ...], list[int]]:
        sums: dict[tuple[int, ...], list[int]] = {}
        for (area_id, grain, bucket, *_), values in self._sums.items():
            if area_id in self._upper or grain == MONTH:
                held = sums.setdefault((area_id, grain, bucket), [0] * len(KEPT))
                for i, n in enumerate(values):
                    held[i] += n
        return sums

    def _tallies(self) -> dict[tuple[Any, ...], int]:
        sums: dict[tuple[Any, ...], int] = defaultdict(int)
        for (node, day, month, *rest), n in self._told.items():
            for area_id in self._line(node):
                sums[area_id, DAY, day, *rest] += n
                sums[area_id, MONTH, month, *rest] += n
        return sums

    def _line(self, node: int) -> Line:
        line = self._lines.get(node)
        if line is None:
            whole = [int(area_id) for area_id in self._line_of(node)]
            self._upper.update(area_id for area_id in whole[:UPPER] if area_id > 0)
            line = self._lines[node] = tuple(area_id for area_id in whole if area_id > 0)
        return line

    def _add(self, c: Course, told: Iterable[tuple[int, str, int]], sign: int) -> None:
        line, key = self._line(c.node), (c.category_id, c.department_id or NOBODY)
        for at, name, n in told:
            if n:
                which, n = _AT[name], n * sign
                days = buckets(at, self._zone)
                self._touched.add((c.node, days[0]))
                for bucket in zip((DAY, MONTH), days, strict=True):
                    for area_id in line:
                        self._sums[area_id, *bucket, *key][which] += n

    def _add_rest(self, c: Course, sign: int) -> None:
        line = self._line(c.node)
        took = handled(c)
        if took is not None:
            number = bin_of(took)
            day, month = buckets(c.closed_at or 0, self._zone)
            for area_id in line:
                self._bins[area_id, DAY, day, 0, number] += sign
                if area_id in self._upper:
                    self._bins[area_id, MONTH, month, 0, number] += sign
        if c.is_open:
            key = (c.category_id, c.department_id or NOBODY, c.status)
            for area_id in line:
                self._open[area_id, *key] += sign


def _home(c: Course) -> tuple[int, int, int | None]:
    return c.node, c.category_id, c.department_id


def _flat(c: Course) -> list[tuple[int, str, int]]:
    return [(at, name, n) for at, told in counted(c) for name, n in told]


def counted(c: Course) -> list[tuple[int, list[tuple[str, int]]]]:
    """Return what a case adds to the measures, each at its own moment. See queries/rollup.py for the definitions."""
    over, cancelled = not c.is_open, c.status == "cancelled"
    out = [(c.reported_at, [("reported", 1), ("still_open", int(not over)), ("found", int(c.origin in FOUND)), ("called", int(c.origin == "hotline")),
                            ("public", int(c.origin == "public")), ("machine", int(c.origin == "sensor" and c.filed_at is not None))])]
    if c.filed_at is not None:
        out.append((c.filed_at, [("filed", 1)]))
    if over:
        took = handled(c)
        end = max(c.reported_at if c.closed_at is None else c.closed_at, c.reported_at)
        out.append((end, [("closed", 1), ("rework", int(c.rework > 0)), ("handled_n", int(took is not None)), ("handled_s", took or 0)]))
    if c.due_at is not None and not cancelled:
        on_time = over and c.closed_at is not None and c.closed_at <= c.due_at
        out.append((c.due_at, [("due", 1), ("due_closed", int(over)), ("due_on_time", int(on_time)),
                               ("urgent_due", int(c.urgent)), ("urgent_on_time", int(c.urgent and on_time))]))
    return out


def handled(c: Course) -> int | None:
    """Return the seconds that a case took from report to end; None where that is not known."""
    if c.is_open or c.status == "cancelled" or c.closed_at is None or c.closed_at < c.reported_at:
        return None
    return c.closed_at - c.reported_at


def bin_of(seconds: int) -> int:
    """Return the number of a handling time's bin, as queries/rollup.py does for whole loads."""
    return math.floor(math.log(float(max(seconds, SHORTEST)) / SHORTEST) / math.log(BASE) + 1e-9)


def buckets(at: int, zone: ZoneInfo, shift_s: int = 0) -> tuple[int, int]:
    """Return the local day and month of a moment. No zone's day begins inside a quarter of an hour.

    `shift_s` = the day begins so long before midnight by the local clock (an evaluation day from noon).
    """
    return _buckets(at // 900, zone, shift_s)


@lru_cache(maxsize=65536)
def _buckets(quarter: int, zone: ZoneInfo, shift_s: int) -> tuple[int, int]:
    local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).replace(tzinfo=None)
    day = (local + timedelta(seconds=shift_s)).date()
    return day_bucket(day), month_bucket(day)


def _put(connection: Connection, table: Table, key: Sequence[str], measures: Sequence[str],
         rows: Iterator[tuple[tuple[Any, ...], Sequence[int]]]) -> int:
    added = ", ".join(f"{m} = {table.name}.{m} + excluded.{m}" for m in measures)
    flat = ((*(int(v) if isinstance(v, np.integer) else v for v in k), *values) for k, values in rows)
    return bulk(connection, table, [*key, *measures], flat, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}")
