"""How a place's score comes out of its counts, number by number: enough to recompute it by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from sqlalchemy import Connection, select

from queries.answers import remembered, stamped
from queries.frame import Answer, Ask
from queries.governance.levels import (
    finished,
    level_of,
    level_scored_before,
    number,
    place_of,
    row_of,
)
from queries.governance.words import notes
from queries.index import found
from queries.index._counts import parents
from queries.index._dimension import Indicator, Kind, Words
from queries.index._level import Level, computed
from queries.index._mix import mix_of
from queries.index._own import counted_here
from queries.periods import pieces
from queries.places import Place
from queries.scoring import tree as trees
from queries.store import Store
from queries.summing import sums_of
from queries.tables import category


@dataclass(frozen=True, kw_only=True)
class MixPart:
    """Cases of one category that do not count as they are: each of `cases` counts as `weight`."""

    code: str
    title: Words
    cases: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class MixRow:
    """How an indicator's counts are adjusted for the mix of categories: denominator = cases + Σ (weight − 1) × cases of a part,
    numerator = denominator − wrong (0 at least). The weights are learned from the days `since` to `until` of the whole city."""

    cases: int
    wrong: int
    parts: tuple[MixPart, ...]
    since: date
    until: date


@dataclass(frozen=True, kw_only=True)
class MethodRow:
    """One indicator that counts here. Its raw value is numerator ÷ denominator.

    `parent_numerator`, `parent_denominator`: those of all areas of the same parent; None = nothing is borrowed on this level.
    `strength` S: the parent's share counts as so many cases, so own = n ÷ (n + S) and value = parent + own × (raw − parent);
    infinite where the areas of the parent do not differ. `score` = 1 + 99 × (value − floor) ÷ (target − floor), cut to 1–100.
    `sd`: of the score, in points. Not `known`: the score is the lower of `last` (own, of the period before; None = had none) and
    `quartile` (the peers' lower quartile, in whole points), and `sd` that of the parent's value with n = 0. `was`: how `last` comes out of
    the counts of the period before, S by how much areas differed in it as for this one's; so it is not what was shown then. `mix`: None = the counts are as they are. A weight of 0: shown, and not in its dimension (present state only).
    """

    id: str
    title: Words
    formula: Words
    kind: Kind
    dimension: str
    weight: float
    known: bool
    numerator: float | None
    denominator: float | None
    parent_numerator: float | None
    parent_denominator: float | None
    strength: float | None
    own: float | None
    value: float | None
    floor: float
    target: float
    score: float | None
    sd: float | None
    last: float | None
    quartile: float | None
    #: A department's figures, where nothing or too little was counted here.
    brought: bool = False
    mix: MixRow | None = None
    was: MethodRow | None = None


@dataclass(frozen=True, kw_only=True)
class MeanRow:
    """A dimension or the index: `mean` of its parts by their weights. `score` is the same, or None where too little is told.

    `sd` in points; the interval is ± 1.645 of it, cut to 1–100.
    """

    id: str
    parts: tuple[str, ...]
    weights: tuple[float, ...]
    rule: str
    mean: float | None
    score: float | None
    sd: float | None


def method(store: Store, ask: Ask) -> Answer[MethodRow | MeanRow]:
    """Return the indicators that count for a place, then its dimensions, last the index; nothing where only a part of it may be seen."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_method", ask), lambda: _method(connection, ask))


def _method(connection: Connection, ask: Ask) -> Answer[MethodRow | MeanRow]:
    place, whole = place_of(connection, ask)
    held = level_of(connection, ask, place.level)
    if not whole or not held.indicators:
        return stamped(connection, (), notes=notes(ask))
    i, group = row_of(held, place.num), parents(connection, held.where)
    then = level_scored_before(connection, ask, place.level)
    mixes = _mixes(connection, ask, place, held.indicators)
    ours = counted_here(connection, ask, computed())
    rows: list[MethodRow | MeanRow] = [
        replace(_indicator(held, i, k, group == group[i], then, mixes.get(one.id)), brought=one.imported and one.id not in ours) for k, one in enumerate(held.indicators)]
    means = trees.scores(held.tree, held.scores[i:i + 1, :held.tree.n])[0][0]
    for node in range(held.tree.n, len(held.tree.ids)):
        children = held.tree.children[node]
        rows.append(MeanRow(id=held.tree.ids[node], parts=tuple(held.tree.ids[k] for k in children), weights=tuple(map(float, held.tree.weights[node])),
                            rule=held.tree.rules[node], mean=number(means[node]), score=number(held.scores[i, node]), sd=number(held.sd[i, node])))
    return stamped(connection, rows, notes=notes(ask))


