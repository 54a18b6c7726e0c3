"""The governance index of places: scores with their interval and coverage, why they moved, and what to do next.

It is computed here from the house's own sums by the catalogue of queries/index/; it is nobody's official score.
A score is the same whoever looks at it; who may see only a part of a place is told no score of the whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, select

from queries import places
from queries import scope as rights
from queries.answers import remembered, stamped
from queries.area_values import AreaColumns, standing
from queries.clock import day_bucket, local_day, now, stamp
from queries.errors import AskError
from queries.figures import AreaValue
from queries.frame import Answer, Ask
from queries.index import VERSION, found
from queries.index._dimension import Indicator, Words
from queries.index._level import LEAST, NINETY, SCALE, Level, level_scores, own_share, tree_of
from queries.index._tables import index_release
from queries.periods import last_year, next_month, previous
from queries.scoring import aggregate, bands, change
from queries.scoring import tree as trees
from queries.scoring.shrink import LEAST_OWN
from queries.store import Store
from queries.today import city_now

INDEX: Words = {"zh": "治理指数", "en": "Governance index"}
#: Why a place or an indicator has no score.
NO_SCORE: dict[str, Words] = {
    "not_connected": {"zh": "没有数据来源", "en": "nothing here tells of it"}, "rare": {"zh": "本级多数区域没有记录", "en": "most areas of this level have no records"},
    "no_data": {"zh": "本处期内没有记录", "en": "no records of this place and period"}, "coverage": {"zh": "数据不足（低于 60%）", "en": "too little data (under 60 %)"},
    "before": {"zh": "早于最早的记录", "en": "before the first record"}, "beside": {"zh": "只知现状，不计入总分", "en": "present state only; beside the index"}, "part": {"zh": "只能看到该处的一部分", "en": "you see only a part of this place"}}
#: Words of the grades; a score at a border is in the better one.
GRADES: tuple[tuple[float, Words], ...] = ((90, {"zh": "优", "en": "very good"}), (80, {"zh": "良", "en": "good"}), (70, {"zh": "中", "en": "fair"}), (0, {"zh": "待改进", "en": "to improve"}))
Against = Literal["previous", "last_year"]


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """The index, a dimension or an indicator of a place. `score` from 1 to 100; None = no score, and `no_score` says which kind.

    `low`, `high`: 90 % interval. `coverage`: share of the weight that the place's own records tell. `known` of `of` indicators.
    `own`: weight of its own data (the rest is borrowed from the parent). `value`, `numerator`, `denominator`: of an indicator.
    """

    id: str
    title: Words
    kind: Literal["index", "dimension", "indicator"]
    parent: str
    weight: float
    score: float | None
    low: float | None
    high: float | None
    coverage: float | None
    known: int
    of: int
    own: float | None
    before: float | None
    no_score: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    floor: float | None = None
    target: float | None = None
    formula: Words | None = None
    lacks: Words | None = None
    opens: str = ""


@dataclass(frozen=True, kw_only=True)
class WhyRow:
    """What one indicator did to the index between two periods; `areas` says where, and adds up to `points`."""

    id: str
    title: Words
    dimension: str
    points: float
    value_before: float | None
    value: float | None
    areas: tuple[tuple[str, Words, float], ...]
    opens: str


@dataclass(frozen=True, kw_only=True)
class PeerRow:
    """A place among those beside it. `low` to `high` is the band of its rank (1 = best); None = not ranked."""

    code: str
    title: Words
    score: float | None
    low: int | None
    high: int | None
    equal: bool  # its band overlaps that of the asked place, or of the best
    own: float
    no_score: str


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """A thing to do: bring one indicator of one place to what its better peers reach, and the index gains `points`."""

    code: str
    place: Words
    id: str
    title: Words
    value: float
    to: float
    points: float
    cases: float  # how many more (or fewer) of the numerator that takes
    opens: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreColumns(AreaColumns):
    """Scores of many areas in columns. `ranked`: at least 0.3 of the score is the area's own data."""

    ranked: np.ndarray


def index(store: Store, ask: Ask) -> Answer[ScoreRow]:
    """Return the index of a place, its dimensions and every indicator of the catalogue."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index", ask), lambda: _index(connection, ask))


def why(store: Store, ask: Ask, against: Against = "previous") -> Answer[WhyRow]:
    """Return what moved the index since another period, the largest first; points add up to the change (and `mix`, if any)."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_why", ask, against), lambda: _why(connection, ask, against))


