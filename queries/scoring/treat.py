"""Outliers: a column that is too skewed is winsorised point by point, else put on a logarithm. Says what it touched.

The rule of the JRC's COIN tools: a column passes when |skew| < 2 or kurtosis < 3.5; else up to five points are set
to the next value; if that is not enough, a transformation of the original values is taken instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a column passes, how many points may be moved (None = any number), and what is done when that is not enough."""

    method: str = "skew_kurtosis"  # none, skew_kurtosis, iqr
    skew: float = 2.0
    kurtosis: float = 3.5
    most: int | None = 5
    then: str = "log_ct"  # none, log_ct, log_ct_orig, log_gii, log, log10, sqrt, cube_root, box_cox
    combine: bool = False  # True: the transformation is put on the winsorised values instead of the original ones
    fence: float = 1.5  # iqr: so many quartile distances beyond the quartiles
    force: bool = False  # move `most` points in any case


@dataclass(frozen=True, kw_only=True)
class Touch:
    """What was done to one column: statistics before and after, points moved (row → high or low), transformation."""

    skew: float
    kurtosis: float
    skew_after: float
    kurtosis_after: float
    passed: bool
    points: tuple[tuple[int, str], ...] = ()
    transform: str = ""


def skew(x: np.ndarray) -> float:
    """Return the bias-corrected skewness (G1) of the values that are not missing; NaN for fewer than three or equal ones."""
    v = x[~np.isnan(x)]
    n = len(v)
    d = v - v.mean() if n else v
    s2 = float((d**2).sum())
    if n < 3 or s2 == 0:
        return float("nan")
    return float(np.sqrt(n) * (d**3).sum() / s2**1.5 * np.sqrt(n * (n - 1)) / (n - 2))


def kurtosis(x: np.ndarray) -> float:
    """Return the bias-corrected excess kurtosis (G2) of the values that are not missing; NaN for fewer than four or equal ones."""
    v = x[~np.isnan(x)]
    n = len(v)
    d = v - v.mean() if n else v
    s2 = float((d**2).sum())
    if n < 4 or s2 == 0:
        return float("nan")
    r = n * float((d**4).sum()) / s2**2
    return ((n + 1) * (r - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))


def passes(x: np.ndarray, rule: Rule) -> bool:
    """Return whether a column needs no treatment; one that has too few values to tell passes."""
    g1, g2 = skew(x), kurtosis(x)
    return bool(np.isnan(g1) or np.isnan(g2) or abs(g1) < rule.skew or g2 < rule.kurtosis)


def winsorise(x: np.ndarray, rule: Rule) -> tuple[np.ndarray, tuple[tuple[int, str], ...]]:
    """Return a column in which the extreme points of the skewed end were set to the next value, and which ones."""
    x, high, low = x.copy(), np.zeros(len(x), bool), np.zeros(len(x), bool)
    while (rule.force or not passes(x, rule)) and (rule.most is None or high.sum() + low.sum() < rule.most):
        up = not skew(x) < 0
        end = np.nanmax(x) if up else np.nanmin(x)
        at = x == end
        rest = x[~at & ~np.isnan(x)]
        if not len(rest):
            break
        # Tied points move together, so a count may pass the limit by them.
        x[at] = rest.max() if up else rest.min()
        if up:
            high = at
        else:
            low = at
    points = [(int(i), "high") for i in np.flatnonzero(high)] + [(int(i), "low") for i in np.flatnonzero(low)]
    return x, tuple(sorted(points))


def log_ct(x: np.ndarray) -> np.ndarray:
    """Return log(x − min + 1 % of the range)."""
    low, high = np.nanmin(x), np.nanmax(x)
    return np.log(x - low + 0.01 * (high - low))


def log_ct_orig(x: np.ndarray) -> np.ndarray:
    """Return log(x − min + 1)."""
    return np.log(x - np.nanmin(x) + 1)


def log_gii(x: np.ndarray) -> np.ndarray:
    """Return log((max − 1)(x − min) / (max − min) + 1), the Global Innovation Index's transformation."""
    low, high = np.nanmin(x), np.nanmax(x)
    return np.log((high - 1) * (x - low) / (high - low) + 1)


def box_cox(x: np.ndarray, power: float = 0.5) -> np.ndarray:
    """Return the Box–Cox transformation of values that are moved up where they are not positive."""
    low = np.nanmin(x)
    v = x if low > 0 else x - low + 0.01 * (np.nanmax(x) - low)
    return np.log(v) if power == 0 else (v**power - 1) / power


TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log_ct": log_ct, "log_ct_orig": log_ct_orig, "log_gii": log_gii, "log": np.log, "log10": np.log10, "sqrt": np.sqrt,
    "cube_root": np.cbrt, "box_cox": box_cox, "none": lambda x: x,
}
METHODS = ("none", "skew_kurtosis", "iqr")


def treat(x: np.ndarray, rule: Rule) -> tuple[np.ndarray, Touch]:
    """Return one column after treatment, and what was done to it."""
    before = skew(x), kurtosis(x)
    out, points, transform = x, (), ""
    if rule.method == "iqr":
        out, points = _fenced(x, rule.fence)
    elif rule.method == "skew_kurtosis" and (rule.force or not passes(x, rule)):
        out, points = winsorise(x, rule)
        if not passes(out, rule) and rule.then != "none":
            transform = rule.then
            out = TRANSFORMS[rule.then](out if rule.combine else x)
            points = points if rule.combine else ()
    return out, Touch(skew=before[0], kurtosis=before[1], skew_after=skew(out), kurtosis_after=kurtosis(out),
                      passed=passes(out, rule), points=points, transform=transform)


def _fenced(x: np.ndarray, width: float) -> tuple[np.ndarray, tuple[tuple[int, str], ...]]:
    q1, q3 = np.nanquantile(x, (0.25, 0.75))
    low, high = q1 - width * (q3 - q1), q3 + width * (q3 - q1)
    points = [(int(i), "high" if x[i] > high else "low") for i in np.flatnonzero((x > high) | (x < low))]
    return np.clip(x, low, high), tuple(points)
