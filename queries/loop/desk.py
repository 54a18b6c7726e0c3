"""The desk of whoever acts: what waits on them, what is late or due today with others, what came in since last evening.

Each list is one statement. The inner one reads only an index of open cases, so its cost is that of the open
cases of the place and not that of the history; the rows themselves are read for one page only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, Connection, case, func, select

from queries import cases as cases_
from queries import places
from queries import scope as rights
from queries.answers import stamped
from queries.case_rows import CaseRow
from queries.clock import day_end, day_start, local_day, moment, now, stamp
from queries.errors import NoSuchError, ScopeError
from queries.frame import Actor, Answer, Ask, Filters
from queries.intervals import inside
from queries.loop import past_cases, reports, whistles, whistles_then
from queries.loop import then as past
from queries.loop.acts import UNDO_S
from queries.loop.steps import STATUSES, STEPS, WAITING, Step
from queries.loop.tables import whistle
from queries.loop.whistles import WhistleRow
from queries.store import Store
from queries.tables import cases, department, event
from queries.today import city_now

Which = Literal["mine", "overdue", "today", "overnight"]
LISTS: tuple[Which, ...] = ("mine", "overdue", "today", "overnight")
#: More are said as "more than": nobody works through them from a list.
COUNTED = 1000
#: The evening from whose hour on a report belongs to the night before the desk opens.
EVENING = 18
NEVER = 1 << 40


@dataclass(frozen=True, kw_only=True)
class DeskRow:
    """One open case: who is waited on, since when, until when; and `seq`, its last event, for whoever acts on it."""

    case: CaseRow
    waiting: str  # post; empty = the case is over
    since: datetime | None
    until: datetime | None
    seq: int
    climbed: int
    supervised: bool
    #: Departments that were called and not sent home yet, and those of them that have not come.
    called: int
    missing: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What can be done about one case: where it stands, its whistles, its likely repeats, what may be taken back."""

    row: DeskRow
    whistles: tuple[WhistleRow, ...]
    repeats: tuple[CaseRow, ...]
    undo: Step | None


def waits_on(post: str) -> tuple[str, ...]:
    """Return the statuses in which a case waits on a post; an administrator stands in for every post, a viewer for none."""
    return tuple(status for status, who in WAITING.items() if post in ("admin", who))


def page(store: Store, ask: Ask, actor: Actor, which: Which, limit: int = 50) -> Answer[DeskRow]:
    """Return one list of a desk, what must be done first at its head; `total` is None above 1,000.

    mine: what waits on the actor's post. overdue, today: whose deadline is past, or today, and which wait on
    somebody else. overnight: open cases reported since last evening. A department's desk holds its own cases.
    """
    if which not in LISTS:
        raise NoSuchError(f"No list of the desk is called {which!r}. Known: {', '.join(LISTS)}.")
    if ask.at is not None:
        return _then(store, ask, actor, which, limit)
    with store.read() as connection:
        wanted, order = _wanted(connection, ask, actor, which)
        found = select(cases.c.id).where(*wanted)
        first = found.order_by(order, cases.c.id).limit(limit).subquery()
        n = select(func.count()).select_from(found.limit(COUNTED + 1).subquery()).scalar_subquery()
        rows = connection.execute(
            _selected(n.label("n")).join(first, first.c.id == cases.c.id).order_by(order, cases.c.id)).all()
        total = int(rows[0].n) if rows else 0
        return stamped(connection, [_row(r) for r in rows], ask=ask, total=None if total > COUNTED else total)


def standing(store: Store, actor: Actor, no: str) -> Answer[Standing]:
    """Return where one case stands. Raises AskError, ScopeError."""
    with store.read() as connection:
        found = connection.execute(_selected().where(cases.c.no == no)).one_or_none()
        if found is None:
            raise NoSuchError(f"No case has the number {no!r}. Check the number, or look in the case list.", zh=f"没有案号 {no}。")
        if not rights.sees(connection, actor.scope, found.node):
            raise ScopeError(f"Case {no!r} lies outside what you may see.", zh=f"案件 {no} 不在您的辖区内。")
        return stamped(connection, (Standing(
            row=_row(found), whistles=whistles.of_case(connection, found.id), repeats=_repeats(connection, actor, found),
            undo=_undo(connection, actor, found.id)),))


def here(connection: Connection, actor: Actor, place: places.Place, visible: list[places.Place]) -> list[ColumnElement[bool]]:
    """Return the conditions of an actor's open cases at or under a place, of which so much is visible (`scope.check`)."""
    wanted: list[ColumnElement[bool]] = [cases.c.is_open]
    if place.level > 0 or visible != [place]:
        wanted.append(inside(cases.c.node, rights.ranges_under(connection, visible)))
    if actor.post == "department":
        wanted.append(cases.c.department_id == select(department.c.id).where(department.c.code == actor.department).scalar_subquery())
    return wanted


def _wanted(connection: Connection, ask: Ask, actor: Actor, which: Which) -> tuple[list[ColumnElement[bool]], Any]:
    mine, present, zone = waits_on(actor.post), stamp(now()), city_now(connection).zone
    place = places.find(connection, ask.place, ask.until, ask.scope)
    wanted = here(connection, actor, place, rights.check(connection, ask.scope, place))
    today = local_day(present, zone)
    if which == "mine":
        return [*wanted, cases.c.status.in_(mine)], _until()
    if which == "overnight":
        evening = day_start(today - timedelta(days=1), zone) + EVENING * 3600
        return [*wanted, cases.c.reported_at >= evening], cases.c.reported_at.desc()
    others = [*wanted, cases.c.status.not_in(mine)] if mine else wanted
    if which == "overdue":
        return [*others, cases.c.due_at < present], cases.c.due_at
    return [*others, cases.c.due_at >= present, cases.c.due_at < day_end(today, zone)], cases.c.due_at


