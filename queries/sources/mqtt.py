"""Readings from an MQTT broker: QoS 1, a session that outlives us and is taken over by the process that listens next.

A message is acknowledged when its readings are committed, in the order in which they came. Whatever dies
before that, the broker sends again, and the same reading again changes nothing.
"""

from __future__ import annotations

import json
import queue
import re
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from queries.clock import now, stamp
from queries.errors import StoreError
from queries.sensing.intake import Parcel, Taken
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.settings import Settings
from queries.sources._readings import BadReadingError, bad, moment_of, number, read_row, word
from queries.sources._source import Source, Told, Turn

#: Seconds of a turn, for which an unacknowledged session is kept by the broker, and until a broker must answer.
TURN_S, SESSION_S, ANSWER_S = 20.0, 7 * 86_400, 10.0
#: Messages that may be under way, and of one parcel; bytes of one message.
IN_FLIGHT, TOGETHER, LARGEST = 20_000, 2_000, 1_000_000
ID = "mqtt"
#: What the shared subscription was called when there was one without being asked for.
SHARED = "brain"


class TopicError(BadReadingError):
    """A topic that does not fit, or contradicts its message."""

    why = "topic"


@dataclass(frozen=True)
class Message:
    """What came: topic and payload."""

    topic: str
    payload: bytes


@lru_cache(maxsize=8)
def _pattern(template: str) -> re.Pattern[str]:
    parts = [r"(?P<" + level[1:-1] + r">[^/]+)" if level in ("{sensor}", "{metric}") else r"[^/]+" if level == "+" else re.escape(level) for level in template.split("/")]
    return re.compile("/".join(parts))


def filter_of(settings: Settings) -> str:
    """Return the topic filter to subscribe to."""
    topic = re.sub(r"\{\w+\}", "+", settings.mqtt_topic)
    return f"$share/{settings.mqtt_group}/{topic}" if settings.mqtt_group else topic


def read_message(message: Message, settings: Settings) -> list[Read]:
    """Return the readings of a message. Raises BadReadingError."""
    fits = _pattern(settings.mqtt_topic).fullmatch(message.topic)
    if fits is None:
        raise TopicError("topic: does not fit the settings.", zh="主题与设置不符。", field="topic")
    named = fits.groupdict()
    try:
        told = json.loads(message.payload)
    except (ValueError, RecursionError):
        raise bad("payload", "is no JSON", "不是有效的 JSON") from None
    return [_one(row, named, settings.mqtt_fields) for row in (told if isinstance(told, list) else [told])]


def _one(row: Any, named: Mapping[str, str], names: Mapping[str, str]) -> Read:
    if isinstance(row, int | float) and not isinstance(row, bool):
        row = {"value": row}
    if not isinstance(row, Mapping):
        raise bad("payload", "is neither a reading nor a list of them", "不是读数或读数列表")
    told = {ours: found for ours in ("sensor", "at", "value", "metric", "unit") if (found := _at(row, names.get(ours, ours))) is not None} if names else dict(row)
    for ours, value in named.items():
        if str(told.get(ours, value)) != value:
            # Who may write to one topic must not speak for another sensor.
            raise TopicError(f"{ours}: the message names another one than its topic.", zh=f"{ours}：消息与主题所指不一致。", field=ours)
        told[ours] = value
    if not names:
        return read_row(told)
    return Read(word(told, "sensor", True), moment_of(told.get("at")), number(told.get("value")), word(told, "metric"), word(told, "unit"))


def _at(row: Any, path: str) -> Any:
    for part in path.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


@dataclass
class _Line:
    """One connection: what came and waits, how it stands."""

    #: With the number of breaks before it: on another connection a message's number is another message's.
    came: queue.Queue[tuple[int, int, Message]] = field(default_factory=lambda: queue.Queue(IN_FLIGHT))
    up: threading.Event = field(default_factory=threading.Event)
    trouble: dict[str, str] | None = None
    drops: int = 0


def run(turn: Turn) -> Told:
    """Listen for a while: readings go to the scribe, acknowledgements back once they are safe."""
    settings, line = turn.settings, _Line()
    client = _client(settings, line)
    parts = urlsplit(settings.mqtt_url)
    host = parts.hostname or ""
    scribe = Scribe(turn.writer.store)
    total = _Sum()
    try:
        try:
            client.connect(host, parts.port or (8883 if parts.scheme == "mqtts" else 1883), keepalive=30, clean_start=False, properties=_session())
        except (OSError, ValueError) as broken:
            return Told(trouble=_words(f"{host} 没有应答（{type(broken).__name__}）", f"{host} does not answer ({type(broken).__name__})"))
        client.loop_start()
        until = time.monotonic() + TURN_S
        if not line.up.wait(ANSWER_S):
            return Told(trouble=line.trouble or _words(f"{host} 未接受连接", f"{host} does not accept the connection"))
        while time.monotonic() < until and not turn.ended():
            _pump(client, line, scribe, settings, total, 0.2)
        _drain(client, line, scribe, settings, total)
    except StoreError as bad_store:
        # What was not written was not acknowledged either: it comes again.
        return total.told(_words(bad_store.say("zh"), str(bad_store)))
    finally:
        client.disconnect()
        client.loop_stop()
        scribe.close()
    trouble = _words(f"连接中断 {line.drops} 次", f"the connection broke {line.drops} times") if line.drops else line.trouble
    return total.told(trouble)


