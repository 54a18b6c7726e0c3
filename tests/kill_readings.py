"""Kills server, broker and database in turn while readings come in through the broker: `python -m tests.kill --readings [--pg]`.

Devices send with QoS 1 and keep what the broker has not acknowledged. Mosquitto acknowledges before its disk has a
message (`autosave_interval`), so what a killed broker had acknowledged in its last second may be gone with it. A
device therefore says its last seconds again when it finds its connection broken; the same reading again changes
nothing. With `--forgetful` it does not, and what was lost with the broker is counted apart from what we lost.
"""

from __future__ import annotations

import json
import math
import random
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from queries.clock import now, stamp
from queries.errors import GovError
from queries.sensing.intake import sensed
from queries.sensing.tables import DAY, alarm, reading_sum
from queries.store import Store
from queries.tables import reading, sensor
from tests.broker import Broker
from tests.pg import Postgres
from tests.test_sensing import as_if_read_anew, sensing_city, sums
from tests.wire import Server

DEVICES, METRIC = 8, "water_level"
#: Seconds that a device says again after a broken connection: several times what the broker saves in.
KEEP_S = 15.0
#: Seconds for which an acknowledgement of a killed broker may still be on its way.
LINGER_S = 0.5
#: Seconds for which devices go on while something is away; then they wait, so that each kill meets readings.
GO_ON_S = 2.0
#: What does not come back within so many seconds does not come back by itself.
PATIENCE_S = 150.0
RULE = '''
[[alarms]]
id = "flood"
title = "水位超限"
kind = "threshold"
sensor_kind = "water_level"
metric = "water_level"
limits = { blue = 2.0, red = 5.0 }
deadband = 0.2
'''
Key = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was found after all kills. `with_broker` = acknowledged by a broker that was killed before its disk had it."""

    kills: dict[str, int]
    acknowledged: int
    repeated: int
    lost: int
    with_broker: int
    strange: int
    double: int
    differing: int
    gaps: dict[str, float]
    took_s: float

    @property
    def good(self) -> bool:
        """Return whether everything acknowledged is there, once, with its value, and the sums agree."""
        return not (self.lost or self.strange or self.double or self.differing)


def value_of(i: int) -> float:
    """Return the value of the reading with a number: a tide that reaches the limits now and then."""
    return round(1.5 + 1.5 * math.sin(i / 40), 3)


@dataclass
class Device:
    """Sends its sensor's readings one by one, `n` at least and on until it is let go; `acked` = when the broker had which."""

    code: str
    port: int
    start: int
    n: int
    pause_s: float
    forgetful: bool
    acked: dict[Key, float] = field(default_factory=dict)
    repeated: int = 0
    sent: int = 0

    def __post_init__(self) -> None:
        self._told: deque[tuple[int, float]] = deque()
        self._of: dict[int, Key] = {}
        self._broke: float | None = None
        self.ended, self.held, self.let_go, self._back = threading.Event(), threading.Event(), threading.Event(), threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"device-{self.code}", protocol=mqtt.MQTTv311, clean_session=False)
        self._client.max_inflight_messages_set(100)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: None if reason.is_failure else self._back.set()
        self._client.on_publish = lambda _c, _u, mid, _r, _p: self._told.append((mid, time.monotonic()))
        self._client.on_disconnect = lambda _c, _u, _f, reason, _p: self._broken() if reason.is_failure else None
        self.thread = threading.Thread(target=self._run, name=self.code, daemon=True)

    def _run(self) -> None:
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        # One whose connection broke has not said all there is to say, even when everything was acknowledged before.
        while not self.ended.is_set() and (self._has_more() or self._of or self._broke is not None):
            if self._broke is not None and self._back.is_set():
                self._again(self._broke - KEEP_S)
            elif self._has_more() and self._client.is_connected() and not self.held.is_set():
                self._say((self.code, self.start + self.sent))
                self.sent += 1
            self._count()
            time.sleep(self.pause_s)
        self._client.disconnect()
        self._client.loop_stop()

    def _has_more(self) -> bool:
        return self.sent < self.n or not self.let_go.is_set()

    def _say(self, key: Key) -> None:
        told = {"at": key[1], "value": value_of(key[1])}
        self._of[self._client.publish(f"sensors/{key[0]}/{METRIC}", json.dumps(told), qos=1).mid] = key

    def _broken(self) -> None:
        # Several breaks in a row are one: what lay before the first counts. Only a new connection is one to say it again on.
        self._back.clear()
        self._broke = self._broke or time.monotonic()

    def _again(self, since: float) -> None:
        """Say again what was acknowledged since a moment."""
        self._broke = None
        self._count()  # what was acknowledged last before the break may not be written down yet
        old = [] if self.forgetful else [key for key, at in self.acked.items() if at >= since]
        for key in old:
            self._say(key)
        self.repeated += len(old)

    def _count(self) -> None:
        for _ in range(len(self._told)):
            mid, at = self._told.popleft()
            if mid in self._of:
                self.acked[self._of.pop(mid)] = at
            else:  # acknowledged before we had written its number down
                self._told.append((mid, at))


