"""Places beside each other, with the bands of their ranks."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from queries import places
from queries import scope as rights
from queries.answers import remembered, stamped
from queries.frame import Answer, Ask
from queries.governance.levels import finished, level_of, number, place_of, row_of
from queries.governance.rows import PeerRow
from queries.governance.words import notes
from queries.index._level import SCALE, Level, own_share
from queries.scoring import bands
from queries.scoring.shrink import LEAST_OWN
from queries.store import Store


def peers(store: Store, ask: Ask) -> Answer[PeerRow]:
    """Return the areas directly under a place (or beside it, where it has none) with the bands of their ranks."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_peers", ask), lambda: _peers(connection, ask))


def _peers(connection: Connection, ask: Ask) -> Answer[PeerRow]:
    place, _ = place_of(connection, ask)
    family = rights.parts(connection, rights.check(connection, ask.scope, place), place)
    family = [p for p in family if p.num != place.num]
    asked = None
    if not family and place.level:
        parent = places.chain(connection, place.num)[-2]
        family, asked = rights.parts(connection, rights.check(connection, ask.scope, parent), parent) if ask.scope.areas is None else [place], place.num
    if not family:
        return stamped(connection, (), notes=notes(ask))
    level = family[0].level
    family = [p for p in family if p.level == level]
    held = level_of(connection, ask, level)
    at = np.array([row_of(held, p.num) for p in family])
    own, score = own_share(held)[at], held.scores[at, held.tree.top]
    low, high = _bands(held, at, np.isnan(score) | (own < LEAST_OWN))
    first = int(np.nanargmax(np.where(np.isnan(low), np.nan, score))) if (~np.isnan(low)).any() else -1
    mine = next((n for n, p in enumerate(family) if p.num == asked), first)
    same = bands.equal(low, high, mine) if mine >= 0 else np.zeros(len(at), bool)
    rows = [PeerRow(code=p.code, title={"zh": p.name, "en": p.name_en or p.name}, score=number(score[n]), low=None if np.isnan(low[n]) else int(low[n]),
                    high=None if np.isnan(high[n]) else int(high[n]), equal=bool(same[n]), own=float(own[n]),
                    no_score="coverage" if np.isnan(score[n]) else "borrowed" if np.isnan(low[n]) and own[n] < LEAST_OWN else "") for n, p in enumerate(family)]
    return stamped(connection, sorted(rows, key=lambda r: (r.score is None, -(r.score or 0))), notes=notes(ask))


def _bands(held: Level, at: np.ndarray, out_of_it: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(len(at), np.nan), np.full(len(at), np.nan)
    ranked, tree = at[~out_of_it], held.tree
    if len(ranked) > 1:
        groups = [(held.scores[ranked][:, list(tree.children[d])], held.sd[ranked][:, list(tree.children[d])], tree.weights[d]) for d in tree.children[tree.top]]
        drawn = bands.bands(groups, tree.weights[tree.top], bands.Draws(), SCALE.low, SCALE.high)
        low[~out_of_it], high[~out_of_it] = drawn.low, drawn.high
    return low, high
