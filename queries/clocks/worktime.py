"""The working time of some years as sorted UTC ranges, so that any question is a search and no walk by minutes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from queries.clock import day_start, local_day
from queries.errors import AskError

FIRST, LAST = 1969, 2200
DAY = 86400


@dataclass(frozen=True)
class Table:
    """Whole years: the ranges, the seconds worked before each, and the end of each working day."""

    first: int
    last: int
    #: The moments inside it; the outer years are a margin, so that these have working time on either side.
    since: int
    until: int
    starts: list[int]
    ends: list[int]
    before: list[int]
    closes: list[int]
    total: int

    def run(self, at: int) -> int:
        """Return the working seconds of the table up to a moment."""
        i = bisect_right(self.starts, at) - 1
        return self.before[i] + min(at, self.ends[i]) - self.starts[i] if i >= 0 else 0


class Worktime:
    """The table of a calendar, which grows by years as it is asked. A new one replaces the old at once: safe in threads."""

    def __init__(self, zone: ZoneInfo, hours: tuple[tuple[int, int], ...], is_workday: Callable[[date], bool]) -> None:
        """Begin with an empty table."""
        self._zone, self._hours, self._is_workday = zone, hours, is_workday
        self._table: Table | None = None
        self._years: dict[int, tuple[list[tuple[int, int]], list[int]]] = {}

    def between(self, since: int, until: int) -> int:
        """Return the working seconds between two moments, negative if they are in the other order."""
        table = self._covering(min(since, until), max(since, until))
        return table.run(until) - table.run(since)

    def moved(self, at: int, seconds: int) -> int:
        """Return the earliest moment at which as much was worked as at `at` and `seconds` more (or less)."""
        table = self._covering(at, at)
        while True:
            wanted = table.run(at) + seconds
            if wanted <= 0:
                table = self._wider(table, back=True)
            elif wanted > table.total:
                table = self._wider(table)
            else:
                i = bisect_left(table.before, wanted) - 1
                return table.starts[i] + wanted - table.before[i]

    def closing(self, start: int, days: int) -> int:
        """Return the end of the n-th working day after the one on which a start at `start` falls."""
        table = self._covering(start, start)
        while (i := bisect_right(table.closes, start) + days) >= len(table.closes):
            table = self._wider(table)
        return table.closes[i]

    def is_working(self, at: int) -> bool:
        """Tell whether a moment lies in a range; its end does not."""
        table = self._covering(at, at)
        i = bisect_right(table.starts, at) - 1
        return i >= 0 and at < table.ends[i]

    def next_start(self, at: int) -> int:
        """Return the next beginning of a range after a moment."""
        table = self._covering(at, at)
        while (i := bisect_right(table.starts, at)) == len(table.starts):
            table = self._wider(table)
        return table.starts[i]

    def _covering(self, since: int, until: int) -> Table:
        table = self._table
        if table is not None and table.since <= since and until < table.until:
            return table
        try:
            first, last = local_day(since, self._zone).year - 1, local_day(until, self._zone).year + 1
        except (ValueError, OverflowError, OSError):
            raise beyond() from None
        if first < FIRST or last > LAST:
            raise beyond()
        return self._built(min(first, table.first), max(last, table.last)) if table else self._built(first, last)

    def _wider(self, table: Table, back: bool = False) -> Table:
        first = max(FIRST, 2 * table.first - table.last) if back else table.first
        last = table.last if back else min(LAST, 2 * table.last - table.first)
        if (first, last) == (table.first, table.last):
            raise beyond()
        return self._built(first, last)

    def _built(self, first: int, last: int) -> Table:
        starts: list[int] = []
        ends: list[int] = []
        before: list[int] = []
        closes: list[int] = []
        total = 0
        for year in range(first, last + 1):
            if year not in self._years:
                self._years[year] = self._year(year)
            ranges, closing = self._years[year]
            closes += closing
            for start, end in ranges:
                starts.append(start)
                ends.append(end)
                before.append(total)
                total += end - start
        since, until = (day_start(date(year, 1, 1), self._zone) for year in (first + 1, last))
        self._table = table = Table(first, last, since, until, starts, ends, before, closes, total)
        return table

    def _year(self, year: int) -> tuple[list[tuple[int, int]], list[int]]:
        ranges: list[tuple[int, int]] = []
        closes: list[int] = []
        last = 0
        # A day that is worked to midnight is due with its last second, so that the due lies on that day.
        midnight = self._hours[-1][1] == DAY
        for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
            day = date(year, 1, 1) + timedelta(days=n)
            if not self._is_workday(day):
                continue
            begin = datetime(day.year, day.month, day.day, tzinfo=self._zone)
            for opens, shuts in self._hours:
                start, end = (int((begin + timedelta(seconds=s)).timestamp()) for s in (opens, shuts))
                # An hour that summer time skips must not overlap the range before it.
                start = max(start, last) if ranges else start
                if start < end:
                    ranges.append((start, end))
                    last = end
            closes.append(last - midnight)
        return ranges, closes


def beyond() -> AskError:
    """Return the error for a moment that no calendar reaches."""
    return AskError(f"No deadline can be counted outside the years {FIRST + 1} to {LAST - 1}. Check the date and the limit.")
