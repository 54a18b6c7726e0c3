"""Places stored cases, sensors and cameras again when the tree of their day is another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from sqlalchemy import Connection, Table, bindparam, or_, select, update

from queries.boundaries.locate import Locator
from queries.city.model import City
from queries.clock import EPOCH, day_bucket, day_start, local_day, now, stamp
from queries.tables import area, camera, cases, node, sensor, tree

#: So many things are placed at a time.
BATCH = 200_000


def move(connection: Connection, city: City, retired: Sequence[int]) -> int:
    """Place again all that stands in a retired tree or in a tree of other days; return how many."""
    locator = Locator(connection, without=retired)
    windows = _windows(connection, city, retired)
    today = day_bucket(local_day(stamp(now()), city.zone))
    moved = 0
    for tree_id, window in windows.items():
        moved += _move(connection, city, locator, cases, tree_id, window, None)
        if window is None:
            for things in (sensor, camera):
                moved += _move(connection, city, locator, things, tree_id, None, today)
    return moved


def _windows(
    connection: Connection, city: City, retired: Sequence[int]
) -> dict[int, tuple[int | None, int | None] | None]:
    """Return for each tree the seconds within which its cases were reported; None = retired."""
    rows = connection.execute(select(tree.c.id, tree.c.valid_from).order_by(tree.c.valid_from)).all()
    live = [row for row in rows if row.id not in set(retired)]
    begins = [day_start(EPOCH + timedelta(days=row.valid_from), city.zone) if i else None for i, row in enumerate(live)]
    windows: dict[int, tuple[int | None, int | None] | None] = dict.fromkeys(retired)
    for i, row in enumerate(live):
        windows[row.id] = (begins[i], begins[i + 1] if i + 1 < len(live) else None)
    return windows


def _move(
    connection: Connection, city: City, locator: Locator, table: Table, tree_id: int,
    window: tuple[int | None, int | None] | None, today: int | None,
) -> int:
    at = table.c.reported_at if today is None else table.c.id
    wrong = (
        select(table.c.id, table.c.lon, table.c.lat, table.c.placed, area.c.code, at.label("at"))
        .join(node, node.c.num == table.c.node).join(area, area.c.id == node.c.area_id)
        .where(node.c.tree_id == tree_id)
    )
    if window is not None:
        lo, hi = window
        outside = [c for c in (lo is not None and at < lo, hi is not None and at >= hi) if c is not False]
        if not outside:
            return 0
        wrong = wrong.where(or_(*outside))
    moved, last = 0, -1
    while True:
        rows = connection.execute(
            wrong.where(table.c.id > last).order_by(table.c.id).limit(BATCH)
        ).all()
        if not rows:
            return moved
        last = rows[-1].id
        moved += len(rows)
        days = [today if today is not None else day_bucket(local_day(r.at, city.zone)) for r in rows]
        placed = locator.place(
            np.array([np.nan if r.lon is None else r.lon for r in rows]),
            np.array([np.nan if r.lat is None else r.lat for r in rows]),
            np.array(days), [r.code if r.placed == "code" else None for r in rows],
        )
        connection.execute(
            update(table).where(table.c.id == bindparam("key"))
            .values(node=bindparam("to_node"), placed=bindparam("to_placed")),
            [{"key": r.id, "to_node": int(n), "to_placed": str(p)}
             for r, n, p in zip(rows, placed.node, placed.placed, strict=True)],
        )
