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
#: Plans that are kept: more of them come of made-up names only.
PLANS = 1_000_000
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the readings of one sensor, metric and unit are judged: kept, because most readings are like the one before."""

    why: str = ""
    id: int = 0
    metric: str = ""
    factor: float = 1.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    #: What would have fitted: the sensor's metrics, or the metric's unit.
    fits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A reading that was refused: which one of the batch, which field, why (a key of REASONS), what would have fitted."""

    row: int
    field: str
    why: str
    value: str
    fits: tuple[str, ...] = ()

    @property
    def zh(self) -> str:
        """Return the reason in Chinese."""
        return REASONS[self.why][0] + (f"；可用：{'、'.join(self.fits)}" if self.fits else "")

    @property
    def en(self) -> str:
        """Return the reason in English."""
        return REASONS[self.why][1] + (f"; it has: {', '.join(self.fits)}" if self.fits else "")


@dataclass
class Judged:
    """A batch after judgement: rows by (at, sensor id, metric), the last of the same moment counts."""

    good: dict[tuple[int, int, str], float] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def judge(register: Register, rows: Iterable[Read], now: int, floor: int) -> Judged:
    """Judge a batch. `floor` = before this moment nothing is kept any more."""
    done = Judged()
    good, plans = done.good, register.plans
    for i, row in enumerate(rows, 1):
        key = (row.sensor, row.metric, row.unit)
        plan = plans.get(key)
        if plan is None:
            plan = plans[key] = _plan(register, *key)
        value = row.value
        why = plan.why or _value(plan, value)
        if why:
            told = row.sensor if why == "sensor" else f"{row.sensor} {row.metric} {row.value} {row.unit}".strip()
            done.faults.append(Fault(i, "value" if why == "range" else why, why, told, plan.fits if plan.why else ()))
            continue
        late = now - row.at
        if late < -AHEAD_S or row.at < floor:
            why = "ahead" if late < 0 else "old"
            done.counts[why if why == "ahead" else "late"] += 1
            done.faults.append(Fault(i, "at", why, f"{row.sensor} {row.at}"))
            continue
        if late > LATE_S:
            done.counts["late"] += 1
        at = (row.at if late >= 0 else now, plan.id, plan.metric)
        if at in good:
            done.counts["again"] += 1
        good[at] = value * plan.factor + plan.offset
    if len(plans) > PLANS:
        plans.clear()
    return done


def _value(plan: Plan, value: Any) -> str:
    """Return why a value cannot be; empty = it can."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return "value"
    turned = value * plan.factor + plan.offset
    return "" if plan.low <= turned <= plan.high else "range"


def _plan(register: Register, sensor: str, metric: str, unit: str) -> Plan:
    """Return how readings of a sensor, metric and unit are judged."""
    known = register.sensors.get(sensor)
    if known is None:
        return Plan(why="sensor")
    held = register.kinds.get(known.kind)
    of: Any = None
    if held is not None and held.metrics:
        if not metric and len(held.metrics) == 1:
            metric = next(iter(held.metrics))
        of = held.metrics.get(metric)
    if not metric or (of is None and held is not None and held.metrics):
        return Plan(why="metric", fits=tuple(held.metrics) if held is not None else ())
    factor, offset = 1.0, 0.0
    if unit and of is not None:
        zero, one = convert(0.0, unit, of.unit), convert(1.0, unit, of.unit)
        if zero is None or one is None:
            return Plan(why="unit", fits=(of.unit,) if of.unit else ())
        factor, offset = one - zero, zero
    return Plan(id=known.id, metric=metric, factor=factor, offset=offset,
                low=-math.inf if of is None or of.low is None else of.low, high=math.inf if of is None or of.high is None else of.high)
