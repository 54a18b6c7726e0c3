"""What a map needs of the tree: its levels, the outlines of one of them, the numbers in its id tiles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, func, select

from queries import tables
from queries.answers import remembered
from queries.tables import area, node

if TYPE_CHECKING:
    from queries.places import Place


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level of the tree; 0 is the whole city."""

    level: int
    id: str
    name: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One area's outline (WKB, EPSG:4326) with its number in the id tiles."""

    area_id: int
    num: int
    dense: int
    wkb: bytes


def levels(connection: Connection) -> list[Level]:
    """Return the levels from the whole city down."""
    rows = connection.execute(select(tables.level).order_by(tables.level.c.level))
    return [Level(level=r.level, id=r.id, name=r.name, name_en=r.name_en) for r in rows]


def level_numbers(connection: Connection, tree_id: int, level: int) -> np.ndarray:
    """Return the area id at each dense number of a level; index 0 is 0, which is no area."""
    rows = connection.execute(
        select(node.c.dense, node.c.area_id)
        .where(node.c.tree_id == tree_id, node.c.level == level, node.c.main.is_(True))
    ).all()
    numbers = np.zeros(max((r.dense for r in rows), default=0) + 1, np.int64)
    for r in rows:
        numbers[r.dense] = r.area_id
    return numbers


def shapes(
    connection: Connection, tree_id: int, level: int,
    bbox: tuple[float, float, float, float] | None = None, under: Place | None = None,
) -> Iterator[Shape]:
    """Yield the outlines of one level, those whose box meets `bbox` and that lie under a place."""
    statement = (
        select(area.c.id, node.c.num, node.c.dense, area.c.shape)
        .join(area, area.c.id == node.c.area_id)
        .where(node.c.tree_id == tree_id, node.c.level == level, node.c.main.is_(True))
        .where(area.c.shape.is_not(None)).order_by(node.c.num)
    )
    if under is not None:
        statement = statement.where(node.c.num.between(under.num, under.last))
    if bbox is not None:
        west, south, east, north = bbox
        statement = statement.where(
            area.c.west <= east, area.c.east >= west, area.c.south <= north, area.c.north >= south
        )
    for r in connection.execute(statement):
        yield Shape(area_id=r.id, num=r.num, dense=r.dense, wkb=r.shape)


def level_sizes(connection: Connection, place: Place) -> dict[int, int]:
    """Return how many areas lie at or under a place, by level."""
    statement = (
        select(node.c.level, func.count()).group_by(node.c.level)
        .where(node.c.tree_id == place.tree_id, node.c.main.is_(True), node.c.num.between(place.num, place.last))
    )
    return remembered(connection, ("level_sizes", place.num), lambda: {level: int(n) for level, n in connection.execute(statement)})


def numbered_shapes(connection: Connection, tree_id: int, level: int) -> list[tuple[int, bytes]]:
    """Return (number in the id tiles, WKB) of every outline of one level, as plainly as the driver gives them."""
    held = connection.execute(
        select(node.c.dense, area.c.shape).join(area, area.c.id == node.c.area_id)
        .where(node.c.tree_id == tree_id, node.c.level == level, node.c.main.is_(True), area.c.shape.is_not(None))
    )
    rows = held.cursor.fetchall()
    held.close()
    return rows
