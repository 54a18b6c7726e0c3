"""Cameras: how they are against their targets, and who may look through which, why, for how long.

No picture leaves before its view is written down. Nothing here is about persons: a camera is a thing that
works or does not, and a view is an act of the office that can be asked about.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, select, update

from queries import places
from queries import scope as rights
from queries.answers import remembered, stamped
from queries.city import City
from queries.city.eyes import REASONS, GatewaySpec
from queries.city.specs import WordPair
from queries.clock import moment, now, stamp
from queries.errors import AskError, NoSuchError, PostError, ScopeError
from queries.frame import Actor, Answer, Ask
from queries.intervals import inside
from queries.sensing.register import TOML
from queries.sensing.tables import camera_state, camera_view
from queries.store import Store, bulk, get_meta
from queries.tables import camera, meta

#: Offline for less than this is newly offline: an interruption of more than three days is a breach in published rules.
NEW_S = 3 * 86_400
#: Which part of a class must be intact: 98 % in key public areas, 95 % in key trades.
TARGETS = {"key_area": 0.98, "key_trade": 0.95}
CLASS_WORDS = {
    "key_area": {"zh": "重点公共区域", "en": "Key public areas"}, "key_trade": {"zh": "重点行业领域", "en": "Key trades"}, "": {"zh": "其他", "en": "Others"},
}
BUCKETS = ("online", "new_offline", "long_offline", "no_picture", "unknown")
BUCKET_WORDS = {
    "online": {"zh": "在线", "en": "online"}, "new_offline": {"zh": "新离线", "en": "newly offline"}, "long_offline": {"zh": "长期离线", "en": "long offline"},
    "no_picture": {"zh": "在线无图像", "en": "no picture"}, "unknown": {"zh": "状态未知", "en": "unknown"},
}
#: Posts that may look, and the longest view in minutes.
POSTS, LONGEST_MIN = ("street", "department", "dispatcher", "admin"), 30
#: So many cameras are looked through together at most.
TOGETHER = 9
SECRET = "link_secret"
#: Of a camera that nobody had told of at a moment; and what stands beside answers about the past.
UNKNOWN: tuple[str, int | None] = ("unknown", None)
STOOD = {"zh": "摄像机状态按其来源所报的变化时间；名册与位置为当前", "en": "states by the times of change that their source told; register and positions are today's"}


@dataclass(frozen=True, kw_only=True)
class CameraHealth:
    """How the cameras of a class are. `intact` = online of all that are installed; None = there is none."""

    group: str
    words: dict[str, str]
    total: int
    buckets: dict[str, int]
    intact: float | None
    target: float | None

    @property
    def meets(self) -> bool | None:
        """Return whether the target is met; None = there is no target or no camera."""
        return None if self.intact is None or self.target is None else self.intact >= self.target


@dataclass(frozen=True, kw_only=True)
class CameraRow:
    """One camera. Its addresses may hold a password: they stay on the server."""

    code: str
    name: str
    kind: str
    group: str
    state: str
    bucket: str
    seen_at: datetime | None
    since_at: datetime | None
    stream: str = field(repr=False)
    still: str = field(repr=False)
    gateway: str
    live: str = field(repr=False)
    looked_at: datetime | None
    found: str
    area_code: str
    area_name: dict[str, str]
    lon: float | None
    lat: float | None


@dataclass(frozen=True, kw_only=True)
class ViewRow:
    """A view that was written down. `cause`: a reason of the list; `reason`: what was typed beside it; `ended_at`: closed before its end."""

    id: int
    code: str
    name: str
    at: datetime
    until: datetime
    by: str
    post: str
    reason: str
    about: str
    cause: str = ""
    cause_words: dict[str, str] = field(default_factory=dict)
    ended_at: datetime | None = None

    def why(self, lang: str) -> str:
        """Return the reason in a language: that of the list, and what was typed."""
        return " · ".join(part for part in (self.cause_words.get(lang, ""), self.reason) if part)


def health(store: Store, ask: Ask) -> Answer[CameraHealth]:
    """Return the cameras of the place in buckets, class by class, against their targets."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        spans = rights.ranges_under(connection, rights.check(connection, ask.scope, place))
        told: dict[str, dict[str, int]] = {}
        # Once for all screens, until something changes or a minute is over.
        for group, name, n in remembered(connection, ("camera-health", tuple(spans), ask.at), lambda: _counted(connection, ask, spans)):
            told.setdefault(group, dict.fromkeys(BUCKETS, 0))[name] += n
        rows = [summed(group, told[group]) for group in CLASS_WORDS if group in told]
        return _stamp(connection, ask, rows)


