"""Which areas of a level border on one: found by boxes that are kept in memory, then by the outlines themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, select

from queries import places
from queries.places import Place
from queries.tables import area, node

Boxes = tuple[np.ndarray, np.ndarray]
#: Outlines that were drawn apart may leave a gap of so many degrees (about ten metres).
GAP = 1e-4
KEPT = 8
_boxes: dict[tuple[Any, ...], Boxes] = {}


def of(connection: Connection, place: Place) -> list[Place]:
    """Return the areas of the same level that border on a place, in tree order."""
    if place.bbox is None or place.dense is None:
        return []
    ids, boxes = _level(connection, place)
    west, south, east, north = place.bbox
    near = (boxes[:, 0] <= east + GAP) & (boxes[:, 2] >= west - GAP) & (boxes[:, 1] <= north + GAP) & (boxes[:, 3] >= south - GAP)
    close = [int(i) for i in ids[near]]
    rows = {r.id: r.shape for r in connection.execute(select(area.c.id, area.c.shape).where(area.c.id.in_(close))) if r.shape}
    own = rows.pop(place.area_id, None)
    if own is None or not rows:
        return []
    far = shapely.distance(shapely.from_wkb(own), shapely.from_wkb(list(rows.values())))
    return places.at(connection, [i for i, d in zip(rows, far, strict=True) if d <= GAP], place.tree_id)


def _level(connection: Connection, place: Place) -> Boxes:
    # A tree never changes, so its boxes are read once.
    key = (str(connection.engine.url), place.tree_id, place.level)
    if key not in _boxes:
        rows = connection.execute(
            select(area.c.id, area.c.west, area.c.south, area.c.east, area.c.north).join(node, node.c.area_id == area.c.id)
            .where(node.c.tree_id == place.tree_id, node.c.level == place.level, node.c.main, area.c.west.is_not(None))).all()
        while len(_boxes) >= KEPT:
            _boxes.pop(next(iter(_boxes)))
        _boxes[key] = np.array([r[0] for r in rows], np.int64), np.array([tuple(r[1:]) for r in rows], float).reshape(-1, 4)
    return _boxes[key]
