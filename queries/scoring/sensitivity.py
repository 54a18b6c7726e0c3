"""How much does each choice matter? First-order and total Sobol indices of a design in which choices are drawn.

A design is A, B and, for each factor, A with that factor's column from B (radial sampling): n (factors + 2) runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Indices:
    """First-order and total index of each factor."""

    first: np.ndarray
    total: np.ndarray


def sobol(y: np.ndarray, factors: int) -> Indices:
    """Return Sobol indices of outputs in the order A, B, AB1, AB2, ... (n each).

    First order: mean(yB (yABi − yA)) / V (Saltelli 2010); total: Σ (yA − yABi)² / 2nV (Jansen 1999); V over A and B.
    """
    n = len(y) // (factors + 2)
    a, b, ab = y[:n], y[n:2 * n], y[2 * n:].reshape(factors, n)
    v = np.concatenate((a, b)).var(ddof=1)
    if v == 0:
        return Indices(first=np.zeros(factors), total=np.zeros(factors))
    return Indices(first=(b * (ab - a)).mean(axis=1) / v, total=((a - ab) ** 2).sum(axis=1) / (2 * n * v))


def rank_shift(scores: np.ndarray, nominal: np.ndarray) -> np.ndarray:
    """Return for each run (rows of scores) the mean distance of the units' ranks from their nominal ranks."""
    return np.abs(standing(scores) - standing(nominal[None, :])).mean(axis=1)


def standing(scores: np.ndarray) -> np.ndarray:
    """Return ranks (1 = best, ties share the better one) of each row of scores."""
    out = np.empty(scores.shape)
    for row, s in zip(out, scores, strict=True):
        # Ties are found after rounding: the same score by two ways of adding is the same score.
        held = np.sort(-np.round(s, 12))
        row[:] = np.where(np.isnan(s), np.nan, np.searchsorted(held, -np.round(s, 12), "left") + 1)
    return out


def design(factors: int, n: int, seed: int) -> np.ndarray:
    """Return a Sobol design in [0, 1): n (factors + 2) rows in the order A, B, AB1, ..., n a power of two."""
    from SALib.sample import sobol as draw

    problem = {"num_vars": factors, "names": [f"f{i}" for i in range(factors)], "bounds": [[0, 1]] * factors}
    mixed = draw.sample(problem, n, calc_second_order=False, seed=seed).reshape(n, factors + 2, factors)
    # SALib interleaves A, AB1.., B for each base sample.
    return np.concatenate([mixed[:, 0], mixed[:, -1], *(mixed[:, i + 1] for i in range(factors))])
