"""Lets a wall live through months in minutes: `python -m tests.soak --minutes 30`.

A real browser goes round a small demo city while cases come in, the server is killed and started, and the network is
cut (the server is halted, its connections stay open). After each round of troubles the wall must show by itself what
the server knows, and after the first one its memory may not grow by more than the budget. Returns 1 when it does.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scipy.stats import theilslopes

from tests.bench._site import browser, city
from tests.wire import Server

#: Growth of the page's memory after the warm-up that fails.
BUDGET = 0.05
GRIDS, EVERY_S, HALT_S, AWAY_S = 400, 0.7, 14.0, 2.0
#: What the engine compiles as functions become hot is in its heap too, grows for an hour and is thrown away when memory is short:
#: here it compiles nothing but the plain code, and keeps that, so that the heap is what the page holds.
PLAIN = "--js-flags=--no-opt --no-maglev --no-sparkplug --no-flush-bytecode"
#: Rounds of troubles: the first ones fill the page's caches and are the warm-up.
WARM, LEAST = 2, 3
#: From so many looks on, a line is laid through them.
MANY = 6
WHO = {"Content-Type": "application/json", "Cookie": "gov_demo_post=dispatcher"}
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What came of it: heap (bytes) and nodes after each round, how much happened, and what was wrong."""

    heap: list[int] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    #: Private memory of the page's process (bytes), what the engine itself keeps with it: told, and no budget, for it is never still.
    private: list[int] = field(default_factory=list)
    events: int = 0
    stops: int = 0
    restarts: int = 0
    cuts: int = 0
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Return by which share the heap grew after the warm-up: the first rounds, or the first fifth of many.

        A single look is a tenth off either way, by what is on the screen just then. So of many rounds it is what the
        median of all slopes between two of them (Theil and Sen) comes to over the whole time.
        """
        held = self.heap[self.warm - 1:]
        if len(held) < MANY:
            return held[-1] / held[0] - 1
        slope, start, *_ = theilslopes(held)
        return float(slope * (len(held) - 1) / start)

    @property
    def warm(self) -> int:
        """Return the number of rounds that are the warm-up."""
        return max(WARM, len(self.heap) // 5)


class Reports(threading.Thread):
    """Reports cases all the time; one that was not acknowledged is sent again with its key."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.done, self.quiet, self.ended = url, 0, threading.Event(), threading.Event()

    def run(self) -> None:
        """Report until ended."""
        while not self.ended.wait(EVERY_S):
            if self.quiet.is_set():
                continue
            body = json.dumps({"category": "appearance", "title": f"积水{self.done}", "area_code": "990103001001001"}).encode()
            while not self.ended.is_set() and not self._sent(body):
                time.sleep(0.5)

    def _sent(self, body: bytes) -> bool:
        asked = urllib.request.Request(f"{self.url}/api/v1/cases", body, {**WHO, "Idempotency-Key": f"soak-{self.done}-{id(self)}"})
        try:
            urllib.request.urlopen(asked, timeout=20).close()
        except OSError:
            return False
        self.done += 1
        return True


def soak(minutes: float, say: Say = print, budget: float = BUDGET) -> Outcome:
    """Live through it; return what came of it."""
    out = Outcome()
    with tempfile.TemporaryDirectory() as where:
        server = Server(city(Path(where), GRIDS)).start()
        url = f"http://127.0.0.1:{server.port}"
        reports = Reports(url)
        try:
            with browser(flags=(PLAIN,), logs=False) as page:
                reports.start()
                page.execute_cdp_cmd("Performance.enable", {})
                page.get(f"{url}/wall?lang=zh&kiosk=1&round=city")
                _await(page, "document.querySelector('.lines .line') && window.govRound.stops.length && window.govLive.frame", "the wall was not drawn")
                end = time.monotonic() + 60 * minutes
                while time.monotonic() < end or len(out.heap) < LEAST:
                    _round(page, server, reports, out)
                    say(f"round {len(out.heap):3}: heap {out.heap[-1] / 1e6:6.2f} MB, {out.nodes[-1]:6,} nodes, process {out.private[-1] / 1e6:3.0f} MB, {reports.done:6,} cases, {out.stops:5,} stops, "
                        f"{out.restarts} restarts, {out.cuts} cuts, right again after {out.slowest_s:.1f} s at most")
                out.events = reports.done
        except AssertionError as bad:
            out.wrong.append(str(bad))
        finally:
            reports.ended.set()
            server.go_on()
            server.stop()
    if not out.wrong and out.growth > budget:
        out.wrong.append(f"the heap grew by {out.growth:.1%} after the warm-up; {budget:.0%} is the budget")
    return out


