"""Means of scores: rows are units, columns the parts of one node of the tree, one weight for each column.

A missing part is left out and the others weigh the more; `share_known` says how much of the weight was there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


def share_known(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return for each row the share of the weights whose score is known."""
    return (~np.isnan(x)) @ np.abs(w) / np.abs(w).sum()


def _known(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gaps = np.isnan(x)
    if not gaps.any():
        return x, np.broadcast_to(w / sum(w.tolist()), x.shape)
    held = np.where(gaps, 0.0, w)
    total = summed(held, np.ones(x.shape[1]))[:, None]
    # An unknown score weighs nothing; 1 stands in its place so that its logarithm and reciprocal are numbers.
    return np.where(gaps, 1.0, x), np.divide(held, total, out=np.full(x.shape, np.nan), where=(~gaps).any(axis=1, keepdims=True))


def summed(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return Σ w x of each row, part after part: the bits of a row must not depend on which rows come with it, as they do in a matrix product."""
    out = np.zeros(len(x))
    for k in range(x.shape[1]):
        out += x[:, k] * w[..., k]
    return out


def arithmetic(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return Σ w x."""
    if not np.isnan(x).any():
        return summed(x, w / sum(w.tolist()))
    return summed(*_known(x, w))


def geometric(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return Π x^w. Scores must be above zero."""
    x, w = _known(x, w)
    _positive(x)
    return np.exp(summed(np.log(x), w))


def product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return Π x^w with the weights as they are (1 = the plain product of factors); none where a factor is missing. Values must be above zero."""
    gone = np.isnan(x).any(axis=1)
    held = np.where(np.isnan(x), 1.0, x)
    _positive(held)
    return np.where(gone, np.nan, np.exp(summed(np.log(held), w)))


def harmonic(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return 1 / Σ (w / x). Scores must be above zero."""
    x, w = _known(x, w)
    _positive(x)
    return 1 / summed(1 / x, w)


def power(p: float) -> Rule:
    """Return the rule (Σ w x^p)^(1/p); p = 0 is the geometric mean."""
    def mean(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        x, w = _known(x, w)
        _positive(x)
        return (w * x**p).sum(axis=1) ** (1 / p)
    return geometric if p == 0 else mean


def penalised(sign: int, population: bool) -> Rule:
    """Return the Mazziotta–Pareto rule: mean ± variance / mean, of the parts of each unit (unequal parts are punished by −)."""
    def mean(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        middle = arithmetic(x, w)
        known, held = _known(x, w)
        n = (held > 0).sum(axis=1)
        spread = (held * (known - middle[:, None]) ** 2).sum(axis=1)
        if not population:
            spread = spread * n / np.where(n > 1, n - 1, np.nan)
        lost = (middle <= 0) & (spread > 0)
        if lost.any():
            # Around a mean of zero the penalty has no bound, below it the penalty becomes a reward.
            row = int(np.flatnonzero(lost)[0])
            raise ValueError(f"row {row + 1} has unequal parts and a mean of zero or less, by which their variance can't be divided; normalise to a range above zero (normalise.method = minmax or goalposts)")
        return middle + sign * np.divide(spread, middle, out=np.where(np.isnan(spread), np.nan, 0.0), where=middle > 0)
    return mean


def smallest(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the least part: no part can be bought off at all."""
    out, known = np.full(len(x), np.nan), ~np.isnan(x).all(axis=1)
    out[known] = np.nanmin(x[known], axis=1)
    return out


def median(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the middle part; weights do not count."""
    out, known = np.full(len(x), np.nan), ~np.isnan(x).all(axis=1)
    out[known] = np.nanmedian(x[known], axis=1)
    return out


def outranking(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return units × units: the weight of parts in which the row is better than the column, and half of those that are tied."""
    w, out = w / w.sum(), np.zeros((len(x), len(x)))
    for column, weight in zip(x.T, w, strict=True):
        out += weight * ((column[:, None] > column) + 0.5 * (column[:, None] == column))
    np.fill_diagonal(out, 0)
    return out


def copeland(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return how many units a unit outranks (more than half the weight) less how many outrank it."""
    # Halves are compared after rounding: weights such as 1/49 do not add up to them exactly.
    over = np.round(outranking(x, w) - 0.5, 12)
    np.fill_diagonal(over, 0)
    return np.sign(over).sum(axis=1)


def best_orders(x: np.ndarray, w: np.ndarray, most: int = 9) -> tuple[float, list[tuple[int, ...]]]:
    """Return the highest support and all orders of the units that reach it (Condorcet–Kemeny–Young–Levenglick).

    The support of an order is the sum of its outranking values over all pairs. Exact, so for at most nine units.
    """
    from itertools import permutations

    if len(x) > most:
        raise ValueError(f"An exact order of {len(x)} units is out of reach; at most {most}.")
    over = outranking(x, w)
    upper = np.triu_indices(len(x), 1)
    scored = [(round(float(over[np.ix_(p, p)][upper].sum()), 9), p) for p in permutations(range(len(x)))]
    best = max(score for score, _ in scored)
    return best, [p for score, p in scored if score == best]


def _positive(x: np.ndarray) -> None:
    if (x <= 0).any():
        row = int(np.flatnonzero((x <= 0).any(axis=1))[0])
        raise ValueError(f"row {row + 1} has a score of zero or less, of which there is no such mean; normalise to a range that begins above zero (normalise.low = 1)")


METHODS: dict[str, Rule] = {
    "arithmetic": arithmetic, "geometric": geometric, "harmonic": harmonic, "product": product, "min": smallest, "median": median,
    "mpi_minus": penalised(-1, False), "mpi_plus": penalised(1, False), "ampi_minus": penalised(-1, True), "ampi_plus": penalised(1, True),
    "copeland": copeland, "outranking": lambda x, w: outranking(x, w).sum(axis=1),
}


def rule(method: str) -> Rule:
    """Return a rule by name; `power:P` is the power mean of exponent P. Raises KeyError or ValueError."""
    return power(float(method.split(":", 1)[1])) if method.startswith("power:") else METHODS[method]
