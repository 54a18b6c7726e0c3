"""Makes the state of all cases and all roll-ups anew from the events; the same numbers must come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, select
from tqdm import tqdm

from queries.intervals import chunks
from queries.loop.book import Book
from queries.loop.course import NAMES, Course, began, changes
from queries.loop.deltas import Deltas
from queries.loop.evaluation import forget_counted
from queries.loop.projector import hold, settle
from queries.loop.projector import tally as tell
from queries.loop.steps import OVER
from queries.loop.tables import refusal, tally, unprojected
from queries.rollup import SCHEMA, Projector
from queries.store import Store, alone, bump, put_meta
from queries.tables import KEPT, cases, duration, event, open_now, rollup, total
from queries.touched import everything

#: Events read at once; a case's events are never torn apart.
CHUNK = 200_000
#: So many differing rows of each side are told by a comparison.
SHOWN = 10
#: A course while it is folded: a dictionary, because a value that is made anew with each of millions of events costs minutes.
State = dict[str, Any]
BLANK: State = {name: getattr(Course(), name) for name in NAMES}
#: What no event tells of a case until one changes it: at first it is what it is now, or what a change says that it was.
_UNTOLD = [(name, NAMES.index(name)) for name in ("node", "category_id", "urgent", "origin")]
_CASE, _STANDS = itemgetter(0), itemgetter(*NAMES)
_EVENTS = select(
    event.c.case_id, event.c.seq, event.c.at, event.c.step, event.c.status, event.c.department_id, event.c.due_at,
    event.c.stage_due_at, event.c.data, event.c.derived,
).order_by(event.c.case_id, event.c.seq)


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What a rebuild did: cases folded, events read, and how many cases stood differently before.

    `differing` = rows of the sums that were or are in one of the two only; None where nobody compared. `examples` = some of
    them: whether it "was" or "is", the table, the row.
    """

    cases: int
    events: int
    mended: int
    differing: int | None = None
    examples: tuple[tuple[Any, ...], ...] = ()


def rebuild(store: Store, quiet: bool = False) -> Rebuilt:
    """Fold every case anew and count everything anew, in one transaction: readers see before or after."""
    with store.engine.begin() as connection:
        bump(connection)
        _alone(connection)
        done = from_events(connection, Book().open(connection), quiet)
    return done


def compare(store: Store, quiet: bool = False) -> Rebuilt:
    """Return what a rebuild would mend, and change nothing. Events that wait to be counted are counted before."""
    with store.engine.connect() as connection, connection.begin() as transaction:
        # The first statement writes, so that no other writer comes in between.
        put_meta(connection, "compared", 0)
        _alone(connection)
        settle(connection)
        before = set(_sums(connection))
        done = from_events(connection, Book().open(connection), quiet)
        after, fresh = 0, []
        for row in _sums(connection):
            if row in before:
                before.remove(row)
            else:
                after += 1
                fresh += [("is", *row)] if after <= SHOWN else []
        transaction.rollback()
    examples = (*(("was", *row) for row in sorted(before, key=str)[:SHOWN]), *fresh)
    return replace(done, differing=after + len(before), examples=examples)


def _alone(connection: Connection) -> None:
    # An event that came in half-way would be counted here, and once more by the projector.
    alone(connection, cases)
    hold(connection)


def _sums(connection: Connection) -> Iterator[tuple[Any, ...]]:
    for table, width in ((rollup, len(KEPT)), (total, len(KEPT)), (duration, 1), (open_now, 1), (tally, 1)):
        for row in connection.execute(select(table)):
            if any(row[-width:]):
                yield table.name, *row