def _counted(connection: Connection, ask: Ask, spans: list[tuple[int, int]]) -> list[tuple[str, str, int]]:
    """Return (class, bucket, n), counted where the cameras are kept; at a moment of the past from what each was then."""
    state, since = camera.c.state, func.coalesce(camera.c.since_at, camera.c.seen_at)
    source: Any = camera
    if ask.at is not None:
        then = stood(ask.present)
        state, since = func.coalesce(then.c.state, "unknown"), then.c.at
        source = camera.outerjoin(then, then.c.camera_id == camera.c.id)
    name = bucketed(state, since, ask.present)
    rows = connection.execute(select(camera.c["class"], name, func.count()).select_from(source).where(inside(camera.c.node, spans)).group_by(camera.c["class"], name))
    return [(group, told, int(n)) for group, told, n in rows]


def bucketed(state: Any, since: Any, present: int) -> Any:
    """Return the same as `bucket` as an expression of columns."""
    return case((and_(state == "offline", since.is_not(None), since > present - NEW_S), "new_offline"), (state == "offline", "long_offline"), else_=state)


def stood(at: int) -> Any:
    """Return camera_id, state and at of what each camera was at a moment (UTC seconds), as far as it was written down."""
    s = camera_state.c
    # What was written last holds: a file may speak of an earlier moment than the row before it.
    last = select(func.max(s.id).label("id")).where(s.at <= at).group_by(s.camera_id).subquery()
    return select(s.camera_id, s.state, s.at).join(last, last.c.id == s.id).subquery()


def stood_at(connection: Connection, at: int, *where: ColumnElement[bool]) -> dict[int, tuple[str, int]]:
    """Return what cameras were at a moment, and since when: {id: (state, second)}. One that nobody had told of is not in it."""
    then = stood(at)
    return {r.camera_id: (r.state, r.at) for r in connection.execute(select(then).join(camera, camera.c.id == then.c.camera_id).where(*where))}


def _stamp(connection: Connection, ask: Ask, rows: Sequence[Any]) -> Answer[Any]:
    if ask.at is None:
        return stamped(connection, rows, kinds=("cameras",))
    return stamped(connection, rows, kinds=("cameras",), ask=ask, notes=(STOOD,))


def summed(group: str, buckets: dict[str, int]) -> CameraHealth:
    """Return the health of a class from its buckets."""
    total = sum(buckets.values())
    return CameraHealth(group=group, words=CLASS_WORDS[group], total=total, buckets=buckets, intact=buckets["online"] / total if total else None, target=TARGETS.get(group))


def bucket(state: str, since: int | None, present: int) -> str:
    """Return the bucket of a camera; one of which nobody knows since when it is offline counts as long offline."""
    if state != "offline":
        return state
    return "new_offline" if since is not None and present - since < NEW_S else "long_offline"


def one(store: Store, ask: Ask, code: str) -> Answer[CameraRow]:
    """Return a camera. Raises NoSuchError, also for one that may not be seen."""
    with store.read() as connection:
        held = _held(connection, ask, code)
        row = _row(connection, held)
        if ask.at is not None:
            state, since = stood_at(connection, ask.present, camera.c.id == held.id).get(held.id, UNKNOWN)
            # When its picture was seen last is known of now only.
            row = replace(row, state=state, bucket=bucket(state, since, ask.present), seen_at=None, since_at=None if since is None else moment(since))
        return _stamp(connection, ask, [row])


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """What the city says about looking: reasons by code, and gateways by the id that the inventory names."""

    reasons: dict[str, WordPair]
    gateways: dict[str, GatewaySpec]


def eyes(connection: Connection) -> Eyes:
    """Return what the loaded city says about looking; the standard reasons where none is loaded."""
    def read() -> Eyes:
        told = get_meta(connection, TOML)
        city = City.model_validate(told) if told else None
        return Eyes(reasons=REASONS, gateways={}) if city is None else Eyes(reasons=city.reasons_to_look, gateways=city.gateways)
    return remembered(connection, ("eyes",), read, ageless=True)


def reasons(store: Store) -> dict[str, dict[str, str]]:
    """Return the list of reasons to look, by code, in both languages."""
    with store.read() as connection:
        return {code: _both(words) for code, words in eyes(connection).reasons.items()}


