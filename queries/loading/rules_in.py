"""The city's rules come in: its calendar, its time limits, how it evaluates. Who keeps them in memory sees a new number of "rules"."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, select

from queries.city import City
from queries.clock import day_bucket
from queries.loop import evaluation
from queries.loop.tables import time_limit
from queries.store import get_meta, put_meta

_COLUMNS = ("category", "kind", "urgent", "stage", "amount", "clock", "basis", "valid_from", "valid_to")


def take_rules(connection: Connection, city: City) -> bool:
    """Store calendar and limits as the city names them; return whether anything changed.

    No case is touched: one that runs keeps the due that its event recorded.
    """
    changed = _calendar(connection, city) | _limits(connection, city) | evaluation.keep(connection, city.evaluation.model_dump())
    if changed:
        put_meta(connection, "rules", get_meta(connection, "rules", 0) + 1)
    return changed


def _calendar(connection: Connection, city: City) -> bool:
    told = city.calendar.model_dump(mode="json")
    told |= {key: sorted(set(told[key])) for key in ("workdays", "holidays", "years")}
    told["timezone"] = city.timezone
    if told == get_meta(connection, "calendar"):
        return False
    put_meta(connection, "calendar", told)
    return True


def _limits(connection: Connection, city: City) -> bool:
    held = {tuple(row)[1:]: row.id for row in connection.execute(
        select(time_limit.c.id, *(time_limit.c[name] for name in _COLUMNS)))}
    wanted = dict.fromkeys(
        (one.category, one.kind, one.urgent, one.stage, one.amount, one.clock, one.basis, _day(one.valid_from) or 0, _day(one.valid_to))
        for one in city.limits)
    gone: list[Any] = [held[row] for row in held if row not in wanted]
    new = [dict(zip(_COLUMNS, row, strict=True)) for row in wanted if row not in held]
    if gone:
        connection.execute(delete(time_limit).where(time_limit.c.id.in_(gone)))
    if new:
        connection.execute(time_limit.insert(), new)
    return bool(gone or new)


def _day(day: date | None) -> int | None:
    return None if day is None else day_bucket(day)
