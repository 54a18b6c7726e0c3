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
