"""The task list (事项清单): apply, review, approve, publish, end. What is not on it cannot be handed out.

An item says whose duty a kind of work is. A dispatch names its item or is covered by the one that the
category has; without an item in force it is refused, and the refusal is counted by the department that tried.

At a moment of the past the list is folded from its steps; words and ends are those of today, which keep no history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.errors import AskError, NoSuchError, StepError
from queries.frame import Actor, Answer, Ask
from queries.loop.course import Course
from queries.loop.ink import Prepared
from queries.loop.tables import list_event, list_item, refusal
from queries.masking import masked
from queries.store import Store
from queries.tables import category, department

if TYPE_CHECKING:
    from queries.loop.orders import Order
    from queries.loop.page import Page

Words = dict[str, str]
#: state: {step: state after it}; who may take it is POSTS.
FLOW: Mapping[str, Mapping[str, str]] = {
    "applied": {"review": "reviewed", "refuse": "refused"},
    "reviewed": {"approve": "approved", "refuse": "refused"},
    "approved": {"publish": "published"},
    "published": {"end": "ended"},
    "refused": {}, "ended": {},
}
POSTS = {"apply": ("department", "dispatcher", "admin"), "review": ("dispatcher", "admin"), "approve": ("admin",),
         "publish": ("dispatcher", "admin"), "end": ("dispatcher", "admin"), "refuse": ("dispatcher", "admin")}
STATE_WORDS: dict[str, Words] = {
    "applied": {"zh": "已申请", "en": "Applied"}, "reviewed": {"zh": "已审核", "en": "Reviewed"},
    "approved": {"zh": "已批准", "en": "Approved"}, "published": {"zh": "已公布", "en": "Published"},
    "refused": {"zh": "未通过", "en": "Refused"}, "ended": {"zh": "已退出", "en": "Ended"},
}


#: The state after each step, whoever took it.
AFTER = {"apply": "applied"} | {step: to for steps in FLOW.values() for step, to in steps.items()}
#: Said beside the list of a moment of the past.
WORDS_OF_NOW = {"zh": "事项的名称、依据和期限以现行为准", "en": "titles, basis and ends of items are those of today"}
STEP_WORDS: dict[str, Words] = {
    "apply": {"zh": "申请", "en": "Apply"}, "review": {"zh": "审核通过", "en": "Review"}, "approve": {"zh": "批准", "en": "Approve"},
    "publish": {"zh": "公布", "en": "Publish"}, "end": {"zh": "退出", "en": "End"}, "refuse": {"zh": "不予通过", "en": "Refuse"},
}


class NotListed(StepError):  # noqa: N818  (named for what it says)
    """Work that is on no list. Carries what is to be counted."""

    def __init__(self, message: str, zh: str, row: dict[str, Any], course: Course, department_id: int | None) -> None:
        """Say it, and remember the refusal's row."""
        super().__init__(message, zh=zh)
        self.row, self.course, self.department_id = row, course, department_id


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item as everybody may read it."""

    code: str
    title: Words
    department: str
    department_name: Words
    category: str
    category_name: Words | None
    to: str
    content: str
    basis: str
    state: str
    state_words: Words
    temporary: bool
    begins_at: datetime | None
    ends_at: datetime | None
    in_force: bool


@dataclass(frozen=True, kw_only=True)
class ItemStep:
    """One step of an item's way. Actor and note are empty for whoever does not keep the list."""

    code: str
    at: datetime
    step: str
    title: Words
    actor: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """How often one department tried to hand out what is on no list; never which person."""

    department: str
    name: Words
    n: int
    last: datetime


