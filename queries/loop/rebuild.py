"""Makes the state of all cases and all roll-ups anew from the events; the same numbers must come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, select
from tqdm import tqdm

from queries.loop.acts import happened
from queries.loop.book import Book
from queries.loop.course import NAMES, Course, after
from queries.loop.deltas import Deltas
from queries.loop.evaluation import forget_counted
from queries.loop.projector import tally
from queries.loop.tables import refusal, unprojected
from queries.rollup import SCHEMA, Projector
from queries.store import Store, bump, put_meta
from queries.tables import cases, duration, event, open_now, rollup

#: Events read at once; a case's events are never torn apart.
CHUNK = 200_000


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What a rebuild did: cases folded, events read, and how many cases stood differently before."""

    cases: int
    events: int
    mended: int


def rebuild(store: Store, quiet: bool = False) -> Rebuilt:
    """Fold every case anew and count everything anew, in one transaction: readers see before or after."""
    with store.engine.begin() as connection:
        bump(connection)
        done = from_events(connection, Book().open(connection), quiet)
    return done


def from_events(connection: Connection, book: Book, quiet: bool = True) -> Rebuilt:
    """Do the work of `rebuild` inside a transaction."""
    for table in (rollup, duration, open_now, unprojected):
        connection.execute(delete(table))
    # The evaluation day that the city's rules ask for holds from here on.
    forget_counted(connection)
    book.forget()
    book.open(connection)
    projector = Projector(book.city.zone, book.locator.areas_of)
    deltas = book.deltas()
    n_cases = n_events = mended = 0
    total = connection.scalar(select(func.count()).select_from(event)) or 0
    with tqdm(total=total, unit="", unit_scale=True, disable=quiet, leave=False, desc="events") as bar:
        for rows in _chunks(connection):
            courses: list[tuple[int, Course]] = []
            wrong: list[tuple[Any, ...]] = []
            for case_id, history in groupby(rows, key=lambda r: r.case_id):
                course, row = _fold(book, deltas, list(history), connection)
                courses.append((case_id, course))
                if any(getattr(course, name) != getattr(row, f"now_{name}") for name in NAMES):
                    wrong.append((*course.columns().values(), case_id))
            _mend(connection, wrong)
            projector.add(_facts(courses))
            n_cases, n_events, mended = n_cases + len(courses), n_events + len(rows), mended + len(wrong)
            bar.update(len(rows))
    projector.write(connection)
    _refusals(connection, deltas)
    deltas.write(connection)
    return Rebuilt(cases=n_cases, events=n_events, mended=mended)


def _chunks(connection: Connection) -> Iterator[list[Any]]:
    after_id = -1
    statement = (
        select(event.c.case_id, event.c.seq, event.c.at, event.c.step, event.c.status, event.c.department_id, event.c.due_at,
               event.c.stage_due_at, event.c.data, event.c.derived, *(cases.c[name].label(f"now_{name}") for name in NAMES))
        .join(cases, cases.c.id == event.c.case_id).order_by(event.c.case_id, event.c.seq).limit(CHUNK)
    )
    while True:
        rows = connection.execute(statement.where(event.c.case_id > after_id)).all()
        if not rows:
            return
        if len(rows) == CHUNK:
            # The last case of a full chunk may go on; it is read again with the next one.
            last = rows[-1].case_id
            keep = [r for r in rows if r.case_id != last]
            rows = keep or rows
        after_id = rows[-1].case_id
        yield list(rows)


def _fold(book: Book, deltas: Deltas, history: list[Any], connection: Connection) -> tuple[Course, Any]:
    first = history[0]
    course = Course(node=first.now_node, category_id=first.now_category_id, urgent=first.now_urgent)
    for r in history:
        if not r.derived:
            tally(book, deltas, r, course, connection)
        course = after(course, happened(r))
    return course, first


def _facts(courses: list[tuple[int, Course]]) -> pl.DataFrame:
    names = [name for name in SCHEMA if name != "is_open"]
    columns: dict[str, list[Any]] = {name: [getattr(course, name) for _, course in courses] for name in names}
    columns["is_open"] = [course.is_open for _, course in courses]
    return pl.DataFrame(columns, schema=SCHEMA)


def _mend(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    told = ", ".join(f"{name} = {mark}" for name in (*NAMES, "is_open"))
    connection.exec_driver_sql(f"UPDATE cases SET {told} WHERE id = {mark}", rows)


def _refusals(connection: Connection, deltas: Deltas) -> None:
    last = 0
    for r in connection.execute(select(refusal, cases.c.node.label("at_node"), cases.c.category_id)
                                .join(cases, cases.c.id == refusal.c.case_id).order_by(refusal.c.id)):
        deltas.tell(Course(node=r.at_node, category_id=r.category_id), r.at, "refused", department_id=r.department_id)
        last = r.id
    put_meta(connection, "refusals_counted", last)


