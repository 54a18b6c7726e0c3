"""The answers about alarms: the list, one alarm's life, the shelf, the pace, and what the wall must show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from queries import near as near_
from queries import places
from queries import scope as rights
from queries.alarms import then as past
from queries.alarms.rows import LEVEL_IDS, AlarmEvent, AlarmRow, Pace, Post, Serious, Shelved
from queries.answers import stamped
from queries.city import City
from queries.clock import moment, now, stamp
from queries.errors import NoSuchError
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.loop import roster
from queries.loop.tables import list_item
from queries.near import Near
from queries.places import Place
from queries.sensing.register import TOML
from queries.sensing.tables import alarm, alarm_event
from queries.store import Store, get_meta
from queries.tables import category, sensor

KINDS = ("readings", "sensors")
#: A flood by EEMUA 191: more than ten alarms in ten minutes at one position. A chatter: raised so often in ten minutes.
FLOOD, CHATTER, TEN_S = 10, 3, 600
#: From this level on an alarm pulls the wall: orange and red.
SERIOUS = 2


def alarms(store: Store, ask: Ask, state: str = "open", limit: int = 200) -> Answer[AlarmRow]:
    """Return alarms of the place, the most urgent first. `state`: open, unacked, shelved, closed, all."""
    if ask.at is not None:
        return _then(store, ask, state, limit)
    a, present = alarm.c, stamp(now())
    off = a.shelved_until > present
    wanted: dict[str, tuple[ColumnElement[bool], ...]] = {
        "open": (a.is_open, or_(a.shelved_until.is_(None), ~off)), "unacked": (a.is_open, a.acked_at.is_(None), or_(a.shelved_until.is_(None), ~off)),
        "shelved": (a.is_open, off), "closed": (~a.is_open,), "all": ()}
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        where = (inside(a.node, rights.ranges_under(connection, rights.check(connection, ask.scope, place))), *wanted[state])
        order = (a.closed_at.desc(),) if state == "closed" else (a.is_open.desc(), (a.acked_at.is_(None) & a.is_active).desc(), a.is_active.desc(), a.level, a.again_at.desc())
        rows = connection.execute(select(alarm).where(*where).order_by(*order).limit(limit)).all()
        total = connection.scalar(select(func.count()).select_from(alarm).where(*where))
        return stamped(connection, _Maker(connection, ask).rows(rows), kinds=KINDS, total=total)


def _then(store: Store, ask: Ask, state: str, limit: int) -> Answer[AlarmRow]:
    """Return the alarms as they stood at the ask's moment, the most urgent first."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        here = inside(alarm.c.node, rights.ranges_under(connection, rights.check(connection, ask.scope, place)))
        held = past.standing(connection, ask.present, here, settled=state in ("closed", "all"))
        off = [r for r in held if r.is_open and r.shelved_until is not None]
        on = [r for r in held if r.is_open and r.shelved_until is None]
        rows = {"open": on, "unacked": [r for r in on if r.acked_at is None], "shelved": off, "closed": [r for r in held if not r.is_open], "all": held}[state]
        if state == "closed":
            rows.sort(key=lambda r: -r.closed_at)
        else:
            rows.sort(key=lambda r: (not r.is_open, r.acked_at is not None or not r.is_active, not r.is_active, r.level, -r.again_at))
        return stamped(connection, _Maker(connection, ask).rows(rows[:limit], [r for r in held if r.is_open]), kinds=KINDS, total=len(rows), ask=ask)


def one(store: Store, ask: Ask, alarm_id: int) -> Answer[AlarmRow]:
    """Return one alarm. Raises NoSuchError, also for one that lies outside of what may be seen."""
    with store.read() as connection:
        row = held(connection, ask, alarm_id)
        if ask.at is None:
            return stamped(connection, _Maker(connection, ask).rows([row]), kinds=KINDS)
        stood = past.standing(connection, ask.present, alarm.c.id == alarm_id, settled=True)
        if not stood:
            raise NoSuchError(f"Alarm {alarm_id} was not raised yet at {ask.at:%Y-%m-%d %H:%M}.", zh=f"{ask.at:%Y-%m-%d %H:%M} 时尚无报警 {alarm_id}。")
        return stamped(connection, _Maker(connection, ask).rows(stood, stood), kinds=KINDS, ask=ask)


def held(connection: Connection, ask: Ask, alarm_id: int) -> Any:
    """Return the row of an alarm. Raises NoSuchError."""
    row = connection.execute(select(alarm).where(alarm.c.id == alarm_id)).one_or_none()
    if row is None or not rights.sees(connection, ask.scope, row.node):
        raise NoSuchError(f"There is no alarm {alarm_id}.", zh=f"没有编号为 {alarm_id} 的报警。")
    return row


def history(store: Store, ask: Ask, alarm_id: int) -> Answer[AlarmEvent]:
    """Return what happened to an alarm, from the first. Raises NoSuchError."""
    e = alarm_event.c
    with store.read() as connection:
        held(connection, ask, alarm_id)
        known = () if ask.at is None else (e.at <= ask.present,)
        rows = connection.execute(select(alarm_event).where(e.alarm_id == alarm_id, *known).order_by(e.id))
        return stamped(connection, [AlarmEvent(at=moment(r.at), what=r.what, level=LEVEL_IDS.get(r.level, ""), by=r.by, note=r.note, value=r.value) for r in rows], kinds=KINDS, ask=_past(ask))


