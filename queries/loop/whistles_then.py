"""Whistles as they stood at a moment of the past, folded from the events of their cases: what was known then counts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import Connection, or_, select

from queries import places
from queries.frame import Ask
from queries.intervals import chunks
from queries.loop import then as past
from queries.loop.tables import whistle
from queries.tables import event

STEPS = ("whistled", "arrived", "whistle_ended", "whistle_rated", "escalated")
#: What is told later than this after it happened counts as if it had been known at once.
LATE_S = 90 * 86_400


def standing(connection: Connection, ask: Ask, selected: Any) -> list[Any]:
    """Return the whistles of the ask's place that nobody had ended at its moment: rows of `selected` as they were then."""
    at, w, e = ask.present, whistle.c, event.c
    told_later = select(e.case_id).where(e.step == "whistle_ended", e.at > at - LATE_S, e.seen_at > at, e.derived.is_(False))
    wanted = select(w.case_id).where(w.blown_at <= at, or_(w.ended_at.is_(None), w.ended_at > at, w.case_id.in_(told_later)))
    rows: Sequence[Any] = connection.execute(selected.where(w.case_id.in_(wanted)).order_by(w.case_id, w.id)).all()
    known, stood = _out(connection, rows, at), past.fold(connection, {r.case_id for r in rows}, at)
    made = [_dressed(connection, r, known[r.id], stood[r.case_id]) for r in rows if r.id in known and r.case_id in stood]
    mask = past.here(connection, ask, np.array([one.node for one in made], np.int64)) if made else ()
    return [one for one, mine in zip(made, mask, strict=True) if mine]


def counted(connection: Connection, ids: Sequence[int], at: int) -> dict[int, tuple[int, int]]:
    """Return for some cases how many departments had been called and not sent home at a moment, and how many of them had not come."""
    rows: list[Any] = []
    for part in chunks(ids):
        rows += connection.execute(select(whistle).where(whistle.c.case_id.in_(part), whistle.c.blown_at <= at).order_by(whistle.c.case_id, whistle.c.id)).all()
    known, out = _out(connection, rows, at), {}
    for case_id, held in groupby((r for r in rows if r.id in known), key=lambda r: r.case_id):
        come = [known[r.id]["arrived_at"] is not None for r in held]
        out[case_id] = len(come), len(come) - sum(come)
    return out


def _out(connection: Connection, rows: Sequence[Any], at: int) -> dict[int, dict[str, Any]]:
    """Return what was known at a moment of those whistles that were out then, by their id. `rows`: all whistles of some cases, as they were blown."""
    e = event.c
    told: dict[int, list[Any]] = defaultdict(list)
    for part in chunks(sorted({r.case_id for r in rows})):
        for one in connection.execute(select(e.case_id, e.at, e.seen_at, e.step, e.post, e.data).where(e.case_id.in_(part), e.step.in_(STEPS)).order_by(e.case_id, e.seq)):
            told[one.case_id].append(one)
    known: dict[int, dict[str, Any]] = {}
    for case_id, held in groupby(rows, key=lambda r: r.case_id):
        known |= _of_case(list(held), told[case_id], at)
    return known


def _of_case(rows: Sequence[Any], events: Iterable[Any], at: int) -> dict[int, dict[str, Any]]:
    known: dict[int, dict[str, Any]] = {}
    ends: set[int] = set()
    blown = iter(rows)
    for one in events:
        data = json.loads(one.data) if one.data else {}
        if one.step == "whistled":
            # A row was written for each called department, in their order.
            for row in [next(blown, None) for _ in data.get("departments", ())]:
                if row is not None and one.seen_at <= at:
                    known[row.id] = {"arrived_at": None, "ended_at": None, "climbed": 0, "rated_by_caller": None, "rated_by_called": None}
        elif one.seen_at > at:
            continue
        elif one.step == "whistle_ended":
            ends.add(one.at)
        elif (held := known.get(data.get("whistle", 0))) is not None:
            held |= {"arrived": {"arrived_at": one.at}, "escalated": {"climbed": data.get("rung", 0)},
                     "whistle_rated": {"rated_by_called" if one.post == "department" else "rated_by_caller": data.get("stars")}}[one.step]
    return {r.id: known[r.id] for r in rows if r.id in known and r.ended_at not in ends}


def _dressed(connection: Connection, row: Any, known: dict[str, Any], stood: past.Stood) -> Any:
    where: dict[str, Any] = {"node": stood.course["node"]}
    if chain := places.chain(connection, stood.course["node"]):
        where |= {"area": chain[-1].code, "area_zh": chain[-1].name, "area_en": chain[-1].name_en}
    return SimpleNamespace(**{**row._mapping, **known, **{name: stood.words[name] for name in ("title", "kind") if name in stood.words}, **where})
