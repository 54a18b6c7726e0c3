"""What a page has written and not yet handed to the database: many rows then cost few statements.

Reads of the same page see it: cases by `held`, messages by `came`, everything else after `flush`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

from queries.loop.course import NAMES, Course
from queries.loop.tables import received, reporter, unprojected
from queries.store import bulk
from queries.tables import cases, event

EVENT = ("id", "case_id", "seq", "at", "seen_at", "step", "status", "actor", "post", "department_id", "due_at", "stage_due_at",
         "reason", "note", "data", "source", "derived")
CASE = ("id", "no", "placed", "lon", "lat", "cell", "kind", "title", "address", "channel", "source", "hash", *NAMES, "is_open")
#: What of a case its course does not tell and its source may tell anew.
WORDS = ("placed", "lon", "lat", "cell", "kind", "title", "address", "channel", "hash")
REPORTER = ("case_id", "first_case_id", "at", "source", "channel", "contact", "text")
RECEIVED = ("source", "key", "at", "digest", "reply")
_BOOLS = tuple(i for i, name in enumerate(NAMES) if name in ("urgent", "supervised"))


class Prepared:
    """A statement that is put into words once and then goes straight to the driver."""

    def __init__(self, statement: ClauseElement) -> None:
        """Keep a statement; its words are made for each kind of database when they are first needed."""
        self._statement = statement
        self._words: dict[str, tuple[str, dict[str, Any], tuple[str, ...] | None]] = {}

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Run it inside the connection's transaction and return its rows as the driver gives them."""
        name = connection.dialect.name
        if name not in self._words:
            made: Any = self._statement.compile(dialect=connection.dialect)
            self._words[name] = str(made), dict(made.params), tuple(made.positiontup) if made.positional else None
        words, fixed, order = self._words[name]
        told = {**fixed, **values}
        raw: Any = connection.connection.driver_connection
        try:
            return raw.execute(words, told if order is None else tuple(told[n] for n in order)).fetchall()
        except connection.dialect.loaded_dbapi.Error as bad:
            raise _in_common_words(connection, words, bad) from bad


def _in_common_words(connection: Connection, words: str, bad: Exception) -> BaseException:
    """Return a driver's error as one of SQLAlchemy's; a connection that broke is given up, as SQLAlchemy does itself."""
    dialect: Any = connection.dialect
    broke = dialect.is_disconnect(bad, connection.connection.driver_connection, None)
    if broke:
        connection.invalidate(bad)
    return DBAPIError.instance(words, None, bad, dialect.loaded_dbapi.Error, connection_invalidated=broke, dialect=dialect)


_BY_NO = Prepared(select(cases.c.id, cases.c.no, cases.c.kind, *(cases.c[name] for name in NAMES))
                  .where(cases.c.no == bindparam("number")).with_for_update())
_CAME = Prepared(select(received.c.digest, received.c.reply).where(received.c.source == bindparam("door"), received.c.key == bindparam("mark")))
_LAST = {table.name: Prepared(select(func.coalesce(func.max(table.c.id), 0))) for table in (cases, event)}
_NEXT = {table.name: Prepared(select(func.nextval(func.pg_get_serial_sequence(table.name, "id")))) for table in (cases, event)}


@dataclass(slots=True)
class Held:
    """What of a stored case its course does not tell."""

    id: int
    no: str
    kind: str
    node: int
    category_id: int
    urgent: bool


@dataclass(slots=True)
class Part:
    """What one act writes; it joins the ink when the act is done, or is thrown away."""

    new: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    reporters: list[tuple[Any, ...]] = field(default_factory=list)
    received: list[tuple[Any, ...]] = field(default_factory=list)
    words: list[tuple[Any, ...]] = field(default_factory=list)
    cases: dict[str, tuple[Held, Course]] = field(default_factory=dict)
    moves: list[tuple[Course | None, Course]] = field(default_factory=list)
    tells: list[tuple[Course, int, str, int, int | None]] = field(default_factory=list)


