"""Single cases: the list, one card with its timeline, bins for the map, a search by number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select

from queries import places
from queries import scope as rights
from queries.answers import remembered, stamped
from queries.case_rows import CaseCard, CaseRow, Event, Point, Words
from queries.clock import day_end, day_start, moment, now, stamp
from queries.errors import AskError, NoSuchError, ScopeError
from queries.frame import Answer, Ask, Scope
from queries.intervals import inside
from queries.loop import past_cases, whistles
from queries.loop.steps import STEP_WORDS
from queries.masking import masked
from queries.places import Place
from queries.store import Store
from queries.summing import of_departments
from queries.tables import area, cases, category, department, event, kind_word, node
from queries.today import city_now

#: A list says "more than" beyond this; nobody pages through more, and counting them would cost.
COUNTED = 10_000
ORDERS = ("overdue", "newest")
#: Below so many cases in a view, each is a mark of its own.
SINGLES = 60
BBox = tuple[float, float, float, float]

_SHOWN = (
    cases, category.c.code.label("category_code"), category.c.name.label("category_name"),
    category.c.name_en.label("category_en"), department.c.code.label("department_code"),
    department.c.name.label("department_name"), department.c.name_en.label("department_en"),
    area.c.code.label("area_code"), area.c.name.label("area_name"), area.c.name_en.label("area_en"),
    kind_word.c.name_en.label("kind_en"),
)

#: Steps that speak of a whistle.
_WHISTLE = frozenset({"whistled", "arrived", "escalated", "whistle_ended", "whistle_rated"})

def page(store: Store, ask: Ask, after: str | None = None, limit: int = 50, order: str | None = None) -> Answer[CaseRow]:
    """Return one page of the cases that the ask names.

    Those reported in the period; with `open_only` or `overdue` all that are open now and were reported
    until its end. `order`: 'overdue' (the earliest deadline first, the default for open cases) or
    'newest'. `after` is the `cursor` of the last row of the page before. `total` is None above 10,000.
    """
    if ask.at is not None:
        return past_cases.page(store, ask, after, limit, order)
    openly = ask.filters.open_only or ask.filters.overdue
    order = order or ("overdue" if openly else "newest")
    if order not in ORDERS:
        raise AskError(f"No order is called {order!r}. Known: {', '.join(ORDERS)}.")
    limit = max(1, min(limit, 1000))
    with store.read() as connection:
        wanted = _wanted(connection, ask)
        n = connection.scalar(select(func.count()).select_from(
            select(cases.c.id).where(*wanted).limit(COUNTED + 1).subquery()))
        due = func.coalesce(cases.c.due_at, 1 << 40)
        statement = selected().where(*wanted).limit(limit)
        if order == "overdue":
            statement = statement.order_by(due, cases.c.id)
            if after:
                at, last = _cursor(after)
                statement = statement.where(or_(due > at, and_(due == at, cases.c.id > last)))
        else:
            statement = statement.order_by(cases.c.reported_at.desc(), cases.c.id.desc())
            if after:
                at, last = _cursor(after)
                statement = statement.where(
                    or_(cases.c.reported_at < at, and_(cases.c.reported_at == at, cases.c.id < last)))
        rows = [as_row(r) for r in connection.execute(statement)]
        return stamped(connection, rows, ask=ask, total=None if n is None or n > COUNTED else int(n))


def cursor(row: CaseRow, order: str) -> str:
    """Return what to pass as `after` to go on behind a row."""
    at = row.reported_at if order == "newest" else row.due_at
    return f"{(1 << 40) if at is None else stamp(at)}.{row.id}"


def one(store: Store, scope: Scope, no: str, ask: Ask | None = None) -> Answer[CaseCard]:
    """Return one case with its timeline; at the moment of `ask`, only what was known then. Raises AskError, ScopeError."""
    with store.read() as connection:
        found = connection.execute(selected().where(cases.c.no == no)).one_or_none()
        if found is None:
            raise NoSuchError(f"No case has the number {no!r}. Check the number, or look in the case list.")
        if not rights.sees(connection, scope, found.node):
            raise ScopeError(f"Case {no!r} lies outside what you may see.")
        told: Sequence[Any] = connection.execute(
            select(event, department.c.name, department.c.name_en)
            .outerjoin(department, department.c.id == event.c.department_id)
            .where(event.c.case_id == found.id).order_by(event.c.seq)).all()
        if ask is not None and ask.at is not None:
            found, told = past_cases.card(connection, ask, found, told)
        names = {r.code: {"zh": r.name, "en": r.name_en or r.name} for r in connection.execute(select(department))}
        steps = [_event(r, names) for r in sorted(told, key=lambda r: (r.at, r.seq))]
        path = tuple((p.code, {"zh": p.name, "en": p.name_en or p.name}) for p in places.chain(connection, found.node))
        card = CaseCard(case=as_row(found, None if ask is None else ask.present), address=masked(found.address), channel=found.channel, path=path,
                        events=tuple(steps))
        return stamped(connection, (card,), ask=None if ask is None or ask.at is None else ask)


def find(store: Store, scope: Scope, text: str, limit: int = 8) -> Answer[CaseRow]:
    """Return the cases whose number begins with a text."""
    text = text.strip()
    with store.read() as connection:
        if not text:
            return stamped(connection, ())
        found = connection.execute(
            selected().where(cases.c.no >= text, cases.c.no < text + "\uffff").order_by(cases.c.no).limit(limit)
        ).all()
        return stamped(connection, [as_row(r) for r in found if rights.sees(connection, scope, r.node)])


def points(store: Store, ask: Ask, bbox: BBox, zoom: int) -> Answer[Point]:
    """Return the open cases (or those that the filters name) of a map view, binned by 128-pixel cells.

    The status mix is kept in each bin; where a view holds few, each case is a point with its number.
    """
    if ask.at is not None:
        return past_cases.points(store, ask, bbox, zoom)
    with store.read() as connection:
        box = tuple(round(edge, 4) for edge in bbox)
        return remembered(connection, ("points", ask, box, zoom), lambda: _points(connection, ask, box, zoom))  # type: ignore[arg-type]


def _points(connection: Connection, ask: Ask, bbox: BBox, zoom: int) -> Answer[Point]:
    west, south, east, north = bbox
    f = ask.filters
    if not (f.statuses or f.open_only or f.overdue):
        ask = ask.but(filters=_replace(f, open_only=True))
    wanted = [*_wanted(connection, ask), cases.c.cell.is_not(None),
              cases.c.lon.between(west, east), cases.c.lat.between(south, north)]
    late = case((and_(cases.c.is_open, cases.c.due_at < stamp(now())), 1), else_=0)
    few = connection.execute(
        select(cases.c.lon, cases.c.lat, cases.c.no, cases.c.status, late.label("late")).where(*wanted).limit(SINGLES + 1)
    ).all()
    if len(few) <= SINGLES or zoom >= 19:
        rows = [Point(lon=r.lon, lat=r.lat, n=1, by_status={r.status: 1}, overdue=int(r.late), nos=(r.no,)) for r in few]
        return stamped(connection, rows, ask=ask)
    width = 4 ** max(0, 22 - (zoom + 1))
    bin_ = cases.c.cell.op("/")(width)
    statement = (
        select(bin_.label("bin"), cases.c.status, func.count().label("n"), func.sum(cases.c.lon).label("x"),
               func.sum(cases.c.lat).label("y"), func.sum(late).label("late"), func.min(cases.c.no).label("no"))
        .where(*wanted).group_by(bin_, cases.c.status)
    )
    bins: dict[int, list[Any]] = {}
    for r in connection.execute(statement):
        bins.setdefault(int(r.bin), []).append(r)
    rows = []
    for held in bins.values():
        n = sum(int(r.n) for r in held)
        rows.append(Point(
            lon=float(sum(r.x for r in held)) / n, lat=float(sum(r.y for r in held)) / n, n=n,
            by_status={r.status: int(r.n) for r in held}, overdue=sum(int(r.late) for r in held),
            nos=(held[0].no,) if n == 1 else (),
        ))
    return stamped(connection, sorted(rows, key=lambda p: p.n), ask=ask)


def _wanted(connection: Connection, ask: Ask) -> list[ColumnElement[bool]]:
    """Return the conditions of an ask on single cases."""
    place = places.find(connection, ask.place, ask.until, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    f, zone = ask.filters, city_now(connection).zone
    # Most of a history was reported before: that must not lead through its index to the few that are open (hence the 0).
    reported = cases.c.reported_at + 0 if f.open_only or f.overdue else cases.c.reported_at
    conditions: list[ColumnElement[bool]] = [reported < day_end(ask.until, zone)]
    if f.unplaced:
        conditions.append(cases.c.node.in_(_own_nodes(connection, visible)))
    elif place.level > 0 or visible != [place]:
        conditions.append(inside(cases.c.node, rights.node_ranges(connection, ask.scope, place)))
    if f.open_only or f.overdue:
        conditions.append(cases.c.is_open)
    else:
        conditions.append(cases.c.reported_at >= day_start(ask.since, zone))
    if f.overdue:
        conditions.append(cases.c.due_at < stamp(now()))
    if f.statuses:
        conditions.append(cases.c.status.in_(f.statuses))
    if f.categories:
        conditions.append(cases.c.category_id.in_(select(category.c.id).where(category.c.code.in_(f.categories))))
    if f.departments:
        conditions.append(of_departments(f.departments))
    if f.text:
        conditions.append(or_(cases.c.no.contains(f.text, autoescape=True), cases.c.title.contains(f.text, autoescape=True),
                              cases.c.kind.contains(f.text, autoescape=True), cases.c.address.contains(f.text, autoescape=True)))
    return conditions


def _own_nodes(connection: Connection, visible: Sequence[Place]) -> list[int]:
    return list(connection.scalars(select(node.c.num).where(node.c.area_id.in_([p.area_id for p in visible]))))


def selected() -> Select[Any]:
    """Return the statement of cases with the words of their category, department and area; `as_row` reads its rows."""
    return (
        select(*_SHOWN).join(category, category.c.id == cases.c.category_id)
        .outerjoin(department, department.c.id == cases.c.department_id)
        .join(node, node.c.num == cases.c.node).join(area, area.c.id == node.c.area_id)
        .outerjoin(kind_word, kind_word.c.word == cases.c.kind)
    )


def _cursor(text: str) -> tuple[int, int]:
    try:
        at, last = text.split(".")
        return int(at), int(last)
    except ValueError:
        raise AskError(f"{text!r} is no place in the list. Begin again from the first page.") from None


def _replace(filters: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(filters, **changes)


def _event(r: Row[Any], names: Mapping[str, Words]) -> Event:
    """Return a step; `names` = departments by code, in which a whistle's steps speak."""
    data = json.loads(r.data) if r.data and r.step in _WHISTLE else {}
    codes = data.get("departments") or ([data["department"]] if data.get("department") else [])
    why = whistles.REASONS.get(r.reason) if r.step == "whistled" else None
    if r.step == "escalated" and data.get("rung"):
        rung = whistles.RUNGS[data["rung"] - 1]
        why = {"zh": f"哨响未按时报到，升至{rung['zh']}", "en": f"nobody came in time; it goes up to {rung['en']}"}
    return Event(
        at=moment(r.at), seen_at=moment(r.seen_at), step=r.step, title=STEP_WORDS.get(r.step, {"zh": r.step, "en": r.step}),
        actor=r.actor, note=_note(r.note), derived=r.derived, status=r.status, post=r.post, reason=masked(r.reason),
        department=None if r.name is None else {"zh": r.name, "en": r.name_en or r.name}, due_at=_moment(r.due_at or None),
        why=why, called=tuple(names.get(code, {"zh": code, "en": code}) for code in codes), late_s=data.get("late_s", 0),
    )


