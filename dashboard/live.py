"""Tells every open screen that something changed: one hub a process, one frame for all screens.

A frame says how far the data has come (numbers), which process speaks (boot), which program and settings it runs
(build) and when it spoke (at). It is a state and no message: whoever comes back after an hour gets the newest one,
compares numbers and reads again what differs. There is nothing to replay and nothing that could be missed.
Data never travels this way; each screen asks for what it may see.

`/live` is a WebSocket, since a browser keeps only six plain connections to a host for all of its tabs. Who cannot
open one asks `GET /live` for the same frame. assets/60-live.js is the other half.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.context import Context
from dashboard.login import LIVE, STILL
from queries.changes import Marks, Watch

#: Seconds between two frames at most and at least: four a second while much happens, a beat while nothing does.
WINDOW_S, BEAT_S = 0.25, 5.0
#: After so many seconds without a word from the database its numbers are not said to hold.
AWAY_S = 10.0
#: A session is looked up again so often while its screen listens.
RECHECK_S = 60.0
#: Share of a core that drawing may take before screens are asked to spread their questions, and over how many seconds at most.
BUSY, LONGEST_S = 0.6, 30.0
#: The page leads to the sign-in page: no session, or it is over.
SIGN_IN = 4401


def build(settings: Any) -> str:
    """Return what changes when the program or its settings do; a page of another build must be loaded anew."""
    home = Path(__file__).resolve().parent
    told = hashlib.sha256(settings.model_dump_json(exclude={"database_url", "webhooks", "webhook_secrets"}).encode())
    for folder, kinds in ((home.parent / "assets", "*.*"), (home, "*.py"), (home.parent / "layers", "*.py")):
        for file in sorted(folder.rglob(kinds)):
            told.update(file.read_bytes())
    return told.hexdigest()[:12]


class Hub:
    """The newest frame of this process, and whoever waits for the next one."""

    def __init__(self, context: Context) -> None:
        """Nothing is started here: the first screen starts it."""
        self.context = context
        self.build = build(context.settings)
        #: Counts frames of this process.
        self.serial = 0
        self.text = ""
        self.screens = 0
        self._marks: Marks | None = None
        self._heard_at = self._sent_at = float("-inf")
        #: What the last frame said: numbers, and whether the database was away.
        self._told: tuple[Marks | None, bool] = (None, True)
        self._next: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch | None = None
        self._planned: asyncio.TimerHandle | None = None
        self._lock = threading.Lock()
        self._drawn_s, self._spread_s = 0.0, 0.0

    async def ready(self) -> None:
        """Begin to listen, if nobody did, and wait for the first frame."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._next, self.text = loop, asyncio.Event(), ""
            loop.call_later(BEAT_S, self._beat, loop)
            if self._watch is None:
                self._watch = Watch(self.context.store, self._hear)
                self.context.at_end.append(self.close)
        while not self.text:
            await self.after(self.serial)

    def close(self) -> None:
        """End."""
        if self._watch is not None:
            self._watch.close()

    def drew(self, seconds: float) -> None:
        """Count time that was spent on drawing; screens are spread when it is too much. Threads may call it at once."""
        with self._lock:
            self._drawn_s += seconds

    async def after(self, serial: int) -> None:
        """Wait until there is a frame after one."""
        while self.serial == serial:
            assert self._next is not None
            await self._next.wait()

    def frame(self) -> dict[str, Any]:
        """Return what holds now."""
        held = self._marks
        away = held is None or time.monotonic() - self._heard_at > AWAY_S
        return {"boot": self.context.boot_id, "build": self.build, "n": held.n if held else 0, "cases": held.cases if held else 0,
                "away": away, "spread": round(self._spread_s, 1), "beat": BEAT_S, "at": round(time.time(), 3)}

    def _hear(self, held: Marks | None) -> None:
        """Take what the watch says, on its thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._take, held)

    def _take(self, held: Marks | None) -> None:
        # A database that is away keeps its numbers: they are what the screens show.
        self._marks, self._heard_at = (held, time.monotonic()) if held is not None else (self._marks, float("-inf"))
        news = (self._marks, held is None)
        if (news == self._told and self.text) or self._planned is not None:
            return
        wait = self._sent_at + WINDOW_S - time.monotonic()
        if wait <= 0:
            self._send()
        elif self._loop is not None:
            self._planned = self._loop.call_later(wait, self._send)

    def _send(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
        self._planned = None
        self._sent_at = time.monotonic()
        frame = self.frame()
        self._told = (self._marks, frame["away"])
        self.text = json.dumps(frame, separators=(",", ":"))
        self.serial += 1
        waiting, self._next = self._next, asyncio.Event()
        if waiting is not None:
            waiting.set()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            return
        with self._lock:
            busy, self._drawn_s = self._drawn_s / BEAT_S, 0.0
        self._spread_s = min(LONGEST_S, max(1.0, self._spread_s * 1.5)) if busy > BUSY else self._spread_s * 0.7 if self._spread_s > 0.5 else 0.0
        if time.monotonic() - self._sent_at >= BEAT_S / 2:
            self._send()
        loop.call_later(BEAT_S, self._beat, loop)


class Live:
    """The ASGI layer behind the door: answers `/live` by itself, since what stands around pages would hold a stream back."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self.app, self.hub = app, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the stream and its fallback; pass everything else on."""
        if scope.get("path") != LIVE:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._screen(scope, receive, send)
        else:
            await self.hub.ready()
            await JSONResponse(self.hub.frame(), headers={"Cache-Control": "no-store"})(scope, receive, send)

    async def _screen(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.hub.screens += 1
        telling = asyncio.ensure_future(self._tell(scope, send))
        try:
            # What a screen says means nothing here; that it goes is what is waited for.
            while (await receive())["type"] != "websocket.disconnect" and not telling.done():
                pass
        finally:
            self.hub.screens -= 1
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self, scope: Scope, send: Send) -> None:
        hub, checked = self.hub, time.monotonic()
        await hub.ready()
        while True:
            serial = hub.serial
            await send({"type": "websocket.send", "text": hub.text})
            # A slow screen takes the newest frame when it is done with the last one.
            await hub.after(serial)
            if time.monotonic() - checked > RECHECK_S:
                checked = time.monotonic()
                if not await scope[STILL]():
                    await send({"type": "websocket.close", "code": SIGN_IN})
                    return
