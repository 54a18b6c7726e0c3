"""Cases as they stood at a moment of the past, folded from their events.

What counts is what was *known* at the moment: a step counts from when we learned of it (`seen_at`) and not from
when its teller says that it happened, so a closing that was entered late leaves the case open until it was
entered. Only what an import implied (`derived`) counts from the dates that it tells, since nobody of us was there.

The cost is that of the answer: of the cases that are open now and were reported before the moment, and of those
that were closed since. What happens later changes nothing in it, so it is kept for a while.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, or_, select, text, union

from queries import places
from queries import scope as rights
from queries.clock import now as present
from queries.clock import stamp
from queries.errors import AskError
from queries.frame import Ask
from queries.intervals import chunks
from queries.loop.course import NAMES, Course, began, changes
from queries.loop.steps import OVER, STATUSES
from queries.sensing.board import inside
from queries.store import get_meta
from queries.summing import UNNAMED
from queries.tables import ENDED, cases, category, department, event
from queries.tables import node as table

#: So many cases are folded for one moment; a city with more open at once is asked street by street.
MOST = 200_000
#: Moments that are kept, for how many seconds, and how long ago they must lie: what was written just now may still be on its way.
KEPT, KEPT_S, SETTLED_S = 6, 60.0, 30
#: What a source changed of a case and told with its value before.
TOLD = ("title", "address", "kind", "lon", "lat", "node")
BLANK: dict[str, Any] = {name: getattr(Course(), name) for name in NAMES}
_EVENTS = (event.c.case_id, event.c.seq, event.c.at, event.c.seen_at, event.c.step, event.c.status, event.c.department_id, event.c.due_at,
           event.c.stage_due_at, event.c.data, event.c.derived)


@dataclass(slots=True)
class Stood:
    """One case at the moment: its course by name (queries/loop/course.py), and what its source has told otherwise since."""

    course: dict[str, Any]
    words: dict[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Return whether somebody still had to do something."""
        return self.course["status"] not in OVER


@dataclass(frozen=True, kw_only=True, eq=False)
class Then:
    """All cases that were open at a moment, in columns. `due` and `until` are 0 where there was no limit."""

    at: int
    ids: np.ndarray
    node: np.ndarray
    status: np.ndarray  # index into STATUSES
    due: np.ndarray
    until: np.ndarray  # the earlier one of the stage's limit and the case's
    reported: np.ndarray
    category: np.ndarray
    department: np.ndarray  # 0 = none
    urgent: np.ndarray
    lon: np.ndarray  # NaN = no point
    lat: np.ndarray
    cell: np.ndarray  # -1 = no point
    stood: dict[int, Stood]

    def __len__(self) -> int:
        return len(self.ids)


_kept: OrderedDict[tuple[Any, ...], tuple[float, Then]] = OrderedDict()
_lock = threading.Lock()


def then(connection: Connection, at: int) -> Then:
    """Return the cases of the whole city that were open at a moment (UTC seconds). Raises AskError when they are too many."""
    settled = at < stamp(present()) - SETTLED_S
    # A load brings events of before; whatever else happens, happens later.
    key = (connection.engine.url, at, get_meta(connection, "loaded"))
    with _lock:
        held = _kept.get(key)
        if settled and held is not None and time.monotonic() - held[0] < KEPT_S:
            return held[1]
    made = _read(connection, at)
    if settled:
        with _lock:
            _kept[key] = time.monotonic(), made
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return made


def _read(connection: Connection, at: int) -> Then:
    c = cases.c
    ended = select(event.c.case_id).join(cases, c.id == event.c.case_id).where(
        event.c.seen_at > at, event.c.derived.is_(False), text(ENDED), or_(c.reported_at <= at, event.c.step == "changed"))
    ids = connection.execute(union(
        select(c.id).where(c.is_open, c.reported_at <= at), select(c.id).where(c.closed_at > at, c.reported_at <= at), ended,
    ).limit(MOST + 1)).scalars().all()
    if len(ids) > MOST:
        raise AskError(f"More than {MOST:,} cases were open at that moment or have been closed since. Choose a later moment.",
                       zh=f"该时刻未结及此后结案的案件超过 {MOST:,} 件，请选择更近的时刻。", field="at")
    held = {id_: one for id_, one in fold(connection, ids, at).items() if one.is_open}
    lie: dict[int, tuple[Any, ...]] = {}
    for part in chunks(list(held)):
        lie |= {r[0]: tuple(r) for r in connection.execute(select(c.id, c.lon, c.lat, c.cell).where(c.id.in_(part)))}
    return _columns(at, held, lie)


def _columns(at: int, held: dict[int, Stood], lie: dict[int, tuple[Any, ...]]) -> Then:
    from queries.loop.reports import morton_of

    def of(name: str, kind: Any = np.int64, missing: Any = 0) -> np.ndarray:
        return np.array([missing if (v := one.course[name]) is None else v for one in held.values()], kind)

    points = []
    for id_, one in held.items():
        _, lon, lat, cell = lie.get(id_, (id_, None, None, None))
        if "lon" in one.words or "lat" in one.words:
            lon, lat = one.words.get("lon", lon), one.words.get("lat", lat)
            cell = None if lon is None or lat is None else morton_of(lon, lat)
        points.append((np.nan if lon is None else lon, np.nan if lat is None else lat, -1 if cell is None else cell))
    lon, lat, cell = zip(*points, strict=True) if points else ((), (), ())
    due, stage = of("due_at"), of("stage_due_at")
    until = np.where((due > 0) & (stage > 0), np.minimum(due, stage), np.maximum(due, stage))
    return Then(
        at=at, ids=np.array(list(held), np.int64), node=of("node"), due=due, until=until, reported=of("reported_at"),
        status=np.array([STATUSES.index(one.course["status"]) for one in held.values()], np.int8), category=of("category_id"),
        department=of("department_id"), urgent=of("urgent", bool, False), lon=np.array(lon, float), lat=np.array(lat, float),
        cell=np.array(cell, np.int64), stood=held)


