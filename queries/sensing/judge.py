"""Whether a reading can be: its sensor, metric, unit, range and time. What cannot is refused with its reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from queries.sensing.register import Register
from queries.sensing.units import convert

#: A clock that runs ahead further than this makes the reading useless; one that comes later than this counts as late.
AHEAD_S, LATE_S = 300, 3600
#: What a reading is refused for, in both languages.
REASONS = {
    "sensor": ("没有这个传感器", "there is no such sensor"),
    "metric": ("该传感器没有这个指标", "the sensor has no such metric"),
    "value": ("读数不是有限的数", "the reading is no finite number"),
    "unit": ("单位与指标不符", "the unit does not fit the metric"),
    "range": ("读数超出该指标可能的范围", "the reading lies outside of what the metric can be"),
    "ahead": ("传感器时钟超前", "the sensor's clock runs ahead"),
    "old": ("早于仍保留的读数", "older than the readings that are kept"),
    "topic": ("主题与设置不符", "the topic does not fit the settings"),
    "message": ("消息无法识别", "the message cannot be read"),
    "from": ("该来源不得代此传感器发送", "this source may not speak for this sensor"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """One reading as it came. `at` UTC seconds; `metric` and `unit` may be empty."""

    sensor: str
    at: int
    value: float
    metric: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A reading that was refused: which one of the batch, which field, why (a key of REASONS)."""

    row: int
    field: str
    why: str
    value: str


@dataclass
class Judged:
    """A batch after judgement: rows by (at, sensor id, metric), the last of the same moment counts."""

    good: dict[tuple[int, int, str], float] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def judge(register: Register, rows: Iterable[Read], now: int, floor: int) -> Judged:
    """Judge a batch. `floor` = before this moment nothing is kept any more."""
    done = Judged()
    sensors, good = register.sensors, done.good
    for i, row in enumerate(rows, 1):
        known = sensors.get(row.sensor)
        if known is None:
            done.faults.append(Fault(i, "sensor", "sensor", row.sensor))
            continue
        why, metric, value = _fit(register, known.kind, row)
        if why:
            done.faults.append(Fault(i, "value" if why == "range" else why, why, f"{row.sensor} {row.metric} {row.value} {row.unit}".strip()))
            continue
        late = now - row.at
        if late < -AHEAD_S or row.at < floor:
            why = "ahead" if late < 0 else "old"
            done.counts[why if why == "ahead" else "late"] += 1
            done.faults.append(Fault(i, "at", why, f"{row.sensor} {row.at}"))
            continue
        if late > LATE_S:
            done.counts["late"] += 1
        key = (min(row.at, now), known.id, metric)
        if key in good:
            done.counts["again"] += 1
        good[key] = value
    return done


def _fit(register: Register, kind: str, row: Read) -> tuple[str, str, float]:
    """Return why a reading does not fit its kind (empty = it does), its metric, and its value in the metric's unit."""
    held = register.kinds.get(kind)
    metric, value = row.metric, row.value
    known: Any = None
    if held is not None and held.metrics:
        if not metric and len(held.metrics) == 1:
            metric = next(iter(held.metrics))
        known = held.metrics.get(metric)
        if known is None:
            return "metric", metric, value
    elif not metric:
        return "metric", metric, value
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return "value", metric, math.nan
    value = float(value)
    if row.unit:
        turned = convert(value, row.unit, known.unit if known else "")
        if turned is None and known:
            return "unit", metric, value
        value = value if turned is None else turned
    if known and ((known.low is not None and value < known.low) or (known.high is not None and value > known.high)):
        return "range", metric, value
    return "", metric, value
