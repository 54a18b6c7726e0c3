"""`python app.py index`: an index of any table, without a city and without a database."""

from __future__ import annotations

import argparse
from pathlib import Path

from queries.scoring import catalogue, table, written


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


def run(given: argparse.Namespace) -> int:
    """Compute and write; return 0."""
    one = catalogue.read(given.catalogue, tuple(given.set))
    scores = written.compute(one, table.read(given.data), table.read(given.before) if given.before else None, given.out, given.stages)
    none = sum(bool(why) for why in scores["no_score"])
    print(f"{len(scores['rank']):,} 行 rows, {none:,} 无分 without a score → {given.out}")
    return 0
