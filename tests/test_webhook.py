"""Webhook out, against a real small server: signed, in order, retried, and not a step lost over a restart."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from queries.errors import SettingError
from queries.loop.writer import Writer
from queries.settings import Settings, read
from queries.sources import webhook
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn
from tests.test_loop import URBAN, WATER, little, new, step, to_handling, writer  # noqa: F401  (fixtures)

SECRET = "only between us"  # noqa: S105


class Receiver:
    """A department's own system."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.bad_signatures = self.calls = 0
        self.mood: Callable[[], int] = lambda: 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls += 1
                status = receiver.mood()
                # As the README shows it.
                at = self.headers["X-Gov-Timestamp"]
                good = "v1=" + hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
                if not hmac.compare_digest(good, self.headers["X-Gov-Signature"]) or abs(time.time() - int(at)) > 300:
                    receiver.bad_signatures += 1
                elif status < 300:
                    receiver.got += json.loads(body)["events"]
                assert SECRET not in str(self.headers) + self.path + body.decode()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def steps(self) -> list[tuple[str, str]]:
        return [(e["case"], e["step"]) for e in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def rules(**receivers: Any) -> Settings:
    return Settings(webhooks=receivers, webhook_secrets=dict.fromkeys(receivers, SECRET))


class Telling:
    """Lets the door have its turn in a thread until it is ended, as the coordinator does."""

    def __init__(self, writer: Writer, settings: Settings) -> None:  # noqa: F811
        self._over = threading.Event()
        self.told: Told | None = None
        turn = Turn(writer=Pen(writer, self._over.is_set), settings=settings, ended=self._over.is_set)
        self._thread = threading.Thread(target=self._run, args=(turn,), daemon=True)
        self._thread.start()

    def _run(self, turn: Turn) -> None:
        self.told = webhook.run(turn)

    def end(self) -> Told:
        self._over.set()
        self._thread.join(20)
        assert self.told is not None
        return self.told


def until(check: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def begun(writer: Writer, settings: Settings) -> None:  # noqa: F811
    """Let the receivers be met: they are told from here on."""
    for name in settings.webhooks:
        webhook._begin(writer.store, name)


def test_what_happens_is_told_signed_in_order_and_once_over_restarts(writer: Writer, receiver: Receiver) -> None:  # noqa: F811
    before = new(writer)
    settings = rules(all={"url": receiver.url})
    begun(writer, settings)
    first = to_handling(writer)
    telling = Telling(writer, settings)
    until(lambda: len(receiver.got) == 4)
    assert telling.end().trouble is None
    second = new(writer, title="联系人张三丰 13812345678", contact="13812345678", text="李四说")
    step(writer, second, "filed", note="回电 13812345678")
    telling = Telling(writer, settings)
    until(lambda: len(receiver.got) == 6)
    telling.end()
    assert receiver.steps() == [(first, "reported"), (first, "filed"), (first, "dispatched"), (first, "accepted"), (second, "reported"), (second, "filed")]
    assert [e["id"] for e in receiver.got] == sorted({e["id"] for e in receiver.got})
    assert receiver.bad_signatures == 0
    assert before not in str(receiver.got), "a new receiver is not told the past"
    assert "13812345678" not in str(receiver.got)
    assert "张三丰" not in str(receiver.got)
    assert "李四" not in str(receiver.got)


def test_a_receiver_that_fails_is_told_again_and_nothing_is_left_out(writer: Writer, receiver: Receiver) -> None:  # noqa: F811
    settings = rules(all={"url": receiver.url})
    begun(writer, settings)
    left = [2]

    def mood() -> int:
        left[0] -= 1
        return 500 if left[0] >= 0 else 200

    receiver.mood = mood
    no = new(writer)
    telling = Telling(writer, settings)
    until(lambda: receiver.calls == 1)
    step(writer, no, "filed")
    told = telling.end()
    assert "answers 500" in (told.trouble or {}).get("en", "")
    assert (told.trouble or {})["zh"]
    telling = Telling(writer, settings)
    until(lambda: len(receiver.got) == 2)
    assert telling.end().trouble is None
    assert receiver.calls == 3
    assert receiver.steps() == [(no, "reported"), (no, "filed")]


def test_a_receiver_that_hangs_or_is_away_slows_nobody(writer: Writer, receiver: Receiver, other: Receiver) -> None:  # noqa: F811
    free = threading.Event()

    def hangs() -> int:
        free.wait(30)
        return 200

    other.mood = hangs
    settings = rules(slow={"url": other.url}, away={"url": "http://127.0.0.1:9/"}, good={"url": receiver.url})
    begun(writer, settings)
    new(writer)
    telling = Telling(writer, settings)
    until(lambda: other.calls == 1 and len(receiver.got) == 1)
    began = time.monotonic()
    new(writer)
    until(lambda: len(receiver.got) == 2)
    assert time.monotonic() - began < 8
    free.set()
    told = telling.end()
    assert "away" in (told.trouble or {}).get("en", "")


def test_a_department_is_told_what_concerns_it_and_nothing_else(writer: Writer, receiver: Receiver, other: Receiver) -> None:  # noqa: F811
    settings = rules(urban={"url": receiver.url, "department": "urban"}, water={"url": other.url, "department": "water"})
    begun(writer, settings)
    mine = to_handling(writer)
    step(writer, mine, "returned", URBAN, reason="不归我们")
    flood = new(writer, category="flood", lon=110.15)
    step(writer, flood, "filed")
    step(writer, flood, "dispatched", department="water")
    step(writer, flood, "accepted", WATER)
    telling = Telling(writer, settings)
    until(lambda: len(receiver.got) >= 3 and len(other.got) >= 2)
    time.sleep(0.7)
    telling.end()
    assert [s for no, s in receiver.steps() if s in ("dispatched", "accepted", "returned")] == ["dispatched", "accepted", "returned"]
    assert {no for no, _ in receiver.steps()} == {mine}
    assert {no for no, _ in other.steps()} == {flood}


def test_no_event_is_passed_over_while_many_write_at_once(writer: Writer, receiver: Receiver) -> None:  # noqa: F811
    settings = rules(all={"url": receiver.url})
    begun(writer, settings)
    telling = Telling(writer, settings)
    threads = [threading.Thread(target=lambda: [new(writer) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(receiver.got) >= 100)
    telling.end()
    assert len({e["id"] for e in receiver.got}) == 100
    assert [e["id"] for e in receiver.got] == sorted(e["id"] for e in receiver.got)


def test_a_receiver_without_a_secret_is_not_told_and_says_so(writer: Writer, receiver: Receiver) -> None:  # noqa: F811
    settings = Settings(webhooks={"all": {"url": receiver.url}})
    new(writer)
    told = Telling(writer, settings).end()
    assert "GOV_WEBHOOK_SECRETS" in (told.trouble or {}).get("en", "")
    assert receiver.calls == 0


def test_receivers_are_settings_and_their_secrets_never_leave_the_environment(tmp_path: Any) -> None:
    held = read({"GOV_WEBHOOKS": '{"a": {"url": "https://host/hook", "department": "urban"}}', "GOV_WEBHOOK_SECRETS": '{"a": "hidden"}'})
    assert (held.webhooks["a"].department, held.webhook_secrets["a"].get_secret_value()) == ("urban", "hidden")
    assert "hidden" not in repr(held) + str(held) + held.model_dump_json()
    file = tmp_path / "s.toml"
    file.write_text('[webhooks.a]\nurl = "https://host/hook"\n', "utf-8")
    assert read({"GOV_SETTINGS": str(file)}).webhooks["a"].url == "https://host/hook"
    file.write_text('[webhook_secrets]\na = "hidden"\n', "utf-8")
    with pytest.raises(SettingError, match="environment only"):
        read({"GOV_SETTINGS": str(file)})
    for bad in ("ftp://host/", "file:///etc/passwd", "http://", "https://user:hidden@host/"):
        with pytest.raises(SettingError) as told:
            read({"GOV_WEBHOOKS": json.dumps({"a": {"url": bad}})})
        assert "hidden" not in str(told.value)
    with pytest.raises(SettingError) as told:
        read({"GOV_WEBHOOK_SECRETS": "hidden"})
    assert "hidden" not in str(told.value)
