"""The stream behind every open screen: who may listen, what it says, and that processes share what changed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboard import create_app
from queries import loading
from queries.changes import Marks, Watch
from queries.settings import Settings
from queries.store import Store, put_meta
from tests.conftest import serving
from tests.visitors import HERE, open_account, signed_in, visit

#: The test client's sockets go to a host of its own unless the address says otherwise.
WIRE = "ws://127.0.0.1/live"
FRAME = {"boot", "build", "n", "cases", "away", "spread", "beat", "at"}


def soon(found: Any, seconds: float = 10) -> Any:
    """Return what `found` returns when it is true at last."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if told := found():
            return told
        time.sleep(0.02)
    raise AssertionError("it never came")


def listen_on(line: Any) -> None:
    """Listen until the line is closed."""
    while True:
        line.receive_json()


def begun_and_left(store: Store) -> None:
    """Change something and take it back."""
    with store.write() as connection:
        put_meta(connection, "test", 4)
        raise ZeroDivisionError


@pytest.fixture
def app(store: Store, tmp_path: Path) -> Iterator[Any]:
    made = create_app(Settings(data_dir=tmp_path, database_url=str(store.engine.url.render_as_string(hide_password=False))), store).server
    open_account(store, "boss", "admin", [])
    yield made
    made.state.context.close()


@pytest.mark.parametrize("origin", [HERE, "https://elsewhere.example", None])
def test_nobody_listens_without_a_session(app: Any, origin: str | None) -> None:
    one = visit(app, "https://brain.example", client="10.0.0.9")
    assert one.get("/live").status_code == 401
    with pytest.raises(WebSocketDisconnect), one.websocket_connect(WIRE, headers={"origin": origin} if origin else {}):
        pass


def test_another_sites_page_cannot_listen_with_ones_session(app: Any) -> None:
    one = signed_in(app, "boss")
    with pytest.raises(WebSocketDisconnect), one.websocket_connect(WIRE, headers={"origin": "https://elsewhere.example"}):
        pass
    with pytest.raises(WebSocketDisconnect), one.websocket_connect(WIRE):
        pass


def test_a_change_becomes_a_frame_that_says_numbers_and_nothing_else(app: Any, store: Store) -> None:
    with signed_in(app, "boss") as one, one.websocket_connect(WIRE, headers={"origin": HERE}) as line:
        first = line.receive_json()
        assert set(first) == FRAME
        assert first["away"] is False
        with store.write() as connection:
            put_meta(connection, "test", 1)
        then = line.receive_json()
        while then["n"] == first["n"]:
            then = line.receive_json()
        assert then["n"] == first["n"] + 1
        assert then["boot"] == first["boot"]
        assert then["at"] >= first["at"]
        assert all(isinstance(v, int | float | str) for v in then.values())
        # Who cannot keep a stream open asks for the same.
        asked = one.get("/live").json()
        assert {k: asked[k] for k in ("boot", "build", "n", "cases")} == {k: then[k] for k in ("boot", "build", "n", "cases")}


