"""Looks at new readings in the transaction that writes them, and raises and clears alarms. Never closes one.

What is quiet has no row, and a reading that reaches no limit of a quiet subject costs one comparison.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from queries.alarms.machine import Watch, move, severity, step
from queries.city.sensing import LEVELS, AlarmRule
from queries.clock import day_bucket, local_day
from queries.sensing.register import Known, Register
from queries.sensing.tables import (
    MINUTE,
    OFTEN_DAYS,
    alarm,
    alarm_event,
    alarm_watch,
    reading_sum,
    shelf,
)
from queries.store import bulk
from queries.tables import latest
from queries.today import city_now
from queries.touched import touch_span

#: Neighbours: alarms of one rule within so many degrees and seconds belong together.
NEAR_LAT, NEAR_LON, NEAR_S = 0.005, 0.006, 1800
_LOCK = 0x616C6D
#: What is older than this raises no alarm: a reading of a backlog, or a silence that began before we watched, is no news.
STALE_S = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule watches: a sensor's metric, or a place."""

    key: str
    node: int
    sensor_id: int | None = None
    metric: str = ""
    lon: float | None = None
    lat: float | None = None


def look(connection: Connection, register: Register, fresh: Sequence[tuple[int, int, str, float]], seen: int) -> bool:
    """Judge new readings (at, sensor id, metric, value); return whether an alarm changed."""
    rules = register.watched
    # Of a backlog only the end needs somebody now: what was over two days ago is history, and no flood of alarms.
    rows = [row for row in fresh if row[2] in rules and row[0] > seen - STALE_S]
    if not rows:
        return False
    watched = {(r.rule, r.subject) for r in connection.execute(select(alarm_watch.c.rule, alarm_watch.c.subject))}
    wanted: list[tuple[AlarmRule, Known, tuple[int, int, str, float]]] = []
    for row in sorted(rows):
        known = register.by_id.get(row[1])
        for rule in rules[row[2]]:
            if known is None or (rule.sensor_kind and rule.sensor_kind != known.kind):
                continue
            if _may_matter(rule, row[3]) or (rule.id, f"{row[1]}:{row[2]}") in watched:
                wanted.append((rule, known, row))
                watched.add((rule.id, f"{row[1]}:{row[2]}"))
    if not wanted:
        return False
    desk = _Desk(connection, seen)
    for rule, known, (at, _, metric, value) in wanted:
        subject = Subject(f"{known.id}:{metric}", known.node, known.id, metric, known.lon, known.lat)
        if rule.kind == "threshold":
            desk.judge(rule, subject, at, value, step(rule, desk.of(rule, subject), at, value))
        elif rule.kind == "rate":
            change = _change(connection, rule, known.id, metric, at, value)
            if change is not None:
                desk.judge(rule, subject, at, change, step(rule, desk.of(rule, subject), at, change))
        else:
            amount, reached, kept = _amounts(connection, rule, known.id, metric, at)
            desk.judge(rule, subject, at, amount, move(rule, desk.of(rule, subject), at, reached, kept))
    return desk.finish()


def _may_matter(rule: AlarmRule, value: float) -> bool:
    if rule.kind == "threshold":
        return rule.level_of(value) > 0
    # A change or a sum shows only beside what came before.
    return rule.kind == "rate" or value > 0


def _change(connection: Connection, rule: AlarmRule, sensor_id: int, metric: str, at: int, value: float) -> float | None:
    """Return the change per hour against the value a window ago; None when nothing was heard then."""
    s = reading_sum.c
    first, last = (at - 2 * rule.window_s) // 60, (at - rule.window_s) // 60
    row = connection.execute(select(s.last, s.last_at).where(s.grain == MINUTE, s.bucket.in_(range(first, last + 1)), s.sensor_id == sensor_id, s.metric == metric)
                             .order_by(s.bucket.desc()).limit(1)).one_or_none()
    return None if row is None or row.last_at >= at else (value - row.last) / (at - row.last_at) * 3600


