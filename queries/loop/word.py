"""The present word of a source on one of its cases: what is new in it becomes an event, the rest changes nothing.

For sources that tell how a case stands and not what happened: rows of table files, and systems that are polled.
The same rules as for whole loads (queries/loading/cases_in.py), one case at a time through the writer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, bindparam, insert, or_, select

from queries.clock import moment
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor
from queries.loading.cases_in import SET, TOLD
from queries.loop.course import Course, Happened, after
from queries.loop.ink import Held, Prepared
from queries.loop.reports import morton_of
from queries.loop.steps import OVER, STATUSES
from queries.tables import cases, category, department, event

if TYPE_CHECKING:
    from queries.loop.page import Page

_OWN = ("id", "source", "hash", "placed", "lon", "lat", "kind", "title", "address", "channel")
_STANDS = Prepared(select(*(cases.c[name] for name in _OWN)).where(cases.c.no == bindparam("number")))
#: The last word of the source itself on a case, and the last one that ended it.
_LAST = Prepared(select(event.c.at, event.c.status).where(event.c.case_id == bindparam("of"), event.c.source == bindparam("door"))
                 .order_by(event.c.seq.desc()).limit(1))
_ENDED = Prepared(select(event.c.source).where(event.c.case_id == bindparam("of"), or_(*(event.c.status == over for over in OVER))).order_by(event.c.seq.desc()).limit(1))


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a source says that a case stands. Times are UTC seconds; None = not told."""

    source: str
    no: str
    hash: str  # of all that it said; equal = nothing new
    category: str
    reported_at: int
    status: str = "reported"
    department: str | None = None
    kind: str = ""
    title: str = ""
    address: str = ""
    channel: str = ""
    urgent: bool = False
    filed_at: int | None = None
    due_at: int | None = None
    closed_at: int | None = None
    rework: int = 0
    lon: float | None = None
    lat: float | None = None
    area_code: str = ""
    #: When the source changed it; None = it does not say, so that only the order of arrival counts.
    at: int | None = None
    #: The source knows open and closed and nothing between: an open case stays where our own work has brought it.
    two_words: bool = False
    #: We asked for it, so that hearing the same again is no repeat of the source's.
    asked: bool = False


@dataclass(frozen=True)
class _Place:
    node: int
    placed: str
    lon: float | None
    lat: float | None
    cell: int | None


def take(page: Page, said: Said) -> str:
    """Write what is new; return new, changed, same or older. Raises AskError for a number of another source."""
    if said.status not in STATUSES:
        raise AskError(f"{said.status!r} is no status.", zh=f"没有状态“{said.status}”。", field="status")
    # What this page has yet to write must be seen; a case that it has not met is read without that.
    connection = page.connection if said.no in page.ink else page.ink.connection
    found = page.ink.held(said.no, page.part)
    if found is None:
        _new(page, said)
        return "new"
    stands = dict(zip(_OWN, _STANDS.rows(connection, number=said.no)[0], strict=True))
    if stands["source"] != said.source:
        raise AskError(f"The number {said.no!r} belongs to source {stands['source']}.", zh=f"案件号 {said.no} 已属于来源 {stands['source']}。", field="no")
    if stands["hash"] == said.hash:
        return "same"
    last = _LAST.rows(connection, of=found[0].id, door=said.source)
    if said.at is not None and last and min(said.at, page.seen) < last[0][0]:
        return "older"
    _change(page, said, found, stands, connection)
    return "changed"


def _new(page: Page, said: Said) -> None:
    place, category_id = _place(page, said), _known(page, category, page.book.categories, said.category)
    department_id = _known(page, department, page.book.departments, said.department) if said.department else None
    start = Course(node=place.node, category_id=category_id, urgent=said.urgent, origin=page.book.origin(said.channel))
    held = Held(page.ink.number("cases"), said.no, said.kind, place.node, category_id, said.urgent)
    before: Course | None = None
    course = start
    for happened in _implied(page, said, course, department_id):
        if before is None:
            first = after(course, happened)
            page.part.new.append((held.id, said.no, place.placed, place.lon, place.lat, place.cell, said.kind, said.title, said.address,
                                  said.channel, said.source, said.hash, *first.columns().values()))
        course, _ = page.write(held=held, before=before, base=course, happened=happened, actor=_actor(said), door=said.source,
                               derived=not said.two_words)
        before = course


