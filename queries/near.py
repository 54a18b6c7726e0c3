"""What stands nearest to a point: cameras and sensors that may be seen, by distance as the crow flies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from queries.clock import moment
from queries.intervals import inside
from queries.tables import camera, sensor

Kind = Literal["camera", "sensor"]
TABLES = {"camera": camera, "sensor": sensor}
#: Metres of a degree of latitude; half the side of the first box that is looked into, and of the last, in degrees.
METRES, FIRST, LAST = 111_195.0, 0.005, 0.5
#: The eight winds, from the north clockwise: word and arrow (of a map whose north is up).
COMPASS = (
    ({"zh": "北", "en": "N"}, "↑"), ({"zh": "东北", "en": "NE"}, "↗"), ({"zh": "东", "en": "E"}, "→"), ({"zh": "东南", "en": "SE"}, "↘"),
    ({"zh": "南", "en": "S"}, "↓"), ({"zh": "西南", "en": "SW"}, "↙"), ({"zh": "西", "en": "W"}, "←"), ({"zh": "西北", "en": "NW"}, "↖"),
)


@dataclass(frozen=True, kw_only=True)
class Near:
    """A camera or sensor near a place. `state`: of a camera, or the kind of a sensor; `seen_at`: of a camera.

    `bearing`: degrees from the north clockwise, from the place to it; None where it stands at the place itself.
    """

    kind: Kind
    code: str
    name: str
    state: str
    seen_at: datetime | None
    metres: int
    bearing: int | None
    lon: float
    lat: float


def compass(bearing: int) -> tuple[dict[str, str], str]:
    """Return word and arrow of the wind that is nearest to a bearing in degrees."""
    return COMPASS[round(bearing / 45) % 8]


def nearest(connection: Connection, kind: Kind, spans: Sequence[tuple[int, int]], lon: float, lat: float, n: int,
            own: str | None = None) -> tuple[Near, ...]:
    """Return the `n` things of a kind nearest to a point, the nearest first; none further away than some 80 km.

    On one mast stand several: of those at the same distance the one that is asked about (`own`) comes first, then the code says.
    """
    table, wide = TABLES[kind], math.cos(math.radians(lat))

    def within(half: float) -> Sequence[Row[Any]]:
        return connection.execute(select(table).where(
            inside(table.c.node, spans), table.c.lon.between(lon - half / wide, lon + half / wide), table.c.lat.between(lat - half, lat + half))).all()

    half, rows = FIRST, within(FIRST)
    while len(rows) < n and half < LAST:
        half *= 2
        rows = within(half)
    # In the corner of a box one is further away than just beside it.
    rows = within(1.5 * half)
    found = []
    for r in rows:
        # Flat enough: over a few kilometres the error is below that of the positions.
        east, north = (r.lon - lon) * wide, r.lat - lat
        metres = round(METRES * math.hypot(east, north))
        found.append(Near(
            kind=kind, code=r.code, name=r.name, state=r.state if kind == "camera" else r.kind, lon=r.lon, lat=r.lat, metres=metres,
            bearing=round(math.degrees(math.atan2(east, north))) % 360 if metres else None,
            seen_at=moment(r.seen_at) if kind == "camera" and r.seen_at is not None else None))
    return tuple(sorted(found, key=lambda one: (one.metres, one.code != own, one.code))[:n])
