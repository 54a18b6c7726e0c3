"""The page of 100,000 cameras, now and at a moment of the past, beside reading them all; a segment by our link, beside the gateway's own."""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
from sqlalchemy import func, select

from dashboard import create_app
from queries import camera_health, cameras, demo, loading
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Actor, Ask
from queries.sensing.tables import camera_state
from queries.settings import Settings
from queries.store import Store, bulk
from queries.tables import camera, node
from tests.conftest import serving
from tests.gateway import encoded, serving_gateway

Row = tuple[str, str, str, str]
CAMERAS, CHANGES, TIMES = 100_000, 3, 15
ASK = Ask(scope=EVERYTHING, since=date.today(), until=date.today())
STATES = ("online", "offline", "no_picture", "unknown")


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        store = Store(f"sqlite:///{where}/brain.sqlite")
        loading.load(demo.make(Path(where) / "city", grids=2000, seed=3), store, quiet=True)
        _many(store)
        yield from _page(store)
        yield from _segment(store, Path(where))
        store.close()


def _many(store: Store) -> None:
    chance, present = random.Random(4), stamp(now())
    with store.write() as connection:
        low, high = connection.execute(select(func.min(node.c.num), func.max(node.c.num)).where(node.c.level == 4)).one()
        states = chance.choices(STATES, (95, 3, 1, 1), k=CAMERAS)
        bulk(connection, camera, ("code", "name", "lon", "lat", "node", "placed", "state", "since_at", "class", "source", "hash"), (
            (f"B{i:06d}", f"B{i:06d}", 121.0, 29.0, chance.randint(low, high), "point", states[i], present - chance.randint(60, 864_000), ("key_area", "key_trade", "")[i % 3], "bench", "")
            for i in range(CAMERAS)))
        first = connection.scalar(select(func.min(camera.c.id)).where(camera.c.source == "bench"))
        bulk(connection, camera_state, ("camera_id", "at", "state"), (
            (first + i, present - (k + 1) * 200_000 - i, states[(i + k) % CAMERAS]) for k in range(CHANGES) for i in range(CAMERAS)))


def _ms(act: Callable[[], Any], before: Callable[[], Any] = lambda: None) -> float:
    took = []
    for _ in range(TIMES):
        before()
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took)


def _read_all(store: Store) -> None:
    present, told = stamp(now()), Counter[tuple[str, str]]()
    with store.read() as connection:
        for r in connection.execute(select(camera.c["class"].label("group"), camera.c.state, camera.c.since_at)):
            told[r.group, cameras.bucket(r.state, r.since_at, present)] += 1


def _page(store: Store) -> Iterator[Row]:
    def news() -> None:
        # What was remembered holds no more.
        with store.write():
            pass

    usual, then = _ms(lambda: _read_all(store)), ASK.but(at=now() - timedelta(days=3))
    for name, act in (
        ("health", lambda: cameras.health(store, ASK)), ("by area", lambda: camera_health.by_area(store, ASK)), ("not well, 200 of them", lambda: camera_health.unwell(store, ASK)),
        ("long offline in one class", lambda: camera_health.unwell(store, ASK, "long_offline", "key_area")), ("health three days ago", lambda: cameras.health(store, then)),
    ):
        yield f"cameras: {name}, {CAMERAS:,} (p50)", f"{_ms(act, news):,.1f} ms", f"all rows counted in Python {usual:,.0f} ms", ""


def _segment(store: Store, where: Path) -> Iterator[Row]:
    folder = where / "hls"
    folder.mkdir()
    encoded(folder, True)
    with serving_gateway(folder) as (at, _):
        with store.write() as connection:
            code = connection.scalar(select(camera.c.code).where(camera.c.source != "bench").limit(1))
            connection.execute(camera.update().where(camera.c.code == code).values(live=f"http://{at}/hls/live.m3u8"))
        app = create_app(Settings(data_dir=where, camera_hosts=at), store).server
        with serving(app) as address, httpx.Client(headers={"Cookie": "gov_demo_post=dispatcher"}) as client:
            actor = Actor(name=client.get(f"{address}/api/v1/me").json()["name"], post="dispatcher", scope=EVERYTHING)
            cameras.look(store, actor, ASK, code, "", cause="patrol")
            view = cameras.current(store, actor, ASK, code)
            assert view
            text = client.get(f"{address}/camera/live/{code}?key={cameras.signed(store, '', view)}").text
            part = next(one for one in text.splitlines() if one.startswith("/camera/"))
            direct = next(file.name for file in sorted(folder.glob("*.m4s")))
            client.get(address + part).raise_for_status()
            ours, theirs = _ms(lambda: client.get(address + part)), _ms(lambda: client.get(f"http://{at}/hls/{direct}", headers={"Connection": "close"}))
            yield "live picture: one segment by the link of a view (p50)", f"{ours:,.1f} ms", f"from the gateway itself {theirs:,.1f} ms", ""
        app.state.context.close()
