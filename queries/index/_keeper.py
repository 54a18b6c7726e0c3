"""Keeps the index at hand while a server runs: brings it up to date before somebody looks, and writes it down for the next start."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from queries import outlines, places, touched
from queries.clock import local_day, now, stamp
from queries.frame import EVERYTHING, Ask
from queries.index import _kept
from queries.store import Store
from queries.today import city_now

#: Seconds between two rounds; what is kept in the table is as old as that, and the marks since say what changed.
EVERY_S = 300.0
#: Levels of more areas are made when somebody looks.
MOST_AREAS = 50_000
log = structlog.get_logger("index")


class IndexKeeper:
    """Looks again and again in a thread of its own. Several processes may: what they write is the same."""

    def __init__(self, store: Store, every_s: float = EVERY_S) -> None:
        """Begin a while after the server."""
        self._store, self._every = store, every_s
        self._written: dict[tuple[Ask, int], int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(30)

    def _run(self) -> None:
        wait = min(20.0, self._every)
        while not self._ended.wait(wait):
            wait = self._every
            try:
                self.once()
            except Exception as bad:  # noqa: BLE001  (told; the next round tries again, and a screen makes what it needs)
                log.warning("the index could not be kept", error=type(bad).__name__, exc_info=bad)

    def once(self) -> int:
        """Bring what is kept up to date and write what moved; return how many levels and periods were written."""
        wanted = {(one.ask, one.number): None for one in _kept.kept_here(str(self._store.engine.url))} | dict.fromkeys(self._usual())
        n = 0
        for ask, number in wanted:
            if self._ended.is_set():
                break
            with self._store.read() as connection:
                one = _kept.held(connection, ask, number)
            if self._written.get((ask, number)) != one.mark:
                with self._store.aside() as connection:
                    _kept.save(connection, one)
                self._written[ask, number] = one.mark
                n += 1
        self._written = {key: mark for key, mark in self._written.items() if key in wanted}
        with self._store.aside() as connection:
            touched.forget(connection)
            _kept.forget_old(connection)
        return n

    def _usual(self) -> list[tuple[Ask, int]]:
        """Return what a screen shows that names no period: the last 30 days that are over, on every level."""
        with self._store.read() as connection:
            city = city_now(connection)
            if not city.loaded:
                return []
            last = min(city.last_day, local_day(stamp(now()), city.zone) - timedelta(days=1))
            ask = Ask(scope=EVERYTHING, since=city.last_day - timedelta(days=29), until=last)
            sizes = outlines.level_sizes(connection, places.root(connection, last))
            return [(ask, number) for number, n in sizes.items() if n <= MOST_AREAS]