def from_events(connection: Connection, book: Book, quiet: bool = True) -> Rebuilt:
    """Do the work of `rebuild` inside a transaction."""
    for table in (rollup, total, duration, open_now, unprojected):
        connection.execute(delete(table))
    everything(connection)
    # The evaluation day that the city's rules ask for holds from here on.
    forget_counted(connection)
    book.forget()
    book.open(connection)
    projector = Projector(book.city.zone, book.locator.areas_of)
    deltas = book.deltas()
    n_cases = n_events = mended = 0
    n = connection.scalar(select(func.count()).select_from(event)) or 0
    with tqdm(total=n, unit="", unit_scale=True, disable=quiet, leave=False, desc="events") as bar:
        for rows, stood in _chunks(connection):
            states: list[State] = []
            wrong: list[tuple[Any, ...]] = []
            for case_id, history in groupby(rows, key=_CASE):
                state, was = _fold(book, deltas, list(history), stood[case_id], connection), stood[case_id]
                states.append(state)
                if _STANDS(state) != was:
                    wrong.append((*Course(**state).columns().values(), case_id))
            _mend(connection, wrong)
            projector.add(_facts(states))
            n_cases, n_events, mended = n_cases + len(states), n_events + len(rows), mended + len(wrong)
            bar.update(len(rows))
    projector.write(connection)
    _refusals(connection, deltas)
    deltas.write(connection)
    return Rebuilt(cases=n_cases, events=n_events, mended=mended)


def recount(connection: Connection, book: Book) -> None:
    """Count the tallies anew after new boundaries moved cases. Only cases that somebody acted on are read."""
    forget_counted(connection)
    everything(connection)
    deltas = book.open(connection).deltas()
    acted = select(event.c.case_id).where(event.c.derived.is_(False)).distinct()
    ids = connection.execute(acted.order_by(event.c.case_id)).scalars().all()
    for part in chunks(ids):
        stood = {r[0]: tuple(r[1:]) for r in connection.execute(
            select(cases.c.id, *(cases.c[name] for name in NAMES)).where(cases.c.id.in_(part)))}
        rows = connection.execute(_EVENTS.where(event.c.case_id.in_(part))).all()
        for case_id, history in groupby(rows, key=_CASE):
            _fold(book, deltas, list(history), stood[case_id], connection)
    _refusals(connection, deltas)
    deltas.write(connection)


def _chunks(connection: Connection) -> Iterator[tuple[list[Any], dict[int, tuple[Any, ...]]]]:
    """Yield events, and how their cases stand, in the order of the cases."""
    after_id = -1
    statement = _EVENTS.limit(CHUNK)
    while True:
        rows = connection.execute(statement.where(event.c.case_id > after_id)).all()
        if not rows:
            return
        if len(rows) == CHUNK:
            # The last case of a full chunk may go on; it is read again with the next one.
            last = rows[-1].case_id
            keep = [r for r in rows if r.case_id != last]
            rows = keep or rows
        stood = {r[0]: tuple(r[1:]) for r in connection.execute(
            select(cases.c.id, *(cases.c[name] for name in NAMES)).where(cases.c.id.between(rows[0].case_id, rows[-1].case_id))).all()}
        after_id = rows[-1].case_id
        yield [r for r in rows if r.case_id in stood], stood


def _fold(book: Book, deltas: Deltas, history: list[Any], stands: tuple[Any, ...], connection: Connection) -> State:
    state = BLANK | {name: stands[i] for name, i in _UNTOLD}
    first = began(history, Course(category_id=state["category_id"], urgent=state["urgent"]))
    state |= {"category_id": first.category_id, "urgent": first.urgent}
    before: Course | None = None
    for r in history:
        if r.derived:
            state |= changes(r, state["rework"], state["transfers"], state["climbed"])
            before = None
            continue
        before = before or Course(**state)
        state |= changes(r, before.rework, before.transfers, before.climbed)
        now = Course(**state)
        tell(book, deltas, r, before, now, connection)
        before = now
    return state


def _facts(states: list[State]) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {name: [state[name] for state in states] for name in SCHEMA if name != "is_open"}
    columns["is_open"] = [state["status"] not in OVER for state in states]
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


