"""The tour of the README does what it says: its own commands are run against a running demo city."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from dashboard import scenes
from tests.conftest import missing

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")


def commands() -> list[str]:
    """Return the commands of the tour, block by block."""
    tour = README.split("## A tour\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)


def asked(address: str, path: str) -> Any:
    request = urllib.request.Request(f"{address}{path}", headers={"Cookie": "gov_demo_post=viewer"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_the_tour_leads_from_a_find_to_a_verified_close_with_a_late_department_on_the_way(lively: tuple[str, Any]) -> None:
    if shutil.which("curl") is None:
        missing("curl is not installed")
    address, _ = lively
    script = "\n".join(commands()).replace("http://127.0.0.1:8050", address)
    assert address in script
    ran = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr

    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert [one["error"] for one in told if "error" in one] == ["NotListed"]
    card = asked(address, "/api/v1/cases/TOUR-1")["case"]
    steps = [one["step"] for one in card["events"]]
    wanted = ["reported", "filed", "whistled", "arrived", "escalated", "dispatched", "arrived", "accepted", "fed_back", "verified", "closed"]
    assert [one for one in steps if one in wanted] == wanted
    assert card["case"]["status"] == "closed"


def test_the_pages_that_the_tour_names_are_there(lively: tuple[str, Any]) -> None:
    address, _ = lively
    tour = README.split("## A tour\n", 1)[1].split("\n## ", 1)[0]
    pages = re.findall(r"<http://127\.0\.0\.1:8050([^>]*)>", tour)
    assert {page.partition("?")[0] for page in pages} >= {"/", "/street"}
    paths = {"/" if name == "leader" else f"/{name}" for name in scenes.found()}
    for page in pages:
        assert page.partition("?")[0] in paths
        with urllib.request.urlopen(f"{address}{page}", timeout=30) as answer:
            assert answer.status == 200
