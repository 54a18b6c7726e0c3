"""Case mix: how hard each category is, so that an area gains nothing by taking what is easy, and loses nothing by what is hard.

Indirect standardisation, of what went wrong. With the whole city's share q(c) of cases of category c that are late (or not closed)
in the days of reference, each case counts as w(c) = q(c) ÷ b cases, in tenths, from a half to two:

    cases(a) = sum over c of w(c) × due(a, c)         value(a) = 1 − late(a) ÷ cases(a)

An area that is late as often as the city in each category has the city's value, whatever its mix; one that is never late has 1.
b is such that the city's own cases of the days of reference count as many as they are. The weights are those of the calendar year
before, so that they stand still; in the first year of a city's records, of its first 90 days. They are kept from moving with a
single case by the tenths. How urgent a case is, is not adjusted for: a category's urgent cases are too few to learn from.

The same days say which calls are of a kind that patrols and sensors find too: those of categories of which they found
LEAST_FOUND at least. Noise at night is never found before the complaint, and must not count as missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection, select

from queries import places
from queries.answers import remembered
from queries.clock import local_day, now, stamp
from queries.index._dimension import Indicator
from queries.kpi import known_days
from queries.periods import pieces
from queries.summing import sums_of
from queries.tables import category
from queries.today import city_now

#: Days of reference in the first year of a city's records.
FIRST_DAYS = 90
#: A category of which fewer late (or open) cases are to be expected in the days of reference counts as it is: what is learned of it is chance.
LEAST_WRONG = 20
#: Of a category that patrols and sensors can find they found so many at least.
LEAST_FOUND = 20
LOW, HIGH = 0.5, 2.0
TENTHS = 10
Weights = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Mix:
    """The days of reference, for each adjusted indicator the categories that do not count as they are ({id: {code: w}}), and those that patrols find too."""

    since: date | None
    until: date | None
    weights: Mapping[str, Weights]
    alike: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return what tells it from another."""
        parts = [f"{id_}:{','.join(f'{code}*{w:g}' for code, w in sorted(of.items()))}" for id_, of in sorted(self.weights.items()) if of]
        return ";".join([*parts, ",".join(self.alike)])


NONE = Mix(since=None, until=None, weights={})


def reference(first: date, since: date, last: date) -> tuple[date, date]:
    """Return the days of reference of a period that begins at `since`, of a record that begins at `first`; none lies after `last`."""
    year = since.year - 1
    if first <= date(year, 1, 1):
        return date(year, 1, 1), date(year, 12, 31)
    return first, min(first + timedelta(days=FIRST_DAYS - 1), last)


def mix_of(connection: Connection, since: date, indicators: Iterable[Indicator]) -> Mix:
    """Return how hard the categories are for a period that begins at `since`."""
    every = tuple(one for one in indicators if one.mix or one.alike)
    return remembered(connection, ("index_mix", since.year, tuple(one.id for one in every)), lambda: _made(connection, since, every)) if every else NONE


def _made(connection: Connection, since: date, every: tuple[Indicator, ...]) -> Mix:
    known = known_days(connection)
    if known is None:
        return NONE
    yesterday = local_day(stamp(now()), city_now(connection).zone) - timedelta(days=1)
    first, last = reference(known[0], since, min(known[1], yesterday))
    names = dict(connection.execute(select(category.c.id, category.c.code)).all())
    mixed = [one for one in every if one.mix]
    columns = tuple(sorted({"found"} | {name.partition("@")[0].removeprefix("cases.") for one in mixed for name in (*one.top, *one.under)}))
    held: dict[str, dict[str, int]] = {}
    root = places.root(connection, last if first <= last else known[1]).area_id
    for number, *values in sums_of(connection, ("category_id",), columns, [root], pieces(first, last)):
        if number in names:
            of = held.setdefault(names[number], dict.fromkeys(columns, 0))
            for column, n in zip(columns, values, strict=True):
                of[column] += int(n)
    return Mix(since=first, until=last, weights={one.id: weights(_counted(one, held)) for one in mixed},
               alike=tuple(sorted(code for code, of in held.items() if of["found"] >= LEAST_FOUND)))


def _counted(one: Indicator, held: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[int, int]]:
    """Return {category: (went wrong, due)} of an indicator."""
    good, _, codes = one.top[0].removeprefix("cases.").partition("@")
    due = one.under[0].removeprefix("cases.").partition("@")[0]
    mine = codes.split(",") if codes else list(held)
    return {c: (max(held[c][due] - held[c][good], 0), held[c][due]) for c in mine if c in held and held[c][due] > 0}


def weights(counted: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """Return as how many cases one of each category counts, from {category: (went wrong, due)}; those that count as one are left out."""
    overall = sum(bad for bad, _ in counted.values()) / max(sum(n for _, n in counted.values()), 1)
    told = {c: pair for c, pair in counted.items() if pair[1] * overall >= LEAST_WRONG}
    if len(told) < 2 or not any(bad for bad, _ in told.values()):
        return {}
    codes = sorted(told)
    bad, due = (np.array([told[c][k] for c in codes], float) for k in (0, 1))
    share, low, high = bad / due, 1e-9, 2 / LOW
    for _ in range(60):  # the more b, the fewer they count as
        b = (low + high) / 2
        low, high = (b, high) if np.clip(share / b, LOW, HIGH) @ due > due.sum() else (low, b)
    tenths = np.round(np.clip(share / high, LOW, HIGH) * TENTHS) / TENTHS
    return {c: float(w) for c, w in zip(codes, tenths, strict=True) if w != 1.0}


def adjusted(one: Indicator, of: Weights, alike: tuple[str, ...] = ()) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return top, under and minus of an indicator as they are counted: with the weights of categories (cases weighed, less those that went
    wrong, over cases weighed), or with the calls of some categories only."""
    if one.alike and alike:
        return one.top, tuple(f"{name}@{','.join(alike)}" if name == "cases.called" else name for name in one.under), one.minus
    if not of:
        return one.top, one.under, one.minus
    due, good = one.under[0], one.top[0]
    column = due.partition("@")[0]
    by: dict[float, list[str]] = {}
    for code, w in sorted(of.items()):
        by.setdefault(w, []).append(code)
    more = tuple(f"{round((w - 1) * TENTHS) / TENTHS:g}*{column}@{','.join(codes)}" for w, codes in sorted(by.items()))
    return (good, *more), (due, *more), one.minus
