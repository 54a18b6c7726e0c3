"""Runs a catalogue over a table, stage by stage, and keeps every stage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from queries.errors import CatalogueError, IndexDataError
from queries.scoring import bands, missing, normalise, shrink, treat, weigh
from queries.scoring import tree as trees
from queries.scoring.catalogue import Catalogue, Item
from queries.scoring.table import Data, matrix, read
from queries.scoring.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the data say before any choice: values of the indicators (rows × indicators), and what small areas need."""

    units: tuple[tuple[str, ...], ...]
    raw: np.ndarray
    values: np.ndarray  # after numerator/denominator, transform and scale
    top: np.ndarray  # NaN where an indicator is no rate
    under: np.ndarray
    sd: np.ndarray  # standard errors that came with the data
    group: np.ndarray
    parent: np.ndarray
    covariates: np.ndarray | None
    reference: np.ndarray  # rows that give the scales


@dataclass(frozen=True, kw_only=True)
class Run:
    """Every stage (rows × indicators, scores × nodes). `own`: weight of a row's own data; `sd`: of the scores."""

    inputs: Inputs
    tree: Tree
    filled: np.ndarray
    treated: np.ndarray
    normalised: np.ndarray
    touches: tuple[treat.Touch, ...]
    scores: np.ndarray
    coverage: np.ndarray
    own: np.ndarray
    sd: np.ndarray
    models: dict[str, shrink.FayHerriot] = field(default_factory=dict)

    @property
    def index(self) -> np.ndarray:
        """Return the scores at the top."""
        return self.scores[:, self.tree.top]


def inputs(one: Catalogue, data: Data) -> Inputs:
    """Return a table's columns as a catalogue means them. Raises IndexDataError."""
    n, items = len(data.rows), one.indicators
    raw, top, under, sd = (np.full((n, len(items)), np.nan) for _ in range(4))
    values = np.empty_like(raw)
    for j, item in enumerate(items):
        if item.numerator:
            top[:, j], under[:, j] = data.numbers(item.numerator), data.numbers(item.denominator, positive=True)
            _not_negative(data, item.numerator, top[:, j])
            raw[:, j], values[:, j] = top[:, j], top[:, j] / under[:, j] * item.scale
        else:
            raw[:, j] = data.numbers(item.of)
            values[:, j] = raw[:, j] / data.numbers(item.denominator, positive=True) * item.scale if item.denominator else raw[:, j] * item.scale
        if item.sd:
            sd[:, j] = data.numbers(item.sd, positive=True)
        values[:, j] = _transformed(item, values[:, j], data)
    names = (*_units(one, data), *((one.period,) if one.period else ()))
    words = [data.words(name) for name in names]
    units = tuple(zip(*(column.tolist() for column in words), strict=True)) if words else tuple((str(i + 1),) for i in range(n))
    seen: dict[tuple[str, ...], int] = {}
    for i, unit in enumerate(units):
        if unit in seen:
            raise IndexDataError(f"{data.file}, row {i + 1}: {' '.join(unit)} stands in row {seen[unit]} too. Rows of several times need the name of that column: period.",
                                 zh=f"{data.file} 第 {i + 1} 行：{' '.join(unit)} 与第 {seen[unit]} 行重复；若为多个时期，请用 period 指明时间列")
        seen[unit] = i + 1
    reference = np.ones(n, bool)
    if one.reference:
        if not one.period:
            raise CatalogueError("reference names times, but the catalogue has no period (the column of times).", zh="有 reference 而没有 period（时间列）")
        reference = np.isin(words[-1].astype(str), one.reference)
        if not reference.any():
            raise IndexDataError(f"{data.file}: no row is of the reference time {', '.join(one.reference)}.", zh=f"{data.file}：没有参照期 {', '.join(one.reference)} 的行")
    return Inputs(units=units, raw=raw, values=values, top=top, under=under, sd=sd, reference=reference,
                  group=data.words(one.missing.group).astype(str) if one.missing.group else np.zeros(n, int),
                  parent=data.words(one.small.parent).astype(str) if one.small.parent else np.zeros(n, int), covariates=_covariates(one, data))


