"""Whether a catalogue holds together: its tree, its weights, and what each method needs. Refuses with the row and the reason."""

from __future__ import annotations

from dataclasses import replace

from queries.errors import CatalogueError
from queries.scoring import aggregate, normalise
from queries.scoring.catalogue import Catalogue, Item
from queries.scoring.catalogue_words import bad_row, not_known


def check(one: Catalogue) -> Catalogue:
    """Return a catalogue whose tree and choices hold together. Raises CatalogueError."""
    above = {item.parent for item in one.items}
    one = replace(one, items=tuple(replace(item, kind=item.kind or ("aggregate" if item.id in above else "indicator")) for item in one.items))
    if not one.indicators:
        raise CatalogueError("The catalogue has no indicators.", zh="目录中没有指标")
    ids = {}
    for i, item in enumerate(one.items, 1):
        if item.id in ids:
            raise bad_row(i, item.id, f"stands twice (first in row {ids[item.id]})", f"重复（首见第 {ids[item.id]} 行）")
        ids[item.id] = i
    if not any(item.parent or item.kind == "aggregate" for item in one.items):
        one = replace(one, items=tuple(replace(item, parent="index") for item in one.items))  # a flat list is one mean
    parents = {item.parent for item in one.items if item.parent}
    named = {item.id for item in one.items}
    nodes = one.items + tuple(Item(id=p, kind="aggregate", name=p) for p in dict.fromkeys(i.parent for i in one.items) if p and p not in named)
    by = {item.id: item for item in nodes}
    for i, item in enumerate(nodes, 1):
        if item.kind == "indicator" and item.id in parents:
            raise bad_row(i, item.id, "is an indicator and the parent of others; say kind = aggregate", "既是指标又是上级，请写 kind = aggregate")
        if item.kind == "aggregate" and item.id not in parents:
            raise bad_row(i, item.id, "has no parts", "没有下级")
        seen, at = {item.id}, item
        while at.parent:
            if at.parent in seen:
                raise bad_row(i, item.id, f"the levels go in a circle: {' → '.join([*seen, at.parent])}", "层级成环")
            seen.add(at.parent)
            at = by[at.parent]
        _check_item(one, i, item)
    for parent in [p for p in by if p in parents]:
        total = sum(item.weight for item in nodes if item.parent == parent)
        if total <= 0:
            raise CatalogueError(f"The weights of the parts of {parent!r} sum to {total:g}; at least one must be above zero.",
                                 zh=f"{parent!r} 下级权重之和为 {total:g}，至少一个须大于零")
        if one.weights.total and not one.weights.file and abs(total - one.weights.total) > 1e-6 * max(1.0, one.weights.total):
            raise CatalogueError(f"The weights of the parts of {parent!r} sum to {total:g}, not to {one.weights.total:g}.",
                                 zh=f"{parent!r} 下级权重之和为 {total:g}，应为 {one.weights.total:g}")
    for method in (*one.aggregate.levels, *(i.aggregate for i in nodes if i.aggregate), *one.bands.rules):
        try:
            aggregate.rule(method)
        except (KeyError, ValueError):
            raise not_known(method, [*aggregate.METHODS, "power:P"], "aggregate") from None
    return replace(one, items=nodes)


def _check_item(one: Catalogue, i: int, item: Item) -> None:
    if item.weight != item.weight or item.weight < 0 or item.weight == float("inf"):
        raise bad_row(i, item.id, f"weight {item.weight:g} is not a number of zero or more", f"权重 {item.weight:g} 不是非负数")
    if item.kind != "indicator":
        return
    if item.numerator and not item.denominator:
        raise bad_row(i, item.id, "has a numerator and no denominator", "有分子而没有分母")
    if item.shrink in ("marshall", "beta_binomial") and not item.numerator:
        raise bad_row(i, item.id, f"{item.shrink} needs numerator and denominator", f"{item.shrink} 需要分子和分母")
    if item.shrink == "fay_herriot" and not item.sd:
        raise bad_row(i, item.id, "fay_herriot needs sd (the column of standard errors)", "fay_herriot 需要 sd（标准误所在列）")
    method = item.normalise or one.normalise.method
    for name in normalise.NEEDS.get(method, ()):
        if getattr(item, name) != getattr(item, name):
            raise bad_row(i, item.id, f"normalise.method = {method} needs {name}; give it, or choose another method (such as --set normalise.method=minmax)",
                       f"normalise.method = {method} 需要 {name}；请补上或另选方法（如 --set normalise.method=minmax）")
    if method == "goalposts" and (item.target - item.floor) * item.direction <= 0:
        raise bad_row(i, item.id, f"floor {item.floor:g} and target {item.target:g} do not go with direction {item.direction:+d}", f"下限 {item.floor:g}、目标 {item.target:g} 与方向 {item.direction:+d} 不符")
