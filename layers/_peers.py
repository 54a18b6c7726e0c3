"""Which values stand out among their peers. The only rule by which a place gets an action colour.

Robust: on a scale on which chance spreads evenly (the root of counts, the logarithm of times and
densities) a value stands out beyond three, and far beyond five, robust standard deviations from the
median (a quarter of the values would have to lie there before the rule could be fooled by them). A
floor keeps areas that hardly differ from being called different: for counts it is what chance alone
does to a count (Poisson), for rates two points, for times and densities 15 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Bad = Literal["up", "down"] | None
#: With fewer known values than this nothing is judged.
PEERS = 5
FAR, VERY = 3.0, 5.0
COUNTS = ("n", "people", "things")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Where chance spreads evenly: there, back, and the least standard deviation there."""

    to: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]
    floor: float


@dataclass(frozen=True, kw_only=True)
class Fences:
    """The first value that stands out, and that stands out far; both None = nothing is judged."""

    far: float | None = None
    very: float | None = None

    def step(self, value: float | None, bad: Bad) -> int:
        """Return 0 = ordinary or not known, 1 = stands out, 2 = stands out far."""
        if value is None or self.far is None or self.very is None or bad is None:
            return 0
        beyond = (value >= self.far, value >= self.very) if bad == "up" else (value <= self.far, value <= self.very)
        return sum(beyond)


def scale(unit: str) -> Scale:
    """Return the scale of a unit."""
    if unit in COUNTS:
        return Scale(to=lambda v: 2 * np.sqrt(np.maximum(v, 0) + 0.375), floor=1.0,
                     back=lambda t: np.maximum(np.maximum(t, 0) ** 2 / 4 - 0.375, 0))
    if unit == "%":
        return Scale(to=lambda v: v, back=lambda t: t, floor=0.02)
    return Scale(to=lambda v: np.log1p(np.maximum(v, 0)), back=np.expm1, floor=0.15)


def fences(known: Sequence[float], bad: Bad, unit: str) -> Fences:
    """Return from where on a value stands out among the known ones in the bad direction."""
    if bad is None or len(known) < PEERS:
        return Fences()
    one = scale(unit)
    there = one.to(np.asarray(known, float))
    low, middle, high = np.quantile(there, (0.25, 0.5, 0.75))
    spread = max(float(high - low) / 1.349, one.floor)
    sign = 1 if bad == "up" else -1
    if unit in COUNTS and bad == "down" and middle - FAR * spread < one.to(np.zeros(1))[0]:
        return Fences()  # not even none at all would stand out
    raw = [float(one.back(np.asarray(middle + sign * k * spread))) for k in (FAR, VERY)]
    far, very = (_readable(value, unit, bad) for value in raw)
    if unit in COUNTS and bad == "up":
        very = max(very, far + 1, 2 * far if far < 32 else 0)
    return Fences(far=far, very=very)


def _readable(value: float, unit: str, bad: Bad) -> float:
    # Always outwards: a rounder border never calls more areas outstanding than the rule does.
    out = math.ceil if bad == "up" else math.floor
    if unit in COUNTS:
        if bad == "up" and value < 32:
            return float(2 ** math.ceil(math.log2(max(math.ceil(value), 2))))
        grain = 10.0 ** max(0, math.floor(math.log10(max(abs(value), 1))) - 1)
    else:
        grain = 0.005 if unit == "%" else 10.0 ** (math.floor(math.log10(max(abs(value), 1e-9))) - 1)
    return float(f"{out(round(value / grain, 6)) * grain:.12g}")
