"""One grid at a moment of the past: what was open and whom it waited on, figures, what had been closed, sensors and cameras.

Posts on duty are known as far back as the roster's own record reaches; before that it is said that they are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from queries import cameras, neighbours, outlines, places
from queries import scope as rights
from queries.answers import by_day, stamped
from queries.case_rows import CaseRow
from queries.cases import as_row
from queries.clock import day_end, day_start, local_day
from queries.errors import AskError
from queries.frame import Answer, Ask, Filters
from queries.intervals import inside
from queries.loop import desk, past_cases, repeats, task_list
from queries.loop import then as past
from queries.loop.grid import (
    BACK_D,
    CLOSED,
    OPEN,
    SPOTS,
    THINGS,
    Against,
    Camera,
    Grid,
    Sensed,
    figures,
    posts,
)
from queries.loop.steps import STATUSES, WAITING
from queries.places import Place
from queries.sensing import values
from queries.store import Store
from queries.tables import camera, cases
from queries.today import city_now


def grid(store: Store, ask: Ask) -> Answer[Grid]:
    """Return one grid as it was known at the ask's moment. Raises AskError when the place is none, ScopeError."""
    ask = ask.but(filters=Filters())
    things = values.listed(store, ask, limit=THINGS).rows
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        visible = rights.check(connection, ask.scope, place)
        if place.has_children:
            raise AskError(f"{place.code!r} is no grid. Choose one of the grids under it.", zh="这不是网格，请选择其下的网格。")
        path, spans = places.path(connection, place), rights.ranges_under(connection, visible)
        zone, held = city_now(connection).zone, past.then(connection, ask.present)
        where = np.flatnonzero(past.chosen(connection, ask, held))
        tonight, due = day_end(local_day(ask.present, zone), zone), held.due[where]
        order = np.lexsort((held.ids[where], np.where(held.until[where] > 0, held.until[where], desk.NEVER)))
        waits = Counter(WAITING.get(STATUSES[s], "") for s in held.status[where])
        return stamped(connection, (Grid(
            place=place, path=tuple(path), level=next(one for one in outlines.levels(connection) if one.level == place.level),
            neighbours=tuple(rights.seen_of(connection, ask.scope, neighbours.of(connection, place))), duty=posts(connection, path, ask.present),
            open=tuple(desk.rows_then(connection, ask, held.ids[where[order[:OPEN]]].tolist(), held.stood)), n_open=len(where),
            n_overdue=int(((due > 0) & (due < ask.present)).sum()), n_today=int(((due >= ask.present) & (due < tonight)).sum()),
            waiting={post: n for post, n in waits.most_common() if post}, figures=_figures(connection, ask, path), repeats=tuple(repeats.found(connection, ask, limit=SPOTS).rows),
            sensors=tuple(Sensed(code=r.code, name=r.name, metric=r.metric, value=r.value, at=r.at, silent=r.state in ("silent", "never")) for r in things),
            cameras=_cameras(connection, ask, spans), items=task_list.to_grids(connection, ask), closed=_closed(connection, ask, spans)),),
            kinds=("cases", "sensors", "readings", "cameras", "items", "duty"), ask=ask, notes=by_day(ask))


def _figures(connection: Connection, ask: Ask, path: Sequence[Place]) -> tuple[Against, ...]:
    """Return the figures of whole days; what was open then is counted by the cases, for the grid and for those around it."""
    here = path[-1]
    around = [p for p in places.children(connection, path[-2]) if p.area_id != here.area_id] if len(path) > 1 and rights.effective(connection, ask.scope, path[-2]) == [path[-2]] else []
    stood = past_cases.counted(connection, ask, [rights.ranges_under(connection, [p]) for p in (here, *around)])
    out = []
    for row in figures(connection, ask, path):
        if row.figure.id in stood:
            own, *others = stood[row.figure.id]
            row = replace(row, value=own, numerator=own, denominator=None, previous=None, peers=float(np.median(others)) if others else None, n_peers=len(others))
        out.append(row)
    return tuple(out)


def _cameras(connection: Connection, ask: Ask, spans: Sequence[tuple[int, int]]) -> tuple[Camera, ...]:
    where = inside(camera.c.node, spans)
    stood = cameras.stood_at(connection, ask.present, where)
    rows = connection.execute(select(camera.c.id, camera.c.code, camera.c.name).where(where).order_by(camera.c.code).limit(THINGS)).all()
    return tuple(Camera(code=r.code, name=r.name, state=stood.get(r.id, cameras.UNKNOWN)[0], seen_at=None) for r in rows)  # type: ignore[arg-type]


def _closed(connection: Connection, ask: Ask, spans: Sequence[tuple[int, int]]) -> tuple[CaseRow, ...]:
    """Return what was known to be over, the last first: of the grid's cases of the last weeks, so few that all of them are folded."""
    since = day_start(ask.until - timedelta(days=BACK_D - 1), city_now(connection).zone)
    # Up to now and not to the moment: a source may tell of another day of reporting later.
    ids = connection.execute(select(cases.c.id).where(inside(cases.c.node, spans), cases.c.reported_at >= since)).scalars().all()
    stood = {id_: one for id_, one in past.fold(connection, ids, ask.present).items() if not one.is_open}
    last = sorted(stood, key=lambda id_: (-(stood[id_].course["closed_at"] or 0), -id_))[:CLOSED]
    rows: list[Any] = past_cases.dressed(connection, last, stood)
    return tuple(as_row(r, ask.present) for r in rows)
