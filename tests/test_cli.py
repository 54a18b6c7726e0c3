"""The command line as a person types it: what it prints, what it returns, what it leaves behind."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.cli import have_a_city, main
from dashboard.context import Context
from queries import loading
from queries.settings import Settings
from queries.store import Store
from tests.test_load import GOOD, GRIDS, HEAD, TOML


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small city, and a data folder that does not exist yet."""
    made = tmp_path / "little"
    made.mkdir()
    for name, text in (("city.toml", TOML), ("grids.geojson", GRIDS), ("cases.csv", HEAD + GOOD)):
        (made / name).write_text(text, "utf-8")
    monkeypatch.setenv("GOV_DATA_DIR", str(tmp_path / "data"))
    root = logging.getLogger()
    held, level = root.handlers[:], root.level
    yield made
    root.handlers[:] = held
    root.setLevel(level)


@pytest.mark.parametrize("command", ["check", "load"])
def test_a_good_city_is_told_and_ends_well(folder: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, str(folder), "--lang", "en"]) == 0
    told = capsys.readouterr().out
    assert "Little" in told
    assert "read 3, new 3" in told


def test_a_table_that_failed_is_told_and_ends_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cases.csv").write_bytes(bytes(range(256)) * 40)
    assert main(["load", str(folder)]) == 1
    assert "失败: cases.csv" in capsys.readouterr().out


def test_a_city_that_cannot_be_read_is_one_line_and_ends_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "city.toml").write_text(TOML.replace("[[levels]]", "[[level]]", 1), "utf-8")
    assert main(["check", str(folder)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "levels" in told.err
    assert "Traceback" not in told.err


def test_check_leaves_not_even_an_empty_database(folder: Path) -> None:
    assert main(["check", str(folder)]) == 0
    assert not (folder.parent / "data").exists()


def test_a_link_without_a_language_speaks_the_city_s_own(folder: Path) -> None:
    (folder / "city.toml").write_text('language = "en"\n' + TOML, "utf-8")
    assert main(["load", str(folder)]) == 0
    store = Store(Settings(data_dir=folder.parent / "data").database)
    assert Context(Settings(), store).language() == "en"
    assert Context(Settings(language="zh"), store).language() == "zh"
    store.close()


def test_a_port_that_is_taken_is_said_before_any_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    assert "--port" in capsys.readouterr().err
    assert not (folder.parent / "data").exists()


@pytest.mark.parametrize("command", ["load", "check"])
def test_a_database_out_of_reach_is_one_line_without_the_password(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("GOV_DATABASE_URL", "postgresql+psycopg://gov:sesame@127.0.0.1:1/gov")
    assert main([command, str(folder)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("The database cannot be ")
    assert "sesame" not in told
    assert "Traceback" not in told


def test_other_grids_make_another_demo_city_but_never_in_the_place_of_a_real_one(folder: Path) -> None:
    held = Settings(data_dir=folder.parent / "data", demo_grids=60)
    store = Store(held.database)
    store.upgrade()
    have_a_city(held, store)
    assert loading.held_city(store).folder == "demo-7-60"
    have_a_city(Settings(data_dir=held.data_dir), store)  # nothing is asked for: what is there stays
    assert loading.held_city(store).folder == "demo-7-60"
    have_a_city(Settings(data_dir=held.data_dir, demo_grids=80), store)
    assert loading.held_city(store).folder == "demo-7-80"
    loading.load(folder, store, quiet=True)
    have_a_city(held, store)
    assert loading.held_city(store).name == "小城"
    store.close()
