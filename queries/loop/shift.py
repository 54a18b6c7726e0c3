"""The shift log: what one shift tells the next, each line with the screen that it speaks of, open until done.

When a line was done is kept, so that a moment of the past shows what the shift of then had before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, select, update

from queries import places
from queries import scope as rights
from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.errors import AskError, ScopeError, StepError
from queries.frame import Actor, Answer, Ask
from queries.loop.tables import shift_event, shift_line
from queries.masking import masked
from queries.store import Store
from queries.tables import area, node

LONGEST = 500
#: Done lines are shown for so many days; they stay in the table.
SHOWN_D = 2
#: Posts that only look do not write.
WRITERS = ("street", "department", "dispatcher", "admin")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line. `open` = still to be done by the next shift; None = it is not known whether it was at that moment."""

    id: int
    at: datetime
    actor: str
    text: str
    address: str
    area_code: str
    open: bool | None


def lines(store: Store, ask: Ask, limit: int = 60) -> Answer[Line]:
    """Return the lines of the place and of all that is under it, now or at the ask's moment: the open ones, then those done lately."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        parts = rights.check(connection, ask.scope, place)
        codes = [select(area.c.code).join(node, node.c.area_id == area.c.id).where(
            node.c.tree_id == part.tree_id, node.c.num.between(part.num, part.last)) for part in parts]
        s, open_ = shift_line.c, shift_line.c.open if ask.at is None else _open_then(ask.present)
        statement = select(s.id, s.at, s.actor, s.text, s.address, s.area_code, open_.label("is_open")).where(
            s.at <= ask.present, func.coalesce(open_, False) | (s.at > ask.present - SHOWN_D * 86400)
        ).order_by(func.coalesce(open_, False).desc(), s.id.desc()).limit(limit)
        if not (place.level == 0 and parts == [place]):
            seen = codes[0].union(*codes[1:]) if len(codes) > 1 else codes[0]
            statement = statement.where(s.area_code.in_(seen))
        return stamped(connection, [Line(
            id=r.id, at=moment(r.at), actor=r.actor, text=masked(r.text), address=r.address, area_code=r.area_code, open=None if r.is_open is None else bool(r.is_open),
        ) for r in connection.execute(statement)], ask=None if ask.at is None else ask)


def _open_then(at: int) -> Any:
    """Return whether a line was open at a moment: as it was left last until then; what was never touched is as it was written."""
    e, s = shift_event.c, shift_line.c
    last = select(e.open).where(e.line_id == s.id, e.at <= at).order_by(e.id.desc()).limit(1).correlate(shift_line).scalar_subquery()
    first = select(e.open).where(e.line_id == s.id).order_by(e.id).limit(1).correlate(shift_line).scalar_subquery()
    # A line that is done and says nowhere when was done before that was kept.
    return func.coalesce(last, case((and_(first.is_(None), s.open.is_(False)), None), else_=True))


def write(store: Store, actor: Actor, ask: Ask, text: str, address: str = "") -> None:
    """Write a line about the place of an ask. Raises AskError, StepError, ScopeError."""
    _may(actor)
    text = text.strip()
    if not text:
        raise AskError("A line of the log needs words.", zh="请先写内容。")
    if not address.startswith("/") or address.startswith("//"):
        address = ""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        home = place if actor.scope.areas is None else rights.check(connection, actor.scope, place)[0]
    with store.aside() as connection:
        connection.execute(shift_line.insert().values(
            area_code=home.code, at=stamp(now()), actor=actor.name, text=text[:LONGEST], address=address[:LONGEST], open=True))


def settle(store: Store, actor: Actor, ask: Ask, line_id: int, open_: bool) -> None:
    """Mark a line as done, or as open again. Raises StepError, ScopeError."""
    _may(actor)
    if line_id not in {line.id for line in lines(store, ask, limit=1000).rows}:
        raise ScopeError("This line lies outside what you may see.", zh="该记录不在您的辖区内。")
    with store.aside() as connection:
        changed = connection.execute(update(shift_line).where(shift_line.c.id == line_id, shift_line.c.open != open_).values(open=open_)).rowcount
        if changed:
            connection.execute(shift_event.insert().values(line_id=line_id, at=stamp(now()), open=open_))


def _may(actor: Actor) -> None:
    if actor.post not in WRITERS:
        raise StepError(f"The post {actor.post!r} only looks; it does not write in the log.", zh="当前岗位只能查看。")
