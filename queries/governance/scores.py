"""The index of a place with all that is below it, its months, and its map."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, select

from queries.answers import remembered, stamped
from queries.area_values import standing
from queries.clock import day_bucket
from queries.figures import AreaValue
from queries.frame import Answer, Ask
from queries.governance.levels import finished, level_before, level_of, number, place_of, row_of
from queries.governance.rows import MonthRow, ScoreColumns, ScoreRow
from queries.governance.words import INDEX, notes
from queries.index import Catalogue, found
from queries.index._dimension import Dimension, Indicator, Words
from queries.index._level import NINETY, SCALE, Level, computed, own_share
from queries.index._tables import index_release
from queries.periods import next_month
from queries.scoring.shrink import LEAST_OWN
from queries.scoring.tree import Tree
from queries.store import Store


def index(store: Store, ask: Ask) -> Answer[ScoreRow]:
    """Return the index of a place, its dimensions and every indicator of the catalogue."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index", ask), lambda: _index(connection, ask))


def _index(connection: Connection, ask: Ask) -> Answer[ScoreRow]:
    place, whole = place_of(connection, ask)
    held = level_of(connection, ask, place.level)
    i, then = row_of(held, place.num), level_before(connection, ask, place, "previous")
    rows = [_score(held, i, "index", INDEX, "index", "", 1.0, then, whole)]
    inside = {held.tree.ids[node] for node in held.tree.children[held.tree.top]}
    for one in found().values():
        row = _score(held, i, one.id, one.title, "dimension", "index" if one.id in inside else "", one.weight, then, whole)
        rows.append(row if row.parent or row.score is None else replace(row, beside=_beside(held, one)))
        rows += [_indicator(held, i, x, one.id, then, whole) for x in one.indicators]
    return stamped(connection, rows, notes=notes(ask))


def _score(held: Level, i: int, id_: str, title: Words, kind: Any, parent: str, weight: float, then: tuple[Level, int] | None, whole: bool) -> ScoreRow:
    tree = held.tree
    node = tree.ids.index(id_) if id_ in tree.ids else -1
    below = _parts(tree, node) if node >= 0 else []
    of = sum(len(d.indicators) for d in found().values() if d.id == id_ or id_ == "index" and d.weight)
    known = int(held.known[i, below].sum()) if below else 0
    score = held.scores[i, node] if node >= 0 and whole else np.nan
    cover = float(held.coverage[i, node]) if node >= 0 else None
    mine = next((d.indicators for d in found().values() if d.id == id_), ())
    kind_of = "" if not np.isnan(score) else "part" if not whole else "before" if not held.covered else _absent(held, mine, i) if node < 0 else "no_data" if not cover else "coverage"
    wide = NINETY * held.sd[i, node] if node >= 0 else 0.0
    # What decides about a rank is what is shown: by the weights that the parts have in the whole.
    own = np.nan if not below else own_share(held)[i] if id_ == "index" else held.own[i, below].mean()
    age, oldest = _oldest(held, i, below) if not np.isnan(score) else (None, None)
    return ScoreRow(id=id_, title=title, kind=kind, parent=parent, weight=weight, score=number(score), low=number(max(score - wide, SCALE.low)),
                    high=number(min(score + wide, SCALE.high)), coverage=cover, known=known, of=of, own=number(own), before=_then(then, id_) if whole else None,
                    no_score=kind_of, age_days=age, oldest=oldest)


def _beside(held: Level, one: Dimension) -> Literal["one", "now", "aside"]:
    """Return why a dimension with a score is not in the index."""
    if not one.weight:
        return "aside"
    return "now" if all(x.now_only for x in one.indicators if x in held.indicators) else "one"


def _parts(tree: Tree, node: int) -> list[int]:
    """Return the indicators under a node."""
    return [node] if node < tree.n else [leaf for part in tree.children[node] for leaf in _parts(tree, part)]


def _absent(held: Level, ones: Sequence[Indicator], i: int) -> str:
    """Return why none of some indicators counts on a level."""
    kinds = {_why_not(held, one, i) for one in ones}
    return next((kind for kind in ("few", "rare", "stale") if kind in kinds), "rare" if not ones or any(one.top for one in ones) else "not_connected")


def _why_not(held: Level, one: Indicator, i: int) -> str:
    """Return why an indicator does not count on a level."""
    if one in held.rare and held.stale[i, computed().index(one)]:
        return "stale"
    if one in held.few:
        return "few"
    return "rare" if one.top or (one in held.rare and held.told[computed().index(one)]) else "not_connected"


def _oldest(held: Level, i: int, below: list[int]) -> tuple[int | None, Words | None]:
    known = [k for k in below if held.known[i, k]]
    if not known:
        return None, None
    k = max(known, key=lambda k: held.age[i, k])
    return int(held.age[i, k]), held.indicators[k].title


def _then(then: tuple[Level, int] | None, id_: str) -> float | None:
    if then is None or id_ not in then[0].tree.ids:
        return None
    return number(then[0].scores[then[1], then[0].tree.ids.index(id_)])


