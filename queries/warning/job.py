"""Looks through all streets and kinds of case for unusual counts, and hands what it finds to the statistics rules.

It reads the daily sums and nothing else, so no case is opened and nobody is looked at. A count that comes once in
R days over the whole city is an alarm when R reaches the rule's limits; its evidence goes with it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Connection, func, select

from queries import outlines, places
from queries.alarms.watch import Subject, raise_warnings
from queries.city.sensing import AlarmRule
from queries.clock import day_bucket, local_day, now, stamp
from queries.loop.page import Page
from queries.loop.writer import Hand
from queries.places import Place
from queries.sensing import register
from queries.sensing.tables import alarm_watch
from queries.store import Store
from queries.tables import category, rollup
from queries.warning.tails import BASE, GUARD, LEAST, SUMS, tail

#: Seconds between two looks; the finest level above the grids with no more areas than this is looked through.
EVERY_S, MOST = 900.0, 400
#: Days that are read, and fewer cases than this are no outbreak of anything.
DAYS, FEWEST = BASE + GUARD + max(SUMS), 4
log = structlog.get_logger("warning")


@dataclass(frozen=True, kw_only=True)
class Found:
    """An unusual count: where, of what, up to which day, how unusual. `recurrence` = days between two such, over all that is looked through."""

    place: Place
    category: str
    last: date
    seen: int
    expected: float
    usual: tuple[int, int]  # nineteen of twenty such sums lie between
    days: int
    p: float
    recurrence: float
    dispersion: float
    base: int
    course: tuple[int, ...]  # the last 14 days

    def evidence(self) -> str:
        """Return what must stand beside the warning, as JSON."""
        return json.dumps({"category": self.category, "seen": self.seen, "expected": round(self.expected, 2), "usual": list(self.usual), "days": self.days, "p": self.p,
                           "recurrence_days": round(self.recurrence, 1), "dispersion": round(self.dispersion, 3), "base_days": self.base, "course": list(self.course),
                           "last": self.last.isoformat()})


def look(store: Store, day: date | None = None) -> list[Found]:
    """Return what was reported unusually often up to a day (None = today), the most unusual first."""
    with store.read() as connection:
        held = register.read(connection)
        today = day or local_day(stamp(now()), held.zone)
        last = day_bucket(today)
        where = _areas(connection, today)
        if not where:
            return []
        codes = {r.id: r.code for r in connection.execute(select(category.c.id, category.c.code))}
        first = connection.scalar(select(func.min(rollup.c.bucket)).where(rollup.c.grain == 0, rollup.c.area_id == places.root(connection, today).area_id))
        if first is None or first > last - LEAST - GUARD - max(SUMS) + 1:
            return []
        known = min(DAYS, last - first + 1)
        counts = _counts(connection, [place.area_id for place in where], sorted(codes), last)[:, :, -known:]
    out: list[Found] = []
    # The sums of one series share its false alarms among them, so that a series counts once.
    tested = sum(int((counts[:, k].sum(1) > 0).sum()) for k in range(counts.shape[1]))
    for k, number in enumerate(sorted(codes)):
        told = tail(counts[:, k], today.weekday())
        for i in np.flatnonzero((told.seen >= FEWEST) & (told.p * tested < 0.05)):
            out.append(Found(place=where[i], category=codes[number], last=today, seen=int(told.seen[i]), expected=float(told.expected[i]), days=int(told.days[i]), p=float(told.p[i]),
                             usual=(int(told.low[i]), int(told.high[i])), base=told.base,
                             recurrence=min(1 / (float(told.p[i]) * tested), 99_999.0) if told.p[i] > 0 else 99_999.0, dispersion=told.dispersion,
                             course=tuple(int(n) for n in counts[i, k, -14:])))
    return sorted(out, key=lambda one: -one.recurrence)


def tell(page: Page, found: Sequence[Found], rules: Sequence[AlarmRule]) -> bool:
    """Raise, keep and clear the alarms of the statistics rules; return whether any changed."""
    rows: list[tuple[AlarmRule, Subject, int, float, str]] = []
    for rule in rules:
        told = {f"{one.place.code}:{one.category}": one for one in found}
        for key, one in told.items():
            rows.append((rule, Subject(key, one.place.num, None, "", one.place.lon, one.place.lat), page.seen, one.recurrence, one.evidence()))
        for subject in page.connection.execute(select(alarm_watch.c.subject).where(alarm_watch.c.rule == rule.id)).scalars():
            if subject not in told:
                rows.append((rule, Subject(subject, 0), page.seen, 0.0, ""))
    return raise_warnings(page.connection, rows, page.seen)


class Warner:
    """Looks again and again in a thread of its own. Several processes may; the same finding is one alarm."""

    def __init__(self, store: Store, writer: Hand, every_s: float = EVERY_S) -> None:
        """Begin a while after the server."""
        self._store, self._writer, self._every = store, writer, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(30)

    def _run(self) -> None:
        wait = min(30.0, self._every)
        while not self._ended.wait(wait):
            wait = self._every
            try:
                self.once()
            except Exception as bad:  # noqa: BLE001  (told; the next look tries again)
                log.warning("the look for unusual counts failed", error=type(bad).__name__, exc_info=bad)

    def once(self) -> list[Found]:
        """Look once; return what was found."""
        with self._store.read() as connection:
            rules = [rule for rule in register.read(connection).rules if rule.kind == "statistics"]
        if not rules:
            return []
        found = look(self._store)
        self._writer.run(lambda page: tell(page, found, rules))
        return found


def _areas(connection: Connection, today: Any) -> list[Place]:
    root = places.root(connection, today)
    sizes = outlines.level_sizes(connection, root)
    # A grid has too few cases for its counts to be told from chance; what lies above it has enough.
    fit = [level for level, n in sizes.items() if 1 < n <= MOST and (level < max(sizes) or len(sizes) < 3)]
    return places.below(connection, root, max(fit)) if fit else []


def _counts(connection: Connection, areas: list[int], categories: list[int], last: int) -> np.ndarray:
    """Return cases reported by area, category and day; the last day is today."""
    r = rollup.c
    row, column = {a: i for i, a in enumerate(areas)}, {c: i for i, c in enumerate(categories)}
    out = np.zeros((len(areas), len(categories), DAYS))
    for start in range(0, len(areas), 200):
        told = connection.execute(select(r.area_id, r.category_id, r.bucket, func.sum(r.reported)).where(
            r.area_id.in_(areas[start:start + 200]), r.grain == 0, r.bucket > last - DAYS, r.bucket <= last).group_by(r.area_id, r.category_id, r.bucket))
        for area_id, category_id, bucket, n in told:
            out[row[area_id], column[category_id], bucket - (last - DAYS + 1)] = n
    return out


