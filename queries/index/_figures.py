"""Imported figures of departments: which of them count for some days, and their sums up the tree.

A figure counts where its own days lie inside those asked about. Where none does, the last one that ended before stands in,
for at most twice as long as it speaks of (a month: two months); older ones are stale and count for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from queries.area_values import Standing
from queries.clock import day_bucket
from queries.frame import Ask
from queries.index._age import HOLDS, holds
from queries.index._tables import index_figure
from queries.intervals import chunks
from queries.tables import area, node

#: No figure speaks of more days.
LONGEST = 366
#: The sum of an area's parts is told when at least this share of them told.
PARTS = 0.6


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """Numerators, denominators and ages (days) of imported indicators, areas × ids; NaN = none. `stale`: there is one, too old."""

    top: np.ndarray
    under: np.ndarray
    age: np.ndarray
    stale: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Picked:
    """What an area's own figures of one indicator come to; `sums`: they may be added to others'."""

    top: float
    under: float
    age: int
    stale: bool
    sums: bool


def pick(figures: Iterable[Any], since: int, until: int) -> Picked | None:
    """Return what figures (rows with first, last, numerator, denominator, value, weight) say of the days since to until."""
    every = list(figures)
    whole = [f for f in every if f.first >= since and f.last <= until]
    if whole:
        chosen = _apart(whole)
    else:
        before = [f for f in every if f.last <= until]
        around = [f for f in every if f.first <= since and f.last >= until]
        if not before and not around:
            return None
        chosen = [max(before, key=lambda f: (f.last, f.first))] if before else [max(around, key=lambda f: f.first)]
    newest = max(chosen, key=lambda f: f.last)
    age = max(until - newest.last, 0)
    pairs = [_pair(f) for f in chosen]
    sums = all(s for *_, s in pairs)
    top, under = (sum(p[0] for p in pairs), sum(p[1] for p in pairs)) if sums else _pair(newest)[:2]
    return Picked(top=top, under=under, age=age, stale=age > holds(newest.first, newest.last), sums=sums)


def _apart(figures: list[Any]) -> list[Any]:
    """Return figures of one length that do not overlap: of days, months, quarters or years those that cover the most days."""
    by: dict[int, list[Any]] = defaultdict(list)
    for f in sorted(figures, key=lambda f: (f.first, f.last)):
        size = next(k for k, most in enumerate((1, 7, 31, 92, 184, LONGEST)) if f.last - f.first < most or most == LONGEST)
        if not by[size] or f.first > by[size][-1].last:
            by[size].append(f)
    return max(by.values(), key=lambda held: (sum(f.last - f.first + 1 for f in held), len(held)))


def _pair(f: Any) -> tuple[float, float, bool]:
    if f.numerator is not None and f.denominator is not None:
        return f.numerator, f.denominator, True
    if f.weight is not None:
        return f.value * f.weight, f.weight, True
    return f.value, 1.0, False


def figures_of(connection: Connection, ask: Ask, where: Standing, ids: Sequence[str]) -> Told:
    """Return what is imported for the areas of a level and the days of an ask, summed up from the areas below where these told."""
    shape = (len(where.num), len(ids))
    told = Told(top=np.full(shape, np.nan), under=np.full(shape, np.nan), age=np.full(shape, np.nan), stale=np.zeros(shape, bool))
    if not ids:
        return told
    since, until = day_bucket(ask.since), day_bucket(ask.until)
    held: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    column = {id_: j for j, id_ in enumerate(ids)}
    f = index_figure.c
    # Figures first, then where their areas lie: figures are few, and a plan that began with the areas would read them all for each.
    figures = connection.execute(
        select(f.indicator, f.area_code, f.first, f.last, f.numerator, f.denominator, f.value, f.weight)
        .where(f.known_to.is_(None), f.indicator.in_(ids), f.last >= since - (HOLDS + 1) * LONGEST, f.first <= until)
        .order_by(f.indicator, f.area_code, f.first, f.last)).all()
    at = _places_of(connection, where, sorted({r.area_code for r in figures}))
    for r in figures:
        if r.area_code in at:
            num, level = at[r.area_code]
            held[column[r.indicator], level, num].append(r)
    below: dict[tuple[int, int, int], list[Picked]] = defaultdict(list)
    for (j, level, num), figures in held.items():
        one = pick(figures, since, until)
        if one is None:
            continue
        i = int(np.searchsorted(where.num, num, "right")) - 1
        if level == where.level:
            _put(told, i, j, one)
        elif one.sums:
            below[i, j, level].append(one)
    parts = _parts(connection, where, {level for *_, level in below})
    # The nearest level below that told is summed, where the area itself told nothing.
    for (i, j, level), ones in sorted(below.items(), key=lambda item: item[0][2]):
        fresh = [one for one in ones if not one.stale]
        if np.isnan(told.top[i, j]) or told.stale[i, j]:
            if len(fresh) >= PARTS * parts[level][i]:
                told.stale[i, j] = False
                _put(told, i, j, Picked(top=sum(one.top for one in fresh), under=sum(one.under for one in fresh), age=max(one.age for one in fresh), stale=False, sums=True))
            elif len(ones) >= PARTS * parts[level][i]:
                told.stale[i, j] = True
    return told


def _places_of(connection: Connection, where: Standing, codes: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return {area code: (node, level)} of those of some areas that lie in a level's branches, at or below it."""
    out: dict[str, tuple[int, int]] = {}
    for some in chunks(codes):
        rows = connection.execute(select(area.c.code, node.c.num, node.c.level).join(node, node.c.area_id == area.c.id)
                                  .where(area.c.code.in_(some), node.c.tree_id == where.tree_id, node.c.main.is_(True), node.c.level >= where.level))
        out |= {r.code: (r.num, r.level) for r in rows if any(first <= r.num <= last for first, last in where.spans)}
    return out


def _put(told: Told, i: int, j: int, one: Picked) -> None:
    told.top[i, j], told.under[i, j], told.age[i, j], told.stale[i, j] = one.top, one.under, one.age, one.stale


def _parts(connection: Connection, where: Standing, levels: set[int]) -> dict[int, np.ndarray]:
    """Return for each deeper level how many of its areas lie under each area."""
    out = {}
    for level in levels:
        nums = np.array(connection.execute(select(node.c.num).where(node.c.tree_id == where.tree_id, node.c.level == level, node.c.main.is_(True))
                                           .order_by(node.c.num)).scalars().all(), np.int64)
        out[level] = np.searchsorted(nums, where.last, "right") - np.searchsorted(nums, where.num, "left")
    return out
