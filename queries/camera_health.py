"""Cameras that are not well: which, where, since when; how the areas compare; what a camera was before."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from queries import places
from queries import scope as rights
from queries.answers import remembered, stamped
from queries.cameras import BUCKETS, bucket, bucketed, stood
from queries.clock import moment
from queries.errors import AskError, NoSuchError
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.places import Place
from queries.sensing.tables import camera_state
from queries.store import Store
from queries.tables import camera

#: Changes of one camera that are told.
CHANGES = 10


@dataclass(frozen=True, kw_only=True)
class Unwell:
    """A camera that is not well, in the area below the place in which it stands. `found`: what it did when it was asked by itself."""

    code: str
    name: str
    kind: str
    group: str
    bucket: str
    since_at: datetime | None
    seen_at: datetime | None
    looked_at: datetime | None
    found: str
    area_code: str
    area_name: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Area:
    """The cameras of an area in buckets. `intact` = online of all; None = there is none."""

    code: str
    name: dict[str, str]
    total: int
    buckets: dict[str, int]

    @property
    def intact(self) -> float | None:
        """Return which share is online with a picture."""
        return self.buckets["online"] / self.total if self.total else None

    @property
    def bad(self) -> int:
        """Return how many are not well; one of which nothing is known is not counted."""
        return self.total - self.buckets["online"] - self.buckets["unknown"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a camera was from a moment on, who said so (inventory or probe), and what a probe found."""

    at: datetime
    state: str
    by: str
    why: str


def unwell(store: Store, ask: Ask, name: str = "", group: str = "", text: str = "", limit: int = 200) -> Answer[Unwell]:
    """Return cameras in tree order: those of a bucket, or all that are not online. `group`: a class, or "none"; `text`: in code or name. Raises AskError."""
    if not text.isprintable():
        raise AskError("A text to look for has no control characters.", zh="查找文字不能含控制字符。", field="text")
    with store.read() as connection:
        place, visible, spans = _here(connection, ask)
        source, state, since = _then(ask)
        said = bucketed(state, since, ask.present)
        where = [inside(camera.c.node, spans), said == name if name else state != "online"]
        if name and ask.at is None:
            # What the index is made for.
            where.append(camera.c.state == ("offline" if name.endswith("_offline") else name))
        if group:
            where.append(camera.c["class"] == ("" if group == "none" else group))
        if text:
            where.append(or_(camera.c.code.contains(text, autoescape=True), camera.c.name.contains(text, autoescape=True)))
        total = connection.scalar(select(func.count()).select_from(source).where(*where))
        rows = connection.execute(select(camera, state.label("was"), since.label("from_at")).select_from(source).where(*where).order_by(camera.c.node, camera.c.code).limit(limit)).all()
        areas = _Areas(connection, visible, place)
        past = ask.at is not None
        out = []
        for r in rows:
            area = areas.of(r.node)
            out.append(Unwell(
                code=r.code, name=r.name, kind=r.kind, group=r._mapping["class"], bucket=bucket(r.was, r.from_at, ask.present),
                since_at=_moment(r.from_at), seen_at=None if past else _moment(r.seen_at), looked_at=None if past else _moment(r.looked_at), found="" if past else r.found,
                area_code=area.code if area else "", area_name=_name(area)))
        return stamped(connection, out, kinds=("cameras",), total=total, ask=ask if past else None)


def by_area(store: Store, ask: Ask) -> Answer[Area]:
    """Return the cameras of each area below the place, the least intact first; an area without any is left out."""
    with store.read() as connection:
        place, visible, spans = _here(connection, ask)
        source, state, since = _then(ask)
        said = bucketed(state, since, ask.present)
        asked = select(camera.c.node, said, func.count()).select_from(source).where(inside(camera.c.node, spans)).group_by(camera.c.node, said)
        counted = remembered(connection, ("camera-areas", tuple(spans), ask.at), lambda: connection.execute(asked).all())
        areas = _Areas(connection, visible, place)
        held: dict[str, dict[str, int]] = {}
        named: dict[str, Place | None] = {}
        for node, told, n in counted:
            area = areas.of(node)
            code = area.code if area else ""
            named[code] = area
            held.setdefault(code, dict.fromkeys(BUCKETS, 0))[told] += int(n)
        rows = [Area(code=code, name=_name(named[code]), total=sum(buckets.values()), buckets=buckets) for code, buckets in held.items()]
        return stamped(connection, sorted(rows, key=lambda one: (one.intact, -one.bad, one.code)), kinds=("cameras",), ask=None if ask.at is None else ask)


def changes(store: Store, ask: Ask, code: str) -> Answer[Change]:
    """Return what a camera was before, the newest first. Raises NoSuchError, also for one that may not be seen."""
    s = camera_state.c
    with store.read() as connection:
        row = connection.execute(select(camera.c.id, camera.c.node).where(camera.c.code == code)).one_or_none()
        if row is None or not rights.sees(connection, ask.scope, row.node):
            raise NoSuchError(f"There is no camera {code[:60]!r}.", zh=f"没有摄像机 {code[:60]}。")
        rows = connection.execute(select(camera_state).where(s.camera_id == row.id, s.at <= ask.present).order_by(s.at.desc(), s.id.desc()).limit(CHANGES))
        return stamped(connection, [Change(at=moment(r.at), state=r.state, by=r.by or "inventory", why=r.why) for r in rows], kinds=("cameras",), ask=None if ask.at is None else ask)


def _here(connection: Connection, ask: Ask) -> tuple[Place, list[Place], list[tuple[int, int]]]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    return place, visible, rights.ranges_under(connection, visible)


def _then(ask: Ask) -> tuple[Any, Any, Any]:
    """Return from where cameras are read, their state and since when: now, or as it was written down at the ask's moment."""
    if ask.at is None:
        return camera, camera.c.state, func.coalesce(camera.c.since_at, camera.c.seen_at)
    then = stood(ask.present)
    return camera.outerjoin(then, then.c.camera_id == camera.c.id), func.coalesce(then.c.state, "unknown"), then.c.at


class _Areas:
    """Finds the area below a place in which a node lies, over all trees."""

    def __init__(self, connection: Connection, visible: list[Place], place: Place) -> None:
        below = rights.parts(connection, visible, place) or [place]
        self._found = sorted((lo, hi, one) for one in below for lo, hi in places.ranges(connection, [one.area_id])) if len(below) < 500 else []
        self._starts = [lo for lo, _, _ in self._found]

    def of(self, node: int) -> Place | None:
        i = bisect_right(self._starts, node) - 1
        return self._found[i][2] if i >= 0 and node <= self._found[i][1] else None


def _name(area: Place | None) -> dict[str, str]:
    return {"zh": area.name, "en": area.name_en or area.name} if area else {"zh": "", "en": ""}


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