def shelves(store: Store, ask: Ask) -> Answer[Shelved]:
    """Return what is shelved, now or at the ask's moment; what comes back first at the top."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        spans = rights.ranges_under(connection, rights.check(connection, ask.scope, place))
        rows = past.shelved(connection, ask.present, inside(alarm.c.node, spans))
        made = {row.id: row for row in _Maker(connection, ask).rows(
            connection.execute(select(alarm).where(alarm.c.id.in_([r.alarm_id for r in rows]))).all())}
        return stamped(connection, [Shelved(id=r.id, alarm_id=r.alarm_id, title=made[r.alarm_id].title, subject=made[r.alarm_id].subject, at=moment(r.at),
                                            until=moment(r.until), by=r.by, reason=r.reason) for r in rows], kinds=KINDS, ask=_past(ask))


def pace(store: Store, ask: Ask, positions: int = 1) -> Answer[Pace]:
    """Return how fast alarms come, now or at the ask's moment, and how many of those settled until then were real."""
    e, a, present = alarm_event.c, alarm.c, ask.present
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        spans = inside(a.node, rights.ranges_under(connection, rights.check(connection, ask.scope, place)))
        told = connection.execute(select(e.at).join(alarm, a.id == e.alarm_id).where(
            e.at > present - 86_400, e.at <= present, e.what.in_(("raised", "again", "up")), spans)).scalars().all()
        ended = past.settled(connection, present - 30 * 86_400, present, spans)
        ten = sum(at > present - TEN_S for at in told)
        row = Pace(positions=positions, ten_minutes=ten, hour=sum(at > present - 3600 for at in told), day=len(told), flood=ten > FLOOD * positions,
                   real=ended["real"] + ended["case"], settled=sum(ended.values()))
        return stamped(connection, [row], kinds=KINDS, ask=_past(ask))


def _past(ask: Ask) -> Ask | None:
    return None if ask.at is None else ask


def serious(store: Store, ask: Ask, limit: int = 5) -> Answer[Serious]:
    """Return the serious alarms that nobody has acknowledged: with grid, case, and the cameras and sensors near."""
    a, present = alarm.c, stamp(now())
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        spans = rights.ranges_under(connection, rights.check(connection, ask.scope, place))
        rows = connection.execute(select(alarm).where(
            a.is_open, a.level <= SERIOUS, a.acked_at.is_(None), a.is_active, inside(a.node, spans), or_(a.shelved_until.is_(None), a.shelved_until <= present),
        ).order_by(a.level, a.again_at.desc()).limit(limit)).all()
        out = []
        for row, made in zip(rows, _Maker(connection, ask).rows(rows), strict=True):
            chain = places.chain(connection, row.node)
            close = _near(connection, spans, row.lon, row.lat, 3, made.sensor) if row.lon is not None else ((), ())
            out.append(Serious(alarm=made, bbox=chain[-1].bbox if chain else None, cameras=close[0], sensors=close[1]))
        return stamped(connection, out, kinds=KINDS)


def nearest(store: Store, ask: Ask, lon: float, lat: float, n: int = 5) -> Answer[Near]:
    """Return the nearest cameras, then the nearest sensors, that may be seen."""
    with store.read() as connection:
        place = places.find(connection, None, ask.until, ask.scope)
        spans = rights.node_ranges(connection, ask.scope, place)
        cameras, sensors = _near(connection, spans, lon, lat, n)
        return stamped(connection, (*cameras, *sensors), kinds=("cameras", "sensors"))


def _near(connection: Connection, spans: Sequence[tuple[int, int]], lon: float, lat: float, n: int,
          own: str | None = None) -> tuple[tuple[Near, ...], tuple[Near, ...]]:
    return near_.nearest(connection, "camera", spans, lon, lat, n), near_.nearest(connection, "sensor", spans, lon, lat, n, own)