class Ink:
    """The rows of one transaction."""

    def __init__(self, connection: Connection, inline: bool) -> None:
        """Begin with nothing. `inline` = nobody has to be told which events are to be counted."""
        self.connection, self._inline = connection, inline
        self._part = Part()
        #: By cell of some 300 m: the cases of this page, for who looks for repeats.
        self.near: dict[int, list[tuple[int, tuple[str, str, float, float]]]] = {}
        self._held: dict[str, tuple[Held, Course]] = {}
        self._changed: dict[int, Course] = {}
        self._came: dict[tuple[str, str], tuple[str, str]] = {}
        self._next: dict[str, int] = {}
        self._locked = False

    def __contains__(self, no: str) -> bool:
        """Return whether a case of this number was met on this page."""
        return no in self._held

    def number(self, table: str) -> int:
        """Return the number of a new row."""
        if self.connection.dialect.name == "postgresql":
            if table == "cases" and not self._locked:
                # A load numbers its cases itself; behind this lock its numbers are known to the sequence.
                self.connection.exec_driver_sql("LOCK TABLE cases IN ROW EXCLUSIVE MODE")
                self._locked = True
            # Drawn one by one, behind the lock of the case: so the events of a case are numbered in their order.
            return int(_NEXT[table].rows(self.connection)[0][0])
        if table not in self._next:
            self._next[table] = int(_LAST[table].rows(self.connection)[0][0])
        self._next[table] += 1
        return self._next[table]

    def held(self, no: str, part: Part) -> tuple[Held, Course] | None:
        """Return a case as it stands now, locked against other writers."""
        found = part.cases.get(no) or self._held.get(no)
        if found is None:
            rows = _BY_NO.rows(self.connection, number=no)
            if not rows:
                return None
            found = self._held[no] = _read(rows[0])
        return found

    def came(self, source: str, key: str) -> tuple[str, str] | None:
        """Return digest and reply of a message that came before."""
        found = self._came.get((source, key))
        if found is None:
            rows = _CAME.rows(self.connection, door=source, mark=key)
            found = (rows[0][0], rows[0][1]) if rows else None
        return found

    def take(self, part: Part) -> None:
        """Take over what an act wrote."""
        mine = self._part
        mine.new += part.new
        mine.events += part.events
        mine.reporters += part.reporters
        mine.received += part.received
        mine.words += part.words
        for row in part.received:
            self._came[row[0], row[1]] = row[3], row[4]
        for no, (held, course) in part.cases.items():
            self._held[no] = held, course
            self._changed[held.id] = course

    def flush(self) -> None:
        """Hand everything to the database."""
        part = self._part
        if not (part.events or part.received or part.new):
            return
        self._part = Part()
        _put(self.connection, cases, CASE, part.new)
        fresh = {row[0] for row in part.new}
        _change(self.connection, [(*course.columns().values(), id_) for id_, course in sorted(self._changed.items())
                                   if id_ not in fresh or course.seq > 1])
        self._changed = {}
        _reword(self.connection, part.words)
        _put(self.connection, event, EVENT, part.events)
        _put(self.connection, reporter, REPORTER, part.reporters)
        _put(self.connection, received, RECEIVED, part.received)
        if not self._inline:
            _put(self.connection, unprojected, ("event_id",), ((row[0],) for row in part.events))


def _read(row: tuple[Any, ...]) -> tuple[Held, Course]:
    told = list(row[3:])
    for i in _BOOLS:
        told[i] = bool(told[i])
    course = Course(**dict(zip(NAMES, told, strict=True)))
    return Held(row[0], row[1], row[2], course.node, course.category_id, course.urgent), course


def _put(connection: Connection, table: Any, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    bulk(connection, table, columns, rows)


def _change(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        told = ", ".join(f"{name} = {mark}" for name in (*NAMES, "is_open"))
        connection.exec_driver_sql(f"UPDATE cases SET {told} WHERE id = {mark}", rows)


def _reword(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        told = ", ".join(f"{name} = {mark}" for name in WORDS)
        connection.exec_driver_sql(f"UPDATE cases SET {told} WHERE id = {mark}", rows)
