"""A catalogue: the indicators of an index, the tree they stand in, and every choice of method. Read from TOML or from a table.

Refuses what cannot be meant, with the row and the reason. Nothing here knows data.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from queries.errors import CatalogueError
from queries.scoring import aggregate, missing, normalise, treat, weigh
from queries.scoring.table import read_rows

#: The format that this program reads.
FORMAT = 1
NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One row: an indicator (it has data) or a node above (it has children). NaN and "" = not said."""

    id: str
    kind: str = "indicator"  # indicator, aggregate
    name: str = ""
    name_en: str = ""
    parent: str = ""
    direction: int = 1
    weight: float = 1.0
    unit: str = ""
    column: str = ""  # of the data, if not the id
    denominator: str = ""  # column to divide by
    scale: float = 1.0  # the quotient (or value) is multiplied by it
    numerator: str = ""  # with `denominator`: a rate whose parts can be summed and shrunk
    sd: str = ""  # column with the standard error of the value: Fay–Herriot
    floor: float = NAN
    target: float = NAN
    reference: float = NAN
    transform: str = ""  # of value, floor, target and reference, before anything else
    treat: str = ""  # none: this column is never treated
    aggregate: str = ""  # of a node: its rule of aggregation
    shrink: str = ""  # marshall, beta_binomial, fay_herriot
    normalise: str = ""  # a method of its own
    least_n: float = 0.0
    basis: str = ""
    basis_date: str = ""

    @property
    def of(self) -> str:
        """Return the column that holds its value."""
        return self.column or self.id


@dataclass(frozen=True, kw_only=True)
class Treatment(treat.Rule):
    """Rule of outliers; off unless a catalogue asks for it."""

    method: str = "none"


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Missing values: a policy, the column of groups, the least coverage of a score, what `constant` fills in."""

    policy: str = "skip"
    group: str = ""
    least: float = 0.6
    value: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Where weights come from: those of indicators and of the nodes above. `matrix`: an AHP file; `total`: what given ones must sum to."""

    method: str = "given"
    nodes: str = "given"
    matrix: str = ""
    most_inconsistent: float = weigh.CONSISTENT
    total: float = 0.0
    file: str = ""
    set: str = ""


@dataclass(frozen=True, kw_only=True)
class Means:
    """Rules of aggregation from the lowest level up; the last one also holds for all levels above it."""

    levels: tuple[str, ...] = ("arithmetic",)


@dataclass(frozen=True, kw_only=True)
class Small:
    """Small areas: the column that names the parent, and columns of covariates for Fay–Herriot."""

    parent: str = ""
    covariates: tuple[str, ...] = ()
    neighbours: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Rank bands: off unless draws are asked for. `sd`: scores have this standard deviation where no other is known."""

    draws: int = 0
    seed: int = 7
    weights: float = 0.25
    rules: tuple[str, ...] = ()
    sd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """How a change is taken apart: exact (logarithmic means; Shapley where there is no closed form) or shapley everywhere."""

    rule: str = "exact"


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Runs: a file with one row per run (or `sample` × (factors + 2) drawn ones), and what each of its columns sets."""

    design: str = ""
    weight_sets: str = ""
    sample: int = 0
    seed: int = 7
    node: str = ""
    factors: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """An index. `units`: the column that names a row; `period`: one that names its time; `reference`: times that give the scales."""

    format: int = FORMAT
    id: str = "index"
    version: str = "1"
    name: str = ""
    name_en: str = ""
    units: tuple[str, ...] = ()
    period: str = ""
    reference: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    treat: Treatment = field(default_factory=Treatment)
    missing: Gaps = field(default_factory=Gaps)
    normalise: normalise.Scale = field(default_factory=normalise.Scale)
    weights: Weights = field(default_factory=Weights)
    aggregate: Means = field(default_factory=Means)
    small: Small = field(default_factory=Small)
    bands: Drawn = field(default_factory=Drawn)
    change: Change = field(default_factory=Change)
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    folder: Path = Path(".")

    @property
    def indicators(self) -> tuple[Item, ...]:
        """Return the rows that have data."""
        return tuple(one for one in self.items if one.kind == "indicator")


SECTIONS = {"treat": Treatment, "missing": Gaps, "normalise": normalise.Scale, "weights": Weights, "aggregate": Means,
            "small": Small, "bands": Drawn, "change": Change, "sensitivity": Sensitivity}
