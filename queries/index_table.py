"""The index of many areas as one table: what leaves the house, with its catalogue, its release and its moment in every row."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from queries import places
from queries.answers import stamped
from queries.area_values import standing
from queries.clock import day_bucket, now
from queries.frame import Answer, Ask
from queries.governance import finished, peers
from queries.governance.levels import level_of, number
from queries.governance.rows import PeerRow
from queries.governance.words import notes
from queries.index import VERSION, found
from queries.index._dimension import Words
from queries.index._level import NINETY, SCALE, Level, own_share
from queries.index._tables import index_release
from queries.scoring.shrink import LEAST_OWN
from queries.store import Store


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One area's index. `dimensions`: score by dimension, None = no score. `rank_low` to `rank_high`: the band of its rank among the areas
    directly below the asked place, None = not ranked, or the table is of a deeper level. `age_days`, `oldest`: of its oldest input. `release`: number and hash, "" = a draft.
    """

    code: str
    title: Words
    index: float | None
    low: float | None
    high: float | None
    dimensions: dict[str, float | None]
    coverage: float
    known: int
    of: int
    own: float
    ranked: bool
    rank_low: int | None
    rank_high: int | None
    no_score: str
    age_days: int | None
    oldest: Words | None
    released: float | None
    release: str
    catalogue: str
    since: date
    until: date
    as_of: datetime | None
    made_at: datetime


def table(store: Store, ask: Ask, level: int | None = None) -> Answer[TableRow]:
    """Return the index of every visible area of a level under the place; no level = the areas directly below it, with their ranks."""
    # What if is for looking: no other weights than those of the catalogue leave the house.
    ask = ask.but(weights=())
    ranks = {row.code: row for row in peers(store, ask).rows} if level is None else {}
    with store.read() as connection:
        ask = finished(connection, ask)
        if level is None:
            level = places.find(connection, next(iter(ranks), ask.place), ask.until).level
        held, mine = level_of(connection, ask, level), standing(connection, ask, level)
        told, frozen = stamped(connection, (), notes=notes(ask)), _release(connection, ask)
        titles = {p.code: {"zh": p.name, "en": p.name_en or p.name} for p in places.at(connection, mine.area_id.tolist(), mine.tree_id)}
        common = {"catalogue": VERSION, "since": ask.since, "until": ask.until, "as_of": told.as_of, "made_at": now(), "release": frozen[0],
                  "of": sum(len(d.indicators) for d in found().values() if d.weight)}
        own = own_share(held)
        rows = [_row(held, int(np.searchsorted(held.where.num, num)), titles[code], own, ranks.get(code), frozen[1].get(code, {}).get("index"), common)
                for num, code in zip(mine.num.tolist(), mine.code.tolist(), strict=True) if not ranks or code in ranks]
        return replace(told, rows=tuple(rows), total=len(rows))


def _row(held: Level, i: int, title: Words, own: np.ndarray, rank: PeerRow | None, released: float | None, common: dict[str, Any]) -> TableRow:
    tree, top = held.tree, held.tree.top
    score, wide, cover = number(held.scores[i, top]), NINETY * float(held.sd[i, top]), float(held.coverage[i, top])
    inside = [k for node in tree.children[top] for k in tree.children[node]]
    told = [k for k in inside if held.known[i, k]] if score is not None else []
    oldest = max(told, key=lambda k: held.age[i, k], default=None)
    return TableRow(
        code=str(held.where.code[i]), title=title, index=score, low=None if score is None else max(score - wide, SCALE.low),
        high=None if score is None else min(score + wide, SCALE.high), dimensions={tree.ids[n]: number(held.scores[i, n]) for n in range(tree.n, top)},
        coverage=cover, known=int(held.known[i, inside].sum()) if inside else 0, own=float(own[i]), ranked=bool(score is not None and own[i] >= LEAST_OWN),
        rank_low=rank.low if rank else None, rank_high=rank.high if rank else None, released=released,
        age_days=None if oldest is None else int(held.age[i, oldest]), oldest=None if oldest is None else held.indicators[oldest].title,
        no_score="" if score is not None else "before" if not held.covered else "no_data" if not cover else "coverage", **common)


def _release(connection: Connection, ask: Ask) -> tuple[str, dict[str, Any]]:
    """Return the newest release of exactly these days: its number and hash, and its scores by area; "" and nothing for a draft."""
    row = connection.execute(select(index_release.c.id, index_release.c.hash, index_release.c.scores).order_by(index_release.c.id.desc()).limit(1).where(
        index_release.c.since == day_bucket(ask.since), index_release.c.until == day_bucket(ask.until))).one_or_none()
    return ("", {}) if row is None else (f"{row.id} {row.hash}", json.loads(row.scores))
