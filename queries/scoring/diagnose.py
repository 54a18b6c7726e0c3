"""What the analyst looks at before trusting a table: correlation, components, rotated factors, reliability. Never part of a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Factors:
    """Eigenvalues of the correlation matrix, and the loadings (columns × factors) after varimax rotation."""

    eigenvalues: np.ndarray
    loadings: np.ndarray


def correlations(x: np.ndarray) -> np.ndarray:
    """Return Pearson's correlations of the columns over rows in which both are known."""
    if not np.isnan(x).any():
        return np.corrcoef(x, rowvar=False)
    held = np.ma.masked_invalid(x)
    return np.ma.corrcoef(held, rowvar=False).filled(np.nan)


def factors(x: np.ndarray, n: int) -> Factors:
    """Return principal components of the correlations, n of them rotated by Kaiser-normalised varimax."""
    values, vectors = np.linalg.eigh(correlations(x))
    order = np.argsort(values)[::-1]
    values, vectors = values[order], vectors[:, order]
    return Factors(eigenvalues=values, loadings=varimax(vectors[:, :n] * np.sqrt(np.maximum(values[:n], 0))))


def varimax(loadings: np.ndarray, rounds: int = 500, tolerance: float = 1e-12) -> np.ndarray:
    """Return loadings turned so that each column is large on few rows (rows brought to length 1 first)."""
    length = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    a, turn, held = loadings / length, np.eye(loadings.shape[1]), 0.0
    for _ in range(rounds):
        b = a @ turn
        u, s, v = np.linalg.svd(a.T @ (b**3 - b * (b**2).mean(axis=0)))
        turn = u @ v
        if s.sum() <= held * (1 + tolerance):
            break
        held = s.sum()
    return a @ turn * length


def cronbach(x: np.ndarray) -> float:
    """Return Cronbach's alpha of standardised columns: how far they measure one thing. NaN where their sum does not move at all."""
    r = correlations(x)
    k = len(r)
    mean = (r.sum() - k) / (k * (k - 1))
    moves = 1 + (k - 1) * mean
    return float(k * mean / moves) if abs(moves) > 1e-12 else float("nan")


def without_each(x: np.ndarray) -> np.ndarray:
    """Return alpha after leaving out each column in turn."""
    return np.array([cronbach(np.delete(x, i, axis=1)) for i in range(x.shape[1])])


def item_total(x: np.ndarray) -> np.ndarray:
    """Return the correlation of each standardised column with the sum of the others."""
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    return np.array([np.corrcoef(z[:, i], np.delete(z, i, axis=1).sum(axis=1))[0, 1] for i in range(x.shape[1])])
