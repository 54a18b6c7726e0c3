"""Lets each source have its turn on its own clock, each in a thread of its own.

A source that hangs, floods, raises or returns rubbish becomes a state on the screen and slows nobody else.
One process at a time runs the doors of a database, by a lease that runs out when the process dies; on the same
machine its end is seen at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, insert, select, update

from queries.clock import now, stamp
from queries.errors import GovError, StoreError
from queries.loop.writer import Writer
from queries.settings import Settings
from queries.sources import _kept
from queries.sources._pen import Pen
from queries.sources._source import Source, Told, Turn
from queries.tables import source as source_table

log = structlog.get_logger("doors")
#: Seconds for which a process has the doors without saying so again, and how often it says so.
LEASE_S, RENEW_S = 45, 10.0
#: After failures the next turn is put off, twice as long each time, up to an hour.
LONGEST_S = 3600.0
#: A turn that takes longer than this part of its time is slow.
SLOW = 0.5
Words = dict[str, str]


@dataclass
class _Lane:
    """One source: its clock, its thread, and how it fares."""

    source: Source
    next_at: float = 0.0
    failures: int = 0
    thread: threading.Thread | None = None
    begun: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    overran: bool = False
    outcome: Any = None
    state: dict[str, Any] = field(default_factory=dict)


class Coordinator:
    """Runs until closed. Started with the server; does nothing where no source needs a turn."""

    def __init__(self, writer: Writer, settings: Settings, sources: Mapping[str, Source] | None = None, tick_s: float = 0.5) -> None:
        """Run the sources (all of the folder unless given) that are on."""
        if sources is None:
            from queries.sources import found

            sources = found()
        self._writer, self._settings, self._tick = writer, settings, tick_s
        self._me = _kept.name_of_process()
        self._lanes = [_Lane(source=one) for one in sources.values() if one.run is not None and one.is_on(settings)]
        self._ended = threading.Event()
        self._leads, self._renew_at = False, 0.0
        self._thread = threading.Thread(target=self._work, name="doors", daemon=True)
        if self._lanes:
            self._thread.start()

    @property
    def leads(self) -> bool:
        """Return whether this process runs the doors of its database."""
        return self._leads

    def close(self) -> None:
        """End all turns; one that does not listen is left behind and writes no more."""
        self._ended.set()
        for lane in self._lanes:
            lane.over.set()
        if self._thread.is_alive():
            self._thread.join(15)
        until = time.monotonic() + 5
        for lane in self._lanes:
            if lane.thread is not None:
                lane.thread.join(max(0.0, until - time.monotonic()))
        if self._leads:
            try:
                _kept.release(self._writer.store, self._me)
            except StoreError:
                log.info("the lease of the doors ends by itself")

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                if self._lead():
                    for lane in self._lanes:
                        self._look(lane)
            except StoreError as bad:
                # A long load holds the database; what runs goes on.
                log.info("the doors wait for the database", reason=str(bad))
            except Exception as bad:  # noqa: BLE001  (whatever happens, the next round tries again)
                log.error("the doors fail", error=str(bad))
            self._ended.wait(self._tick)

    def _lead(self) -> bool:
        if time.monotonic() < self._renew_at:
            return self._leads
        self._renew_at = time.monotonic() + RENEW_S
        led, leads = self._leads, _kept.hold(self._writer.store, self._me, LEASE_S)
        if leads and not led:
            self._writer.run(lambda page: [_announce(page.connection, lane.source) for lane in self._lanes])
            for lane in self._lanes:
                lane.state = _kept.recall(self._writer.store, _kept.STATE + lane.source.id) or {}
        elif led and not leads:
            for lane in self._lanes:
                lane.over.set()
        self._leads = leads
        return leads

    def _look(self, lane: _Lane) -> None:
        present = time.monotonic()
        if lane.thread is None:
            if present >= lane.next_at:
                self._begin(lane)
        elif not lane.thread.is_alive():
            self._finish(lane)
        elif present - lane.begun > lane.source.timeout_s and not lane.overran:
            lane.over.set()
            lane.overran = True
            took = round(lane.source.timeout_s)
            self._mark(lane, "failed", {"zh": f"超过 {took} 秒未结束，已中止", "en": f"did not end within {took} s and was stopped"})

    def _begin(self, lane: _Lane) -> None:
        over = threading.Event()
        turn = Turn(writer=Pen(self._writer, over.is_set), settings=self._settings, ended=over.is_set)
        lane.over, lane.overran, lane.outcome, lane.begun = over, False, None, time.monotonic()
        lane.thread = threading.Thread(target=self._turn, args=(lane, turn), name=f"door-{lane.source.id}", daemon=True)
        lane.thread.start()

    def _turn(self, lane: _Lane, turn: Turn) -> None:
        try:
            assert lane.source.run
            lane.outcome = lane.source.run(turn)
        except BaseException as bad:  # noqa: BLE001  (the edge of a plug-in call)
            lane.outcome = bad

    def _finish(self, lane: _Lane) -> None:
        took, told, lane.thread = time.monotonic() - lane.begun, lane.outcome, None
        if self._ended.is_set():
            return
        if lane.overran:
            self._after(lane, failed=True)
        elif lane.over.is_set():
            # Another process had the doors meanwhile: what this turn says of its end is no failure.
            self._after(lane, failed=False)
        elif isinstance(told, BaseException):
            if not lane.state.get("failures"):
                log.warning("a door fails", door=lane.source.id, error=type(told).__name__, exc_info=None if isinstance(told, GovError) else told)
            self._mark(lane, "failed", _words(told))
            self._after(lane, failed=True)
        elif not isinstance(told, Told):
            self._mark(lane, "failed", {"zh": "返回了无法识别的结果", "en": f"returned {type(told).__name__}, which says nothing"})
            self._after(lane, failed=True)
        else:
            self._done(lane, told, took)

    def _done(self, lane: _Lane, told: Told, took: float) -> None:
        if told.trouble is not None:
            self._mark(lane, "failed", told.trouble, told)
        elif lane.source.kind != "out" and took > SLOW * lane.source.timeout_s:
            self._mark(lane, "slow", {"zh": f"本轮用时 {took:.0f} 秒", "en": f"its last turn took {took:.0f} s"}, told)
        else:
            if lane.failures:
                log.info("a door works again", door=lane.source.id)
            self._mark(lane, "ok", {}, told)
        self._after(lane, failed=False)

    def _after(self, lane: _Lane, failed: bool) -> None:
        every = lane.source.every_s(self._settings)
        lane.failures = lane.failures + 1 if failed else 0
        wait = every if not failed else min(max(every, self._tick) * 2 ** min(lane.failures, 20), max(LONGEST_S, every))
        lane.next_at = time.monotonic() + wait * (random.uniform(0.9, 1.1) if failed else 1.0)  # noqa: S311

    def _mark(self, lane: _Lane, state: str, message: Words, told: Told | None = None) -> None:
        """Keep how a source fares: on the data page and in /healthz. What does not change is not written again."""
        present, old = stamp(now()), lane.state
        same = (old.get("state"), old.get("message")) == (state, message)
        new = {
            "state": state, "message": message, "since": old["since"] if same and "since" in old else present,
            "failures": 0 if state != "failed" else old.get("failures", 0) + 1, "at": present,
            "as_of": max((m for m in (old.get("as_of"), told.as_of if told else None) if m is not None), default=None),
            "taken": old.get("taken", 0) + (told.taken if told else 0), "refused": old.get("refused", 0) + (told.refused if told else 0),
        }
        counts = ("state", "message", "taken", "refused")
        if all(old.get(name) == new[name] for name in counts) and present - old.get("at", 0) < RENEW_S:
            return
        lane.state = new
        _kept.keep(self._writer.store, _kept.STATE + lane.source.id, new)


def _words(bad: BaseException) -> Words:
    if isinstance(bad, GovError):
        return {"zh": bad.say("zh")[:500], "en": str(bad)[:500]}
    # What a stranger's error says may hold an address or a secret: only its kind is shown, the rest is in the log.
    return {"zh": f"内部错误（{type(bad).__name__}），详见日志", "en": f"failed inside ({type(bad).__name__}); the log says more"}


def _announce(connection: Connection, one: Source) -> None:
    """Give a door its row among the sources; how it fares is kept beside it."""
    kind = "cases" if one.kind == "poll" else "doors"
    words = {"title": one.title["zh"], "title_en": one.title["en"]}
    if connection.scalar(select(source_table.c.id).where(source_table.c.id == one.id)):
        connection.execute(update(source_table).where(source_table.c.id == one.id).values(**words))
        return
    connection.execute(insert(source_table).values(
        id=one.id, kind=kind, licence="", state="ok", message="", rows=0, refused=0, doubted=0, **words))
