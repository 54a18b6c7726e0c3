"""The grid page and the matrix at several sizes of the case table: the database's time, and the whole answer's."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import event

from queries import matrix, places
from queries.frame import EVERYTHING, Ask
from queries.loop import grid
from queries.store import Store
from queries.today import city_now
from tests.bench._site import histories
from tests.bench.figures import GRIDS, Row, _forget, _p95


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    for size, store in histories(GRIDS, map(int, given.cases.split(","))):
        grids, above = _asks(store)
        yield _row(store, f"grid page, {size:,} cases", grid.grid, grids, "<= 30 ms of query time")
        for measure in ("open", "overdue", "on_time_rate"):
            yield _row(store, f"matrix by {measure}, {size:,} cases", partial(matrix.matrix, measure=measure), above, "")


def _asks(store: Store) -> tuple[list[Ask], list[Ask]]:
    random.seed(5)
    with store.read() as connection:
        last = city_now(connection).last_day
        root = places.root(connection, last)
        levels = [random.sample(below, min(40, len(below))) for level in range(5) if (below := places.below(connection, root, level))]
    asks = [[Ask(scope=EVERYTHING, place=p.code, since=last - timedelta(days=29), until=last) for p in some] for some in levels]
    return asks[-1], [ask for some in asks[:-1] for ask in some]


def _row(store: Store, name: str, answer: Callable[[Store, Ask], object], asks: list[Ask], aim: str) -> Row:
    said: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, bound: Any, *___: Any) -> None:
        said.append((statement, bound))

    answer(store, asks[0])
    event.listen(store.engine, "before_cursor_execute", hear)
    whole, alone = [], []
    for ask in asks:
        _forget()
        said.clear()
        began = time.perf_counter()
        answer(store, ask)
        whole.append((time.perf_counter() - began) * 1000)
        alone.append(_replayed(store, list(said)))
    event.remove(store.engine, "before_cursor_execute", hear)
    return f"{name}, p95", f"{_p95(alone):.1f} ms", f"whole answer {_p95(whole):.0f} ms", aim


def _replayed(store: Store, said: list[tuple[str, Any]]) -> float:
    """Return the milliseconds of the same statements by the driver alone, all rows fetched."""
    raw = store.engine.raw_connection()
    try:
        began = time.perf_counter()
        for statement, bound in said:
            raw.cursor().execute(statement, bound).fetchall()
        return (time.perf_counter() - began) * 1000
    finally:
        raw.close()
