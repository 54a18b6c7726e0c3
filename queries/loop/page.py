"""One writing transaction on the loop: cases are reported and steps taken, each wholly or not at all.

Nobody else writes events. `Page` checks (who, where, whether it is legal, whether somebody was faster),
queries/loop/acts.py says what a step means, and the event, the case, the roll-ups and what hangs on
them are written together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select

from queries import scope as rights
from queries.clock import now, stamp
from queries.errors import AskError, ConflictError, NoSuchError, PostError, ScopeError, StepError
from queries.frame import Actor, Scope
from queries.loop import acts, reports, word
from queries.loop.book import Book
from queries.loop.course import ENDS, Course, Happened, after
from queries.loop.hearing import Hearing
from queries.loop.ink import Held, Ink, Part
from queries.loop.orders import Found, Order, Receipt, digest
from queries.loop.steps import STEPS, WAITING, legal
from queries.loop.tables import refusal
from queries.loop.tallies import told_by
from queries.store import bump
from queries.tables import event

T = TypeVar("T")
#: A message may run this far ahead of our clock; beyond, it counts as now and is marked.
SKEW_S = 300
#: A message that comes so long after what it tells of is counted as late.
LATE_S = 3600


class Page:
    """The loop's side of one transaction. `inline` = roll-ups are kept here; else the projector follows the log."""

    def __init__(self, connection: Connection, book: Book, inline: bool = True) -> None:
        """Begin. The first statement writes, so that on SQLite the one writer waits here and not half-way."""
        self._connection, self.inline = connection, inline
        if inline:
            bump(connection)
        self.book = book.open(connection)
        self.seen = stamp(now())
        self.hearing = Hearing()
        self.ink = Ink(connection, inline)
        self.part = Part()
        self._deltas = book.deltas()
        self._marks: list[str] = []
        self._seen_by: dict[tuple[Any, int], bool] = {}
        #: What an act looked up and others of this page will want: task_list.cover.
        self.known: dict[Any, Any] = {}

    @property
    def connection(self) -> Connection:
        """Return the connection for a statement of one's own, which then sees all that was written before."""
        self.ink.flush()
        return self._connection

    def attempt(self, act: Callable[[], T]) -> T:
        """Run an act that has statements of its own, wholly or not at all; what it refuses is raised, and the page goes on."""
        connection = self.connection
        connection.exec_driver_sql("SAVEPOINT act")
        try:
            done = self._plain(act)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT act")
            connection.exec_driver_sql("RELEASE SAVEPOINT act")
            raise
        connection.exec_driver_sql("RELEASE SAVEPOINT act")
        return done

    def _plain(self, act: Callable[[], T]) -> T:
        """Run an act that writes nothing but by `write`: what it gathered is thrown away when it is refused."""
        self.part = Part()
        try:
            done = act()
        except acts.NotListed as bad:
            # The step is not taken, but that it was tried is kept and counted.
            self.connection.execute(insert(refusal).values(at=self.seen, **bad.row))
            if self.inline:
                self._deltas.tell(bad.course, self.seen, "refused", department_id=bad.department_id)
            raise
        self.ink.take(self.part)
        if self.inline:
            for before, now_ in self.part.moves:
                self._deltas.move(before, now_)
            for told in self.part.tells:
                self._deltas.tell(*told)
        return done

    def report(self, found: Found) -> Receipt:
        """Take in a new case. Raises AskError, ConflictError."""
        return self._heard(found, lambda: reports.take(self, found))

    def take(self, order: Order) -> Receipt:
        """Take a step on a case. Raises AskError, ScopeError, StepError, ConflictError."""
        return self._heard(order, lambda: self.step(order))

    def hear(self, said: word.Said) -> str:
        """Take the present word of a source on one of its cases; return new, changed, same or older. Raises AskError."""
        self._marks = []
        done = self._plain(lambda: word.take(self, said))
        marks = {"same": () if said.asked else ("again",), "older": ("disordered",)}.get(done, ("taken", *self._marks))
        for mark in marks:
            self.hearing.count(said.source, mark)
        if done in ("new", "changed"):
            self.hearing.at(said.source, min(self.seen, max(at for at in (said.at, said.reported_at, said.filed_at, said.closed_at) if at is not None)))
        return done

    def _heard(self, what: Found | Order, act: Callable[[], Receipt]) -> Receipt:
        """Run an act and count what came of it by the source that brought it."""
        self._marks = []
        try:
            own = isinstance(what, Order) and what.step in acts.OWN_STATEMENTS
            receipt = (self.attempt if own else self._plain)(lambda: self._once(what, act))
        except ConflictError:
            if what.source:
                self.hearing.count(what.source, "conflict")
            raise
        if what.source:
            for mark in ("again",) if receipt.again else ("taken", *self._marks):
                self.hearing.count(what.source, mark)
            if not receipt.again:
                self.hearing.at(what.source, self.seen if what.at is None else min(stamp(what.at), self.seen))
        return receipt

    def finish(self) -> None:
        """Write what was gathered, and what the roll-ups gained."""
        self.ink.flush()
        if self.inline:
            self._deltas.write(self._connection)
            self.hearing.write(self._connection, self.seen)

    def moment(self, at: Any) -> tuple[int, int]:
        """Return when something happened and how many seconds the teller's clock ran ahead of ours."""
        told = self.seen if at is None else stamp(at)
        ahead = told - self.seen
        if ahead > SKEW_S or ahead < -LATE_S:
            self._marks.append("ahead" if ahead > 0 else "late")
        return (self.seen, ahead) if ahead > SKEW_S else (min(told, self.seen), 0)

    def write(self, *, held: Held, before: Course | None, base: Course, happened: Happened, actor: Actor,
              reason: str = "", note: str = "", door: str = "", details: dict[str, Any] | None = None, derived: bool = False) -> tuple[Course, int]:
        """Write one event and what follows from it; return the course after it and the event's number.

        `derived` = it is only implied by a source's dates: nobody did it here, so it is no step that counts.
        """
        now_ = after(base, happened)
        event_id = self.ink.number("event")
        part = self.part
        part.events.append((
            event_id, held.id, happened.seq, happened.at, self.seen, happened.step, happened.status, actor.name, actor.post,
            happened.department_id, happened.due_at, happened.stage_due_at, reason, note, happened.data, door, derived))
        part.cases[held.no] = held, now_
        part.moves.append((before, now_))
        working = self.book.calendar.is_working(happened.at)
        for measure in () if derived else told_by(happened.step, base, details or {}, working):
            self.tell(now_, happened.at, measure)
        return now_, event_id

    def tell(self, course: Course, at: int, measure: str, n: int = 1, department_id: int | None = None) -> None:
        """Count something; beside the steps themselves, acts count more."""
        self.part.tells.append((course, at, measure, n, department_id))

    def case(self, no: str, actor: Actor) -> tuple[Held, Course]:
        """Return a stored case, locked against other writers, and its course. Raises NoSuchError, ScopeError."""
        found = self.ink.held(no, self.part)
        if found is None:
            raise NoSuchError(f"No case has the number {no!r}. Check the number, or look in the case list.", zh=f"没有案号 {no}，请核对。")
        if not self.sees(actor.scope, found[1].node):
            raise ScopeError(f"Case {no!r} lies outside what you may see.", zh=f"案件 {no} 不在您的辖区内。")
        return found

    def sees(self, scope: Scope, node: int) -> bool:
        """Return whether what lies at a node is visible."""
        if scope.areas is None:
            return True
        key = scope.areas, node
        if key not in self._seen_by:
            self._seen_by[key] = rights.sees(self._connection, scope, node)
        return self._seen_by[key]

    def step(self, order: Order) -> Receipt:
        """Take a step inside an act that is already being attempted."""
        step = STEPS.get(order.step)
        if step is None:
            raise AskError(f"No step is called {order.step!r}. Known: {', '.join(s for s in STEPS if s not in ('changed', 'told'))}.",
                           zh=f"没有“{order.step}”这一步。", field="step")
        row, course = self.case(order.no, order.actor)
        self._check(order, row, course)
        at, ahead = self.moment(order.at)
        if order.step in ENDS and at < course.reported_at - SKEW_S:
            # A closing that is dated back would count as in time.
            raise StepError(f"Case {row.no} was reported after the moment at which it is said to have ended.", zh=f"案件 {row.no} 的结束时间早于上报时间。", field="at")
        if course.since_at is not None and at < course.since_at:
            self._marks.append("disordered")
        act = acts.act(self, order, row, course, at)
        details = {**act.details, **({"ahead_s": ahead} if ahead else {})}
        data = json.dumps({**details, **({"set": act.set} if act.set else {})}, ensure_ascii=False) if details or act.set else ""
        happened = Happened(seq=course.seq + 1, at=at, step=order.step, status=act.status, department_id=act.department_id,
                            due_at=act.due_at, stage_due_at=act.stage_due_at, data=data)
        now_, event_id = self.write(held=row, before=course, base=course, happened=happened, actor=order.actor,
                                    reason=order.reason, note=order.note, door=order.source, details=act.details)
        return self.receipt(row.no, row.id, now_, event_id, act.proposals)

    def _check(self, order: Order, row: Held, course: Course) -> None:
        step, actor = STEPS[order.step], order.actor
        if order.expected is not None and order.expected != course.seq:
            last = self.connection.execute(
                select(event.c.step, event.c.actor).where(event.c.case_id == row.id).order_by(event.c.seq.desc()).limit(1)).one()
            raise ConflictError(
                f"{last.actor} was faster on case {order.no}: {last.step}. Look at it again before you act.",
                zh=f"{last.actor} 已先对 {order.no} 作了“{STEPS[last.step].title['zh']}”，请刷新后再操作。")
        if course.status not in step.frm or step.id in ("changed", "told"):
            may = legal(course.status, actor.post)
            raise StepError(
                f"Case {order.no} is {course.status!r}: {step.id!r} is not possible. You may: "
                f"{', '.join(s.id for s in may) or 'nothing'}.",
                zh=f"案件 {order.no} 现为“{acts.STATUS_WORDS[course.status]['zh']}”，不能“{step.title['zh']}”。可以："
                   f"{'、'.join(s.title['zh'] for s in may) or '无'}。")
        if actor.post not in step.posts:
            raise PostError(f"The post {actor.post!r} may not take the step {step.id!r}; it is for {', '.join(step.posts)}.",
                            zh=f"当前岗位不能“{step.title['zh']}”。", field="step")
        if actor.post == "department" and step.id in acts.OWN_WORK and actor.department != self.book.department(course.department_id):
            raise PostError(f"Case {order.no} is not with department {actor.department!r}.", zh=f"案件 {order.no} 不在本部门名下。")
        for need in step.needs:
            if not getattr(order, need):
                raise StepError(f"The step {step.id!r} needs a {need}. Say it and try again.",
                                zh=f"“{step.title['zh']}”须填写{acts.NEED_WORDS[need]}。", field=need)

    def _once(self, what: Found | Order, act: Callable[[], Receipt]) -> Receipt:
        """Return what was answered before if the same message has come before, else act and keep the answer."""
        if not (what.source and what.key):
            return act()
        mark = digest(what)
        came = self.ink.came(what.source, what.key)
        if came is not None:
            if came[0] != mark:
                raise ConflictError(f"The key {what.key!r} of source {what.source!r} came before with another message. Use a new key.",
                                    zh=f"来源 {what.source} 的键 {what.key} 先前用于另一条消息，请换新的键。")
            return replace(Receipt(**json.loads(came[1])), again=True)
        done = act()
        kept = {k: v for k, v in done.__dict__.items() if k not in ("proposals", "likely_repeats", "again")}
        self.part.received.append((what.source, what.key, self.seen, mark, json.dumps(kept)))
        return done

    def receipt(self, no: str, case_id: int, course: Course, event_id: int, proposals: tuple[dict[str, str], ...] = ()) -> Receipt:
        return Receipt(no=no, case_id=case_id, seq=course.seq, event_id=event_id, status=course.status,
                       waiting=WAITING.get(course.status, ""), due_at=course.due_at, stage_due_at=course.stage_due_at, proposals=proposals)
