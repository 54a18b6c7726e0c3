"""Readings a second into SQLite and through a broker, and the map's layer of 100,000 sensors while readings come."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from sqlalchemy import func, select

from queries import demo, loading
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Ask
from queries.loop.writer import Writer
from queries.sensing import values
from queries.sensing.board import renewed
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.settings import Settings
from queries.sources import mqtt as door
from queries.sources._pen import Pen
from queries.sources._source import Turn
from queries.store import Store, bulk
from queries.tables import latest, node, reading, sensor
from tests.broker import Broker, program

Row = tuple[str, str, str, str]
SENSORS, WRITTEN, SINGLE, SENT = 100_000, 300_000, 300, 60_000
ASK = Ask(scope=EVERYTHING, since=date.today(), until=date.today())


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        store = Store(f"sqlite:///{where}/brain.sqlite")
        loading.load(demo.make(Path(where) / "city", grids=2000, seed=3), store, quiet=True)
        _people(store)
        yield from _written(store)
        if program():
            yield from _through(store, Path(where))
        yield from _layer(store)
        store.close()


def _people(store: Store) -> None:
    """Put so many sensors into the city, all over it."""
    chance = random.Random(4)
    with store.write() as connection:
        low, high = connection.execute(select(func.min(node.c.num), func.max(node.c.num)).where(node.c.level == 4)).one()
        west, south, east, north = connection.execute(select(func.min(sensor.c.lon), func.min(sensor.c.lat), func.max(sensor.c.lon), func.max(sensor.c.lat))).one()
        bulk(connection, sensor, ("code", "name", "kind", "lon", "lat", "node", "placed", "source", "hash"), (
            (f"B{i:06d}", f"B{i:06d}", "noise", chance.uniform(west, east), chance.uniform(south, north), chance.randint(low, high), "point", "bench", "") for i in range(SENSORS)))


def _rows(n: int, at: int) -> list[Read]:
    return [Read(f"B{i % SENSORS:06d}", at + i // SENSORS * 60, 40 + i % 37, "noise") for i in range(n)]


def _written(store: Store) -> Iterator[Row]:
    scribe, rows = Scribe(store), _rows(WRITTEN, stamp(now()) - 7200)
    began = time.perf_counter()
    waiting = [scribe.submit(Parcel(source="bench", rows=rows[i:i + 5000])) for i in range(0, 150_000, 5000)]
    for one in waiting:
        one.result()
    waiting = [scribe.submit(Parcel(source="bench", rows=rows[i:i + 5000])) for i in range(150_000, WRITTEN, 5000)]
    for one in waiting:
        one.result()
    fast = WRITTEN / (time.perf_counter() - began)
    began = time.perf_counter()
    for row in _rows(SINGLE, stamp(now()) - 60):
        scribe.take(Parcel(source="bench", rows=[row]))
    slow = SINGLE / (time.perf_counter() - began)
    scribe.close()
    yield ("readings/s into SQLite, sums and latest value kept, batches", f"{fast:,.0f}", f"one by one {slow:,.0f}", "20,000")


def _through(store: Store, where: Path) -> Iterator[Row]:
    broker = Broker(where / "broker")
    writer = Writer(store)
    over = threading.Event()
    settings = Settings(mqtt_url=broker.url)

    def listen() -> None:
        while not over.is_set():
            door.run(Turn(writer=Pen(writer), settings=settings, ended=over.is_set))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    device.max_inflight_messages_set(0)
    device.connect("127.0.0.1", broker.port)
    device.loop_start()
    time.sleep(2)
    told = {each: _sent(store, device, each, stamp(now()) - 4000 + 120 * each) for each in (20, 1)}
    over.set()
    thread.join(30)
    device.disconnect()
    device.loop_stop()
    writer.close()
    broker.stop()
    yield ("readings/s through Mosquitto, QoS 1, acknowledged when safe", f"{told[20]:,.0f}", f"one a message {told[1]:,.0f}", "10,000")


def _sent(store: Store, device: Any, each: int, at: int) -> float:
    """Return readings a second from the first that is sent to the last that is safe."""
    n = SENT if each > 1 else SENT // 6
    before = _count(store)
    bodies = [(f"sensors/B{i:06d}/noise", json.dumps([{"at": at + k, "value": 40 + k} for k in range(each)] if each > 1 else {"at": at, "value": 41})) for i in range(n // each)]
    began = time.perf_counter()
    for topic, body in bodies:
        device.publish(topic, body, qos=1)
    while _count(store) < before + n and time.perf_counter() - began < 120:
        time.sleep(0.05)
    return (_count(store) - before) / (time.perf_counter() - began)


def _count(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(reading)) or 0


def _layer(store: Store) -> Iterator[Row]:
    scribe, ended = Scribe(store), threading.Event()

    def live() -> None:
        at = stamp(now()) - 300
        while not ended.is_set():
            at += 1
            scribe.take(Parcel(source="bench", rows=[Read(f"B{random.randrange(SENSORS):06d}", at, 50.0, "noise") for _ in range(1700)]))
            ended.wait(1.0)

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    board, chance = renewed(store), random.Random(8)
    west, south, east, north = (float(x) for x in (board.lon[board.lon == board.lon].min(), board.lat[board.lat == board.lat].min(), board.lon[board.lon == board.lon].max(),
                                                  board.lat[board.lat == board.lat].max()))
    took = []
    for i in range(200):
        part = 0.5 ** (i % 6)
        wide, high = (east - west) * part, (north - south) * part
        x, y = chance.uniform(west, east - wide), chance.uniform(south, north - high)
        began = time.perf_counter()
        values.points(store, ASK, (x, y, x + wide, y + high), 10 + i % 6)
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(0.03)
    began = time.perf_counter()
    for _ in range(3):
        with store.read() as connection:
            connection.execute(select(sensor.c.code, sensor.c.lon, sensor.c.lat, latest.c.value, latest.c.at).outerjoin(latest, latest.c.sensor_id == sensor.c.id)
                               .where(sensor.c.lon.between(west, east), sensor.c.lat.between(south, north))).all()
    usual = 1000 * (time.perf_counter() - began) / 3
    ended.set()
    thread.join(10)
    scribe.close()
    took.sort()
    yield (f"layer of {SENSORS:,} sensors, any view, ms p50 / p99 / worst", f"{took[100]:.1f} / {took[197]:.1f} / {took[-1]:.1f}", f"by a query of the view {usual:,.0f}", "50")
