"""The first view of a city of 5,000 grids: bytes with an empty cache, and from a click to the painted drill."""

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from tests.bench import _site

Row = tuple[str, str, str, str]
GRIDS = 5_000
CLICKS = 10
#: The map has painted the outlines of a place, its values are there, and the ranking shows what lies under it.
THERE = """
(function () {
  const m = window.govMap, s = m && m.state(), rows = document.querySelectorAll(".ranking tbody a.drill");
  if (!s || !m.painted || !rows.length || !m.map() || !m.map()._loaded) return null;
  const paths = document.querySelectorAll(".gov-map path[role=button][aria-label]").length;
  return s.crisp && paths !== s.n ? null : {place: s.place, painted: m.painted, first: rows[0].getAttribute("href"), paths: paths};
})()
""".strip()
CLICK = """
const done = arguments[arguments.length - 1], link = document.querySelectorAll(".ranking tbody a.drill")[arguments[0]];
const wanted = new URL(link.href).searchParams.get("place"), before = THERE, began = performance.now();
link.click();
(function wait() {
  const now = THERE;
  if (now && now.place === wanted && now.painted > before.painted && now.first !== before.first) {
    requestAnimationFrame(function () { const c = new MessageChannel(); c.port1.onmessage = function () { done(performance.now() - began); }; c.port2.postMessage(0); });
  } else if (performance.now() - began > 20000) done(null); else requestAnimationFrame(wait);
})();
""".replace("THERE", THERE)


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with ExitStack() as stack:
        where = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(_site.serve(_site.city(where, GRIDS)))
        page = stack.enter_context(_site.browser())
        page.get(f"{url}/?lang=zh")
        _site.until(page, THERE, 60)
        page.execute_script("return new Promise(function (go) { setTimeout(go, 1500); })")
        sent = _site.transferred(page)
        bundle = len(gzip.compress(get_plotlyjs().encode(), 6))
        yield ("first view, empty cache", f"{sent / 1e6:.2f} MB", f"with plotly's bundle {(sent + bundle) / 1e6:.2f} MB", "<= 1.5 MB")
        yield ("click on a district to its painted drill, median of 10", f"{statistics.median(_clicks(page, url)):,.0f} ms", "", "<= 400 ms")


def _clicks(page: Any, url: str) -> list[float]:
    times = []
    for i in range(CLICKS):
        took = page.execute_async_script(CLICK, i % 9)
        if took is None:
            raise RuntimeError("a click did not lead to the place under it within 20 s")
        times.append(took)
        page.execute_script("history.back()")
        if not _site.until(page, f"(function(){{const t={THERE};return t&&govMap.state().top}})()", 20):
            raise RuntimeError("going back did not lead to the city")
        page.execute_script("return new Promise(function (go) { setTimeout(go, 500); })")
    return times
