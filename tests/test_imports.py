"""The house is built one way: queries <- layers <- dashboard <- app. This holds it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parent.parent
#: Who may import whom among our own packages.
MAY = {
    "queries": {"queries"},
    "layers": {"queries", "layers"},
    "dashboard": {"queries", "layers", "dashboard"},
    "app": {"queries", "layers", "dashboard"},
}
#: Libraries that only one place may know.
ONLY = {
    "dash": lambda file: file.parts[0] == "dashboard",
    "plotly": lambda file: file.parts[0] == "dashboard",
    "dash_leaflet": lambda file: file == Path("dashboard/map.py"),
    "sqlalchemy": lambda file: file.parts[0] == "queries",
    "alembic": lambda file: file.parts[0] == "queries",
}


def files() -> list[Path]:
    found = [HOME / "app.py"] if (HOME / "app.py").exists() else []
    for package in ("queries", "layers", "dashboard"):
        found += sorted((HOME / package).rglob("*.py"))
    return [file.relative_to(HOME) for file in found]


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for part in ast.walk(ast.parse((HOME / file).read_text("utf-8"))):
        if isinstance(part, ast.Import):
            names |= {alias.name for alias in part.names}
        elif isinstance(part, ast.ImportFrom):
            assert part.level == 0, f"{file}:{part.lineno}: imports are absolute in this house"
            names.add(part.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("file", files(), ids=str)
def test_imports_point_one_way(file: Path) -> None:
    ours = imported(file) & {*MAY, "tests"}
    wrong = ours - MAY[file.parts[0].removesuffix(".py")]
    assert not wrong, f"{file} imports {sorted(wrong)}, which lies further towards the screen"


@pytest.mark.parametrize("file", files(), ids=str)
def test_a_library_is_known_only_where_it_belongs(file: Path) -> None:
    wrong = {name for name in imported(file) & set(ONLY) if not ONLY[name](file)}
    assert not wrong, f"{file} may not import {sorted(wrong)}"


def test_every_library_that_is_imported_has_its_line_in_requirements() -> None:
    lines = (HOME / "requirements.txt").read_text("utf-8").splitlines()
    wanted = {re.split(r"[\[<>=~! ]", line)[0].lower().replace("_", "-") for line in lines if line.strip()}
    homes = packages_distributions()
    missing: dict[str, str] = {}
    for file in files():
        for name in imported(file) - set(MAY) - sys.stdlib_module_names - {"__future__"}:
            given = {dist.lower().replace("_", "-") for dist in homes.get(name, [name])}
            # numpy comes with geopandas, starlette with fastapi: what they are built on needs no line.
            if not given & (wanted | {"numpy", "pandas", "pyproj", "pyogrio", "starlette", "orjson", "pydantic-core"}):
                missing[name] = str(file)
    assert not missing


def test_every_requirement_says_what_it_is_for() -> None:
    for name in ("requirements.txt", "tests/requirements.txt"):
        for line in (HOME / name).read_text("utf-8").splitlines():
            assert "#" in line, f"{name}: {line!r} does not say what it is for"


def test_the_top_level_holds_what_the_card_says() -> None:
    import subprocess

    told = subprocess.run(["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in told.stdout.splitlines()}
    assert tops <= {
        "app.py", "dashboard", "layers", "queries", "assets", "tests", "requirements.txt", "README.md",
        "pyproject.toml", ".ci", ".gitignore",
    }
