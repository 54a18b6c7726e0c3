"""Outbreaks put into counts of which nothing is known to be wrong: how many are found, how soon, at one false alarm per 100 area-days.

The counts are made: 17 areas, a level of their own each, weekdays, seasons, overdispersed; seeds are fixed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from queries.warning.tails import BASE, GUARD, above, dispersion, weekdays

Row = tuple[str, str, str, str]
AREAS, DAYS, OUTBREAKS, LASTS = 17, 730, 600, 7
FIRST = BASE + GUARD + 5
#: False alarms per area-day that every method is allowed.
BUDGET = 0.01


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    rng = np.random.default_rng(11)
    counts, sizes = _quiet(rng)
    cases = [(int(rng.integers(AREAS)), int(rng.integers(FIRST, DAYS - LASTS)), int(rng.integers(2**31))) for _ in range(OUTBREAKS)]
    usual = _measured(_shewhart, counts, cases, sizes)
    for name, method in (("daily tail, 1 day", lambda c: _tail(c, (1,))), ("daily tail, 3-day sum", lambda c: _tail(c, (3,))), ("daily tail, the better of 1 and 3 days (in use)", lambda c: _tail(c, (1, 3))),
                         ("EWMA, 0.3", _ewma)):
        pod, soon, delay, false = _measured(method, counts, cases, sizes)
        yield (f"{name}: found / within a day / days late", f"{pod:.3f} / {soon:.3f} / {delay:.2f}", f"28-day mean and deviation {usual[0]:.3f} / {usual[1]:.3f} / {usual[2]:.2f}",
               f"at {false:.2f} false per 100 area-days")


def _quiet(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    level = rng.lognormal(np.log(3.0), 0.6, AREAS)
    day = np.arange(DAYS)
    mean = level[:, None] * np.array([1.12, 1.08, 1.05, 1.03, 1.05, 0.86, 0.81])[day % 7] * (1 + 0.2 * np.sin(2 * np.pi * day / 365))
    phi = 1.4
    return rng.negative_binomial(mean / (phi - 1), 1 / phi).astype(float), level


def _measured(method: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, cases: list[tuple[int, int, int]], sizes: np.ndarray) -> tuple[float, float, float, float]:
    """Return probability of detection, within a day, mean days until it, and false alarms per 100 area-days at the budget's threshold."""
    score = method(counts)[:, FIRST:]
    bound = np.quantile(score, 1 - BUDGET)
    found, soon, late = 0, 0, []
    for place, begin, seed in cases:
        rng = np.random.default_rng(seed)
        # As many more each day as twice the spread of that place's days.
        more = rng.poisson(2.0 * np.sqrt(1.4 * sizes[place]), LASTS)
        part = counts.copy()
        part[place, begin:begin + LASTS] += more
        told = method(part[place:place + 1] if method is _shewhart or method is _ewma else part)[0 if method is _shewhart or method is _ewma else place, begin:begin + LASTS]
        hits = np.flatnonzero(told > bound)
        found += len(hits) > 0
        soon += len(hits) > 0 and hits[0] <= 1
        late += [int(hits[0])] if len(hits) else []
    return found / len(cases), soon / len(cases), float(np.mean(late)) if late else float("nan"), 100 * float((score > bound).mean())


def _tail(counts: np.ndarray, sums: tuple[int, ...]) -> np.ndarray:
    """Return minus log10 p for each day, as queries/warning/tails.py computes it, all days at once."""
    day = np.arange(counts.shape[1]) % 7
    factor = weekdays(counts[:, :365], day[:365])
    phi = dispersion(counts[:, :BASE], factor[day[:BASE]])
    total = np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)
    weight = np.cumsum(np.pad(factor[day], (1, 0)))
    out = np.zeros_like(counts)
    for t in range(FIRST, counts.shape[1]):
        first, last = t - GUARD - BASE, t - GUARD
        level = (total[:, last] - total[:, first] + 0.5) / (weight[last] - weight[first])
        for k in sums:
            seen, expected = total[:, t + 1] - total[:, t + 1 - k], level * (weight[t + 1] - weight[t + 1 - k])
            out[:, t] = np.maximum(out[:, t], -np.log10(np.maximum(above(seen, expected, phi), 1e-300)))
    return out


def _ewma(counts: np.ndarray) -> np.ndarray:
    level = np.stack([counts[:, max(0, t - BASE - GUARD):max(1, t - GUARD)].mean(1) for t in range(counts.shape[1])], axis=1)
    smooth = np.zeros_like(counts)
    for t in range(1, counts.shape[1]):
        smooth[:, t] = 0.3 * counts[:, t] + 0.7 * smooth[:, t - 1]
    return (smooth - level) / np.sqrt(np.maximum(level, 0.2))


def _shewhart(counts: np.ndarray) -> np.ndarray:
    out = np.zeros_like(counts)
    for t in range(FIRST, counts.shape[1]):
        before = counts[:, t - 28:t]
        out[:, t] = (counts[:, t] - before.mean(1)) / np.maximum(before.std(1), 0.5)
    return out
