"""The README tells what is there: every setting, every key of city.toml, every field of a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.city.model import FIELDS, CalendarSpec, City, LevelSpec, LimitSpec, TableSpec
from queries.clocks import CLOCKS, STAGES, WHISTLES
from queries.loop.steps import STATUSES
from queries.settings import PREFIX, Settings

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_readme_tells_every_setting_as_the_code_does(name: str) -> None:
    field = Settings.model_fields[name]
    assert f"| `{PREFIX}{name.upper()}` | {field.description} |" in README


@pytest.mark.parametrize(
    "word",
    sorted({*City.model_fields, *LevelSpec.model_fields, *TableSpec.model_fields, *STATUSES,
            *CalendarSpec.model_fields, *LimitSpec.model_fields, *CLOCKS, *STAGES, *WHISTLES}
           | {field for fields in FIELDS.values() for field in fields}),
)
def test_the_readme_names_every_key_of_a_city(word: str) -> None:
    assert f"`{word}`" in README


def test_the_readme_leaves_nothing_to_be_filled_in() -> None:
    assert "<!--" not in README
