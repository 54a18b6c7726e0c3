"""Runs an index again and again with other choices: which choice moves the ranks most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from queries.errors import CatalogueError
from queries.scoring import engine, missing, sensitivity
from queries.scoring import tree as trees
from queries.scoring.catalogue import SECTIONS, Catalogue
from queries.scoring.catalogue_file import section_of
from queries.scoring.table import read


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Scores of every run (runs × units), the nominal ones, and the Sobol indices of the factors (none for a free list of runs)."""

    factors: tuple[str, ...]
    nominal: np.ndarray
    scores: np.ndarray
    indices: sensitivity.Indices | None


def replay(one: Catalogue, given: engine.Inputs) -> Replay:
    """Return the runs that a catalogue's [sensitivity] asks for. Raises CatalogueError."""
    wanted = one.sensitivity
    factors = _factors(one)
    if not factors:
        raise CatalogueError("[sensitivity] has no factors.", zh="[sensitivity] 没有因素")
    runs = _designed(one) if wanted.design else _drawn(one)
    filled = engine.fill(one, given, engine.shrunk(one, given)[0], None)
    known = ~np.isnan(filled if one.missing.policy in missing.FILLS else given.values)
    kept: dict[str, Any] = {}

    def scored(changes: dict[str, Any]) -> np.ndarray:
        mine = _changed(one, changes)
        first = repr(mine.treat)
        if first not in kept:
            kept[first] = engine.treated_columns(mine, filled)
        second = first + repr(mine.normalise)
        if second not in kept:
            kept[second] = engine.normalised(mine, kept[first][0], given.reference)
        tree = engine.build(mine, kept[second], kept[first][0])
        node = tree.ids.index(wanted.node) if wanted.node in tree.ids else tree.top
        try:
            return trees.scores(tree, kept[second], known, mine.missing.least)[0][:, node]
        except ValueError as bad:
            raise CatalogueError(f"[sensitivity] {changes}: {bad}.", zh=f"[sensitivity] {changes}：{bad}") from None

    nominal = scored({})
    scores = np.array([scored(changes) for changes in runs])
    n, odd = divmod(len(runs), len(factors) + 2)
    indices = None if odd or n < 2 else sensitivity.sobol(sensitivity.rank_shift(scores, nominal), len(factors))
    return Replay(factors=factors, nominal=nominal, scores=scores, indices=indices)


def _factors(one: Catalogue) -> tuple[str, ...]:
    """Return the factors in the order in which the design varies them: that of its columns."""
    if not one.sensitivity.design:
        return tuple(one.sensitivity.factors)
    data = read(one.folder / one.sensitivity.design)
    for name in one.sensitivity.factors:
        data.at(name)
    return tuple(name for name in data.names if name in one.sensitivity.factors)


def _designed(one: Catalogue) -> list[dict[str, Any]]:
    data = read(one.folder / one.sensitivity.design)
    columns = {name: data.words(name) for name in one.sensitivity.factors}
    return [_of(one, {name: columns[name][i] for name in columns}) for i in range(len(data.rows))]


def _drawn(one: Catalogue) -> list[dict[str, Any]]:
    n = one.sensitivity.sample
    if n < 2 or n & (n - 1):
        raise CatalogueError(f"[sensitivity] sample = {n}: a Sobol sample has a power of two (1024 is good).", zh=f"[sensitivity] sample = {n}：须为 2 的幂（1024 较好）")
    choices = {}
    for name, what in one.sensitivity.factors.items():
        if isinstance(what, str) and what == "weights.set":
            choices[name] = list(engine.weight_sets(one.folder / one.sensitivity.weight_sets))
        elif isinstance(what, dict) and "key" in what:
            choices[name] = list(what.get("choices", []))
        elif isinstance(what, dict):
            choices[name] = list(what)
        if not choices.get(name):
            raise CatalogueError(f"[sensitivity] factor {name}: it needs choices to be drawn from.", zh=f"[sensitivity] 因素 {name}：需要可抽取的选项")
    drawn = sensitivity.design(len(choices), n, one.sensitivity.seed)
    return [_of(one, {name: options[int(u * len(options))] for (name, options), u in zip(choices.items(), row, strict=True)}) for row in drawn]


def _of(one: Catalogue, values: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that one run sets."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        what = one.sensitivity.factors[name]
        if isinstance(what, dict) and "key" not in what:
            if str(value) not in what:
                raise CatalogueError(f"[sensitivity] factor {name} has no choice {value!r}; it has {', '.join(what)}.", zh=f"[sensitivity] 因素 {name} 没有选项 {value!r}")
            changes |= _flat(what[str(value)])
        else:
            changes[what if isinstance(what, str) else str(what["key"])] = value
    return changes


def _flat(table: dict[str, Any], before: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in table.items():
        out |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return out


def _changed(one: Catalogue, changes: dict[str, Any]) -> Catalogue:
    by: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        section, _, name = key.partition(".")
        if section == "exclude":
            items = tuple(replace(item, weight=0.0) if item.id == value else item for item in one.items)
            one = replace(one, items=items)
            continue
        if section not in SECTIONS:
            raise CatalogueError(f"[sensitivity] {key!r} is no choice of a section.", zh=f"[sensitivity] {key!r} 不是某一节的选项")
        by.setdefault(section, {})[name] = _number(value) if (section, name) != ("weights", "set") else str(value)
    for section, held in by.items():
        fresh = section_of(section, held)
        same = {("levels" if section == "aggregate" and name == "method" else name) for name in held}
        one = replace(one, **{section: replace(getattr(one, section), **{name: getattr(fresh, name) for name in same})})
    if "weights" in by and "set" in by["weights"] and one.sensitivity.weight_sets:
        one = replace(one, weights=replace(one.weights, file=one.sensitivity.weight_sets))
    return one


def _number(value: Any) -> Any:
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value
