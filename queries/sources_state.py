"""What the sources are worth now: their age, and what was refused from them and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.frame import Answer, Scope
from queries.loop.tables import heard
from queries.sources import found
from queries.sources._kept import states
from queries.store import Store
from queries.tables import quarantine, source

KINDS = ("areas", "cases", "sensors", "readings", "cameras", "items", "duty", "indicators", "doors")
#: Of the counts of a source's messages, those that say how well it keeps time and order.
MANNERS = ("again", "late", "ahead", "often", "disordered", "conflict")
State = Literal["ok", "late", "slow", "failed", "never"]


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """One source. `age_s` = seconds since the newest moment that its rows speak of; None = never delivered."""

    id: str
    kind: str
    title: dict[str, str]
    licence: str
    state: State
    message: dict[str, str]  # in both languages; empty = nothing to say
    as_of: datetime | None
    loaded_at: datetime | None
    age_s: int | None
    every_s: int | None
    rows: int
    refused: int
    doubted: int
    #: Since when a door is in its state; None = not a door that takes turns.
    since: datetime | None = None
    #: Of its messages: repeats, late ones and others (queries/loop/hearing.py); what never happened is not in it.
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReasonRow:
    """Why rows of a source went to quarantine, how many, and one of them."""

    source: str
    grade: str
    reason: dict[str, str]
    n: int
    file: str
    row: int
    field: str
    value: str


def sources(store: Store) -> Answer[SourceRow]:
    """Return every source with its age. Late = nothing newer than twice the promised interval."""
    present = stamp(now())
    with store.read() as connection:
        doors, counts = states(connection), _counts(connection)
        rows = [_row(r, doors.get(r.id), counts.get(r.id, {}), present)
                for r in connection.execute(select(source).order_by(source.c.kind, source.c.id))]
        return stamped(connection, rows, kinds=KINDS)


def _row(r: Any, door: dict[str, Any] | None, counts: dict[str, int], present: int) -> SourceRow:
    as_of, rows, message = r.as_of, r.rows, _both(r.message)
    state: State = "ok"
    if door is not None:
        # How a door fares is told by its last turn; it may have nothing to bring for days.
        message = door["message"] or message
        as_of, rows = as_of or door["as_of"], max(rows, door["taken"])
    age = None if as_of is None else max(0, present - as_of)
    if r.state == "failed":
        state = "failed"
    elif door is not None:
        state = door["state"]
    elif r.kind != "areas" and as_of is None and rows == 0:
        state = "never"
    elif age is not None and r.every_s and age > 2 * r.every_s:
        state = "late"
    return SourceRow(
        id=r.id, kind=r.kind, title=_title(r), licence=r.licence, state=state, message=message,
        age_s=age, every_s=r.every_s, rows=rows, as_of=None if as_of is None else moment(as_of), refused=r.refused, doubted=r.doubted,
        loaded_at=None if r.loaded_at is None else moment(r.loaded_at), since=None if door is None else moment(door["since"]), counts=counts)


def _title(r: Any) -> dict[str, str]:
    door = found().get(r.id)
    # A door that was heard before anybody announced it stands there under its id.
    if door is not None and r.title in ("", r.id):
        return door.title
    return {"zh": r.title or r.id, "en": r.title_en or r.title or r.id}


def _counts(connection: Connection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for r in connection.execute(select(heard).where(heard.c.what.in_(MANNERS))):
        found.setdefault(r.source, {})[r.what] = int(r.n)
    return found


def _both(message: str) -> dict[str, str]:
    return json.loads(message) if message else {}


def reasons(store: Store, scope: Scope, limit: int = 100) -> Answer[ReasonRow]:
    """Return the reasons of the quarantine, the most frequent first.

    A refused row lies nowhere yet and shows what was in it: only who may see everything may see it.
    """
    q = quarantine
    with store.read() as connection:
        if scope.areas is not None:
            return stamped(connection, (), kinds=KINDS, notes=({
                "zh": "隔离区仅对可查看全市者开放", "en": "the quarantine is open to those who may see the whole city"},))
        grouped = connection.execute(
            select(q.c.source, q.c.grade, q.c.reason, q.c.reason_en, func.count().label("n"), func.min(q.c.id).label("first"))
            .group_by(q.c.source, q.c.grade, q.c.reason, q.c.reason_en).order_by(func.count().desc(), q.c.source).limit(limit)
        ).all()
        firsts = {r.id: r for r in connection.execute(select(q).where(q.c.id.in_([g.first for g in grouped])))}
        rows = [
            ReasonRow(source=g.source, grade=g.grade, reason={"zh": g.reason, "en": g.reason_en}, n=int(g.n),
                      file=firsts[g.first].file, row=firsts[g.first].row, field=firsts[g.first].field,
                      value=firsts[g.first].value)
            for g in grouped
        ]
        return stamped(connection, rows, kinds=KINDS)
