"""The words of a catalogue: other names for the same, what may be chosen, and how a wrong one is told."""

from __future__ import annotations

from difflib import get_close_matches

from queries.errors import CatalogueError
from queries.scoring import missing, normalise, treat, weigh

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
    "normalise.method": tuple(normalise.METHODS), "normalise.ties": ("min", "max", "mean"), "weights.method": weigh.METHODS, "weights.nodes": weigh.OF_NODES, "weights.of": ("values", "scores"),
    "change.rule": ("exact", "shapley"), "shrink": ("", "marshall", "beta_binomial", "fay_herriot"), "transform": ("", *treat.TRANSFORMS)}


def bad_row(i: int, id_: str, why: str, zh: str) -> CatalogueError:
    """Return the error of one row (1 = the first)."""
    return CatalogueError(f"Catalogue, row {i} ({id_}): {why}.", zh=f"目录第 {i} 行（{id_}）：{zh}")


def not_known(word: str, known: list[str], where: str, where_zh: str = "") -> CatalogueError:
    """Return the error of a word that is not known, with the nearest one."""
    near = get_close_matches(word, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
    return CatalogueError(f"Catalogue, {where}: {word!r} is not known. {hint}", zh=f"目录 {where_zh or where}：不认识 {word!r}。" + (f"是否为 {near[0]!r}？" if near else f"可用：{', '.join(known)}"))
