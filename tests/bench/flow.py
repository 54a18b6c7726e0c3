"""Process mining of many cases by SQL, plain Python beside it on the same events."""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from statistics import median
from typing import Any

from sqlalchemy import func, select

from queries.loop import flow
from queries.loop.mining import mine
from queries.store import Store, bulk
from queries.tables import event

Row = tuple[str, str, str, str]
WAY = ("reported", "filed", "dispatched", "accepted", "fed_back", "verified", "closed")
STATUS = dict(zip(WAY, ("reported", "filed", "dispatched", "handling", "verifying", "verified", "closed"), strict=True))


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    for size in sorted({min(int(n), 1_000_000) for n in given.cases.split(",")}):
        with tempfile.TemporaryDirectory() as where:
            store = Store(f"sqlite:///{where}/flow.sqlite")
            store.upgrade()
            with store.engine.begin() as connection:
                n = bulk(connection, event, ("case_id", "seq", "at", "seen_at", "step", "status", "derived"), _events(size))
            yield from _measure(store, size, n)
            store.close()


def _measure(store: Store, size: int, n: int) -> Iterator[Row]:
    began = time.perf_counter()
    told = mine(store, flow.steps_log, (1, size), os.cpu_count() or 1)
    took = time.perf_counter() - began
    began = time.perf_counter()
    with store.read() as connection:
        edges, variants = plain(tuple(r) for r in connection.execute(
            select(event.c.case_id, event.c.step, event.c.at, event.c.seq).order_by(event.c.case_id)))
    beside = time.perf_counter() - began
    assert len(edges) == len(told.edges)
    assert dict(told.variants) == variants
    yield f"mine {size:,} cases, {n:,} events, SQLite: graph, medians, ways", f"{took:.1f} s", f"plain Python {beside:.1f} s", "<= 10 s per million"
    began = time.perf_counter()
    rules = flow.broken(store, (1, size))
    yield f"conformance, {len(rules)} rules", f"{time.perf_counter() - began:.1f} s", "", "<= 6 s per million"
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(event)) == n


def _events(size: int) -> Iterator[tuple[Any, ...]]:
    rng = random.Random(4)
    for case_id in range(1, size + 1):
        at, way = 1_750_000_000 + case_id * 20, list(WAY)
        if rng.random() < 0.1:  # sent back once
            way[5:5] = ["rework", "fed_back"]
        for seq, step in enumerate(way[:rng.choice((4, 7, 7, 7)) if len(way) == 7 else None], 1):
            yield case_id, seq, at, at, step, STATUS.get(step, "handling"), False
            at += int(rng.expovariate(1 / 5000)) + 1


def plain(rows: Iterable[tuple[int, str, float, int]]) -> tuple[dict[tuple[str, str], tuple[int, float, float]], dict[tuple[str, ...], int]]:
    """Return the edges (n, mean, median) and the ways of a log, one case after another in Python."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    ways: Counter[tuple[str, ...]] = Counter()
    for _, held in groupby(rows, key=lambda r: r[0]):
        steps = sorted(held, key=lambda r: (r[2], r[3]))
        ways[tuple(s[1] for s in steps)] += 1
        for one, then in zip(steps, steps[1:], strict=False):
            took[one[1], then[1]].append(then[2] - one[2])
    return {edge: (len(d), sum(d) / len(d), median(d)) for edge, d in took.items()}, dict(ways)
