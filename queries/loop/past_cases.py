"""Lists, cards, marks and counts of cases at a moment of the past; the same questions as queries/cases.py asks of now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, func, or_, select

from queries import places
from queries import scope as rights
from queries.answers import stamped
from queries.case_rows import CaseRow, Point
from queries.clock import day_end, day_start
from queries.errors import AskError, NoSuchError
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.loop import then as past
from queries.loop.steps import OVER, STATUSES
from queries.loop.then import Then
from queries.store import Store
from queries.summing import UNNAMED
from queries.tables import cases, category, department
from queries.today import city_now

#: A list by the day of reporting looks at so many cases for one page; beyond, it says so.
LOOKED = 20_000
PART = 500
NEVER = 1 << 40
UNFINISHED = {"zh": f"此列表只查看了最近上报的 {LOOKED:,} 件，其后可能还有", "en": f"only the {LOOKED:,} cases reported last were looked through; there may be more"}


def page(store: Store, ask: Ask, after: str | None, limit: int, order: str | None) -> Answer[CaseRow]:
    """Return one page of cases as they stood at the ask's moment; arguments as those of queries/cases.py."""
    f = ask.filters
    openly = f.open_only or f.overdue
    order = order or ("overdue" if openly else "newest")
    if order not in ("overdue", "newest"):
        raise AskError(f"No order is called {order!r}. Known: overdue, newest.")
    limit = max(1, min(limit, 1000))
    with store.read() as connection:
        if openly or (f.statuses and not set(f.statuses) & set(OVER)):
            since = None if openly else day_start(ask.since, city_now(connection).zone)
            ids, total = _open_page(connection, ask, after, limit, order, since)
            rows = _rows(connection, ask, ids, past.then(connection, ask.present).stood)
            return stamped(connection, rows, ask=ask, total=total)
        return _period_page(connection, ask, after, limit, order)


def _open_page(connection: Connection, ask: Ask, after: str | None, limit: int, order: str, since: int | None) -> tuple[list[int], int]:
    held = past.then(connection, ask.present)
    mask = past.chosen(connection, ask, held)
    if since is not None:
        mask &= held.reported >= since
    where = np.flatnonzero(mask)
    key = -held.reported[where] if order == "newest" else np.where(held.due[where] > 0, held.due[where], NEVER)
    number = -held.ids[where] if order == "newest" else held.ids[where]
    sorted_ = np.lexsort((number, key))
    if after:
        at, last = _cursor(after)
        at, last = (-at, -last) if order == "newest" else (at, last)
        sorted_ = sorted_[(key[sorted_] > at) | ((key[sorted_] == at) & (number[sorted_] > last))]
    return held.ids[where[sorted_[:limit]]].tolist(), len(where)


def _period_page(connection: Connection, ask: Ask, after: str | None, limit: int, order: str) -> Answer[CaseRow]:
    """Return cases that were reported in the period and known at the moment, ended ones too."""
    if order != "newest":
        # Deadlines of what is over order nothing that anybody looks for; the newest come first.
        order = "newest"
    rows: list[CaseRow] = []
    looked, full = 0, False
    for part, stood in _looked(connection, ask, _cursor(after) if after else None):
        looked += len(part)
        wanted = [r for r in part if r.id in stood and _fits(connection, ask, stood[r.id])]
        for made in past.dressed(connection, wanted, stood):
            rows.append(_as_row(made, ask))
            if full := len(rows) == limit:
                break
        if full or looked >= LOOKED:
            break
    notes = (UNFINISHED,) if looked >= LOOKED and not full else ()
    # Without narrowing everything that the ask names was reported then, and counting it is one step into an index.
    whole = None if ask.filters.statuses or ask.filters.departments or ask.filters.categories else connection.scalar(
        select(func.count()).select_from(select(cases.c.id).where(*_reported(connection, ask)).limit(10_001).subquery()))
    return stamped(connection, rows, ask=ask, notes=notes, total=None if whole is None or whole > 10_000 else int(whole))


