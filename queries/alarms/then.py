"""Alarms as they stood at a moment of the past, folded from their history; the history's moments are our own.

The value of an alarm is told by its history only when its level changes, so between two such moments it is that of
the last one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, func, or_, select

from queries.sensing.tables import alarm, alarm_event, shelf

#: What settles an alarm, in the words of its history.
SETTLED = ("case", "real", "false")
#: What says that its condition holds.
RAISED = ("raised", "again", "up", "down")
MOST = 50_000


def standing(connection: Connection, at: int, *where: Any, settled: bool = False) -> list[SimpleNamespace]:
    """Return the alarms that were not settled at a moment (with `settled`: all that had been raised), as rows of the table.

    `where` = further conditions on the table of alarms.
    """
    a, e = alarm.c, alarm_event.c
    since = select(e.alarm_id).where(e.at > at, e.what.in_(SETTLED))
    wanted = () if settled else (or_(a.is_open, a.id.in_(since)),)
    rows = connection.execute(select(alarm).where(a.seen_at <= at, *wanted, *where).order_by(a.seen_at.desc()).limit(MOST)).all()
    if not rows:
        return []
    told: dict[int, list[Any]] = defaultdict(list)
    chosen = select(a.id).where(a.seen_at <= at, *wanted, *where)
    for r in connection.execute(select(alarm_event).where(e.alarm_id.in_(chosen), e.at <= at).order_by(e.id)):
        told[r.alarm_id].append(r)
    shelved = {(r.rule, r.subject): r.until for r in connection.execute(select(shelf.c.rule, shelf.c.subject, shelf.c.until).where(
        shelf.c.at <= at, shelf.c.until > at, or_(shelf.c.ended_at.is_(None), shelf.c.ended_at > at)).order_by(shelf.c.until))}
    made = [_folded(r, told[r.id], shelved.get((r.rule, r.subject))) for r in rows if told[r.id]]
    return made if settled else [one for one in made if one.is_open]


def _folded(row: Any, events: list[Any], shelved_until: int | None) -> SimpleNamespace:
    out: dict[str, Any] = {**row._mapping, "is_open": True, "closed_at": None, "outcome": "", "reason": "", "case_no": "", "acked_at": None, "acked_by": "",
                           "is_active": False, "cleared_at": None, "times": 0, "shelved_until": shelved_until}
    if row.kind == "statistics" and row.data and row.again_at > max((one.at for one in events if one.what in RAISED), default=0):
        # Its evidence was written anew since; what it was then is not kept, only what it is about.
        out["data"] = json.dumps({"category": json.loads(row.data).get("category", "")})
    peak = None
    for one in events:
        if one.what in RAISED:
            out |= {"is_active": True, "level": one.level, "value": one.value}
            peak = one.value if peak is None or _worse(row, one.value, peak) else peak
            if one.what != "down":
                out |= {"acked_at": None, "acked_by": "", "again_at": one.at}
            if one.what in ("raised", "again"):
                out |= {"times": out["times"] + 1, "cleared_at": None}
        elif one.what == "cleared":
            out |= {"is_active": False, "cleared_at": one.at, "value": one.value}
        elif one.what == "acked":
            out |= {"acked_at": one.at, "acked_by": one.by}
        elif one.what in SETTLED:
            out |= {"is_open": False, "closed_at": one.at, "outcome": one.what, "reason": one.note, "case_no": one.note if one.what == "case" else ""}
            if out["acked_at"] is None:
                out |= {"acked_at": one.at, "acked_by": one.by}
    return SimpleNamespace(**(out | {"peak": peak}))


def _worse(row: Any, value: float | None, peak: float | None) -> bool:
    if value is None or peak is None or row.peak is None or row.bound is None:
        return value is not None
    # Which way is worse shows in the alarm itself: its peak lies beyond its limit.
    return value < peak if row.peak < row.bound else value > peak


def shelved(connection: Connection, at: int, *where: Any) -> list[Any]:
    """Return what was off the list at a moment, what came back first at the top: rows of the shelf."""
    return list(connection.execute(select(shelf).join(alarm, alarm.c.id == shelf.c.alarm_id).where(
        shelf.c.at <= at, shelf.c.until > at, or_(shelf.c.ended_at.is_(None), shelf.c.ended_at > at), *where).order_by(shelf.c.until)).all())


def settled(connection: Connection, since: int, at: int, *where: Any) -> Counter[str]:
    """Return how many of the alarms that were raised after `since` had been settled by a moment, by outcome."""
    a, e = alarm.c, alarm_event.c
    return Counter({r[0]: r[1] for r in connection.execute(select(e.what, func.count()).join(alarm, a.id == e.alarm_id).where(
        a.seen_at > since, a.seen_at <= at, e.what.in_(SETTLED), e.at <= at, *where).group_by(e.what))})


def levels(connection: Connection, at: int) -> dict[int, int]:
    """Return the worst level of the alarms of each sensor whose condition held at a moment."""
    out: dict[int, int] = {}
    for one in standing(connection, at, alarm.c.sensor_id.is_not(None)):
        if one.is_active:
            out[one.sensor_id] = min(out.get(one.sensor_id, 9), one.level)
    return out
