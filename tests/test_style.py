"""The house style holds: what pyproject.toml asks of every file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_every_file_keeps_the_house_style() -> None:
    home = Path(__file__).resolve().parent.parent
    told = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], cwd=home, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_open_cases_are_asked_for_as_their_indexes_are_made() -> None:
    home = Path(__file__).resolve().parent.parent
    # SQLite uses a partial index only where the very words of its condition stand: "is_open = 1", never "is_open IS 1".
    wrong = [str(file.relative_to(home)) for file in (home / "queries").rglob("*.py") if "is_open.is_(" in file.read_text("utf-8")]
    assert not wrong


def test_no_page_draws_what_the_browser_never_lets_go_of() -> None:
    home = Path(__file__).resolve().parent.parent
    # Chromium keeps 144 bytes of each thead and tfoot whenever it makes styles anew; `groups` in dashboard/panels/_parts.py is the way.
    wrong = [str(file.relative_to(home)) for file in (home / "dashboard").rglob("*.py") if "html.Thead" in (text := file.read_text("utf-8")) or "html.Tfoot" in text]
    assert not wrong
