"""Why did it move? The change of a score, taken apart into its parts so that they add up exactly.

For a mean of parts the change is Σ multiplier · Δpart + Σ mix, without a rest:
  arithmetic  multiplier w̄,                     mix (s̄ − D̄) Δw
  geometric   multiplier w̄ L(D1,D0) / L(s1,s0), mix L(D1,D0) (log s̄ − log D̄) Δw     (LMDI-I; L = logarithmic mean)
  product     multiplier w L(D1,D0) / L(s1,s0),  mix 0                                (LMDI-I of a product of factors)
  harmonic    multiplier w̄ D1 D0 / (s1 s0),     mix likewise on reciprocals
Because a part's change is again such a sum, multipliers multiply down the tree to the indicators. Weights change only
where a part is known in one of the two periods. For any other rule the parts are Shapley values (exact, up to 12 parts).
"""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np

from queries.scoring import aggregate

CLOSED = ("arithmetic", "geometric", "product", "harmonic")
MOST_PARTS = 12


def log_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return (a − b) / ln(a / b), which is a where both are equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (a - b) / b
        out = np.where(np.abs(t) > 1e-5, (a - b) / np.log1p(t), b * (1 + t / 2 - t * t / 12 + t**3 / 24))
    return np.where(a == b, a, out)


def parts(before: np.ndarray, after: np.ndarray, w: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (multiplier, mix) of each part (rows × parts) of one node; change = Σ multiplier · Δ + Σ mix.

    Where a part is missing in one period its Δ counts as zero and its coming or going is mix.
    """
    w0, w1 = _weights(before, w), _weights(after, w)
    s0, s1 = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    gone = np.isnan(s0)
    s0, s1 = np.where(gone, 1.0, s0), np.where(gone, 1.0, s1)
    mean, more = (w0 + w1) / 2, w1 - w0
    if method == "arithmetic":
        multiplier = mean
        height, level = (s0 + s1) / 2, ((w0 * s0).sum(1) + (w1 * s1).sum(1)) / 2
        mix = (height - level[:, None]) * more
    elif method == "geometric":
        l0, l1 = np.log(s0), np.log(s1)
        d0, d1 = (w0 * l0).sum(1), (w1 * l1).sum(1)
        whole = log_mean(np.exp(d1), np.exp(d0))[:, None]
        multiplier = mean * whole / log_mean(s1, s0)
        mix = whole * ((l0 + l1) / 2 - ((d0 + d1) / 2)[:, None]) * more
    elif method == "product":
        whole = log_mean(np.exp((w * np.log(s1)).sum(1)), np.exp((w * np.log(s0)).sum(1)))[:, None]
        multiplier, mix = w * whole / log_mean(s1, s0), np.zeros_like(s0)
    elif method == "harmonic":
        r0, r1 = 1 / s0, 1 / s1
        d0, d1 = (w0 * r0).sum(1), (w1 * r1).sum(1)
        whole = 1 / (d0 * d1)
        multiplier = mean * whole[:, None] * r0 * r1
        mix = -whole[:, None] * ((r0 + r1) / 2 - ((d0 + d1) / 2)[:, None]) * more
    else:
        raise ValueError(f"no closed form for {method}")
    return np.where(gone, 0.0, multiplier), np.where(gone, 0.0, mix)


def shapley(before: np.ndarray, after: np.ndarray, w: np.ndarray, rule: aggregate.Rule) -> np.ndarray:
    """Return the Shapley value of each part (rows × parts) for any rule of aggregation; they add up to the change.

    Raises ValueError for more than 12 parts.
    """
    n = before.shape[1]
    if n > MOST_PARTS:
        raise ValueError(f"{n} parts are too many for exact Shapley values; at most {MOST_PARTS}")
    value = {}
    for size in range(n + 1):
        for moved in combinations(range(n), size):
            mixed = before.copy()
            mixed[:, moved] = after[:, moved]
            value[moved] = rule(mixed, w)
    out = np.zeros_like(before)
    for i in range(n):
        others = [k for k in range(n) if k != i]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for moved in combinations(others, size):
                out[:, i] += weight * (value[tuple(sorted((*moved, i)))] - value[moved])
    return out


def of_areas(top0: np.ndarray, under0: np.ndarray, top1: np.ndarray, under1: np.ndarray) -> np.ndarray:
    """Return how much each area moved the rate of all of them together: Σ = Σtop1/Σunder1 − Σtop0/Σunder0.

    Within an area (its rate moved at its mean share) plus between areas (its share moved, against the mean rate).
    """
    n0, n1 = under0.sum(), under1.sum()
    share0, share1 = under0 / n0, under1 / n1
    with np.errstate(divide="ignore", invalid="ignore"):
        r0, r1 = top0 / under0, top1 / under1
    r0, r1 = np.where(under0 > 0, r0, r1), np.where(under1 > 0, r1, r0)
    r0, r1 = np.nan_to_num(r0), np.nan_to_num(r1)
    level = (top0.sum() / n0 + top1.sum() / n1) / 2
    return (share0 + share1) / 2 * (r1 - r0) + ((r0 + r1) / 2 - level) * (share1 - share0)


def _weights(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    held = np.where(np.isnan(x), 0.0, w)
    total = held.sum(axis=1, keepdims=True)
    return np.divide(held, total, out=np.zeros_like(held), where=total > 0)
