"""Periods: taken apart into whole months and single days, and the periods to compare with."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from queries.clock import EPOCH, day_bucket, month_bucket

DAY, MONTH = 0, 1
ONE = timedelta(days=1)
#: There is no day before 1 January 1.
FIRST_MONTH = 12


@dataclass(frozen=True, kw_only=True)
class Period:
    """Local days, both inside."""

    since: date
    until: date


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Buckets of one grain, both inside; with sign -1 they are taken away from the others."""

    grain: int
    lo: int
    hi: int
    sign: int = 1


def pieces(since: date, until: date) -> list[Piece]:
    """Return the fewest buckets that make up a period: its edge days and the whole months between."""
    if since > until:
        return []
    first = since if since.day == 1 else next_month(since)
    after = until + ONE
    end = after.replace(day=1)
    if first >= end:
        return [Piece(grain=DAY, lo=day_bucket(since), hi=day_bucket(until))]
    out = []
    if since < first:
        out.append(Piece(grain=DAY, lo=day_bucket(since), hi=day_bucket(first - ONE)))
    out.append(Piece(grain=MONTH, lo=month_bucket(first), hi=month_bucket(end - ONE)))
    if end < after:
        out.append(Piece(grain=DAY, lo=day_bucket(end), hi=day_bucket(until)))
    return out


def upto(until: date) -> list[Piece]:
    """Return the buckets from the beginning of all records to a day."""
    after = until + ONE
    start = after.replace(day=1)
    out = [Piece(grain=MONTH, lo=0, hi=month_bucket(start) - 1)]
    if start < after:
        out.append(Piece(grain=DAY, lo=day_bucket(start), hi=day_bucket(until)))
    return out


def shortest(wanted: Iterable[Piece]) -> list[Piece]:
    """Return the same time with few days in it: most days of a month are the month without the others."""
    out = []
    for one in wanted:
        if one.grain == MONTH:
            out.append(one)
            continue
        lo = one.lo
        while lo <= one.hi:
            day = EPOCH + timedelta(days=lo)
            month, start, end = month_bucket(day), day_bucket(day.replace(day=1)), day_bucket(next_month(day)) - 1
            hi = min(one.hi, end)
            if 2 * (hi - lo + 1) <= end - start + 1:
                out.append(replace(one, lo=lo, hi=hi))
            else:
                out.append(Piece(grain=MONTH, lo=month, hi=month, sign=one.sign))
                out += [Piece(grain=DAY, lo=a, hi=b, sign=-one.sign) for a, b in ((start, lo - 1), (hi + 1, end)) if a <= b]
            lo = hi + 1
    return out


def by_days(wanted: Iterable[Piece]) -> list[Piece]:
    """Return the same time in days only."""
    return [one if one.grain == DAY else
            Piece(grain=DAY, lo=day_bucket(month_start(max(one.lo, FIRST_MONTH))), hi=day_bucket(month_start(one.hi + 1) - ONE))
            for one in wanted]


def previous(since: date, until: date) -> Period:
    """Return the period just before (环比): whole months before whole months, else as many days."""
    if since.day == 1 and (until + ONE).day == 1:
        months = month_bucket(until) - month_bucket(since) + 1
        return Period(since=_back(since, months), until=since - ONE)
    days = until - since
    return Period(since=since - ONE - days, until=since - ONE)


def last_year(since: date, until: date) -> Period:
    """Return the same days a year before (同比); 29 February becomes the 28th."""
    end = _year_before(until)
    if (until + ONE).day == 1:  # to the end of a month, however long it was then
        end = end.replace(day=calendar.monthrange(end.year, end.month)[1])
    return Period(since=_year_before(since), until=end)


def next_month(day: date) -> date:
    """Return the first day of the following month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_start(bucket: int) -> date:
    """Return the first day of a month bucket."""
    return date(bucket // 12, bucket % 12 + 1, 1)


def _back(day: date, months: int) -> date:
    return month_start(month_bucket(day) - months)


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