def _amounts(connection: Connection, rule: AlarmRule, sensor_id: int, metric: str, at: int) -> tuple[float, int, int]:
    """Return the amount that decides, the severity that it reaches, and the one that it keeps with the deadband."""
    s = reading_sum.c
    longest = max(window.hours for window in rule.windows)
    minutes = range((at - int(longest * 3600)) // 60 + 1, at // 60 + 1)
    told = connection.execute(select(s.bucket, s.total).where(s.grain == MINUTE, s.bucket.in_(minutes), s.sensor_id == sensor_id, s.metric == metric)).all()
    amount, reached, kept = sum(r.total for r in told), 0, 0
    for window in rule.windows:
        begin = (at - int(window.hours * 3600)) // 60
        fell = round(sum(r.total for r in told if r.bucket > begin), 6)
        severe = severity(LEVELS.index(window.level) + 1)
        if fell >= window.at and severe > reached:
            reached, amount = severe, fell
        if fell >= window.at - rule.deadband:
            kept = max(kept, severe)
    return amount, reached, max(kept, reached)


class _Desk:
    """Gathers what changes and writes it."""

    def __init__(self, connection: Connection, seen: int) -> None:
        if connection.dialect.name == "postgresql":
            # Two processes must not judge the same subject at once.
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        self.connection, self.seen, self.changed = connection, seen, False
        self._held: dict[tuple[str, str], tuple[Watch, int | None]] = {
            (r.rule, r.subject): (Watch(r.level, r.pending, r.since, r.at), r.alarm_id) for r in connection.execute(select(alarm_watch))}
        self._touched: set[tuple[str, str]] = set()

    def of(self, rule: AlarmRule, subject: Subject) -> Watch:
        return self._held.get((rule.id, subject.key), (Watch(), None))[0]

    def judge(self, rule: AlarmRule, subject: Subject, at: int, value: float, after: Watch, data: str = "") -> None:
        key = (rule.id, subject.key)
        before, alarm_id = self._held.get(key, (Watch(), None))
        if after == before:
            return
        if after.level != before.level:
            self.changed = True
            if after.level and not before.level:
                alarm_id = self._raise(rule, subject, at, value, after.level, data)
            elif alarm_id is not None and after.level:
                self._level(alarm_id, rule, value, after.level, severity(after.level) > severity(before.level), data)
            elif alarm_id is not None:
                self._clear(alarm_id, at, value, before.level)
        elif after.level and alarm_id is not None:
            self._worse(alarm_id, rule, value)
        self._held[key] = after, alarm_id
        self._touched.add(key)

    def finish(self) -> bool:
        """Write the states; return whether an alarm changed."""
        gone = [key for key in self._touched if self._held[key][0].is_quiet]
        for rule, subject in gone:
            self.connection.execute(delete(alarm_watch).where(alarm_watch.c.rule == rule, alarm_watch.c.subject == subject))
        rows = [(*key, w.level, w.pending, w.since, w.at, alarm_id) for key in sorted(self._touched) if key not in gone
                for w, alarm_id in (self._held[key],)]
        names = ("rule", "subject", "level", "pending", "since", "at", "alarm_id")
        bulk(self.connection, alarm_watch, names, rows, "ON CONFLICT (rule, subject) DO UPDATE SET " + ", ".join(f"{n} = excluded.{n}" for n in names[2:]))
        return self.changed

    def _raise(self, rule: AlarmRule, subject: Subject, at: int, value: float, level: int, data: str) -> int:
        a = alarm.c
        held = self.connection.execute(select(a.id).where(a.is_open, a.rule == rule.id, a.subject == subject.key)).first()
        until = self.connection.scalar(select(func.max(shelf.c.until)).where(
            shelf.c.rule == rule.id, shelf.c.subject == subject.key, shelf.c.ended_at.is_(None), shelf.c.until > self.seen))
        told = {"level": level, "value": value, "bound": bound_of(rule, level), "again_at": self.seen, "is_active": True, "cleared_at": None, "shelved_until": until}
        if held is not None:
            # The same again is the same alarm: it wants to be seen once more.
            told |= {"data": data} if data else {}
            self.connection.execute(update(alarm).where(a.id == held.id).values(**told, times=a.times + 1, acked_at=None, acked_by=""))
            self._tell(held.id, "again", level, value)
            return held.id
        told |= {"rule": rule.id, "kind": rule.kind, "subject": subject.key, "sensor_id": subject.sensor_id, "metric": subject.metric, "node": subject.node,
                 "lon": subject.lon, "lat": subject.lat, "peak": value, "began_at": at, "seen_at": self.seen, "is_open": True, "data": data}
        made: int = self.connection.execute(insert(alarm).values(**told, group_id=self._neighbour(rule, subject))).inserted_primary_key[0]
        first = day_bucket(local_day(at, city_now(self.connection).zone))
        # It counts among those of the last weeks in all periods that end so long after.
        touch_span(self.connection, subject.node, first, first + OFTEN_DAYS)
        self._tell(made, "raised", level, value)
        return made

    def _neighbour(self, rule: AlarmRule, subject: Subject) -> int | None:
        if subject.lon is None or subject.lat is None:
            return None
        a = alarm.c
        near = self.connection.execute(select(a.id, a.group_id).where(
            a.is_open, a.rule == rule.id, a.again_at > self.seen - NEAR_S, a.lat.between(subject.lat - NEAR_LAT, subject.lat + NEAR_LAT),
            a.lon.between(subject.lon - NEAR_LON, subject.lon + NEAR_LON)).order_by(a.id).limit(1)).first()
        return None if near is None else near.group_id or near.id

    def _level(self, alarm_id: int, rule: AlarmRule, value: float, level: int, up: bool, data: str) -> None:
        values: dict[str, Any] = {"level": level, "value": value, "bound": bound_of(rule, level)}
        if up:
            values |= {"acked_at": None, "acked_by": "", "again_at": self.seen, **({"data": data} if data else {})}
        self.connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(**values))
        self._worse(alarm_id, rule, value)
        self._tell(alarm_id, "up" if up else "down", level, value)

    def _clear(self, alarm_id: int, at: int, value: float, level: int) -> None:
        self.connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(is_active=False, cleared_at=self.seen, value=value))
        self._tell(alarm_id, "cleared", level, value)

    def _worse(self, alarm_id: int, rule: AlarmRule, value: float) -> None:
        peak = alarm.c.peak > value if rule.down else alarm.c.peak < value
        self.connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(value=value))
        self.connection.execute(update(alarm).where(alarm.c.id == alarm_id, peak).values(peak=value))

    def _tell(self, alarm_id: int, what: str, level: int, value: float) -> None:
        self.connection.execute(insert(alarm_event).values(alarm_id=alarm_id, at=self.seen, what=what, level=level, value=value))


