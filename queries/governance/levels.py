"""Which level, which row of it, and by which weights: what all answers of the index begin with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from sqlalchemy import Connection

from queries import places
from queries import scope as rights
from queries.clock import local_day, now, stamp
from queries.errors import AskError
from queries.frame import EVERYTHING, Ask
from queries.governance.rows import Against
from queries.index import found
from queries.index._kept import held, level_scores
from queries.index._level import LEAST, Level
from queries.index._level import level_of as level_made_of
from queries.periods import last_year, previous
from queries.scoring import tree as trees
from queries.today import city_now


def finished(connection: Connection, ask: Ask) -> Ask:
    """Return an ask without the day that is not over, or of the day before it: a day's cases are not all due yet, and a score of it would fall and rise with the hour."""
    last = local_day(stamp(now()), city_now(connection).zone) - timedelta(days=1)
    return ask if ask.until <= last else ask.but(since=min(ask.since, last), until=last)


def weighted() -> list[str]:
    """Return the dimensions that are in the index, in the order in which weights are given."""
    return [one.id for one in found().values() if one.weight]


def weighed(held: Level, weights: tuple[int, ...]) -> Level:
    """Return a level whose index weighs its dimensions otherwise; nothing below the index changes. A release is never touched by it."""
    tree = reweighed(held.tree, weights)
    if tree is held.tree:
        return held
    top, at, w = tree.top, list(tree.children[tree.top]), tree.weights[tree.top]
    scores, cover, sd = held.scores.copy(), held.coverage.copy(), held.sd.copy()
    cover[:, top] = cover[:, at] @ w / w.sum()
    whole = trees.scores(tree, scores[:, :tree.n])[0]
    scores[:, top] = np.where(cover[:, top] + 1e-9 >= LEAST, whole[:, top], np.nan)
    sd[:, top] = np.sqrt((np.nan_to_num(w / w.sum() * whole[:, [top]] / whole[:, at] * sd[:, at]) ** 2).sum(axis=1))
    return replace(held, tree=tree, scores=scores, coverage=cover, sd=sd)


def reweighed(tree: trees.Tree, weights: tuple[int, ...]) -> trees.Tree:
    """Return a tree whose top weighs its dimensions by `weights` (in the order of `weighted`); the same tree where they say nothing."""
    given = dict(zip(weighted(), weights, strict=False))
    at = tree.children[tree.top]
    w = np.array([float(given.get(tree.ids[node], 0)) for node in at])
    if not weights or w.sum() <= 0 or not {tree.ids[node] for node in at} <= set(weighted()):
        return tree
    return replace(tree, weights=(*tree.weights[:-1], w))


def level_of(connection: Connection, ask: Ask, level: int) -> Level:
    """Return a level's scores as an ask weighs them."""
    return weighed(level_scores(connection, ask, level), ask.weights)


def level_scored_before(connection: Connection, ask: Ask, level: int) -> Level | None:
    """Return the period before as this one's caution takes it: of the same areas, S by how much they differed in it; None where the areas were others."""
    one = held(connection, Ask(scope=EVERYTHING, since=ask.since, until=ask.until), level)
    return None if one.was is None or one.before is None else level_made_of(one.where, one.was, one.before)


def place_of(connection: Connection, ask: Ask) -> tuple[places.Place, bool]:
    """Return the asked place, and whether all of it may be seen."""
    place = places.find(connection, ask.place, ask.until, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    return place, len(visible) == 1 and visible[0].num == place.num


def row_of(held: Level, num: int) -> int:
    """Return the row of a level in which a node stands."""
    return int(np.searchsorted(held.where.num, num))


def number(x: float) -> float | None:
    """Return a plain number; None for NaN."""
    return None if np.isnan(x) else float(x)


def level_before(connection: Connection, ask: Ask, place: places.Place, against: Against) -> tuple[Level, int] | None:
    """Return the level's scores of the period to compare with, and the place's row there; None where it did not exist then."""
    before = previous(ask.since, ask.until) if against == "previous" else last_year(ask.since, ask.until)
    asked = ask.but(since=before.since, until=before.until)
    try:
        there = places.find(connection, place.code, before.until)
    except AskError:
        return None
    held = level_of(connection, asked, there.level)
    i = row_of(held, there.num)
    return (held, i) if there.level == place.level and i < len(held.where.num) and held.where.num[i] == there.num else None
