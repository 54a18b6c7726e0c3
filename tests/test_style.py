"""The house style holds: what pyproject.toml asks of every file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_every_file_keeps_the_house_style() -> None:
    home = Path(__file__).resolve().parent.parent
    told = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], cwd=home, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
