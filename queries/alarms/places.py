"""Open alarms as the map shows them, now or at a moment of the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from queries import places
from queries import scope as rights
from queries.alarms import then as past
from queries.alarms.rows import LEVEL_IDS
from queries.answers import stamped
from queries.case_rows import Point
from queries.clock import now, stamp
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.sensing.tables import alarm
from queries.store import Store

#: So many are drawn at most, the most severe first; a city has never so many that somebody can still act on.
MOST = 1000


def points(store: Store, ask: Ask, bbox: tuple[float, float, float, float], zoom: int) -> Answer[Point]:
    """Return the open alarms of a view, the most severe first; several within a cell are one mark."""
    west, south, east, north = bbox
    a, present = alarm.c, stamp(now())
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        spans = rights.ranges_under(connection, rights.check(connection, ask.scope, place))
        here = (inside(a.node, spans), a.lon.between(west, east), a.lat.between(south, north))
        if ask.at is None:
            rows: Sequence[Any] = connection.execute(select(a.id, a.level, a.lon, a.lat).where(
                a.is_open, *here, or_(a.shelved_until.is_(None), a.shelved_until <= present)).order_by(a.level, a.id).limit(MOST)).all()
        else:
            stood = (one for one in past.standing(connection, ask.present, *here) if one.shelved_until is None)
            rows = sorted(stood, key=lambda one: (one.level, one.id))[:MOST]
        step = 360 / 2**zoom / 256 * 30  # about 30 pixels a cell
        cells: dict[tuple[int, int], list[int]] = {}
        for i, r in enumerate(rows):
            cells.setdefault((int(r.lon // step), int(r.lat // step)), []).append(i)
        out = []
        for held in cells.values():
            by: dict[str, int] = {}
            for i in held:
                by[LEVEL_IDS[rows[i].level]] = by.get(LEVEL_IDS[rows[i].level], 0) + 1
            out.append(Point(lon=rows[held[0]].lon, lat=rows[held[0]].lat, n=len(held), by_status=by, nos=(str(rows[held[0]].id),) if len(held) == 1 else ()))
        return stamped(connection, out, kinds=("sensors", "readings"), total=len(rows), ask=None if ask.at is None else ask)
