"""A moment of the past, at several sizes of the history; beside it the usual way, which folds the whole log."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import select

from queries import cases, demo, kpi, loading
from queries.clock import moment
from queries.frame import EVERYTHING, Ask, Filters
from queries.loop import then
from queries.loop.steps import OVER
from queries.store import Store
from queries.tables import event
from queries.today import city_now
from tests.bench._site import grown

Row = tuple[str, str, str, str]
BACK_H = (1, 24, 24 * 14)


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        folder = demo.make(Path(where) / "city", grids=2000, seed=3)
        base = pl.read_parquet(folder / "cases.parquet")
        for size in sorted(int(n) for n in given.cases.split(",")):
            grown(base, size).write_parquet(folder / "cases.parquet")
            store = Store(f"sqlite:///{where}/{size}.sqlite")
            loading.load(folder, store, quiet=True)
            yield from _moments(store, size)
            store.close()


def _moments(store: Store, size: int) -> Iterator[Row]:
    with store.read() as connection:
        city = city_now(connection)
    assert city.as_of is not None
    usual = _clock(lambda: _usual(store, city.as_of or 0))
    for back in BACK_H:
        at = moment(city.as_of).astimezone(city.zone) - timedelta(hours=back)
        ask = Ask(scope=EVERYTHING, since=at.date() - timedelta(days=30), until=at.date() - timedelta(days=1), at=at, filters=Filters(open_only=True))
        with store.read() as connection:
            first = _clock(lambda s=ask.present, c=connection: then.then(c, s))
            n = len(then.then(connection, ask.present))
        page = statistics.median(_clock(lambda a=ask: (cases.page(store, a), kpi.status_mix(store, a))) for _ in range(5))
        yield f"{back} h back, {size:,} cases, {n:,} open: fold, then list and steps", f"{first:.0f} + {page:.0f} ms", f"fold of the whole log {usual:,.0f} ms", "follows what was open"


def _usual(store: Store, at: int) -> int:
    """Fold the last status of every case from the whole log."""
    stands: dict[int, str] = {}
    with store.read() as connection:
        for case_id, status in connection.execute(select(event.c.case_id, event.c.status).where(event.c.at <= at, event.c.status != "").order_by(event.c.case_id, event.c.seq)):
            stands[case_id] = status
    return sum(status not in OVER for status in stands.values())


def _clock(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)