def _both(words: WordPair) -> dict[str, str]:
    return {"zh": words.word("zh"), "en": words.word("en")}


def look(store: Store, actor: Actor, ask: Ask, code: str, reason: str, minutes: int = 10, about: str = "", session: str = "", cause: str = "") -> int:
    """Write a view down and return its number: only then is there a picture. Raises PostError, AskError, NoSuchError."""
    return look_all(store, actor, ask, (code,), reason, minutes, about, session, cause)[0]


def look_all(store: Store, actor: Actor, ask: Ask, codes: Sequence[str], reason: str, minutes: int = 10, about: str = "", session: str = "", cause: str = "") -> list[int]:
    """Write views of several cameras down, all of them or none, and return their numbers.

    `cause` is a reason of the list, `reason` what is typed beside it: one of both must say why. Raises PostError, AskError, NoSuchError.
    """
    if actor.post not in POSTS:
        raise PostError("Your post may not look through cameras.", zh="当前岗位无权调看摄像机。")
    if not 1 <= len(codes) <= TOGETHER:
        raise AskError(f"Up to {TOGETHER} cameras are shown together.", zh=f"最多同时调看 {TOGETHER} 路。", field="cams")
    why = " ".join(reason.split())[:300]
    known = reasons(store)
    if cause and cause not in known:
        raise AskError(f"{cause[:40]!r} is no reason of the list.", zh=f"“{cause[:40]}”不在事由清单中。", field="cause")
    if len(why) < 2 and cause in ("", "other"):
        raise AskError("Say why you look. It is kept with your name.", zh="请写明调看事由；事由与姓名一并留存。", field="reason")
    if not 1 <= minutes <= LONGEST_MIN:
        raise AskError(f"A view lasts 1 to {LONGEST_MIN} minutes.", zh=f"调看时长为 1 至 {LONGEST_MIN} 分钟。", field="minutes")
    with store.aside() as connection:
        present = stamp(now())
        rows = [_held(connection, ask, code) for code in dict.fromkeys(codes)]
        return [int(connection.execute(insert(camera_view).values(
            camera_id=row.id, at=present, until=present + 60 * minutes, by=actor.name, post=actor.post, reason=why, cause=cause, about=about[:100],
            session=session)).inserted_primary_key[0]) for row in rows]


def close(store: Store, actor: Actor, code: str, session: str = "") -> int:
    """End the actor's open views of a camera in this session now; return how many. What was planned stays written."""
    v, present = camera_view.c, stamp(now())
    with store.aside() as connection:
        one = select(camera.c.id).where(camera.c.code == code).scalar_subquery()
        return connection.execute(update(camera_view).where(v.camera_id == one, v.by == actor.name, v.session == session, v.until > present, v.ended_at.is_(None)).values(ended_at=present)).rowcount


def current(store: Store, actor: Actor, ask: Ask, code: str, session: str = "") -> ViewRow | None:
    """Return the view that the actor has open on a camera now, in this session; None = none."""
    v = camera_view.c
    with store.read() as connection:
        row = _held(connection, ask, code)
        held = connection.execute(select(camera_view).where(v.camera_id == row.id, v.by == actor.name, v.session == session, v.until > stamp(now()), v.ended_at.is_(None)).order_by(v.id.desc()).limit(1)).one_or_none()
        return None if held is None else _view(held, row.code, row.name, eyes(connection))


def views(store: Store, actor: Actor, limit: int = 200, code: str = "") -> Answer[ViewRow]:
    """Return who looked at what, the newest first; `code` = through one camera only. For administrators. Raises PostError."""
    if actor.post != "admin":
        raise PostError("The list of views is for administrators.", zh="调看记录仅对管理员开放。")
    if not code.isprintable():
        raise NoSuchError("No camera's code has control characters.", zh="摄像机编号不含控制字符。")
    with store.read() as connection:
        asked = select(camera_view, camera.c.code, camera.c.name).join(camera, camera.c.id == camera_view.c.camera_id)
        if actor.scope.areas is not None:
            asked = asked.where(inside(camera.c.node, rights.node_ranges(connection, actor.scope, places.root(connection, now().date()))))
        if code:
            asked = asked.where(camera.c.code == code)
        known = eyes(connection)
        rows = connection.execute(asked.order_by(camera_view.c.id.desc()).limit(limit))
        return stamped(connection, [_view(r, r.code, r.name, known) for r in rows], kinds=("cameras",))


