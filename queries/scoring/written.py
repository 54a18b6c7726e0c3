"""Writes an index to files: scores with their honesty, and every stage for whoever wants to recompute them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from queries.errors import CatalogueError, IndexDataError
from queries.scoring import aggregate, diagnose, engine, nearby, shrink, tree, weigh
from queries.scoring.catalogue import Catalogue
from queries.scoring.replay import replay
from queries.scoring.sensitivity import standing
from queries.scoring.table import Data, read, widened

Columns = dict[str, Sequence[Any]]


def compute(one: Catalogue, data: Data, before: Data | None, out: Path, stages: Path | None) -> Columns:
    """Compute an index, write it to `out` (.csv, .tsv, .json or .parquet by its ending) and its stages to a folder; return the scores."""
    data, before = wide(one, data), None if before is None else wide(one, before)
    names = engine.unit_names(one, data)
    given, was = engine.inputs(one, data), None
    if before is None:
        done = engine.run(one, given)
    else:
        old = engine.inputs(one, before)
        known = {unit: i for i, unit in enumerate(old.units)}
        # Both times are put on one scale: that of all their rows.
        both = engine.inputs(one, Data(names=data.names, rows=_same(before, data) + data.rows, file=data.file)) if not set(old.units) & set(given.units) else _stacked(old, given)
        n = len(old.units)
        at = np.array([known.get(unit, -1) for unit in given.units])
        aligned = np.where(at[:, None] >= 0, old.values[at], np.nan)
        was = engine.run(one, both)
        pair = was
        last = np.where(at[:, None] >= 0, pair.normalised[:n][at], np.nan)
        done = engine.run(one, both, before=np.vstack([old.values, aligned]), last=np.vstack([pair.normalised[:n], last]))
        was, done = _cut(done, slice(0, n), old), _cut(done, slice(n, None), given)
    table = _scores(one, names, done)
    if one.bands.draws:
        table |= _bands(one, done)
    moved: Columns = {}
    if was is not None:
        moved = _change(one, names, was, done)
        table |= {k: moved[k] for k in ("before", "change")}
    write(out, table)
    if stages is not None:
        stages.mkdir(parents=True, exist_ok=True)
        _stages(one, names, done, stages, data)
        if moved:
            write(stages / "change.csv", moved)
    return table


def wide(one: Catalogue, data: Data) -> Data:
    """Return a table with a column for each indicator, whichever way it came. Raises CatalogueError, IndexDataError."""
    if not (one.long.indicator or one.long.value):
        return data
    if not (one.long.indicator and one.long.value):
        raise CatalogueError("[long] names both columns: indicator and value.", zh="[long] 须同时写明 indicator 与 value 两列")
    if not one.units:
        raise CatalogueError("[long] needs units: the columns that name a row of the wide table.", zh="[long] 需要 units（命名一行的列）")
    return widened(data, (*one.units, *((one.period,) if one.period else ())), one.long.indicator, one.long.value)


def _same(before: Data, data: Data) -> list[list[Any]]:
    at = [before.at(name) for name in data.names]
    return [[row[i] for i in at] for row in before.rows]


def _stacked(a: engine.Inputs, b: engine.Inputs) -> engine.Inputs:
    join = {name: np.concatenate((getattr(a, name), getattr(b, name))) for name in ("raw", "values", "top", "under", "sd", "group", "parent", "reference")}
    cov = None if a.covariates is None or b.covariates is None else np.vstack((a.covariates, b.covariates))
    return engine.Inputs(units=a.units + b.units, covariates=cov, **join)


def _cut(done: engine.Run, rows: slice, given: engine.Inputs) -> engine.Run:
    at = range(len(done.filled))[rows]
    touches = tuple(replace(one, points=tuple((i - at.start, end) for i, end in one.points if i in at)) for one in done.touches)
    models = {name: replace(one, **{n: getattr(one, n)[rows] for n in ("value", "own", "mse")}) for name, one in done.models.items()}
    return replace(done, inputs=given, touches=touches, models=models, **{n: getattr(done, n)[rows] for n in ("filled", "treated", "normalised", "scores", "coverage", "own", "sd")})


def _units(names: tuple[str, ...], given: engine.Inputs) -> Columns:
    return {name: [unit[i] for unit in given.units] for i, name in enumerate(names)}


def _scores(one: Catalogue, names: tuple[str, ...], done: engine.Run) -> Columns:
    top, above = done.tree.top, range(done.tree.n, len(done.tree.ids))
    rests = _own_share(done)
    ranked = np.where(rests < shrink.LEAST_OWN, np.nan, done.index)
    why = ["" if not np.isnan(v) else "no data" if c == 0 else "no scale: all rows say the same" if c + 1e-9 >= one.missing.least else f"coverage {c:.0%} is below {one.missing.least:.0%}"
           for v, c in zip(done.index, done.coverage[:, top], strict=True)]
    out: Columns = _units(names, done.inputs)
    out |= {done.tree.ids[node]: done.scores[:, node] for node in reversed(above)}
    out |= {"rank": standing(ranked[None, :])[0], "coverage": done.coverage[:, top],
            "known": (~np.isnan(done.inputs.values)).sum(axis=1), "of": np.full(len(rests), done.tree.n), "own": rests, "no_score": why}
    return out


def _own_share(done: engine.Run) -> np.ndarray:
    w = done.tree.share()[:done.tree.n]
    known = ~np.isnan(done.inputs.values)
    total = known @ w
    return np.divide((done.own * known) @ w, total, out=np.zeros(len(total)), where=total > 0)


def _bands(one: Catalogue, done: engine.Run) -> Columns:
    b = engine.rank_bands(one, done)
    return {"rank_low": b.low, "rank_middle": b.middle, "rank_high": b.high, "best_quarter": b.best_quarter, "score_low": b.score_low, "score_high": b.score_high}


def _change(one: Catalogue, names: tuple[str, ...], was: engine.Run, done: engine.Run) -> Columns:
    known = {unit: i for i, unit in enumerate(was.inputs.units)}
    units = done.inputs.units
    if not set(known) & set(units):  # a period column names the times: units are compared without it
        known = {unit[:-1]: i for unit, i in known.items()}
        units = tuple(unit[:-1] for unit in units)
    at = np.array([known.get(unit, -1) for unit in units])
    before = np.where(at[:, None] >= 0, was.scores[at], np.nan)
    try:
        parts, mix = tree.reasons(done.tree, before, done.scores, one.change.rule == "shapley")
    except ValueError as bad:
        raise IndexDataError(f"change: {bad}.", zh=f"变化分解：{bad}") from None
    top = done.tree.top
    out = _units(names, done.inputs) | {"before": before[:, top], "after": done.index, "change": done.index - before[:, top]}
    return out | {done.tree.ids[j]: parts[:, j] for j in range(done.tree.n)} | {"mix": mix}


def _stages(one: Catalogue, names: tuple[str, ...], done: engine.Run, folder: Path, data: Data) -> None:
    ids, unit = done.tree.ids[:done.tree.n], _units(names, done.inputs)

    def put(name: str, x: np.ndarray, heads: Sequence[str] = ids) -> None:
        write(folder / name, unit | {head: x[:, j] for j, head in enumerate(heads)})

    put("1_raw.csv", done.inputs.raw)
    put("2_denominated.csv", done.inputs.values)
    put("3_imputed.csv", done.filled)
    put("4_treated.csv", done.treated)
    put("5_normalised.csv", done.normalised)
    put("6_aggregated.csv", done.scores, done.tree.ids)
    put("7_coverage.csv", done.coverage, done.tree.ids)
    put("8_ranks.csv", np.column_stack([standing(s[None, :])[0] for s in done.scores.T]), done.tree.ids)
    write(folder / "treatment.csv", {
        "id": ids, "skew": [t.skew for t in done.touches], "kurtosis": [t.kurtosis for t in done.touches], "points": [len(t.points) for t in done.touches],
        "which": ["; ".join(f"{' '.join(done.inputs.units[i])} {end}" for i, end in t.points) for t in done.touches],
        "transform": [t.transform for t in done.touches], "skew_after": [t.skew_after for t in done.touches],
        "kurtosis_after": [t.kurtosis_after for t in done.touches], "passed": [t.passed for t in done.touches]})
    weight = np.ones(len(done.tree.ids))
    for at, w in zip(done.tree.children, done.tree.weights, strict=True):
        weight[list(at)] = w
    write(folder / "weights.csv", {"id": done.tree.ids, "level": [h + 1 for h in done.tree.height], "weight": weight, "effective": done.tree.share()})
    if (done.own < 1).any():
        put("own_weight.csv", done.own)
        put("value_sd.csv", done.sd)
        put("shrunk.csv", engine.shrunk(one, done.inputs)[0])
    for name, fitted in done.models.items():
        write(folder / f"fay_herriot_{name}.csv", unit | {"eblup": fitted.value, "mse": fitted.mse, "own": fitted.own, "variance": np.full(len(fitted.value), fitted.variance)})
    _diagnostics(one, done, folder, unit, data)
    if one.sensitivity.design or one.sensitivity.sample:
        _sensitivity(one, done, folder, unit)


def _diagnostics(one: Catalogue, done: engine.Run, folder: Path, unit: Columns, data: Data) -> None:
    x, ids = done.treated, done.tree.ids[:done.tree.n]
    if x.shape[1] > 1 and len(x) > 2:
        r = diagnose.correlations(x)
        write(folder / "correlations.csv", {"id": ids} | {name: r[:, j] for j, name in enumerate(ids)})
        if np.isfinite(r).all() and not np.isnan(x).any():
            n = max(1, min(4, len(ids)))
            f = diagnose.factors(x, n)
            share = 100 * f.eigenvalues / f.eigenvalues.sum()
            write(folder / "eigenvalues.csv", {"k": range(1, len(share) + 1), "eigenvalue": f.eigenvalues, "percent": share, "together": np.cumsum(share)})
            write(folder / "varimax.csv", {"id": ids} | {f"F{k + 1}": f.loadings[:, k] for k in range(n)})
            if len(ids) > 2:
                write(folder / "cronbach.csv", {"id": ids, "item_total": diagnose.item_total(x), "alpha_without": diagnose.without_each(x), "alpha": [diagnose.cronbach(x)] * len(ids)})
    rows: dict[str, list[Any]] = {"parent": [], "id": [], "entropy": [], "critic": [], "pca": []}
    for node in range(done.tree.n, len(done.tree.ids)):
        at = list(done.tree.children[node])
        scores, low = done.scores[:, at], max(at) < done.tree.n
        with np.errstate(all="ignore"):
            said = done.treated[:, at] if low and one.weights.of == "values" else scores
            made = {"entropy": weigh.entropy(said) if low and (np.nan_to_num(said) >= 0).all() else np.full(len(at), np.nan),
                    "critic": weigh.critic(scores) if len(at) > 1 else np.ones(1), "pca": weigh.pca(scores) if len(scores) > 2 else np.full(len(at), np.nan)}
        for k, child in enumerate(at):
            rows["parent"].append(done.tree.ids[node])
            rows["id"].append(done.tree.ids[child])
            for name, w in made.items():
                rows[name].append(w[k])
    write(folder / "weights_from_data.csv", rows)
    if one.weights.matrix:
        judged = weigh.ahp(engine.matrix(one.folder / one.weights.matrix)[1])
        names = engine.matrix(one.folder / one.weights.matrix)[0]
        write(folder / "ahp.csv", {"id": names, "weight": judged.weights, "lambda_max": [judged.largest] * len(names), "CI": [judged.index] * len(names), "CR": [judged.ratio] * len(names)})
    if len(done.index) <= 500:
        at = _outranked(done)
        over = aggregate.outranking(done.scores[:, at], _weight_of(done, at))
        labels = [" ".join(one_) for one_ in done.inputs.units]
        write(folder / "outranking.csv", unit | {label: over[:, k] for k, label in enumerate(labels)})
        write(folder / "copeland.csv", unit | {"copeland": aggregate.copeland(done.scores[:, at], _weight_of(done, at))})
        if len(labels) <= 9:
            score, orders = aggregate.best_orders(done.scores[:, at], _weight_of(done, at))
            write(folder / "best_orders.csv", {"order": [" > ".join(labels[i] for i in order) for order in orders], "score": [score] * len(orders)})
    if one.small.neighbours:
        edges = read(one.folder / one.small.neighbours)
        pairs = np.column_stack([edges.numbers(name) for name in edges.names[:2]]).astype(int) - 1
        for j, name in enumerate(ids):
            a = nearby.around(done.inputs.values[:, j], pairs)
            write(folder / f"neighbours_{name}.csv", unit | {"gi": a.gi, "gi_star": a.gi_star, "local_moran": a.local, "moran": np.full(len(a.gi), a.moran)})


def _outranked(done: engine.Run) -> list[int]:
    """Return the nodes that are compared: those just above the indicators, or the indicators of a flat index."""
    first = [i for i in range(done.tree.n, len(done.tree.ids)) if done.tree.height[i] == 1]
    return list(range(done.tree.n)) if first == [done.tree.top] else first


def _weight_of(done: engine.Run, at: list[int]) -> np.ndarray:
    return done.tree.share()[at]


def _sensitivity(one: Catalogue, done: engine.Run, folder: Path, unit: Columns) -> None:
    made = replay(one, done.inputs)
    write(folder / "sensitivity_scores.csv", unit | {"nominal": made.nominal} | {f"r_{k + 1}": s for k, s in enumerate(made.scores)})
    # Of a Sobol design only A and B are free draws; the other runs repeat them but for one factor.
    free = 2 * len(made.scores) // (len(made.factors) + 2) if made.indices is not None else len(made.scores)
    ranks = standing(made.scores[:free])
    write(folder / "sensitivity_ranks.csv", unit | {"nominal": standing(made.nominal[None, :])[0], "mean": ranks.mean(axis=0), "median": np.median(ranks, axis=0),
                                                    "q5": np.quantile(ranks, 0.05, axis=0), "q95": np.quantile(ranks, 0.95, axis=0)})
    if made.indices is not None:
        write(folder / "sobol.csv", {"factor": made.factors, "Si": made.indices.first, "STi": made.indices.total})


def write(path: Path, table: Columns) -> None:
    """Write columns to a file; numbers keep every digit, missing is empty. Raises IndexDataError."""
    heads, rows = list(table), [[_cell(v) for v in row] for row in zip(*table.values(), strict=True)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            path.write_text(json.dumps([dict(zip(heads, row, strict=True)) for row in rows], ensure_ascii=False, indent=1), "utf-8")
        elif path.suffix == ".parquet":
            import polars

            polars.DataFrame({h: [row[i] for row in rows] for i, h in enumerate(heads)}, strict=False).write_parquet(path)
        elif path.suffix in (".csv", ".tsv"):
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([heads, *([("" if v is None else v) for v in row] for row in rows)])
        else:
            raise IndexDataError(f"{path.name}: name a .csv, .tsv, .json or .parquet file.", zh=f"{path.name}：请用 .csv、.tsv、.json 或 .parquet")
    except OSError as bad:
        raise IndexDataError(f"{path} cannot be written: {bad.strerror}.", zh=f"{path} 无法写入：{bad.strerror}") from None


def _cell(value: Any) -> Any:
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)
    return int(value) if isinstance(value, np.integer) else value
