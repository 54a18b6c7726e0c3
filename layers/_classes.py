"""Values into a few classes with words, ranges and counts. Missing is a class of its own, never zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layers._palette import FEW, NO_DATA, ramp

Words = dict[str, str]

#: Class numbers: 0 is not shown, then these two, then the ranges from low to high.
NO_DATA_CLASS, FEW_CLASS, FIRST = 1, 2, 3
STEPS = 5
_WORDS: tuple[Words, ...] = (
    {"zh": "低", "en": "low"}, {"zh": "较低", "en": "lower"}, {"zh": "中", "en": "middle"},
    {"zh": "较高", "en": "higher"}, {"zh": "高", "en": "high"},
)


@dataclass(frozen=True, kw_only=True)
class MapClass:
    """One class of the legend: its number in the table, word, range, colour, pattern and how many areas."""

    number: int
    word: Words
    low: float | None
    high: float | None
    text: Words
    colour: str
    pattern: Literal["", "hatch", "dots"]
    count: int


def breaks(values: Sequence[float], steps: int = STEPS) -> tuple[float, ...]:
    """Return the inner borders of up to `steps` classes that hold about as many values each."""
    known = np.asarray(values, float)
    if len(known) == 0:
        return ()
    distinct = np.unique(known)
    if len(distinct) <= steps:
        return tuple(float(v) for v in distinct[1:])
    cuts = np.unique(np.quantile(known, np.arange(1, steps) / steps, method="higher"))
    return tuple(float(c) for c in cuts if c > distinct[0])


def classify(
    values: Sequence[float | None], few: Sequence[bool], bad: Literal["up", "down"] | None,
    unit: str = "n", fixed: Sequence[float] = (),
) -> tuple[tuple[MapClass, ...], np.ndarray]:
    """Return the classes and each value's class number. A value at a border is in the upper class."""
    known = [v for v, weak in zip(values, few, strict=True) if v is not None and not weak]
    cuts = np.asarray(tuple(fixed) or breaks(known), float)
    chosen = np.full(len(values), NO_DATA_CLASS, np.uint8)
    for i, (value, weak) in enumerate(zip(values, few, strict=True)):
        if value is not None:
            chosen[i] = FEW_CLASS if weak else FIRST + int(np.searchsorted(cuts, value, "right"))
    counts = np.bincount(chosen, minlength=FIRST + len(cuts) + 1)
    classes: list[MapClass] = []
    if known:
        colours = ramp(bad, len(cuts) + 1)
        edges = [min(known), *cuts.tolist(), max(known)]
        for i, colour in enumerate(colours):
            low, high = (edges[i] if i else None), (edges[i + 1] if i < len(cuts) else None)
            classes.append(MapClass(
                number=FIRST + i, word=_word(i, len(colours)), low=low, high=high,
                text=_range(edges[i], high, edges[-1], unit, i == 0), colour=colour, pattern="",
                count=int(counts[FIRST + i]),
            ))
    classes.append(MapClass(
        number=FEW_CLASS, word={"zh": "样本少", "en": "few cases"}, low=None, high=None,
        text={"zh": "不足 30 件，不作比较", "en": "under 30, not compared"}, colour=FEW,
        pattern="dots", count=int(counts[FEW_CLASS])))
    classes.append(MapClass(
        number=NO_DATA_CLASS, word={"zh": "无数据", "en": "no data"}, low=None, high=None,
        text={"zh": "不知道，不等于零", "en": "not known, not zero"}, colour=NO_DATA,
        pattern="hatch", count=int(counts[NO_DATA_CLASS])))
    return tuple(classes), chosen


def say(value: float | None, unit: str) -> str:
    """Return a value as people read it. A share is said in percent."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value * 100:.1f}%"
    if unit in ("n", "people", "things"):
        return f"{value:,.0f}"
    return f"{value:,.1f}"


def _word(i: int, n: int) -> Words:
    if n == 1:
        return _WORDS[2]
    return _WORDS[round(i * (len(_WORDS) - 1) / (n - 1))]


def _range(low: float, high: float | None, top: float, unit: str, first: bool) -> Words:
    if high is None:
        text = say(low, unit) if low == top else f"≥ {say(low, unit)}"
        return {"zh": text, "en": text}
    if first:
        text = f"< {say(high, unit)}"
    else:
        text = f"{say(low, unit)} – < {say(high, unit)}"
    return {"zh": text, "en": text}