def _round(page: Any, server: Server, reports: Reports, out: Outcome) -> None:
    _steps(page, out, 9)
    # The connection stays open and nothing comes: only the beat tells.
    server.halt()
    _await(page, "!document.querySelector('#unheard').hidden", "a server that does not answer was not said", HALT_S + 20)
    server.go_on()
    out.cuts += 1
    _right(page, server, reports, out)
    _steps(page, out, 3)
    server.kill()
    time.sleep(AWAY_S)
    server.start()
    out.restarts += 1
    _right(page, server, reports, out)
    # React lets go of what it drew last when it draws again.
    for _ in range(2):
        _said(page, "document.dispatchEvent(new CustomEvent('gov:lost'))")
        time.sleep(2)
        _await(page, "window.govLive.asked === 0", "the panels are not drawn")
    # Of what Dash keeps for an undo the page holds five changes at most, for five seconds: a look is taken when it holds none.
    _await(page, "window.dash_stores[0].getState().history.past.length === 0", "what no page can undo is kept")
    for _ in range(2):
        page.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    told = {one["name"]: one["value"] for one in page.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    out.heap.append(int(told["JSHeapUsedSize"]))
    out.nodes.append(int(told["Nodes"]))
    out.private.append(_private(page.service.process.pid))
    _said(page, "window.history.replaceState({}, '', location.pathname + location.search.replace('&pause=1', '')); "
                "window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'))")


def _private(driver: int) -> int:
    """Return the private memory of the largest page process below a driver, in bytes; 0 where the system does not tell."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    most = 0
    for pid in parents:
        above = pid
        while above in parents and above != driver:
            above = parents[above]
        with suppress(OSError):
            if above == driver and b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                most = max(most, 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Private_Clean"))))
    return most


def _steps(page: Any, out: Outcome, n: int) -> None:
    for _ in range(n):
        _said(page, "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }))")
        out.stops += 1
        time.sleep(1)


def _right(page: Any, server: Server, reports: Reports, out: Outcome) -> None:
    """See the wall come back by itself, and show the newest cases in the order in which the server has them."""
    began = time.monotonic()
    _await(page, "document.querySelector('#unheard')?.hidden && window.govLive?.over === 'stream'", "the wall did not come back by itself", 60)
    # Urgent cases of the demo that are just past their deadline have been seen by now.
    _said(page, "(function () { for (const one of window.govRound.calls) window.govRound.done[one.id] = 1;"
                "const q = new URLSearchParams(window.govRound.stops[0].search); q.set('pause', '1');"
                "window.history.replaceState({}, '', location.pathname + '?' + q); window.dispatchEvent(new CustomEvent('_dashprivate_pushstate')) })()")
    reports.quiet.set()
    time.sleep(2 * EVERY_S)
    asked = urllib.request.Request(f"http://127.0.0.1:{server.port}/api/v1/cases?order=newest&limit=8", headers=WHO)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        titles = [row["title"] for row in json.loads(answer.read())["rows"]]
    shown = "[...document.querySelectorAll('.lines .what')].slice(0, 8).map(e => e.textContent)"
    _await(page, f"JSON.stringify({shown}) === {json.dumps(json.dumps(titles, ensure_ascii=False, separators=(',', ':')))}", f"the wall does not show what the server knows: {titles}", 30)
    _await(page, "window.govMap.state()?.top && window.govLive.asked === 0", "the map is not at its place")
    out.slowest_s = max(out.slowest_s, time.monotonic() - began)
    reports.quiet.clear()


def _said(page: Any, expression: str) -> Any:
    """Return an expression's value. The driver's own way leaves a handle to each answer in the page for as long as it lives: a leak of ours."""
    told = page.execute_cdp_cmd("Runtime.evaluate", {"expression": expression, "returnByValue": True})
    if "exceptionDetails" in told:
        raise AssertionError(f"{expression}: {told['exceptionDetails']}")
    return told["result"].get("value")


def _await(page: Any, expression: str, wrong: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not _said(page, expression):
        if time.monotonic() > end:
            shown = _said(page, "[...document.querySelectorAll('.lines .what')].slice(0, 8).map(e => e.textContent)")
            raise AssertionError(f"{wrong} ({expression}); shown: {shown}, {page.current_url}")
        time.sleep(0.05)


def main() -> int:
    """Run it; return 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    given = parser.parse_args()
    out = soak(given.minutes, lambda line: print(line, flush=True))
    if len(out.heap) > WARM:
        print(f"{out.events:,} cases, {out.stops:,} stops, {out.restarts} restarts, {out.cuts} cuts; heap {out.heap[out.warm - 1] / 1e6:.2f} → {out.heap[-1] / 1e6:.2f} MB, growth {out.growth:+.1%}; "
              f"process {out.private[out.warm - 1] / 1e6:.0f} → {out.private[-1] / 1e6:.0f} MB")
    for one in out.wrong:
        print(f"WRONG: {one}", file=sys.stderr)
    return int(bool(out.wrong))


if __name__ == "__main__":
    sys.exit(main())