class _Maker:
    """Makes rows: names, units, duty and task-list item looked up once for all."""

    def __init__(self, connection: Connection, ask: Ask) -> None:
        self.connection, self.at, self.present = connection, ask.at, ask.present
        told = get_meta(connection, TOML)
        self.city = City.model_validate(told) if told else None
        self.rules = {rule.id: rule for rule in self.city.alarms} if self.city else {}
        self._chains: dict[int, list[Place]] = {}

    def rows(self, rows: Sequence[Any], standing: Sequence[Any] | None = None) -> list[AlarmRow]:
        """Return rows of the table as answers. `standing` = all that stood open at a moment of the past; None = now."""
        if not rows:
            return []
        ids = [r.id for r in rows]
        c, e, a = self.connection, alarm_event.c, alarm.c
        self._sensors = {r.id: r for r in c.execute(select(sensor.c.id, sensor.c.code, sensor.c.name, sensor.c.kind).where(
            sensor.c.id.in_([r.sensor_id for r in rows if r.sensor_id is not None])))}
        self._raised = {r[0]: r[1] for r in c.execute(select(e.alarm_id, func.count()).where(
            e.alarm_id.in_(ids), e.what.in_(("raised", "again")), e.at > self.present - TEN_S, e.at <= self.present).group_by(e.alarm_id))}
        groups = {r.group_id or r.id for r in rows}
        self._groups = Counter(r.group_id or r.id for r in standing) if standing is not None else {r[0]: r[1] for r in c.execute(select(func.coalesce(a.group_id, a.id), func.count()).where(
            a.is_open, or_(a.group_id.in_(groups), a.id.in_(groups))).group_by(func.coalesce(a.group_id, a.id)))}
        self._items = {r.code: r.title for r in c.execute(select(list_item.c.code, list_item.c.title).where(
            list_item.c.code.in_([rule.item for rule in self.rules.values() if rule.item])))}
        self._categories = {r.code: {"zh": r.name, "en": r.name_en} for r in c.execute(select(category))}
        for node in {r.node for r in rows}:
            self._chains[node] = places.chain(c, node)
        codes = {p.code for chain in self._chains.values() for p in chain}
        self._duty: dict[str, list[Any]] = {}
        roster_ = roster.on_duty(c, codes, None if self.at is None else self.present)
        self._roster_known = roster_ is not None
        for r in roster_ or ():
            self._duty.setdefault(r.area_code, []).append(r)
        return [self._row(r) for r in rows]

    def _row(self, r: Any) -> AlarmRow:
        rule, chain = self.rules.get(r.rule), self._chains[r.node]
        known = self._sensors.get(r.sensor_id)
        kind = self.city.kinds_of_sensors.get(known.kind) if self.city and known else None
        metric = kind.metrics.get(r.metric) if kind else None
        evidence = json.loads(r.data) if r.data else {}
        here = chain[-1] if chain else None
        street = chain[2] if len(chain) > 2 else here
        posts = [Post(post=p.post, shown=p.shown, phone=p.phone) for place in reversed(chain) for p in self._duty.get(place.code, [])]
        action = {"zh": rule.action, "en": rule.action_en or rule.action} if rule else {"zh": "", "en": ""}
        return AlarmRow(
            id=r.id, rule=r.rule, kind=r.kind, level=LEVEL_IDS[r.level], title={"zh": rule.title, "en": rule.title_en or rule.title} if rule else {"zh": r.rule, "en": r.rule},
            state=self._state(r), subject=self._subject(known, evidence, here), sensor=known.code if known else "", metric=r.metric,
            unit=_unit(r.kind, metric.unit if metric else ""), digits=metric.digits if metric else 1, value=r.value, peak=r.peak, bound=r.bound,
            began_at=moment(r.began_at), seen_at=moment(r.seen_at), again_at=moment(r.again_at), times=r.times, is_active=r.is_active,
            chattering=self._raised.get(r.id, 0) >= CHATTER, group_id=r.group_id or r.id, group=self._groups.get(r.group_id or r.id, 1),
            area_code=here.code if here else "", area_name=_name(here), street_name=_name(street), duty=tuple(posts) if self._roster_known else None, action=action,
            item=rule.item if rule else "", item_title=self._items.get(rule.item, "") if rule else "", category=rule.category if rule else "",
            acked_at=_at(r.acked_at), acked_by=r.acked_by, shelved_until=_at(r.shelved_until), outcome=r.outcome, reason=r.reason, case_no=r.case_no,
            lon=r.lon, lat=r.lat, evidence=evidence)

    def _state(self, r: Any) -> str:
        if not r.is_open:
            return "closed"
        if r.shelved_until is not None and r.shelved_until > self.present:
            return "shelved"
        return "unacked" if r.acked_at is None else "acked" if r.is_active else "cleared"

    def _subject(self, known: Any, evidence: dict[str, Any], here: Place | None) -> dict[str, str]:
        if known is not None:
            return {"zh": known.name, "en": known.name}
        words, where = self._categories.get(evidence.get("category", ""), {"zh": "", "en": ""}), _name(here)
        return {"zh": f"{where['zh']} {words['zh']}".strip(), "en": f"{where['en']} {words['en']}".strip()}


def _unit(kind: str, unit: str) -> str:
    return {"rate": f"{unit}/h", "silence": "×", "statistics": "d"}.get(kind, unit)


def _name(place: Place | None) -> dict[str, str]:
    return {"zh": place.name, "en": place.name_en or place.name} if place else {"zh": "", "en": ""}


def _at(value: int | None) -> Any:
    return None if value is None else moment(value)


def shift_begins(present: Any, hour: int = 8) -> Any:
    """Return when the present shift began (8:00 or 20:00 local, given an aware local moment): the sound is tried once a shift."""
    start = present.replace(hour=hour, minute=0, second=0, microsecond=0)
    while start > present:
        start -= timedelta(hours=12)
    while start + timedelta(hours=12) <= present:
        start += timedelta(hours=12)
    return start
