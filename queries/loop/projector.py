"""Follows the event log and keeps the roll-ups, where several writers work side by side (PostgreSQL).

One projector at a time, held by a lock of the database. It takes events that are written and not yet
counted, folds each touched case before and after them, and writes the difference, in one transaction
with taking them off the list: each event is counted exactly once, whatever is killed when.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection, delete, func, select

from queries.clock import now, stamp
from queries.intervals import chunks
from queries.loop.book import Book
from queries.loop.course import Course, after, began
from queries.loop.deltas import Deltas
from queries.loop.tables import refusal, unprojected, whistle
from queries.loop.tallies import told_by
from queries.store import Store, bump, get_meta, put_meta
from queries.tables import cases, event

log = structlog.get_logger("projector")
LOCK = 0x676F76
AT_ONCE = 2000


def catch_up(store: Store, book: Book) -> int:
    """Count what waits; return how many events. 0 when another projector holds the lock."""
    with store.engine.begin() as connection:
        if store.dialect == "postgresql" and not connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
            return 0
        return project(connection, book)


def project(connection: Connection, book: Book) -> int:
    """Count the events that wait, the oldest first; return how many."""
    ids = connection.execute(select(unprojected.c.event_id).order_by(unprojected.c.event_id).limit(AT_ONCE)).scalars().all()
    refused = connection.execute(select(refusal).where(refusal.c.id > get_meta(connection, "refusals_counted", 0))
                                 .order_by(refusal.c.id)).all()
    if not ids and not refused:
        return 0
    book.open(connection)
    deltas = book.deltas()
    for history, fresh in _histories(connection, ids):
        _count(book, deltas, history, fresh, connection)
    for r in refused:
        if r.case_id is not None:
            row = connection.execute(select(cases.c.node, cases.c.category_id).where(cases.c.id == r.case_id)).one()
            deltas.tell(Course(node=row.node, category_id=row.category_id), r.at, "refused", department_id=r.department_id)
        put_meta(connection, "refusals_counted", r.id)
    deltas.write(connection)
    for part in chunks(ids):
        connection.execute(delete(unprojected).where(unprojected.c.event_id.in_(part)))
    bump(connection)
    return len(ids)


def hold(connection: Connection) -> None:
    """Let no projector count until this transaction ends. On SQLite a writer is alone anyhow."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def settle(connection: Connection) -> None:
    """Count all that waits, before something else changes what was counted. Writers must have been locked out."""
    if connection.dialect.name == "sqlite":
        # The writer has counted already, refusals too: counting here would count them twice.
        return
    hold(connection)
    book = Book()
    while project(connection, book):
        pass


def lag(store: Store) -> tuple[int, float]:
    """Return how many events wait to be counted, and for how many seconds the oldest has."""
    with store.read() as connection:
        row = connection.execute(
            select(func.count(), func.min(event.c.seen_at)).select_from(unprojected).join(event, event.c.id == unprojected.c.event_id)).one()
    return int(row[0]), 0.0 if row[1] is None else max(0.0, stamp(now()) - row[1])


def _histories(connection: Connection, ids: Sequence[int]) -> Iterator[tuple[list[Any], set[int]]]:
    fresh = set(ids)
    touched: set[int] = set()
    for part in chunks(ids):
        touched |= set(connection.execute(select(event.c.case_id).where(event.c.id.in_(part))).scalars())
    for part in chunks(sorted(touched)):
        held: dict[int, list[Any]] = defaultdict(list)
        for r in connection.execute(
            select(event, cases.c.node, cases.c.category_id, cases.c.urgent, cases.c.origin).join(cases, cases.c.id == event.c.case_id)
            .where(event.c.case_id.in_(part)).order_by(event.c.case_id, event.c.seq)
        ):
            held[r.case_id].append(r)
        for history in held.values():
            yield history, fresh


def _count(book: Book, deltas: Deltas, history: list[Any], fresh: set[int], connection: Connection) -> None:
    # A case's place and category are told by no event until one changes them: they are what they were at first.
    course = began(history, Course(node=history[0].node, category_id=history[0].category_id, urgent=history[0].urgent, origin=history[0].origin))
    moved = [told for r in history if r.id in fresh and (told := _moved(r))]
    course = replace(course, node=moved[0][0]) if moved else course
    known, counted_as, seen = None, None, False
    for r in history:
        if seen and r.id not in fresh:
            # Later events of the case wait for the next round; what lies between stays in order.
            break
        if r.id in fresh and (told := _moved(r)):
            course = replace(course, node=told[1])
        now_ = after(course, r)
        if r.id in fresh:
            if not seen:
                counted_as, seen = known, True
            if not r.derived:
                tally(book, deltas, r, course, now_, connection)
        known = course = now_
    deltas.move(counted_as, course)


def _moved(r: Any) -> list[int] | None:
    """Return the nodes from and to which a source's word moved a case. Boundaries that move cases write no event."""
    return json.loads(r.data)["told"].get("node") if r.step == "changed" and '"node"' in r.data else None


def tally(book: Book, deltas: Deltas, r: Any, before: Course, now_: Course, connection: Connection) -> None:
    """Count one event in the tallies, as queries/loop/page.py does when it writes it."""
    details = json.loads(r.data) if r.data else {}
    working = book.calendar.is_working(r.at)
    if r.step == "undone":
        for measure in details["back"]:
            deltas.tell(before, details["back_at"], measure, -1)
    for measure in told_by(r.step, before, details, working):
        deltas.tell(now_, r.at, measure)
    if r.step == "whistled":
        for code in details["departments"]:
            deltas.tell(before, r.at, "whistles", department_id=book.departments[code])
    elif r.step == "arrived":
        called = connection.execute(select(whistle).where(whistle.c.id == details["whistle"])).one()
        deltas.tell(before, called.blown_at, "arrived", department_id=called.department_id)
        if not details["late_s"]:
            deltas.tell(before, called.blown_at, "arrived_on_time", department_id=called.department_id)


class Follower:
    """Runs the projector in a thread until closed."""

    def __init__(self, store: Store, every_s: float = 0.05) -> None:
        """Begin to follow; between two rounds that found nothing it waits `every_s`."""
        self._store, self._every = store, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the round that runs."""
        self._ended.set()
        self._thread.join(30)

    def _run(self) -> None:
        book, failing = Book(), False
        while not self._ended.is_set():
            try:
                n = catch_up(self._store, book)
                if failing:
                    log.info("the projector works again")
                failing = False
            except Exception as bad:  # noqa: BLE001  (told once; the roll-ups lag meanwhile, and the screen says so)
                if not failing:
                    log.error("the projector fails; roll-ups lag", error=(str(bad).splitlines() or [type(bad).__name__])[0])
                failing, n = True, 0
                book.forget()
            if not n:
                self._ended.wait(self._every if not failing else 1.0)
