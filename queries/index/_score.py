"""From counts to scores: rates → borrowed strength → goalposts → dimensions → index. The same counts give the same bits.

What all areas of a level share is kept from moving with a single case: how much areas differ is learned from the period
before and told in steps, and the peers' lower quartile in whole points. So a case of one area moves that area and those
under the same parent, and no other; where a step is passed, all are scored anew. `rescored` is that: it does a part of
the work of `score`, and comes to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from queries.index import catalogue
from queries.index._dimension import Catalogue, Dimension, Indicator
from queries.index._inputs import Inputs, computed
from queries.scoring import normalise, shrink
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
#: However near to all or nothing a parent's share is, it counts as so many cases at least where areas do not differ more than that;
#: and Jeffreys' half case of each outcome is added when it is asked how sure a share is.
LEAST_STRENGTH, HALF = 20.0, 0.5
#: Steps in a tenfold of how much areas differ: each is 12 %.
STEPS = 20
QUARTER = 0.25


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Scores from inputs alone. Arrays: areas × chosen indicators, or × nodes of `tree`. NaN = not known.

    `chosen`: the numbers of the indicators that count here; `few` of the others rest on less than 20 in all.
    `alone`: scores of the indicators before what is missing was filled with caution.
    """

    tree: Tree
    chosen: np.ndarray
    few: np.ndarray
    value: np.ndarray
    own: np.ndarray
    alone: np.ndarray
    scores: np.ndarray
    coverage: np.ndarray
    sd: np.ndarray
    shared: Shared


@dataclass(frozen=True, kw_only=True, eq=False)
class Shared:
    """What the areas of a level share. `names`: number of each area's group; `terms`: of each chosen indicator, by group (None = as it is).

    `bins`: how many areas score so many whole points (0 to 100) in each chosen indicator.
    """

    names: np.ndarray
    terms: tuple[shrink.Terms | None, ...]
    spread: tuple[float, ...]
    bins: np.ndarray

    @property
    def stand_in(self) -> np.ndarray:
        """Return the peers' lower quartile of each indicator in whole points, rounded down; NaN without peers."""
        n = self.bins.sum(axis=0)
        reached = self.bins.cumsum(axis=0) > np.floor(QUARTER * (n - 1))
        return np.where(n > 0, reached.argmax(axis=0), np.nan)


def score(given: Inputs, top_level: bool, was: Inputs | None = None, by: Catalogue | None = None) -> Scored:
    """Return the scores of a level. `was`: the period before, of the same areas: what a place withholds counts as it did then at most.

    `by`: the catalogue of a release; None = of this version.
    """
    return scored(given, top_level, score(was, top_level, by=by) if usable(given, top_level, was) else None, by)  # type: ignore[arg-type]


def usable(given: Inputs, top_level: bool, was: Inputs | None) -> bool:
    """Return whether a period before is of the same areas."""
    return was is not None and not top_level and len(was.num) == len(given.num) and bool((was.num == given.num).all())


def scored(given: Inputs, top_level: bool, before: Scored | None, by: Catalogue | None = None) -> Scored:
    """Return the scores of a level beside those of the period before."""
    by = by or catalogue()
    n, every = len(given.num), list(by.computed)
    chosen, few = _chosen(every, given)
    names = np.unique(given.group, return_inverse=True)[1] if n else np.zeros(0, int)
    size = int(names.max()) + 1 if n else 0
    terms = tuple(_terms(every[j], given, int(j), names, size, np.arange(n)) if not _plain(every[j], given, int(j), top_level) else None for j in chosen)
    shared = Shared(names=names, terms=terms, spread=_spreads(every, chosen, terms, before), bins=np.zeros((101, len(chosen)), np.int64))
    value, own, sd, alone = _alone(every, given, shared, chosen, np.arange(n))
    shared = replace(shared, bins=_bins(alone))
    tree = tree_of(by.dimensions, tuple(every[j] for j in chosen))
    scores, cover, spread = _above(tree, given, chosen, alone, sd, shared, before, top_level, np.arange(n))
    return Scored(tree=tree, chosen=chosen, few=few, value=value, own=own, alone=alone, scores=scores, coverage=cover, sd=spread, shared=shared)


