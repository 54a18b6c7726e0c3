"""Weights: given, equal, from pairwise judgements (AHP), or computed from the data as a diagnostic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.scoring.diagnose import correlations

METHODS = ("given", "equal", "ahp", "entropy", "critic", "pca")
#: Of the nodes above: their scores are not there before they are weighed.
OF_NODES = ("given", "equal", "ahp")
#: Saaty's random index by size of the matrix.
RANDOM = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
CONSISTENT = 0.10


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Weights of an AHP matrix (they sum to 1) with how far its judgements agree; more than 0.10 is too little."""

    weights: np.ndarray
    largest: float  # eigenvalue
    index: float  # consistency index
    ratio: float  # consistency ratio


def ahp(matrix: np.ndarray) -> Judged:
    """Return the weights of a positive reciprocal matrix. Raises ValueError with the cell that is wrong."""
    n = len(matrix)
    if matrix.shape != (n, n):
        raise ValueError(f"the matrix has {matrix.shape[0]} rows and {matrix.shape[1]} columns; it must be square")
    wrong = np.argwhere(~(np.isfinite(matrix) & (matrix > 0)))
    if len(wrong):
        i, j = wrong[0]
        raise ValueError(f"row {i + 1}, column {j + 1} is {matrix[i, j]:g}; a judgement is a number above zero")
    wrong = np.argwhere(np.abs(matrix * matrix.T - 1) > 0.02)
    if len(wrong):
        i, j = wrong[0]
        raise ValueError(f"row {i + 1}, column {j + 1} is {matrix[i, j]:g} but row {j + 1}, column {i + 1} is {matrix[j, i]:g}; they must be reciprocal (their product 1)")
    if n > len(RANDOM):
        raise ValueError(f"a matrix of {n} is too large; at most {len(RANDOM)}")
    values, vectors = np.linalg.eig(matrix)
    at = int(np.argmax(values.real))
    vector, largest = np.abs(vectors[:, at].real), float(values[at].real)
    index = (largest - n) / (n - 1) if n > 1 else 0.0
    ratio = index / RANDOM[n - 1] if RANDOM[n - 1] else 0.0
    return Judged(weights=vector / vector.sum(), largest=largest, index=index, ratio=ratio)


def entropy(x: np.ndarray) -> np.ndarray:
    """Return the entropy weights of columns of zeros and above: one that says the same of everybody weighs nothing."""
    n, total = (~np.isnan(x)).sum(axis=0), np.nansum(x, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = x / total
        told = 1 + np.nansum(np.where(share > 0, share * np.log(share), 0.0), axis=0) / np.log(n)
        # A column that says the same of everybody (also nothing) comes to nothing, not to a rounding error below it.
        told = np.where((total > 0) & (n > 1) & (np.abs(told) >= 1e-12), told, 0.0)
        return told / told.sum()


def critic(x: np.ndarray) -> np.ndarray:
    """Return the CRITIC weights: spread of a column (min–max scaled) times how little it goes with the others; one that says the same of everybody weighs nothing."""
    moves = np.fmax.reduce(x, axis=0) > np.fmin.reduce(x, axis=0)
    told, y = np.zeros(x.shape[1]), x[:, moves]
    if not moves.any():
        return np.full(x.shape[1], np.nan)
    low, high = np.nanmin(y, axis=0), np.nanmax(y, axis=0)
    told[moves] = np.nanstd((y - low) / (high - low), axis=0, ddof=1) * (1 - np.atleast_2d(correlations(y))).sum(axis=0) if moves.sum() > 1 else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return told / told.sum()


def pca(x: np.ndarray, scale: bool = True) -> np.ndarray:
    """Return the loadings of the first principal component of rows without gaps, its sign so that most are positive."""
    v = x[np.isfinite(x).all(axis=1)]
    if v.shape[1] == 1:
        return np.ones(1)
    if len(v) < 2:
        return np.full(x.shape[1], np.nan)
    v = v - v.mean(axis=0)
    if scale:
        spread = v.std(axis=0, ddof=1)
        v = v / np.where(spread > 0, spread, 1.0)  # a column that says the same of everybody carries nothing
    first = np.linalg.svd(v, full_matrices=False)[2][0]
    return first if first.sum() >= 0 else -first


def effective(parts: list[list[tuple[int, float]]], n: int, roots: list[int]) -> np.ndarray:
    """Return the share of the whole that each node of a tree carries. `parts[i]`: the children of node i with weights."""
    out = np.zeros(n)
    out[roots] = 1.0
    for node in reversed(range(n)):
        total = sum(w for _, w in parts[node])
        for child, w in parts[node]:
            out[child] += out[node] * w / total
    return out
