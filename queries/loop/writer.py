"""The writer: every change of the loop goes through it, in groups that are committed together.

On SQLite there is one writer at a time anyhow; a thread takes what waits, runs each act in a savepoint
and commits once for all of them, so that many small acts cost few commits and each is acknowledged only
when it is safe. On PostgreSQL several writers (also of other processes) work side by side; they leave the
roll-ups to the one projector, which follows the log (queries/loop/projector.py).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from queries.errors import GovError, StoreError
from queries.loop.book import Book
from queries.loop.orders import Found, Order, Receipt
from queries.loop.page import Page
from queries.store import Store

T = TypeVar("T")
#: So many acts at most share a commit.
TOGETHER = 256
#: So many may wait; beyond, a door is told to come again (503), and nothing is lost.
WAITING = 20_000


class Writer:
    """Runs acts on the loop of one store. Threads may call it at once."""

    def __init__(self, store: Store, threads: int | None = None) -> None:
        """Serve `store`: by one thread on SQLite, by two on PostgreSQL unless told otherwise."""
        self.store = store
        self.inline = store.dialect == "sqlite"
        self._queue: queue.Queue[tuple[Callable[[Page], Any], Future[Any]] | None] = queue.Queue(WAITING)
        self._threads = [threading.Thread(target=self._work, name=f"writer-{i}", daemon=True)
                         for i in range(1 if self.inline else threads or 2)]
        self._closed = False
        for thread in self._threads:
            thread.start()

    def submit(self, act: Callable[[Page], T]) -> Future[T]:
        """Hand in an act; its future is done when it is committed. Raises StoreError when too many wait."""
        done: Future[T] = Future()
        if self._closed:
            raise StoreError("The writer is closed; the server is going down. Try again when it is back.")
        try:
            self._queue.put_nowait((act, done))
        except queue.Full:
            raise StoreError("Too many changes wait to be written. Try again in a moment; nothing was lost.",
                             zh="待写入的变更过多，请稍后再试；没有丢失任何内容。") from None
        return done

    def run(self, act: Callable[[Page], T]) -> T:
        """Run an act and return what it returns, once it is committed. Raises what the act raises."""
        return self.submit(act).result()

    def take(self, order: Order) -> Receipt:
        """Take a step on a case."""
        return self.run(lambda page: page.take(order))

    def report(self, found: Found) -> Receipt:
        """Take in a new case."""
        return self.run(lambda page: page.report(found))

    def close(self) -> None:
        """Write what waits and end."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(30)

    def _work(self) -> None:
        book = Book()
        while True:
            first = self._queue.get()
            if first is None:
                return
            jobs, last = self._gather(first)
            self._together(book, jobs)
            if last:
                return

    def _gather(self, first: tuple[Callable[[Page], Any], Future[Any]]) -> tuple[list[tuple[Callable[[Page], Any], Future[Any]]], bool]:
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

    def _together(self, book: Book, jobs: list[tuple[Callable[[Page], Any], Future[Any]]]) -> None:
        """Run acts in one transaction; each future learns of its own act, and of the commit."""
        results: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self.store.engine.begin() as connection:
                page = Page(connection, book, self.inline)
                for act, done in jobs:
                    try:
                        results.append((done, act(page), None))
                    except GovError as refused:
                        results.append((done, None, refused))
                page.finish()
        except BaseException as bad:  # noqa: BLE001  (whoever waits must be told, whatever happened)
            book.forget()
            for _, done in jobs:
                done.set_exception(bad)
            return
        for done, value, refused in results:
            if refused is None:
                done.set_result(value)
            else:
                done.set_exception(refused)