def cover(page: Page, order: Order, row: Any, course: Course, department_id: int) -> str:
    """Return the code of the item in force under which a case may go to a department. Raises NotListed."""
    category = page.book.category(course.category_id)
    key = "cover", department_id, order.item, category
    if key not in page.known:
        page.known[key] = (_BY_CODE.rows(page.connection, department=department_id, moment=page.seen, wanted=order.item) if order.item else
                           _BY_CATEGORY.rows(page.connection, department=department_id, moment=page.seen, wanted=category))
    found = page.known[key][0][0] if page.known[key] else None
    if found is not None:
        return found
    tried = page.book.departments.get(order.actor.department) if order.actor.post == "department" else department_id
    what = order.item or f"{category} → {order.department}"
    raise NotListed(
        f"{what!r} is on no task list that is in force, so it cannot be handed out. Apply for the item first.",
        f"“{what}”不在现行事项清单内，不能派遣；请先按程序申请准入。",
        {"department_id": tried, "actor": order.actor.name, "case_id": row.id, "what": what, "reason": "unlisted"},
        course, tried)


def in_force(at: int) -> Any:
    """Return the condition that an item of the list holds at a moment."""
    return and_(list_item.c.state == "published", func.coalesce(list_item.c.begins_at, 0) <= at,
                or_(list_item.c.ends_at.is_(None), list_item.c.ends_at > at))


def _covering(column: Any) -> Prepared:
    return Prepared(select(list_item.c.code).where(
        list_item.c.department_id == bindparam("department"), column == bindparam("wanted"), in_force(bindparam("moment", type_=BigInteger)),
    ).order_by(list_item.c.code).limit(1))


_BY_CODE, _BY_CATEGORY = _covering(list_item.c.code), _covering(list_item.c.category)


def apply(store: Store, actor: Actor, *, code: str, title: str, department_code: str, to: str, category: str = "", title_en: str = "",
          content: str = "", basis: str = "", temporary: bool = False, ends_at: datetime | None = None) -> None:
    """Apply for an item. A temporary one must say when it ends. Raises AskError, StepError."""
    _may(actor, "apply")
    if not (code.strip() and title.strip() and basis.strip()):
        raise AskError("An item needs a code, a title and its legal basis.", zh="事项须有编码、名称和法律政策依据。")
    if to not in ("department", "grid"):
        raise AskError(f"An item is work for a department or for grids, not for {to!r}.")
    if temporary and ends_at is None:
        raise AskError("A temporary item must say when it ends.", zh="临时事项须写明截止时间。")
    with store.write() as connection:
        department_id = connection.scalar(select(department.c.id).where(department.c.code == department_code))
        if department_id is None:
            raise AskError(f"No department has the code {department_code!r}.")
        if actor.post == "department" and actor.department != department_code:
            raise StepError("A department applies for its own items only.", zh="部门只能申请本部门事项。")
        if connection.scalar(select(list_item.c.id).where(list_item.c.code == code)) is not None:
            raise AskError(f"The code {code!r} is taken.", zh=f"编码 {code} 已被使用。")
        at = stamp(now())
        item_id = connection.execute(insert(list_item).values(
            code=code, title=title, title_en=title_en, department_id=department_id, category=category, to=to, content=content,
            basis=basis, state="applied", temporary=temporary, ends_at=None if ends_at is None else stamp(ends_at), changed_at=at,
        )).inserted_primary_key[0]
        _told(connection, item_id, at, "apply", actor, "")


def move(store: Store, actor: Actor, code: str, step: str, note: str = "") -> str:
    """Take an item one step on; return its new state. Raises AskError, StepError."""
    _may(actor, step)
    with store.write() as connection:
        row = connection.execute(select(list_item).where(list_item.c.code == code).with_for_update()).one_or_none()
        if row is None:
            raise NoSuchError(f"No item has the code {code!r}.")
        to = FLOW[row.state].get(step)
        if to is None:
            raise StepError(f"Item {code} is {row.state}: {step!r} is not possible. You may: {', '.join(FLOW[row.state]) or 'nothing'}.",
                            zh=f"事项 {code} 现为“{STATE_WORDS[row.state]['zh']}”，不能执行该操作。")
        if step in ("refuse", "end") and not note.strip():
            raise StepError(f"To {step} an item needs a reason.", zh="须填写理由。")
        at = stamp(now())
        times = {"begins_at": at} if to == "published" else {"ends_at": at} if to == "ended" else {}
        connection.execute(update(list_item).where(list_item.c.id == row.id).values(state=to, changed_at=at, **times))
        _told(connection, row.id, at, step, actor, note)
    return to