def signed(store: Store, given: str, view: ViewRow) -> str:
    """Return the key by which a view's pictures are asked for; it ends with the view."""
    return f"{view.id}.{int(view.until.timestamp())}.{_sign(secret(store, given), view.code, view.id, int(view.until.timestamp()))}"


def opened(store: Store, given: str, actor: Actor, code: str, key: str, session: str = "") -> tuple[CameraRow, ViewRow]:
    """Return camera and view of a key. Raises ScopeError when it is forged, over, or another's.

    What a person may see can shrink while a view is open, so post and scope are asked again for each picture.
    """
    bad = ScopeError("This link is not yours, or it is over. Open the camera again.", zh="该链接无效或已过期，请重新打开。")
    parts = key.split(".")
    if actor.post not in POSTS or len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts[:2]):
        raise bad
    number, until = int(parts[0]), int(parts[1])
    if not hmac.compare_digest(parts[2], _sign(secret(store, given), code, number, until)) or until <= stamp(now()):
        raise bad
    with store.read() as connection:
        held = connection.execute(select(camera_view).where(camera_view.c.id == number)).one_or_none()
        row = connection.execute(select(camera).where(camera.c.code == code)).one_or_none()
        if held is None or row is None or held.camera_id != row.id or held.by != actor.name or held.session != session or held.until <= stamp(now()) or held.ended_at is not None:
            raise bad
        if not rights.sees(connection, actor.scope, row.node):
            raise bad
        return _row(connection, row), _view(held, row.code, row.name, eyes(connection))


def gateway(template: str, row: CameraRow, key: str) -> str:
    """Return the address of the live picture at the gateway: {stream} and {key} of the template are filled in."""
    from urllib.parse import quote

    return template.replace("{stream}", quote(row.stream or row.code, safe="")).replace("{key}", quote(key, safe=""))


def secret(store: Store, given: str) -> bytes:
    """Return the secret by which links are signed: the one that is set, or the database's own."""
    if given:
        return given.encode()
    with store.read() as connection:
        held = get_meta(connection, SECRET)
    if held is None:
        with store.aside() as connection:
            bulk(connection, meta, ("key", "value"), [(SECRET, f'"{secrets.token_hex(32)}"')], "ON CONFLICT (key) DO NOTHING")
            held = get_meta(connection, SECRET)
    return str(held).encode()


def _sign(secret: bytes, code: str, number: int, until: int) -> str:
    return hmac.new(secret, f"{code}\n{number}\n{until}".encode(), hashlib.sha256).hexdigest()[:40]


def _held(connection: Connection, ask: Ask, code: str) -> Any:
    row = connection.execute(select(camera).where(camera.c.code == code)).one_or_none()
    if row is None or not rights.sees(connection, ask.scope, row.node):
        raise NoSuchError(f"There is no camera {code[:60]!r}.", zh=f"没有摄像机 {code[:60]}。")
    return row


def _row(connection: Connection, r: Any) -> CameraRow:
    chain = places.chain(connection, r.node)
    here = chain[-1] if chain else None
    return CameraRow(
        code=r.code, name=r.name, kind=r.kind, group=r._mapping["class"], state=r.state, bucket=bucket(r.state, r.since_at or r.seen_at, stamp(now())),
        seen_at=None if r.seen_at is None else moment(r.seen_at), since_at=None if r.since_at is None else moment(r.since_at), stream=r.stream, still=r.still, gateway=r.gateway, live=r.live,
        looked_at=None if r.looked_at is None else moment(r.looked_at), found=r.found,
        area_code=here.code if here else "", area_name={"zh": here.name, "en": here.name_en or here.name} if here else {"zh": "", "en": ""}, lon=r.lon, lat=r.lat)


def _view(r: Any, code: str, name: str, known: Eyes) -> ViewRow:
    # A reason that the city no longer has keeps its code.
    words = _both(known.reasons[r.cause]) if r.cause in known.reasons else {"zh": r.cause, "en": r.cause}
    return ViewRow(id=r.id, code=code, name=name, at=moment(r.at), until=moment(r.until), by=r.by, post=r.post, reason=r.reason, about=r.about, cause=r.cause,
                   cause_words=words, ended_at=None if r.ended_at is None else moment(r.ended_at))
