"""Readings through a real broker: nothing acknowledged is lost, nothing is counted twice, whatever dies."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from sqlalchemy import func, select

from queries.clock import now, stamp
from queries.errors import GovError, SettingError
from queries.loop.writer import Writer
from queries.sensing.tables import HOUR, reading_sum
from queries.settings import Settings, read
from queries.sources import mqtt as door
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn
from queries.store import Store
from queries.tables import quarantine, reading
from tests.broker import Broker, program
from tests.conftest import HOME, missing
from tests.test_sensing import as_if_read_anew, close, said, sensing_city, sums
from tests.waiting import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of our own."""
    if program() is None:
        missing("mosquitto is not installed")
    made = Broker(tmp_path / "broker")
    yield made
    made.stop()


@pytest.fixture
def city(store: Store, tmp_path: Path) -> Store:
    """A city with sensors."""
    return sensing_city(store, tmp_path)


class Sender:
    """A device: sends with QoS 1 and waits until the broker has it."""

    def __init__(self, broker: Broker, **user: str) -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        if user:
            self._client.username_pw_set(user["name"], user["password"])
        self._client.max_inflight_messages_set(0)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def say(self, topic: str, what: Any) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, what if isinstance(what, bytes) else json.dumps(what), qos=1)

    def all(self, rows: list[tuple[str, Any]]) -> None:
        assert until(self._client.is_connected)
        for one in [self.say(*row) for row in rows]:
            one.wait_for_publish(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Listening:
    """The door with its turns, in a thread."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.writer, self.over, self.told = Writer(store), threading.Event(), list[Told]()
        self._thread = threading.Thread(target=self._run, args=(settings,), daemon=True)
        self._thread.start()

    def _run(self, settings: Settings) -> None:
        while not self.over.is_set():
            self.told.append(door.run(Turn(writer=Pen(self.writer), settings=settings, ended=self.over.is_set)))
            self.over.wait(0.1)

    def close(self) -> None:
        self.over.set()
        self._thread.join(30)
        self.writer.close()


def count(store: Store, table: Any = reading) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def rules(broker: Broker, **more: Any) -> Settings:
    return Settings(mqtt_url=broker.url, **more)


def test_messages_of_all_shapes_become_readings(city: Store, broker: Broker) -> None:
    line, sender, at = Listening(city, rules(broker)), Sender(broker), stamp(now()) - 50
    assert until(lambda: subscribed(sender, city))
    base = count(city)
    sender.all([("sensors/W1/water_level", {"at": at, "value": 1.5}), ("sensors/W2/water_level", [{"at": at, "value": 1.0}, {"at": at + 1, "value": 110, "unit": "cm"}]),
                ("sensors/N1/noise", {"sensor": "N1", "at": "2026-01-02T03:04:05+08:00", "value": 55})])
    assert until(lambda: count(city) == base + 4)
    line.close()
    sender.close()
    assert close(sums(city), as_if_read_anew(city))


def subscribed(sender: Sender, store: Store) -> bool:
    """Say one thing again and again until it arrives: from then on the session exists at the broker."""
    sender.say("sensors/N1/noise", {"at": stamp(now()), "value": 50})
    time.sleep(0.2)
    return count(store) > 0


def test_forged_topics_and_rubbish_are_kept_aside_and_harm_nobody(city: Store, broker: Broker) -> None:
    line, sender, at = Listening(city, rules(broker)), Sender(broker), stamp(now()) - 50
    assert until(lambda: subscribed(sender, city))
    sender.all([("sensors/W1/water_level", {"sensor": "W2", "at": at, "value": 1.5}), ("sensors/W1/water_level", b"\xff\x00not json"),
                ("sensors/W1/water_level", {"at": at, "value": "NaN"}), ("sensors/nobody/noise", {"at": at, "value": 50}),
                ("sensors/W1/water_level", {"at": at + 90_000, "value": 1}), ("sensors/W1/water_level", {"at": at, "value": 1, "unit": "°C"}),
                ("sensors/W1/water_level", {"at": at, "value": 2.0})])
    assert until(lambda: said(city, "refused", "mqtt") == 6)
    line.close()
    sender.close()
    with city.read() as connection:
        reasons = {r.reason_en for r in connection.execute(select(quarantine))}
        assert connection.scalar(select(reading.c.value).where(reading.c.metric == "water_level")) == 2.0
    assert len(reasons) == 6


def test_what_is_sent_while_we_are_away_comes_when_we_are_back(city: Store, broker: Broker) -> None:
    line, sender = Listening(city, rules(broker)), Sender(broker)
    assert until(lambda: subscribed(sender, city))
    line.close()
    sender.say("sensors/N1/noise", {"at": stamp(now()) - 3, "value": 51}).wait_for_publish(5)
    before, at = count(city), stamp(now()) - 1000
    sender.all([("sensors/W1/water_level", {"at": at + i, "value": 1 + i / 1000}) for i in range(500)])
    line = Listening(city, rules(broker))
    assert until(lambda: count(city) >= before + 501)
    line.close()
    sender.close()
    assert close(sums(city), as_if_read_anew(city))


def test_a_broker_that_flaps_loses_nothing_and_nothing_counts_twice(city: Store, broker: Broker) -> None:
    line, sender = Listening(city, rules(broker)), Sender(broker)
    assert until(lambda: subscribed(sender, city))
    at, n = stamp(now()) - 5000, 0
    for _ in range(3):
        sender.all([("sensors/W1/water_level", {"at": at + n + i, "value": (n + i) % 20}) for i in range(300)])
        n += 300
        broker.stop()
        time.sleep(0.5)
        broker.start()
    sender.all([("sensors/W1/water_level", {"at": at + n, "value": 1.0})])
    assert until(lambda: water(city) == n + 1, 40)
    line.close()
    sender.close()
    assert close(sums(city), as_if_read_anew(city))
    with city.read() as connection:
        assert connection.scalar(select(func.sum(reading_sum.c.n)).where(reading_sum.c.grain == HOUR, reading_sum.c.metric == "water_level")) == n + 1


def test_what_comes_between_a_broker_s_restart_and_our_return_is_kept_for_us(city: Store, broker: Broker) -> None:
    line, sender = Listening(city, rules(broker)), Sender(broker)
    assert until(lambda: subscribed(sender, city))
    line.close()
    time.sleep(2.5)  # the broker's disk shall have our session
    before, at = water(city), stamp(now()) - 1000
    broker.stop(hard=True)
    broker.start()
    sender.all([("sensors/W1/water_level", {"at": at + i, "value": 1 + i / 1000}) for i in range(200)])
    line = Listening(city, rules(broker))
    assert until(lambda: water(city) == before + 200)
    line.close()
    sender.close()


def test_nothing_is_lost_from_one_turn_to_the_next(city: Store, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TURN_S", 0.3)
    line, sender = Listening(city, rules(broker)), Sender(broker)
    assert until(lambda: subscribed(sender, city))
    at, n = stamp(now()) - 5000, 900
    for i in range(n):
        sender.say("sensors/W1/water_level", {"at": at + i, "value": 1 + i / 1000})
        time.sleep(0.003)
    assert until(lambda: water(city) == n)
    line.close()
    sender.close()
    assert len(line.told) > 4


def test_listeners_of_a_group_share_the_topics(city: Store, broker: Broker) -> None:
    lines = [Listening(city, rules(broker, mqtt_group="halls", mqtt_client=name)) for name in ("one", "two")]
    sender = Sender(broker)
    assert until(lambda: subscribed(sender, city))
    time.sleep(1)
    at = stamp(now()) - 5000
    sender.all([("sensors/W1/water_level", {"at": at + i, "value": 1 + i / 1000}) for i in range(400)])
    assert until(lambda: water(city) == 400)
    for line in lines:
        line.close()
    sender.close()
    assert all(sum(told.taken for told in line.told) >= 100 for line in lines)


def test_a_listener_that_is_killed_again_and_again_loses_nothing_and_counts_nothing_twice(city: Store, broker: Broker) -> None:
    def listen() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.listener", city.engine.url.render_as_string(hide_password=False), broker.url], cwd=HOME)

    line, sender = listen(), Sender(broker)
    assert until(lambda: subscribed(sender, city))
    at, n = stamp(now()) - 9000, 3000
    sent = threading.Thread(target=sender.all, args=([("sensors/W1/water_level", {"at": at + i, "value": i % 25}) for i in range(n)],))
    sent.start()
    for part in (0.02, 0.4, 0.7):
        assert until(lambda part=part: water(city) >= part * n or not sent.is_alive(), 30)
        line.kill()
        line.wait()
        line = listen()
    sent.join(60)
    try:
        assert until(lambda: water(city) == n, 40)
    finally:
        line.kill()
        line.wait()
        sender.close()
    assert close(sums(city), as_if_read_anew(city))


def water(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(reading).where(reading.c.metric == "water_level")) or 0


def test_a_broker_that_is_away_or_says_no_is_a_state_with_words(city: Store, tmp_path: Path) -> None:
    if program() is None:
        missing("mosquitto is not installed")
    writer = Writer(city)
    strict = Broker(tmp_path / "strict", anonymous=False)
    told = door.run(Turn(writer=Pen(writer), settings=rules(strict)))
    strict.stop()
    assert told.trouble
    assert told.trouble["zh"] != told.trouble["en"]
    told = door.run(Turn(writer=Pen(writer), settings=rules(strict)))
    assert told.trouble
    assert "does not answer" in told.trouble["en"]
    writer.close()


@pytest.mark.parametrize(("name", "value"), [("MQTT_URL", "http://x"), ("MQTT_URL", "mqtt://a:b@x"), ("MQTT_TOPIC", "a/#"), ("MQTT_TOPIC", "a/x{sensor}"), ("MQTT_GROUP", "a/b")])
def test_settings_of_the_broker_are_held_to_what_it_can_use(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"GOV_{name}"):
        read({f"GOV_{name}": value})


def test_a_mapping_reads_messages_of_another_shape() -> None:
    settings = Settings(mqtt_topic="city/+/{sensor}", mqtt_fields={"value": "d.v", "at": "ts", "metric": "d.k"})
    (row,) = door.read_message(door.Message("city/north/W1", b'{"ts": 1760000000000, "d": {"v": "1.5", "k": "water_level"}}'), settings)
    assert (row.sensor, row.at, row.value, row.metric) == ("W1", 1_760_000_000, 1.5, "water_level")
    assert door.filter_of(settings) == "city/+/+"
    assert door.filter_of(settings.model_copy(update={"mqtt_group": "halls"})) == "$share/halls/city/+/+"
    with pytest.raises(GovError):
        door.read_message(door.Message("other/W1", b"1"), settings)
