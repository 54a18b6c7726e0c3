"""The working time of a city and the four clocks of a limit: pure arithmetic on UTC seconds.

The days off of mainland China (with swapped workdays, 调休) come from the `chinesecalendar` library, the
city's own lists stand above it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar

from queries.clock import day_end, local_day
from queries.clocks.worktime import Worktime, beyond
from queries.errors import AskError

CLOCKS = ("urgent_hour", "work_hour", "work_day", "natural_day")
DAY_CLOCKS = ("work_day", "natural_day")
LIBRARIES = ("china", "")
#: The greatest amount of a limit.
MOST = 10_000
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = ("09:00-12:00", "13:30-17:30")
#: Zones in which "china" is the library of a city that names none.
_CHINA = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar", "PRC"})
_LIBRARY_YEARS = range(min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year + 1)
_WORKING = ("work_hour", "work_day")
_RANGE = re.compile(r"(\d{1,2}):(\d\d)\s*[-–—~]\s*(\d{1,2}):(\d\d)")

Pairs = tuple[tuple[int, int], ...]


def read_hours(texts: Iterable[str]) -> Pairs:
    """Return working hours ("09:00-12:00") as seconds of the day. Raises ValueError."""
    pairs: list[tuple[int, int]] = []
    for text in texts:
        found = _RANGE.fullmatch(unicodedata.normalize("NFKC", text).strip())
        numbers = [int(part) for part in found.groups()] if found else []
        if not numbers or numbers[1] > 59 or numbers[3] > 59:
            raise ValueError(f"{text!r} is no range of hours. Write it as \"09:00-12:00\".")
        start, end = (numbers[0] * 60 + numbers[1]) * 60, (numbers[2] * 60 + numbers[3]) * 60
        if not start < end <= 86400:
            raise ValueError(f"{text!r} does not end after it begins on the same day. Write a night shift as two: to 24:00 and from 00:00.")
        if pairs and start < pairs[-1][1]:
            raise ValueError(f"{text!r} begins before the range ahead of it ends. Write the ranges in order.")
        pairs.append((start, end))
    if not pairs:
        raise ValueError("there must be at least one range of hours such as \"09:00-12:00\".")
    return tuple(pairs)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When a city works. Two calendars with the same settings are equal."""

    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    #: Seconds of the local day, in order.
    hours: Pairs = read_hours(HOURS)
    library: str = "china"
    #: Days of the week without work, Monday = 0.
    weekend: frozenset[int] = frozenset({5, 6})
    #: The city's own days; they stand above the library.
    workdays: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    #: Years whose days off the city's own lists name in full, also where the library ends.
    years: frozenset[int] = frozenset()
    _worktime: Worktime = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Give the calendar its table, which fills as it is asked."""
        object.__setattr__(self, "_worktime", Worktime(self.zone, self.hours, self.is_workday))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Calendar:
        """Return the calendar of stored settings: `timezone` and the keys of [calendar]; absent ones have defaults."""
        name = settings.get("timezone", "Asia/Shanghai")
        library = settings.get("library")
        days = {key: frozenset(date.fromisoformat(day) for day in settings.get(key, ())) for key in ("workdays", "holidays")}
        return cls(
            zone=ZoneInfo(name), library=("china" if name in _CHINA else "") if library is None else library,
            hours=read_hours(settings.get("hours", HOURS)), years=frozenset(settings.get("years", ())),
            weekend=frozenset(WEEK.index(word) for word in settings.get("weekend", ("sat", "sun"))), **days,
        )

    def deadline(self, start: int, amount: float, clock: str) -> int:
        """Return the UTC second at which `amount` of a clock that starts at `start` is used up.

        The day on which a day clock starts is not counted (Civil Code, article 201). With the default
        hours 09:00-12:00 and 13:30-17:30, in Asia/Shanghai:

        - `urgent_hour` runs through nights and days off.
          Friday 17:00 + 2 = Friday 19:00.
        - `work_hour` runs inside working hours only, and stops at the moment at which the last second is
          used: Friday 17:00 + 2 = Monday 10:30; Friday 16:30 + 1 = Friday 17:30, not Monday 09:00.
        - `work_day` ends with the working hours of the n-th working day after the one on which it
          starts. A case that comes after hours or on a day off starts on the next working day, one that
          comes before hours or at noon on that day: Friday 17:00 + 1 = Monday 17:30;
          Friday 18:00 + 1 starts on Monday = Tuesday 17:30; Friday 07:00 + 1 = Monday 17:30.
        - `natural_day` ends with the last second of the n-th calendar day after the one on which it
          starts, whether that is a day off or not: Friday 17:00 + 1 = Saturday 23:59:59.

        Hours may be fractions, days may not. Raises AskError.
        """
        if not 0 <= amount <= MOST or (clock in DAY_CLOCKS and amount != int(amount)):
            raise AskError(f"{amount} is no amount of {clock}. Give a number from 0 to {MOST}, for days a whole one.")
        if clock == "work_day":
            return self._worktime.closing(start, int(amount))
        if clock == "natural_day":
            try:
                return day_end(local_day(start, self.zone) + timedelta(days=int(amount)), self.zone) - 1
            except (ValueError, OverflowError, OSError):
                raise beyond() from None
        return max(start, self.resume(start, amount * 3600, clock))

    def spent(self, start: int, end: int, clock: str, pauses: Sequence[tuple[int, int]] = ()) -> float:
        """Return the seconds of a clock that passed between two moments, without the pauses (which may overlap).

        A second of `work_hour` and `work_day` is a second of working time, one of the others any second.
        """
        used = self._run(start, end, clock) if end > start else 0
        for since, until in _merged(pauses, start, end):
            used -= self._run(since, until, clock)
        return float(used)

    def left(self, now: int, due: int, clock: str) -> float:
        """Return the seconds of a clock until `due`; negative when it is over."""
        return float(self._run(now, due, clock))

    def resume(self, now: int, left_s: float, clock: str) -> int:
        """Return the deadline of who has `left_s` seconds of a clock from now on: a suspended case gets its rest back.

        `resume(t, left(t, due, clock), clock) == due` for every due that the clock can give. On the working
        clocks a due outside working time (20:00, say) comes back as the end of the hours before it.
        """
        if clock in _WORKING:
            return self._worktime.moved(now, round(left_s))
        _known(clock)
        return now + round(left_s)

    def is_working(self, at: int) -> bool:
        """Tell whether a moment lies in working time; the last moment of a range does not."""
        return self._worktime.is_working(at)

    def next_working(self, at: int) -> int:
        """Return the moment itself if it lies in working time, else the next at which work begins."""
        return at if self._worktime.is_working(at) else self._worktime.next_start(at)

    def is_workday(self, day: date) -> bool:
        """Tell whether a local day is a working day: the city's word, then the library's, then the week's."""
        if day in self.workdays or day in self.holidays:
            return day in self.workdays
        if self.library == "china" and day.year in _LIBRARY_YEARS:
            if day in chinese_calendar.workdays:
                return True
            if day in chinese_calendar.holidays:
                return False
        return day.weekday() not in self.weekend

    @property
    def known_until(self) -> int | None:
        """Return the last year whose days off are known without a gap; None = no library, so no end."""
        if self.library != "china":
            return None
        year = _LIBRARY_YEARS[-1]
        while year + 1 in self.years:
            year += 1
        return year

    def is_sure(self, start: int, due: int, clock: str) -> bool:
        """Tell whether the days off of all years between two moments are known, if the clock asks for them.

        Beyond the library's last year (and before its first) a deadline is counted by the week and the
        city's own lists, and is not sure.
        """
        if self.library != "china" or clock not in _WORKING:
            return True
        years = range(local_day(start, self.zone).year, local_day(due, self.zone).year + 1)
        return all(year in _LIBRARY_YEARS or year in self.years for year in years)

    def _run(self, since: int, until: int, clock: str) -> int:
        if clock in _WORKING:
            return self._worktime.between(since, until)
        _known(clock)
        return until - since


def _known(clock: str) -> None:
    if clock not in CLOCKS:
        raise AskError(f"{clock!r} is no clock. There are {', '.join(CLOCKS)}.")


def _merged(pauses: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the pauses inside two moments, without overlap."""
    reached = start
    for since, until in sorted(pauses):
        since, until = max(since, reached), min(until, end)
        if since < until:
            yield since, until
            reached = until
