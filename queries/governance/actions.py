"""What to do next: the few places and indicators where a realistic step moves the index most."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from queries import scope as rights
from queries.answers import remembered, stamped
from queries.frame import Answer, Ask
from queries.governance.levels import finished, level_of, place_of, row_of
from queries.governance.rows import StepRow
from queries.governance.words import notes
from queries.index._dimension import Indicator
from queries.index._level import SCALE, Level
from queries.scoring import tree as trees
from queries.store import Store


def steps(store: Store, ask: Ask, most: int = 8) -> Answer[StepRow]:
    """Return the few places and indicators under a place where a realistic step moves the index most."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_steps", ask, most), lambda: _steps(connection, ask, most))


def _steps(connection: Connection, ask: Ask, most: int) -> Answer[StepRow]:
    place, whole = place_of(connection, ask)
    below = list(rights.parts(connection, rights.check(connection, ask.scope, place), place))
    held_here = level_of(connection, ask, place.level)
    i = row_of(held_here, place.num)
    if not below or not whole or np.isnan(held_here.scores[i, held_here.tree.top]):
        return stamped(connection, (), notes=notes(ask))
    level = below[0].level
    below = [p for p in below if p.level == level]
    held = level_of(connection, ask, level)
    at = np.array([row_of(held, p.num) for p in below])
    rows: list[StepRow] = []
    for k, one in enumerate(held.indicators):
        if one not in held_here.indicators:
            continue
        m = held_here.indicators.index(one)
        slope = _slope(held_here, i, m) * _per_unit(one)
        values, under = held.value[at, k], held.under[at, k]
        if np.isnan(values).all() or not np.nansum(under):
            continue
        # What the better quarter of the peers reaches is what can be reached.
        reach = float(np.nanquantile(values, 0.75 if one.direction > 0 else 0.25))
        for p, value, n in zip(below, values, under, strict=True):
            gap = (reach - value) * one.direction
            if np.isnan(gap) or gap <= 0 or not n > 0:
                continue
            points = slope * gap * n / np.nansum(under)
            rows.append(StepRow(code=p.code, place={"zh": p.name, "en": p.name_en or p.name}, id=one.id, title=one.title, value=float(value), to=reach,
                                points=float(points), cases=float(np.ceil(gap * n)), opens=one.opens, measure=one.kind))
    return stamped(connection, sorted(rows, key=lambda r: -r.points)[:most], notes=notes(ask))


def _per_unit(one: Indicator) -> float:
    """Return how many points of its score one unit of an indicator's value is, in the good direction."""
    return (SCALE.high - SCALE.low) / abs(one.target - one.floor)


def _slope(held: Level, i: int, k: int) -> float:
    """Return by how much the index moves when one indicator's score moves by a point; 0 at the goalposts' ends is left to the reader."""
    tree = held.tree
    line = held.scores[i:i + 1].copy()
    if np.isnan(line[0, k]):
        return 0.0
    moved = line[:, :tree.n].copy()
    moved[0, k] = min(moved[0, k] + 1.0, SCALE.high)
    after = trees.scores(tree, moved)[0][0, tree.top]
    return float(after - trees.scores(tree, line[:, :tree.n])[0][0, tree.top])
