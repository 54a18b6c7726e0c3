"""What the pages must know before they can ask: which city this is and which day is its last known one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from queries.answers import remembered
from queries.clock import local_day, now, stamp
from queries.store import get_meta
from queries.tables import category, department, source


@dataclass(frozen=True, kw_only=True)
class Named:
    """A code with its words in both languages."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class CityNow:
    """The loaded city; `loaded` is False before the first load, when nothing is known."""

    loaded: bool
    name: str
    name_en: str
    zone: ZoneInfo
    language: str
    demo: bool
    #: The last day of which the case sources speak: the end of "the last 30 days". Today if unknown.
    last_day: date
    #: UTC seconds of the newest fact of the case sources; None = nothing was ever delivered.
    as_of: int | None
    categories: tuple[Named, ...] = field(default=())
    departments: tuple[Named, ...] = field(default=())


def city_now(connection: Connection) -> CityNow:
    """Return the loaded city and its last known day."""
    return remembered(connection, ("city",), lambda: _read(connection))


def _read(connection: Connection) -> CityNow:
    kept: dict[str, Any] = get_meta(connection, "city", {}) or {}
    zone = ZoneInfo(kept.get("timezone") or "UTC")
    as_of = connection.scalar(select(func.max(source.c.as_of)).where(source.c.kind == "cases"))
    present = stamp(now())
    known = present if as_of is None else min(int(as_of), present)
    return CityNow(
        loaded=bool(kept),
        name=kept.get("name", ""),
        name_en=kept.get("name_en") or kept.get("name", ""),
        zone=zone,
        language=kept.get("language") or "zh",
        demo=bool(kept.get("demo")),
        last_day=local_day(known, zone),
        as_of=None if as_of is None else int(as_of),
        categories=tuple(
            Named(code=r.code, name=r.name, name_en=r.name_en)
            for r in connection.execute(select(category).order_by(category.c.id))
        ),
        departments=tuple(
            Named(code=r.code, name=r.name, name_en=r.name_en)
            for r in connection.execute(select(department).order_by(department.c.code))
        ),
    )
