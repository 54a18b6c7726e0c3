"""Everything about one grid in one answer (全科网格)."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, case, func, select

from queries import cases as cases_
from queries import kpi, neighbours, outlines, places
from queries import scope as rights
from queries.answers import stamped
from queries.case_rows import CaseRow
from queries.clock import day_end, day_start, local_day, moment, now, stamp
from queries.errors import AskError
from queries.figures import FIGURES, Measure
from queries.frame import Answer, Ask, Filters
from queries.intervals import inside
from queries.loop import desk, past_cases, repeats, roster
from queries.loop.desk import DeskRow
from queries.loop.repeats import RepeatPlace
from queries.loop.steps import WAITING
from queries.loop.task_list import Item, to_grids
from queries.outlines import Level
from queries.periods import previous
from queries.places import Place
from queries.store import Store
from queries.tables import camera, cases, latest, open_now, sensor
from queries.today import city_now

Words = dict[str, str]
#: Closed cases are looked for so many days back, and so many lines of each list are read.
BACK_D, OPEN, CLOSED, THINGS, SPOTS = 90, 40, 8, 60, 6
#: A sensor is silent when it has missed so many of its readings.
MISSED = 3
SHOWN = ("reported", "closed", "open", "overdue", "on_time_rate", "rework_rate", "handling_median_h")


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Who is on duty, by post, and for which area of the path."""

    area: Words
    post: str
    shown: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Against:
    """One figure beside the median of the grids with the same parent, and the parent's own value where it compares."""

    figure: Measure
    value: float | None
    numerator: int | None
    denominator: int | None
    previous: float | None
    peers: float | None
    n_peers: int
    parent: float | None


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
    state: Literal["online", "offline", "no_picture", "unknown"]
    seen_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All of it. `waiting`: open cases by the post that they wait on."""

    place: Place
    path: tuple[Place, ...]
    level: Level
    neighbours: tuple[Place, ...]
    #: None = it is not known who was on duty at that moment.
    duty: tuple[Duty, ...] | None
    open: tuple[DeskRow, ...]
    n_open: int
    n_overdue: int
    n_today: int
    waiting: dict[str, int]
    figures: tuple[Against, ...]
    repeats: tuple[RepeatPlace, ...]
    sensors: tuple[Sensed, ...]
    cameras: tuple[Camera, ...]
    #: None = it is not known what was on the list at that moment.
    items: tuple[Item, ...] | None
    closed: tuple[CaseRow, ...]


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A place to choose, and how many cases are open there."""

    place: Place
    n: int


def is_grid(store: Store, ask: Ask) -> bool:
    """Return whether the place has nothing below it, so that it has a page of its own."""
    with store.read() as connection:
        return not places.find(connection, ask.place, ask.on, ask.scope).has_children


def choose(store: Store, ask: Ask) -> Answer[Busy]:
    """Return the areas below the place, or what of it may be seen, with their open cases, in tree order."""
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        below = rights.parts(connection, visible, place)
        if ask.at is not None:
            stood = past_cases.counted(connection, ask.but(filters=Filters()), [rights.ranges_under(connection, [p]) for p in below])["open"]
            return stamped(connection, [Busy(place=p, n=one) for p, one in zip(below, stood, strict=True)], ask=ask)
        n = {r.area_id: int(r.n) for r in connection.execute(
            select(open_now.c.area_id, func.sum(open_now.c.n).label("n")).where(open_now.c.area_id.in_([p.area_id for p in below]))
            .group_by(open_now.c.area_id))}
        return stamped(connection, [Busy(place=p, n=n.get(p.area_id, 0)) for p in below], ask=ask)


def grid(store: Store, ask: Ask) -> Answer[Grid]:
    """Return everything about one grid. Raises AskError when the place is none, ScopeError."""
    ask = ask.but(filters=Filters())
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        if place.has_children:
            raise AskError(f"{place.code!r} is no grid. Choose one of the grids under it.", zh="这不是网格，请选择其下的网格。")
        path = places.path(connection, place)
        spans = rights.ranges_under(connection, visible)
        since = day_start(ask.until - timedelta(days=BACK_D - 1), city_now(connection).zone)
        n_open, n_overdue, n_today = _counts(connection, spans)
        return stamped(connection, (Grid(
            place=place, path=tuple(path), level=next(one for one in outlines.levels(connection) if one.level == place.level),
            neighbours=tuple(rights.seen_of(connection, ask.scope, neighbours.of(connection, place))),
            duty=posts(connection, path), open=tuple(desk.open_rows(connection, spans, OPEN)), n_open=n_open, n_overdue=n_overdue,
            n_today=n_today, waiting=_waiting(connection, place), figures=figures(connection, ask, path),
            repeats=tuple(repeats.found(connection, ask, limit=SPOTS).rows), sensors=_sensors(connection, inside(sensor.c.node, spans)),
            cameras=_cameras(connection, inside(camera.c.node, spans)), items=to_grids(connection),
            closed=_closed(connection, [inside(cases.c.node, spans), cases.c.reported_at >= since])),),
            kinds=("cases", "sensors", "readings", "cameras", "items", "duty"), ask=ask)


