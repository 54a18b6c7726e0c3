"""Live: event accepted → frame at every screen, and → visible in one real browser; plain polling beside it; the server's processor."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench._site import browser, city, until
from tests.wire import Line, Server

Row = tuple[str, str, str, str]
GRIDS, RATE, SECONDS, POLL_S = 2000, 20, 20.0, 1.0
SCREENS = (200, 500)
AIMS = {200: "p50 <= 250 ms, p99 <= 500 ms", 500: "p99 <= 1 s"}
WHO = "Cookie: gov_demo_post=dispatcher\r\n"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Heard:
    """When a screen had the numbers of which step: moments and marks, in order."""

    at: list[float] = field(default_factory=list)
    cases: list[int] = field(default_factory=list)


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where:
        data = city(given.keep or Path(where), GRIDS)
        server = Server(data).start()
        try:
            asyncio.run(_load(server.port, 40, 0.0, "w"))  # caches are warm
            _, idle = asyncio.run(_measured(server, 0, stream=True))
            for n in SCREENS:
                pushed, cost = asyncio.run(_measured(server, n, stream=True))
                polled, cost_polled = asyncio.run(_measured(server, n, stream=False))
                yield (f"event accepted → frame, {n} screens, {RATE} events/s, p50 / p99", _ms(pushed), f"asking every {POLL_S:g} s: {_ms(polled)}", AIMS[n])
                yield (f"server's processor per 100 of {n} screens, without the events' own", f"{1e4 * (cost - idle) / n:.1f} % of a core",
                       f"asking: {1e4 * (cost_polled - idle) / n:.1f} % of a core", "")
            yield from _seen(server)
        finally:
            server.stop()


def _seen(server: Server) -> Iterator[Row]:
    """Yield how long an event takes until a real browser shows it, while 200 screens listen."""
    with browser() as page:
        page.get(f"http://127.0.0.1:{server.port}/wall?lang=zh&kiosk=1")
        assert until(page, "document.querySelector('.lines .line') && window.govLive.frame", 60), "the wall was not drawn"
        page.execute_script("""
          window.seen = {};
          new MutationObserver(function () {
            const now = Date.now();
            for (const one of document.querySelectorAll('.lines .what')) { const t = one.textContent; if (!(t in window.seen)) window.seen[t] = now; }
          }).observe(document.body, { childList: true, subtree: true });""")
        accepted = asyncio.run(_beside(server.port, SCREENS[0]))
        time.sleep(3)
        seen = page.execute_script("return window.seen")
    took = [seen[title] / 1000 - at for title, at in accepted.items() if title in seen]
    yield (f"event accepted → visible on a wall in a browser, {SCREENS[0]} screens, p50 / p99", _ms(took), f"{len(took)} of {len(accepted)} seen", AIMS[SCREENS[0]])


async def _beside(port: int, n: int) -> dict[str, float]:
    ended = asyncio.Event()
    listening = [asyncio.ensure_future(_listen(port, ended, Heard())) for _ in range(n)]
    await asyncio.sleep(1)
    told = await _load(port, 5 * RATE, 1 / RATE, "seen")
    ended.set()
    await asyncio.gather(*listening)
    return {f"看见{key}": wall for key, (wall, _, _) in told.items()}


async def _measured(server: Server, n: int, stream: bool) -> tuple[list[float], float]:
    """Return each screen's delay for each event, in seconds, and the share of a core that the server took."""
    ended, heard = asyncio.Event(), [Heard() for _ in range(n)]
    act = _listen if stream else _ask
    listening = [asyncio.ensure_future(act(server.port, ended, one)) for one in heard]
    await asyncio.sleep(2)
    before, began = _spent(server), time.monotonic()
    told = await _load(server.port, int(RATE * SECONDS), 1 / RATE, f"{'s' if stream else 'p'}{n}")
    took = time.monotonic() - began
    cost = (_spent(server) - before) / took
    await asyncio.sleep(2 + POLL_S)
    ended.set()
    await asyncio.gather(*listening)
    delays: list[float] = []
    for one in heard:
        i = 0
        for _, accepted, number in sorted(told.values(), key=lambda t: t[2]):
            while i < len(one.cases) and one.cases[i] < number:
                i += 1
            # A screen that never had it counts as endless, not as none.
            delays.append(max(0.0, one.at[i] - accepted) if i < len(one.at) else float("inf"))
    return delays, cost


async def _load(port: int, n: int, every_s: float, name: str) -> dict[str, tuple[float, float, int]]:
    """Report cases at an even rate; return by name: when it was accepted (wall and monotonic clock), and the number of its step."""
    line, out, begun = Line(port, WHO), {}, time.monotonic()
    for i in range(n):
        await asyncio.sleep(max(0.0, begun + i * every_s - time.monotonic()))
        key = f"{name}-{time.time_ns()}"
        status, told = await line.post("/api/v1/cases", {"category": "appearance", "title": f"看见{key}", "area_code": "990103001001001"})
        assert status == 201, told
        out[key] = (time.time(), time.monotonic(), told["event"])
    line.close()
    return out


async def _listen(port: int, ended: asyncio.Event, heard: Heard) -> None:
    import websockets

    async with websockets.connect(f"ws://127.0.0.1:{port}/live", origin=f"http://127.0.0.1:{port}", compression=None, ping_interval=None) as line:  # type: ignore[arg-type]
        while not ended.is_set():
            frame = await _next(line, ended)
            if frame is not None:
                heard.at.append(time.monotonic())
                heard.cases.append(frame["cases"])


async def _next(line: Any, ended: asyncio.Event) -> Any:
    try:
        return json.loads(await asyncio.wait_for(line.recv(), 6))
    except TimeoutError:
        return None


async def _ask(port: int, ended: asyncio.Event, heard: Heard) -> None:
    """Ask like a page with a clock: a second after the answer, the next question."""
    line = Line(port, WHO)
    await asyncio.sleep(POLL_S * (id(heard) % 1000) / 1000)
    while not ended.is_set():
        _, frame = await line.get("/live")
        heard.at.append(time.monotonic())
        heard.cases.append(frame["cases"])
        await asyncio.sleep(POLL_S)
    line.close()


def _spent(server: Server) -> float:
    """Return the processor seconds of the server until now."""
    told = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / TICKS


def _ms(held: list[float]) -> str:
    held = sorted(held)
    if not held:
        return "none"
    return f"{held[len(held) // 2] * 1000:.0f} / {held[min(len(held) - 1, int(len(held) * 0.99))] * 1000:.0f} ms"
