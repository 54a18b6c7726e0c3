"""What is nobody's: cases in no grid, grids without anybody on duty, kinds of work on no list, cases left lying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, and_, exists, func, select

from queries import cases as cases_
from queries import outlines, places
from queries import scope as rights
from queries.answers import stamped
from queries.case_rows import CaseRow
from queries.clock import now, stamp
from queries.frame import Answer, Ask, Filters
from queries.intervals import inside
from queries.loop import past_cases
from queries.loop import then as past
from queries.loop.steps import STATUSES
from queries.loop.tables import duty, list_item
from queries.loop.task_list import in_force
from queries.store import Store
from queries.tables import area, cases, category, node

Words = dict[str, str]
Gap = Literal["no_grid", "no_duty", "no_item", "left_lying"]
TITLES: dict[Gap, Words] = {
    "no_grid": {"zh": "未落入网格的案件", "en": "Cases in no grid"},
    "left_lying": {"zh": "立案后超时未派遣", "en": "Filed and not dispatched in time"},
    "no_duty": {"zh": "无人值守的网格", "en": "Grids without anybody on duty"},
    "no_item": {"zh": "清单未覆盖的类别", "en": "Kinds of cases on no task list"},
}


NO_HISTORY: Words = {"zh": "值班岗位与事项清单没有历史记录，回放时不计", "en": "duty and task list keep no history; what lacks them is left out of the past"}


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """One thing that is nobody's: a case, or an area, or a category."""

    code: str
    name: Words
    case: CaseRow | None = None


@dataclass(frozen=True, kw_only=True)
class GapRow:
    """One kind of gap: how many there are, and the first of them."""

    id: Gap
    title: Words
    n: int
    first: tuple[Orphan, ...]


def gaps(store: Store, ask: Ask, limit: int = 30) -> Answer[GapRow]:
    """Return every kind of gap at or under the place."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        if ask.at is not None:
            return _then(connection, ask, limit)
        nodes = [] if place.level == 0 and visible == [place] else [inside(cases.c.node, rights.ranges_under(connection, visible))]
        deepest = max((one.level for one in outlines.levels(connection)), default=0)
        leaf = select(node.c.num).where(node.c.num == cases.c.node, node.c.level == deepest).correlate(cases)
        lying = and_(cases.c.status == "filed", func.coalesce(cases.c.stage_due_at, cases.c.due_at) < stamp(now()))
        found = {
            "no_grid": _cases(connection, [cases.c.is_open, ~exists(leaf), *nodes], limit),
            "left_lying": _cases(connection, [cases.c.is_open, lying, *nodes], limit),
            "no_duty": _grids(connection, visible, deepest, limit),
            "no_item": _kinds(connection),
        }
        return stamped(connection, [GapRow(id=id_, title=TITLES[id_], n=found[id_][0], first=found[id_][1]) for id_ in TITLES])


def _then(connection: Connection, ask: Ask, limit: int) -> Answer[GapRow]:
    """Return the gaps among the cases of a moment of the past; who was on duty and what stood on the list keeps no history."""
    held = past.then(connection, ask.present)
    where = np.flatnonzero(past.chosen(connection, ask.but(filters=Filters()), held))
    deepest = max((one.level for one in outlines.levels(connection)), default=0)
    grids = np.array(connection.execute(select(node.c.num).where(node.c.level == deepest)).scalars().all(), np.int64)
    filed = where[held.status[where] == STATUSES.index("filed")]
    found: dict[Gap, np.ndarray] = {"no_grid": where[~np.isin(held.node[where], grids)], "left_lying": filed[[_lies(held.stood[i].course, ask.present) for i in held.ids[filed].tolist()]]}
    rows = []
    for id_, spots in found.items():
        first = held.ids[spots[np.lexsort((held.ids[spots], held.reported[spots]))]][:limit].tolist()
        shown = [cases_.as_row(r, ask.present) for r in past_cases.dressed(connection, first, held.stood)]
        rows.append(GapRow(id=id_, title=TITLES[id_], n=len(spots), first=tuple(Orphan(code=c.no, name={"zh": c.title, "en": c.title}, case=c) for c in shown)))
    return stamped(connection, rows, ask=ask, notes=(NO_HISTORY,))


def _lies(course: dict[str, Any], at: int) -> bool:
    until = course["stage_due_at"] if course["stage_due_at"] is not None else course["due_at"]
    return until is not None and until < at


def _cases(connection: Connection, wanted: list[Any], limit: int) -> tuple[int, tuple[Orphan, ...]]:
    rows = connection.execute(
        cases_.selected().add_columns(func.count().over().label("n_")).where(*wanted).order_by(cases.c.reported_at).limit(limit)).all()
    held = [cases_.as_row(r) for r in rows]
    return (int(rows[0].n_) if rows else 0), tuple(Orphan(code=c.no, name={"zh": c.title, "en": c.title}, case=c) for c in held)


def _grids(connection: Connection, visible: list[places.Place], deepest: int, limit: int) -> tuple[int, tuple[Orphan, ...]]:
    under = inside(node.c.num, [])
    for part in visible:
        under = under | and_(node.c.tree_id == part.tree_id, node.c.num.between(part.num, part.last))
    rows = connection.execute(
        select(area.c.code, area.c.name, area.c.name_en, func.count().over().label("n_")).join(node, node.c.area_id == area.c.id)
        .where(node.c.level == deepest, node.c.main, under, ~exists(select(duty.c.post).where(duty.c.area_code == area.c.code).correlate(area)))
        .order_by(node.c.num).limit(limit)).all()
    return (int(rows[0].n_) if rows else 0), tuple(
        Orphan(code=r.code, name={"zh": r.name, "en": r.name_en or r.name}) for r in rows)


def _kinds(connection: Connection) -> tuple[int, tuple[Orphan, ...]]:
    held = exists(select(list_item.c.id).where(list_item.c.category == category.c.code, in_force(stamp(now()))).correlate(category))
    rows = connection.execute(select(category).where(~held).order_by(category.c.id)).all()
    return len(rows), tuple(Orphan(code=r.code, name={"zh": r.name, "en": r.name_en or r.name}) for r in rows)