@dataclass
class _Sum:
    taken: int = 0
    refused: int = 0

    def told(self, trouble: dict[str, str] | None) -> Told:
        return Told(taken=self.taken, refused=self.refused, trouble=trouble, as_of=None if trouble else stamp(now()))


def _client(settings: Settings, line: _Line) -> mqtt.Client:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=settings.mqtt_client, protocol=mqtt.MQTTv5, manual_ack=True)
    if settings.mqtt_user:
        client.username_pw_set(settings.mqtt_user, settings.mqtt_password.get_secret_value() or None)
    if urlsplit(settings.mqtt_url).scheme == "mqtts":
        client.tls_set(ca_certs=settings.mqtt_ca or None, cert_reqs=ssl.CERT_REQUIRED)
    client.reconnect_delay_set(1, 5)

    def connected(_: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if reason.is_failure:
            line.trouble = _words(f"消息服务器拒绝连接：{reason}", f"the broker refuses the connection: {reason}")
            return
        line.trouble = None
        if not settings.mqtt_group:
            # A session of before may still hold the shared subscription: everything would come twice.
            client.unsubscribe(filter_of(settings.model_copy(update={"mqtt_group": SHARED})))
        client.subscribe(filter_of(settings), qos=1)

    def subscribed(_: Any, __: Any, ___: Any, reasons: Any, ____: Any) -> None:
        if any(one.is_failure for one in reasons):
            line.trouble = _words(f"消息服务器拒绝订阅：{reasons[0]}", f"the broker refuses the subscription: {reasons[0]}")
            return
        line.up.set()

    def gone(_: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if reason.is_failure:
            line.drops += 1
            # What this connection brought and nobody acknowledged comes again on the next one; its numbers are void.
            _empty(line.came)

    def came(_: Any, __: Any, message: mqtt.MQTTMessage) -> None:
        line.came.put((line.drops, message.mid, Message(message.topic, message.payload)))

    client.on_connect, client.on_subscribe, client.on_disconnect, client.on_message = connected, subscribed, gone, came
    return client


def _session() -> Properties:
    held = Properties(PacketTypes.CONNECT)
    held.SessionExpiryInterval = SESSION_S
    held.ReceiveMaximum = IN_FLIGHT
    return held


def _pump(client: mqtt.Client, line: _Line, scribe: Scribe, settings: Settings, total: _Sum, wait_s: float) -> int:
    """Write what waits and acknowledge it; return how many messages that were."""
    batch: list[tuple[int, int, Message]] = []
    try:
        batch.append(line.came.get(timeout=wait_s))
        while len(batch) < TOGETHER:
            batch.append(line.came.get_nowait())
    except queue.Empty:
        if not batch:
            return 0
    parcels = _parcels(batch, settings)
    waiting: list[Future[Taken]] = [scribe.submit(parcel) for parcel in parcels]
    for parcel, done in zip(parcels, waiting, strict=True):
        taken = done.result()
        total.taken += taken.new + taken.changed
        total.refused += len(taken.faults) + len(parcel.unread)
    for drops, mid, _ in batch:
        if drops == line.drops:
            client.ack(mid, 1)
    return len(batch)


def _parcels(batch: list[tuple[int, int, Message]], settings: Settings) -> list[Parcel]:
    rows: list[Read] = []
    unread: list[tuple[str, str, str]] = []
    for *_, message in batch:
        try:
            if len(message.payload) > LARGEST:
                raise bad("payload", "is too large", "过大")
            rows += read_message(message, settings)
        except BadReadingError as refused:
            unread.append((refused.field, refused.why, f"{message.topic} {message.payload[:120]!r}"[:200]))
    return [Parcel(source=ID, rows=rows, unread=unread, file=batch[0][2].topic)]


def _drain(client: mqtt.Client, line: _Line, scribe: Scribe, settings: Settings, total: _Sum) -> None:
    """Write what has come by now; what comes after it is not acknowledged and comes again in the next turn."""
    until, left = time.monotonic() + 5, line.came.qsize()
    while left > 0 and time.monotonic() < until and (done := _pump(client, line, scribe, settings, total, 0.01)):
        left -= done


def _empty(came: queue.Queue[Any]) -> None:
    try:
        while True:
            came.get_nowait()
    except queue.Empty:
        return


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def read(told: Any) -> list[Read]:
    """Return the readings of a message (topic, payload) under the settings as they come. Raises GovError."""
    if not isinstance(told, Mapping) or not isinstance(told.get("topic"), str):
        raise bad("topic", "is missing", "缺少主题")
    return read_message(Message(told["topic"], str(told.get("payload", "")).encode()), Settings())


def every(_: Settings) -> float:
    """Return the seconds between two turns: one follows the other."""
    return 0.0


SOURCE = Source(
    id=ID, title={"zh": "MQTT 读数接入", "en": "Readings by MQTT"}, kind="poll", order=62, into="readings", needs=("mqtt_url",),
    sample={"topic": "sensors/W1/water_level", "payload": '{"at": 1760000000, "value": 1.25}'},
    means={"sensor": "W1", "metric": "water_level", "at": 1_760_000_000, "value": 1.25},
    rubbish={"topic": "sensors/W1/water_level", "payload": '{"sensor": "N1", "at": 1760000000, "value": 1.25}'},
    read=read, run=run, every_s=every, timeout_s=TURN_S + 3 * ANSWER_S,
)

