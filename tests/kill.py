"""Kills the server (or PostgreSQL under it) at random moments while acknowledged events come in: `python -m tests.kill [--pg]`.

Afterwards no acknowledged event may be lost, none may be there twice, and all sums must equal a rebuild. With
`--readings` they are readings through a broker, which is killed too (tests/kill_readings.py).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from dashboard.doors import HTTP
from queries import demo, loading
from queries.loop.projector import lag
from queries.loop.rebuild import compare
from queries.store import Store
from queries.tables import cases, event
from tests import kill_readings
from tests.bench.intake import ADMIN_HEAD, WAY, listed, point
from tests.pg import Postgres
from tests.wire import Line, Server

SINGLES, BATCHES, ROWS = 12, 2, 100
#: A server that is away so long does not come back by itself.
PATIENCE_S = 120


@dataclass
class Ledger:
    """What the client was told, and what it met."""

    #: By the event's number: the case, the step, and which event of the case it is.
    told: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    silent_s: float = 0.0

    def keep(self, step: str, receipt: dict[str, Any]) -> None:
        """Write an acknowledgement down."""
        self.met["again" if receipt["again"] else "new"] += 1
        row = (receipt["no"], step, receipt["seq"])
        assert self.told.setdefault(receipt["event"], row) == row, f"one event was acknowledged as two: {row}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was found after all kills."""

    kills: int
    acknowledged: int
    again: int
    unanswered: int
    told_busy: int
    lost: int
    double: int
    differing: int
    silent_s: float
    took_s: float

    @property
    def good(self) -> bool:
        """Return whether everything that was acknowledged is there once, and the sums agree."""
        return not (self.lost or self.double or self.differing)


def run(folder: Path, url: str, kills: int, events: int, pg: Postgres | None = None, seed: int = 1) -> Outcome:
    """Send so many events, kill so often, and look. Kills PostgreSQL where one is given, else the server."""
    store = Store(url)
    loading.load(folder, store, quiet=True)
    department, category = listed(store)
    server = Server(folder.parent, url).start()
    began = time.perf_counter()
    try:
        ledger = asyncio.run(_play(server, pg, _Work(events, department, category), kills, random.Random(seed)))
        if pg:
            _caught_up(store)
    finally:
        server.stop()
    took = time.perf_counter() - began
    try:
        return _looked(store, ledger, kills, took)
    finally:
        store.close()