def bound_of(rule: AlarmRule, level: int) -> float | None:
    """Return the limit of a level."""
    name = LEVELS[level - 1]
    if rule.kind == "sum":
        return next((window.at for window in rule.windows if window.level == name), None)
    return rule.limits.get(name)  # type: ignore[call-overload]


def silence(connection: Connection, register: Register, seen: int, awake: dict[str, int]) -> bool:
    """Judge who has not sent for longer than promised; return whether an alarm changed.

    Where more than half of a kind is silent it is not the sensors but their source, and the data page says so.
    `awake` keeps since when each kind is heard: after an outage each of its sensors has its whole time to come back.
    """
    rules = [rule for rule in register.rules if rule.kind == "silence"]
    if not rules:
        return False
    last = {r.sensor_id: r.at for r in connection.execute(select(latest.c.sensor_id, func.max(latest.c.at).label("at")).group_by(latest.c.sensor_id))}
    desk: _Desk | None = None
    for rule in rules:
        judged = [(known, (seen - last[known.id]) / every) for known in register.sensors.values()
                  if known.id in last and (every := register.every_s(known)) and (not rule.sensor_kind or rule.sensor_kind == known.kind)]
        loosest = min(rule.limits.values())
        mute: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for known, missed in judged:
            mute[known.kind][0] += missed >= loosest
            mute[known.kind][1] += 1
        for kind, (silent, of) in mute.items():
            if 2 * silent > of > 1:
                awake.pop(kind, None)
            else:
                awake.setdefault(kind, seen)
        for known, missed in judged:
            subject = Subject(f"{known.id}:", known.node, known.id, "", known.lon, known.lat)
            if desk is None:
                desk = _Desk(connection, seen)
            before = desk.of(rule, subject)
            time_to_come = loosest * (register.every_s(known) or 0)
            back = seen - awake.get(known.kind, seen) >= time_to_come
            if before.is_quiet and (missed < loosest or not back or seen - last[known.id] > STALE_S + time_to_come):
                continue
            desk.judge(rule, subject, seen, missed, step(rule, before, seen, missed))
    return desk.finish() if desk else False


def raise_warnings(connection: Connection, found: Iterable[tuple[AlarmRule, Subject, int, float, str]], seen: int) -> bool:
    """Raise, keep or clear the alarms of statistics rules: (rule, subject, at, value, evidence)."""
    desk = _Desk(connection, seen)
    for rule, subject, at, value, data in found:
        desk.judge(rule, subject, at, value, step(rule, desk.of(rule, subject), at, value), data)
    return desk.finish()