@dataclass(frozen=True)
class Victim:
    """What can be killed, and how it is started again."""

    name: str
    kill: Callable[[], None]
    start: Callable[[], object]


def run(folder: Path, url: str, kills: int, readings: int, pg: Postgres | None = None, seed: int = 1, rate: int = 1000, forgetful: bool = False) -> Outcome:
    """Send so many readings, kill so often in turn, and look."""
    codes = [f"W{i}" for i in range(DEVICES)]
    store = Store(url)
    sensing_city(store, folder, RULE, "code,name,kind,lon,lat\n" + "".join(f"{code},{code},water_level,121.5,29.9\n" for code in codes))
    broker = Broker(folder / "broker")
    server = Server(folder, url, GOV_MQTT_URL=broker.url).start()
    victims = [Victim("server", server.kill, server.start), Victim("broker", lambda: broker.stop(hard=True), broker.start)]
    if pg:
        victims.append(Victim("database", pg.kill, pg.start))
    share = readings // DEVICES
    # Long enough ago for as many as it takes; one second apart.
    start = stamp(now()) - share - 80_000
    devices = [Device(code, broker.port, start, share, DEVICES / rate, forgetful) for code in codes]
    began = time.monotonic()
    try:
        _session(store, devices[0])
        for one in devices:
            one.thread.start()
        gaps, killed = _kill(store, victims, devices, kills, share * DEVICES, random.Random(seed))
        for one in devices:
            one.let_go.set()
        _ended(devices)
        _arrived(store, devices, {key for one in devices for key in one.acked})
    finally:
        for one in devices:
            one.ended.set()
        server.stop()
        broker.stop()
    took = time.monotonic() - began
    try:
        return _looked(store, devices, killed, gaps, took)
    finally:
        store.close()


def _session(store: Store, one: Device) -> None:
    """Wait until the broker keeps a session for us: say one thing until it arrives."""
    line = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    line.connect("127.0.0.1", one.port)
    line.loop_start()
    end = time.monotonic() + PATIENCE_S
    while not _count(store):
        assert time.monotonic() < end, "the server does not listen to the broker"
        line.publish(f"sensors/{one.code}/{METRIC}", json.dumps({"at": one.start - 1, "value": value_of(one.start - 1)}), qos=1)
        time.sleep(0.3)
    line.disconnect()
    line.loop_stop()
    # Its session shall be on the broker's disk before anything is killed.
    time.sleep(2.5)


def _kill(store: Store, victims: list[Victim], devices: list[Device], kills: int, total: int, rng: random.Random) -> tuple[dict[str, float], list[tuple[str, float]]]:
    gaps: dict[str, float] = {}
    killed: list[tuple[str, float]] = []
    moments = sorted(rng.uniform(0.03, 0.9) * total for _ in range(kills))
    flowing = 0
    for n, moment in enumerate(moments):
        # Also after a pause readings flow for a while before the next kill.
        while sum(len(one.acked) for one in devices) < min(max(moment, flowing), total):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        victim = victims[n % len(victims)]
        began, before = time.monotonic(), _sensed(store)
        victim.kill()
        killed.append((victim.name, time.monotonic()))
        time.sleep(rng.uniform(0, 0.5))
        victim.start()
        while _sensed(store) <= before:
            assert time.monotonic() < began + PATIENCE_S, f"no reading arrives after the {victim.name} was killed"
            if time.monotonic() > began + GO_ON_S:
                _hold(devices, True)
            time.sleep(0.02)
        gaps[victim.name] = max(gaps.get(victim.name, 0.0), time.monotonic() - began)
        _hold(devices, False)
        flowing = sum(len(one.acked) for one in devices) + int(0.9 * (total - moments[0]) / kills / 2)
    return gaps, killed


def _hold(devices: list[Device], held: bool) -> None:
    for one in devices:
        (one.held.set if held else one.held.clear)()


