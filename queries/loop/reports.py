"""A new case is taken in: placed, given its number and its first event, and held against likely repeats."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from queries import scope as rights
from queries.errors import AskError, ScopeError
from queries.loading.cases_in import morton
from queries.loop.course import Course, Happened, after
from queries.loop.orders import Found, Receipt, digest
from queries.loop.steps import STEPS
from queries.loop.tables import reporter
from queries.tables import cases

if TYPE_CHECKING:
    from queries.loop.page import Page

#: Two open reports of a category within so many metres and days are likely the same thing.
NEAR_M, RECENT_D = 60, 14
LONGEST = 2000
_CASE = insert(cases)
_NO = update(cases).where(cases.c.id == bindparam("of")).values(no=bindparam("new"))
_NEAR = select(cases.c.no, cases.c.kind, cases.c.lon, cases.c.lat).where(
    cases.c.is_open, cases.c.cell.between(bindparam("low"), bindparam("high")), cases.c.category_id == bindparam("category"),
    cases.c.reported_at >= bindparam("since"), cases.c.id != bindparam("own")).order_by(cases.c.reported_at.desc()).limit(50)


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
    placed = book.locator.place(np.array([lon]), np.array([lat]), np.array([book.day(at)]), [found.area_code or None])
    node, how = int(placed.node[0]), str(placed.placed[0])
    if not rights.sees(page.connection, found.actor.scope, node):
        raise ScopeError("The place of this report lies outside what you may see.", zh="该位置不在您的辖区内。")
    start = Course(node=node, category_id=category_id, urgent=found.urgent)
    stage_due = book.stage_due("reported", start, at, found.kind)
    happened = Happened(seq=1, at=at, step="reported", status="reported", stage_due_at=stage_due, data=f'{{"ahead_s": {ahead}}}' if ahead else "")
    first = after(start, happened)
    values: dict[str, Any] = {
        "no": found.no or f"~{digest(found)}{page.seen}", "placed": how, "lon": None if math.isnan(lon) else lon, "lat": None if math.isnan(lat) else lat,
        "cell": None if math.isnan(lon) else int(morton(np.array([lon]), np.array([lat]))[0]), "kind": found.kind, "title": found.title,
        "address": found.address, "channel": found.channel, "source": found.source or found.actor.name, "hash": "",
        **first.columns(),
    }
    if found.no and page.connection.scalar(select(cases.c.id).where(cases.c.no == found.no)) is not None:
        raise AskError(f"The case number {found.no!r} is taken. Leave it out to get a new one.", zh=f"案号 {found.no} 已存在。", field="no")
    case_id = page.connection.execute(_CASE, values).inserted_primary_key[0]
    no = found.no or f"{datetime.fromtimestamp(at, book.city.zone):%y%m%d}-{case_id}"
    if not found.no:
        page.connection.execute(_NO, {"of": case_id, "new": no})
    if found.contact or found.text:
        page.connection.execute(insert(reporter).values(
            case_id=case_id, first_case_id=case_id, at=at, source=found.source or found.actor.name, channel=found.channel,
            contact=found.contact[:200], text=found.text[:LONGEST]))
    now_, event_id = page.write(case_id=case_id, before=None, base=start, happened=happened, actor=found.actor, door=found.source)
    receipt = page._receipt(no, case_id, now_, event_id)
    return replace(receipt, likely_repeats=tuple(likely_repeats(page.connection, case_id, category_id, found.kind, lon, lat, at)))


def likely_repeats(connection: Connection, case_id: int, category_id: int, kind: str, lon: float, lat: float, at: int) -> list[str]:
    """Return the numbers of open cases of the same category (and kind, if both say one) nearby and recent, the nearest first."""
    if math.isnan(lon):
        return []
    high = NEAR_M / 110_574
    wide = NEAR_M / (111_320 * max(0.1, math.cos(math.radians(lat))))
    # Cells of about 300 m: at most four of them hold the circle, each an interval of the index of open cases.
    side = {int(c) >> 10 for c in morton(np.array([lon - wide, lon + wide, lon - wide, lon + wide]), np.array([lat - high, lat - high, lat + high, lat + high]))}
    found: list[tuple[float, str]] = []
    for cell in side:
        for r in connection.execute(_NEAR, {"low": cell << 10, "high": (cell + 1 << 10) - 1, "category": category_id, "own": case_id,
                                            "since": at - RECENT_D * 86400}):
            if kind and r.kind and r.kind != kind:
                continue
            far = math.hypot((r.lon - lon) / wide, (r.lat - lat) / high)
            if far <= 1:
                found.append((far, r.no))
    return [no for _, no in sorted(found)[:8]]


def _point(found: Found) -> tuple[float, float]:
    if found.lon is None or found.lat is None:
        return math.nan, math.nan
    lon, lat = float(found.lon), float(found.lat)
    if not (math.isfinite(lon) and math.isfinite(lat) and -180 <= lon <= 180 and -85 <= lat <= 85):
        raise AskError(f"({found.lon}, {found.lat}) is no place on the earth: longitude first, then latitude, in degrees.",
                       zh="坐标不在地球上：先经度后纬度，单位为度。", field="lon")
    return lon, lat