def fold(connection: Connection, ids: Iterable[int], at: int) -> dict[int, Stood]:
    """Return how some cases stood at a moment; one that was not known then is not in it."""
    out: dict[int, Stood] = {}
    names = [cases.c[name] for name in NAMES]
    for part in chunks(sorted(ids)):
        stands = {r[0]: dict(zip(NAMES, r[1:], strict=True)) for r in connection.execute(select(cases.c.id, *names).where(cases.c.id.in_(part)))}
        rows = connection.execute(select(*_EVENTS).where(event.c.case_id.in_(part)).order_by(event.c.case_id, event.c.seq)).all()
        for case_id, told in groupby(rows, key=lambda r: r.case_id):
            history = list(told)
            known = known_at(history, at)
            if known and case_id in stands:
                out[case_id] = _stood(stands[case_id], history, known)
    return out


def known_at(history: Sequence[Any], at: int) -> list[Any]:
    """Return the events of a case that were known at a moment, in their order."""
    out: list[Any] = []
    for one in history:
        if one.derived:
            if one.at <= at:
                out.append(one)
        elif one.seen_at <= at:
            out.append(one)
        else:
            # A step stands on those before it: none is known without them.
            break
    return out


def _stood(stands: dict[str, Any], history: Sequence[Any], known: Sequence[Any]) -> Stood:
    then_known = {one.seq for one in known}
    words = _before([one for one in history if one.seq not in then_known])
    first = began(history, Course(category_id=stands["category_id"], urgent=stands["urgent"]))
    state = BLANK | {"node": words.pop("node", stands["node"]), "category_id": first.category_id, "urgent": first.urgent, "origin": stands["origin"]}
    for one in known:
        state |= changes(one, state["rework"], state["transfers"], state["climbed"])
    return Stood(state, words)


def _before(later: Sequence[Any]) -> dict[str, Any]:
    """Return what a case was called and where it lay before its source changed it."""
    out: dict[str, Any] = {}
    for one in later:
        if one.step == "changed" and '"told"' in one.data:
            told = json.loads(one.data).get("told") or {}
            for name in TOLD:
                if isinstance(told.get(name), list):
                    out.setdefault(name, told[name][0])
    return out


def chosen(connection: Connection, ask: Ask, held: Then) -> np.ndarray:
    """Return which of the open cases an ask is about: its scope, place and filters. Raises ScopeError, AskError."""
    f = ask.filters
    mask = here(connection, ask, held.node)
    if f.overdue:
        mask &= (held.due > 0) & (held.due < held.at)
    if f.statuses:
        mask &= np.isin(held.status, [STATUSES.index(one) for one in f.statuses if one in STATUSES])
    if f.categories:
        mask &= np.isin(held.category, connection.execute(select(category.c.id).where(category.c.code.in_(f.categories))).scalars().all())
    if f.departments:
        wanted = list(connection.execute(select(department.c.id).where(department.c.code.in_(f.departments))).scalars())
        mask &= np.isin(held.department, [*wanted, 0] if UNNAMED in f.departments else wanted)
    if f.text:
        where = np.flatnonzero(mask)
        hits: set[int] = set()
        for part in chunks(held.ids[where].tolist()):
            hits |= set(connection.execute(select(cases.c.id).where(cases.c.id.in_(part), says(f.text))).scalars())
        mask &= np.isin(held.ids, list(hits))
    return mask


def here(connection: Connection, ask: Ask, nodes: np.ndarray) -> np.ndarray:
    """Return which nodes lie in an ask's place and may be seen."""
    place = places.find(connection, ask.place, ask.on, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    if ask.filters.unplaced:
        own = connection.execute(select(table.c.num).where(table.c.area_id.in_([p.area_id for p in visible]))).scalars().all()
        return np.isin(nodes, own)
    if place.level == 0 and visible == [place]:
        return np.ones(len(nodes), bool)
    return inside(nodes, rights.ranges_under(connection, visible))


def says(wanted: str) -> ColumnElement[bool]:
    """Return the condition that a case's own words hold a text."""
    return or_(*(column.contains(wanted, autoescape=True) for column in (cases.c.no, cases.c.title, cases.c.kind, cases.c.address)))


def dressed(connection: Connection, rows: Iterable[Any], stood: dict[int, Stood]) -> Iterator[Any]:
    """Yield rows of `cases.selected` as they would have been at the moment; those that were not known are left out."""
    kinds = {r.id: r for r in connection.execute(select(category))}
    who = {r.id: r for r in connection.execute(select(department))}
    for r in rows:
        one = stood.get(r.id)
        if one is None:
            continue
        told = {**r._mapping, **one.course, **one.words, "is_open": one.is_open}
        what, whose = kinds.get(told["category_id"]), who.get(told["department_id"])
        if what is not None:
            told |= {"category_code": what.code, "category_name": what.name, "category_en": what.name_en}
        told |= {"department_code": whose.code if whose else None, "department_name": whose.name if whose else None,
                 "department_en": whose.name_en if whose else None}
        if told["node"] != r.node and (chain := places.chain(connection, told["node"])):
            told |= {"area_code": chain[-1].code, "area_name": chain[-1].name, "area_en": chain[-1].name_en}
        yield SimpleNamespace(**told)