class _Work:
    """What is sent: whole ways of cases, half of them one by one, half in batches."""

    def __init__(self, events: int, department: str, category: str) -> None:
        self.ways = max(1, events // len(_steps(department)) // 2)
        self.department, self.category = department, category

    def share(self, which: int) -> range:
        """Return the numbers of the cases of one connection."""
        return range(which % SINGLES, self.ways, SINGLES) if which < SINGLES else range(which - SINGLES, self.ways, BATCHES)

    def case(self, which: int, i: int) -> dict[str, Any]:
        """Return one new case."""
        return {"no": f"{'S' if which < SINGLES else 'B'}{i}", "category": self.category, "title": "路面", **point(i)}


def _steps(department: str) -> list[dict[str, str]]:
    return [{"step": "reported"}, *({k: v.format(department=department) for k, v in step.items()} for step in WAY)]


async def _play(server: Server, pg: Postgres | None, work: _Work, kills: int, rng: random.Random) -> Ledger:
    ledger = Ledger()
    total = work.ways * len(_steps("")) * 2
    lines = [Line(server.port, ADMIN_HEAD) for _ in range(SINGLES + BATCHES)]
    senders = [asyncio.create_task((_singles if i < SINGLES else _batches)(line, i, work, ledger)) for i, line in enumerate(lines)]
    killer = asyncio.create_task(_kill(server, pg, ledger, sorted(rng.uniform(0.02, 0.95) * total for _ in range(kills)), rng))
    try:
        await asyncio.gather(*senders, killer)
    finally:
        for task in (*senders, killer):
            task.cancel()
        for line in lines:
            line.close()
    return ledger


async def _kill(server: Server, pg: Postgres | None, ledger: Ledger, moments: list[float], rng: random.Random) -> None:
    for moment in moments:
        while len(ledger.told) < moment:
            await asyncio.sleep(0.005)
        await asyncio.sleep(rng.uniform(0, 0.1))
        began, before = time.monotonic(), len(ledger.told)
        victim: Any = pg or server
        victim.kill()
        await asyncio.to_thread(victim.start)
        while len(ledger.told) <= before:
            await asyncio.sleep(0.005)
        ledger.silent_s = max(ledger.silent_s, time.monotonic() - began)


async def _singles(line: Line, which: int, work: _Work, ledger: Ledger) -> None:
    for i in work.share(which):
        case = work.case(which, i)
        ledger.keep("reported", await _sent(line, "/api/v1/cases", case, ledger, key=f"{case['no']}/0"))
        for n, step in enumerate(_steps(work.department)[1:], 1):
            ledger.keep(step["step"], await _sent(line, f"/api/v1/cases/{case['no']}/steps", step, ledger, key=f"{case['no']}/{n}"))


async def _batches(line: Line, which: int, work: _Work, ledger: Ledger) -> None:
    numbers = list(work.share(which))
    for at in range(0, len(numbers), ROWS):
        held = [work.case(which, i) for i in numbers[at:at + ROWS]]
        for n, step in enumerate(_steps(work.department)):
            rows = [{**(case if not n else {"no": case["no"], **step}), "key": f"{case['no']}/{n}"} for case in held]
            while rows:
                told = await _sent(line, "/api/v1/steps/batch" if n else "/api/v1/cases/batch", {"rows": rows}, ledger)
                left = []
                for row, out in zip(rows, told["rows"], strict=True):
                    if "receipt" in out and out["receipt"]:
                        ledger.keep(step["step"], out["receipt"])
                    else:
                        assert out["status"] in (429, 503), out
                        ledger.met["busy"] += 1
                        left.append(row)
                if left == rows:
                    await asyncio.sleep(0.1)
                rows = left


async def _sent(line: Line, path: str, told: Any, ledger: Ledger, key: str = "") -> dict[str, Any]:
    """Send a message until it is answered; whoever gets no answer sends the same again."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            status, answer = await line.post(path, told, key)
        except OSError:
            ledger.met["unanswered"] += 1
        else:
            if status in (200, 201):
                return answer
            assert status in (429, 503), (status, answer)
            ledger.met["busy"] += 1
        assert time.monotonic() < end, "the server does not come back"
        await asyncio.sleep(0.05)


def _caught_up(store: Store) -> None:
    end = time.monotonic() + PATIENCE_S
    while lag(store)[0]:
        assert time.monotonic() < end, "the projector does not catch up"
        time.sleep(0.1)


def _looked(store: Store, ledger: Ledger, kills: int, took: float) -> Outcome:
    sent = event.c.source == HTTP
    with store.read() as connection:
        there = {r[0]: tuple(r[1:]) for r in connection.execute(
            select(event.c.id, cases.c.no, event.c.step, event.c.seq).join(cases, cases.c.id == event.c.case_id).where(sent))}
        again = select(event.c.case_id, event.c.step).where(sent).group_by(event.c.case_id, event.c.step).having(func.count() > 1)
        twice = connection.execute(select(func.count()).select_from(again.subquery())).scalar_one()
    lost = sum(1 for id_, row in ledger.told.items() if there.get(id_) != row)
    # Whatever nobody was told of is a second copy: each message was sent until it was acknowledged.
    double = twice + len(there.keys() - ledger.told.keys())
    done = compare(store, quiet=True)
    return Outcome(
        kills=kills, acknowledged=len(ledger.told), again=ledger.met["again"], unanswered=ledger.met["unanswered"], told_busy=ledger.met["busy"],
        lost=lost, double=double, differing=done.mended + (done.differing or 0), silent_s=ledger.silent_s, took_s=took)


def rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield the lines of the table."""
    o = outcome
    yield "kills", f"{o.kills}"
    yield "events acknowledged", f"{o.acknowledged:,} in {o.took_s:.0f} s"
    yield "attempts without an answer", f"{o.unanswered:,}"
    yield "messages that had been written, told so", f"{o.again:,}"
    yield "answers 'try again' (429, 503)", f"{o.told_busy:,}"
    yield "longest from a kill to the next acknowledgement", f"{o.silent_s:.1f} s"
    yield "acknowledged and lost", f"{o.lost:,}"
    yield "there twice", f"{o.double:,}"
    yield "cases or sums that a rebuild would mend", f"{o.differing:,}"


def main() -> int:
    """Run it and print its table; 1 when something was lost, double or different."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--events", type=int, default=100_000, help="events, or readings, to send")
    parser.add_argument("--readings", action="store_true", help="readings through a broker instead of events; the broker is killed too")
    parser.add_argument("--rate", type=int, default=1000, help="readings a second of all devices together")
    parser.add_argument("--forgetful", action="store_true", help="devices that do not say their last seconds again after a broken connection")
    parser.add_argument("--grids", type=int, default=5_000, help="grids of the demo city")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pg", action="store_true", help="on PostgreSQL, which is killed while the server lives")
    given = parser.parse_args()
    if given.readings:
        return kill_readings.main(given.kills, given.events, given.seed, given.pg, given.rate, given.forgetful)
    pg = Postgres(safe=True) if given.pg else None
    try:
        with tempfile.TemporaryDirectory() as where:
            folder = demo.make(Path(where) / "city", grids=given.grids, seed=3)
            url = pg.database() if pg else f"sqlite:///{where}/brain.sqlite"
            outcome = run(folder, url, given.kills, given.events, pg, given.seed)
    finally:
        if pg:
            pg.stop()
    print("PostgreSQL killed under a living server" if pg else "SQLite, server killed")
    for what, value in rows(outcome):
        print(f"{what:50} {value:>22}")
    print("good" if outcome.good else "BAD")
    return int(not outcome.good)


if __name__ == "__main__":
    raise SystemExit(main())
