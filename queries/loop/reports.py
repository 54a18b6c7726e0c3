"""A new case is taken in: placed, given its number and its first event, and held against likely repeats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, exists, select

from queries.errors import AskError, ScopeError
from queries.loading.cases_in import ZOOM, spread
from queries.loop.course import Course, Happened, after
from queries.loop.ink import Held, Prepared
from queries.loop.orders import Found, Receipt
from queries.loop.steps import STEPS
from queries.tables import cases
from queries.tables import node as node_table

if TYPE_CHECKING:
    from queries.loop.page import Page

#: Two open reports of a category within so many metres and days are likely the same thing.
NEAR_M, RECENT_D = 60, 14
LONGEST = 2000
_TAKEN = Prepared(select(cases.c.id).where(cases.c.no == bindparam("number")))
_NEAR = Prepared(select(cases.c.no, cases.c.kind, cases.c.lon, cases.c.lat).where(
    cases.c.is_open, cases.c.cell.between(bindparam("low"), bindparam("high")), cases.c.category_id == bindparam("of"),
    cases.c.reported_at >= bindparam("since")).order_by(cases.c.reported_at.desc()).limit(50))
_SAME_GRID = Prepared(select(cases.c.no, cases.c.kind).where(
    cases.c.is_open, cases.c.node == bindparam("at"), cases.c.category_id == bindparam("of"), cases.c.reported_at >= bindparam("since"),
    ~exists().where(node_table.c.parent == bindparam("at"))).order_by(cases.c.reported_at.desc(), cases.c.id.desc()).limit(50))


def take(page: Page, found: Found) -> Receipt:
    """Write a new case. Raises AskError where what was said cannot be used."""
    book = page.book
    if found.actor.post not in STEPS["reported"].posts:
        raise ScopeError(f"The post {found.actor.post!r} may not report a case.", zh="当前岗位不能上报。")
    category_id = book.categories.get(found.category)
    if category_id is None:
        raise AskError(f"No category has the code {found.category!r}. Known: {', '.join(sorted(book.categories))}.",
                       zh=f"没有代码为 {found.category} 的类别。", field="category")
    at, ahead = page.moment(found.at)
    lon, lat = _point(found)
    node, how = book.locator.place_one(lon, lat, book.day(at), found.area_code)
    if not page.sees(found.actor.scope, node):
        raise ScopeError("The place of this report lies outside what you may see.", zh="该位置不在您的辖区内。")
    start = Course(node=node, category_id=category_id, urgent=found.urgent, origin=book.origin(found.channel))
    stage_due = book.stage_due("reported", start, at, found.kind)
    happened = Happened(seq=1, at=at, step="reported", status="reported", stage_due_at=stage_due, data=f'{{"ahead_s": {ahead}}}' if ahead else "")
    first = after(start, happened)
    if found.no and _taken(page, found.no):
        raise AskError(f"The case number {found.no!r} is taken. Leave it out to get a new one.", zh=f"案号 {found.no} 已存在。", field="no")
    case_id = page.ink.number("cases")
    held = Held(case_id, found.no or _number(page, case_id, at), found.kind, node, category_id, found.urgent)
    there, cell = (None, None) if math.isnan(lon) else ((lon, lat), morton_of(lon, lat))
    source = found.source or found.actor.name
    page.part.new.append((case_id, held.no, how, *(there or (None, None)), cell, found.kind, found.title, found.address, found.channel,
                          source, "", *first.columns().values()))
    if found.contact or found.text:
        page.part.reporters.append((case_id, case_id, at, source, found.channel, found.contact[:200], found.text[:LONGEST]))
    repeats = (likely_repeats(page.ink.connection, category_id, found.kind, lon, lat, at, page.ink.near) if there
               else in_the_grid(page.ink.connection, category_id, found.kind, node, at))
    now_, event_id = page.write(held=held, before=None, base=start, happened=happened, actor=found.actor, door=found.source)
    if cell is not None:
        page.ink.near.setdefault(cell >> 10, []).append((category_id, (held.no, found.kind, lon, lat)))
    return replace(page.receipt(held.no, case_id, now_, event_id), likely_repeats=tuple(repeats))


def _taken(page: Page, no: str) -> bool:
    return no in page.ink or bool(_TAKEN.rows(page.ink.connection, number=no))


def _number(page: Page, case_id: int, at: int) -> str:
    """Return a number that nobody has; a source may have used one that looks like ours."""
    no = f"{datetime.fromtimestamp(at, page.book.city.zone):%y%m%d}-{case_id}"
    while _taken(page, no):
        no += "A"
    return no


def likely_repeats(connection: Connection, category_id: int, kind: str, lon: float, lat: float, at: int,
                   near: Mapping[int, Sequence[Any]] | None = None) -> list[str]:
    """Return the numbers of open cases of the same category (and kind, if both say one) nearby and recent, the nearest first.

    `near` = cases by cell that a page holds and has yet to write.
    """
    high = NEAR_M / 110_574
    wide = NEAR_M / (111_320 * max(0.1, math.cos(math.radians(lat))))
    found: dict[str, float] = {}
    # Cells of about 300 m: at most four of them hold the circle, each an interval of the index of open cases.
    for cell in {morton_of(x, y) >> 10 for x in (lon - wide, lon + wide) for y in (lat - high, lat + high)}:
        rows = _NEAR.rows(connection, low=cell << 10, high=(cell + 1 << 10) - 1, of=category_id, since=at - RECENT_D * 86400)
        rows += [row for category, row in (near or {}).get(cell, ()) if category == category_id]
        for no, other, x, y in rows:
            far = math.hypot((x - lon) / wide, (y - lat) / high)
            if far <= 1 and not (kind and other and other != kind):
                found[no] = far
    return sorted(found, key=lambda no: (found[no], no))[:8]


def in_the_grid(connection: Connection, category_id: int, kind: str, node: int, at: int) -> list[str]:
    """Return the numbers of open cases of the same category (and kind) in the same grid and recent, the newest first.

    For a report that names its grid and no point. In an area that has others below it nothing is near.
    """
    rows = _SAME_GRID.rows(connection, at=node, of=category_id, since=at - RECENT_D * 86400)
    return [no for no, other in rows if not (kind and other and other != kind)][:8]


def morton_of(lon: float, lat: float) -> int:
    """Return the number of the web-mercator cell of one point, as queries/loading/cases_in.py does for many."""
    side = 1 << ZOOM
    x = (lon + 180) / 360 * side
    y = (1 - math.asinh(math.tan(math.radians(min(85.05, max(-85.05, lat))))) / math.pi) / 2 * side
    return spread(min(side - 1, max(0, int(x)))) | (spread(min(side - 1, max(0, int(y)))) << 1)


def _point(found: Found) -> tuple[float, float]:
    if found.lon is None or found.lat is None:
        return math.nan, math.nan
    lon, lat = float(found.lon), float(found.lat)
    if not (math.isfinite(lon) and math.isfinite(lat) and -180 <= lon <= 180 and -85 <= lat <= 85):
        raise AskError(f"({found.lon}, {found.lat}) is no place on the earth: longitude first, then latitude, in degrees.",
                       zh="坐标不在地球上：先经度后纬度，单位为度。", field="lon")
    return lon, lat
