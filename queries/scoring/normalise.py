"""Scores from values: each method is a function of values that were already turned so that higher is better.

Parameters (minimum, mean, ...) are taken over reference rows, which is how months stay comparable. Only goalposts
and targets need no peers: there one area's score never moves because another's did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A method with its parameters. `low`, `high`: the range of scores; `mean`, `sd`: of z-scores; `cap`: cut what lies beyond.

    `ties`: min (the lowest rank of tied ones), max or mean. `from_top`: ranks count 1 = best instead of n = best.
    """

    method: str = "goalposts"
    low: float = 0.0
    high: float = 100.0
    mean: float = 0.0
    sd: float = 1.0
    population: bool = False  # z-scores over n instead of n − 1
    cap: bool = True
    ties: str = "min"
    from_top: bool = False


@dataclass(frozen=True, kw_only=True)
class Posts:
    """What an indicator itself brings: its goalposts (already turned) and its reference value, NaN where it has none."""

    floor: float = float("nan")
    target: float = float("nan")
    reference: float = float("nan")


Method = Callable[[np.ndarray, np.ndarray, Scale, Posts], np.ndarray]


def ranks(x: np.ndarray, ties: str = "min", among: np.ndarray | None = None) -> np.ndarray:
    """Return the rank of each value (1 = lowest) among the known ones; NaN stays NaN."""
    held = np.sort((x if among is None else among)[~np.isnan(x if among is None else among)])
    first, last = np.searchsorted(held, x, "left") + 1, np.maximum(np.searchsorted(held, x, "right"), 1)
    out = first if ties == "min" else last if ties == "max" else (first + last) / 2
    return np.where(np.isnan(x), np.nan, out)


def _spread(low: float, high: float) -> float:
    # A column without any spread says nothing: its scores are missing, not infinite.
    return high - low if high != low else float("nan")


def _stretch(share: np.ndarray, scale: Scale) -> np.ndarray:
    return share * (scale.high - scale.low) + scale.low


def goalposts(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return low + (high − low) · (x − floor) / (target − floor), cut at both ends unless `cap` is off."""
    share = (x - posts.floor) / _spread(posts.floor, posts.target)
    return _stretch(np.clip(share, 0, 1) if scale.cap else share, scale)


def minmax(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return low + (high − low) · (x − min) / (max − min) over the reference rows."""
    low, high = np.nanmin(ref), np.nanmax(ref)
    return (x - low) / _spread(low, high) * (scale.high - scale.low) + scale.low


def zscore(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return mean + sd · (x − average) / standard deviation over the reference rows."""
    sd = np.nanstd(ref, ddof=0 if scale.population else 1) if (~np.isnan(ref)).sum() > 1 else np.nan
    return (x - np.nanmean(ref)) / (sd or np.nan) * scale.sd + scale.mean


def rank(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return ranks, n = best (or 1 = best with `from_top`)."""
    return ranks(-x, scale.ties, -ref) if scale.from_top else ranks(x, scale.ties, ref)


def borda(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return the number of units that are worse."""
    return ranks(x, scale.ties, ref) - 1


def percentile_rank(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return (rank − 1) / (n − 1), from 0 to 1."""
    return (ranks(x, scale.ties, ref) - 1) / ((~np.isnan(ref)).sum() - 1 or np.nan)


def percentile(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return the share of units (per cent) that are as good or worse."""
    return 100 * ranks(x, scale.ties, ref) / (~np.isnan(ref)).sum()


def target(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return 1 − (target − x) / (target − min): the way gone from the worst to the target."""
    y = 1 - (posts.target - x) / _spread(np.nanmin(ref), posts.target)
    return np.minimum(y, 1) if scale.cap else y


def distance_to_max(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return 1 − (max − x) / (max − min)."""
    return 1 - (np.nanmax(ref) - x) / _spread(np.nanmin(ref), np.nanmax(ref))


def distance_to_reference(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return 1 − (reference − x) / (reference − min)."""
    y = 1 - (posts.reference - x) / _spread(np.nanmin(ref), posts.reference)
    return np.minimum(y, 1) if scale.cap else y


def ratio_to(of: Callable[[np.ndarray], float]) -> Method:
    """Return the method that divides by the mean, the best or the worst."""
    return lambda x, ref, scale, posts: x / (of(ref) or np.nan)


def above_mean(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return 1 above the mean band, 0 within it, −1 below; the band is `sd` × 20 % of the mean."""
    ratio, width = x / (np.nanmean(ref) or np.nan), 0.2 * scale.sd
    return np.where(np.isnan(ratio), np.nan, (ratio > 1 + width).astype(float) - (ratio < 1 - width))


def ampi(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return 70 + 60 · (x − min) / (max − min), where min and max lie half the range around the reference value (100)."""
    half = (np.nanmax(ref) - np.nanmin(ref)) / 2
    middle = np.nanmean(ref) if np.isnan(posts.reference) else posts.reference
    return 70 + 60 * (x - (middle - half)) / (2 * half or np.nan)


def scaled(x: np.ndarray, ref: np.ndarray, scale: Scale, posts: Posts) -> np.ndarray:
    """Return 100 · (x − floor) / (target − floor), uncut."""
    return 100 * (x - posts.floor) / _spread(posts.floor, posts.target)


METHODS: dict[str, Method] = {
    "goalposts": goalposts, "minmax": minmax, "zscore": zscore, "rank": rank, "borda": borda, "percentile_rank": percentile_rank,
    "percentile": percentile, "target": target, "distance_to_max": distance_to_max, "distance_to_reference": distance_to_reference,
    "ratio_to_mean": ratio_to(np.nanmean), "ratio_to_best": ratio_to(np.nanmax), "ratio_to_worst": ratio_to(np.nanmin),
    "above_mean": above_mean, "ampi": ampi, "scaled": scaled, "none": lambda x, ref, scale, posts: x,
}
#: Methods that need something of each indicator.
NEEDS = {"goalposts": ("floor", "target"), "scaled": ("floor", "target"), "target": ("target",), "distance_to_reference": ("reference",)}
#: Methods that divide by a value: turned signs would make nonsense, so a lower-is-better column becomes its reciprocal.
RATIOS = ("ratio_to_mean", "ratio_to_best", "ratio_to_worst", "above_mean")


def normalise(x: np.ndarray, direction: int, scale: Scale, posts: Posts, reference: np.ndarray | None = None) -> np.ndarray:
    """Return the scores of one column. `reference`: which rows give the parameters (all of them unless said)."""
    if np.isnan(x).all():
        return x.copy()
    v = x if direction > 0 else (1 / x if scale.method in RATIOS else -x)
    ref = v if reference is None else v[reference]
    if np.isnan(ref).all():
        return np.full(len(x), np.nan)
    turned = posts if direction > 0 else Posts(floor=-posts.floor, target=-posts.target, reference=-posts.reference)
    return METHODS[scale.method](v, ref, scale, turned)
