"""The only clock: now, and the city's local days. Everything stored is UTC seconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)


def now() -> datetime:
    """Return the present moment, aware, UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> int:
    """Return UTC seconds since 1970 of an aware moment."""
    return int(moment.timestamp())


def moment(seconds: int) -> datetime:
    """Return the aware UTC moment of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def local_day(seconds: int, zone: ZoneInfo) -> date:
    """Return the city's calendar day in which a moment falls."""
    return datetime.fromtimestamp(seconds, zone).date()


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the UTC second at which a local day begins."""
    return stamp(datetime.combine(day, time.min, zone))


def day_end(day: date, zone: ZoneInfo) -> int:
    """Return the UTC second at which a local day is over (the next day's start)."""
    return day_start(day + timedelta(days=1), zone)


def day_bucket(day: date) -> int:
    """Return the roll-up bucket of a day: days since 1970-01-01."""
    return (day - EPOCH).days


def month_bucket(day: date) -> int:
    """Return the roll-up bucket of a day's month: year * 12 + month - 1."""
    return day.year * 12 + day.month - 1
