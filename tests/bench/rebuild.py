"""All sums made anew from the events, at several sizes of the log."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from sqlalchemy import func, select, text

from queries import demo, loading
from queries.loop.rebuild import rebuild
from queries.store import Store
from queries.tables import cases, event
from tests.bench._site import grown
from tests.bench.figures import GRIDS

Row = tuple[str, str, str, str]


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table. `--cases` is the number of events here."""
    with tempfile.TemporaryDirectory() as where:
        folder = demo.make(Path(where) / "city", grids=GRIDS, seed=3)
        base = pl.read_parquet(folder / "cases.parquet")
        for size in sorted(int(n) for n in given.cases.split(",")):
            # The demo's cases imply nearly three events each.
            grown(base, int(size / 2.9) + 1).write_parquet(folder / "cases.parquet")
            store = Store(f"sqlite:///{where}/{size}.sqlite")
            loading.load(folder, store, quiet=True)
            with store.engine.begin() as connection:
                # A fifth as seen by ourselves: these are folded one by one and told in the tallies.
                connection.execute(text("UPDATE event SET derived = 0 WHERE case_id % 5 = 0"))
            began, worked = time.perf_counter(), time.process_time()
            done = rebuild(store, quiet=True)
            took = time.perf_counter() - began
            with store.read() as connection:
                assert (done.events, done.cases, done.mended) == (
                    connection.scalar(select(func.count()).select_from(event)), connection.scalar(select(func.count()).select_from(cases)), 0)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            yield (f"rebuild {done.events:,} events of {done.cases:,} cases, SQLite", f"{took:.0f} s",
                   f"{time.process_time() - worked:.0f} s of processor, {memory:,.0f} MB", "5,000,000 in <= 300 s")
            store.close()
