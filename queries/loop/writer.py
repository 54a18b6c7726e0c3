"""The writer: every change of the loop goes through it, in groups that are committed together.

On SQLite there is one writer at a time anyhow; a thread takes what waits, runs each act in a savepoint
and commits once for all of them, so that many small acts cost few commits and each is acknowledged only
when it is safe. On PostgreSQL several writers (also of other processes) work side by side; they leave the
roll-ups to the one projector, which follows the log (queries/loop/projector.py).
"""

from __future__ import annotations

import queue
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from queries.clock import now, stamp
from queries.errors import BusyError, GovError, StoreError, UnsureError
from queries.loop.book import Book
from queries.loop.hearing import Hearing
from queries.loop.orders import Found, Order, Receipt
from queries.loop.page import Page
from queries.store import Store

T = TypeVar("T")
#: So many acts at most share a commit.
TOGETHER = 256
#: So many may wait; beyond, a door is told to come again (503), and nothing is lost.
WAITING = 20_000
#: Seconds between two writings of what was heard, and how often an act is tried when another was in the way.
FLUSH_S, TRIES = 1.0, 5
Job = tuple[Callable[[Page], Any], Future[Any]]
log = structlog.get_logger("writer")


class Hand(ABC):
    """Hands acts in, and waits for what comes of them."""

    @abstractmethod
    def submit(self, act: Callable[[Page], T]) -> Future[T]:
        """Hand in an act; its future is done when it is committed."""

    def run(self, act: Callable[[Page], T]) -> T:
        """Run an act and return what it returns, once it is committed. Raises what the act raises."""
        return self.submit(act).result()

    def take(self, order: Order) -> Receipt:
        """Take a step on a case."""
        return self.run(lambda page: page.take(order))

    def report(self, found: Found) -> Receipt:
        """Take in a new case."""
        return self.run(lambda page: page.report(found))


class Writer(Hand):
    """Runs acts on the loop of one store. Threads may call it at once."""

    def __init__(self, store: Store, threads: int | None = None) -> None:
        """Serve `store`: by one thread on SQLite, by two on PostgreSQL unless told otherwise."""
        self.store = store
        self.inline = store.dialect == "sqlite"
        self._queue: queue.Queue[Job | None] = queue.Queue(WAITING)
        self._threads = [threading.Thread(target=self._work, name=f"writer-{i}", daemon=True)
                         for i in range(1 if self.inline else threads or 2)]
        self._closed = self._deaf = False
        for thread in self._threads:
            thread.start()

    def submit(self, act: Callable[[Page], T]) -> Future[T]:
        """Hand in an act; its future is done when it is committed. Raises StoreError when too many wait."""
        done: Future[T] = Future()
        if self._closed:
            raise BusyError("The writer is closed; the server is going down. Try again when it is back.", zh="服务正在关闭，请稍后再试。")
        try:
            self._queue.put_nowait((act, done))
        except queue.Full:
            raise BusyError("Too many changes wait to be written. Try again in a moment; nothing was lost.",
                            zh="待写入的变更过多，请稍后再试；没有丢失任何内容。") from None
        return done

    def close(self) -> None:
        """Write what waits and end."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(30)

    def _work(self) -> None:
        book, hearing = Book(), Hearing()
        flushed = time.monotonic()
        while True:
            try:
                first = self._queue.get(timeout=FLUSH_S if hearing else None)
            except queue.Empty:
                self._flush(hearing)
                continue
            if first is None:
                break
            jobs, last = self._gather(first)
            # Whoever went away before it began wants it no more; from here on it is done and told.
            jobs = [job for job in jobs if job[1].set_running_or_notify_cancel()]
            if jobs:
                self._together(book, jobs, hearing)
            if last:
                break
            if hearing and time.monotonic() - flushed > FLUSH_S:
                self._flush(hearing)
                flushed = time.monotonic()
        self._flush(hearing)

    def _gather(self, first: Job) -> tuple[list[Job], bool]:
        jobs = [first]
        # On PostgreSQL a held row lock makes others wait, so acts are committed one by one there.
        while self.inline and len(jobs) < TOGETHER:
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                break
            if one is None:
                return jobs, True
            jobs.append(one)
        return jobs, False

    def _together(self, book: Book, jobs: list[Job], hearing: Hearing, tries: int = TRIES) -> None:
        """Run acts in one transaction; each future learns of its own act, and of the commit."""
        try:
            results, heard = self._run(book, [act for act, _ in jobs])
        except UnsureError as bad:
            book.forget()
            _tell_all(jobs, bad)
        except (OperationalError, IntegrityError) as bad:
            # Another writer was in the way (a dead-lock, the same key at once), or the database is away.
            book.forget()
            if tries > 1:
                time.sleep(random.uniform(0.0, 0.02) * (TRIES - tries + 1))
                self._together(book, jobs, hearing, tries - 1)
                return
            _tell_all(jobs, StoreError(f"The database does not take changes now ({type(bad).__name__}). Nothing was written; try again.",
                                       zh="数据库暂时不能写入，未写入任何内容，请稍后再试。"))
        except BaseException as bad:  # noqa: BLE001  (whoever waits must be told, whatever happened)
            book.forget()
            if len(jobs) == 1:
                _tell_all(jobs, bad)
            else:
                # One bad act must not take the others with it.
                for job in jobs:
                    self._together(book, [job], hearing)
        else:
            hearing.join(heard)
            for (_, done), (value, refused) in zip(jobs, results, strict=True):
                if refused is None:
                    done.set_result(value)
                else:
                    done.set_exception(refused)

    def _run(self, book: Book, acts: list[Callable[[Page], Any]]) -> tuple[list[tuple[Any, GovError | None]], Hearing]:
        results: list[tuple[Any, GovError | None]] = []
        with self.store.engine.connect() as connection, connection.begin() as transaction:
            page = Page(connection, book, self.inline)
            for act in acts:
                try:
                    results.append((act(page), None))
                except GovError as refused:
                    results.append((None, refused))
            page.finish()
            try:
                transaction.commit()
            except DBAPIError as bad:
                if bad.connection_invalidated:
                    # To try again by ourselves could write it twice: only a key tells that it is the same message.
                    raise UnsureError("The database went away while it wrote this, so nobody knows whether it did. Send it again with the same "
                                      "key and it is written once; without one look at the case first.",
                                      zh="数据库在写入时中断，是否写入无法确定。请用相同的幂等键重发（只会写入一次）；没有键的请先查看案件。") from bad
                raise
        return results, page.hearing

    def _flush(self, hearing: Hearing) -> None:
        """Write what was heard of sources, apart from the acts: it is one row for all writers."""
        if not hearing:
            return
        told = Hearing()
        told.join(hearing)
        try:
            with self.store.engine.begin() as connection:
                told.write(connection, stamp(now()))
        except SQLAlchemyError as bad:
            if not self._deaf:
                log.warning("counts of sources wait for the database", error=type(bad).__name__)
            self._deaf = True
            return
        hearing.clear()
        self._deaf = False


def _tell_all(jobs: list[Job], bad: BaseException) -> None:
    for _, done in jobs:
        done.set_exception(bad)