def _units(one: Catalogue, data: Data) -> tuple[str, ...]:
    if one.units:
        return one.units
    if "uCode" in data.names:
        return ("uCode",)
    used = {name for item in one.items for name in (item.of, item.denominator, item.numerator, item.sd) if name}
    return () if data.names[0] in used else (data.names[0],)


def unit_names(one: Catalogue, data: Data) -> tuple[str, ...]:
    """Return the names of the columns that name a row."""
    return (*(_units(one, data) or ("row",)), *((one.period,) if one.period else ()))


def _not_negative(data: Data, name: str, x: np.ndarray) -> None:
    if (x < 0).any():
        i = int(np.flatnonzero(x < 0)[0])
        raise data.refusal(i, name, x[i], "a numerator must not be negative", "分子不得为负")


def _transformed(item: Item, x: np.ndarray, data: Data) -> np.ndarray:
    if not item.transform:
        return x
    with np.errstate(divide="ignore", invalid="ignore"):
        out = treat.TRANSFORMS[item.transform](x)
    wrong = ~np.isfinite(out) & ~np.isnan(x)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise data.refusal(i, item.of, x[i], f"has no {item.transform}", f"无法取 {item.transform}")
    return out


def _covariates(one: Catalogue, data: Data) -> np.ndarray | None:
    if not one.small.covariates:
        return None
    columns = [np.ones(len(data.rows))]
    for name in one.small.covariates:
        # `factor:NAME`: one column for each word but the first.
        if name.startswith("factor:"):
            words = data.words(name.removeprefix("factor:")).astype(str)
            columns += [(words == word).astype(float) for word in np.unique(words)[1:]]
        else:
            columns.append(data.numbers(name))
    return np.column_stack(columns)


def run(one: Catalogue, given: Inputs, before: np.ndarray | None = None, last: np.ndarray | None = None) -> Run:
    """Return all stages. `before`: values of the period before (for missing.policy = last); `last`: scores then (for cautious)."""
    values, own, sd, models = shrunk(one, given)
    filled = fill(one, given, values, before)
    treated, touches = treated_columns(one, filled)
    scores = normalised(one, treated, given.reference)
    tree = build(one, scores, treated)
    return finish(one, given, tree, filled, treated, touches, scores, own, sd, models, last)


def finish(one: Catalogue, given: Inputs, tree: Tree, filled: np.ndarray, treated: np.ndarray, touches: tuple[treat.Touch, ...],
           scores: np.ndarray, own: np.ndarray, sd: np.ndarray, models: dict[str, shrink.FayHerriot], last: np.ndarray | None = None) -> Run:
    """Return the run whose scores are already on their scale."""
    known = ~np.isnan(given.values) if one.missing.policy not in missing.FILLS else ~np.isnan(filled)
    if one.missing.policy == "cautious":
        scores = missing.cautious(scores, last)
    try:
        everything, cover = trees.scores(tree, scores, known, one.missing.least)
    except ValueError as bad:
        raise CatalogueError(f"aggregate: {bad}.", zh=f"aggregate：{bad}") from None
    return Run(inputs=given, tree=tree, filled=filled, treated=treated, normalised=scores, touches=touches, scores=everything,
               coverage=cover, own=own, sd=_score_sd(one, treated, sd), models=models)


def shrunk(one: Catalogue, given: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, shrink.FayHerriot]]:
    """Return values after borrowing from the parent, the weight of own data, the standard deviation that is left, and fitted models."""
    values, own, sd = given.values.copy(), np.where(np.isnan(given.values), 0.0, 1.0), np.zeros_like(given.values)
    models = {}
    for j, item in enumerate(one.indicators):
        if item.shrink in ("marshall", "beta_binomial"):
            done = getattr(shrink, item.shrink)(given.top[:, j], given.under[:, j], given.parent)
            known = ~np.isnan(given.values[:, j])
            values[known, j], own[known, j], sd[known, j] = done.value[known] * item.scale, done.own[known], done.sd[known] * item.scale
        elif item.shrink == "fay_herriot":
            try:
                fitted = models[item.id] = shrink.fay_herriot(given.values[:, j], given.sd[:, j] ** 2, given.covariates)
            except (ValueError, np.linalg.LinAlgError) as bad:
                raise IndexDataError(f"fay_herriot, {item.id}: {bad}.", zh=f"fay_herriot（{item.id}）：{bad}") from None
            values[:, j], own[:, j], sd[:, j] = fitted.value, fitted.own, np.sqrt(np.maximum(fitted.mse, 0))
        elif item.numerator:
            with np.errstate(invalid="ignore"):
                rate = given.top[:, j] / given.under[:, j]
                sd[:, j] = np.nan_to_num(np.sqrt(np.maximum(rate * np.maximum(1 - rate, 0), 0) / given.under[:, j])) * item.scale
    return values, own, sd, models