def expire(connection: Connection, at: int) -> int:
    """End the temporary items whose time is over; return how many."""
    over = connection.execute(select(list_item.c.id).where(list_item.c.state == "published", list_item.c.ends_at <= at)).scalars().all()
    for item_id in over:
        connection.execute(update(list_item).where(list_item.c.id == item_id).values(state="ended", changed_at=at))
        connection.execute(insert(list_event).values(item_id=item_id, at=at, step="end", actor="clock", note="temporary item is over"))
    return len(over)


def items(store: Store, *, only_published: bool = True, ask: Ask | None = None) -> Answer[Item]:
    """Return the list, now or at the moment of an ask: the published items for everybody, all of them for whoever keeps it."""
    at = stamp(now())
    with store.read() as connection:
        if ask is not None and ask.at is not None:
            held = _then(connection, ask.present)
            if held is None:
                raise AskError(f"No record of the task list reaches back to {ask.at:%Y-%m-%d %H:%M}. Choose a later moment.",
                               zh=f"事项清单的记录没有早到 {ask.at:%Y-%m-%d %H:%M}，请选择更晚的时刻。", field="at")
            return stamped(connection, [one for one in held if one.in_force or not only_published], kinds=("items",), ask=ask, notes=(WORDS_OF_NOW,))
        statement = _selected(at).order_by(department.c.code, list_item.c.code)
        if only_published:
            statement = statement.where(in_force(at))
        return stamped(connection, [_item(r) for r in connection.execute(statement)], kinds=("items",))


def _then(connection: Connection, at: int) -> list[Item] | None:
    """Return every item that had been applied for or published by a moment, as its steps tell how it stood; None = the record begins later."""
    first = connection.scalar(select(func.min(list_event.c.at)))
    if first is None or at < first:
        return None
    told: dict[int, list[Any]] = {}
    for e in connection.execute(select(list_event).where(list_event.c.at <= at).order_by(list_event.c.at, list_event.c.id)):
        told.setdefault(e.item_id, []).append(e)
    out = []
    for r in connection.execute(_selected(at).order_by(department.c.code, list_item.c.code)):
        steps = told.get(r.id)
        if not steps:
            continue
        state = AFTER[steps[-1].step]
        published = [e for e in steps if e.step == "publish"]
        # An item that was ended early has the moment of that as its end; until then nobody knew it.
        ends = r.ends_at if r.ends_at is None or state == "ended" or not _ended_early(r) else None
        begins = None if not published else r.begins_at if published[-1].actor == "import" else published[-1].at
        holds = state == "published" and (begins or 0) <= at and (ends is None or ends > at)
        out.append(_item(SimpleNamespace(**{**r._mapping, "state": state, "begins_at": begins, "ends_at": ends, "holds": holds})))
    return out


def _ended_early(r: Any) -> bool:
    """Return whether an item's end is that of somebody's step and not the one that was set for it: they are of the same second."""
    return r.state == "ended" and r.ends_at == r.changed_at


def to_grids(connection: Connection, ask: Ask | None = None) -> tuple[Item, ...] | None:
    """Return the items in force that may reach a grid, now or at the moment of an ask; nothing else may. None = no record reaches so far back."""
    at = stamp(now())
    if ask is not None and ask.at is not None:
        known = _then(connection, ask.present)
        if known is None:
            return None
        held = [one for one in known if one.in_force and one.to == "grid"]
        return tuple(sorted(held, key=lambda one: (one.ends_at is None, one.ends_at or one.begins_at, one.code)))
    rows = connection.execute(_selected(at).where(in_force(at), list_item.c.to == "grid").order_by(list_item.c.ends_at.is_(None), list_item.c.ends_at, list_item.c.code))
    return tuple(_item(r) for r in rows)