def _indicator(held: Level, i: int, one: Indicator, parent: str, then: tuple[Level, int] | None, whole: bool) -> ScoreRow:
    common = {"id": one.id, "title": one.title, "kind": "indicator", "parent": parent, "weight": one.weight, "of": 1, "floor": one.floor, "target": one.target,
              "formula": one.formula, "opens": one.opens, "measure": one.kind}
    if one not in held.indicators or not whole:
        kind = "part" if not whole else "before" if one.top and not held.covered else _why_not(held, one, i)
        return ScoreRow(**common, score=None, low=None, high=None, coverage=None, known=0, own=None, before=None, no_score=kind, lacks=one.lacks)
    k = held.indicators.index(one)
    known, wide = bool(held.known[i, k]), NINETY * held.sd[i, k]
    score = held.scores[i, k]
    return ScoreRow(**common, score=number(score), low=number(max(score - wide, SCALE.low)), high=number(min(score + wide, SCALE.high)), coverage=float(known),
                    known=int(known), own=number(held.own[i, k]), before=_then(then, one.id), no_score="" if known else "stale" if held.stale[i, computed().index(one)] else "no_data",
                    age_days=int(held.age[i, k]) if known else None, oldest=one.title if known else None, lacks=one.lacks if one.imported and not known else None,
                    value=number(held.value[i, k]), numerator=number(held.top[i, k]), denominator=number(held.under[i, k]))


def months(store: Store, ask: Ask, n: int = 12, of: str = "index") -> Answer[MonthRow]:
    """Return the index of a place (or one of its dimensions or indicators) in the months up to the ask's last day, each as it is computed now and as it was released."""
    with store.read() as connection:
        return remembered(connection, ("index_months", ask, n, of), lambda: _months(connection, ask, n, of))


def _months(connection: Connection, ask: Ask, n: int, of: str) -> Answer[MonthRow]:
    place, whole = place_of(connection, ask)
    r = index_release.c
    frozen = {(row.since, row.until): row for row in connection.execute(select(r.id, r.since, r.until, r.version, r.hash, r.scores).order_by(r.id))}
    rows: list[MonthRow] = []
    first = ask.until.replace(day=1)
    for _ in range(n if whole else 0):
        end = min(next_month(first) - timedelta(days=1), ask.until)
        held = level_of(connection, ask.but(since=first, until=end), place.level)
        i = int(np.flatnonzero(held.where.code == place.code)[0]) if place.code in held.where.code else -1
        release = frozen.get((day_bucket(first), day_bucket(end)))
        told = json.loads(release.scores).get(place.code, {}) if release else {}
        row = MonthRow(since=first, until=end, score=None, released=told.get(of), draft=not told)
        if i >= 0 and of in held.tree.ids:
            k = held.tree.ids.index(of)
            row = replace(row, score=number(held.scores[i, k]))
            if k < held.tree.n and held.known[i, k]:
                row = replace(row, value=number(held.value[i, k]), numerator=number(held.top[i, k]), denominator=number(held.under[i, k]))
        if release and told and of != "index" and of not in told:
            top, under = _frozen_counts(connection, release, place.level, place.code, of)
            row = replace(row, frozen_numerator=top, frozen_denominator=under)
        rows.append(row)
        first = (first - timedelta(days=1)).replace(day=1)
    return stamped(connection, rows[::-1], notes=notes(ask))


def _frozen_counts(connection: Connection, release: Any, level: int, code: str, of: str) -> tuple[float | None, float | None]:
    """Return the counts of an indicator that a release froze for a place; None where it froze none, or keeps no catalogue that names its columns."""

    def read() -> tuple[float | None, float | None]:
        body, told = connection.execute(select(index_release.c.inputs, index_release.c.catalogue).where(index_release.c.id == release.id)).one()
        ids = [one.id for one in Catalogue.unpacked(told).computed] if told else []
        if of not in ids:
            return None, None
        with np.load(io.BytesIO(body), allow_pickle=False) as held:
            at, j = np.flatnonzero(held[f"{level}.now.code"] == code), ids.index(of)
            if not len(at) or not held[f"{level}.now.known"][at[0], j]:
                return None, None
            return float(held[f"{level}.now.top"][at[0], j]), float(held[f"{level}.now.under"][at[0], j])
    return remembered(connection, ("index_frozen", release.id, release.hash, level, code, of), read, lasting=True)


def index_values(store: Store, ask: Ask, of: str, level: int) -> Answer[AreaValue]:
    """Return the score of the index or of a dimension or indicator for every visible area of a level."""
    with store.read() as connection:
        ask = finished(connection, ask)
        held, mine = level_of(connection, ask, level), standing(connection, ask, level)
        at = np.searchsorted(held.where.num, mine.num)
        node = held.tree.ids.index(of) if of in held.tree.ids else -1
        values = held.scores[at, node] if node >= 0 else np.full(len(at), np.nan)
        columns = ScoreColumns(area_id=mine.area_id, code=mine.code, dense=mine.dense, value=values, numerator=None, denominator=None,
                               ranked=own_share(held)[at] >= LEAST_OWN)
        return replace(stamped(connection, (), notes=notes(ask)), rows=columns)
