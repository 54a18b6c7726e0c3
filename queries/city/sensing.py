"""What a city says of its sensors and alarms: kinds with their metrics, and the rules that raise alarms.

A kind that the city does not describe keeps what STANDARD says of it. Limits are examples until the city's own
office has set them; each rule should name its basis.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from queries.city.specs import Part, unknown

#: From the most severe: number, word, as the emergency law orders them.
LEVELS = ("red", "orange", "yellow", "blue")
SYMBOLS = ("drop", "rain", "gas", "flame", "sound", "air", "tilt", "heat", "count", "dot")


class Metric(Part):
    """One thing that a sensor measures: its unit, and what it can be at all. What lies outside is refused."""

    name: str
    name_en: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    digits: int = Field(2, ge=0, le=6)


class SensorKind(Part):
    """A kind of sensor. `every_s` = seconds within which it promises to send; a sensor may say otherwise."""

    name: str
    name_en: str = ""
    symbol: str = "dot"
    every_s: int | None = Field(None, ge=1)
    metrics: dict[str, Metric] = {}

    @model_validator(mode="after")
    def _known(self) -> SensorKind:
        if self.symbol not in SYMBOLS:
            raise unknown(self.symbol, SYMBOLS, "symbol of a sensor")
        for name, metric in self.metrics.items():
            if metric.low is not None and metric.high is not None and metric.high <= metric.low:
                raise ValueError(f"metrics.{name}: high {metric.high:g} is not above low {metric.low:g}.")
        return self


class Window(Part):
    """So much within so many hours is of a level."""

    level: Literal["red", "orange", "yellow", "blue"]
    at: float
    hours: float = Field(gt=0, le=72)


class AlarmRule(Part):
    """When an alarm is raised: threshold, rate (change per hour), sum (within hours), silence, or statistics (of cases)."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str
    title_en: str = ""
    kind: Literal["threshold", "rate", "sum", "silence", "statistics"]
    sensor_kind: str = ""
    metric: str = ""
    #: Level = the value from which it holds (for silence: missed intervals; for statistics: recurrence in days).
    limits: dict[Literal["red", "orange", "yellow", "blue"], float] = {}
    windows: list[Window] = []  # for sum
    down: bool = False  # True: low values are bad
    deadband: float = Field(0.0, ge=0)
    on_delay_s: int = Field(0, ge=0, le=86_400)
    off_delay_s: int = Field(0, ge=0, le=86_400)
    window_s: int = Field(600, ge=60, le=86_400)  # for rate
    #: What an operator does about it: without an action it is no alarm.
    action: str = ""
    action_en: str = ""
    item: str = ""  # code on the task list
    category: str = ""  # of the case that a person makes of it
    basis: str = ""

    @model_validator(mode="after")
    def _whole(self) -> AlarmRule:
        if self.kind == "sum" and not self.windows:
            raise ValueError("windows is missing: a rule of kind sum says how much in how many hours is of which level.")
        if self.kind != "sum" and not self.limits:
            raise ValueError("limits is missing: say from which value on it is of which level.")
        if self.kind in ("threshold", "rate", "sum") and not self.metric:
            raise ValueError(f"metric is missing: a rule of kind {self.kind} watches one.")
        ordered = [self.limits[name] for name in reversed(LEVELS) if name in self.limits]
        if ordered != sorted(ordered, reverse=self.down):
            raise ValueError("limits are out of order: a more severe level must lie further out.")
        return self

    def level_of(self, value: float, slack: float = 0.0) -> int:
        """Return the level of a value: 0 none, 4 blue .. 1 red. `slack` = deadband by which a limit is eased."""
        for number, name in enumerate(LEVELS, 1):
            if name in self.limits:
                bound = self.limits[name]
                if (value <= bound + slack) if self.down else (value >= bound - slack):
                    return number
        return 0


def _kind(name: str, name_en: str, symbol: str, every_s: int, metric: str, unit: str, low: float, high: float, digits: int = 2) -> SensorKind:
    return SensorKind(name=name, name_en=name_en, symbol=symbol, every_s=every_s, metrics={
        metric: Metric(name=name, name_en=name_en, unit=unit, low=low, high=high, digits=digits)})


#: Kinds that need no words in city.toml. What is legal is wide: it holds what the thing can say, not what is good.
STANDARD: dict[str, SensorKind] = {
    "water_level": _kind("水位", "Water level", "drop", 300, "water_level", "m", -5, 30),
    "flood_depth": _kind("积水深度", "Flood depth", "drop", 300, "depth", "m", -0.05, 5, 3),
    "rain": _kind("雨量", "Rainfall", "rain", 300, "rain", "mm", 0, 60, 1),
    "gas": _kind("可燃气体", "Combustible gas", "gas", 60, "gas", "%LEL", 0, 100, 1),
    "smoke": _kind("烟雾", "Smoke", "flame", 300, "smoke", "dB/m", 0, 10, 3),
    "noise": _kind("噪声", "Noise", "sound", 60, "noise", "dB(A)", 20, 140, 1),
    "pm25": _kind("细颗粒物", "Fine particles", "air", 600, "pm25", "µg/m³", 0, 2000, 0),
    "tilt": _kind("倾角", "Tilt", "tilt", 3600, "tilt", "°", 0, 180, 1),
    "temperature": _kind("温度", "Temperature", "heat", 600, "temperature", "°C", -60, 90, 1),
}