def rescored(held: Scored, given: Inputs, top_level: bool, before: Scored | None, touched: np.ndarray) -> tuple[Scored, np.ndarray]:
    """Return the scores after some rows of the inputs changed, and which rows were scored anew: all of them where a shared step was passed."""
    every, n = computed(), len(given.num)
    chosen, few = _chosen(every, given)
    if len(chosen) == len(held.chosen) and (chosen == held.chosen).all() and [t is None for t in held.shared.terms] == [_plain(every[j], given, int(j), top_level) for j in chosen]:
        names = held.shared.names
        groups = np.unique(names[touched])
        at = np.flatnonzero(np.isin(names, groups))
        terms = tuple(None if old is None else _patched(old, _terms(every[j], given, int(j), names, len(old.mean), at), groups)
                      for j, old in zip(chosen, held.shared.terms, strict=True))
        shared = replace(held.shared, terms=terms, spread=_spreads(every, chosen, terms, before))
        if shared.spread == held.shared.spread:
            value, own, sd, alone = _alone(every, given, shared, chosen, at)
            shared = replace(shared, bins=held.shared.bins - _bins(held.alone[at]) + _bins(alone))
            if np.array_equal(shared.stand_in, held.shared.stand_in, equal_nan=True):
                scores, cover, spread = _above(held.tree, given, chosen, alone, sd, shared, before, top_level, at)
                parts = {"value": value, "own": own, "alone": alone, "scores": scores, "coverage": cover, "sd": spread}
                return replace(held, few=few, shared=shared, **{name: _put(getattr(held, name), at, part) for name, part in parts.items()}), at
    return scored(given, top_level, before), np.arange(n)


def _put(held: np.ndarray, at: np.ndarray, part: np.ndarray) -> np.ndarray:
    out = held.copy()  # others may be reading it
    out[at] = part
    return out


def _patched(old: shrink.Terms, new: shrink.Terms, groups: np.ndarray) -> shrink.Terms:
    return shrink.Terms(**{name: _put(getattr(old, name), groups, getattr(new, name)[groups]) for name in ("mean", "excess", "free", "prior", "total")})


def _chosen(every: list[Indicator], given: Inputs) -> tuple[np.ndarray, np.ndarray]:
    n = len(given.num)
    if not n:
        return np.zeros(0, int), np.zeros(0, int)
    told = given.known.sum(axis=0) >= TOLD * n
    # A rate of things over people rests on the things.
    rests = np.where(given.known, np.where([i.kind == "rate" for i in every], given.top, given.under), 0.0).sum(axis=0)
    enough = (rests >= np.array([i.least for i in every])) | np.array([i.kind in ("ratio", "value") for i in every])
    return np.flatnonzero(told & enough), np.flatnonzero(told & ~enough)


def _plain(one: Indicator, given: Inputs, j: int, top_level: bool) -> bool:
    """Return whether nothing is borrowed: there are no peers, or the figure is no share and no count."""
    return top_level or one.kind in ("ratio", "value") or int(given.known[:, j].sum()) < 2