def _reported(connection: Connection, ask: Ask) -> list[Any]:
    zone = city_now(connection).zone
    place = places.find(connection, ask.place, ask.on, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    # A period that ends before the moment's own day ends there; the last one goes on up to the moment.
    last_day = ask.at is not None and (ask.at.date() - ask.until).days <= 1
    end = ask.present + 1 if last_day else day_end(ask.until, zone)
    out = [cases.c.reported_at >= day_start(ask.since, zone), cases.c.reported_at < min(end, ask.present + 1)]
    if place.level > 0 or visible != [place]:
        out.append(inside(cases.c.node, rights.ranges_under(connection, visible)))
    if ask.filters.text:
        out.append(past.says(ask.filters.text))
    return out


def _looked(connection: Connection, ask: Ask, after: tuple[int, int] | None) -> Iterator[tuple[Sequence[Any], dict[int, past.Stood]]]:
    from queries.cases import selected

    wanted = _reported(connection, ask)
    while True:
        statement = selected().where(*wanted)
        if after is not None:
            statement = statement.where(or_(cases.c.reported_at < after[0], and_(cases.c.reported_at == after[0], cases.c.id < after[1])))
        part = connection.execute(statement.order_by(cases.c.reported_at.desc(), cases.c.id.desc()).limit(PART)).all()
        if not part:
            return
        yield part, past.fold(connection, [r.id for r in part], ask.present)
        after = part[-1].reported_at, part[-1].id


def _fits(connection: Connection, ask: Ask, one: past.Stood) -> bool:
    f = ask.filters
    if f.statuses and one.course["status"] not in f.statuses:
        return False
    if f.categories and one.course["category_id"] not in _ids(connection, category, f.categories):
        return False
    whose = one.course["department_id"]
    return not f.departments or (whose is None and UNNAMED in f.departments) or whose in _ids(connection, department, f.departments)


def _ids(connection: Connection, table: Any, codes: tuple[str, ...]) -> set[int]:
    return set(connection.execute(select(table.c.id).where(table.c.code.in_(codes))).scalars())


def _rows(connection: Connection, ask: Ask, ids: Sequence[int], stood: dict[int, past.Stood]) -> list[CaseRow]:
    return [_as_row(r, ask) for r in dressed(connection, ids, stood)]


def dressed(connection: Connection, ids: Sequence[int], stood: dict[int, past.Stood]) -> list[Any]:
    """Return the rows of some cases as they were, in the order of their ids as given."""
    from queries.cases import selected

    found = connection.execute(selected().where(cases.c.id.in_(ids))).all() if ids else []
    by_id = {r.id: r for r in past.dressed(connection, found, stood)}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def _as_row(r: Any, ask: Ask) -> CaseRow:
    from queries.cases import as_row

    return as_row(r, ask.present)


def card(connection: Connection, ask: Ask, found: Any, told: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Return a case's row and its events as they were known. Raises NoSuchError for one that was not."""
    stood = past.fold(connection, [found.id], ask.present)
    for made in past.dressed(connection, [found], stood):
        return made, past.known_at(told, ask.present)
    raise NoSuchError(f"Case {found.no} was not known yet at {ask.at:%Y-%m-%d %H:%M}.", zh=f"{ask.at:%Y-%m-%d %H:%M} 时尚无案件 {found.no}。")


def points(store: Store, ask: Ask, bbox: tuple[float, float, float, float], zoom: int) -> Answer[Point]:
    """Return the cases that were open in a map view, gathered into cells as queries/cases.py does."""
    from queries.cases import SINGLES

    west, south, east, north = bbox
    with store.read() as connection:
        held = past.then(connection, ask.present)
        mask = past.chosen(connection, ask, held)
        mask &= (held.cell >= 0) & (held.lon >= west) & (held.lon <= east) & (held.lat >= south) & (held.lat <= north)
        where = np.flatnonzero(mask)
        late = (held.due > 0) & (held.due < held.at)
        if len(where) <= SINGLES or zoom >= 19:
            shown = where[:SINGLES + 1]
            nos: dict[int, str] = {}
            if len(shown):
                nos = {r.id: r.no for r in connection.execute(select(cases.c.id, cases.c.no).where(cases.c.id.in_(held.ids[shown].tolist())))}
            rows = [Point(lon=float(held.lon[i]), lat=float(held.lat[i]), n=1, by_status={STATUSES[held.status[i]]: 1}, overdue=int(late[i]),
                          nos=(nos[int(held.ids[i])],)) for i in shown if int(held.ids[i]) in nos]
            return stamped(connection, rows, ask=ask)
        return stamped(connection, _bins(held, where, late, 4 ** max(0, 22 - (zoom + 1))), ask=ask)


def _bins(held: Then, where: np.ndarray, late: np.ndarray, width: int) -> list[Point]:
    cells, home, n = np.unique(held.cell[where] // width, return_inverse=True, return_counts=True)
    mix = np.bincount(home * len(STATUSES) + held.status[where], minlength=len(cells) * len(STATUSES)).reshape(len(cells), -1)
    x, y, over = (np.bincount(home, column[where].astype(float), len(cells)) for column in (held.lon, held.lat, late))
    rows = [Point(lon=float(x[k] / n[k]), lat=float(y[k] / n[k]), n=int(n[k]), overdue=int(over[k]),
                  by_status={STATUSES[s]: int(mix[k, s]) for s in np.flatnonzero(mix[k])}) for k in range(len(cells))]
    return sorted(rows, key=lambda one: one.n)


def by_status(connection: Connection, ask: Ask) -> dict[str, int]:
    """Return how many cases were open by status."""
    held = past.then(connection, ask.present)
    n = np.bincount(held.status[past.chosen(connection, _sums_only(ask), held)], minlength=len(STATUSES))
    return {name: int(k) for name, k in zip(STATUSES, n, strict=True) if k}


def ages(connection: Connection, ask: Ask) -> np.ndarray:
    """Return of each open case for how many whole days it had been reported."""
    held = past.then(connection, ask.present)
    return (held.at - held.reported[past.chosen(connection, _sums_only(ask), held)]) // 86_400


def counted(connection: Connection, ask: Ask, spans: Sequence[Sequence[tuple[int, int]]]) -> dict[str, list[int]]:
    """Return for each area (its node intervals) how many cases were open in it, and how many of them overdue."""
    held = past.then(connection, ask.present)
    mask = past.chosen(connection, _sums_only(ask), held)
    late = mask & (held.due > 0) & (held.due < held.at)
    homes = [past.inside(held.node, list(one)) for one in spans]
    return {"open": [int((mask & home).sum()) for home in homes], "overdue": [int((late & home).sum()) for home in homes]}


def by_department(connection: Connection, ask: Ask, spans: Sequence[Sequence[tuple[int, int]]], overdue: bool) -> list[dict[int, int]]:
    """Return for each area (its node intervals) how many cases were open (overdue) by department; 0 = none yet."""
    held = past.then(connection, ask.present)
    mask = past.chosen(connection, _sums_only(ask), held)
    if overdue:
        mask &= (held.due > 0) & (held.due < held.at)
    out = []
    for one in spans:
        ids, n = np.unique(held.department[mask & past.inside(held.node, list(one))], return_counts=True)
        out.append(dict(zip(ids.tolist(), n.tolist(), strict=True)))
    return out


def by_area(connection: Connection, ask: Ask, num: np.ndarray, last: np.ndarray, overdue: bool) -> np.ndarray:
    """Return how many cases were open (overdue) in each of many areas that lie apart, given by their node intervals in order."""
    held = past.then(connection, ask.present)
    mask = past.chosen(connection, _sums_only(ask), held)
    nodes = held.node[mask & (held.due > 0) & (held.due < held.at) if overdue else mask]
    at = np.searchsorted(num, nodes, side="right") - 1
    fits = (at >= 0) & (nodes <= last[np.maximum(at, 0)])
    return np.bincount(at[fits], minlength=len(num)) if len(num) else np.zeros(0, np.int64)


def _sums_only(ask: Ask) -> Ask:
    # Figures follow category and department only, now as then.
    f = ask.filters
    return ask.but(filters=replace(f, statuses=(), overdue=False, open_only=False, unplaced=False, text=""))


def _cursor(text: str) -> tuple[int, int]:
    try:
        at, last = text.split(".")
        return int(at), int(last)
    except ValueError:
        raise AskError(f"{text!r} is no place in the list. Begin again from the first page.") from None

