"""The sensors as whoever takes readings in knows them: by code, with kind, metrics and promised interval."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from queries.city import City
from queries.city.sensing import STANDARD, AlarmRule, Metric, SensorKind
from queries.store import get_meta
from queries.tables import sensor

#: Where the city's settings are kept (queries/loading/run.py).
TOML = "toml"
#: Seconds for which the list is believed without looking whether it changed.
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Known:
    """One sensor."""

    id: int
    code: str
    name: str
    kind: str
    every_s: int | None
    node: int
    lon: float | None
    lat: float | None


@dataclass(frozen=True, kw_only=True)
class Register:
    """All sensors, the kinds, and the rules. `mark` changes when any of them does."""

    mark: tuple[object, ...]
    zone: ZoneInfo = UTC
    sensors: dict[str, Known] = field(default_factory=dict)
    by_id: dict[int, Known] = field(default_factory=dict)
    kinds: dict[str, SensorKind] = field(default_factory=lambda: dict(STANDARD))
    rules: tuple[AlarmRule, ...] = ()
    #: How readings are judged, by sensor, metric and unit: filled by queries/sensing/judge.py.
    plans: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    #: How many readings an hour of each sensor are no haste: filled by queries/sensing/often.py.
    limits: dict[int, float | None] = field(default_factory=dict)

    @functools.cached_property
    def watched(self) -> dict[str, list[AlarmRule]]:
        """Return the rules that look at readings, by metric."""
        out: dict[str, list[AlarmRule]] = {}
        for rule in self.rules:
            if rule.kind in ("threshold", "rate", "sum"):
                out.setdefault(rule.metric, []).append(rule)
        return out

    def metric(self, kind: str, name: str) -> Metric | None:
        """Return what is known of a metric of a kind; None = nothing, so that every finite value is taken."""
        held = self.kinds.get(kind)
        return held.metrics.get(name) if held else None

    def every_s(self, one: Known) -> int | None:
        """Return within how many seconds a sensor promises to send: its own word, else its kind's."""
        held = self.kinds.get(one.kind)
        return one.every_s or (held.every_s if held else None)


def mark_of(connection: Connection) -> tuple[object, ...]:
    """Return what changes when a load brought other sensors, kinds or rules."""
    n, last = connection.execute(select(func.count(), func.max(sensor.c.id))).one()
    return n, last, get_meta(connection, "loaded")


def read(connection: Connection, before: Register | None = None) -> Register:
    """Return the register as it stands; the same one when nothing changed."""
    mark = mark_of(connection)
    if before is not None and before.mark == mark:
        return before
    held = get_meta(connection, TOML)
    city = City.model_validate(held) if held else None
    rows = connection.execute(select(sensor.c.id, sensor.c.code, sensor.c.name, sensor.c.kind, sensor.c.every_s, sensor.c.node, sensor.c.lon, sensor.c.lat))
    known = [Known(*r) for r in rows]
    return Register(mark=mark, zone=city.zone if city else UTC, sensors={one.code: one for one in known}, by_id={one.id: one for one in known},
                    kinds=city.kinds_of_sensors if city else dict(STANDARD), rules=tuple(city.alarms) if city else ())
