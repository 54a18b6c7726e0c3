"""What the index would be if its dimensions weighed otherwise: all that a screen needs to work it out by itself.

The scores of the dimensions do not depend on the weights; only their mean does. So a screen asks once, and moves
its weights as often as it likes. tests/test_index_browser.py holds the browser's arithmetic to the server's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from queries.answers import remembered, stamped
from queries.area_values import standing
from queries.frame import Answer, Ask
from queries.governance import finished, weighted
from queries.index._kept import level_scores
from queries.index._level import LEAST, Level
from queries.scoring import tree as trees
from queries.scoring.shrink import LEAST_OWN
from queries.store import Store


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """The dimensions that make the index on a level, and what each visible area has in them. Arrays: areas × dimensions.

    `at`: their places in the order in which weights are given. `scores` 1 to 100, also where a dimension tells too little to
    have one of its own; NaN = nothing at all. `coverage`: share of a
    dimension's weight that the area's own records tell; an area with less than `least` of the whole has no index.
    `own`: weight of its own data; with less than `least_own` of the whole it is not ranked. `rule`: the mean across dimensions.
    """

    dimensions: tuple[str, ...]
    at: tuple[int, ...]
    weights: tuple[float, ...]
    rule: str
    code: np.ndarray
    dense: np.ndarray
    scores: np.ndarray
    coverage: np.ndarray
    own: np.ndarray
    least: float = LEAST
    least_own: float = LEAST_OWN


def parts(store: Store, ask: Ask, level: int) -> Answer[Parts]:
    """Return the parts of the index of every visible area of a level at or under the place; one row, none without a score."""
    with store.read() as connection:
        ask = finished(connection, ask)
        held, mine = level_scores(connection, ask, level), standing(connection, ask, level)
        nodes = list(held.tree.children[held.tree.top])
        names = [held.tree.ids[node] for node in nodes]
        if not held.covered or not names or not set(names) <= set(weighted()):
            return stamped(connection, ())
        at = np.searchsorted(held.where.num, mine.num)
        own = remembered(connection, ("index_own", ask.since, ask.until, level), lambda: _own(held), ageless=True)
        row = Parts(dimensions=tuple(names), at=tuple(weighted().index(name) for name in names), weights=tuple(map(float, held.tree.weights[held.tree.top])),
                    rule=held.tree.rules[held.tree.top], code=mine.code, dense=mine.dense, scores=trees.scores(held.tree, held.scores[at, :held.tree.n])[0][:, nodes],
                    coverage=held.coverage[at][:, nodes], own=own[at])
        return replace(stamped(connection, ()), rows=(row,))


def _own(held: Level) -> np.ndarray:
    """Return for each area and dimension which share of the dimension's score rests on the area's own data."""
    out = []
    for node in held.tree.children[held.tree.top]:
        below, w = list(held.tree.children[node]), held.tree.weights[node]
        out.append(held.own[:, below] @ w / w.sum())
    return np.column_stack(out)
