"""Settings: what is unknown is refused with the nearest known name, what is wrong with its own."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import structlog

from dashboard import logs
from queries.errors import SettingError
from queries.settings import Settings, read

TILES = "https://t0.tianditu.gov.cn/vec_w/wmts?TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=1"


def test_given_stands_above_environment_above_file_above_default(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('port = 1\nhost = "127.0.0.2"\nlog_level = "ERROR"\n', "utf-8")
    held = read({"GOV_SETTINGS": str(tmp_path / "s.toml"), "GOV_PORT": "2", "GOV_HOST": "127.0.0.3", "HOME": "/"}, host="127.0.0.4")
    assert (held.port, held.host, held.log_level, held.demo_grids) == (2, "127.0.0.4", "ERROR", 5000)


@pytest.mark.parametrize(("name", "nearest"), [("GOV_DATBASE_URL", "GOV_DATABASE_URL"), ("GOV_PROT", "GOV_PORT")])
def test_an_unknown_variable_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(SettingError, match=rf"{name}.*{nearest}\."):
        read({name: "1"})


@pytest.mark.parametrize(("text", "words"), [("prot = 1", "prot in .*port"), ("port = ", "not valid TOML"), (None, "cannot be read")])
def test_a_settings_file_is_held_to_the_same(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "s.toml").write_text(text, "utf-8")
    with pytest.raises(SettingError, match=words):
        read({"GOV_SETTINGS": str(tmp_path / "s.toml")})


@pytest.mark.parametrize(("name", "value"), [("PORT", "abc"), ("PORT", "99999"), ("LANGUAGE", "fr"), ("TILE_CRS", "x"), ("DEMO_GRIDS", "3"), ("LOG_LEVEL", "loud")])
def test_a_bad_value_is_told_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"GOV_{name}"):
        read({f"GOV_{name}": value})


def test_a_bad_setting_never_repeats_a_password() -> None:
    with pytest.raises(SettingError) as told:
        read({"GOV_DATABASE_URL": "postgresql://gov:sesame@db/gov", "GOV_PORT": "abc"})
    assert "sesame" not in str(told.value)


@pytest.mark.parametrize(("template", "kept"), [
    ("", ""), (TILES, TILES), ("https://a/{z}/{x}/{-y}.png", "https://a/{z}/{x}/{-y}.png"),
    ("https://a/{TileMatrix}/{TileRow}/{TileCol}.png", "https://a/{z}/{y}/{x}.png"),
])
def test_tile_templates_of_both_kinds_are_known(template: str, kept: str) -> None:
    assert read({"GOV_TILE_URL": template}).tile_url == kept


@pytest.mark.parametrize(("template", "words"), [
    ("https://a/tiles.png", "needs {z}, {x} and {y}"), (TILES.replace("tk=1", "tk={tk}"), "{tk} must be filled in"),
])
def test_a_tile_template_that_would_stop_the_map_is_refused(template: str, words: str) -> None:
    with pytest.raises(SettingError) as told:
        read({"GOV_TILE_URL": template})
    assert words in str(told.value)
    assert "GOV_TILE_URL" in str(told.value)


def test_log_lines_are_one_json_object_each_ours_and_the_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    held, level = root.handlers[:], root.level
    try:
        logs.begin(Settings(log_format="json"))
        structlog.get_logger("gov").warning("late", source="云川")
        logging.getLogger("uvicorn.error").error("gone")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        root.handlers[:] = held
        root.setLevel(level)
    assert [(line["event"], line["level"]) for line in lines] == [("late", "warning"), ("gone", "error")]
    assert lines[0]["source"] == "云川"
