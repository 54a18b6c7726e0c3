"""The index: a city of 22,000 areas with 45 indicators, rank bands, 600 runs, sliders on a map in a browser; each beside the usual way."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import numpy as np

from queries.scoring import bands, catalogue_file, engine, normalise, replay, shrink
from queries.scoring import tree as trees
from queries.scoring.table import Data
from tests.bench import _site
from tests.bench.map import METER, PATIENCE, areas_of

Row = tuple[str, str, str, str]

INDICATORS, DIMENSIONS = 45, 5
TURNS = 12
#: From a slider's move to the frame that holds the recoloured map.
SLIDE = """
const done = arguments[arguments.length - 1], slider = document.querySelector(".sliders input");
(async function () {
  const times = [];
  for (let i = 0; i < TURNS; i++) {
    await new Promise(function (go) { setTimeout(go, 300); });
    slider.value = 10 + (37 * i) % 80;
    const began = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(bench.shown);
    times.push(performance.now() - began);
  }
  done(times);
})();
""".replace("TURNS", str(TURNS))
#: Where grids have few cases only one dimension may count: weighed as if all five did, and so that colours change.
FIVE = """
const parts = govWeights.parts(), had = parts.at.length;
for (let d = had; d < 5; d++) {
  parts.at.push([0, 1, 2, 3, 4].find(function (k) { return !parts.at.includes(k); }));
  parts.parts.push(parts.parts[d % had].map(function (one, a) { return one - (a * 7 + d) % 40 / 100; }));
  parts.coverage.push(parts.coverage[d % had]);
  parts.own.push(parts.own[d % had]);
}
return had;
"""
#: The same move as an address: the server weighs, tells, and the map paints.
ASK = """
const done = arguments[arguments.length - 1], began = performance.now(), had = govMap.painted;
document.querySelector(".sliders input").dispatchEvent(new Event("change", { bubbles: true }));
(function wait() { if (govMap.painted > had) bench.shown(function () { done(performance.now() - began - 350); }); else setTimeout(wait, 2); })();
"""
#: The usual way: a callback of the slider sends a class for every area, and the component styles each of them.
USUAL = """
const done = arguments[arguments.length - 1], began = performance.now();
bench.styled = 0;
dash_clientside.set_props("weight", { value: arguments[0] });
(function wait() { if (bench.styled >= bench.areas) bench.shown(function () { done(performance.now() - began); }); else requestAnimationFrame(wait); })();
"""


def _tree() -> trees.Tree:
    per = INDICATORS // DIMENSIONS
    return trees.Tree(
        ids=(*(f"i{k}" for k in range(INDICATORS)), *(f"d{k}" for k in range(DIMENSIONS)), "index"), n=INDICATORS,
        children=(*[()] * INDICATORS, *(tuple(range(d * per, (d + 1) * per)) for d in range(DIMENSIONS)), tuple(range(INDICATORS, INDICATORS + DIMENSIONS))),
        weights=(*[np.zeros(0)] * INDICATORS, *[np.ones(per)] * DIMENSIONS, np.ones(DIMENSIONS)),
        rules=(*[""] * INDICATORS, *["arithmetic"] * DIMENSIONS, "geometric"), height=(*[0] * INDICATORS, *[1] * DIMENSIONS, 2))


def _city(n: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    under = chance.poisson(20, (n, INDICATORS)).astype(float) + 1
    # Column after column, as the house reads them (queries/index/_inputs.py).
    return np.asfortranarray(chance.binomial(under.astype(int), 0.9).astype(float)), np.asfortranarray(under), np.repeat(np.arange(n // 7 + 1), 7)[:n]


def _scored(top: np.ndarray, under: np.ndarray, group: np.ndarray, tree: trees.Tree) -> np.ndarray:
    scores, scale = np.empty_like(top), normalise.Scale(low=1.0)
    for j in range(INDICATORS):
        value = shrink.beta_binomial(top[:, j], under[:, j], group, pooled=True, least_sd=0.02).value
        scores[:, j] = normalise.normalise(value, 1, scale, normalise.Posts(floor=0.7, target=1.0))
    return trees.scores(tree, scores)[0]


def _usual(x: np.ndarray) -> None:
    """One row at a time, as the published way does it: its time for these rows."""
    for row in x:
        w = np.ones(9) / 9
        np.exp(np.mean(np.log([np.sum(w * row[k:k + 9]) for k in range(0, INDICATORS, 9)])))


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    chance, tree = np.random.default_rng(7), _tree()
    for n in (22_000, 200_000):
        top, under, group = _city(n, chance)
        before = _scored(np.minimum(top, under) * 0.98, under, group, tree)
        began = perf_counter()
        after = _scored(top, under, group, tree)
        trees.reasons(tree, before, after)
        ours = perf_counter() - began
        began = perf_counter()
        _usual(after[:2000, :INDICATORS])
        usual = (perf_counter() - began) * n / 2000
        yield (f"{n:,} areas x 45: shrink, score, take the change apart", f"{ours:.2f} s", f"row by row, means only {usual:.1f} s", "0.4 s for 22,000; linear")
    x = chance.uniform(1, 100, (3000, INDICATORS))
    groups = [(x[:, k:k + 9], np.full((3000, 9), 3.0), np.ones(9)) for k in range(0, INDICATORS, 9)]
    began = perf_counter()
    bands.bands(groups, np.ones(DIMENSIONS), bands.Draws(), 1.0, 100.0)
    yield ("rank bands of 3,000 areas x 45, 1,000 draws", f"{perf_counter() - began:.2f} s", "", "4 s")
    yield ("51 units x 49, 600 runs with other choices", f"{_replayed(chance):.2f} s", "COINr 1.1.14, published 57 s", "1 s")
    with ExitStack() as stack:
        where = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for grids in (int(n) for n in given.grids.split(",")):
            yield from _sliders(_site.city(where, grids), grids)


def _sliders(data: Path, grids: int) -> Iterator[Row]:
    """Yield what a slider takes to recolour the map of a city in a real browser."""
    # Ninety days: over thirty few grids have cases enough for more than one dimension, and there would be nothing to weigh.
    with _site.serve(data, "app.py", "--still") as url, _site.browser(METER) as page:
        page.get(f"{url}/?level=4&layer=governance_index&lang=zh&period=90d")
        _site.until(page, "bench.painted", PATIENCE)
        _site.until(page, "document.querySelector('.sliders input')", PATIENCE)
        size = page.execute_script("const s = bench.map.getSize(); return [s.x, s.y]")
        _site.transferred(page)
        began = perf_counter()
        page.execute_script("document.querySelector('.sliders input').focus()")
        _site.until(page, "window.govWeights.parts()", PATIENCE)
        ready, kb = perf_counter() - began, _site.transferred(page, "/map/index-parts") / 1024
        weighed = page.execute_script(FIVE)
        times = page.execute_async_script(SLIDE)
        asked = page.execute_async_script(ASK)
    usual = _usual_slider(data, size)
    beside = f"callback and GeoJSON {'> ' + str(PATIENCE) + ' s' if usual is None else f'{usual:,.0f} ms'}"
    yield (f"what if, {grids:,} grids: slider to recoloured, 5 dimensions, median", f"{statistics.median(times):,.0f} ms", beside, "<= 150 ms")
    yield (f"what if, {grids:,} grids: slider to recoloured, worst of {TURNS}", f"{max(times):,.0f} ms", "", "")
    yield (f"what if, {grids:,} grids: the same by our own server", f"{asked:,.0f} ms", "", "")
    yield (f"what if, {grids:,} grids: the scores it needs, once ({weighed} of 5)", f"{ready:.1f} s, {kb:,.0f} KB", "", "")


def _usual_slider(data: Path, size: list[int]) -> float | None:
    n = areas_of(data)
    meter = METER.replace("areas: 0", f"areas: {n}").replace("colours[(feature.properties.dense + context.hideout.turn) % 5]", "colours[(context.hideout.classes || [])[feature.properties.dense] || 0]")
    with _site.serve(data, "-m", "tests.bench._usual", "--weights", "--size", str(size[0]), str(size[1])) as url, _site.browser(meter) as page:
        page.get(url)
        if not _site.until(page, "bench.painted", PATIENCE):
            return None
        return statistics.median(page.execute_async_script(USUAL, value) for value in (30, 55, 80))



def _replayed(chance: np.random.Generator) -> float:
    """Return the seconds of 600 runs over treatments, scales, weights and means, from a table as the command reads it."""
    ids = [f"i{k}" for k in range(49)]
    rows: list[dict[str, object]] = [{"id": one, "parent": f"p{k % 8}"} for k, one in enumerate(ids)]
    rows += [{"id": f"p{k}", "kind": "aggregate", "parent": "a" if k < 5 else "b"} for k in range(8)]
    rows += [{"id": "a", "kind": "aggregate", "parent": "top"}, {"id": "b", "kind": "aggregate", "parent": "top"}, {"id": "top", "kind": "aggregate"}]
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        nodes = [str(row["id"]) for row in rows[49:]]
        sets = "".join(f"{s},{node},{chance.uniform(0.75, 1.25)}\n" for s in range(1, 101) for node in nodes)
        (folder / "sets.csv").write_text("set,id,weight\n" + sets, "utf-8")
        design = "".join(f"{chance.integers(1, 6)},{chance.integers(1, 3)},{chance.integers(1, 101)},{chance.choice(['arithmetic', 'geometric'])}\n" for _ in range(600))
        (folder / "design.csv").write_text("most,norm,w,agg\n" + design, "utf-8")
        one = catalogue_file.make({
            "indicators": rows, "treat": {"method": "skew_kurtosis"}, "normalise": {"method": "minmax"},
            "sensitivity": {"design": "design.csv", "weight_sets": "sets.csv", "factors": {"most": "treat.most", "w": "weights.set", "agg": "aggregate.method", "norm": {
                "1": {"normalise": {"method": "minmax", "low": 1, "high": 100}}, "2": {"normalise": {"method": "zscore", "mean": 10, "sd": 2}}}}}}, folder)
        names = ("unit", *ids)
        given = engine.inputs(one, Data(names=names, rows=[[f"u{i}", *chance.lognormal(0, 1, 49).tolist()] for i in range(51)]))
        began = perf_counter()
        replay.replay(one, given)
        return perf_counter() - began
