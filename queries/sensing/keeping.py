"""What time does to sensors: who fell silent, and readings that are old enough to leave only their sums."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select

from queries.alarms.watch import silence
from queries.clock import day_start, local_day, stamp
from queries.clock import now as present
from queries.loop.page import Page
from queries.sensing import ledger, register
from queries.sensing.register import Register
from queries.sensing.tables import HOUR, MINUTE, reading_sum
from queries.settings import Settings
from queries.tables import latest, reading

#: Seconds of readings that go in one transaction: others write between two of them.
PART_S = 3 * 3600


class Keeper:
    """Ticks with the loop's clock; the counts that it returns are for tests and the log."""

    def __init__(self, settings: Settings) -> None:
        """Keep as the settings say."""
        self._settings = settings
        self._register: Register | None = None
        self._awake: dict[str, int] = {}

    def __call__(self, page: Page) -> dict[str, Any]:
        """Judge silence, and let one part of what is old go."""
        connection = page.connection
        self._register = register.read(connection, self._register)
        return {"silence": silence(connection, self._register, page.seen, self._awake), "gone": self._forget(page)}

    def _forget(self, page: Page) -> int:
        c, held = page.connection, self._register
        assert held
        newest = min(int(c.scalar(select(func.max(latest.c.at))) or 0), stamp(present()))
        if not newest:
            return 0
        ends = {days: day_start(local_day(newest - days * 86_400, held.zone), held.zone) for days in
                (self._settings.readings_days, self._settings.minutes_days, self._settings.hours_days)}
        gone = 0
        if self._settings.readings_days:
            end = ends[self._settings.readings_days]
            first = c.scalar(select(func.min(reading.c.at)))
            if first is not None and first < end:
                # From here on nobody may bring them again: their sums could not know that they have them.
                if ledger.floor(c) < end:
                    ledger.set_floor(c, end)
                gone += c.execute(delete(reading).where(reading.c.at < min(end, first + PART_S))).rowcount
        for grain, days, size in ((MINUTE, self._settings.minutes_days, 60), (HOUR, self._settings.hours_days, 3600)):
            s = reading_sum.c
            first = c.scalar(select(func.min(s.bucket)).where(s.grain == grain)) if days else None
            if first is not None and first * size < ends[days]:
                gone += c.execute(delete(reading_sum).where(s.grain == grain, s.bucket < min(ends[days] // size, first + PART_S // size))).rowcount
        return gone