def test_a_session_that_is_over_hears_no_more(app: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard import live

    monkeypatch.setattr(live, "RECHECK_S", 0.0)
    with signed_in(app, "boss") as one, one.websocket_connect(WIRE, headers={"origin": HERE}) as line:
        line.receive_json()
        one.post("/logout", headers={"origin": HERE})
        with store.write() as connection:
            put_meta(connection, "test", 2)
        with pytest.raises(WebSocketDisconnect) as closed:
            listen_on(line)
        assert closed.value.code == live.SIGN_IN


def test_a_change_of_another_process_is_heard(store: Store) -> None:
    told: list[Marks | None] = []
    other = Store(store.engine.url.render_as_string(hide_password=False))
    watch = Watch(store, told.append)
    try:
        first = soon(lambda: told and told[-1])
        with other.write() as connection:
            put_meta(connection, "test", 3)
        soon(lambda: told[-1] and told[-1].n > first.n)
    finally:
        watch.close()
        other.close()


def test_what_was_rolled_back_is_no_news(store: Store) -> None:
    told: list[Marks | None] = []
    watch = Watch(store, told.append)
    try:
        first = soon(lambda: told and told[-1])
        with pytest.raises(ZeroDivisionError):
            begun_and_left(store)
        count = len(told)
        soon(lambda: len(told) > count + 1)
        assert told[-1] == first
    finally:
        watch.close()


def test_many_changes_are_few_frames_and_the_last_one_is_told(app: Any, store: Store) -> None:
    with signed_in(app, "boss") as one, one.websocket_connect(WIRE, headers={"origin": HERE}) as line:
        first = line.receive_json()
        for i in range(40):
            with store.write() as connection:
                put_meta(connection, "test", i)
        frames = [line.receive_json()]
        while frames[-1]["n"] < first["n"] + 40:
            frames.append(line.receive_json())
        spans = [b["at"] - a["at"] for a, b in zip(frames, frames[1:], strict=False)]
        assert all(span >= 0.24 for span in spans)


def test_two_servers_of_one_database_tell_each_others_changes(store: Store, demo_folder: Path, tmp_path: Path) -> None:
    import websockets

    loading.load(demo_folder, store, quiet=True)
    url = store.engine.url.render_as_string(hide_password=False)
    other = Store(url)
    apps = [create_app(Settings(data_dir=tmp_path / name, database_url=url), held).server for name, held in (("one", store), ("two", other))]

    async def meet(writes: str, hears: str) -> int:
        host = hears.removeprefix("http://")
        async with websockets.connect(f"ws://{host}/live", origin=hears) as line:
            first = json.loads(await asyncio.wait_for(line.recv(), 10))
            with TestClient(apps[0], writes, client=("127.0.0.1", 5), headers={"Cookie": "gov_demo_post=dispatcher"}) as one:
                done = await asyncio.to_thread(one.post, "/api/v1/cases", json={"category": "appearance", "title": "路面塌陷", "area_code": "990103001001001"})
            assert done.status_code == 201, done.text
            while True:
                frame = json.loads(await asyncio.wait_for(line.recv(), 10))
                if frame["cases"] > first["cases"] and frame["n"] > first["n"]:
                    return frame["cases"]

    with serving(apps[0]) as one, serving(apps[1]) as two:
        assert asyncio.run(meet(one, two))
    for app in apps:
        app.state.context.close()
    other.close()


def test_the_password_of_the_account_is_of_no_use_to_a_listener(app: Any, store: Store) -> None:
    # An account that must replace its one-time password hears nothing.
    from queries.people import accounts

    once = accounts.make(store, "fresh", "admin", [], "")
    one = visit(app)
    assert one.post("/login", data={"name": "fresh", "password": once}).status_code == 303
    with pytest.raises(WebSocketDisconnect), one.websocket_connect(WIRE, headers={"origin": HERE}):
        pass


def test_screens_are_asked_to_spread_while_drawing_takes_too_much(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard import live
    from dashboard.context import Context

    monkeypatch.setattr(live, "BEAT_S", 0.05)
    context = Context(Settings(data_dir=tmp_path), store)
    hub = live.Hub(context)

    async def until(what: Any, drawing: float) -> list[float]:
        seen: list[float] = []
        while not seen or not what(seen[-1]):
            hub.drew(drawing)
            serial = hub.serial
            await asyncio.wait_for(hub.after(serial), 10)
            seen.append(json.loads(hub.text)["spread"])
        return seen

    async def live_on() -> None:
        await hub.ready()
        assert hub.frame()["spread"] == 0
        rising = await until(lambda spread: spread == live.LONGEST_S, 1.0)
        assert rising == sorted(rising)
        falling = await until(lambda spread: spread == 0, 0.0)
        assert falling == sorted(falling, reverse=True)

    asyncio.run(live_on())
    context.close()
