"""Which grids need the desk: what waits, is late or came in, counted by grid, those first where it presses most.

One statement over the open cases of the place. Where more grids lie under a place than anybody could look through,
nothing is counted: there the map and the areas below show where it presses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from queries import places
from queries import scope as rights
from queries.answers import stamped
from queries.clock import day_end, day_start, local_day
from queries.frame import Actor, Answer, Ask, Filters
from queries.intervals import inside
from queries.loop import desk, whistles, whistles_then
from queries.loop import then as past
from queries.loop.steps import STATUSES
from queries.loop.tables import whistle
from queries.store import Store
from queries.tables import cases, department, node
from queries.today import city_now

Words = dict[str, str]
#: With more areas than this under a place nothing is counted.
MOST = 600
#: What is counted of a grid, in the order of how much it presses.
COUNTS = ("late", "missing", "overdue", "mine", "today", "overnight")


@dataclass(frozen=True, kw_only=True)
class Need:
    """One grid. Cases are counted where they lie; a case may count in several columns."""

    code: str
    name: Words
    mine: int  # waits on the desk's post
    late: int  # of these: its time, or the stage's, is over
    overdue: int  # waits on somebody else and is past its deadline
    today: int  # its deadline is today and yet to come, whoever is waited on
    overnight: int  # reported since last evening
    missing: int  # departments that were called and did not come in time


def grids(store: Store, ask: Ask, actor: Actor) -> Answer[Need]:
    """Return the grids at or under the place where something is to be looked at, the most pressing first.

    `total` = all grids there; None when they are too many to be counted (MOST), then there are no rows.
    """
    called = actor.department if actor.post == "department" else ""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        if sum(part.last - part.num for part in visible) > MOST:
            return stamped(connection, (), ask=ask, total=None)
        n = _grids(connection, visible)
        found = [*_counted(connection, ask, actor, desk.here(connection, actor, place, visible)), *_missing(connection, ask, rights.ranges_under(connection, visible), called)] \
            if ask.at is None else _then(connection, ask, actor, called)
        held = places.of_nodes(connection, [num for num, _ in found])
        names: dict[str, Words] = {}
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for num, told in found:
            if (where := held.get(num)) is not None:
                # Boundaries may have changed since a case came in: its grid has one line, by its code.
                names[where.code] = {"zh": where.name, "en": where.name_en or where.name}
                counts[where.code].update(told)
        rows = [Need(code=code, name=names[code], **{name: told[name] for name in COUNTS}) for code, told in counts.items() if any(told[name] for name in COUNTS)]
        rows.sort(key=lambda row: (*(-getattr(row, name) for name in COUNTS), row.code))
        return stamped(connection, rows, ask=ask, total=n)


Counted = list[tuple[int, dict[str, int]]]


def _grids(connection: Connection, visible: list[places.Place]) -> int:
    """Count the areas of the lowest level at or under some places of one tree."""
    n, tree = node.c, visible[0].tree_id
    lowest = select(func.max(n.level)).where(n.tree_id == tree).scalar_subquery()
    return connection.scalar(select(func.count()).where(
        n.tree_id == tree, n.level == lowest, n.main.is_(True), or_(*(n.num.between(part.num, part.last) for part in visible)))) or 0


def _missing(connection: Connection, ask: Ask, spans: Sequence[tuple[int, int]], called: str) -> Counted:
    out = [whistle.c.arrived_at.is_(None), whistle.c.ended_at.is_(None), whistle.c.due_at < ask.present, inside(cases.c.node, spans)]
    if called:
        out.append(whistle.c.department_id == select(department.c.id).where(department.c.code == called).scalar_subquery())
    rows = connection.execute(select(cases.c.node, func.count().label("n")).join(cases, cases.c.id == whistle.c.case_id).where(*out).group_by(cases.c.node))
    return [(r.node, {"missing": r.n}) for r in rows]


def _counted(connection: Connection, ask: Ask, actor: Actor, here: list[ColumnElement[bool]]) -> Counted:
    mine, present, zone = desk.waits_on(actor.post), ask.present, city_now(connection).zone
    today = local_day(present, zone)
    own, over = cases.c.status.in_(mine), cases.c.due_at < present
    told = {
        "mine": own, "late": and_(own, or_(over, cases.c.stage_due_at < present)), "overdue": and_(cases.c.status.not_in(mine), over),
        "today": and_(cases.c.due_at >= present, cases.c.due_at < day_end(today, zone)),
        "overnight": cases.c.reported_at >= day_start(today - timedelta(days=1), zone) + desk.EVENING * 3600,
    }
    sums = [func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name) for name, condition in told.items()]
    rows = connection.execute(select(cases.c.node, *sums).where(*here).group_by(cases.c.node))
    return [(r.node, {name: int(getattr(r, name)) for name in told}) for r in rows]


def _then(connection: Connection, ask: Ask, actor: Actor, called: str) -> Counted:
    """Count the cases and whistles as they stood at a moment of the past."""
    held, present, zone = past.then(connection, ask.present), ask.present, city_now(connection).zone
    mask = past.chosen(connection, ask.but(filters=Filters()), held)
    if actor.post == "department":
        mask &= held.department == (connection.scalar(select(department.c.id).where(department.c.code == actor.department)) or -1)
    today = local_day(present, zone)
    own = np.isin(held.status, [STATUSES.index(one) for one in desk.waits_on(actor.post)])
    over = (held.due > 0) & (held.due < present)
    told: dict[str, Any] = {
        "mine": own, "late": own & (held.until > 0) & (held.until < present), "overdue": ~own & over,
        "today": (held.due >= present) & (held.due < day_end(today, zone)),
        "overnight": held.reported >= day_start(today - timedelta(days=1), zone) + desk.EVENING * 3600,
    }
    out = [r for r in whistles_then.standing(connection, ask, whistles.selected()) if called in ("", r.dep) and r.arrived_at is None and r.due_at < present]
    nums, of = np.unique(held.node[mask], return_inverse=True)
    sums = {name: np.bincount(of, one[mask], len(nums)).astype(int).tolist() for name, one in told.items()}
    return [*((int(num), {name: counts[i] for name, counts in sums.items()}) for i, num in enumerate(nums)), *((int(r.node), {"missing": 1}) for r in out)]
