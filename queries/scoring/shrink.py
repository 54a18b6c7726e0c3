"""Small areas: a rate over few cases is moved towards its parent, and it is said how much was borrowed.

`own` is the weight of the area's own data (1 = nothing borrowed). An area with less than 0.3 is not ranked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

#: Below this weight of its own data an area is not ranked.
LEAST_OWN = 0.3


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """Estimates with the weight of own data and the standard deviation that remains; NaN where nothing is known."""

    value: np.ndarray
    own: np.ndarray
    sd: np.ndarray


def marshall(top: np.ndarray, under: np.ndarray, group: np.ndarray | None = None) -> Shrunk:
    """Return Marshall's (1991) empirical Bayes rates: counts `top` (Poisson) over `under`, towards their group's rate."""
    return _by_group(_marshall, top, under, group)


def beta_binomial(top: np.ndarray, under: np.ndarray, group: np.ndarray | None = None, pooled: bool = False, least_sd: float = 0.0) -> Shrunk:
    """Return empirical Bayes shares: `top` of `under`, towards their group's share, beta prior fitted by moments.

    `pooled`: how much areas differ is learned from all groups together, which small groups need. `least_sd`: areas are
    taken to differ by at least this standard deviation, so that many cases speak for themselves.
    """
    return _by_group(partial(_beta_binomial, pooled=pooled, least_sd=least_sd), top, under, group)


def _by_group(rule, top: np.ndarray, under: np.ndarray, group: np.ndarray | None) -> Shrunk:  # noqa: ANN001
    top, under = np.asarray(top, float), np.asarray(under, float)
    names = np.zeros(len(top), np.int64) if group is None else _numbered(np.asarray(group))
    known = ~np.isnan(top) & ~np.isnan(under)
    return rule(np.where(known, top, 0.0), np.where(known, under, 0.0), names)


def _numbered(group: np.ndarray) -> np.ndarray:
    # Small whole numbers serve as they are; anything else is numbered, which sorts it.
    if len(group) and np.issubdtype(group.dtype, np.integer) and group.min() >= 0 and group.max() < 4 * len(group):
        return group
    return np.unique(group, return_inverse=True)[1]


def _sum(names: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.bincount(names, x, minlength=int(names.max()) + 1 if len(names) else 0)


def _marshall(top: np.ndarray, under: np.ndarray, names: np.ndarray) -> Shrunk:
    there = under > 0
    total, n = _sum(names, under), _sum(names, there.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sum(names, top) / total
        raw = np.where(there, top / under, 0.0)
        spread = _sum(names, under * (raw - mean[names]) ** 2 * there) / total
        prior = np.maximum(spread - mean / (total / n), 0)
        noise = mean[names] / under
        own = np.where(there, prior[names] / (prior[names] + noise), 0.0)
    own = np.nan_to_num(own)
    value = mean[names] + own * (raw - mean[names])
    return Shrunk(value=value, own=own, sd=np.sqrt(np.maximum(prior[names] * (1 - own), 0)))


def _beta_binomial(top: np.ndarray, under: np.ndarray, names: np.ndarray, pooled: bool = False, least_sd: float = 0.0) -> Shrunk:
    there = under > 0
    total, squares = _sum(names, under), _sum(names, under**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sum(names, top) / total
        raw = np.where(there, top / under, 0.0)
        # Method of moments with weights n: E Σ n (p̂ − p)² = p(1−p)(k−1) + τ² (N − Σn²/N).
        n = _sum(names, there.astype(float))
        excess = _sum(names, under * (raw - mean[names]) ** 2 * there) - mean * (1 - mean) * (n - 1)
        free = total - squares / total - (n - 1)
        most = mean * (1 - mean)
        if pooled:  # one relative spread for all groups: Σ excess over Σ p(1−p) · free
            between = np.nan_to_num(most) * max(np.nansum(excess) / max(np.nansum(most * free), 1e-300), 0.0)
        else:
            between = np.maximum(excess / free, 0)
        between = np.minimum(np.maximum(np.nan_to_num(between), least_sd**2), np.nan_to_num(most))
        # prior strength a + b = p(1−p)/τ² − 1
        strength = np.where(between > 0, most / between - 1, np.inf)[names]
        own = np.where(there, np.where(np.isinf(strength), 0.0, under / (under + strength)), 0.0)
        value = mean[names] + own * (raw - mean[names])
        sd = np.where(np.isinf(strength), 0.0, np.sqrt(np.maximum(value * (1 - value), 0) / (under + strength + 1)))
    return Shrunk(value=value, own=own, sd=sd)


@dataclass(frozen=True, kw_only=True)
class FayHerriot:
    """EBLUPs of the areas with the model's between-area variance and coefficients."""

    value: np.ndarray
    own: np.ndarray
    mse: np.ndarray
    variance: float
    beta: np.ndarray


def fay_herriot(y: np.ndarray, variance: np.ndarray, x: np.ndarray | None = None, rounds: int = 500) -> FayHerriot:
    """Return EBLUPs of the Fay–Herriot model by REML: direct estimates y with known sampling variances, covariates x.

    Raises ValueError when a sampling variance is not above zero.
    """
    y, d = np.asarray(y, float), np.asarray(variance, float)
    if not (d > 0).all():
        raise ValueError(f"row {int(np.flatnonzero(~(d > 0))[0]) + 1}: a sampling variance must be above zero")
    z = np.ones((len(y), 1)) if x is None else np.asarray(x, float)
    a = float(np.median(d))
    for _ in range(rounds):
        w = 1 / (a + d)
        inner = np.linalg.inv(z.T @ (w[:, None] * z))
        p = np.diag(w) - (w[:, None] * z) @ inner @ (w[:, None] * z).T
        py = p @ y
        step = (-0.5 * np.trace(p) + 0.5 * py @ py) / (0.5 * (p * p).sum())
        a, held = max(a + step, 0.0), a
        if abs(a - held) < 1e-13 * (1 + a):
            break
    w = 1 / (a + d)
    inner = np.linalg.inv(z.T @ (w[:, None] * z))
    beta = inner @ (z.T @ (w * y))
    own = a * w
    fitted = z @ beta
    g1, g2 = a * d * w, (d * w) ** 2 * np.einsum("ij,jk,ik->i", z, inner, z)
    g3 = d**2 * w**3 * 2 / (w**2).sum()
    return FayHerriot(value=fitted + own * (y - fitted), own=own, mse=g1 + g2 + 2 * g3, variance=a, beta=beta)
