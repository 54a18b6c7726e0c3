"""Acknowledged events a second through the HTTP door: a real server, 32 kept-alive connections, every sum and clock kept."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

from layers import _idtiles
from queries import demo, loading
from queries.frame import EVERYTHING, Actor
from queries.loop import task_list
from queries.loop.projector import lag
from queries.settings import Settings
from queries.store import Store
from tests.pg import Postgres, program
from tests.wire import Line, Server, together

Row = tuple[str, str, str, str]
GRIDS, LINES, SINGLE, BATCHED, PER_BATCH = 5_000, 32, 7_000, 35_000, 1_000
ADMIN = Actor(name="bench", post="admin", scope=EVERYTHING)
ADMIN_HEAD = "Cookie: gov_demo_post=admin\r\n"
#: The whole way of a case, all of it by the administrator's post.
WAY = ({"step": "filed"}, {"step": "dispatched", "department": "{department}"}, {"step": "accepted"}, {"step": "fed_back"},
       {"step": "verified"}, {"step": "closed"})


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        folder = demo.make(Path(where) / "city", grids=GRIDS, seed=3)
        yield from _on(folder, f"sqlite:///{where}/brain.sqlite", "SQLite", "")
        if program("initdb"):
            pg = Postgres(safe=True)
            try:
                yield from _on(folder, pg.database(), "PostgreSQL, 4 writers", "4")
            finally:
                pg.stop()


def _on(folder: Path, url: str, name: str, writers: str) -> Iterator[Row]:
    store = Store(url)
    loading.load(folder, store, quiet=True)
    department, category = listed(store)
    # A server draws its map ahead when it is new; here that would stand in the way of what is measured.
    _idtiles.bake(_idtiles.Tiles(store, Settings(data_dir=folder)))
    server = Server(folder, url, **({"GOV_WRITERS": writers} if writers else {})).start()
    try:
        for what, act, n, aim in (("single", _singles, SINGLE, ">= 400/s"), ("batches of 1,000", _batches, BATCHED, ">= 3,000/s")):
            # The client has a process of its own, as in earnest.
            with get_context("spawn").Pool(1) as pool:
                waiting = pool.apply_async(act, (server.port, n, department, category))
                worst = 0.0
                while not waiting.ready():
                    waiting.wait(0.25)
                    worst = max(worst, lag(store)[1]) if writers else 0.0
                took, done, slow = waiting.get()
            caught = _caught_up(store) if writers else 0.0
            beside = f"p95 {slow:,.0f} ms" + (f", lag <= {worst:.0f} s, then {caught:.1f} s" if writers else "")
            yield f"{what}, acknowledged over HTTP, {name}", f"{done / took:,.0f}/s", beside, aim
    finally:
        server.stop()
        store.close()


def listed(store: Store) -> tuple[str, str]:
    """Put one kind of work on the task list; return its department and category."""
    from sqlalchemy import select

    from queries.tables import category, department

    with store.read() as connection:
        dep = connection.scalar(select(department.c.code).order_by(department.c.id).limit(1))
        cat = connection.scalar(select(category.c.code).order_by(category.c.id).limit(1))
    task_list.apply(store, ADMIN, code="BENCH", title="示例", department_code=dep, to="department", category=cat, basis="示例")
    for step in ("review", "approve", "publish"):
        task_list.move(store, ADMIN, "BENCH", step)
    return str(dep), str(cat)


def point(n: int) -> dict[str, float]:
    """Return one of many places in the demo city."""
    return {"lon": 125.72 + (n * 7919 % 1000) / 5000, "lat": 29.92 + (n * 104_729 % 1000) / 5000}


def _singles(port: int, n: int, department: str, category: str) -> tuple[float, int, float]:
    times: list[float] = []

    async def work(line: Line, which: int) -> None:
        for i in range(n // LINES // (len(WAY) + 1)):
            made = await _timed(line, "/api/v1/cases", {"category": category, "title": "路面", **point(which * 1000 + i)})
            for step in WAY:
                told = {k: v.format(department=department) for k, v in step.items()}
                await _timed(line, f"/api/v1/cases/{made['no']}/steps", told)

    async def _timed(line: Line, path: str, told: dict[str, object]) -> dict[str, str]:
        began = time.perf_counter()
        status, answer = await line.post(path, told)
        times.append((time.perf_counter() - began) * 1000)
        assert status == 201, answer
        return answer

    took = asyncio.run(together(port, LINES, work, ADMIN_HEAD))
    return took, len(times), sorted(times)[int(len(times) * 0.95)]


def _batches(port: int, n: int, department: str, category: str) -> tuple[float, int, float]:
    times: list[float] = []
    lines = 4

    async def send(line: Line, path: str, rows: list[dict[str, object]]) -> list[str]:
        began = time.perf_counter()
        status, told = await line.post(path, {"rows": rows})
        times.append((time.perf_counter() - began) * 1000)
        assert (status, told["refused"]) == (200, 0), told["rows"][0]
        return [row["receipt"]["no"] for row in told["rows"]]

    async def work(line: Line, which: int) -> None:
        for i in range(max(1, round(n / lines / PER_BATCH / (len(WAY) + 1)))):
            numbers = await send(line, "/api/v1/cases/batch", [
                {"category": category, "title": "路面", **point(which * 100_000 + i * PER_BATCH + j)} for j in range(PER_BATCH)])
            for step in WAY:
                told = {k: v.format(department=department) for k, v in step.items()}
                await send(line, "/api/v1/steps/batch", [{"no": no, **told} for no in numbers])

    took = asyncio.run(together(port, lines, work, ADMIN_HEAD))
    return took, len(times) * PER_BATCH, sorted(times)[int(len(times) * 0.95)]


def _caught_up(store: Store) -> float:
    began = time.perf_counter()
    while lag(store)[0]:
        time.sleep(0.05)
    return time.perf_counter() - began