def _implied(page: Page, said: Said, start: Course, department_id: int | None) -> Iterator[Happened]:
    """Yield the events of a case that is met for the first time: what its dates imply, then what they do not explain."""
    seq = 1
    at = page.moment(moment(said.reported_at))[0] if said.two_words else said.reported_at
    stage = page.book.stage_due("reported", start, at, said.kind) if said.two_words else None
    yield Happened(seq=seq, at=at, step="reported", status="reported", department_id=department_id, due_at=said.due_at, stage_due_at=stage)
    status = "reported"
    if said.filed_at is not None:
        seq, status = seq + 1, "filed"
        yield Happened(seq=seq, at=said.filed_at, step="filed", status=status)
    for _ in range(min(said.rework, 99)):
        seq, status = seq + 1, "handling"
        yield Happened(seq=seq, at=said.closed_at or page.seen, step="rework", status=status)
    if said.status in OVER and said.closed_at is not None and not said.two_words:
        seq, status = seq + 1, said.status
        yield Happened(seq=seq, at=said.closed_at, step=status, status=status)
    if said.status != status:
        told = {"set": {"closed_at": said.closed_at}} if said.closed_at is not None else {}
        yield Happened(seq=seq + 1, at=said.closed_at or page.seen, step="told", status=said.status, data=json.dumps(told) if told else "")


def _change(page: Page, said: Said, found: tuple[Held, Course], stands: dict[str, Any], connection: Connection) -> None:
    held, course = found
    place = _place(page, said)
    status = _status(said, held, course, connection)
    told_now: dict[str, Any] = {
        "category_id": _known(page, category, page.book.categories, said.category), "reported_at": said.reported_at,
        "closed_at": None if status not in OVER else course.closed_at if said.two_words and not course.is_open else said.closed_at,
    }
    if said.two_words:
        told_now |= {"due_at": said.due_at} if said.due_at is not None else {}
    else:
        told_now |= {"urgent": said.urgent, "filed_at": said.filed_at, "due_at": said.due_at, "rework": said.rework,
                     "department_id": _known(page, department, page.book.departments, said.department) if said.department else None}
    told = _told(said, course, stands, place, status, told_now)
    at = page.seen if said.at is None else page.moment(moment(said.at))[0]
    data = json.dumps({"told": told, "set": {k: v for k, v in told_now.items() if k in SET}}, ensure_ascii=False)
    happened = Happened(seq=course.seq + 1, at=at, step="changed", status="" if status == course.status else status, data=data)
    base = replace(course, node=place.node)
    new_held = replace(held, kind=said.kind, node=place.node)
    page.part.words.append((place.placed, place.lon, place.lat, place.cell, said.kind, said.title, said.address, said.channel, said.hash, held.id))
    page.write(held=new_held, before=course, base=base, happened=happened, actor=_actor(said), door=said.source)


def _told(said: Said, course: Course, stands: dict[str, Any], place: _Place, status: str, told_now: dict[str, Any]) -> dict[str, Any]:
    """Return what a timeline tells of a change: before and after."""
    now_ = {**told_now, "status": status, "lon": place.lon, "lat": place.lat, "title": said.title, "address": said.address, "kind": said.kind}
    was = {**course.columns(), **stands}
    told = {name: [was[name], now_[name]] for name in TOLD if name in now_ and was[name] != now_[name]}
    return told | ({"node": [course.node, place.node]} if place.node != course.node else {})


def _status(said: Said, held: Held, course: Course, connection: Connection) -> str:
    if not said.two_words or said.status in OVER:
        # A case that we cancelled stays so when its source closes it.
        return course.status if said.two_words and not course.is_open else said.status
    if course.is_open:
        return course.status
    ended = _ENDED.rows(connection, of=held.id)
    # The source opens again what it had closed itself; what was closed here stays closed.
    return "handling" if ended and ended[0][0] == said.source else course.status


def _place(page: Page, said: Said) -> _Place:
    there = said.lon is not None and said.lat is not None and math.isfinite(said.lon) and math.isfinite(said.lat)
    lon, lat = (said.lon, said.lat) if there else (math.nan, math.nan)
    node, how = page.book.locator.place_one(lon, lat, page.book.day(said.reported_at), said.area_code)  # type: ignore[arg-type]
    if not there:
        return _Place(node, how, None, None, None)
    return _Place(node, how, said.lon, said.lat, morton_of(lon, lat))  # type: ignore[arg-type]


def _known(page: Page, table: Table, words: dict[str, int], code: str) -> int:
    """Return the id of a word; one that is new to the city is taken in, as a load does."""
    if code not in words:
        page.connection.execute(insert(table).values(code=code, name=code, name_en=code))
        page.book.forget()
        page.book.open(page.connection)
        words = page.book.categories if table is category else page.book.departments
    return words[code]


def _actor(said: Said) -> Actor:
    return Actor(name=said.source, post="source", scope=EVERYTHING)
