"""What each step means for a case: its new status, deadlines, department, and what else must be so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from queries.clock import stamp
from queries.errors import AskError, NoSuchError, StepError
from queries.loop import task_list, whistles
from queries.loop.course import Course, Happened, folded, restored
from queries.loop.orders import Order
from queries.loop.steps import STATUS_WORDS, STEPS
from queries.loop.tables import reporter
from queries.loop.tallies import told_by
from queries.loop.task_list import NotListed
from queries.tables import event

if TYPE_CHECKING:
    from queries.loop.page import Page

__all__ = ["NEED_WORDS", "OWN_STATEMENTS", "OWN_WORK", "STATUS_WORDS", "UNDO_S", "Act", "NotListed", "act", "happened"]

#: Steps by which a department answers for its own work.
OWN_WORK = frozenset({"accepted", "returned", "fed_back", "unhung"})
#: Steps that write by statements of their own, beside the event: they need a savepoint.
OWN_STATEMENTS = frozenset({"merged", "undone", "whistled", "arrived", "whistle_ended", "whistle_rated"})
NEED_WORDS = {"reason": "理由", "department": "部门", "until": "期限", "into": "并入的案号"}
#: How long a step may be taken back by whoever took it, if nothing followed.
UNDO_S = 600
#: So many redos and transfers make a case a problem that a leader should see.
PROBLEM = 3


@dataclass
class Act:
    """What a step does. `status` empty = unchanged; `due_at` 0 = taken away, None = unchanged."""

    status: str = ""
    department_id: int | None = None
    due_at: int | None = None
    stage_due_at: int | None = None
    set: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    proposals: tuple[dict[str, str], ...] = ()


Doer = Callable[["Page", Order, Any, Course, int], Act]


def act(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    """Return what a legal step does. Raises StepError, AskError, NotListed."""
    step = STEPS[order.step]
    done = _DO.get(order.step, _plain)(page, order, row, course, at)
    if not done.status and step.to:
        done.status = step.to
    if done.status and done.stage_due_at is None:
        done.stage_due_at = page.book.stage_due(done.status, course, at, row.kind)
    return done


def _plain(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    return Act(details={k: v for k, v in order.details.items() if k != "set"})


def _filed(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    # The whole clock runs from filing; a deadline that the source gave stays.
    return Act(due_at=page.book.due("total", course, at, row.kind) if course.due_at is None else None)


def _dispatched(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    department_id = _department(page, order.department)
    item = task_list.cover(page, order, row, course, department_id)
    return Act(department_id=department_id, set={"item": item},
               due_at=page.book.due("total", course, at, row.kind) if course.due_at is None else None)


def _returned(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    return Act(set={"department_id": None, "item": ""}, proposals=_problem(course, 1),
               details={"from": page.book.department(course.department_id)})


def _reassigned(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    done = _dispatched(page, order, row, course, at)
    done.proposals = _problem(course, 1)
    done.details = {"from": page.book.department(course.department_id)}
    return done


def _extended(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    until = stamp(order.until) if order.until else 0
    if until <= at or (course.due_at is not None and until <= course.due_at):
        raise StepError("An extension must end later than the deadline that holds now.", zh="延期后的期限须晚于现在的期限。", field="until")
    return Act(due_at=until, stage_due_at=until)


def _paused(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    left = None if course.due_at is None else page.book.calendar.left(at, course.due_at, page.book.clock_of(course, at))
    return Act(due_at=0, set={"left_s": left}, details={"from": course.status})


def _resumed(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    status = "handling"
    if course.status == "suspended":
        told = page.connection.scalar(select(event.c.data).where(
            event.c.case_id == row.id, event.c.step == "suspended").order_by(event.c.seq.desc()).limit(1))
        status = json.loads(told or "{}").get("from", "handling")
    due = None if course.left_s is None else page.book.calendar.resume(at, course.left_s, page.book.clock_of(course, at))
    return Act(status=status, due_at=due, set={"left_s": None})


def _rework(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    return Act(proposals=_problem(course, 1))


def _reopened(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    # The limit is that of the incident, not of the attempt: a new one would wash off that it was late, or closed too soon.
    # Who handles it again has the stage's own limit, which begins anew.
    return Act()


def _merged(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    try:
        into, target = page.case(order.into, order.actor)
    except NoSuchError as bad:
        # The case that the step is on does exist; it is the message that is wrong.
        raise AskError(str(bad), zh=bad.zh, field="into") from None
    if into.id == row.id or not target.is_open:
        raise StepError(f"Case {order.into!r} is over or the same case; merge into an open one.", zh="只能并入另一件未结案件。", field="into")
    page.connection.execute(update(reporter).where(reporter.c.case_id == row.id).values(case_id=into.id))
    page.write(held=into, before=target, base=target, actor=order.actor, note=row.no, door=order.source,
               happened=Happened(seq=target.seq + 1, at=at, step="noted", data=json.dumps({"repeat": row.no})))
    return Act(set={"merged_into": into.id}, details={"into": order.into})


def _called_back(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    told = {k: bool(order.details.get(k)) for k in ("valid", "contacted", "solved", "satisfied", "basic")}
    if told["satisfied"] and told["basic"]:
        raise StepError("A call-back is either satisfied or basically satisfied, not both.", zh="满意与基本满意只能选一。")
    again = told["valid"] and not (told["solved"] and (told["satisfied"] or told["basic"]))
    return Act(details=told, proposals=({"zh": "来电人不满意：可重新办理", "en": "Not satisfied: you may reopen it"},) if again else ())


def _supervised(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    return Act(set={"supervised": True})


def _undone(page: Page, order: Order, row: Any, course: Course, at: int) -> Act:
    rows = page.connection.execute(
        select(event).where(event.c.case_id == row.id).order_by(event.c.seq)).all()
    last = rows[-1]
    if not STEPS[last.step].undo:
        raise StepError(f"The last step of case {row.no} ({last.step}) cannot be taken back.", zh=f"最后一步“{STEPS[last.step].title['zh']}”不能撤回。")
    if last.actor != order.actor.name or at - last.seen_at > UNDO_S:
        raise StepError("Only whoever took the last step may take it back, within ten minutes.", zh="只有本人可在十分钟内撤回最后一步。")
    base = Course(node=row.node, category_id=row.category_id, urgent=row.urgent, origin=course.origin)
    before = folded(base, (happened(r) for r in rows[:-1]))
    if last.step == "merged":
        page.connection.execute(update(reporter).where(reporter.c.first_case_id == row.id).values(case_id=row.id))
    back = told_by(last.step, before, {}, page.book.calendar.is_working(last.at))
    for measure in back:
        page.tell(course, last.at, measure, -1)
    left = {"from": page.book.department(course.department_id)} if before.department_id != course.department_id else {}
    return Act(set=restored(before, course), details={"undone": last.step, "back": back, "back_at": last.at, **left})


def happened(r: Any) -> Happened:
    """Return a stored event as the fold reads it."""
    return Happened(seq=r.seq, at=r.at, step=r.step, status=r.status, department_id=r.department_id, due_at=r.due_at,
                    stage_due_at=r.stage_due_at, data=r.data)


def _department(page: Page, code: str) -> int:
    if code not in page.book.departments:
        raise AskError(f"No department has the code {code!r}. Known: {', '.join(sorted(page.book.departments)) or 'none'}.",
                       zh=f"没有代码为 {code} 的部门。", field="department")
    return page.book.departments[code]


def _problem(course: Course, more: int) -> tuple[dict[str, str], ...]:
    n = course.rework + course.transfers + more
    if n < PROBLEM:
        return ()
    return ({"zh": f"已返工、转派 {n} 次：建议升级", "en": f"{n} redos and transfers: consider escalating"},)


_DO: dict[str, Doer] = {
    "filed": _filed, "dispatched": _dispatched, "returned": _returned, "reassigned": _reassigned, "extended": _extended,
    "suspended": _paused, "hung": _paused, "resumed": _resumed, "unhung": _resumed, "rework": _rework, "reopened": _reopened,
    "merged": _merged, "called_back": _called_back, "supervised": _supervised, "undone": _undone,
    "whistled": whistles.blow, "arrived": whistles.arrive, "whistle_ended": whistles.end, "whistle_rated": whistles.rate,
}