def _indicator(held: Level, i: int, k: int, family: np.ndarray, then: Level | None = None, mix: MixRow | None = None) -> MethodRow:
    one, known = held.indicators[k], bool(held.known[i, k])
    tell = held.known[:, k]
    borrows = held.where.level > 0 and tell.sum() >= 2 and one.kind in ("share", "rate")
    kin = np.flatnonzero(family & tell)
    was = None if known or then is None else _was(then, i, one, family)
    node = next((n for n in range(held.tree.n, len(held.tree.ids)) if k in held.tree.children[n]), None)
    weight = 0.0 if node is None else float(held.tree.weights[node][list(held.tree.children[node]).index(k)])
    dimension = held.tree.ids[node] if node is not None else next(d.id for d in found().values() if one in d.indicators)
    return MethodRow(
        id=one.id, title=one.title, formula=one.formula, kind=one.kind, dimension=dimension, weight=weight, known=known,
        numerator=number(held.top[i, k]) if known else None, denominator=number(held.under[i, k]) if known else None,
        parent_numerator=float(held.top[kin, k].sum()) if borrows else None, parent_denominator=float(held.under[kin, k].sum()) if borrows else None,
        strength=_strength(held, kin, k) if borrows else None, own=number(held.own[i, k]), value=number(held.value[i, k]) if known else None,
        floor=one.floor, target=one.target, score=number(held.scores[i, k]), sd=number(held.sd[i, k]),
        last=None if was is None else was.score, quartile=None if known else number(held.stand_in[k]), mix=mix if known else None, was=was)


def _mixes(connection: Connection, ask: Ask, place: Place, indicators: tuple[Indicator, ...]) -> dict[str, MixRow]:
    """Return how the adjusted indicators of a place come out of its cases by category."""
    mix = mix_of(connection, ask.since, computed())
    wanted = [one for one in indicators if mix.weights.get(one.id)]
    if not wanted or mix.since is None or mix.until is None:
        return {}
    columns = tuple(sorted({name.partition("@")[0].removeprefix("cases.") for one in wanted for name in (one.top[0], one.under[0])}))
    named = {r.id: r for r in connection.execute(select(category))}
    held: dict[str, dict[str, int]] = {}
    words: dict[str, Words] = {}
    for number_, *values in sums_of(connection, ("category_id",), columns, [place.area_id], pieces(ask.since, ask.until)):
        if number_ not in named:
            continue
        r = named[number_]
        words[r.code] = {"zh": r.name, "en": r.name_en or r.name}
        of = held.setdefault(r.code, dict.fromkeys(columns, 0))
        for column, n in zip(columns, values, strict=True):
            of[column] += int(n)
    out = {}
    for one in wanted:
        good, _, codes = one.top[0].removeprefix("cases.").partition("@")
        due = one.under[0].partition("@")[0].removeprefix("cases.")
        mine = [c for c in (codes.split(",") if codes else held) if c in held]
        cases = sum(held[c][due] for c in mine)
        parts = tuple(MixPart(code=c, title=words[c], cases=held[c][due], weight=w) for c, w in sorted(mix.weights[one.id].items()) if c in mine and held[c][due])
        out[one.id] = MixRow(cases=cases, wrong=cases - sum(held[c][good] for c in mine), parts=parts, since=mix.since, until=mix.until)
    return out


def _strength(held: Level, kin: np.ndarray, k: int) -> float | None:
    """Return as how many cases the parent's share counts: one number for all areas of a parent, read from any of them."""
    if not len(kin):
        return None
    own, under = held.own[kin, k], held.under[kin, k]
    at = int(np.argmax(own))
    return float("inf") if own[at] == 0 else float(under[at] * (1 - own[at]) / own[at])


def _was(then: Level, i: int, one: Indicator, family: np.ndarray) -> MethodRow | None:
    """Return an area's indicator of the period before; None where it told nothing then either."""
    k = next((k for k, other in enumerate(then.indicators) if other.id == one.id), None)
    return None if k is None or not then.known[i, k] else _indicator(then, i, k, family)
