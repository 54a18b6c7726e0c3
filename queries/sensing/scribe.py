"""Writes parcels of readings in groups: a thread takes what waits and commits it together.

A parcel is answered when it is safe. The same parcel twice changes nothing, so that after a lost answer, a
broken connection or a killed process everybody simply sends again.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from concurrent.futures import Future

import structlog
from sqlalchemy.exc import IntegrityError, OperationalError

from queries.errors import BusyError, StoreError
from queries.sensing.intake import Ledger, Parcel, Taken
from queries.sensing.often import Haste
from queries.sensing.register import Register
from queries.store import Store

#: Readings of one transaction, readings that may wait, and how often it is tried when another writer was in the way.
TOGETHER, WAITING, TRIES = 20_000, 200_000, 6
log = structlog.get_logger("sensing")
Job = tuple[Parcel, "Future[Taken]"]


class Scribe:
    """Serves one store. Threads may call it at once."""

    def __init__(self, store: Store) -> None:
        """Start the thread."""
        self.store = store
        self._queue: queue.Queue[Job | None] = queue.Queue()
        self._rows, self._lock = 0, threading.Lock()
        self._register: Register | None = None
        self._haste = Haste()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="scribe", daemon=True)
        self._thread.start()

    def submit(self, parcel: Parcel) -> Future[Taken]:
        """Hand in a parcel; its future is done when it is committed. Raises BusyError when too much waits."""
        n = len(parcel.rows) + len(parcel.unread)
        with self._lock:
            if self._closed:
                raise BusyError("The server is going down. Send it again when it is back.", zh="服务正在关闭，请稍后重发。")
            if self._rows + n > WAITING and self._rows:
                raise BusyError("Too many readings wait to be written. Send them again in a moment; nothing was lost.", zh="待写入的读数过多，请稍后重发；没有丢失任何内容。")
            self._rows += n
        done: Future[Taken] = Future()
        self._queue.put((parcel, done))
        return done

    def take(self, parcel: Parcel) -> Taken:
        """Write a parcel and return what became of it."""
        return self.submit(parcel).result()

    def close(self) -> None:
        """Write what waits and end."""
        with self._lock:
            self._closed = True
        self._queue.put(None)
        self._thread.join(30)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            jobs, n, last = [first], len(first[0].rows), False
            while n < TOGETHER:
                try:
                    one = self._queue.get_nowait()
                except queue.Empty:
                    break
                if one is None:
                    last = True
                    break
                jobs.append(one)
                n += len(one[0].rows)
            self._together(jobs)
            with self._lock:
                self._rows -= sum(len(p.rows) + len(p.unread) for p, _ in jobs)
            if last:
                break

    def _together(self, jobs: list[Job]) -> None:
        jobs = [job for job in jobs if not job[1].done()]
        try:
            told = self._tried([parcel for parcel, _ in jobs])
        except (OperationalError, IntegrityError) as bad:
            self._tell(jobs, StoreError(f"The database does not take readings now ({type(bad).__name__}). Send them again.", zh="数据库暂时不能写入读数，请稍后重发。"))
        except Exception as bad:  # noqa: BLE001  (whoever waits must be told)
            if len(jobs) > 1:
                for job in jobs:
                    self._together([job])
                return
            log.error("a parcel of readings cannot be written", source=jobs[0][0].source, error=type(bad).__name__, exc_info=bad)
            self._tell(jobs, bad)
        else:
            for (_, done), taken in zip(jobs, told, strict=True):
                if done.set_running_or_notify_cancel():
                    done.set_result(taken)

    def _tried(self, parcels: list[Parcel]) -> list[Taken]:
        for attempt in range(1, TRIES + 1):
            try:
                return self._written(parcels)
            except (OperationalError, IntegrityError):
                # Dead-locks of two writers, a database that restarts: a second time writes nothing twice.
                self._register = None
                if attempt == TRIES:
                    raise
                time.sleep(random.uniform(0.5, 1.0) * 0.1 * 2**attempt)  # noqa: S311
        raise AssertionError

    def _written(self, parcels: list[Parcel]) -> list[Taken]:
        with self.store.engine.begin() as connection:
            ledger = Ledger.open(connection, self._register, self._haste)
            told = [ledger.take(parcel) for parcel in parcels]
            ledger.finish()
        self._register = ledger.register
        return told

    def _tell(self, jobs: list[Job], bad: BaseException) -> None:
        for _, done in jobs:
            if done.set_running_or_notify_cancel():
                done.set_exception(bad)
