"""What the sources are worth now: their age, and what was refused from them and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select

from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.frame import Answer, Scope
from queries.store import Store
from queries.tables import quarantine, source

KINDS = ("areas", "cases", "sensors", "readings", "cameras", "items", "duty")


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """One source. `age_s` = seconds since the newest moment that its rows speak of; None = never delivered."""

    id: str
    kind: str
    title: dict[str, str]
    licence: str
    state: Literal["ok", "late", "failed", "never"]
    message: dict[str, str]  # in both languages; empty = nothing to say
    as_of: datetime | None
    loaded_at: datetime | None
    age_s: int | None
    every_s: int | None
    rows: int
    refused: int
    doubted: int


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
        rows = []
        for r in connection.execute(select(source).order_by(source.c.kind, source.c.id)):
            age = None if r.as_of is None else max(0, present - r.as_of)
            state: Literal["ok", "late", "failed", "never"] = "ok"
            if r.state == "failed":
                state = "failed"
            elif r.kind != "areas" and r.as_of is None and r.rows == 0:
                state = "never"
            elif age is not None and r.every_s and age > 2 * r.every_s:
                state = "late"
            rows.append(SourceRow(
                id=r.id, kind=r.kind, title={"zh": r.title or r.id, "en": r.title_en or r.title or r.id},
                licence=r.licence, state=state, message=_both(r.message), age_s=age, every_s=r.every_s, rows=r.rows,
                as_of=None if r.as_of is None else moment(r.as_of), refused=r.refused, doubted=r.doubted,
                loaded_at=None if r.loaded_at is None else moment(r.loaded_at),
            ))
        return stamped(connection, rows, kinds=KINDS)


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
