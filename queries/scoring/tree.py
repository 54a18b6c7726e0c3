"""The tree of an index: indicators below, means above. Scores and their reasons go through it level by level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from queries.scoring import aggregate, change

BLOCK = 8192


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Nodes by number: the indicators first (in the order of the columns), then upwards; the last is the index.

    For each node its children, their weights and its rule; indicators have none.
    """

    ids: tuple[str, ...]
    n: int  # indicators
    children: tuple[tuple[int, ...], ...]
    weights: tuple[np.ndarray, ...]
    rules: tuple[str, ...]
    height: tuple[int, ...]

    @property
    def top(self) -> int:
        """Return the number of the index."""
        return len(self.ids) - 1

    def share(self) -> np.ndarray:
        """Return what share of the index each node carries by its weights alone."""
        out = np.zeros(len(self.ids))
        out[self.top] = 1.0
        for node in range(self.top, self.n - 1, -1):
            out[list(self.children[node])] += out[node] * self.weights[node] / self.weights[node].sum()
        return out


def _in_blocks(of: Callable[..., tuple[np.ndarray, np.ndarray]], n: int, *columns: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    # Rows do not know of each other; blocks that fit into the processor's cache keep the cost per row the same for any number.
    parts = [of(*(None if c is None else c[i:i + BLOCK] for c in columns)) for i in range(0, n, BLOCK)]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def scores(tree: Tree, x: np.ndarray, known: np.ndarray | None = None, least: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return (scores, coverage) of all nodes (rows × nodes). `known`: which scores are the unit's own; a node with less than `least` has none.

    Where `known` is told, what is not known has a score that stands for it. It counts upwards also through a node that has
    none itself: else a part could be got rid of by withholding half of it. Raises ValueError where a mean does not exist.
    """
    # Some rules rank the units among each other, and these need all rows at once.
    if len(x) > BLOCK and not set(tree.rules) & {"copeland", "outranking"}:
        return _in_blocks(lambda a, b: scores(tree, a, b, least), len(x), x, known)
    out = np.full((len(x), len(tree.ids)), np.nan)
    cover = np.zeros_like(out)
    out[:, :tree.n] = x
    cover[:, :tree.n] = ~np.isnan(x) if known is None else known
    for node in range(tree.n, len(tree.ids)):
        at, w = list(tree.children[node]), tree.weights[node]
        if not at:
            continue
        cover[:, node] = aggregate.summed(cover[:, at], w) / w.sum()
        value = aggregate.rule(tree.rules[node])(out[:, at], w)
        out[:, node] = np.where(cover[:, node] + 1e-9 >= least, value, np.nan) if least > 0 and known is None else value
    if least > 0 and known is not None:
        out[:, tree.n:] = np.where(cover[:, tree.n:] + 1e-9 >= least, out[:, tree.n:], np.nan)
    return out, cover


def reasons(tree: Tree, before: np.ndarray, after: np.ndarray, shapley: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return (contribution of each indicator, mix) to the change of the index; their sum is the change, NaN where there is none.

    `before`, `after`: scores of all nodes (rows × nodes). Mix: what came of parts that are known in one period only.
    """
    if len(before) > BLOCK and not set(tree.rules) & {"copeland", "outranking"}:
        return _in_blocks(lambda a, b: reasons(tree, a, b, shapley), len(before), before, after)
    factor, mix = np.zeros_like(before), np.zeros(len(before))
    factor[:, tree.top] = 1.0
    for node in range(tree.top, tree.n - 1, -1):
        at, w, rule = list(tree.children[node]), tree.weights[node], tree.rules[node]
        if not at:
            continue
        b, a = before[:, at], after[:, at]
        both = ~(np.isnan(b) | np.isnan(a))
        if rule in change.CLOSED and not shapley:
            multiplier, extra = change.parts(b, a, w, rule)
        else:
            part = change.shapley(b, a, w, aggregate.rule(rule))
            moved = both & (a != b)
            multiplier = np.divide(part, a - b, out=np.zeros_like(part), where=moved)
            extra = np.where(both, 0.0, np.nan_to_num(part))
        mine = factor[:, node]
        factor[:, at] = mine[:, None] * np.where(both, multiplier, 0.0)
        mix += mine * np.nan_to_num(extra).sum(axis=1)
    delta = np.nan_to_num(after[:, :tree.n] - before[:, :tree.n])
    nothing = np.isnan(before[:, tree.top]) | np.isnan(after[:, tree.top])
    return np.where(nothing[:, None], np.nan, factor[:, :tree.n] * delta), np.where(nothing, np.nan, mix)
