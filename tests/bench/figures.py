"""Loading, and the leader's page, at several sizes of the case table; raw rows beside it."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import event, func, select

from queries import answers, demo, kpi, loading, places, scope
from queries.clock import day_end, day_start
from queries.frame import EVERYTHING, Ask
from queries.store import Store
from queries.tables import cases
from queries.today import city_now
from tests.bench._site import grown

Row = tuple[str, str, str, str]
GRIDS, ROUNDS = 20_000, 3


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        folder = demo.make(Path(where) / "city", grids=GRIDS, seed=3)
        base = pl.read_parquet(folder / "cases.parquet")
        before: dict[str, float] = {}
        for size in sorted(int(n) for n in given.cases.split(",")):
            grown(base, size).write_parquet(folder / "cases.parquet")
            store = Store(f"sqlite:///{where}/{size}.sqlite")
            began = time.perf_counter()
            report = loading.load(folder, store, quiet=True)
            took = time.perf_counter() - began
            n = next(s.accepted for s in report.sources if s.kind == "cases")
            yield f"load {n:,} cases, {GRIDS:,} grids, SQLite, all sums", f"{n / took:,.0f}/s", f"{took:.0f} s in all", ">= 20,000/s"
            store.close()
            os.sync()  # what the load wrote is on the disk before anything is read
            # In a process of its own, as a server has it: the memory that a load leaves behind would be searched for cycles with every answer.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
                rows, before = apart.submit(_page, f"sqlite:///{where}/{size}.sqlite", size, before).result()
            yield from rows


def _page(url: str, size: int, before: dict[str, float]) -> tuple[list[Row], dict[str, float]]:
    store = Store(url)
    asks = _asks(store)
    for ask in asks:  # a server that has been asked before: its statements are known, the table is in memory
        _leader(store, ask)
    now = {"tiles": _p95([_clock(lambda a=a: kpi.tiles(store, a)) for a in asks * ROUNDS]),
           "leader's page": _p95([_clock(lambda a=a: _leader(store, a)) for a in asks * ROUNDS])}
    statements = {_count(store, lambda a=a: _leader(store, a)) for a in asks[:20]}
    raw = _p95([_clock(lambda a=a: _raw(store, a)) for a in asks[:8]])
    store.close()
    rows = []
    for name, aim in (("tiles", "<= 2 ms"), ("leader's page", "<= 15 ms")):
        ratio = f", {now[name] / before[name]:.2f}x the smaller table" if before else ""
        rows.append((f"{name}, any area, level, period, {size:,} cases, p95", f"{now[name]:.2f} ms", f"raw rows {raw:,.0f} ms{ratio}", aim))
    return [*rows, ("statements of the leader's page", "/".join(map(str, sorted(statements))), "", "constant")], now


def _asks(store: Store) -> list[Ask]:
    random.seed(5)
    with store.read() as connection:
        last = city_now(connection).last_day
        root = places.root(connection, last)
        levels = [places.below(connection, root, level) for level in range(5)]
    every = [p for below in levels for p in random.sample(below, min(15, len(below)))]
    return [Ask(scope=EVERYTHING, place=p.code, since=last - timedelta(days=days - 1), until=last) for p in every for days in (7, 30, 90)]


def _leader(store: Store, ask: Ask) -> None:
    for answer in (kpi.tiles, kpi.trend, kpi.status_mix, kpi.category_mix, kpi.open_by_age):
        answer(store, ask)
    kpi.children(store, ask, "overdue")


def _raw(store: Store, ask: Ask) -> None:
    with store.read() as connection:
        zone = city_now(connection).zone
        place = places.find(connection, ask.place, ask.until)
        spans = scope.node_ranges(connection, EVERYTHING, place)
        connection.execute(
            select(cases.c.status, func.count(), func.sum(cases.c.rework)).where(
                places.inside(cases.c.node, spans), cases.c.reported_at >= day_start(ask.since, zone), cases.c.reported_at < day_end(ask.until, zone))
            .group_by(cases.c.status)).all()


def _clock(act: Callable[[], object]) -> float:
    _forget()
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _forget() -> None:
    # Every answer is made anew; what is known of the city as a whole stays.
    for key in [k for k in answers._kept if k[3] not in ("city", "known", "told")]:
        del answers._kept[key]


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * (len(times) - 1))]


def _count(store: Store, act: Callable[[], object]) -> int:
    n = 0

    def count(*_: object) -> None:
        nonlocal n
        n += 1

    answers._kept.clear()
    event.listen(store.engine, "before_cursor_execute", count)
    act()
    event.remove(store.engine, "before_cursor_execute", count)
    return n


