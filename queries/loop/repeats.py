"""Repeat places: where cases of one category come again and again. About places, never about who reported them.

At a moment of the past they are made of the cases that were known then, as they stood then.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from queries import places
from queries import scope as rights
from queries.answers import remembered, stamped
from queries.clock import day_end, day_start
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.loop import then as past
from queries.loop.rates import Words
from queries.store import Store
from queries.tables import area, cases, category, node
from queries.today import city_now

#: A place is a repeat place from so many cases of one category on, within so many metres of their middle and days.
OFTEN, NEAR_M, WITHIN_D = 3, 50, 90
#: So many cases are read at most, the newest.
READ = 20_000


@dataclass(frozen=True, kw_only=True)
class RepeatPlace:
    """One such place: its middle, the category, how many cases and how many of them are open, the first few numbers."""

    lon: float
    lat: float
    category: str
    category_name: Words
    area_code: str
    area_name: Words
    n: int
    open: int
    first_at: int
    last_at: int
    nos: tuple[str, ...]


def repeat_places(store: Store, ask: Ask, bbox: tuple[float, float, float, float] | None = None, near_m: float = NEAR_M,
                  limit: int = 200) -> Answer[RepeatPlace]:
    """Return the repeat places of the ninety days up to the period's end, or up to a moment of the past; those with the most cases first."""
    with store.read() as connection:
        box = None if bbox is None else tuple(round(edge, 4) for edge in bbox)
        return remembered(connection, ("repeats", ask, box, near_m, limit), lambda: found(connection, ask, bbox, near_m, limit))


def found(connection: Connection, ask: Ask, bbox: tuple[float, float, float, float] | None = None, near_m: float = NEAR_M,
          limit: int = 200) -> Answer[RepeatPlace]:
    """Return what `repeat_places` returns, by a connection that is open already."""
    place = places.find(connection, ask.place, ask.on, ask.scope)
    rights.check(connection, ask.scope, place)
    zone = city_now(connection).zone
    end = day_end(ask.until, zone) if ask.at is None else ask.present + 1
    since = day_start(ask.until if ask.at is None else ask.on, zone) - WITHIN_D * 86400
    statement = (
        select(cases.c.id, cases.c.no, cases.c.node, cases.c.lon, cases.c.lat, cases.c.category_id, cases.c.is_open, cases.c.reported_at, cases.c.merged_into,
               category.c.code.label("category_code"), category.c.name.label("category_name"), category.c.name_en.label("category_en"),
               area.c.code.label("area_code"), area.c.name.label("area_name"), area.c.name_en.label("area_en"))
        .join(category, category.c.id == cases.c.category_id).join(node, node.c.num == cases.c.node).join(area, area.c.id == node.c.area_id)
        .where(cases.c.cell.is_not(None), cases.c.reported_at < end, cases.c.reported_at >= since,
               inside(cases.c.node, rights.node_ranges(connection, ask.scope, place)))
        .order_by(cases.c.reported_at.desc()).limit(READ + 1)
    )
    if ask.at is None:
        # A repeat of the same report is no repeat of the thing.
        statement = statement.where(cases.c.merged_into.is_(None))
    if bbox is not None:
        statement = statement.where(cases.c.lon.between(bbox[0], bbox[2]), cases.c.lat.between(bbox[1], bbox[3]))
    if ask.filters.categories:
        statement = statement.where(category.c.code.in_(ask.filters.categories))
    rows = connection.execute(statement).all()
    notes = ({"zh": f"只看最新的 {READ:,} 件", "en": f"only the newest {READ:,} cases were read"},) if len(rows) > READ else ()
    by_category: dict[int, list[Any]] = defaultdict(list)
    for r in rows[:READ] if ask.at is None else _then(connection, ask, rows[:READ]):
        by_category[r.category_id].append(r)
    spots = [_place(group) for held in by_category.values() for group in gathered(held, near_m) if len(group) >= OFTEN]
    spots.sort(key=lambda p: (-p.n, -p.open, -p.last_at))
    return stamped(connection, spots[:limit], ask=ask, notes=notes, total=len(spots))


def _then(connection: Connection, ask: Ask, rows: Sequence[Any]) -> list[Any]:
    """Return cases as they stood at the ask's moment: without those that were not known yet, with those that were merged later."""
    stood = past.fold(connection, [r.id for r in rows], ask.present)
    return [one for one in past.dressed(connection, rows, stood) if one.merged_into is None and one.lon is not None and one.lat is not None]


def gathered(rows: Sequence[Any], near_m: float) -> list[list[Any]]:
    """Return points (with lon and lat) in groups: each within `near_m` of the first point of its group, no point in two.

    Points are put into squares of that size, so that each is held against its neighbours only.
    """
    if not rows:
        return []
    high = near_m / 110_574
    wide = near_m / (111_320 * max(0.1, math.cos(math.radians(rows[0].lat))))
    squares: dict[tuple[int, int], list[list[Any]]] = defaultdict(list)
    groups: list[list[Any]] = []
    for r in rows:
        x, y = math.floor(r.lon / wide), math.floor(r.lat / high)
        near = [(math.hypot((r.lon - g[0].lon) / wide, (r.lat - g[0].lat) / high), i, g)
                for dx in (-1, 0, 1) for dy in (-1, 0, 1) for i, g in enumerate(squares.get((x + dx, y + dy), ()))]
        nearest = min(near, default=None, key=lambda n: n[0])
        if nearest is not None and nearest[0] <= 1:
            nearest[2].append(r)
        else:
            groups.append([r])
            squares[x, y].append(groups[-1])
    return groups


def _place(group: list[Any]) -> RepeatPlace:
    first = group[0]
    return RepeatPlace(
        lon=sum(r.lon for r in group) / len(group), lat=sum(r.lat for r in group) / len(group), category=first.category_code,
        category_name={"zh": first.category_name, "en": first.category_en or first.category_name}, area_code=first.area_code,
        area_name={"zh": first.area_name, "en": first.area_en or first.area_name}, n=len(group), open=sum(bool(r.is_open) for r in group),
        first_at=min(r.reported_at for r in group), last_at=max(r.reported_at for r in group), nos=tuple(r.no for r in group[:5]),
    )