def fill(one: Catalogue, given: Inputs, values: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Return values with gaps filled, if the catalogue asks for it. Raises IndexDataError when it allows no gaps."""
    policy = one.missing.policy
    if policy == "refuse" and np.isnan(values).any():
        i, j = np.argwhere(np.isnan(values))[0]
        raise IndexDataError(f"row {i + 1} ({' '.join(given.units[i])}): {one.indicators[j].id} is missing, and missing.policy = refuse.",
                             zh=f"第 {i + 1} 行（{' '.join(given.units[i])}）缺 {one.indicators[j].id}，而 missing.policy = refuse")
    return missing.fill(values, policy, given.group, before, one.missing.value) if policy in missing.FILLS else values


def treated_columns(one: Catalogue, x: np.ndarray) -> tuple[np.ndarray, tuple[treat.Touch, ...]]:
    """Return the columns after treatment and what was done to each."""
    out, touches = x.copy(), []
    for j, item in enumerate(one.indicators):
        rule = replace(one.treat, method="none") if item.treat == "none" else one.treat
        out[:, j], touch = treat.treat(x[:, j], rule)
        touches.append(touch)
    return out, tuple(touches)


def normalised(one: Catalogue, x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return scores of the columns."""
    out, rows = np.empty_like(x), None if reference.all() else reference
    for j, item in enumerate(one.indicators):
        scale = replace(one.normalise, method=item.normalise) if item.normalise else one.normalise
        if item.direction < 0 and scale.method in normalise.RATIOS and (x[:, j] == 0).any():
            i = int(np.flatnonzero(x[:, j] == 0)[0])
            raise IndexDataError(f"row {i + 1}: {item.id} is 0, and {scale.method} takes the reciprocal where lower is better. Choose another normalise.method for it.",
                                 zh=f"第 {i + 1} 行：{item.id} 为 0，而 {scale.method} 对越低越好的指标取倒数，请另选 normalise.method")
        out[:, j] = normalise.normalise(x[:, j], item.direction, scale, posts(item), rows)
    return out


def posts(item: Item) -> normalise.Posts:
    """Return an item's goalposts on the scale of its values."""
    change = treat.TRANSFORMS[item.transform] if item.transform else lambda x: x
    return normalise.Posts(**{name: float(change(np.float64(getattr(item, name)))) for name in ("floor", "target", "reference")})


def _score_sd(one: Catalogue, x: np.ndarray, sd: np.ndarray) -> np.ndarray:
    # How far a score moves when its value does: exact for goalposts, the slope of the whole column for other scales.
    out = np.zeros_like(sd)
    for j, item in enumerate(one.indicators):
        if not (sd[:, j] > 0).any():
            continue
        width = abs(item.target - item.floor) if (item.normalise or one.normalise.method) == "goalposts" else np.nanmax(x[:, j]) - np.nanmin(x[:, j])
        out[:, j] = sd[:, j] * (one.normalise.high - one.normalise.low) / width if width else 0.0
    return out


def build(one: Catalogue, scores: np.ndarray, values: np.ndarray) -> Tree:
    """Return the tree with its weights and rules. Raises CatalogueError."""
    items = one.indicators
    order = {item.id: j for j, item in enumerate(items)}
    above = {item.id: item for item in one.items if item.kind != "indicator"}
    parts = {name: [item for item in one.items if item.parent == name] for name in above}
    height = dict.fromkeys(order, 0)

    def climb(name: str) -> int:
        if name not in height:
            height[name] = 1 + max(climb(part.id) for part in parts[name])
        return height[name]

    tops = sorted(above, key=climb)
    ids = (*order, *tops)
    number = {name: i for i, name in enumerate(ids)}
    given = _given(one)
    children, weights, rules = [()] * len(items), [np.zeros(0)] * len(items), [""] * len(items)
    for name in tops:
        at = tuple(number[part.id] for part in parts[name])
        low = all(i < len(items) for i in at)
        method = one.weights.method if low else one.weights.nodes
        children.append(at)
        weights.append(_weights(one, method, [given.get(p.id, p.weight) for p in parts[name]], parts[name], at, scores, values))
        levels = one.aggregate.levels
        rules.append(above[name].aggregate or levels[min(height[name], len(levels)) - 1])
    roots = [name for name in ids if not (above.get(name) or items[order[name]] if name in order else above[name]).parent]
    if len(roots) > 1:
        raise CatalogueError(f"The catalogue has {len(roots)} tops ({', '.join(roots[:5])}); an index has one. Give all but one a parent.",
                             zh=f"目录有 {len(roots)} 个顶层（{', '.join(roots[:5])}），指数只有一个")
    return Tree(ids=ids, n=len(items), children=tuple(children), weights=tuple(weights), rules=tuple(rules), height=tuple(height[i] for i in ids))


def _weights(one: Catalogue, method: str, given: list[float], parts: list[Item], at: tuple[int, ...], scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    if method == "equal":
        return np.ones(len(parts))
    if method == "ahp":
        judged = judge(one)
        lacking = [part.id for part in parts if part.id not in judged]
        if not lacking:
            return np.array([judged[part.id] for part in parts])
        if len(lacking) < len(parts) or not any(set(judged) >= group for group in _groups(one)):
            # One file holds one matrix: other groups keep their given weights. A group is never weighed otherwise than it was asked for.
            raise CatalogueError(f"{one.weights.matrix} does not judge {lacking[0]!r}, a part of {parts[0].parent!r}. It judges: {', '.join(judged)}.",
                                 zh=f"{one.weights.matrix} 没有对 {parts[0].parent!r} 的下级 {lacking[0]!r} 作判断；其中有：{'、'.join(judged)}")
    elif method in ("entropy", "critic", "pca") and max(at) < scores.shape[1] and len(at) > 1:
        columns = (values if method == "entropy" and one.weights.of == "values" else scores)[:, list(at)]
        if method == "entropy" and (below := np.argwhere(columns < 0)).size:
            raise CatalogueError(f"entropy needs numbers of zero and above; {parts[below[0][1]].id} has {columns[tuple(below[0])]:g}. Take it of scores that begin at zero: weights.of = \"scores\", normalise.method = \"minmax\".",
                                 zh=f"entropy 需要非负数；{parts[below[0][1]].id} 有 {columns[tuple(below[0])]:g}。可改用从零起的得分：weights.of = \"scores\"，normalise.method = \"minmax\"")
        made = getattr(weigh, method)(columns)
        if not np.isfinite(made).all() or (made < 0).any() or made.sum() <= 0:
            raise CatalogueError(f"{method} gives the parts of {parts[0].parent} weights that are negative or no numbers; it is a diagnosis here, choose given or equal.",
                                 zh=f"{method} 给 {parts[0].parent} 的下级算出负值或非数的权重；此处只能作诊断，请选 given 或 equal")
        return made
    told = np.array(given, float)
    if one.weights.file:
        _check_sum(one, parts[0].parent, told)
    return told


def _groups(one: Catalogue) -> list[set[str]]:
    """Return the parts of each node."""
    return [{item.id for item in one.items if item.parent == parent} for parent in {item.parent for item in one.items if item.parent}]


def _check_sum(one: Catalogue, parent: str, told: np.ndarray) -> None:
    """Refuse weights of a file that do not sum to what they should. Raises CatalogueError."""
    total, wanted = float(told.sum()), one.weights.total
    if total <= 0 or (wanted and abs(total - wanted) > 1e-6 * max(1.0, wanted)):
        should = f"to {wanted:g}" if wanted else "to more than zero"
        raise CatalogueError(f"{one.weights.file}: the weights of the parts of {parent!r} sum to {total:g}, not {should}.",
                             zh=f"{one.weights.file}：{parent!r} 下级权重之和为 {total:g}，应{'为 ' + format(wanted, 'g') if wanted else '大于零'}")


def judge(one: Catalogue) -> dict[str, float]:
    """Return the weights of the catalogue's AHP matrix by id. Raises CatalogueError."""
    names, square = matrix(one.folder / one.weights.matrix)
    try:
        judged = weigh.ahp(square)
    except ValueError as bad:
        raise CatalogueError(f"{one.weights.matrix}: {bad}.", zh=f"{one.weights.matrix}：{bad}") from None
    if judged.ratio > one.weights.most_inconsistent:
        raise CatalogueError(f"{one.weights.matrix}: the consistency ratio is {judged.ratio:.3f}, above {one.weights.most_inconsistent:g}; the judgements contradict each other. Ask again.",
                             zh=f"{one.weights.matrix}：一致性比率 {judged.ratio:.3f} 大于 {one.weights.most_inconsistent:g}，判断互相矛盾，请重新评判")
    return dict(zip(names, judged.weights.tolist(), strict=True))


_SETS: dict[tuple[Path, int], dict[str, dict[str, float]]] = {}


def weight_sets(path: Path) -> dict[str, dict[str, float]]:
    """Return {set: {id: weight}} of a file: columns set, id, weight; or id and one column for each set."""
    key = (path, path.stat().st_mtime_ns if path.exists() else 0)
    if key not in _SETS:
        data = read(path)
        low = {name.lower(): name for name in data.names}
        id_ = next((low[n] for n in ("icode", "id", "indicator", "code") if n in low), data.names[0])
        ids = data.words(id_)
        for name in [low["weight"]] if "weight" in low else [n for n in data.names if n != id_]:
            if (data.numbers(name) < 0).any():
                i = int(np.flatnonzero(data.numbers(name) < 0)[0])
                raise data.refusal(i, name, data.rows[i][data.at(name)], "a weight is zero or more", "权重不得为负")
        out: dict[str, dict[str, float]] = {}
        if "weight" in low:
            sets = data.words(low["set"]) if "set" in low else [""] * len(ids)
            for name, one, w in zip(sets, ids, data.numbers(low["weight"]), strict=True):
                out.setdefault(name, {})[one] = w
        else:
            for name in data.names:
                if name != id_:
                    out[name] = dict(zip(ids.tolist(), data.numbers(name).tolist(), strict=True))
        _SETS[key] = out
    return _SETS[key]


def _given(one: Catalogue) -> dict[str, float]:
    if not one.weights.file:
        return {}
    sets = weight_sets(one.folder / one.weights.file)
    if one.weights.set not in sets:
        raise CatalogueError(f"{one.weights.file} has no set of weights {one.weights.set!r}; it has {', '.join(list(sets)[:8])}.",
                             zh=f"{one.weights.file} 没有权重组 {one.weights.set!r}")
    return sets[one.weights.set]


def rank_bands(one: Catalogue, done: Run) -> bands.Bands:
    """Return the rank bands of a run's units."""
    tree = done.tree
    sd = np.where(done.sd > 0, done.sd, one.bands.sd)
    parts = tree.children[tree.top]
    groups = []
    for node in parts:
        # What each indicator weighs in this part of the index, whatever lies between.
        at = [node] if node < tree.n else _leaves(tree, node)
        w = np.array([one_ for _, one_ in at]) if node >= tree.n else np.ones(1)
        columns = [i for i, _ in at] if node >= tree.n else [node]
        groups.append((done.normalised[:, columns], sd[:, columns], w))
    rules = one.bands.rules or (tree.rules[tree.top],)
    drawn = bands.Draws(n=one.bands.draws, seed=one.bands.seed, weights=one.bands.weights, rules=rules)
    low, high = (one.normalise.low, one.normalise.high) if one.normalise.method in ("goalposts", "minmax") else (-np.inf, np.inf)
    try:
        return bands.bands(groups, tree.weights[tree.top], drawn, low, high)
    except ValueError as bad:
        raise CatalogueError(f"bands: {bad}.", zh=f"bands：{bad}") from None


def _leaves(tree: Tree, node: int) -> list[tuple[int, float]]:
    out = []
    for child, w in zip(tree.children[node], tree.weights[node] / tree.weights[node].sum(), strict=True):
        out += [(child, float(w))] if child < tree.n else [(leaf, w * more) for leaf, more in _leaves(tree, child)]
    return out
