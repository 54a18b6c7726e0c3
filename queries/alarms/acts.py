"""What people do about alarms: acknowledge, shelve, settle, make a case. Time itself does none of it."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import Connection, insert, update

from queries.alarms import desk
from queries.alarms.desk import held
from queries.alarms.rows import AlarmRow
from queries.clock import day_bucket, local_day, moment, now, stamp
from queries.errors import AskError, PostError, StepError
from queries.frame import Actor, Ask
from queries.loop.orders import Found, Receipt
from queries.loop.page import Page
from queries.loop.writer import Hand
from queries.sensing.tables import alarm, alarm_event, shelf
from queries.store import Store
from queries.today import city_now
from queries.touched import touch_span

#: Posts that act on alarms.
POSTS = ("street", "dispatcher", "admin")
#: Minutes for which one may shelve: what is longer is a change of the rule.
LONGEST_MIN = 12 * 60
REASON = 500


def acknowledge(store: Store, actor: Actor, ask: Ask, alarm_id: int, note: str = "") -> None:
    """Say that somebody has seen it. Raises PostError, NoSuchError, StepError."""
    with store.write() as connection:
        row = _open(connection, actor, ask, alarm_id)
        if row.acked_at is not None:
            raise StepError(f"{row.acked_by} has acknowledged alarm {alarm_id} already.", zh=f"{row.acked_by} 已确认该报警。")
        connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(acked_at=stamp(now()), acked_by=_name(actor)))
        _tell(connection, row, "acked", actor, note)


def put_aside(store: Store, actor: Actor, ask: Ask, alarm_id: int, minutes: int, reason: str) -> None:
    """Shelve an alarm and what its rule raises of the same subject, for so many minutes. Raises AskError, StepError."""
    if not 1 <= minutes <= LONGEST_MIN:
        raise AskError(f"An alarm is shelved for 1 to {LONGEST_MIN} minutes. What is longer is a change of its rule.", zh=f"搁置时长为 1 至 {LONGEST_MIN} 分钟；更久的请修改规则。", field="minutes")
    why, present = _why(reason), stamp(now())
    with store.write() as connection:
        row = _open(connection, actor, ask, alarm_id)
        until = present + 60 * minutes
        connection.execute(insert(shelf).values(rule=row.rule, subject=row.subject, alarm_id=alarm_id, at=present, until=until, by=_name(actor), reason=why))
        connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(shelved_until=until))
        _tell(connection, row, "shelved", actor, f"{minutes} min: {why}")


def take_back(store: Store, actor: Actor, ask: Ask, alarm_id: int) -> None:
    """Put a shelved alarm back on the list. Raises StepError."""
    with store.write() as connection:
        row, present = _open(connection, actor, ask, alarm_id), stamp(now())
        done = connection.execute(update(shelf).where(shelf.c.rule == row.rule, shelf.c.subject == row.subject, shelf.c.ended_at.is_(None), shelf.c.until > present)
                                  .values(ended_at=present, ended_by=_name(actor))).rowcount
        if not done:
            raise StepError(f"Alarm {alarm_id} is not shelved.", zh="该报警未被搁置。")
        connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(shelved_until=None))
        _tell(connection, row, "unshelved", actor, "")


def settle(store: Store, actor: Actor, ask: Ask, alarm_id: int, outcome: str, reason: str) -> None:
    """Settle an alarm as real or false; a false one needs a reason, and counts in the precision figure. Raises AskError."""
    if outcome not in ("real", "false"):
        raise AskError(f"{outcome!r} is no outcome; say real or false.", zh="结论须为属实或误报。", field="outcome")
    why = _why(reason) if outcome == "false" else reason.strip()[:REASON]
    with store.write() as connection:
        row = _open(connection, actor, ask, alarm_id)
        _close(connection, row, actor, outcome, why)


def make_case(writer: Hand, store: Store, actor: Actor, ask: Ask, alarm_id: int, title: str = "", category: str = "", note: str = "") -> Receipt:
    """Make a case of an alarm: both in one transaction, by a person. Raises PostError, StepError, AskError."""
    shown = desk.one(store, ask, alarm_id).row
    wanted = category or shown.category or "other"
    text = title.strip()[:200] or f"{shown.title['zh']}：{shown.subject['zh']}"

    def act(page: Page) -> Receipt:
        row = _open(page.connection, actor, ask, alarm_id)
        receipt = page.report(Found(
            actor=actor, category=wanted, title=text, kind=shown.title["zh"], channel="传感器报警", lon=shown.lon, lat=shown.lat,
            area_code=shown.area_code if shown.lon is None else "", urgent=shown.level in ("red", "orange"), at=min(shown.began_at, now()).astimezone(UTC),
            text=_told(shown, note), source="alarm", key=f"alarm-{alarm_id}"))
        page.connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(case_no=receipt.no))
        _close(page.connection, row, actor, "case", receipt.no)
        return receipt

    return writer.run(act)


def _told(shown: AlarmRow, note: str) -> str:
    value = "" if shown.value is None else f"{shown.value:.{shown.digits}f} {shown.unit}".strip()
    return f"{shown.title['zh']}，{shown.subject['zh']}，{value}。{note.strip()}"[:1000]


def _open(connection: Connection, actor: Actor, ask: Ask, alarm_id: int) -> Any:
    if actor.post not in POSTS:
        raise PostError(f"Acting on alarms is for {', '.join(POSTS)}.", zh="当前岗位不能处理报警。")
    row = held(connection, ask, alarm_id)
    if not row.is_open:
        raise StepError(f"Alarm {alarm_id} was settled at {moment(row.closed_at):%Y-%m-%d %H:%M} UTC.", zh=f"报警 {alarm_id} 已了结。")
    return row


def _close(connection: Connection, row: Any, actor: Actor, outcome: str, reason: str) -> None:
    present = stamp(now())
    values = {"is_open": False, "closed_at": present, "outcome": outcome, "reason": reason}
    if row.acked_at is None:
        values |= {"acked_at": present, "acked_by": _name(actor)}
    connection.execute(update(alarm).where(alarm.c.id == row.id).values(**values))
    today = day_bucket(local_day(present, city_now(connection).zone))
    touch_span(connection, row.node, today, today)
    _tell(connection, row, outcome, actor, reason)


def _tell(connection: Connection, row: Any, what: str, actor: Actor, note: str) -> None:
    connection.execute(insert(alarm_event).values(alarm_id=row.id, at=stamp(now()), what=what, level=row.level, by=_name(actor), note=note[:REASON], value=row.value))


def _name(actor: Actor) -> str:
    return actor.shown or actor.name


def _why(reason: str) -> str:
    why = reason.strip()[:REASON]
    if len(why) < 2:
        raise AskError("Say why.", zh="请写明原因。", field="reason")
    return why
