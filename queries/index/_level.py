"""Scores of every area of one level for one period: counts → rates → borrowed strength → goalposts → dimensions → index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from queries.answers import remembered
from queries.area_values import Standing, standing
from queries.clock import now
from queries.frame import EVERYTHING, Ask
from queries.index import found
from queries.index._counts import counts, made, parents, plain
from queries.index._dimension import Dimension, Indicator
from queries.kpi import covered
from queries.loop.evaluate import WATCHED
from queries.periods import previous
from queries.scoring import missing, normalise, shrink
from queries.scoring import tree as trees
from queries.scoring.tree import Tree

#: Scores lie on 1 to 100, so that a mean across dimensions never meets a zero.
SCALE = normalise.Scale(method="goalposts", low=1.0, high=100.0)
LEAST = 0.6
#: An indicator counts on a level where at least this share of its areas has something to tell.
TOLD = 0.5
#: And where all its areas together rest on at least so many.
LEAST_N = 20
NINETY = 1.645
#: Areas are taken to differ by at least two points of a hundred: some 120 cases of a rate near 95 % are half their own.
LEAST_SD = 0.02


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """All areas of a level. Arrays: areas × indicators (or × nodes of `tree`). NaN = not known.

    `indicators`: those that count here; `rare`: computed ones of which too few areas tell. `own`: weight of own data.
    """

    where: Standing
    tree: Tree
    dimensions: tuple[Dimension, ...]
    indicators: tuple[Indicator, ...]
    rare: tuple[Indicator, ...]
    top: np.ndarray
    under: np.ndarray
    value: np.ndarray
    own: np.ndarray
    known: np.ndarray
    scores: np.ndarray
    coverage: np.ndarray
    sd: np.ndarray  # of the scores of all nodes
    covered: bool


def level_scores(connection: Connection, ask: Ask, level: int) -> Level:
    """Return the level's scores over the whole city, whoever asks: a score must not depend on who looks at it."""
    asked = Ask(scope=EVERYTHING, since=ask.since, until=ask.until)
    # Which sensors are silent changes without any new data; once an hour is often enough for a score of days.
    key = ("index_level", asked.since, asked.until, level, int(now().timestamp()) // 3600)
    return remembered(connection, key, lambda: _made(connection, asked, level), ageless=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a level's scores are made of: for each computed indicator (columns) numerator, denominator and whether they tell."""

    num: np.ndarray
    group: np.ndarray  # number of the parent
    top: np.ndarray
    under: np.ndarray
    known: np.ndarray
    covered: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Scores from inputs alone; the same inputs give the same bits."""

    tree: Tree
    chosen: np.ndarray
    value: np.ndarray
    own: np.ndarray
    alone: np.ndarray  # scores of the indicators before what is missing was filled with caution
    scores: np.ndarray
    coverage: np.ndarray
    sd: np.ndarray


def computed() -> list[Indicator]:
    """Return the indicators that are made of counts of this house, in order."""
    return [i for d in found().values() for i in d.indicators if i.top]


def read_inputs(connection: Connection, ask: Ask, where: Standing) -> Inputs:
    """Return the counts of a level for the days of an ask."""
    every, n = computed(), len(where.num)
    seen = covered(connection, ask)
    held = counts(connection, ask, where, [n for i in every for n in plain((*i.top, *i.under, *i.minus))] + [WATCHED])
    top = np.column_stack([np.zeros(n) + made(held, i.top) - made(held, i.minus) for i in every])
    under = np.column_stack([np.zeros(n) + made(held, i.under) for i in every])
    if not seen:
        under = np.full_like(under, np.nan)
    # More taken back than done: it is of the time before, and says nothing of this one.
    known = (under > 0) & (top >= 0) & (top <= under + 1e-9)
    # Where no step was ever taken here, nobody recorded failed checks or repeats either: none told is not zero.
    known &= np.array([all("." in name for name in plain((*i.top, *i.minus))) for i in every]) | (held[WATCHED] > 0)[:, None]
    return Inputs(num=where.num, group=parents(connection, where), top=top, under=under, known=known, covered=seen)


def score(given: Inputs, top_level: bool, was: Inputs | None = None) -> Scored:
    """Return the scores of a level. `was`: the period before, of the same areas: what a place withholds counts as it did then at most."""
    every, n = computed(), len(given.num)
    rests = np.where(given.known, given.under, 0.0).sum(axis=0)
    chosen = np.flatnonzero((given.known.mean(axis=0) >= TOLD) & (rests >= LEAST_N)) if n else np.zeros(0, int)
    value, own, sd, alone = (np.full((n, len(chosen)), np.nan) for _ in range(4))
    for k, j in enumerate(chosen):
        ok, top, under = given.known[:, j], given.top[:, j], given.under[:, j]
        if top_level or ok.sum() < 2:
            rate = np.divide(top, under, out=np.full(n, np.nan), where=ok)
            value[:, k], own[:, k] = rate, np.where(ok, 1.0, 0.0)
            # One success and one failure more: a rate of 100 % of few is not certain.
            soft = (np.where(ok, top, 0) + 1) / (np.where(ok, under, 0) + 2)
            sd[:, k] = np.where(ok, np.sqrt(soft * (1 - soft) / (np.where(ok, under, 0) + 2)), np.nan)
        else:
            done = shrink.beta_binomial(np.where(ok, top, 0), np.where(ok, under, 0), given.group, pooled=True, least_sd=LEAST_SD)
            value[:, k], own[:, k], sd[:, k] = np.where(ok, done.value, np.nan), np.where(ok, done.own, 0.0), done.sd
        one = every[j]
        alone[:, k] = normalise.normalise(value[:, k], one.direction, SCALE, normalise.Posts(floor=one.floor, target=one.target))
        sd[:, k] *= 99 / abs(one.target - one.floor)
    last = None
    if was is not None and not top_level and len(was.num) == n and (was.num == given.num).all() and len(chosen):
        before = score(was, top_level)
        column = {int(j): before.alone[:, k] for k, j in enumerate(before.chosen)}
        last = np.column_stack([column.get(int(j), np.full(n, np.nan)) for j in chosen])
    # Withholding never pays: what a place does not tell counts as the lower of its own last score and the peers' lower quartile.
    careful = missing.cautious(alone, last) if not top_level and len(chosen) else alone
    tree = tree_of(tuple(found().values()), tuple(every[j] for j in chosen))
    everything, cover = trees.scores(tree, careful, given.known[:, chosen], LEAST)
    return Scored(tree=tree, chosen=chosen, value=value, own=own, alone=alone, scores=everything, coverage=cover,
                  sd=_spread(tree, everything, np.nan_to_num(sd)))


def _made(connection: Connection, ask: Ask, level: int) -> Level:
    where = standing(connection, ask, level)
    given, was = read_inputs(connection, ask, where), None
    if level > 0:
        before = previous(ask.since, ask.until)
        there = standing(connection, ask.but(until=before.until, since=before.since), level)
        was = read_inputs(connection, ask.but(since=before.since, until=before.until), there)
    done, every = score(given, level == 0, was), computed()
    rest = [j for j in range(len(every)) if j not in set(done.chosen.tolist())]
    return Level(where=where, tree=done.tree, dimensions=tuple(found().values()), indicators=tuple(every[j] for j in done.chosen),
                 rare=tuple(every[j] for j in rest), top=given.top[:, done.chosen], under=given.under[:, done.chosen], value=done.value, own=done.own,
                 known=given.known[:, done.chosen], scores=done.scores, coverage=done.coverage, sd=done.sd, covered=given.covered)


def tree_of(dimensions: tuple[Dimension, ...], indicators: tuple[Indicator, ...]) -> Tree:
    """Return the tree of the index over the indicators that count."""
    ids = [i.id for i in indicators]
    children: list[tuple[int, ...]] = [()] * len(ids)
    weights: list[np.ndarray] = [np.zeros(0)] * len(ids)
    rules, nodes = [""] * len(ids), list(ids)
    parts: list[tuple[int, float]] = []
    lone: list[tuple[int, float]] = []
    for one in dimensions:
        at = tuple(ids.index(i.id) for i in one.indicators if i.id in ids)
        if not at:
            continue
        # Cameras and sensors are known as they are now, not as they were: beside the index, so that days compare.
        if one.weight and not all(i.now_only for i in one.indicators if i.id in ids):
            # One indicator is no dimension: it is shown, and a quarter of the index does not hang on it.
            (parts if len(at) > 1 else lone).append((len(nodes), one.weight))
        nodes.append(one.id)
        children.append(at)
        weights.append(np.array([indicators[i].weight for i in at]))
        rules.append("arithmetic")
    parts = parts or lone
    nodes.append("index")
    children.append(tuple(p for p, _ in parts) or ((0,) if ids else ()))
    weights.append(np.array([w for _, w in parts] or ([1.0] if ids else [])))
    rules.append("geometric")
    return Tree(ids=tuple(nodes), n=len(ids), children=tuple(children), weights=tuple(weights), rules=tuple(rules),
                height=tuple([0] * len(ids) + [1] * (len(nodes) - len(ids) - 1) + [2]))


def _spread(tree: Tree, scores: np.ndarray, sd: np.ndarray) -> np.ndarray:
    # A dimension that tells too little has no score of its own and counts in the index all the same.
    scores, out = trees.scores(tree, scores[:, :tree.n])[0], np.zeros_like(scores)
    out[:, :tree.n] = sd
    for node in range(tree.n, len(tree.ids)):
        at, w = list(tree.children[node]), tree.weights[node] / max(tree.weights[node].sum(), 1e-12)
        slope = w if tree.rules[node] == "arithmetic" else w * scores[:, [node]] / scores[:, at]
        out[:, node] = np.sqrt((np.nan_to_num(slope * out[:, at]) ** 2).sum(axis=1))
    return out


def own_share(held: Level) -> np.ndarray:
    """Return for each area which share of its index rests on its own data."""
    w = held.tree.share()[:held.tree.n]
    return held.own @ w / w.sum() if w.sum() else np.zeros(len(held.own))
