"""Whistles (吹哨报到): a street or department calls departments to come, for one of three legal reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, insert, select, true, update

from queries import places
from queries import scope as rights
from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.errors import AskError, StepError
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.loop.course import Course
from queries.loop.orders import Order
from queries.loop.tables import whistle
from queries.masking import masked
from queries.store import Store
from queries.tables import area, cases, department, kind_word, node

if TYPE_CHECKING:
    from queries.loop.acts import Act
    from queries.loop.page import Page

Words = dict[str, str]
#: The only legal reasons (Beijing, 街乡吹哨、部门报到).
REASONS: dict[str, Words] = {
    "demand": {"zh": "群众反映突出、街道难以解决", "en": "a prominent public demand that the street cannot solve"},
    "joint": {"zh": "需要联合执法", "en": "joint enforcement where the street has no power"},
    "emergency": {"zh": "应急处置", "en": "an emergency"},
}
#: Clocks of those who tell may differ by so much.
SLACK_S = 300
#: Rungs that an unanswered whistle climbs.
RUNGS: tuple[Words, ...] = ({"zh": "部门负责人", "en": "the department's head"}, {"zh": "区级指挥", "en": "the district"}, {"zh": "市级指挥", "en": "the city"})


@dataclass(frozen=True, kw_only=True)
class WhistleRow:
    """One called department: who called, why, until when it should come, whether it came."""

    id: int
    case_no: str
    title: str
    title_words: Words
    reason: str
    reason_words: Words
    by: str  # street or department
    department: str
    department_name: Words
    area_code: str
    area_name: Words
    blown_at: datetime
    due_at: datetime
    arrived_at: datetime | None
    ended_at: datetime | None
    late: bool  # came too late, or has not come and should have
    climbed: int
    rated_by_caller: int | None
    rated_by_called: int | None


def blow(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    """Call one or more departments (`department`, or details["departments"]) for one of the legal reasons."""
    from queries.loop.acts import Act

    if order.reason not in REASONS:
        raise StepError(f"{order.reason!r} is no reason to whistle. Legal: {', '.join(REASONS)}.",
                        zh=f"吹哨事由只有三种：{'；'.join(w['zh'] for w in REASONS.values())}。")
    more = order.details.get("departments", [])
    if not isinstance(more, list) or not all(isinstance(code, str) for code in more):
        raise AskError("details.departments is a list of department codes.", zh="details.departments 须为部门代码的列表。", field="details.departments")
    codes = list(dict.fromkeys([order.department, *more]))
    unknown = [c for c in codes if c not in page.book.departments]
    if unknown:
        raise AskError(f"No department has the code {unknown[0]!r}. Known: {', '.join(sorted(page.book.departments)) or 'none'}.",
                       zh=f"没有代码为 {unknown[0]} 的部门。", field="department")
    due = page.book.arrival_due(order.reason, course, at)
    by = page.book.departments.get(order.actor.department) if order.actor.post == "department" else None
    for code in codes:
        called = page.book.departments[code]
        if called == by:
            raise StepError("A department cannot whistle for itself.", zh="部门不能对自己吹哨。")
        page.connection.execute(insert(whistle).values(
            case_id=row.id, reason=order.reason, by_post=order.actor.post, by_department_id=by,
            department_id=called, blown_at=at, due_at=due, note=order.note))
        page.tell(course, at, "whistles", department_id=called)
    return Act(details={"departments": codes, "due_at": due, "why": order.reason})


def arrive(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    """Report a called department in: by itself, or by the street that sees it come."""
    from queries.loop.acts import Act

    code = order.actor.department if order.actor.post == "department" else order.department
    called = _out(page.connection, row.id, page.book.departments.get(code))
    if called is None:
        raise StepError(f"No whistle on case {row.no} waits for department {code!r}.", zh=f"案件 {row.no} 没有等候该部门报到的哨。")
    if at < called.blown_at - SLACK_S:
        raise StepError(f"The whistle on case {row.no} was blown after the moment at which department {code!r} is said to have come.",
                        zh=f"案件 {row.no} 的报到时间早于吹哨时间。", field="at")
    page.connection.execute(update(whistle).where(whistle.c.id == called.id).values(arrived_at=at))
    page.tell(course, called.blown_at, "arrived", department_id=called.department_id)
    if at <= called.due_at:
        page.tell(course, called.blown_at, "arrived_on_time", department_id=called.department_id)
    return Act(details={"whistle": called.id, "department": code, "late_s": max(0, at - called.due_at)})


def end(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    """End the whistles on a case: work not done, people don't leave, so only the caller ends them."""
    from queries.loop.acts import Act

    own = page.book.departments.get(order.actor.department) if order.actor.post == "department" else None
    mine = (whistle.c.case_id == row.id, whistle.c.ended_at.is_(None), whistle.c.by_department_id == own if own is not None else true())
    called = page.connection.execute(select(whistle.c.department_id).where(*mine).order_by(whistle.c.id)).scalars().all()
    if not called:
        raise StepError(f"No whistle of yours is out on case {row.no}.", zh=f"案件 {row.no} 没有您吹出的、尚未解除的哨。")
    page.connection.execute(update(whistle).where(*mine).values(ended_at=at))
    return Act(details={"ended": len(called), "departments": [page.book.department(one) for one in called]})


