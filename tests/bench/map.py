"""The map with every grid of a city in one view: bytes, first paint, recolouring, panning; dl.GeoJSON beside it."""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layers import _idtiles
from queries.settings import Settings
from queries.store import Store
from tests.bench import _site

Row = tuple[str, str, str, str]
#: The usual way is given up after so many seconds.
PATIENCE = 120
TURNS = 6

#: Runs before any script of the page: says when all areas of the view have been painted, and how to measure the rest.
METER = """
window.bench = {painted: null, styled: 0, areas: 0, turn: 0};
(function hook() { if (window.L && window.L.Map) window.L.Map.addInitHook(function () { bench.map = this; }); else setTimeout(hook, 1); })();
bench.style = function (feature, context) {
  bench.styled += 1;
  const colours = ["#2b3f4e", "#47606d", "#8d7a4e", "#c08a2d", "#e8632f"];
  return {weight: 1, color: "#0f1418", fillOpacity: 0.88, fillColor: colours[(feature.properties.dense + context.hideout.turn) % 5]};
};
bench.grid = function () {
  let found = null;
  if (bench.map) bench.map.eachLayer(function (one) { if (one.options && one.options.tree) found = one; });
  return found;
};
bench.there = function () {
  if (!bench.map || !bench.map._loaded) return false;
  if (bench.areas) return Object.keys(bench.map._layers).length >= bench.areas;
  if (!window.govMap || !window.govMap.painted) return false;
  const grid = bench.grid();
  const tiles = grid ? Object.values(grid._tiles) : [];
  return tiles.length > 0 && tiles.every(function (one) { return one.loaded && one.el.ids; });
};
bench.shown = function (then) {  // the frame that holds what was drawn is with the screen
  requestAnimationFrame(function () { const c = new MessageChannel(); c.port1.onmessage = then; c.port2.postMessage(0); });
};
(function watch() {
  if (bench.there()) bench.shown(function () { bench.painted = performance.now(); });
  else requestAnimationFrame(watch);
})();
bench.drag = function (seconds, done) {
  const box = bench.map.getContainer().getBoundingClientRect(), at = {x: box.left + box.width / 2, y: box.top + box.height / 2};
  const say = function (kind, target, dx) {
    target.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true, view: window, button: 0, buttons: 1, clientX: at.x + dx, clientY: at.y}));
  };
  let frames = 0, began = null;
  say("mousedown", bench.map.getPane("mapPane"), 0);
  requestAnimationFrame(function step(now) {
    if (began === null) began = now; else frames += 1;
    const gone = (now - began) / 1000;
    if (gone >= seconds) { say("mouseup", document, 0); return done(frames / gone); }
    say("mousemove", document, 250 * Math.sin(gone * 2.5));
    requestAnimationFrame(step);
  });
};
"""
RECOLOUR = """
const done = arguments[arguments.length - 1], query = new URLSearchParams(govMap.state().query);
query.set("level", govMap.state().level);
Promise.all(["open_cases", "on_time_rate"].map(function (layer) {
  query.set("layer", layer);
  return fetch("/map/values?" + query).then(function (one) { return one.json(); });
})).then(async function (told) {
  const times = [];
  for (let i = 0; i < arguments_turns; i++) {
    await new Promise(function (go) { setTimeout(go, 300); });
    const began = performance.now();
    govMap.setValues(told[(i + 1) % 2]);
    await new Promise(bench.shown);
    times.push(performance.now() - began);
  }
  done(times);
});
"""
REHIDE = """
const done = arguments[arguments.length - 1], began = performance.now();
bench.styled = 0;
dash_clientside.set_props("areas", {hideout: {turn: ++bench.turn}});
(function wait() {
  if (bench.styled >= bench.areas) bench.shown(function () { done(performance.now() - began); });
  else requestAnimationFrame(wait);
})();
"""


@dataclass(kw_only=True)
class Seen:
    """What one way of showing the areas took; None = not within the patience."""

    kb: float = 0
    paint_s: float | None = None
    recolour_ms: float | None = None
    fps: float | None = None


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with ExitStack() as stack:
        where = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for grids in (int(n) for n in given.grids.split(",")):
            yield from _city(_site.city(where, grids), grids)