def figures(connection: Connection, ask: Ask, path: Sequence[Place]) -> tuple[Against, ...]:
    """Return the figures of a grid, given by its path, beside those of the grids around it."""
    here = path[-1]
    above = path[-2] if len(path) > 1 and rights.effective(connection, ask.scope, path[-2]) == [path[-2]] else None
    others = [] if above is None else [p.area_id for p in places.children(connection, above) if p.area_id != here.area_id]
    shown = [FIGURES[id_] for id_ in SHOWN]
    before = previous(ask.since, ask.until)
    # The parent, the grid and the others by one statement for each kind of sum.
    now_ = kpi.by_area(connection, [here.area_id, *([above.area_id] if above else []), *others], ask, shown, with_bins=True)
    then = kpi.by_area(connection, [here.area_id], ask.but(since=before.since, until=before.until), shown, with_bins=True)
    out = []
    for figure in shown:
        told = kpi.is_told(connection, figure)
        value, numerator, denominator = now_[here.area_id][figure.id] if told else (None, None, None)
        known = [v for id_ in others if told and (v := now_[id_][figure.id][0]) is not None]
        # A sum over the parent says nothing beside one grid; a rate or a time does.
        parent = None if above is None or figure.unit == "n" or not told else now_[above.area_id][figure.id][0]
        out.append(Against(figure=figure, value=value, numerator=numerator, denominator=denominator, previous=then[here.area_id][figure.id][0] if told else None,
                           peers=statistics.median(known) if known else None, n_peers=len(known), parent=parent))
    return tuple(out)


def _counts(connection: Connection, spans: Sequence[tuple[int, int]]) -> tuple[int, int, int]:
    present = stamp(now())
    zone = city_now(connection).zone
    tonight = day_end(local_day(present, zone), zone)
    found = connection.execute(select(
        func.count(), func.coalesce(func.sum(case((cases.c.due_at < present, 1), else_=0)), 0),
        func.coalesce(func.sum(case(((cases.c.due_at >= present) & (cases.c.due_at < tonight), 1), else_=0)), 0),
    ).where(cases.c.is_open, inside(cases.c.node, spans))).one()
    return int(found[0]), int(found[1]), int(found[2])


def _waiting(connection: Connection, place: Place) -> dict[str, int]:
    rows = connection.execute(
        select(open_now.c.status, func.sum(open_now.c.n)).where(open_now.c.area_id == place.area_id).group_by(open_now.c.status))
    out: Counter[str] = Counter()
    for status, n in rows:
        out[WAITING.get(status, "")] += int(n)
    return {post: n for post, n in out.most_common() if post and n}


def posts(connection: Connection, path: Sequence[Place], at: int | None = None) -> tuple[Duty, ...] | None:
    """Return the posts of the grid, then of what it lies in, from the nearest up; None = nothing is known of that moment."""
    of = {p.code: p for p in path}
    rows = roster.on_duty(connection, of, at)
    return None if rows is None else tuple(Duty(area={"zh": of[r.area_code].name, "en": of[r.area_code].name_en or of[r.area_code].name}, post=r.post, shown=r.shown, phone=r.phone)
                 for r in sorted(rows, key=lambda r: (-of[r.area_code].level, r.post)))


def _sensors(connection: Connection, where: ColumnElement[bool]) -> tuple[Sensed, ...]:
    rows = connection.execute(
        select(sensor.c.code, sensor.c.name, sensor.c.every_s, latest.c.metric, latest.c.value, latest.c.at)
        .outerjoin(latest, latest.c.sensor_id == sensor.c.id).where(where).order_by(sensor.c.code, latest.c.metric).limit(THINGS)).all()
    present = stamp(now())
    return tuple(Sensed(
        code=r.code, name=r.name, metric=r.metric or "", value=r.value, at=None if r.at is None else moment(r.at),
        silent=r.at is None or bool(r.every_s) and present - r.at > MISSED * r.every_s) for r in rows)


def _cameras(connection: Connection, where: ColumnElement[bool]) -> tuple[Camera, ...]:
    rows = connection.execute(select(camera).where(where).order_by(camera.c.code).limit(THINGS)).all()
    return tuple(Camera(code=r.code, name=r.name, state=r.state, seen_at=None if r.seen_at is None else moment(r.seen_at)) for r in rows)


def _closed(connection: Connection, wanted: list[ColumnElement[bool]]) -> tuple[CaseRow, ...]:
    newest = select(cases.c.id).where(*wanted, ~cases.c.is_open).order_by(cases.c.closed_at.desc(), cases.c.id.desc()).limit(CLOSED).subquery()
    rows = connection.execute(cases_.selected().join(newest, newest.c.id == cases.c.id).order_by(cases.c.closed_at.desc(), cases.c.id.desc()))
    return tuple(cases_.as_row(r) for r in rows)
