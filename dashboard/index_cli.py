"""`python app.py index`: an index of any table, without a city; `python app.py release`: freeze the city's index of a period."""

from __future__ import annotations

import argparse
import warnings
from datetime import date
from pathlib import Path

from queries import releases
from queries.frame import EVERYTHING, Actor
from queries.scoring import catalogue_file, table, written
from queries.store import Store

#: Whoever sits at the server's own terminal.
ADMINISTRATOR = Actor(name="terminal", post="admin", scope=EVERYTHING)


def add_parser(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    """Add the command."""
    what = "compute a composite index of a table by a catalogue of indicators (README: An index of any table)"
    one = commands.add_parser("index", help=what, description=what)
    one.add_argument("--catalogue", type=Path, required=True, help="TOML, or a table of indicators (CSV, Excel, Parquet)")
    one.add_argument("--data", type=Path, required=True, help="CSV, TSV, Excel or Parquet: one row for each unit")
    one.add_argument("--out", type=Path, required=True, help="scores: .csv, .tsv, .json or .parquet")
    one.add_argument("--before", type=Path, help="the same units at an earlier time: says why each score moved")
    one.add_argument("--stages", type=Path, help="folder for every stage, weights, diagnoses, contributions, sensitivity runs")
    one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a choice above those of the catalogue, such as normalise.method=minmax; again for more")
    what = "freeze the city's index of a period that is over; without days: list the releases"
    two = commands.add_parser("release", help=what, description=what)
    two.add_argument("--from", dest="since", type=date.fromisoformat, help="first day")
    two.add_argument("--to", dest="until", type=date.fromisoformat, help="last day")
    two.add_argument("--check", type=int, metavar="NO", help="recompute a release from what it keeps; 1 = it does not come out")


def release(given: argparse.Namespace, store: Store) -> int:
    """Release, check or list; return the exit code."""
    store.upgrade()
    if given.check is not None:
        good = releases.recomputed(store, given.check)
        print("重算一致，逐位相同 the same bit for bit" if good else "重算不一致：目录、程序或数据已变 it does not come out: catalogue, program or data changed")
        return int(not good)
    if given.since and given.until:
        _say(releases.release(store, ADMINISTRATOR, given.since, given.until))
        return 0
    for row in releases.releases(store).rows:
        _say(row)
    for one in releases.suggestions(store):
        print(f"{one.code}: {one.words['zh']} · {one.words['en']}")
    return 0


def _say(row: releases.ReleaseRow) -> None:
    score = "–" if row.index is None else f"{row.index:.2f}"
    print(f"{row.id}  {row.since} – {row.until}  {score}  {row.version}  {row.hash[:16]}")


def run(given: argparse.Namespace) -> int:
    """Compute and write; return 0."""
    one = catalogue_file.read(given.catalogue, tuple(given.set))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of numpy, where a column says nothing: an empty cell or a reason says it
        scores = written.compute(one, table.read(given.data), table.read(given.before) if given.before else None, given.out, given.stages)
    none = sum(bool(why) for why in scores["no_score"])
    print(f"{len(scores['rank']):,} 行 rows, {none:,} 无分 without a score → {given.out}")
    return 0
