"""The street's page and the grid's page: the time of their queries, over all of their parts, in a city with a long history."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy import Integer, cast, func, select

from queries import places
from queries.frame import EVERYTHING, Actor, Ask, Scope
from queries.loop import desk, grid, needs, nobody, shift, whistles
from queries.store import Store
from queries.tables import area, cases
from queries.today import city_now
from tests.bench._site import histories
from tests.bench.figures import GRIDS, _clock, _p95

Row = tuple[str, str, str, str]
STREET_LEVEL, TRIED = 2, 60


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    for _, store in histories(GRIDS, map(int, given.cases.split(","))):
        yield from measured(store)


def measured(store: Store) -> Iterator[Row]:
    """Yield the rows for one database."""
    with store.read() as connection:
        last = city_now(connection).last_day
        root = places.root(connection, last)
        streets = places.below(connection, root, STREET_LEVEL)
        leaf = connection.execute(select(func.max(area.c.level))).scalar_one()
        n, still = connection.execute(select(func.count(), func.sum(cast(cases.c.is_open, Integer)))).one()
    rng = random.Random(5)
    told = f"{n:,} cases, {still:,} open"
    for name, parts in (("street's page", _street), ("grid's page", _grid)):
        times: dict[str, list[float]] = {}
        for street in rng.sample(streets, min(TRIED, len(streets))):
            with store.read() as connection:
                place = street if parts is _street else rng.choice(places.below(connection, street, leaf))
            # As the street's own officer: rights are part of what it costs.
            ask = Ask(scope=Scope(areas=frozenset({street.code})), place=place.code, since=last - timedelta(days=29), until=last)
            spent, out = {part: _clock(act) for part, act in parts(store, ask)}, times.setdefault("all of it", [])
            out.append(sum(spent.values()))
            for part, took in spent.items():
                times.setdefault(part, []).append(took)
        for part, held in times.items():
            if part == "all of it" or parts is _street:
                yield f"{name}: {part}, {told}, p95", f"{_p95(held):.1f} ms", "", "<= 30 ms"


def _street(store: Store, ask: Ask) -> Iterator[tuple[str, Callable[[], object]]]:
    actor = Actor(name="bench", post="street", scope=ask.scope)
    for which in desk.LISTS:
        yield which, lambda which=which: desk.page(store, ask, actor, which, 50)
    yield "grids that need us", lambda: needs.grids(store, ask, actor)
    yield "whistles", lambda: whistles.out(store, ask)
    yield "shift log", lambda: shift.lines(store, ask)
    yield "nobody's", lambda: nobody.gaps(store, ask.but(scope=EVERYTHING))


def _grid(store: Store, ask: Ask) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "grid", lambda: grid.grid(store, ask)
