"""How unusual the last one and three days are, series by series: a negative-binomial tail on level times weekday.

The level is the mean of BASE days that end GUARD days before, so that an outbreak does not teach the model that
it is normal. Weekdays are shared by all places of a kind, the dispersion too: one place has too few days for either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammainc

#: Days of the level, and days before the judged one that are left out of it.
BASE, GUARD = 56, 7
SUMS = (1, 3)


@dataclass(frozen=True, kw_only=True)
class Tail:
    """For each series the more unusual of its sums. `p` = chance of as many or more; `days` = over how many."""

    seen: np.ndarray
    expected: np.ndarray
    days: np.ndarray
    p: np.ndarray
    dispersion: float


def tail(counts: np.ndarray, weekday: int, whole: np.ndarray | None = None) -> Tail:
    """Judge the last day of `counts` (series × days; the last column is day `weekday`, 0 = Monday).

    `whole` = the counts from which weekdays and dispersion are learned, all places of the kind; itself unless given.
    Raises ValueError when there are fewer than BASE + GUARD + 3 days.
    """
    n = counts.shape[1]
    if n < BASE + GUARD + max(SUMS):
        raise ValueError(f"{n} days are too few: {BASE + GUARD + max(SUMS)} are needed.")
    whole = counts if whole is None else whole
    first, last = n - GUARD - BASE - 1, n - GUARD - 1
    day = (weekday - (n - 1) + np.arange(n)) % 7
    factor = weekdays(whole[:, first:last], day[first:last])
    base = counts[:, first:last]
    level = (base.sum(1) + 0.5) / factor[day[first:last]].sum()
    phi = dispersion(whole[:, first:last], factor[day[first:last]])
    seen = np.stack([counts[:, n - k:].sum(1) for k in SUMS])
    expected = np.stack([level * factor[day[n - k:]].sum() for k in SUMS])
    p = above(seen, expected, phi)
    best = np.argmin(p, axis=0)
    pick = best, np.arange(counts.shape[0])
    return Tail(seen=seen[pick], expected=expected[pick], days=np.array(SUMS)[best], p=p[pick], dispersion=phi)


def above(seen: np.ndarray, expected: np.ndarray, phi: float) -> np.ndarray:
    """Return the chance of a count as large or larger: negative binomial with variance phi times mean, Poisson at 1."""
    # The tails as what they are, incomplete gamma and beta functions: scipy.stats would make the server start a second later.
    some = np.maximum(seen, 1)
    p = gammainc(some, expected) if phi <= 1.0001 else betainc(some, expected / (phi - 1), 1 - 1 / phi)
    return np.where(seen > 0, p, 1.0)


def weekdays(counts: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return the factor of each weekday over all series; their mean is 1."""
    total = np.array([counts[:, day == d].mean() if (day == d).any() else np.nan for d in range(7)])
    mean = np.nanmean(total)
    return np.where(np.isnan(total) | (mean == 0), 1.0, np.maximum(total / mean if mean else 1.0, 0.05))


def dispersion(counts: np.ndarray, factor: np.ndarray) -> float:
    """Return variance over mean that all series share, at least 1: Pearson's estimate on level times weekday."""
    level = counts.sum(1, keepdims=True) / factor.sum()
    mean = level * factor
    used = mean[:, 0] > 0
    if not used.any():
        return 1.0
    freedom = used.sum() * (counts.shape[1] - 1)
    return float(max(1.0, (((counts - mean) ** 2)[used] / mean[used]).sum() / freedom))