def _of(given: Inputs, j: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ok = given.known[at, j]
    return ok, np.where(ok, given.top[at, j], 0.0), np.where(ok, given.under[at, j], 0.0)


def _terms(one: Indicator, given: Inputs, j: int, names: np.ndarray, size: int, at: np.ndarray) -> shrink.Terms:
    _, top, under = _of(given, j, at)
    return (shrink.count_terms if one.kind == "rate" else shrink.share_terms)(top, under, names[at], size)


def _spreads(every: list[Indicator], chosen: np.ndarray, terms: tuple[shrink.Terms | None, ...], before: Scored | None) -> tuple[float, ...]:
    known = {} if before is None else {int(j): before.shared.spread[k] for k, j in enumerate(before.chosen) if before.shared.terms[k] is not None}
    return tuple(0.0 if told is None or every[j].kind == "rate" else known[int(j)] if int(j) in known else _stepped(shrink.relative_spread(told))
                 for j, told in zip(chosen, terms, strict=True))


def _stepped(x: float) -> float:
    # p(1 − p) is a quarter at most: what lies below LEAST_SD for every rate makes no difference and is no step.
    return float(10 ** (np.round(np.log10(x) * STEPS) / STEPS)) if x / 4 > LEAST_SD**2 else 0.0


def _alone(every: list[Indicator], given: Inputs, shared: Shared, chosen: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return value, weight of own data, standard deviation and score of each chosen indicator, for some areas."""
    value, own, sd, alone = (np.full((len(at), len(chosen)), np.nan, order="F") for _ in range(4))
    for k, j in enumerate(chosen):
        one, (ok, top, under), told = every[j], _of(given, int(j), at), shared.terms[k]
        if told is None:
            value[:, k], own[:, k] = np.divide(top, under, out=np.full(len(at), np.nan), where=ok), np.where(ok, 1.0, 0.0)
            sd[:, k] = np.where(ok, _chance(one, top, under), np.nan)
        else:
            done = (shrink.counts_shrunk(top, under, shared.names[at], told, HALF) if one.kind == "rate"
                    else shrink.shares_shrunk(top, under, shared.names[at], told, shared.spread[k], LEAST_SD, HALF, LEAST_STRENGTH))
            value[:, k], own[:, k], sd[:, k] = np.where(ok, done.value, np.nan), np.where(ok, done.own, 0.0), done.sd
        alone[:, k] = normalise.normalise(value[:, k], one.direction, SCALE, normalise.Posts(floor=one.floor, target=one.target))
        sd[:, k] *= 99 / abs(one.target - one.floor)
    return value, own, sd, alone


def _chance(one: Indicator, top: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Return by how much chance alone moves a figure."""
    if one.kind in ("ratio", "value"):
        return np.zeros(len(top))
    if one.kind == "rate":
        return np.divide(np.sqrt(top + 1), under, out=np.zeros(len(top)), where=under > 0)
    # One success and one failure more: a rate of 100 % of few is not certain.
    soft = (top + 1) / (under + 2)
    return np.sqrt(soft * (1 - soft) / (under + 2))


def _bins(alone: np.ndarray) -> np.ndarray:
    out = np.zeros((101, alone.shape[1]), np.int64)
    for k in range(alone.shape[1]):
        told = alone[:, k][~np.isnan(alone[:, k])]
        out[:, k] = np.bincount(np.floor(told).astype(np.int64), minlength=101)
    return out


def _above(tree: Tree, given: Inputs, chosen: np.ndarray, alone: np.ndarray, sd: np.ndarray, shared: Shared, before: Scored | None, top_level: bool,
           at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, coverage and standard deviation of all nodes, for some areas."""
    careful = alone
    if not top_level and len(chosen):
        # Withholding never pays: what a place does not tell counts as the lower of its own last score and the peers' lower quartile.
        stand = np.broadcast_to(shared.stand_in, alone.shape)
        if before is not None:
            column = {int(j): before.alone[at, k] for k, j in enumerate(before.chosen)}
            stand = np.fmin(stand, np.column_stack([column.get(int(j), np.full(len(at), np.nan)) for j in chosen]))
        careful = np.where(np.isnan(alone), stand, alone)
    scores, cover = trees.scores(tree, careful, given.known[np.ix_(at, chosen)], LEAST)
    return scores, cover, _spread(tree, scores, np.nan_to_num(sd))


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
        lasting = tuple(i for i in at if not indicators[i].now_only)
        if one.weight and lasting:
            # One indicator is no dimension: it is shown, and a quarter of the index does not hang on it.
            at = lasting
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
        w = tree.weights[node] / max(tree.weights[node].sum(), 1e-12)
        for k, part in enumerate(tree.children[node]):
            slope = w[k] if tree.rules[node] == "arithmetic" else w[k] * scores[:, node] / scores[:, part]
            moved = np.nan_to_num(slope * out[:, part])
            out[:, node] += moved * moved
        out[:, node] = np.sqrt(out[:, node])
    return out