def _note(text: str) -> dict[str, str]:
    return {"zh": masked(text), "en": masked(text)}


def as_row(r: Any, present: int | None = None) -> CaseRow:
    """Return a row of `selected` as a list shows it; overdue at `present` (UTC seconds), None = now."""
    late = stamp(now()) if present is None else present
    return CaseRow(
        id=r.id, no=r.no, title=masked(r.title or r.kind), title_words=_title(r), category=r.category_code,
        category_name={"zh": r.category_name, "en": r.category_en or r.category_name}, kind=r.kind, kind_words={"zh": r.kind, "en": r.kind_en or r.kind}, status=r.status,
        department=r.department_code,
        department_name=None if r.department_code is None else {"zh": r.department_name, "en": r.department_en or r.department_name},
        urgent=r.urgent, reported_at=moment(r.reported_at), filed_at=_moment(r.filed_at), due_at=_moment(r.due_at),
        closed_at=_moment(r.closed_at), is_open=r.is_open,
        overdue=bool(r.is_open and r.due_at is not None and r.due_at < late), rework=r.rework,
        lon=r.lon, lat=r.lat, placed=r.placed, area_code=r.area_code,
        area_name={"zh": r.area_name, "en": r.area_en or r.area_name}, source=r.source,
    )


def _title(r: Row[Any]) -> dict[str, str]:
    title = masked(r.title or r.kind)
    return {"zh": title, "en": r.kind_en if r.kind_en and r.title in ("", r.kind) else title}


def _moment(seconds: int | None) -> Any:
    return None if seconds is None else moment(seconds)
