"""What of the loop runs while a server runs: the writer, the projector where one is needed, and the clock.

The clock reminds and escalates; it never closes, never punishes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import func, select, update

from queries.clock import now as present
from queries.clock import stamp
from queries.errors import GovError
from queries.frame import CLOCK
from queries.loop import task_list, whistles
from queries.loop.orders import Order
from queries.loop.page import Page
from queries.loop.projector import Follower
from queries.loop.tables import whistle
from queries.loop.writer import Writer
from queries.store import Store

log = structlog.get_logger("loop")
TICK_LOCK = 0x676F77


def tick(page: Page) -> dict[str, int]:
    """Let temporary items end and unanswered whistles climb one rung when their time is over again; return counts."""
    if page.connection.dialect.name == "postgresql" and not page.connection.scalar(select(func.pg_try_advisory_xact_lock(TICK_LOCK))):
        return {}
    climbed = 0
    for w in whistles.unanswered(page.connection, page.seen):
        if w.climbed < len(whistles.RUNGS) and page.seen >= w.due_at + w.climbed * (w.due_at - w.blown_at):
            climbed += page.attempt(lambda w=w: _climb(page, w))
    return {"ended": task_list.expire(page.connection, page.seen), "climbed": climbed}


def _climb(page: Page, w: Any) -> int:
    rung = whistles.RUNGS[w.climbed]
    page.connection.execute(update(whistle).where(whistle.c.id == w.id).values(climbed=w.climbed + 1))
    try:
        page.step(Order(actor=CLOCK, no=w.no, step="escalated", reason=f"哨响未按时报到，升至{rung['zh']}",
                         details={"whistle": w.id, "rung": w.climbed + 1, "department": page.book.department(w.department_id)}))
    except GovError:
        # The case is over; the whistle itself still climbs until somebody ends it.
        log.info("a whistle climbs on a case that is over", case=w.no)
    return 1


class LoopService:
    """The running parts. Made once per process; `close` writes what waits."""

    def __init__(self, store: Store, every_s: float = 15.0, writers: int | None = None, more: Sequence[Callable[[Page], Any]] = ()) -> None:
        """Start the writer, the projector (PostgreSQL) and the clock; `more` = what else ticks with it."""
        self.writer = Writer(store, writers)
        self._follower = None if self.writer.inline else Follower(store)
        self._ended = threading.Event()
        self._every = every_s
        self._ticks = (tick, *more)
        self._clock = threading.Thread(target=self._run, name="clock", daemon=True)
        self._clock.start()
        self.started_at = stamp(present())

    def close(self) -> None:
        """End all of it."""
        self._ended.set()
        self.writer.close()
        if self._follower:
            self._follower.close()
        self._clock.join(30)

    def _run(self) -> None:
        failing = False
        while not self._ended.wait(self._every):
            try:
                for one in self._ticks:
                    self.writer.run(one)
                failing = False
            except Exception as bad:  # noqa: BLE001  (told once; the next tick tries again)
                if not failing and not self._ended.is_set():
                    log.error("the loop's clock fails", error=str(bad))
                failing = True