def rate(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    """Rate the co-operation, 1 to 5: the caller rates the department that was called, and the other way round."""
    from queries.loop.acts import Act

    stars = order.details.get("stars")
    if not isinstance(stars, int) or not 1 <= stars <= 5:
        raise StepError("A rating is a whole number from 1 to 5.", zh="评价须为 1 至 5 的整数。")
    code = order.actor.department if order.actor.post == "department" else order.department
    found = page.connection.execute(select(whistle).where(
        whistle.c.case_id == row.id, whistle.c.department_id == page.book.departments.get(code), whistle.c.arrived_at.is_not(None),
    ).order_by(whistle.c.id.desc()).limit(1)).one_or_none()
    if found is None:
        raise StepError(f"Department {code!r} has not reported in on case {row.no}, so there is nothing to rate.", zh="该部门尚未报到，无可评价。")
    side = "rated_by_called" if order.actor.post == "department" else "rated_by_caller"
    page.connection.execute(update(whistle).where(whistle.c.id == found.id).values({side: stars}))
    return Act(details={"whistle": found.id, "department": code, "stars": stars})


def _out(connection: Connection, case_id: int, department_id: int | None) -> Any:
    return connection.execute(select(whistle).where(
        whistle.c.case_id == case_id, whistle.c.department_id == department_id, whistle.c.arrived_at.is_(None), whistle.c.ended_at.is_(None),
    ).order_by(whistle.c.id).limit(1)).one_or_none()


def out(store: Store, ask: Ask, department_code: str = "", limit: int = 200) -> Answer[WhistleRow]:
    """Return the whistles at or under the place that are not ended (at the ask's moment: were not), those that nobody answered first."""
    with store.read() as connection:
        if ask.at is not None:
            return _out_then(connection, ask, department_code, limit)
        place = places.find(connection, ask.place, ask.until, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        statement = (
            selected().where(whistle.c.ended_at.is_(None), inside(cases.c.node, rights.ranges_under(connection, visible)))
            .order_by(whistle.c.arrived_at.is_not(None), whistle.c.due_at).limit(limit)
        )
        if department_code:
            statement = statement.where(department.c.code == department_code)
        present = stamp(now())
        return stamped(connection, [_row(r, present) for r in connection.execute(statement)], ask=ask)


def _out_then(connection: Connection, ask: Ask, department_code: str, limit: int) -> Answer[WhistleRow]:
    from queries.loop.whistles_then import standing

    rows = [r for r in standing(connection, ask, selected()) if department_code in ("", r.dep)]
    rows.sort(key=lambda r: (r.arrived_at is not None, r.due_at))
    return stamped(connection, [_row(r, ask.present) for r in rows[:limit]], ask=ask, total=len(rows))


def of_case(connection: Connection, case_id: int) -> tuple[WhistleRow, ...]:
    """Return all whistles ever blown on a case, the newest first."""
    statement = selected().where(whistle.c.case_id == case_id).order_by(whistle.c.id.desc())
    return tuple(_row(r, stamp(now())) for r in connection.execute(statement))


def selected() -> Select[Any]:
    """Return the statement of whistles with their case, department and area."""
    return (
        select(whistle, cases.c.no, cases.c.title, cases.c.kind, department.c.code.label("dep"), department.c.name.label("dep_zh"),
               department.c.name_en.label("dep_en"), area.c.code.label("area"), area.c.name.label("area_zh"), area.c.name_en.label("area_en"),
               kind_word.c.name_en.label("kind_en"))
        .join(cases, cases.c.id == whistle.c.case_id).join(department, department.c.id == whistle.c.department_id)
        .join(node, node.c.num == cases.c.node).join(area, area.c.id == node.c.area_id)
        .outerjoin(kind_word, kind_word.c.word == cases.c.kind)
    )


def _row(r: Any, present: int) -> WhistleRow:
    return WhistleRow(
        id=r.id, case_no=r.no, title=masked(r.title or r.kind), title_words={"zh": masked(r.title or r.kind), "en": _in_english(r)}, reason=r.reason, reason_words=REASONS[r.reason], by=r.by_post,
        department=r.dep, department_name={"zh": r.dep_zh, "en": r.dep_en or r.dep_zh}, area_code=r.area,
        area_name={"zh": r.area_zh, "en": r.area_en or r.area_zh}, blown_at=moment(r.blown_at), due_at=moment(r.due_at),
        arrived_at=None if r.arrived_at is None else moment(r.arrived_at), ended_at=None if r.ended_at is None else moment(r.ended_at),
        late=(present if r.arrived_at is None else r.arrived_at) > r.due_at, climbed=r.climbed,
        rated_by_caller=r.rated_by_caller, rated_by_called=r.rated_by_called,
    )


def _in_english(r: Any) -> str:
    return r.kind_en if r.kind_en and r.title in ("", r.kind) else masked(r.title or r.kind)


def unanswered(connection: Connection, at: int) -> Sequence[Any]:
    """Return the whistles that nobody answered in time, for the clock to let them climb."""
    return connection.execute(
        select(whistle, cases.c.no).join(cases, cases.c.id == whistle.c.case_id)
        .where(whistle.c.arrived_at.is_(None), whistle.c.ended_at.is_(None), whistle.c.due_at < at)).all()
