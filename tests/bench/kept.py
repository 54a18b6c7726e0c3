"""The index after one late case: what is kept and touched, beside making every level anew."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from queries import demo, loading
from queries.clock import day_end, day_start, local_day, now, stamp
from queries.frame import EVERYTHING, Actor, Ask
from queries.index import _kept
from queries.index._keeper import IndexKeeper
from queries.loop.orders import Order
from queries.loop.writer import Writer
from queries.store import Store
from queries.tables import cases
from queries.today import city_now

Row = tuple[str, str, str, str]
GRIDS, LATE, LEVELS = 20_000, 25, range(5)
ADMIN = Actor(name="bench", post="admin", scope=EVERYTHING)


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        store = Store(f"sqlite:///{where}/city.sqlite")
        loading.load(demo.make(Path(where) / "city", grids=GRIDS, seed=3), store, quiet=True)
        with store.read() as connection:
            city = city_now(connection)
            last = local_day(stamp(now()), city.zone) - timedelta(days=1)
            ask = Ask(scope=EVERYTHING, since=last - timedelta(days=29), until=last)
            due = (day_start(ask.since, city.zone), day_end(ask.until, city.zone))
            nos = connection.execute(select(cases.c.no).where(cases.c.is_open, cases.c.due_at >= due[0], cases.c.due_at < due[1]).order_by(cases.c.id).limit(LATE)).scalars().all()
            began = time.perf_counter()
            areas = sum(_kept.held(connection, ask, level).anew for level in LEVELS)
            first = time.perf_counter() - began
        writer = Writer(store)
        took, full, anew, every = [], [], [], 0
        for no in nos:
            writer.take(Order(actor=ADMIN, no=no, step="force_closed", reason="late"))
            with store.read() as connection:
                began = time.perf_counter()
                held = [_kept.held(connection, ask, level) for level in LEVELS]
                took.append(time.perf_counter() - began)
                anew.append(sum(one.anew for one in held))
                every += any(one.anew == len(one.now.num) for one in held[2:])
            if len(full) < 5:
                with store.read() as connection:
                    began = time.perf_counter()
                    for level in LEVELS:
                        _kept.whole(connection, ask, level)
                    full.append(time.perf_counter() - began)
        writer.close()
        middle, usual = statistics.median(took), statistics.median(full)
        yield (f"one late case, {areas:,} areas on five levels: areas scored anew", f"{statistics.median(anew):,.0f}", f"all {areas:,}", "what it touches")
        yield ("   until every level is up to date, p50", f"{middle * 1000:.0f} ms", f"everything anew {usual * 1000:,.0f} ms, {usual / middle:.0f}x", "")
        yield (f"   of {len(nos)} late cases passed a step that a level shares", f"{every}", "", "few")
        keeper = IndexKeeper(store, every_s=3600)
        keeper.once()
        keeper.close()
        _kept.forget_here()
        with store.read() as connection:
            began = time.perf_counter()
            for level in LEVELS:
                _kept.held(connection, ask, level)
            again = time.perf_counter() - began
        yield ("   after a start, from the table", f"{again * 1000:.0f} ms", f"from the sums {first * 1000:,.0f} ms, {first / again:.1f}x", "")
        store.close()