def peers(store: Store, ask: Ask) -> Answer[PeerRow]:
    """Return the areas directly under a place (or beside it, where it has none) with the bands of their ranks."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_peers", ask), lambda: _peers(connection, ask))


@dataclass(frozen=True, kw_only=True)
class MonthRow:
    """The index of one month. `draft` = it is not over, or was never released; `released` = what was published then."""

    since: date
    until: date
    score: float | None
    released: float | None
    draft: bool


def months(store: Store, ask: Ask, n: int = 12) -> Answer[MonthRow]:
    """Return the index of a place in the months up to the ask's last day, each as it is computed now and as it was released."""
    with store.read() as connection:
        return remembered(connection, ("index_months", ask, n), lambda: _months(connection, ask, n))


def _months(connection: Connection, ask: Ask, n: int) -> Answer[MonthRow]:
    place, whole = _where(connection, ask)
    frozen = {(r.since, r.until): json.loads(r.scores) for r in connection.execute(select(index_release.c.since, index_release.c.until, index_release.c.scores).order_by(index_release.c.id))}
    rows: list[MonthRow] = []
    first = ask.until.replace(day=1)
    for _ in range(n if whole else 0):
        end = min(next_month(first) - timedelta(days=1), ask.until)
        held = _level_of(connection, ask.but(since=first, until=end), place.level)
        i = int(np.flatnonzero(held.where.code == place.code)[0]) if place.code in held.where.code else -1
        told = frozen.get((day_bucket(first), day_bucket(end)), {}).get(place.code, {})
        rows.append(MonthRow(since=first, until=end, score=_number(held.scores[i, held.tree.top]) if i >= 0 else None, released=told.get("index"),
                             draft=not told))
        first = (first - timedelta(days=1)).replace(day=1)
    return stamped(connection, rows[::-1], notes=_notes(ask))


def steps(store: Store, ask: Ask, most: int = 8) -> Answer[StepRow]:
    """Return the few places and indicators under a place where a realistic step moves the index most."""
    with store.read() as connection:
        ask = finished(connection, ask)
        return remembered(connection, ("index_steps", ask, most), lambda: _steps(connection, ask, most))


def index_values(store: Store, ask: Ask, of: str, level: int) -> Answer[AreaValue]:
    """Return the score of the index or of a dimension or indicator for every visible area of a level."""
    with store.read() as connection:
        ask = finished(connection, ask)
        held, mine = _level_of(connection, ask, level), standing(connection, ask, level)
        at = np.searchsorted(held.where.num, mine.num)
        node = held.tree.ids.index(of) if of in held.tree.ids else -1
        values = held.scores[at, node] if node >= 0 else np.full(len(at), np.nan)
        columns = ScoreColumns(area_id=mine.area_id, code=mine.code, dense=mine.dense, value=values, numerator=None, denominator=None,
                               ranked=own_share(held)[at] >= LEAST_OWN)
        return replace(stamped(connection, (), notes=_notes(ask)), rows=columns)


def finished(connection: Connection, ask: Ask) -> Ask:
    """Return an ask without the day that is not over, or of the day before it: a day's cases are not all due yet, and a score of it would fall and rise with the hour."""
    last = local_day(stamp(now()), city_now(connection).zone) - timedelta(days=1)
    return ask if ask.until <= last else ask.but(since=min(ask.since, last), until=last)


def weighed(held: Level, weights: tuple[int, ...]) -> Level:
    """Return a level whose index weighs its dimensions otherwise; nothing below the index changes. A release is never touched by it."""
    tree = _reweighed(held.tree, weights)
    if tree is held.tree:
        return held
    top, at, w = tree.top, list(tree.children[tree.top]), tree.weights[tree.top]
    scores, cover, sd = held.scores.copy(), held.coverage.copy(), held.sd.copy()
    cover[:, top] = cover[:, at] @ w / w.sum()
    scores[:, top] = np.where(cover[:, top] + 1e-9 >= LEAST, aggregate.geometric(scores[:, at], w), np.nan)
    sd[:, top] = np.sqrt((np.nan_to_num(w / w.sum() * scores[:, [top]] / scores[:, at] * sd[:, at]) ** 2).sum(axis=1))
    return replace(held, tree=tree, scores=scores, coverage=cover, sd=sd)