#: Other names under which tables of indicators and functions of COIN tools bring the same.
NAMES = {"icode": "id", "code": "id", "iname": "name", "title": "name", "type": "kind", "level": "level", "lower": "floor", "upper": "target",
         "min": "floor", "max": "target", "goal": "target", "agg": "aggregate", "polarity": "direction", "gp": "reference", "ind": "id", "indicator": "id"}
METHOD_NAMES = {"a_amean": "arithmetic", "a_gmean": "geometric", "a_hmean": "harmonic", "a_copeland": "copeland", "arith_mean": "arithmetic",
                "geom_mean": "geometric", "harm_mean": "harmonic", "n_minmax": "minmax", "n_zscore": "zscore", "n_rank": "rank", "n_borda": "borda",
                "n_prank": "percentile_rank", "n_dist2max": "distance_to_max", "n_dist2targ": "target", "n_dist2ref": "distance_to_reference",
                "n_goalposts": "goalposts", "n_fracmax": "ratio_to_best", "n_scaled": "scaled", "i_mean": "mean", "i_median": "median",
                "i_mean_grp": "group_mean", "i_median_grp": "group_median", "log_ct": "log_ct"}
WORDS = {"direction": {"+": 1, "-": -1, "−": -1, "up": 1, "down": -1, "pos": 1, "neg": -1, "1": 1, "-1": -1, "1.0": 1, "-1.0": -1},
         "kind": {"indicator": "indicator", "aggregate": "aggregate", "group": "", "denominator": "", "other": "", "": "indicator"}}
CHOICES: dict[str, tuple[str, ...]] = {
    "treat.method": treat.METHODS, "treat.then": tuple(treat.TRANSFORMS), "missing.policy": missing.POLICIES,
    "normalise.method": tuple(normalise.METHODS), "normalise.ties": ("min", "max", "mean"), "weights.method": weigh.METHODS, "weights.nodes": weigh.METHODS,
    "change.rule": ("exact", "shapley"), "shrink": ("", "marshall", "beta_binomial", "fay_herriot"), "transform": ("", *treat.TRANSFORMS)}


def read(path: Path, sets: tuple[str, ...] = ()) -> Catalogue:
    """Return the catalogue of a TOML file or of a table of indicators; `sets` (KEY=VALUE) stand above it. Raises CatalogueError."""
    raw: dict[str, Any]
    if path.suffix.lower() == ".toml":
        try:
            raw = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, UnicodeError, tomllib.TOMLDecodeError) as bad:
            raise CatalogueError(f"{path.name} cannot be read: {bad}", zh=f"{path.name} 无法读取：{bad}") from None
        if "table" in raw:
            raw["indicators"] = _from_table(path.parent / str(raw.pop("table"))) + list(raw.get("indicators", []))
    else:
        raw = {"indicators": _from_table(path)}
    for one in sets:
        key, sign, value = one.partition("=")
        if not sign:
            raise CatalogueError(f"--set {one}: write KEY=VALUE, such as normalise.method=minmax", zh=f"--set {one}：请写成 键=值，如 normalise.method=minmax")
        put(raw, key.strip(), _literal(value.strip()))
    return make(raw, path.parent)


