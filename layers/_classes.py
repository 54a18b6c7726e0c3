"""Values into a few classes with words, ranges and counts. Missing is a class of its own, never zero.

The ordinary spread gets quiet steps of even width; only what stands out among its peers (see
layers/_peers.py) gets an action colour, and the legend says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layers._palette import ACTION, FEW, NO_DATA, quiet
from layers._peers import COUNTS, PEERS, Bad, Fences, fences, scale

Words = dict[str, str]

#: Class numbers: 0 is not shown, then these two, then the ranges from low to high.
NO_DATA_CLASS, FEW_CLASS, FIRST = 1, 2, 3
STEPS = 4
#: Counts up to here are read one by one: 0, 1, 2–3, 4–7, 8 and more.
SMALL = 16

AREA: Words = {"zh": "区域", "en": "area"}
USUAL: Words = {"zh": "常见范围", "en": "usual range"}
_OUT: dict[str, tuple[Words, Words]] = {
    "up": ({"zh": "偏高", "en": "high"}, {"zh": "很高", "en": "very high"}),
    "down": ({"zh": "偏低", "en": "low"}, {"zh": "很低", "en": "very low"}),
}
#: Of scores: the words of their four grades, and of one that rests on little.
GRADES: tuple[Words, ...] = ({"zh": "待改进", "en": "to improve"}, {"zh": "中", "en": "fair"}, {"zh": "良", "en": "good"}, {"zh": "优", "en": "very good"})
_FEW: dict[str, tuple[Words, Words]] = {
    "": ({"zh": "样本少", "en": "few cases"}, {"zh": "不足 30 件，不比较", "en": "under 30, not compared"}),
    "score": ({"zh": "自有数据少", "en": "mostly borrowed"}, {"zh": "自有权重不足 0.3，不排名", "en": "under 0.3 its own data, not ranked"}),
}
_NOTES: dict[str, Words] = {
    "judged": {"zh": "▲ 偏离同级区域中位数 3 倍（很高/很低为 5 倍）稳健标准差以上；其余为常见范围，不着警示色",
               "en": "▲ over 3 (very: 5) robust standard deviations from the median of the areas shown; the rest is the usual range and calls for nothing"},
    "none": {"zh": "没有区域明显偏离同级区域的中位数", "en": "No area stands out from the median of the areas shown"},
    "few": {"zh": f"可比区域不足 {PEERS} 个，不判断高低", "en": f"Fewer than {PEERS} areas to compare: nothing is called high or low"},
    "neutral": {"zh": "只表示多少，不分好坏", "en": "Shows how much; neither end is good or bad"},
    "plain": {"zh": "区域不按数值着色", "en": "Areas are coloured by no figure"},
    "fixed": {"zh": "分段由图层固定", "en": "The layer fixes these steps"},
}


@dataclass(frozen=True, kw_only=True)
class MapClass:
    """One class of the legend. `act` = 0 quiet, 1 stands out, 2 stands out far."""

    number: int
    word: Words
    low: float | None
    high: float | None
    text: Words
    colour: str
    pattern: Literal["", "hatch", "dots"]
    count: int
    act: int = 0


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes, each value's class number, and in words by which rule a class calls for action."""

    classes: tuple[MapClass, ...]
    chosen: np.ndarray
    note: Words


def alike(n: int) -> Classes:
    """Return one quiet class for n areas that have no values."""
    one = MapClass(number=FIRST, word=AREA, low=None, high=None, text=AREA, colour=quiet(1)[0], pattern="", count=n)
    return Classes(classes=(one,), chosen=np.full(n, FIRST, np.uint8), note=_NOTES["plain"])


def classify(
    values: Sequence[float | None] | np.ndarray, few: Sequence[bool] | np.ndarray, bad: Bad, unit: str = "n", fixed: Sequence[float] = (),
) -> Classes:
    """Return the classes of some values. A value at a border is in the class nearer to action."""
    weak = np.asarray(few, bool)
    numbers = np.asarray(values, float)  # None becomes NaN
    known = numbers[~weak & ~np.isnan(numbers)]
    rule = Fences() if fixed else fences(known, bad, unit)
    borders = tuple(fixed) or _borders(known, rule, bad, unit)
    # Where low is bad a border belongs to the class below it.
    side = "left" if bad == "down" and not fixed else "right"
    chosen = FIRST + np.searchsorted(np.asarray(borders, float), np.nan_to_num(numbers), side)
    chosen = np.where(np.isnan(numbers), NO_DATA_CLASS, np.where(weak, FEW_CLASS, chosen)).astype(np.uint8)
    counts = np.bincount(chosen, minlength=FIRST + len(borders) + 1)
    made = _ranges(known, borders, rule, bad, unit, counts) if len(known) else []
    note = "fixed" if fixed else "neutral" if bad is None else "few" if len(known) < PEERS else "none"
    if any(one.act and one.count for one in made):
        note = "judged"
    few_word, few_text = _FEW.get(unit, _FEW[""])
    made.append(MapClass(number=FEW_CLASS, word=few_word, low=None, high=None, colour=FEW, pattern="dots", text=few_text, count=int(counts[FEW_CLASS])))
    made.append(MapClass(
        number=NO_DATA_CLASS, word={"zh": "无数据", "en": "no data"}, low=None, high=None, colour=NO_DATA, pattern="hatch",
        text={"zh": "不知道，不等于零", "en": "unknown, not zero"}, count=int(counts[NO_DATA_CLASS])))
    return Classes(classes=tuple(made), chosen=chosen, note=_NOTES[note])


