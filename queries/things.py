"""Cameras as the map shows them: gathered into cells while many, single when few. Sensors: queries/sensing/values.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import func, select

from queries import places, scope
from queries.answers import known_then
from queries.cameras import STOOD, UNKNOWN, stood_at
from queries.case_rows import Point
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.store import Store
from queries.tables import camera

CAMERA_WORDS = {
    "online": {"zh": "在线", "en": "online"}, "offline": {"zh": "离线", "en": "offline"},
    "no_picture": {"zh": "在线无图像", "en": "no picture"}, "unknown": {"zh": "状态未知", "en": "state unknown"},
}
#: Up to so many are shown one by one.
SINGLE = 300


def points(store: Store, ask: Ask, bbox: tuple[float, float, float, float], zoom: int) -> Answer[Point]:
    """Return the cameras of a view; `by_status` counts their states."""
    table = camera
    west, south, east, north = bbox
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on)
        ranges = scope.node_ranges(connection, ask.scope, place)
        here = (inside(table.c.node, ranges), table.c.lon.between(west, east), table.c.lat.between(south, north))
        rows = connection.execute(select(table.c.id, table.c.code, table.c.lon, table.c.lat, table.c.state, table.c.source).where(*here)).all()
        stood = None if ask.at is None else stood_at(connection, ask.present, *here)
    state = [r.state if stood is None else stood.get(r.id, UNKNOWN)[0] for r in rows]
    told: dict[str, Any] = {"as_of": ask.at, "source": tuple(sorted({r.source for r in rows})), "total": len(rows), "notes": () if ask.at is None else (known_then(ask.at), STOOD)}
    if len(rows) <= SINGLE:
        found = [Point(lon=r.lon, lat=r.lat, n=1, by_status={state[i]: 1}, nos=(r.code,)) for i, r in enumerate(rows)]
        return Answer(rows=tuple(found), **told)
    # About 48 pixels a cell.
    step = 360 / 2**zoom / 256 * 48
    cells: dict[tuple[int, int], list[int]] = {}
    for i, r in enumerate(rows):
        cells.setdefault((int(r.lon // step), int(r.lat // step)), []).append(i)
    gathered = []
    for inside_cell in cells.values():
        states: dict[str, int] = {}
        for i in inside_cell:
            states[state[i]] = states.get(state[i], 0) + 1
        gathered.append(Point(
            lon=float(np.mean([rows[i].lon for i in inside_cell])),
            lat=float(np.mean([rows[i].lat for i in inside_cell])), n=len(inside_cell), by_status=states,
        ))
    return Answer(rows=tuple(gathered), **told)


def camera_states(store: Store, ask: Ask) -> dict[str, int]:
    """Return how many cameras of the place are online, offline, without picture, unknown."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until)
        ranges = scope.node_ranges(connection, ask.scope, place)
        statement = select(camera.c.state, func.count()).where(inside(camera.c.node, ranges)).group_by(camera.c.state)
        return {state: int(n) for state, n in connection.execute(statement)}