def _then(store: Store, ask: Ask, actor: Actor, which: Which, limit: int) -> Answer[DeskRow]:
    """Return one list as the desk had it at a moment of the past."""
    mine, present = [STATUSES.index(one) for one in waits_on(actor.post)], ask.present
    with store.read() as connection:
        zone, held = city_now(connection).zone, past.then(connection, present)
        mask = past.chosen(connection, ask.but(filters=Filters()), held)
        if actor.post == "department":
            mask &= held.department == (connection.scalar(select(department.c.id).where(department.c.code == actor.department)) or -1)
        today, order = local_day(present, zone), held.due
        others = mask & ~np.isin(held.status, mine) & (held.due > 0)
        if which == "mine":
            mask, order = mask & np.isin(held.status, mine), np.where(held.until > 0, held.until, NEVER)
        elif which == "overnight":
            mask, order = mask & (held.reported >= day_start(today - timedelta(days=1), zone) + EVENING * 3600), -held.reported
        else:
            mask = others & (held.due < present if which == "overdue" else (held.due >= present) & (held.due < day_end(today, zone)))
        where = np.flatnonzero(mask)
        ids = held.ids[where[np.lexsort((held.ids[where], order[where]))][:limit]].tolist()
        return stamped(connection, rows_then(connection, ask, ids, held.stood), ask=ask, total=None if len(where) > COUNTED else len(where))


def rows_then(connection: Connection, ask: Ask, ids: Sequence[int], stood: dict[int, past.Stood]) -> list[DeskRow]:
    """Return some cases as a desk had them at a moment of the past, in the order of their ids as given."""
    present, out = ask.present, whistles_then.counted(connection, ids, ask.present)
    rows = past_cases.dressed(connection, ids, stood)
    for r in rows:
        r.called, r.missing = out.get(r.id, (0, 0))
    return [_row(r, present) for r in rows]


def standing_then(store: Store, ask: Ask, no: str) -> Answer[DeskRow]:
    """Return where one case stood at a moment of the past. Raises NoSuchError, ScopeError."""
    with store.read() as connection:
        found = connection.execute(select(cases.c.id, cases.c.node).where(cases.c.no == no)).one_or_none()
        rows = [] if found is None else rows_then(connection, ask, [found.id], past.fold(connection, [found.id], ask.present))
        if found is None or not rows:
            raise NoSuchError(f"No case had the number {no!r} at that moment.", zh=f"该时刻没有案号 {no}。")
        if not rights.sees(connection, ask.scope, found.node):
            raise ScopeError(f"Case {no!r} lies outside what you may see.", zh=f"案件 {no} 不在您的辖区内。")
        return stamped(connection, rows, ask=ask)


def _until() -> ColumnElement[int]:
    ends = case((cases.c.due_at < cases.c.stage_due_at, cases.c.due_at), else_=func.coalesce(cases.c.stage_due_at, cases.c.due_at))
    return func.coalesce(ends, NEVER)


def open_rows(connection: Connection, spans: Sequence[tuple[int, int]], limit: int) -> list[DeskRow]:
    """Return the open cases of some nodes, what must be done first at their head."""
    first = select(cases.c.id).where(cases.c.is_open, inside(cases.c.node, spans)).order_by(_until(), cases.c.id).limit(limit).subquery()
    return [_row(r) for r in connection.execute(_selected().join(first, first.c.id == cases.c.id).order_by(_until(), cases.c.id))]


def _selected(*more: Any) -> Any:
    out = [whistle.c.case_id == cases.c.id, whistle.c.ended_at.is_(None)]
    called = select(func.count()).where(*out).correlate(cases).scalar_subquery()
    missing = select(func.count()).where(*out, whistle.c.arrived_at.is_(None)).correlate(cases).scalar_subquery()
    return cases_.selected().add_columns(called.label("called"), missing.label("missing"), *more)


def _row(r: Any, present: int | None = None) -> DeskRow:
    ends = [at for at in (r.stage_due_at, r.due_at) if at is not None]
    return DeskRow(
        case=cases_.as_row(r, present), waiting=WAITING.get(r.status, ""), since=None if r.since_at is None else moment(r.since_at),
        until=moment(min(ends)) if ends and r.is_open else None, seq=r.seq, climbed=r.climbed, supervised=r.supervised,
        called=r.called, missing=r.missing)


def _repeats(connection: Connection, actor: Actor, r: Any) -> tuple[CaseRow, ...]:
    if r.status not in STEPS["merged"].frm:
        return ()
    found = (reports.in_the_grid(connection, r.category_id, r.kind, r.node, r.reported_at) if r.lon is None
             else reports.likely_repeats(connection, r.category_id, r.kind, r.lon, r.lat, r.reported_at))
    nos = [no for no in found if no != r.no]
    rows: Sequence[Any] = connection.execute(cases_.selected().where(cases.c.no.in_(nos))).all() if nos else ()
    return tuple(cases_.as_row(one) for one in sorted(rows, key=lambda one: nos.index(one.no)) if rights.sees(connection, actor.scope, one.node))


def _undo(connection: Connection, actor: Actor, case_id: int) -> Step | None:
    last = connection.execute(select(event).where(event.c.case_id == case_id).order_by(event.c.seq.desc()).limit(1)).one_or_none()
    if last is None or last.actor != actor.name or last.step not in STEPS or stamp(now()) - last.seen_at > UNDO_S:
        return None
    return STEPS[last.step] if STEPS[last.step].undo else None