def put(raw: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key: of a section (normalise.method), of the whole (units) or of a row (indicators.ID.weight)."""
    first, *rest = key.split(".")
    if first == "indicators" and len(rest) == 2:
        for row in raw.get("indicators", []):
            if row.get("id") == rest[0]:
                row[rest[1]] = value
                return
        raise CatalogueError(f"{key}: no row has the id {rest[0]!r}", zh=f"{key}：没有编号为 {rest[0]!r} 的行")
    if rest:
        raw.setdefault(first, {})[".".join(rest)] = value
    else:
        raw[first] = value


def make(raw: dict[str, Any], folder: Path = Path(".")) -> Catalogue:
    """Return a checked catalogue from plain values. Raises CatalogueError."""
    raw = dict(raw)
    if not isinstance(raw.get("format", FORMAT), int) or raw.get("format", FORMAT) > FORMAT:
        raise CatalogueError(f"The catalogue is of format {raw['format']}; this program reads up to {FORMAT}. Use a newer program.",
                             zh=f"目录格式为 {raw['format']}，本程序只读到 {FORMAT}，请升级程序")
    rows = raw.pop("indicators", [])
    given: dict[str, Any] = {"folder": folder}
    for key, value in raw.items():
        if key in SECTIONS:
            given[key] = _section(key, value)
        elif key in {"format", "id", "version", "name", "name_en", "period"}:
            given[key] = value if key == "format" else str(value)
        elif key in {"units", "reference"}:
            given[key] = tuple(str(one) for one in value) if isinstance(value, list | tuple) else (str(value),)
        else:
            raise _unknown(key, [*SECTIONS, "format", "id", "version", "name", "name_en", "period", "units", "reference", "indicators", "table"], "catalogue")
    items = tuple(item for i, row in enumerate(rows, 1) if (item := _item(row, i)) is not None)
    made = Catalogue(**given, items=items)
    return check(made)


def check(one: Catalogue) -> Catalogue:
    """Return a catalogue whose tree and choices hold together. Raises CatalogueError."""
    if not one.indicators:
        raise CatalogueError("The catalogue has no indicators.", zh="目录中没有指标")
    ids = {}
    for i, item in enumerate(one.items, 1):
        if item.id in ids:
            raise _row(i, item.id, f"stands twice (first in row {ids[item.id]})", f"重复（首见第 {ids[item.id]} 行）")
        ids[item.id] = i
    if not any(item.parent or item.kind == "aggregate" for item in one.items):
        one = replace(one, items=tuple(replace(item, parent="index") for item in one.items))  # a flat list is one mean
    parents = {item.parent for item in one.items if item.parent}
    named = {item.id for item in one.items}
    nodes = one.items + tuple(Item(id=p, kind="aggregate", name=p) for p in dict.fromkeys(i.parent for i in one.items) if p and p not in named)
    by = {item.id: item for item in nodes}
    for i, item in enumerate(nodes, 1):
        if item.kind == "indicator" and item.id in parents:
            raise _row(i, item.id, "is an indicator and the parent of others; say kind = aggregate", "既是指标又是上级，请写 kind = aggregate")
        if item.kind == "aggregate" and item.id not in parents:
            raise _row(i, item.id, "has no parts", "没有下级")
        seen, at = {item.id}, item
        while at.parent:
            if at.parent in seen:
                raise _row(i, item.id, f"the levels go in a circle: {' → '.join([*seen, at.parent])}", "层级成环")
            seen.add(at.parent)
            at = by[at.parent]
        _check_item(one, i, item)
    for parent in [p for p in by if p in parents]:
        total = sum(item.weight for item in nodes if item.parent == parent)
        if total <= 0:
            raise CatalogueError(f"The weights of the parts of {parent!r} sum to {total:g}; at least one must be above zero.",
                                 zh=f"{parent!r} 下级权重之和为 {total:g}，至少一个须大于零")
        if one.weights.total and abs(total - one.weights.total) > 1e-6 * max(1.0, one.weights.total):
            raise CatalogueError(f"The weights of the parts of {parent!r} sum to {total:g}, not to {one.weights.total:g}.",
                                 zh=f"{parent!r} 下级权重之和为 {total:g}，应为 {one.weights.total:g}")
    for method in (*one.aggregate.levels, *(i.aggregate for i in nodes if i.aggregate), *one.bands.rules):
        try:
            aggregate.rule(method)
        except (KeyError, ValueError):
            raise _unknown(method, [*aggregate.METHODS, "power:P"], "aggregate") from None
    return replace(one, items=nodes)


def _check_item(one: Catalogue, i: int, item: Item) -> None:
    if item.weight != item.weight or item.weight < 0 or item.weight == float("inf"):
        raise _row(i, item.id, f"weight {item.weight:g} is not a number of zero or more", f"权重 {item.weight:g} 不是非负数")
    if item.kind != "indicator":
        return
    if item.numerator and not item.denominator:
        raise _row(i, item.id, "has a numerator and no denominator", "有分子而没有分母")
    if item.shrink in ("marshall", "beta_binomial") and not item.numerator:
        raise _row(i, item.id, f"{item.shrink} needs numerator and denominator", f"{item.shrink} 需要分子和分母")
    if item.shrink == "fay_herriot" and not item.sd:
        raise _row(i, item.id, "fay_herriot needs sd (the column of standard errors)", "fay_herriot 需要 sd（标准误所在列）")
    method = item.normalise or one.normalise.method
    for name in normalise.NEEDS.get(method, ()):
        if getattr(item, name) != getattr(item, name):
            raise _row(i, item.id, f"normalise.method = {method} needs {name}; give it, or choose another method (such as --set normalise.method=minmax)",
                       f"normalise.method = {method} 需要 {name}；请补上或另选方法（如 --set normalise.method=minmax）")
    if method == "goalposts" and (item.target - item.floor) * item.direction <= 0:
        raise _row(i, item.id, f"floor {item.floor:g} and target {item.target:g} do not go with direction {item.direction:+d}", f"下限 {item.floor:g}、目标 {item.target:g} 与方向 {item.direction:+d} 不符")


def _item(row: dict[str, Any], i: int) -> Item | None:
    held: dict[str, Any] = {}
    kinds = {f.name: f.type for f in fields(Item)}
    for key, value in row.items():
        name = NAMES.get(str(key).strip().lower(), str(key).strip().lower())
        if name == "level" or value is None or (isinstance(value, str) and value.strip() in ("", "NA")):
            continue
        if name not in kinds:
            raise _unknown(str(key), [*kinds, *NAMES], f"row {i}", f"第 {i} 行")
        if name in WORDS:
            word = str(value).strip().lower()
            if word not in WORDS[name]:
                raise _row(i, str(row.get("id", "")), f"{key} = {value!r} is not one of {', '.join(w for w in WORDS[name] if w)}", f"{key} = {value!r} 不在可选值内")
            value = WORDS[name][word]
            if value == "":
                return None  # a row that only describes a column of groups or denominators
        elif kinds[name] == "float":
            try:
                value = float(value)
            except (TypeError, ValueError):
                raise _row(i, str(row.get("id", "")), f"{key} = {value!r} is not a number", f"{key} = {value!r} 不是数") from None
        else:
            value = METHOD_NAMES.get(str(value).strip().lower(), str(value).strip()) if name in ("aggregate", "normalise", "shrink", "transform") else str(value).strip()
            if name in CHOICES and value not in CHOICES[name]:
                raise _unknown(value, list(CHOICES[name]), f"row {i}, {name}", f"第 {i} 行 {name}")
            if name == "normalise" and value not in normalise.METHODS:
                raise _unknown(value, list(normalise.METHODS), f"row {i}, {name}", f"第 {i} 行 {name}")
        held[name] = value
    if not held.get("id"):
        raise _row(i, "", "has no id", "没有编号")
    return Item(**held)


def _section(name: str, value: Any) -> Any:
    kind = SECTIONS[name]
    if not isinstance(value, dict):
        raise CatalogueError(f"[{name}] is a section, such as {name}.{fields(kind)[0].name} = ...", zh=f"[{name}] 是一节，请写其中的键")
    held: dict[str, Any] = {}
    known = {f.name: f for f in fields(kind)}
    for key, one in value.items():
        if name == "aggregate" and key == "method":
            key, one = "levels", [one]
        if key not in known:
            raise _unknown(key, list(known), f"[{name}]")
        default = getattr(kind(), key)
        if isinstance(default, tuple):
            one = tuple(METHOD_NAMES.get(str(x).lower(), str(x)) for x in (one if isinstance(one, list | tuple) else [one]))
        elif isinstance(default, bool | dict):
            if not isinstance(one, type(default)):
                raise CatalogueError(f"[{name}] {key} = {one!r}: write true or false.", zh=f"[{name}] {key} = {one!r}：应为 true 或 false")
        elif isinstance(default, int | float) or default is None:
            if key == "most" and one in ("none", ""):
                one = None
            elif isinstance(one, bool) or not isinstance(one, int | float) or one != one:
                raise CatalogueError(f"[{name}] {key} = {one!r} is not a number.", zh=f"[{name}] {key} = {one!r} 不是数")
        else:
            one = METHOD_NAMES.get(str(one).lower(), str(one))
            choices = CHOICES.get(f"{name}.{key}")
            if choices and one not in choices:
                raise _unknown(one, list(choices), f"[{name}] {key}")
        held[key] = one
    return kind(**held)


def _from_table(path: Path) -> list[dict[str, Any]]:
    names, rows = read_rows(path)
    return [{NAMES.get(n.strip().lower(), n.strip().lower()): v for n, v in zip(names, row, strict=True)} for row in rows]


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _row(i: int, id_: str, why: str, zh: str) -> CatalogueError:
    return CatalogueError(f"Catalogue, row {i} ({id_}): {why}.", zh=f"目录第 {i} 行（{id_}）：{zh}")


def _unknown(word: str, known: list[str], where: str, where_zh: str = "") -> CatalogueError:
    near = get_close_matches(word, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
    return CatalogueError(f"Catalogue, {where}: {word!r} is not known. {hint}", zh=f"目录 {where_zh or where}：不认识 {word!r}。" + (f"是否为 {near[0]!r}？" if near else f"可用：{', '.join(known)}"))
