"""From `python app.py` with nothing there to the first painted page, and again on a later start."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench import _site
from tests.bench.first_view import THERE

Row = tuple[str, str, str, str]


def run(given: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as where, _site.browser() as page:
        yield "first page of a first start, demo city of 5,000 grids", f"{_start(Path(where), page):.1f} s", "", "<= 60 s"
        yield "first page of a later start", f"{_start(Path(where), page):.1f} s", "", "<= 5 s"


def _start(data: Path, page: Any) -> float:
    page.execute_cdp_cmd("Network.clearBrowserCache", {})
    began = time.perf_counter()
    with _site.serve(data) as url:
        page.get(f"{url}/?lang=zh")
        if not _site.until(page, THERE, 120):
            raise RuntimeError("the first page was not painted within two minutes")
        return time.perf_counter() - began