def say(value: float | None, unit: str) -> str:
    """Return a value as people read it. A share is said in percent."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value * 100:.1f}".removesuffix(".0") + "%"
    if unit in COUNTS:
        return f"{value:,.0f}"
    return f"{value:,.1f}".removesuffix(".0") if abs(value) >= 0.1 or not value else f"{value:.2g}"


def _borders(known: np.ndarray, rule: Fences, bad: Bad, unit: str) -> tuple[float, ...]:
    """Return the inner borders from low to high: quiet steps, then the fences that some value is beyond."""
    if not len(known):
        return ()
    # A large city has hundreds of thousands of areas but few different values.
    distinct = np.unique(known)
    steps = np.array([rule.step(v, bad) for v in distinct.tolist()])
    usual = known[(steps == 0)[np.searchsorted(distinct, known)]]
    cuts = set(_steps(usual, unit)) if len(usual) else set()
    beyond = {fence for fence, n in ((rule.far, 1), (rule.very, 2)) if fence is not None and steps.max() >= n}
    if rule.far is not None and beyond:
        cuts = {c for c in cuts if (c < rule.far if bad == "up" else c > rule.far)}
    return tuple(sorted(cuts | beyond))


def _steps(usual: np.ndarray, unit: str) -> list[float]:
    """Return the borders inside the ordinary spread: even steps on the unit's scale, at readable values."""
    low, high = float(usual.min()), float(usual.max())
    if low == high:
        return []
    if unit in COUNTS and high < SMALL:
        return [float(c) for c in (1, 2, 4, 8) if low < c <= high]
    one = scale(unit)
    # The middle nine tenths decide, so that one stray value does not swallow the steps.
    ends = np.quantile(one.to(usual), (0.05, 0.95))
    raw = one.back(np.linspace(ends[0], ends[1], STEPS + 1)[1:-1])
    gap = float(np.min(np.diff(raw))) if len(raw) > 1 else float(raw[0])
    if gap <= 0:
        return []
    grain = 10.0 ** math.floor(math.log10(gap))
    grain *= 5 if gap / grain >= 5 else 2 if gap / grain >= 2 else 1
    if unit in COUNTS:
        grain = max(1.0, grain)
    rounded = {float(f"{round(cut / grain) * grain:.12g}") for cut in raw.tolist()}
    return sorted(c for c in rounded if low < c <= high)


def _ranges(
    known: np.ndarray, borders: Sequence[float], rule: Fences, bad: Bad, unit: str, counts: np.ndarray
) -> list[MapClass]:
    edges = [float(known.min()), *borders, float(known.max())]
    acts = [_act(borders, i, rule, bad) for i in range(len(borders) + 1)]
    calm = acts.count(0)
    colours = quiet(calm, darkest_first=bad != "down")
    made = []
    for i, act in enumerate(acts):
        place = i - (len(acts) - calm if bad == "down" else 0)
        judged = rule.far is not None
        word = _OUT[bad][act - 1] if act and bad else USUAL if judged else {
            "zh": f"第 {place + 1} 档", "en": f"step {place + 1} of {calm}"}
        if unit == "score" and len(acts) == len(GRADES):
            word = GRADES[i]
        made.append(MapClass(
            number=FIRST + i, word=word, low=edges[i] if i else None, high=edges[i + 1] if i < len(borders) else None,
            text=_text(edges, i, unit, bad), colour=ACTION[act - 1] if act else colours[place], pattern="",
            count=int(counts[FIRST + i]), act=act,
        ))
    return made


def _act(borders: Sequence[float], i: int, rule: Fences, bad: Bad) -> int:
    """Return how far class i stands out, seen from its border that is nearer to the ordinary spread."""
    if bad == "up":
        return rule.step(borders[i - 1], bad) if i else 0
    return rule.step(borders[i], bad) if i < len(borders) else 0


def _text(edges: Sequence[float], i: int, unit: str, bad: Bad) -> Words:
    low, high, last = edges[i], edges[i + 1], len(edges) - 2
    if unit in COUNTS and bad != "down":
        top = high if i == last else high - 1
        text = say(low, unit) if low >= top else f"{say(low, unit)}–{say(top, unit)}"
    elif last == 0:
        text = say(low, unit) if low == high else f"{say(low, unit)} – {say(high, unit)}"
    elif i == 0:
        text = f"{'≤' if bad == 'down' else '<'} {say(high, unit)}"
    elif i == last:
        text = f"{'>' if bad == 'down' else '≥'} {say(low, unit)}"
    else:
        text = f"{say(low, unit)} – {say(high, unit)}"
    return {"zh": text, "en": text}
