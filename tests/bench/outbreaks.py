"""Outbreaks put into counts of which nothing is known to be wrong: how many are found, how soon, at one false alarm per 100 area-days.

The counts are made: 17 areas, a level of their own each, weekdays, overdispersed, with a season and without one. The
shares of the sums and the days of the level were chosen by other seeds (101 to 108) than those that are shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from queries.warning.tails import BASE, GUARD, SHARES, SUMS, tail

Row = tuple[str, str, str, str]
AREAS, DAYS, OUTBREAKS, LASTS, PHI = 17, 480, 100, 7, 1.4
FIRST = BASE + GUARD + max(SUMS)
SEEDS = range(201, 207)
#: False alarms per area-day that every method is allowed.
BUDGET = 0.01
#: A method gives a score for each area and day: of the first city, or of one area of it (a number) on some days only.
Method = Callable[[np.ndarray, int | None, range], np.ndarray]


@dataclass
class Told:
    """What a method found, over all seeds: for each outbreak the day of its first alarm, NaN = not found."""

    late: np.ndarray
    promised: float

    def words(self) -> str:
        """Return found / found within a day / days late."""
        return f"{np.mean(~np.isnan(self.late)):.3f} / {np.mean(self.late <= 1):.3f} / {np.nanmean(self.late):.2f}"


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    named = {"both, 1 day with a tenth (in use)": SHARES, "3-day sum alone": {3: 1.0}, "1 day alone": {1: 1.0}, "both with equal shares": {1: 0.5, 3: 0.5}}
    for season, words in ((0.2, "season of 20 %"), (0.0, "no season")):
        beside = _measured(_ewma, season), _measured(_shewhart, season)
        for name, shares in named.items():
            told = _measured(_tail(shares), season)
            yield (f"{words}: {name}: found / within a day / days late", told.words(), f"EWMA {beside[0].words()}, 28-day mean {beside[1].words()}",
                   f"promised 1 in 100, kept {100 * told.promised:.2f}" if shares is SHARES else "at 1 false per 100 area-days")


def _quiet(rng: np.random.Generator, season: float) -> tuple[np.ndarray, np.ndarray]:
    level = rng.lognormal(np.log(3.0), 0.6, AREAS)
    day = np.arange(DAYS)
    mean = level[:, None] * np.array([1.12, 1.08, 1.05, 1.03, 1.05, 0.86, 0.81])[day % 7] * (1 + season * np.sin(2 * np.pi * day / 365))
    return rng.negative_binomial(mean / (PHI - 1), 1 / PHI).astype(float), level


def _measured(method: Method, season: float) -> Told:
    """Return what a method finds at the threshold that its budget allows in the quiet city."""
    late: list[float] = []
    promised = []
    for number in SEEDS:
        rng = np.random.default_rng(number)
        counts, level = _quiet(rng, season)
        score = method(counts, None, range(FIRST, DAYS))
        bound = np.quantile(score, 1 - BUDGET)
        promised.append(float((score > -np.log10(BUDGET)).mean()))
        for _ in range(OUTBREAKS):
            place, begin = int(rng.integers(AREAS)), int(rng.integers(FIRST, DAYS - LASTS))
            part = counts.copy()
            # As many more each day as twice the spread of that place's days.
            part[place, begin:begin + LASTS] += rng.poisson(2.0 * np.sqrt(PHI * level[place]), LASTS)
            hits = np.flatnonzero(method(part, place, range(begin, begin + LASTS))[0] > bound)
            late.append(float(hits[0]) if len(hits) else np.nan)
    return Told(np.array(late), float(np.mean(promised)))


def _tail(shares: Mapping[int, float]) -> Method:
    """Return minus log10 p of each day, from the very code that warns."""
    def method(counts: np.ndarray, place: int | None, days: range) -> np.ndarray:
        rows = counts if place is None else counts[place:place + 1]
        made = [tail(rows[:, t + 1 - FIRST:t + 1], t % 7, counts[:, t + 1 - FIRST:t + 1], shares).p for t in days]
        return -np.log10(np.maximum(np.stack(made, axis=1), 1e-300))

    return method


def _ewma(counts: np.ndarray, place: int | None, days: range) -> np.ndarray:
    rows = counts if place is None else counts[place:place + 1]
    level = np.stack([rows[:, max(0, t - 56 - GUARD):t - GUARD].mean(1) for t in days], axis=1)
    smooth = np.zeros(rows.shape)
    for t in range(1, days[-1] + 1):
        smooth[:, t] = 0.3 * rows[:, t] + 0.7 * smooth[:, t - 1]
    return (smooth[:, days[0]:days[-1] + 1] - level) / np.sqrt(np.maximum(level, 0.2))


def _shewhart(counts: np.ndarray, place: int | None, days: range) -> np.ndarray:
    rows = counts if place is None else counts[place:place + 1]
    before = [rows[:, t - 28:t] for t in days]
    return np.stack([(rows[:, t] - b.mean(1)) / np.maximum(b.std(1), 0.5) for t, b in zip(days, before, strict=True)], axis=1)
