"""Missing values: left out (coverage says so), filled from peers by an explicit choice, or scored with caution.

Filling before scoring is for the analyst's tables. A city's score uses `cautious` on the scores: what is withheld
counts as the lower of one's own last score and the peers' lower quartile, so that withholding never pays.
"""

from __future__ import annotations

import numpy as np

#: Policies that fill values before treatment, and those that act on scores.
FILLS = ("mean", "median", "group_mean", "group_median", "last", "constant", "em")
POLICIES = ("skip", "refuse", "cautious", *FILLS)
QUARTILE = 0.25


def fill(x: np.ndarray, policy: str, group: np.ndarray | None = None, before: np.ndarray | None = None, value: float = 0.0) -> np.ndarray:
    """Return the table (rows × columns) with missing values filled by a policy of FILLS.

    `group`: a label for each row; a group in which a column is known nowhere stays missing. `before`: the table of the
    period before, for `last`. What cannot be filled stays missing.
    """
    gaps, out = np.isnan(x), x.copy()
    if policy == "constant":
        out[gaps] = value
    elif policy == "last":
        if before is not None:
            out[gaps] = before[gaps]
    elif policy == "em":
        return em(x)
    else:
        middle = _mean if policy.endswith("mean") else _median
        names = np.zeros(len(x), int) if group is None or not policy.startswith("group") else np.unique(group, return_inverse=True)[1]
        for one in np.unique(names):
            rows = names == one
            out[rows] = np.where(gaps[rows], middle(x[rows]), x[rows])
    return out


def cautious(scores: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Return scores (higher is better) in which each missing one is min(own last score, peers' 25th percentile).

    A column that nobody has, and a row that never had a value there, stay missing only when there are no peers either.
    """
    gaps = np.isnan(scores)
    known = ~gaps.all(axis=0)
    quartile = np.full(scores.shape[1], np.nan)
    if known.any():
        quartile[known] = np.nanquantile(scores[:, known], QUARTILE, axis=0)
    stand = np.broadcast_to(quartile, scores.shape)
    if before is not None:
        stand = np.fmin(stand, before)
    return np.where(gaps, stand, scores)


def em(x: np.ndarray, rounds: int = 200, tolerance: float = 1e-8) -> np.ndarray:
    """Return the table with missing values at their expectation under a multivariate normal fitted by EM."""
    gaps, out = np.isnan(x), fill(x, "mean")
    if not gaps.any() or np.isnan(out).any():
        return out
    extra = np.zeros((x.shape[1],) * 2)
    for _ in range(rounds):
        mean = out.mean(axis=0)
        spread = ((out - mean).T @ (out - mean) + extra) / len(x)
        extra, held = np.zeros_like(spread), out.copy()
        for i in np.flatnonzero(gaps.any(axis=1)):
            m, k = gaps[i], ~gaps[i]
            slope = spread[np.ix_(m, k)] @ np.linalg.pinv(spread[np.ix_(k, k)])
            out[i, m] = mean[m] + slope @ (out[i, k] - mean[k])
            extra[np.ix_(m, m)] += spread[np.ix_(m, m)] - slope @ spread[np.ix_(k, m)]
        if np.abs(out - held).max() < tolerance * (1 + np.abs(held).max()):
            break
    return out


def _mean(x: np.ndarray) -> np.ndarray:
    n = (~np.isnan(x)).sum(axis=0)
    return np.divide(np.nansum(x, axis=0), n, out=np.full(x.shape[1], np.nan), where=n > 0)


def _median(x: np.ndarray) -> np.ndarray:
    out, known = np.full(x.shape[1], np.nan), ~np.isnan(x).all(axis=0)
    if known.any():
        out[known] = np.nanmedian(x[:, known], axis=0)
    return out
