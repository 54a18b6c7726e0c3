"""How unusual the last one and three days are, series by series: a negative-binomial tail on level times weekday.

The level is the mean of up to BASE days that end GUARD days before, so that an outbreak does not teach the model that
it is normal; how all places of the kind moved lately (season, growth) moves it along. Weekdays are shared by all
places of a kind, the dispersion too: one place has too few days for either.

Three days see most of what lasts, one day only a jump. Each has its share of the false alarms (SHARES): with equal
shares the one day would spend half of them on finding little. `python -m tests.bench outbreaks` shows what that costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammainc

#: Days of the level, at most and at least, and days before the judged one that are left out of it.
BASE, LEAST, GUARD = 112, 56, 7
#: Over how many days counts are summed, and which part of the false alarms each may make.
SHARES = {1: 0.1, 3: 0.9}
SUMS = tuple(SHARES)
#: Days before the guard that tell how all places moved, and as how many cases "they did not move" counts: with fewer of them it is hardly believed.
LATELY, STILL = 28, 140.0


@dataclass(frozen=True, kw_only=True)
class Tail:
    """For each series the more unusual of its sums. `days` = over how many; `p` = chance that any of its sums is as unusual, or more.

    `low`, `high` = between which counts nineteen of twenty such sums lie.
    """

    seen: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    days: np.ndarray
    p: np.ndarray
    dispersion: float
    base: int


def tail(counts: np.ndarray, weekday: int, whole: np.ndarray | None = None, shares: Mapping[int, float] = SHARES) -> Tail:
    """Judge the last day of `counts` (series × days; the last column is day `weekday`, 0 = Monday).

    `whole` = the counts from which weekdays, dispersion and drift are learned, all places of the kind; itself unless given.
    `shares` = which sums are judged, and which part of the false alarms each may make; together 1. Raises ValueError when there are fewer than LEAST + GUARD + 3 days.
    """
    n, sums = counts.shape[1], list(shares)
    base = min(BASE, n - GUARD - max(SUMS))
    if base < LEAST:
        raise ValueError(f"{n} days are too few: {LEAST + GUARD + max(SUMS)} are needed.")
    whole = counts if whole is None else whole
    first, last = n - GUARD - base - 1, n - GUARD - 1
    day = (weekday - (n - 1) + np.arange(n)) % 7
    factor = weekdays(whole[:, first:last], day[first:last])[day]
    phi = dispersion(whole[:, first:last], factor[first:last])
    level = (counts[:, first:last].sum(1) + 0.5) / factor[first:last].sum() * drift(whole[:, first:last].sum(0), factor[first:last])
    seen = np.stack([counts[:, n - k:].sum(1) for k in sums])
    length = np.array([factor[n - k:].sum() for k in sums])[:, None]
    # The level is an estimate itself: what it may be wrong by is part of the spread.
    spread = np.broadcast_to(phi * (1 + length / factor[first:last].sum()), seen.shape)
    expected = level * length
    p = above(seen, expected, spread) / np.array(list(shares.values()))[:, None]
    best = np.argmin(p, axis=0)
    pick = best, np.arange(counts.shape[0])
    low, high = between(expected[pick], spread[pick])
    return Tail(seen=seen[pick], expected=expected[pick], low=low, high=high, days=np.array(sums)[best], p=np.minimum(p[pick], 1.0), dispersion=phi, base=base)


def above(seen: np.ndarray, expected: np.ndarray, phi: np.ndarray | float) -> np.ndarray:
    """Return the chance of a count as large or larger: negative binomial with variance phi times mean, Poisson at 1."""
    # The tails as what they are, incomplete gamma and beta functions: scipy.stats would make the server start a second later.
    wide, some = np.maximum(phi, 1.0001), np.maximum(seen, 1)
    p = np.where(np.asarray(phi) <= 1.0001, gammainc(some, expected), betainc(some, expected / (wide - 1), 1 - 1 / wide))
    return np.where(seen > 0, p, 1.0)


def between(expected: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts between which nineteen of twenty lie."""
    from scipy import stats  # only here, and only when something is judged

    wide = np.maximum(phi, 1.0001)
    low, high = (stats.nbinom.ppf(share, expected / (wide - 1), 1 / wide) for share in (0.025, 0.975))
    return low, high


def drift(total: np.ndarray, factor: np.ndarray) -> float:
    """Return how all places together lately stood against the whole of their level days; near 1 where few cases tell it."""
    lately = total[-LATELY:].sum()
    usual = total.sum() / factor.sum() * factor[-LATELY:].sum()
    return float((lately + STILL) / (usual + STILL))


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
