"""Scores of every area of one level for one period, whoever asks: kept, and made anew where something changed (queries/index/_kept.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.area_values import Standing
from queries.index import found
from queries.index._dimension import Dimension, Indicator
from queries.index._inputs import Inputs, computed, read_inputs
from queries.index._score import LEAST, LEAST_N, NINETY, SCALE, Scored, score, tree_of
from queries.scoring.tree import Tree

__all__ = ["LEAST", "LEAST_N", "NINETY", "SCALE", "Inputs", "Level", "computed", "level_of", "own_share", "read_inputs", "score", "tree_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """All areas of a level. Arrays: areas × indicators (or × nodes of `tree`). NaN = not known.

    `indicators`: those that count here; `rare`: others that could, of which too few areas tell, and `few`: which of these rest on too little.
    `own`: weight of own data. `age`: days from the end of what an input speaks of to the end of the period. `stale`: too old, areas × `computed()`.
    """

    where: Standing
    tree: Tree
    dimensions: tuple[Dimension, ...]
    indicators: tuple[Indicator, ...]
    rare: tuple[Indicator, ...]
    few: tuple[Indicator, ...]
    top: np.ndarray
    under: np.ndarray
    value: np.ndarray
    own: np.ndarray
    known: np.ndarray
    scores: np.ndarray
    coverage: np.ndarray
    sd: np.ndarray  # of the scores of all nodes
    age: np.ndarray
    stale: np.ndarray
    told: np.ndarray  # for each of `computed()`: any area tells of it
    stand_in: np.ndarray  # the peers' lower quartile of each indicator, in whole points
    covered: bool


def level_of(where: Standing, given: Inputs, done: Scored) -> Level:
    """Return a level of its inputs and what was scored of them."""
    every, chosen = computed(), done.chosen
    held = set(chosen.tolist())
    none = np.zeros(given.known.shape)
    return Level(where=where, tree=done.tree, dimensions=tuple(found().values()), indicators=tuple(every[j] for j in chosen),
                 rare=tuple(one for j, one in enumerate(every) if j not in held), few=tuple(every[j] for j in done.few), top=given.top[:, chosen],
                 under=given.under[:, chosen], value=done.value, own=done.own, known=given.known[:, chosen], scores=done.scores, coverage=done.coverage,
                 sd=done.sd, age=(none if given.age is None else given.age)[:, chosen], stale=none.astype(bool) if given.stale is None else given.stale,
                 told=given.known.any(axis=0) if len(given.known) else np.zeros(len(every), bool), stand_in=done.shared.stand_in, covered=given.covered)


def own_share(held: Level) -> np.ndarray:
    """Return for each area which share of its index rests on its own data."""
    w = held.tree.share()[:held.tree.n]
    return held.own @ w / w.sum() if w.sum() else np.zeros(len(held.own))