def _ended(devices: list[Device]) -> None:
    end = time.monotonic() + PATIENCE_S
    for one in devices:
        one.thread.join(max(0.1, end - time.monotonic()))
        assert not one.thread.is_alive(), f"{one.code} does not come to its end"


def _arrived(store: Store, devices: list[Device], acked: set[Key]) -> None:
    """Wait until all is there, or nothing has come for a while."""
    seen, since = -1, time.monotonic()
    while (there := _count(store)) < len(acked) + 1 and time.monotonic() - since < (15 if devices[0].forgetful else 60):
        if there != seen:
            seen, since = there, time.monotonic()
        time.sleep(0.2)


def _sensed(store: Store) -> int:
    with suppress(SQLAlchemyError, GovError), store.read() as connection:
        return sensed(connection)
    return -1


def _count(store: Store) -> int:
    with suppress(SQLAlchemyError, GovError), store.read() as connection:
        return connection.scalar(select(func.count()).select_from(reading)) or 0
    return 0


def _looked(store: Store, devices: list[Device], killed: list[tuple[str, float]], gaps: dict[str, float], took: float) -> Outcome:
    with store.read() as connection:
        there = {(r.code, r.at): r.value for r in connection.execute(select(sensor.c.code, reading.c.at, reading.c.value).join(sensor, sensor.c.id == reading.c.sensor_id))}
        summed = connection.scalar(select(func.sum(reading_sum.c.n)).where(reading_sum.c.grain == DAY)) or 0
        twice = len(connection.execute(select(alarm.c.subject).where(alarm.c.is_open).group_by(alarm.c.rule, alarm.c.subject).having(func.count() > 1)).all())
    acked = {key: at for one in devices for key, at in one.acked.items()}
    missing = [key for key in acked if key not in there]
    ends = [at for name, at in killed if name == "broker"]
    # What it had sent before it died may be read a moment later.
    with_broker = sum(any(-LINGER_S <= end - acked[key] <= KEEP_S for end in ends) for key in missing) if devices[0].forgetful else 0
    sent = {(one.code, one.start + i) for one in devices for i in range(-1, one.sent)}
    kept, anew = {row[:4]: row[4:] for row in sums(store)}, {row[:4]: row[4:] for row in as_if_read_anew(store)}
    differing = sum(not _alike(kept.get(key), anew.get(key)) for key in kept.keys() | anew.keys())
    return Outcome(
        kills=dict(Counter(name for name, _ in killed)), acknowledged=len(acked), repeated=sum(one.repeated for one in devices), lost=len(missing) - with_broker,
        with_broker=with_broker, strange=sum(key not in sent or value != value_of(key[1]) for key, value in there.items()), double=max(0, int(summed) - len(there)) + twice,
        differing=differing, gaps=gaps, took_s=took)


def _alike(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> bool:
    return a is not None and b is not None and all(math.isclose(x, y, abs_tol=1e-6) for x, y in zip(a, b, strict=True))


def rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield the lines of the table."""
    o = outcome
    yield "kills", ", ".join(f"{n} {name}" for name, n in o.kills.items())
    yield "readings acknowledged by the broker", f"{o.acknowledged:,} in {o.took_s:.0f} s"
    yield "said again by devices after a broken connection", f"{o.repeated:,}"
    for name, gap in o.gaps.items():
        yield f"longest from the kill of the {name} to the next reading written", f"{gap:.1f} s"
    yield "acknowledged and lost", f"{o.lost:,}"
    yield "lost with a broker that had acknowledged them (devices that forget)", f"{o.with_broker:,}"
    yield "counted twice", f"{o.double:,}"
    yield "never sent, or of another value", f"{o.strange:,}"
    yield "sums that a rebuild would mend", f"{o.differing:,}"


def main(kills: int, readings: int, seed: int, on_pg: bool, rate: int, forgetful: bool) -> int:
    """Run it and print its table; 1 when something was lost, double or different."""
    pg = Postgres(safe=True) if on_pg else None
    try:
        with tempfile.TemporaryDirectory() as where:
            outcome = run(Path(where), pg.database() if pg else f"sqlite:///{where}/brain.sqlite", kills, readings, pg, seed, rate, forgetful)
    finally:
        if pg:
            pg.stop()
    print("PostgreSQL, broker and server killed in turn" if on_pg else "SQLite: broker and server killed in turn")
    for what, told in rows(outcome):
        print(f"{what:70} {told:>24}")
    print("good" if outcome.good else "BAD")
    return int(not outcome.good)
