"""Which areas of a level border on one: found down the tree by their boxes, then by the outlines themselves."""

from __future__ import annotations

from functools import cache
from typing import Any

import shapely
from sqlalchemy import Connection, Select, bindparam, select

from queries import places
from queries.places import Place
from queries.tables import area, node

#: Outlines that were drawn apart may leave a gap of so many degrees (about ten metres).
GAP = 1e-4


def of(connection: Connection, place: Place) -> list[Place]:
    """Return the areas of the same level that border on a place, in tree order.

    Only branches whose box meets the place's are looked into, so the cost is that of a few branches, however many
    areas the city has. An area far outside of its own parent's box is not found.
    """
    if place.bbox is None or place.level == 0:
        return []
    west, south, east, north = place.bbox
    found = connection.execute(_statement(), {"tree": place.tree_id, "level": place.level, "west": west - GAP, "south": south - GAP,
                                              "east": east + GAP, "north": north + GAP})
    rows = {r.id: r.shape for r in found}
    own = rows.pop(place.area_id, None)
    if own is None or not rows:
        return []
    far = shapely.distance(shapely.from_wkb(own), shapely.from_wkb(list(rows.values())))
    return places.at(connection, [i for i, d in zip(rows, far, strict=True) if d <= GAP], place.tree_id)


@cache
def _statement() -> Select[Any]:
    near = (area.c.west <= bindparam("east"), area.c.east >= bindparam("west"), area.c.south <= bindparam("north"), area.c.north >= bindparam("south"))
    down = select(node.c.num, node.c.area_id, node.c.level).where(node.c.tree_id == bindparam("tree"), node.c.level == 0, node.c.main).cte("down", recursive=True)
    down = down.union_all(
        select(node.c.num, node.c.area_id, node.c.level).join(down, node.c.parent == down.c.num).join(area, area.c.id == node.c.area_id)
        .where(node.c.main, node.c.level <= bindparam("level"), *near))
    return (select(area.c.id, area.c.shape).join(down, down.c.area_id == area.c.id)
            .where(down.c.level == bindparam("level"), area.c.shape.is_not(None)))
