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


def _sum(names: np.ndarray, x: np.ndarray, size: int = 0) -> np.ndarray:
    return np.bincount(names, x, minlength=size)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the areas of each group say together: their rate, and what is needed to learn how much areas differ."""

    mean: np.ndarray
    excess: np.ndarray  # what their spread is above chance
    free: np.ndarray
    prior: np.ndarray  # variance between the areas of a group by itself
    total: np.ndarray  # what stands under the line, of all of them


def count_terms(top: np.ndarray, under: np.ndarray, names: np.ndarray, size: int = 0) -> Terms:
    """Return the terms of groups 0 to `size` − 1 of counts (Poisson), each from its own areas alone."""
    there = under > 0
    total, n = _sum(names, under, size), _sum(names, there.astype(float), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sum(names, top, size) / total
        raw = np.where(there, top / under, 0.0)
        spread = _sum(names, under * (raw - mean[names]) ** 2 * there, size) / total
        prior = np.maximum(spread - mean / (total / n), 0)
    return Terms(mean=mean, excess=spread, free=total, prior=prior, total=total)


def counts_shrunk(top: np.ndarray, under: np.ndarray, names: np.ndarray, told: Terms, half: float = 0.0) -> Shrunk:
    """Return Marshall's estimates of areas whose groups' terms are known. `half`: so many events are added to a group's when it is asked how sure its rate is."""
    there, mean, prior = under > 0, told.mean[names], told.prior[names]
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = np.where(there, top / under, 0.0)
        own = np.nan_to_num(np.where(there, prior / (prior + mean / under), 0.0))
        rests = half and np.nan_to_num((told.mean * told.total + half) / told.total**2)[names]
    return Shrunk(value=mean + own * (raw - mean), own=own, sd=np.sqrt(np.maximum(prior * (1 - own), 0) + (1 - own) ** 2 * rests))


def share_terms(top: np.ndarray, under: np.ndarray, names: np.ndarray, size: int = 0) -> Terms:
    """Return the terms of groups 0 to `size` − 1 of shares (binomial), each from its own areas alone."""
    there = under > 0
    total, squares = _sum(names, under, size), _sum(names, under**2, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sum(names, top, size) / total
        raw = np.where(there, top / under, 0.0)
        # Method of moments with weights n: E Σ n (p̂ − p)² = p(1−p)(k−1) + τ² (N − Σn²/N).
        n = _sum(names, there.astype(float), size)
        excess = _sum(names, under * (raw - mean[names]) ** 2 * there, size) - mean * (1 - mean) * (n - 1)
        free = total - squares / total - (n - 1)
        prior = np.maximum(excess / free, 0)
    return Terms(mean=mean, excess=excess, free=free, prior=prior, total=total)


def relative_spread(told: Terms) -> float:
    """Return the variance between areas relative to p(1−p), one for all groups: Σ excess over Σ p(1−p) · free."""
    with np.errstate(invalid="ignore"):
        return max(np.nansum(told.excess) / max(np.nansum(told.mean * (1 - told.mean) * told.free), 1e-300), 0.0)


def shares_shrunk(top: np.ndarray, under: np.ndarray, names: np.ndarray, told: Terms, relative: float | None = None, least_sd: float = 0.0,
                  half: float = 0.0, least: float = 0.0) -> Shrunk:
    """Return empirical Bayes shares of areas whose groups' terms are known. `relative`: the spread of all groups, instead of each its own.

    `half`: so many cases of each outcome are added when it is asked how sure a share is (½ = Jeffreys' prior), so that 100 % of few
    is not certain, whoever the neighbours are. `least`: `least_sd` lets a group's share count as no fewer cases than this.
    """
    there, mean = under > 0, told.mean
    if half:
        mean = (np.nan_to_num(told.mean) * told.total + half) / (told.total + 2 * half)
    most = np.nan_to_num(mean * (1 - mean))
    between = np.nan_to_num(told.prior) if relative is None else most * relative
    between = np.minimum(np.maximum(between, np.minimum(least_sd**2, most / (1 + least))), most)
    with np.errstate(divide="ignore", invalid="ignore"):
        # prior strength a + b = p(1−p)/τ² − 1
        strength, mean = np.where(between > 0, most / between - 1, np.inf)[names], told.mean[names]
        raw = np.where(there, top / under, 0.0)
        own = np.where(there, np.where(np.isinf(strength), 0.0, under / (under + strength)), 0.0)
        value = mean + own * (raw - mean)
        rests = under + strength + 2 * half
        soft = (value * (under + strength) + half) / rests
        # The parent's share is known no better than its own cases allow; who borrows it borrows that, too.
        lent = half and (most / (told.total + 2 * half + 1))[names] * (1 - own) ** 2
        sd = np.sqrt(np.where(np.isinf(strength), 0.0, np.maximum(soft * (1 - soft), 0) / (rests + 1)) + lent)
    return Shrunk(value=value, own=own, sd=sd)


def _marshall(top: np.ndarray, under: np.ndarray, names: np.ndarray) -> Shrunk:
    return counts_shrunk(top, under, names, count_terms(top, under, names))


def _beta_binomial(top: np.ndarray, under: np.ndarray, names: np.ndarray, pooled: bool = False, least_sd: float = 0.0) -> Shrunk:
    told = share_terms(top, under, names)
    return shares_shrunk(top, under, names, told, relative_spread(told) if pooled else None, least_sd)


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