def weighted() -> list[str]:
    """Return the dimensions that are in the index, in the order in which weights are given."""
    return [one.id for one in found().values() if one.weight]


def _reweighed(tree: trees.Tree, weights: tuple[int, ...]) -> trees.Tree:
    given = dict(zip(weighted(), weights, strict=False))
    at = tree.children[tree.top]
    w = np.array([float(given.get(tree.ids[node], 0)) for node in at])
    if not weights or w.sum() <= 0 or not {tree.ids[node] for node in at} <= set(weighted()):
        return tree
    return replace(tree, weights=(*tree.weights[:-1], w))


def _level_of(connection: Connection, ask: Ask, level: int) -> Level:
    return weighed(level_scores(connection, ask, level), ask.weights)


def _notes(ask: Ask) -> tuple[Words, ...]:
    said: tuple[Words, ...] = ({"zh": f"计 {ask.since} 至 {ask.until}，未完的一天不计", "en": f"counts {ask.since} to {ask.until}; a day that is not over does not count"},
                               {"zh": f"自算参考，非官方评分；目录 {VERSION}", "en": f"computed here, not an official score; catalogue {VERSION}"})
    if ask.weights:
        said += ({"zh": f"试算：维度权重 {'/'.join(map(str, ask.weights))}，不影响任何发布", "en": f"what if: weights {'/'.join(map(str, ask.weights))}; no release is touched"},)
    if ask.filters.categories or ask.filters.departments:
        said += ({"zh": "指数不随筛选变化", "en": "the index follows no filters"},)
    return said


