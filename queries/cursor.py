"""The one time cursor: what a text says about a moment of the past, and whether anything is known of it.

A moment is written in the city's own time: `2026-11-20T14:30`, with seconds where they matter. A drill (演练) is
written `2026-11-20T14:00~1795500000x60`: the moment at which it begins, the UTC second at which it was begun, and
how many times faster than a clock it goes. So every screen that opens the same address shows the same moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from queries.answers import remembered
from queries.clock import moment, now, stamp
from queries.errors import AskError
from queries.tables import cases

_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_DRILL = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)~(\d{9,11})x(\d{1,4})")
#: Real seconds between two steps of a drill: all screens take them at once, so that they agree.
TICK_S = 2
FASTEST = 3600


@dataclass(frozen=True, kw_only=True)
class Drill:
    """A recorded day that is replayed as if live. `start` is local; `began` is the UTC second of its beginning."""

    start: datetime
    began: int
    speed: int


def local(text: str) -> datetime | None:
    """Return the local moment that a text names, without its zone; None when it names none."""
    if not _LOCAL.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def drill(text: str) -> Drill | None:
    """Return the drill that a text names; None when it names none."""
    told = _DRILL.fullmatch(text)
    start = local(told[1]) if told else None
    if told is None or start is None or not 1 <= int(told[3]) <= FASTEST:
        return None
    return Drill(start=start, began=int(told[2]), speed=int(told[3]))


def in_zone(at: datetime, zone: ZoneInfo) -> datetime:
    """Return a local moment in its zone. One that clocks skip is an hour later; of one that comes twice it is the first."""
    try:
        return at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    except OverflowError:  # the first and the last day that a calendar knows; neither is one of a city's
        return at.replace(tzinfo=zone)


def of_drill(held: Drill, zone: ZoneInfo, present: int | None = None) -> tuple[datetime, bool]:
    """Return the moment that a drill has come to, and whether its day is over."""
    passed = max(0, (stamp(now()) if present is None else present) - held.began) // TICK_S * TICK_S
    start = in_zone(held.start, zone)
    end = in_zone(datetime.combine(held.start.date() + timedelta(days=1), time.min), zone) - timedelta(seconds=1)
    at = moment(min(stamp(start) + passed * held.speed, stamp(end))).astimezone(zone)
    return at, at >= end


def checked(connection: Connection, at: datetime) -> datetime:
    """Return a moment of which something is known. Raises AskError for one that is to come, or lies before the first case."""
    if at > now():
        raise AskError(f"{at:%Y-%m-%d %H:%M} has not come yet ({at.tzinfo}). Choose a moment of the past, or go back to live.",
                       zh=f"{at:%Y-%m-%d %H:%M} 尚未到来，请选择过去的时刻，或返回实时。", field="at")
    first = remembered(connection, ("known", "first"), lambda: connection.scalar(select(func.min(cases.c.reported_at))), ageless=True)
    if first is None or stamp(at) < first:
        begins = "" if first is None else f"{moment(first).astimezone(at.tzinfo):%Y-%m-%d %H:%M}"
        raise AskError(f"Nothing is known of {at:%Y-%m-%d %H:%M}: " + (f"the records begin at {begins}. Choose a later moment." if begins else "no case is on record."),
                       zh=f"没有 {at:%Y-%m-%d %H:%M} 的记录" + (f"：记录始于 {begins}，请选择更晚的时刻。" if begins else "：尚无任何案件。"), field="at")
    return at
