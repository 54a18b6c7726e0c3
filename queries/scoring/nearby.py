"""Neighbours: is a value like those around it? Getis–Ord Gi and Gi*, local and global Moran. Hints for the analyst, no score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Around:
    """For each area: Gi and Gi* as z-scores, local Moran's I (variance over n); and Moran's I of all."""

    gi: np.ndarray
    gi_star: np.ndarray
    local: np.ndarray
    moran: float


def around(x: np.ndarray, edges: np.ndarray) -> Around:
    """Return the statistics for values x and neighbours (rows of two numbers from 0, each pair in both directions).

    Gi and Gi* use weights 1, Moran row-standardised ones. An area without neighbours gets NaN.
    """
    n = len(x)
    first, second = edges.T
    k = np.bincount(first, minlength=n).astype(float)
    lag = np.bincount(first, x[second], minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Gi leaves the area itself out of mean and variance.
        mean = (x.sum() - x) / (n - 1)
        var = ((x**2).sum() - x**2) / (n - 1) - mean**2
        gi = (lag - k * mean) / np.sqrt(var * ((n - 1) * k - k**2) / (n - 2))
        whole, spread, ks = x.mean(), x.var(), k + 1
        star = (lag + x - ks * whole) / np.sqrt(spread * (n * ks - ks**2) / (n - 1))
        z = x - whole
        mine = z * (np.bincount(first, z[second], minlength=n) / k) / spread
    some = k > 0
    return Around(gi=np.where(some, gi, np.nan), gi_star=star, local=np.where(some, mine, np.nan),
                  moran=float(np.nansum(np.where(some, mine, 0.0)) / n * n / some.sum()))