def _where(connection: Connection, ask: Ask) -> tuple[places.Place, bool]:
    place = places.find(connection, ask.place, ask.until, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    return place, len(visible) == 1 and visible[0].num == place.num


def _row(held: Level, num: int) -> int:
    return int(np.searchsorted(held.where.num, num))


def _number(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def _index(connection: Connection, ask: Ask) -> Answer[ScoreRow]:
    place, whole = _where(connection, ask)
    held = _level_of(connection, ask, place.level)
    i, then = _row(held, place.num), _before(connection, ask, place, "previous")
    rows = [_score(held, i, "index", INDEX, "index", "", 1.0, then, whole)]
    inside = {held.tree.ids[node] for node in held.tree.children[held.tree.top]}
    for one in found().values():
        rows.append(_score(held, i, one.id, one.title, "dimension", "index" if one.id in inside else "", one.weight, then, whole))
        rows += [_indicator(held, i, x, one.id, then, whole) for x in one.indicators]
    return stamped(connection, rows, notes=_notes(ask))


def _before(connection: Connection, ask: Ask, place: places.Place, against: Against) -> tuple[Level, int] | None:
    before = previous(ask.since, ask.until) if against == "previous" else last_year(ask.since, ask.until)
    asked = ask.but(since=before.since, until=before.until)
    try:
        there = places.find(connection, place.code, before.until)
    except AskError:
        return None
    held = _level_of(connection, asked, there.level)
    i = _row(held, there.num)
    return (held, i) if there.level == place.level and i < len(held.where.num) and held.where.num[i] == there.num else None


def _score(held: Level, i: int, id_: str, title: Words, kind: Any, parent: str, weight: float, then: tuple[Level, int] | None, whole: bool) -> ScoreRow:
    tree = held.tree
    node = tree.ids.index(id_) if id_ in tree.ids else -1
    below = [k for k in range(tree.n) if id_ == "index" or node >= 0 and k in tree.children[node]]
    of = sum(len(d.indicators) for d in found().values() if d.id == id_ or id_ == "index" and d.weight)
    known = int(held.known[i, below].sum()) if below else 0
    score = held.scores[i, node] if node >= 0 and whole else np.nan
    cover = float(held.coverage[i, node]) if node >= 0 else None
    kind_of = "" if not np.isnan(score) else "part" if not whole else "before" if not held.covered else "rare" if node < 0 else "no_data" if not cover else "coverage"
    wide = NINETY * held.sd[i, node] if node >= 0 else 0.0
    own = held.own[i, below].mean() if below else np.nan
    return ScoreRow(id=id_, title=title, kind=kind, parent=parent, weight=weight, score=_number(score), low=_number(max(score - wide, SCALE.low)),
                    high=_number(min(score + wide, SCALE.high)), coverage=cover, known=known, of=of, own=_number(own), before=_then(then, id_) if whole else None, no_score=kind_of)


def _then(then: tuple[Level, int] | None, id_: str) -> float | None:
    if then is None or id_ not in then[0].tree.ids:
        return None
    return _number(then[0].scores[then[1], then[0].tree.ids.index(id_)])


def _indicator(held: Level, i: int, one: Indicator, parent: str, then: tuple[Level, int] | None, whole: bool) -> ScoreRow:
    common = {"id": one.id, "title": one.title, "kind": "indicator", "parent": parent, "weight": one.weight, "of": 1, "floor": one.floor, "target": one.target,
              "formula": one.formula, "opens": one.opens}
    if one not in held.indicators or not whole:
        kind = "part" if not whole else "not_connected" if not one.top else "rare" if held.covered else "before"
        return ScoreRow(**common, score=None, low=None, high=None, coverage=None, known=0, own=None, before=None, no_score=kind, lacks=one.lacks)
    k = held.indicators.index(one)
    known, wide = bool(held.known[i, k]), NINETY * held.sd[i, k]
    score = held.scores[i, k]
    return ScoreRow(**common, score=_number(score), low=_number(max(score - wide, SCALE.low)), high=_number(min(score + wide, SCALE.high)), coverage=float(known),
                    known=int(known), own=_number(held.own[i, k]), before=_then(then, one.id), no_score="" if known else "no_data",
                    value=_number(held.value[i, k]), numerator=_number(held.top[i, k]), denominator=_number(held.under[i, k]))


def _why(connection: Connection, ask: Ask, against: Against) -> Answer[WhyRow]:
    place, whole = _where(connection, ask)
    now_, then = _level_of(connection, ask, place.level), _before(connection, ask, place, against)
    if then is None or not whole:
        return stamped(connection, (), notes=_notes(ask))
    was, j = then
    i = _row(now_, place.num)
    every = [x for d in found().values() for x in d.indicators if x in now_.indicators or x in was.indicators]
    tree = _reweighed(tree_of(now_.dimensions, tuple(every)), ask.weights)

    def on(held: Level, row: int) -> np.ndarray:
        line = np.array([[held.scores[row, held.indicators.index(x)] if x in held.indicators else np.nan for x in every]])
        out = trees.scores(tree, line)[0]
        out[0, tree.n:] = [held.scores[row, held.tree.ids.index(n)] if n in held.tree.ids else np.nan for n in tree.ids[tree.n:]]
        return out

    parts, mix = trees.reasons(tree, on(was, j), on(now_, i))
    if np.isnan(mix[0]):
        return stamped(connection, (), notes=_notes(ask))
    dimension = {x.id: d.id for d in found().values() for x in d.indicators}
    rows = []
    for k, one in enumerate(every):
        points = float(parts[0, k])
        a = now_.value[i, now_.indicators.index(one)] if one in now_.indicators else np.nan
        b = was.value[j, was.indicators.index(one)] if one in was.indicators else np.nan
        rows.append(WhyRow(id=one.id, title=one.title, dimension=dimension[one.id], points=points, value_before=_number(b), value=_number(a),
                           areas=_areas(connection, ask, place, one, points, against), opens=one.opens))
    if abs(mix[0]) > 1e-9:
        rows.append(WhyRow(id="mix", title={"zh": "指标有无的变化", "en": "indicators that came or went"}, dimension="", points=float(mix[0]), value_before=None, value=None, areas=(), opens=""))
    return stamped(connection, sorted(rows, key=lambda r: -abs(r.points)), notes=_notes(ask))


def _areas(connection: Connection, ask: Ask, place: places.Place, one: Indicator, points: float, against: Against) -> tuple[tuple[str, Words, float], ...]:
    """Return how much each area below moved an indicator, in points of the index; they add up to its points."""
    below = places.children(connection, place)
    if not below or not points:
        return ()
    level = below[0].level
    before = previous(ask.since, ask.until) if against == "previous" else last_year(ask.since, ask.until)
    now_, was = _level_of(connection, ask, level), _level_of(connection, ask.but(since=before.since, until=before.until), level)
    if one not in now_.indicators or one not in was.indicators or len(now_.where.num) != len(was.where.num):
        return ()
    at = [_row(now_, p.num) for p in below if p.level == level]
    k, m = now_.indicators.index(one), was.indicators.index(one)
    quad = [np.nan_to_num(x) for x in (was.top[at, m], was.under[at, m], now_.top[at, k], now_.under[at, k])]
    if not quad[1].sum() or not quad[3].sum():
        return ()
    moved = change.of_areas(*quad)
    total = moved.sum()
    if abs(total) < 1e-12:
        return ()
    shares = [(p.code, {"zh": p.name, "en": p.name_en or p.name}, float(points * m_ / total)) for p, m_ in zip(below, moved, strict=False)]
    return tuple(sorted(shares, key=lambda s: -abs(s[2])))


def _peers(connection: Connection, ask: Ask) -> Answer[PeerRow]:
    place, _ = _where(connection, ask)
    family = rights.parts(connection, rights.check(connection, ask.scope, place), place)
    family = [p for p in family if p.num != place.num]
    asked = None
    if not family and place.level:
        parent = places.chain(connection, place.num)[-2]
        family, asked = rights.parts(connection, rights.check(connection, ask.scope, parent), parent) if ask.scope.areas is None else [place], place.num
    if not family:
        return stamped(connection, (), notes=_notes(ask))
    level = family[0].level
    family = [p for p in family if p.level == level]
    held = _level_of(connection, ask, level)
    at = np.array([_row(held, p.num) for p in family])
    own, score = own_share(held)[at], held.scores[at, held.tree.top]
    low, high = _bands(held, at, np.isnan(score) | (own < LEAST_OWN))
    first = int(np.nanargmax(np.where(np.isnan(low), np.nan, score))) if (~np.isnan(low)).any() else -1
    mine = next((n for n, p in enumerate(family) if p.num == asked), first)
    same = bands.equal(low, high, mine) if mine >= 0 else np.zeros(len(at), bool)
    rows = [PeerRow(code=p.code, title={"zh": p.name, "en": p.name_en or p.name}, score=_number(score[n]), low=None if np.isnan(low[n]) else int(low[n]),
                    high=None if np.isnan(high[n]) else int(high[n]), equal=bool(same[n]), own=float(own[n]),
                    no_score="coverage" if np.isnan(score[n]) else "") for n, p in enumerate(family)]
    return stamped(connection, sorted(rows, key=lambda r: (r.score is None, -(r.score or 0))), notes=_notes(ask))


def _bands(held: Level, at: np.ndarray, out_of_it: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(len(at), np.nan), np.full(len(at), np.nan)
    ranked, tree = at[~out_of_it], held.tree
    if len(ranked) > 1:
        groups = [(held.scores[ranked][:, list(tree.children[d])], held.sd[ranked][:, list(tree.children[d])], tree.weights[d]) for d in tree.children[tree.top]]
        drawn = bands.bands(groups, tree.weights[tree.top], bands.Draws(), SCALE.low, SCALE.high)
        low[~out_of_it], high[~out_of_it] = drawn.low, drawn.high
    return low, high


def _steps(connection: Connection, ask: Ask, most: int) -> Answer[StepRow]:
    place, whole = _where(connection, ask)
    below = list(rights.parts(connection, rights.check(connection, ask.scope, place), place))
    held_here = _level_of(connection, ask, place.level)
    i = _row(held_here, place.num)
    if not below or not whole or np.isnan(held_here.scores[i, held_here.tree.top]):
        return stamped(connection, (), notes=_notes(ask))
    level = below[0].level
    below = [p for p in below if p.level == level]
    held = _level_of(connection, ask, level)
    at = np.array([_row(held, p.num) for p in below])
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
                                points=float(points), cases=float(np.ceil(gap * n)), opens=one.opens))
    return stamped(connection, sorted(rows, key=lambda r: -r.points)[:most], notes=_notes(ask))


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


def grade(score: float | None) -> Words | None:
    """Return the word of a score's grade; None without a score."""
    return None if score is None else next(word for least, word in GRADES if score >= least)


def catalogue() -> Sequence[dict[str, Any]]:
    """Return the catalogue as plain rows, for whoever wants to recompute a score by hand."""
    return [{"dimension": d.id, "dimension_weight": d.weight, "id": x.id, "title": x.title, "formula": x.formula, "floor": x.floor, "target": x.target,
             "weight": x.weight, "computed": bool(x.top), "lacks": x.lacks, "basis": x.basis or d.basis} for d in found().values() for x in d.indicators]


__all__ = ["LEAST", "catalogue", "grade", "index", "index_values", "months", "peers", "steps", "why"]