def _city(data: Path, grids: int) -> Iterator[Row]:
    shutil.rmtree(data / "tiles", ignore_errors=True)
    ours = Seen()
    with _site.serve(data) as url:
        cold = _ours(url, ours, rest=False)
    store = Store(Settings(data_dir=data).database)
    _idtiles.bake(_idtiles.Tiles(store, Settings(data_dir=data)))
    store.close()
    with _site.serve(data) as url:
        first = _ours(url, Seen(), rest=False)
        baked = _ours(url, ours, rest=True)
    svg, canvas = (_usual(data, grids, ours.size, flag) for flag in ((), ("--canvas",)))  # type: ignore[attr-defined]
    big = grids > 100_000
    yield _row(grids, "area data to the browser", f"{ours.kb:,.0f} KB", _two(svg, canvas, "kb", "{:,.0f} KB"), "" if big else "<= 200 KB")
    yield _row(grids, "first paint, no tile drawn, server just started", _s(cold), _two(svg, canvas, "paint_s", "{:.1f} s"), "<= 5 s" if big else "")
    yield _row(grids, "first paint, tiles baked, server just started", _s(first), "", "")
    yield _row(grids, "first paint, tiles baked", _s(baked), _two(svg, canvas, "paint_s", "{:.1f} s"), "<= 1.5 s" if big else "")
    yield _row(grids, "recolour of all", f"{ours.recolour_ms:,.0f} ms", _two(svg, canvas, "recolour_ms", "{:,.0f} ms"), f"<= {150 if big else 60} ms")
    yield _row(grids, "pan", f"{ours.fps:.0f} fps", _two(svg, canvas, "fps", "{:.0f} fps"), "" if big else ">= 55 fps")


def _row(grids: int, what: str, ours: str, usual: str, aim: str) -> Row:
    return f"map, {grids:,} grids: {what}", ours, usual, aim


def _s(seconds: float | None) -> str:
    return f"> {PATIENCE} s" if seconds is None else f"{seconds:.2f} s"


def _two(svg: Seen, canvas: Seen, name: str, form: str) -> str:
    both = [getattr(one, name) for one in (svg, canvas)]
    return "GeoJSON " + " / ".join(f"> {PATIENCE} s" if v is None else form.format(v) for v in both)


def _ours(url: str, seen: Seen, rest: bool) -> float | None:
    """Open all grids in a new browser; return the seconds from the click on the link to the last painted tile."""
    with _site.browser(METER) as page:
        page.get(f"{url}/?level=4&lang=zh")
        painted = _site.until(page, "bench.painted", PATIENCE)
        if rest and painted:
            page.execute_script("return new Promise(function (go) { setTimeout(go, 1500); })")
            # Tiles are fetched by a thread of their own, of which the page's record does not tell.
            tiles = page.execute_script("return Object.values(bench.grid()._tiles).map(one => `/map/tiles/${govMap.state().tree}/${govMap.state().level}/${one.coords.z}/${one.coords.x}/${one.coords.y}.webp`)")
            assert tiles
            seen.kb = (_site.transferred(page, "/map/values", "/map/shapes") + sum(_size(url + one) for one in tiles)) / 1024
            seen.size = page.execute_script("const s = bench.map.getSize(); return [s.x, s.y]")  # type: ignore[attr-defined]
            seen.recolour_ms = statistics.median(page.execute_async_script(RECOLOUR.replace("arguments_turns", str(TURNS))))
            seen.fps = _pan(page)
    return painted / 1000 if painted else None


def _size(url: str) -> int:
    """Return the bytes of an answer with its headers, as they go to a browser."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})) as answer:
        return len(answer.read()) + len(str(answer.headers))


def _pan(page: Any) -> float:
    return statistics.median(page.execute_async_script("bench.drag(3, arguments[arguments.length - 1])") for _ in range(3))


def _usual(data: Path, grids: int, size: list[int], flag: tuple[str, ...]) -> Seen:
    seen = Seen()
    n = areas_of(data)
    with _site.serve(data, "-m", "tests.bench._usual", "--size", str(size[0]), str(size[1]), *flag) as url, \
            _site.browser(METER.replace("areas: 0", f"areas: {n}")) as page:
        page.get(url)
        painted = _site.until(page, "bench.painted", PATIENCE)
        if painted:
            seen.paint_s = painted / 1000
            seen.kb = _site.transferred(page, "/areas.json") / 1024
            seen.recolour_ms = statistics.median(page.execute_async_script(REHIDE) for _ in range(3))
            seen.fps = _pan(page)
    return seen


def areas_of(data: Path) -> int:
    """Return how many areas the lowest level of a made city has."""
    from queries import outlines, places
    from queries.clock import now

    store = Store(Settings(data_dir=data).database)
    with store.read() as connection:
        n = len(outlines.numbered_shapes(connection, places.root(connection, now().date()).tree_id, 4))
    store.close()
    return n
