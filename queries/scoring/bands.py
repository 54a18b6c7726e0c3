"""Ranks as bands: what places a unit takes when data, weights and aggregation are drawn again and again.

Two units whose bands overlap are called equal. The draws are seeded: the same input gives the same bands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.scoring import aggregate


@dataclass(frozen=True, kw_only=True)
class Bands:
    """For each unit (1 = best): 5 %, middle and 95 % of its rank, and the chance to be in the best quarter; of its score 5 and 95 %."""

    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    best_quarter: np.ndarray
    score_low: np.ndarray
    score_high: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How it is drawn: how often, from which seed, weights ± a share of themselves, between which rules at the top."""

    n: int = 1000
    seed: int = 7
    weights: float = 0.25
    rules: tuple[str, ...] = ("geometric", "arithmetic")
    within: float = 0.90  # the band holds so much of the draws


def bands(groups: list[tuple[np.ndarray, np.ndarray, np.ndarray]], top: np.ndarray, draws: Draws, least: float, most: float) -> Bands:
    """Return the rank bands of units.

    `groups`: for each dimension (scores rows × indicators, their standard deviations, weights); `top`: the weights of the
    dimensions. Inside a dimension means are arithmetic, so a draw of it needs one number per unit: Σ w s and √(Σ w² sd²).
    Units without any score get NaN.
    """
    chance = np.random.Generator(np.random.SFC64(draws.seed))
    n = len(groups[0][0])
    held = [_ready(*one) for one in groups]
    ranks, scores = np.empty((draws.n, n), np.float32), np.empty((draws.n, n), np.float32)
    for k in range(draws.n):
        columns = np.empty((n, len(held)), np.float32)
        for j, (known, s, v, w) in enumerate(held):
            bent = (w * _bent(chance, len(w), draws.weights)).astype(np.float32)
            total = known @ bent
            with np.errstate(divide="ignore", invalid="ignore"):
                columns[:, j] = (s @ bent + np.sqrt(v @ bent**2) * chance.standard_normal(n, np.float32)) / total
        np.clip(columns, least, most, out=columns)
        rule = aggregate.rule(draws.rules[k % len(draws.rules)])
        scores[k] = rule(columns, (top * _bent(chance, len(top), draws.weights)).astype(np.float32))
        order = np.argsort(-scores[k], kind="stable")
        ranks[k, order] = np.arange(1, n + 1)
    nobody = np.isnan(scores).all(axis=0)
    tail = (1 - draws.within) / 2
    low, middle, high = np.quantile(ranks, (tail, 0.5, 1 - tail), axis=0, method="nearest")
    s_low, s_high = np.quantile(scores, (tail, 1 - tail), axis=0)
    quarter = (ranks <= np.ceil((~nobody).sum() / 4)).mean(axis=0)
    blank = lambda x: np.where(nobody, np.nan, x)  # noqa: E731
    return Bands(low=blank(low), middle=blank(middle), high=blank(high), best_quarter=blank(quarter), score_low=s_low, score_high=s_high)


def equal(low: np.ndarray, high: np.ndarray, i: int) -> np.ndarray:
    """Return which units' bands overlap that of unit i."""
    return (low <= high[i]) & (high >= low[i])


def _ready(scores: np.ndarray, sd: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    gaps = np.isnan(scores)
    return ((~gaps).astype(np.float32), np.where(gaps, 0, scores).astype(np.float32),
            np.where(gaps | np.isnan(sd), 0, sd).astype(np.float32) ** 2, np.asarray(w, float))


def _bent(chance: np.random.Generator, n: int, share: float) -> np.ndarray:
    return chance.uniform(1 - share, 1 + share, n)
