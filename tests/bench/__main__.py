"""Prints the table: `python -m tests.bench [NAME ...] [--cases 500000,5000000]`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

import tests.bench


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    known = [m.name for m in pkgutil.iter_modules(tests.bench.__path__) if not m.name.startswith("_")]
    parser.add_argument("names", nargs="*", help=", ".join(known))
    parser.add_argument("--grids", default="20000,200000", help="sizes of the map, separated by commas")
    parser.add_argument("--keep", type=Path, help="folder where made cities are kept from one run to the next")
    parser.add_argument("--cases", default="500000,5000000", help="sizes of the case table, separated by commas")
    given = parser.parse_args()
    print(f"{'what':58} {'measured':>16}  {'beside it':>34}  aim")
    for name in given.names or known:
        for row in importlib.import_module(f"tests.bench.{name}").run(given):
            print(f"{row[0]:58} {row[1]:>16}  {row[2]:>34}  {row[3]}", flush=True)


main()
