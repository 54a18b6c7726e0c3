"""Asks cameras for a picture, again and again, so that their health is known and not only told.

One camera at a time of each host, each within seconds, a round within its own time; what was looked at longest ago comes
first. A camera that is dead, hangs, sends a page or never stops is a state and is counted; it holds up nothing but its own
host's next camera, and no page. Only hosts that are named in GOV_CAMERA_HOSTS are asked, and pictures of the demo never.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import insert, select, update

from queries import live_video, stills
from queries.clock import moment, now, stamp
from queries.errors import DoorError, NoPictureError, StoreError
from queries.sensing.tables import camera_state
from queries.settings import Settings
from queries.sources import _kept
from queries.store import Store, bump
from queries.tables import camera

#: Hosts that are asked at once; seconds of one round at most; findings that are written together.
TOGETHER, ROUND_S, AT_ONCE = 16, 240.0, 200
LEASE, KEPT = "camera-probe-lease", "camera-probe"
log = structlog.get_logger("prober")


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A camera to be asked. Its address may hold a password."""

    id: int
    address: str = field(repr=False)
    live: bool
    host: str
    looked_at: int


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a camera did when it was asked: `found` is empty for a picture, else a word of queries/stills.py."""

    id: int
    at: int
    found: str

    @property
    def state(self) -> str:
        """Return what state that is."""
        return "online" if not self.found else "offline" if self.found in stills.AWAY else "no_picture"


@dataclass(frozen=True, kw_only=True)
class Round:
    """How the last round went: cameras that can be asked, were asked, and what those without a picture did."""

    at: datetime
    can: int
    asked: int
    found: dict[str, int]
    changed: int


def last(store: Store) -> Round | None:
    """Return how the last round went; None = there was none."""
    told = _kept.recall(store, KEPT)
    return None if told is None else Round(**{**told, "at": moment(told["at"])})


def aims(store: Store, hosts: str) -> list[Aim]:
    """Return the cameras that can be asked, the one that was looked at longest ago first."""
    c = camera.c
    with store.read() as connection:
        rows = connection.execute(select(c.id, c.still, c.live, c.looked_at).where((c.still != "") | (c.live != ""))).all()
    out = []
    for r in rows:
        address = r.still if r.still and not r.still.startswith("demo:") else r.live
        try:
            stills.allowed(address, hosts)
        except DoorError:
            continue
        if not address.startswith("demo:"):
            out.append(Aim(id=r.id, address=address, live=address != r.still, host=urlsplit(address).hostname or "", looked_at=r.looked_at or 0))
    return sorted(out, key=lambda one: (one.looked_at, one.id))


def ask(aim: Aim) -> Finding:
    """Ask a camera for a picture. Raises nothing that it did."""
    found = ""
    try:
        if aim.live:
            asyncio.run(live_video.alive(aim.address))
        else:
            stills.fetched(aim.address)
    except NoPictureError as bad:
        found = bad.found
    except Exception as bad:  # noqa: BLE001  (whatever a camera sends, the next one has its turn; the address is not told)
        log.warning("a camera could not be asked", camera=aim.id, error=type(bad).__name__)
        found = "stream"
    return Finding(id=aim.id, at=stamp(now()), found=found)


def settle(store: Store, findings: Sequence[Finding], sure: Sequence[bool]) -> int:
    """Write down what was found; return how many cameras changed. Where it is not sure yet, only that somebody looked."""
    c, changed = camera.c, 0
    with store.aside() as connection:
        held = {r.id: r for r in connection.execute(select(c.id, c.state).where(c.id.in_([one.id for one in findings])))}
        for one, certain in zip(findings, sure, strict=True):
            row = held.get(one.id)
            if row is None:
                continue
            values: dict[str, Any] = {"looked_at": one.at, "found": one.found}
            if one.state == "online":
                values["seen_at"] = one.at
            if certain and row.state != one.state:
                values |= {"state": one.state, "since_at": one.at}
                connection.execute(insert(camera_state).values(camera_id=one.id, at=one.at, state=one.state, by="probe", why=one.found))
                changed += 1
            connection.execute(update(camera).where(c.id == one.id).values(**values))
        if changed:
            # Only what changes an answer is news to open pages.
            bump(connection)
    return changed


class Prober:
    """Looks in a thread of its own, in one process at a time."""

    def __init__(self, store: Store, settings: Settings, every_s: float | None = None) -> None:
        """Begin a while after the server; never where no host is named, or the setting says so."""
        self._store, self._hosts = store, settings.camera_hosts
        self._every = settings.camera_probe_s if every_s is None else every_s
        self._me = uuid.uuid4().hex[:12]
        self._ended = threading.Event()
        #: What was found last and is not believed yet: a single picture that does not come may be the network.
        self._doubt: dict[int, str] = {}
        self._thread: threading.Thread | None = None
        if self._hosts.strip(" ,") and self._every > 0:
            self._thread = threading.Thread(target=self._run, name="prober", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End; a camera that is being asked is left behind."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(15)

    def _run(self) -> None:
        wait = min(20.0, self._every)
        while not self._ended.wait(wait):
            wait = self._every
            try:
                if _kept.hold(self._store, self._me, int(self._every + ROUND_S) + 60, LEASE):
                    self.once()
            except StoreError as bad:
                log.info("the look at cameras waits for the database", reason=str(bad))
            except Exception as bad:  # noqa: BLE001  (told; the next round tries again)
                log.warning("the look at cameras failed", error=type(bad).__name__, exc_info=bad)
        if self._thread is not None:
            try:
                _kept.release(self._store, self._me, LEASE)
            except StoreError:
                log.info("the lease of the prober ends by itself")

    def once(self) -> Round:
        """Ask each camera once, as far as the time of a round goes; return how it went."""
        began, all_ = time.monotonic(), aims(self._store, self._hosts)
        hosts: dict[str, list[Aim]] = {}
        for one in all_:
            hosts.setdefault(one.host, []).append(one)
        todo: SimpleQueue[list[Aim]] = SimpleQueue()
        for cameras in hosts.values():
            todo.put(cameras)
        done: SimpleQueue[Finding | None] = SimpleQueue()

        def over() -> bool:
            return self._ended.is_set() or time.monotonic() - began > ROUND_S

        def work() -> None:
            try:
                while not over():
                    for one in todo.get_nowait():
                        if over():
                            break
                        done.put(ask(one))
            except Empty:
                pass
            finally:
                done.put(None)

        workers = min(TOGETHER, len(hosts))
        for _ in range(workers):
            threading.Thread(target=work, name="probe", daemon=True).start()
        asked, changed, told, part = 0, 0, Counter[str](), []
        while workers:
            one = done.get()
            if one is None:
                workers -= 1
            else:
                part.append(one)
                asked += 1
                told[one.found] += bool(one.found)
            if part and (len(part) >= AT_ONCE or not workers):
                changed += self._write(part)
                part = []
        at = stamp(now())
        how = {"at": at, "can": len(all_), "asked": asked, "found": {k: n for k, n in told.items() if n}, "changed": changed}
        _kept.keep(self._store, KEPT, json.loads(json.dumps(how)))
        return Round(**{**how, "at": moment(at)})  # type: ignore[arg-type]

    def _write(self, part: list[Finding]) -> int:
        sure = []
        for one in part:
            # What is well is believed at once, what is not the second time.
            sure.append(one.state == "online" or self._doubt.get(one.id) == one.state)
            if one.state == "online":
                self._doubt.pop(one.id, None)
            else:
                self._doubt[one.id] = one.state
        return settle(self._store, part, sure)
