"""Everything about one grid in one answer (全科网格)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from queries import cases as cases_
from queries import kpi, neighbours, outlines, places
from queries import scope as rights
from queries.answers import stamped
from queries.case_rows import CaseRow
from queries.clock import day_start, moment, now, stamp
from queries.errors import AskError
from queries.figures import MixRow
from queries.frame import Actor, Answer, Ask
from queries.intervals import inside
from queries.loop import desk, repeats, whistles
from queries.loop.desk import DeskRow
from queries.loop.repeats import RepeatPlace
from queries.loop.tables import duty, list_item
from queries.loop.task_list import in_force
from queries.loop.whistles import WhistleRow
from queries.places import Place
from queries.store import Store
from queries.tables import camera, cases, department, latest, node, open_now, sensor
from queries.today import city_now

Words = dict[str, str]
BACK_D = 90
#: A sensor is silent when it has missed so many of its readings.
MISSED = 3


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Who is on duty, by post."""

    post: str
    shown: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Sensed:
    """A sensor's latest value; None = it never sent one. `silent` = it should have sent since."""

    code: str
    name: str
    metric: str
    value: float | None
    at: datetime | None
    silent: bool


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera and its state as last told."""

    code: str
    name: str
    state: str
    seen_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ListItem:
    """A task-list item that concerns the grid: work for grids, or of a category that occurs there."""

    code: str
    title: Words
    department_name: Words
    to: str
    ends_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All of it. `n_open` None = more than 1,000."""

    place: Place
    path: tuple[Place, ...]
    neighbours: tuple[Place, ...]
    duty: tuple[Duty, ...]
    open: tuple[DeskRow, ...]
    n_open: int | None
    by_category: tuple[MixRow, ...]
    repeats: tuple[RepeatPlace, ...]
    sensors: tuple[Sensed, ...]
    cameras: tuple[Camera, ...]
    items: tuple[ListItem, ...]
    whistles: tuple[WhistleRow, ...]
    closed: tuple[CaseRow, ...]


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A grid to choose, and how many cases are open there."""

    place: Place
    n: int


def is_grid(store: Store, ask: Ask) -> bool:
    """Return whether the place is of the lowest level, so that it has a page of its own."""
    with store.read() as connection:
        return not places.find(connection, ask.place, ask.until, ask.scope).has_children


def choose(store: Store, ask: Ask, limit: int = 60) -> Answer[Busy]:
    """Return the grids under the place, those with the most open cases first."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        deepest = max(one.level for one in outlines.levels(connection))
        under = or_(*(node.c.num.between(p.num, p.last) for p in visible))
        n = func.coalesce(func.sum(open_now.c.n), 0)
        rows = connection.execute(
            select(node.c.area_id, n.label("n")).outerjoin(open_now, open_now.c.area_id == node.c.area_id)
            .where(node.c.tree_id == place.tree_id, node.c.level == deepest, node.c.main, under)
            .group_by(node.c.area_id, node.c.num).order_by(n.desc(), node.c.num).limit(limit)).all()
        found = {p.area_id: p for p in places.at(connection, [r.area_id for r in rows], place.tree_id)}
        return stamped(connection, [Busy(place=found[r.area_id], n=int(r.n)) for r in rows], ask=ask)


def grid(store: Store, ask: Ask, actor: Actor) -> Answer[Grid]:
    """Return everything about one grid. Raises AskError when the place is none, ScopeError."""
    back = ask.but(since=ask.until - timedelta(days=BACK_D - 1))
    held = desk.page(store, ask, actor, "all", limit=12)
    kinds = kpi.category_mix(store, back).rows
    often, called = repeats.repeat_places(store, back, limit=5).rows, whistles.out(store, ask, limit=20).rows
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        rights.check(connection, ask.scope, place)
        if place.has_children:
            raise AskError(f"{place.code!r} is no grid. Choose one of the grids under it.", zh="这不是网格，请选择其下的网格。")
        spans = rights.node_ranges(connection, ask.scope, place)
        path = places.path(connection, place)
        since = day_start(back.since, city_now(connection).zone)
        return stamped(connection, (Grid(
            place=place, path=tuple(path), neighbours=tuple(_seen(connection, ask, neighbours.of(connection, place))),
            duty=_duty(connection, path), open=held.rows, n_open=held.total, by_category=kinds, repeats=often,
            sensors=_sensors(connection, inside(sensor.c.node, spans)), cameras=_cameras(connection, inside(camera.c.node, spans)),
            items=_items(connection, [row.id for row in kinds]), whistles=called,
            closed=_closed(connection, [inside(cases.c.node, spans), cases.c.reported_at >= since])),),
            kinds=("cases", "sensors", "readings", "cameras", "items", "duty"), ask=ask)


def _seen(connection: Connection, ask: Ask, some: list[Place]) -> list[Place]:
    return [p for p in some if rights.sees(connection, ask.scope, p.num)]


def _duty(connection: Connection, path: list[Place]) -> tuple[Duty, ...]:
    """Return the posts of the grid, then of what it lies in, from the nearest up."""
    depth = {p.code: p.level for p in path}
    rows = connection.execute(select(duty).where(duty.c.area_code.in_(list(depth)))).all()
    return tuple(Duty(post=r.post, shown=r.shown, phone=r.phone) for r in sorted(rows, key=lambda r: (-depth[r.area_code], r.post)))


def _sensors(connection: Connection, where: ColumnElement[bool]) -> tuple[Sensed, ...]:
    rows = connection.execute(
        select(sensor.c.code, sensor.c.name, sensor.c.every_s, latest.c.metric, latest.c.value, latest.c.at)
        .outerjoin(latest, latest.c.sensor_id == sensor.c.id).where(where).order_by(sensor.c.code, latest.c.metric).limit(40)).all()
    present = stamp(now())
    return tuple(Sensed(
        code=r.code, name=r.name, metric=r.metric or "", value=r.value, at=None if r.at is None else moment(r.at),
        silent=r.at is None or bool(r.every_s) and present - r.at > MISSED * r.every_s) for r in rows)


def _cameras(connection: Connection, where: ColumnElement[bool]) -> tuple[Camera, ...]:
    rows = connection.execute(select(camera).where(where).order_by(camera.c.code).limit(40)).all()
    return tuple(Camera(code=r.code, name=r.name, state=r.state, seen_at=None if r.seen_at is None else moment(r.seen_at)) for r in rows)


def _items(connection: Connection, categories: list[str]) -> tuple[ListItem, ...]:
    rows: list[Any] = list(connection.execute(
        select(list_item, department.c.name.label("dep"), department.c.name_en.label("dep_en"))
        .join(department, department.c.id == list_item.c.department_id)
        .where(in_force(stamp(now())), or_(list_item.c.to == "grid", list_item.c.category.in_(categories)))
        .order_by(list_item.c.to.desc(), list_item.c.code).limit(40)))
    return tuple(ListItem(
        code=r.code, title={"zh": r.title, "en": r.title_en or r.title}, department_name={"zh": r.dep, "en": r.dep_en or r.dep}, to=r.to,
        ends_at=None if r.ends_at is None else moment(r.ends_at)) for r in rows)


def _closed(connection: Connection, wanted: list[ColumnElement[bool]]) -> tuple[CaseRow, ...]:
    rows = connection.execute(
        cases_.selected().where(*wanted, ~cases.c.is_open).order_by(cases.c.closed_at.desc(), cases.c.id.desc()).limit(8))
    return tuple(cases_.as_row(r) for r in rows)
