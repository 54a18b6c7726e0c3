"""That something changed, told to every process of a database: numbers only, never what or where.

SQLite keeps a number in its file that every commit of another connection moves; PostgreSQL tells by LISTEN and
NOTIFY (queries/store.py `bump`). Both only wake whoever waits; what holds is read from the database, so a lost
word costs a second and never a change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from queries.errors import StoreError
from queries.store import CHANNEL, Store, told, version
from queries.tables import event

log = structlog.get_logger("changes")
#: Seconds between two looks at the number of SQLite's file, and until the database is read without any word.
LOOK_S, WITHOUT_S = 0.02, 1.0
#: Seconds until a database that was away is tried again.
AGAIN_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Marks:
    """How far a database has come. `n` grows with every change of an answer; `cases` is the newest step's number."""

    n: int
    cases: int


def marks(connection: Connection) -> Marks:
    """Return how far the database has come."""
    return Marks(n=version(connection), cases=connection.scalar(select(func.max(event.c.id))) or 0)


class Channel(Protocol):
    """Wakes whoever waits for a change."""

    def wait(self, seconds: float) -> None:
        """Return when something may have changed, or when the time is over."""


class FileNumber:
    """The number in SQLite's file."""

    def __init__(self, connection: Connection) -> None:
        self._raw: Any = connection.connection.driver_connection
        self._seen = self._number()

    def wait(self, seconds: float) -> None:
        """Return when the number moved, or when the time is over."""
        until = time.monotonic() + seconds
        while (number := self._number()) == self._seen and time.monotonic() < until:
            time.sleep(LOOK_S)
        self._seen = number

    def _number(self) -> int:
        return self._raw.execute("PRAGMA data_version").fetchone()[0]


class Listening:
    """PostgreSQL's LISTEN."""

    def __init__(self, connection: Connection) -> None:
        self._raw: Any = connection.connection.driver_connection
        self._raw.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float) -> None:
        """Return when a word came, or when the time is over."""
        for _ in self._raw.notifies(timeout=seconds, stop_after=1):
            pass


@contextmanager
def channel(store: Store) -> Iterator[Channel]:
    """Lend a channel on a connection of its own. Raises StoreError when the database is away."""
    with told(), store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            yield FileNumber(connection) if store.dialect == "sqlite" else Listening(connection)
        finally:
            # A connection that listens must not be lent to anybody else.
            connection.invalidate()


class Watch:
    """Tells one listener of a process how far its database has come; None = the database is away."""

    def __init__(self, store: Store, tell: Callable[[Marks | None], None]) -> None:
        """Begin. `tell` is called by a thread of the watch, at least once a second while the database answers."""
        self._store, self._tell = store, tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(5)

    def _run(self) -> None:
        driver = self._store.engine.dialect.loaded_dbapi.Error
        deaf = False
        while not self._ended.is_set():
            try:
                with channel(self._store) as line:
                    while not self._ended.is_set():
                        with self._store.read() as connection:
                            held = marks(connection)
                        if deaf:
                            log.info("changes of the database are heard again")
                        deaf = False
                        self._tell(held)
                        line.wait(WITHOUT_S)
            except (StoreError, SQLAlchemyError, driver) as bad:
                if self._ended.is_set():
                    return
                if not deaf:
                    log.warning("changes of the database are not heard", error=type(bad).__name__)
                deaf = True
                self._tell(None)
                self._ended.wait(AGAIN_S)