def _selected(at: int) -> Select[Any]:
    return (
        select(list_item, department.c.code.label("dep"), department.c.name.label("dep_zh"), department.c.name_en.label("dep_en"), in_force(at).label("holds"),
               category.c.name.label("kind_zh"), category.c.name_en.label("kind_en"))
        .join(department, department.c.id == list_item.c.department_id).outerjoin(category, category.c.code == list_item.c.category)
    )


def steps_of(store: Store, actor: Actor, codes: Sequence[str], ask: Ask | None = None) -> Answer[ItemStep]:
    """Return what was done to some items, up to the moment of an ask; the first step first. Who did it and why is for those who keep the list."""
    keeps = actor.post in POSTS["review"]
    statement = (
        select(list_event, list_item.c.code).join(list_item, list_item.c.id == list_event.c.item_id)
        .where(list_item.c.code.in_(codes)).order_by(list_event.c.at, list_event.c.id))
    if ask is not None and ask.at is not None:
        statement = statement.where(list_event.c.at <= ask.present)
    with store.read() as connection:
        return stamped(connection, [ItemStep(
            code=r.code, at=moment(r.at), step=r.step, title=STEP_WORDS[r.step], actor=r.actor if keeps else "", note=masked(r.note) if keeps else "",
        ) for r in connection.execute(statement)], kinds=("items",))


def may(actor: Actor, item: Item) -> tuple[str, ...]:
    """Return the steps that an actor may take on an item now."""
    return tuple(step for step in FLOW[item.state] if actor.post in POSTS[step])


def refusals(store: Store, since: int, until: int = 1 << 40, ask: Ask | None = None) -> Answer[Refused]:
    """Return how often each department tried to hand out unlisted work between two moments, the most first."""
    statement = (
        select(department.c.code, department.c.name, department.c.name_en, func.count().label("n"), func.max(refusal.c.at).label("last")).select_from(refusal)
        .outerjoin(department, department.c.id == refusal.c.department_id).where(refusal.c.at >= since, refusal.c.at < until)
        .group_by(department.c.code, department.c.name, department.c.name_en).order_by(func.count().desc(), department.c.code)
    )
    with store.read() as connection:
        return stamped(connection, [Refused(
            department=r.code or "", n=int(r.n), last=moment(r.last),
            name={"zh": r.name, "en": r.name_en or r.name} if r.code else {"zh": "未注明部门", "en": "no department named"},
        ) for r in connection.execute(statement)], kinds=("items",), ask=None if ask is None or ask.at is None else ask)


def _may(actor: Actor, step: str) -> None:
    if actor.post not in POSTS.get(step, ()):
        raise StepError(f"The post {actor.post!r} may not {step} an item.", zh="当前岗位不能执行该操作。")


def _told(connection: Connection, item_id: int, at: int, step: str, actor: Actor, note: str) -> None:
    connection.execute(insert(list_event).values(item_id=item_id, at=at, step=step, actor=actor.name, note=note))


def _item(r: Any) -> Item:
    return Item(
        code=r.code, title={"zh": masked(r.title), "en": masked(r.title_en or r.title)}, department=r.dep,
        department_name={"zh": r.dep_zh, "en": r.dep_en or r.dep_zh}, category=r.category,
        category_name={"zh": r.kind_zh, "en": r.kind_en or r.kind_zh} if r.kind_zh else None, to=r.to, content=masked(r.content), basis=r.basis,
        state=r.state, state_words=STATE_WORDS[r.state], temporary=r.temporary,
        begins_at=None if r.begins_at is None else moment(r.begins_at), ends_at=None if r.ends_at is None else moment(r.ends_at),
        in_force=bool(r.holds),
    )
