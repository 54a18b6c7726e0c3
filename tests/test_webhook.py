"""Webhook out, against a real small server: signed, in order, retried, and not a step lost over a restart."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from queries import loading
from queries.errors import SettingError
from queries.loop.writer import Writer
from queries.settings import Settings, read
from queries.sources import _kept, drop_folder, webhook
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn
from queries.store import Store
from tests.test_loop import ADMIN, CITY, URBAN, WATER, little, new, step, to_handling, writer  # noqa: F401  (fixtures)
from tests.waiting import until

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


def test_a_department_hears_of_what_is_taken_from_it_and_of_every_step_of_a_whistle(writer: Writer, other: Receiver) -> None:  # noqa: F811
    settings = rules(water={"url": other.url, "department": "water"})
    begun(writer, settings)
    no = new(writer, category="flood", lon=110.15)
    step(writer, no, "filed")
    step(writer, no, "dispatched", department="water")
    step(writer, no, "undone")
    step(writer, no, "whistled", reason="emergency", department="water")
    step(writer, no, "arrived", ADMIN, department="water")
    step(writer, no, "whistle_rated", department="water", details={"stars": 4})
    step(writer, no, "whistle_ended")
    telling = Telling(writer, settings)
    until(lambda: len(other.got) >= 6)
    time.sleep(0.7)
    telling.end()
    assert [s for _, s in other.steps()] == ["dispatched", "undone", "whistled", "arrived", "whistle_rated", "whistle_ended"]
    assert [one.get("called") for one in other.got] == [None, None, *[["water"]] * 4]
    assert other.got[1]["department"] is None
    assert other.got[0]["now"]["status"] == "filed", "where the case stands when the message is made"


IMPORTED = """
[[cases]]
id = "hotline"
file = "hotline.csv"
columns = { no = "no", category = "category", reported_at = "at", filed_at = "filed", closed_at = "closed", due_at = "due", status = "status", department = "department", lon = "lon", lat = "lat" }
"""
HEAD = "no,category,at,filed,closed,due,status,department,lon,lat\n"
OLD = "OLD,litter,2026-01-05 08:00,2026-01-05 09:00,2026-01-06 08:00,2026-01-09 18:00,closed,urban,110.05,20.05\n"
NOW = "NOW,litter,2026-01-07 08:00,2026-01-07 09:00,,2026-01-12 18:00,handling,urban,110.05,20.05\n"


def brought(folder: Path, store: Store, rows: str) -> None:
    (folder / "hotline.csv").write_text(HEAD + rows, "utf-8")
    loading.load(folder, store, quiet=True)


@pytest.mark.parametrize("way", ["load", "drop"])
def test_of_imported_cases_the_open_ones_are_news_and_the_closed_ones_history_unless_asked_for(
    writer: Writer, receiver: Receiver, other: Receiver, tmp_path: Path, way: str,  # noqa: F811
) -> None:
    folder = tmp_path / "little"
    (folder / "city.toml").write_text(CITY + IMPORTED, "utf-8")
    brought(folder, writer.store, "")
    settings = rules(urban={"url": receiver.url, "department": "urban"}, water={"url": other.url, "department": "water"},
                     all={"url": other.url, "imported": "all"}, none={"url": other.url, "imported": "none"})
    begun(writer, settings)

    def bring(rows: str) -> None:
        if way == "load":
            brought(folder, writer.store, rows)
            return
        drop = tmp_path / "drop"
        drop.mkdir(exist_ok=True)
        (drop / "hotline.csv").write_text(HEAD + rows, "utf-8")
        os.utime(drop / "hotline.csv", (time.time() - 60,) * 2)
        drop_folder.run(Turn(writer=Pen(writer, lambda: False), settings=Settings(drop_dir=str(drop)), ended=lambda: False))

    bring(OLD + NOW)
    moved = NOW.replace("urban", "water").replace("2026-01-12", "2026-01-20")
    bring(OLD + moved)
    telling = Telling(writer, settings)
    until(lambda: len(receiver.got) >= 4 and len(other.got) >= 9)
    time.sleep(0.7)
    assert telling.end().trouble is None

    assert receiver.steps() == [("NOW", "reported"), ("NOW", "filed"), ("NOW", "told"), ("NOW", "changed")]
    assert [one["derived"] for one in receiver.got] == [True, True, True, False]
    assert receiver.got[0]["due_at"] == "2026-01-12T10:00:00+00:00"
    assert receiver.got[0]["area"] == "91"
    last = receiver.got[-1]
    assert last["changed"] == {"department": ["urban", "water"], "due_at": ["2026-01-12T10:00:00+00:00", "2026-01-20T10:00:00+00:00"]}
    assert last["now"] | {"stage_due_at": None} == {"status": "handling", "waiting": "department", "department": "water", "due_at": "2026-01-20T10:00:00+00:00", "stage_due_at": None}
    # Everything for who asked for all of it; to the others only the change, as the department that gets the case hears of it too.
    assert sorted(other.steps()) == sorted([("OLD", "reported"), ("OLD", "filed"), ("OLD", "closed"), ("NOW", "reported"), ("NOW", "filed"), ("NOW", "told"),
                                            *[("NOW", "changed")] * 3])


def test_a_receiver_of_a_department_that_is_not_known_says_so(writer: Writer, receiver: Receiver) -> None:  # noqa: F811
    told = Telling(writer, rules(urbn={"url": receiver.url, "department": "urbn"})).end()
    assert "'urbn'" in (told.trouble or {}).get("en", "")
    assert receiver.calls == 0


def test_another_city_in_the_place_of_the_old_one_is_told_from_its_beginning(writer: Writer, receiver: Receiver) -> None:  # noqa: F811
    settings = rules(all={"url": receiver.url})
    _kept.keep(writer.store, webhook.PLACE + "all", {"after": 10**9, "kept": 10**9, "failures": 0, "again_at": 0.0, "trouble": None})
    telling = Telling(writer, settings)
    until(lambda: _kept.recall(writer.store, webhook.PLACE + "all")["after"] < 10**9)
    no = new(writer)
    until(lambda: receiver.got)
    telling.end()
    assert receiver.steps() == [(no, "reported")]


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
