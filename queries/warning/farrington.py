"""Farrington's flexible method for one weekly series, as R's surveillance package computes it.

Noufaily et al. 2013 (Statistics in Medicine 32:1206): a quasi-Poisson model with trend and seasonal groups on b past
years without the last weeks, past outbreaks weighted down by Anscombe residuals, and a negative-binomial bound.
`tests/test_warning.py` holds it to the package's own numbers on its salmNewport series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy import stats

#: Residuals beyond this are past outbreaks.
OUTLYING = 2.58


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a week may reach: expected count, dispersion, and the largest count that is no alarm."""

    expected: float
    dispersion: float
    upper: float
    trend: bool

    def is_alarm(self, count: float) -> bool:
        """Return whether a count is above the bound."""
        return count > self.upper


def bound(counts: Sequence[float], weeks: Sequence[date], k: int, *, b: int = 4, w: int = 3, periods: int = 10, left_out: int = 26,
          alpha: float = 0.01, p_trend: float = 1.0) -> Bound:
    """Return the bound of week `k` (0 = first) of a series of Mondays. Raises ValueError when the history is too short."""
    if k - round(52.18 * b) - w - 1 < 0:
        raise ValueError(f"Week {k} has no {b} years before it.")
    groups = _groups(weeks, k, b, w, periods)
    use = np.array([i for i in range(max(0, k - left_out)) if groups[i] > 0])
    y = np.asarray(counts, float)[use]
    time = np.array([(weeks[i] - weeks[use[0]]).days / 7 for i in use])
    now = (weeks[k] - weeks[use[0]]).days / 7
    seasons = groups[use]
    made = _fit(y, time, seasons, True)
    mean = _at(made, now, periods)
    trend = b >= 3 and made.p < p_trend and mean <= y.max()
    if not trend:
        made = _fit(y, time, seasons, False)
        mean = _at(made, now, periods)
    phi = made.phi
    upper = float(stats.nbinom.ppf(1 - alpha, mean / (phi - 1), 1 / phi)) if phi > 1 else float(stats.poisson.ppf(1 - alpha, mean))
    return Bound(expected=mean, dispersion=phi, upper=upper, trend=trend)


@dataclass(frozen=True)
class _Fitted:
    beta: np.ndarray
    levels: np.ndarray
    trend: bool
    phi: float
    p: float


def _groups(weeks: Sequence[date], k: int, b: int, w: int, periods: int) -> np.ndarray:
    """Return the seasonal group of each week: the last is that around the same week of each year, 0 = not used."""
    index = {week: i for i, week in enumerate(weeks)}
    references = [k]
    for year in range(1, b + 1):
        references.append(index[_monday(_years_before(weeks[k], year))])
    groups = np.zeros(len(weeks), int)
    groups[max(0, k - w):k + 1] = periods
    for later, here in zip(references, references[1:], strict=False):
        groups[here - w:here + w + 1] = periods
        if periods == 1:
            continue
        between = later - 2 * w - 1 - here
        size, rest = divmod(between, periods - 1)
        start = here + w + 1
        for j in range(periods - 1):
            end = start + size + (j < rest)
            groups[start:end] = j + 1
            start = end
    return groups


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February; R goes on to 1 March
        return date(day.year - years, 3, 1)


def _monday(day: date) -> date:
    """Return the nearest Monday."""
    return day - timedelta(days=day.weekday()) if day.weekday() <= 3 else day + timedelta(days=7 - day.weekday())


def _fit(y: np.ndarray, time: np.ndarray, seasons: np.ndarray, trend: bool) -> _Fitted:
    levels = np.unique(seasons)
    x = np.column_stack([np.ones(len(y)), *([time] if trend else []), *[(seasons == level).astype(float) for level in levels[1:]]])
    weight = np.ones(len(y))
    beta, mean, cover = _glm(x, y, weight)
    phi = max(1.0, _dispersion(y, mean, weight, x.shape[1]))
    hat = np.einsum("ij,jk,ik->i", x, cover, x) * mean * weight
    residual = 1.5 * (y ** (2 / 3) * mean ** (-1 / 6) - np.sqrt(mean)) / np.sqrt(phi * (1 - hat))
    out = residual > OUTLYING
    shrunk = np.where(out, 1 / np.where(out, residual, 1) ** 2, 1.0)
    weight = shrunk * len(y) / shrunk.sum()
    beta, mean, cover = _glm(x, y, weight)
    raw = _dispersion(y, mean, weight, x.shape[1])
    p = 1.0
    if trend:
        t = beta[1] / np.sqrt(raw * cover[1, 1]) if raw > 0 else 0.0
        p = float(2 * stats.t.sf(abs(t), len(y) - x.shape[1]))
    return _Fitted(beta, levels, trend, max(1.0, raw), p)


def _glm(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients, means and unscaled covariance of a Poisson model with log link, by weighted least squares."""
    mean = y + 0.1
    eta, last = np.log(mean), np.inf
    for _ in range(25):
        z, v = eta + (y - mean) / mean, weight * mean
        root = np.sqrt(v)
        beta = np.linalg.lstsq(x * root[:, None], z * root, rcond=None)[0]
        eta = np.clip(x @ beta, -30, 30)
        mean = np.exp(eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviance = 2 * np.sum(weight * (np.where(y > 0, y * np.log(y / mean), 0.0) - (y - mean)))
        if abs(deviance - last) / (abs(deviance) + 0.1) < 1e-8:
            break
        last = deviance
    return beta, mean, np.linalg.pinv((x * (weight * mean)[:, None]).T @ x)


def _dispersion(y: np.ndarray, mean: np.ndarray, weight: np.ndarray, parameters: int) -> float:
    return float(np.sum(weight * (y - mean) ** 2 / mean) / (len(y) - parameters))


def _at(made: _Fitted, time: float, group: int) -> float:
    row = [1.0, *([time] if made.trend else []), *[float(group == level) for level in made.levels[1:]]]
    return float(np.exp(np.dot(row, made.beta)))
