"""Why the index moved: indicators, and the areas below, that add up to the change."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from queries import places
from queries.answers import remembered, stamped
from queries.frame import Answer, Ask
from queries.governance.levels import (
    finished,
    level_before,
    level_of,
    number,
    place_of,
    reweighed,
    row_of,
)
from queries.governance.rows import Against, WhyRow
from queries.governance.words import notes
from queries.index import found
from queries.index._dimension import Indicator, Words
from queries.index._level import Level, tree_of
from queries.periods import last_year, previous
from queries.scoring import change
from queries.scoring import tree as trees
from queries.store import Store

#: What of a move is of no area below.
BORROWED: Words = {"zh": "借自上级的部分", "en": "borrowed from the parent"}
NOWHERE: Words = {"zh": "未细分", "en": "not placed below"}


def why(store: Store, ask: Ask, against: Against = "previous") -> Answer[WhyRow]:
    """Return what moved the index since another period, the largest first; points add up to the change (and `mix`, if any)."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_why", ask, against), lambda: _why(connection, ask, against))


def _why(connection: Connection, ask: Ask, against: Against) -> Answer[WhyRow]:
    place, whole = place_of(connection, ask)
    now_, then = level_of(connection, ask, place.level), level_before(connection, ask, place, against)
    if then is None or not whole:
        return stamped(connection, (), notes=notes(ask))
    was, j = then
    i = row_of(now_, place.num)
    every = [x for d in found().values() for x in d.indicators if x in now_.indicators or x in was.indicators]
    tree = reweighed(tree_of(now_.dimensions, tuple(every)), ask.weights)

    def on(held: Level, row: int) -> np.ndarray:
        line = np.array([[held.scores[row, held.indicators.index(x)] if x in held.indicators else np.nan for x in every]])
        out = trees.scores(tree, line)[0]
        out[0, tree.top] = held.scores[row, held.tree.top]
        return out

    parts, mix = trees.reasons(tree, on(was, j), on(now_, i))
    if np.isnan(mix[0]):
        return stamped(connection, (), notes=notes(ask))
    # A dimension that counts in one of the periods only came or went too.
    mix[0] = now_.scores[i, now_.tree.top] - was.scores[j, was.tree.top] - parts[0].sum()
    dimension = {x.id: d.id for d in found().values() for x in d.indicators}
    rows = []
    for k, one in enumerate(every):
        points = float(parts[0, k])
        a = now_.value[i, now_.indicators.index(one)] if one in now_.indicators else np.nan
        b = was.value[j, was.indicators.index(one)] if one in was.indicators else np.nan
        rows.append(WhyRow(id=one.id, title=one.title, dimension=dimension[one.id], points=points, value_before=number(b), value=number(a),
                           areas=_areas(connection, ask, place, one, _Move(points, float(a - b), _own(now_, i, was, j, one)), against), opens=one.opens, measure=one.kind))
    if abs(mix[0]) > 1e-9:
        rows.append(WhyRow(id="mix", title={"zh": "指标有无的变化", "en": "indicators that came or went"}, dimension="", points=float(mix[0]), value_before=None, value=None, areas=(), opens=""))
    return stamped(connection, sorted(rows, key=lambda r: -abs(r.points)), notes=notes(ask))


class _Move(NamedTuple):
    """What an indicator did: points of the index, by how much its value moved, and how much of that value is the place's own."""

    points: float
    change: float
    own: float


def _own(now_: Level, i: int, was: Level, j: int, one: Indicator) -> float:
    return float(np.mean([held.own[row, held.indicators.index(one)] if one in held.indicators else 0.0 for held, row in ((now_, i), (was, j))]))


def _areas(connection: Connection, ask: Ask, place: places.Place, one: Indicator, whole: _Move, against: Against) -> tuple[tuple[str, Words, float], ...]:
    """Return how much each area below moved an indicator, in points of the index; they add up to its points.

    An area's own move counts as much as the place's value is its own; what is left came from what is borrowed, or lies in no area.
    """
    below = places.children(connection, place)
    if not below or not whole.points or not abs(whole.change) > 1e-9:
        return ()
    level = below[0].level
    before = previous(ask.since, ask.until) if against == "previous" else last_year(ask.since, ask.until)
    now_, was = level_of(connection, ask, level), level_of(connection, ask.but(since=before.since, until=before.until), level)
    if one not in now_.indicators or one not in was.indicators or len(now_.where.num) != len(was.where.num):
        return ()
    at = [row_of(now_, p.num) for p in below if p.level == level]
    k, m = now_.indicators.index(one), was.indicators.index(one)
    quad = [np.nan_to_num(x) for x in (was.top[at, m], was.under[at, m], now_.top[at, k], now_.under[at, k])]
    if not quad[1].sum() or not quad[3].sum():
        return ()
    moved = change.of_areas(*quad) * whole.own * whole.points / whole.change
    shares = [(p.code, {"zh": p.name, "en": p.name_en or p.name}, float(m_)) for p, m_ in zip(below, moved, strict=False)]
    rest = whole.points - float(moved.sum())
    if abs(rest) > 1e-9:
        shares.append(("", BORROWED if place.level else NOWHERE, rest))
    return tuple(sorted(shares, key=lambda s: -abs(s[2])))
