"""The drop folder: complete files are taken once, with their history; half-written ones wait; nothing is lost."""

from __future__ import annotations

import gzip
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from queries import loading
from queries.errors import BusyError, DoorError
from queries.loop.rebuild import rebuild
from queries.loop.tables import heard
from queries.loop.writer import Writer
from queries.settings import Settings
from queries.sources import drop_folder
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn
from queries.store import Store
from queries.tables import cases, event, quarantine
from tests.test_loop import CITY, STREETS, sums

TABLES = """
[[cases]]
id = "hotline"
title = "热线"
title_en = "Hotline"
file = "hotline-*"
[cases.columns]
no = "案号"
category = "类别"
reported_at = "上报"
filed_at = "立案"
closed_at = "结案"
status = "状态"
department = "部门"
lon = "经度"
lat = "纬度"
[cases.statuses]
"处理" = "handling"
"办结" = "closed"
[[cases]]
id = "patrol"
file = "patrol.csv"
columns = { no = "no", reported_at = "at" }
"""
HEAD = "案号,类别,上报,立案,结案,状态,部门,经度,纬度\n"
ROWS = ["1,litter,2026-11-01 08:00,2026-11-01 09:00,,处理,urban,110.05,20.05", "2,flood,2026-11-02 08:00,,,采集,,110.15,20.05",
        "3,litter,2026-11-03 08:00,2026-11-03 08:30,2026-11-04 08:00,办结,urban,110.05,20.05"]


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Store:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY + TABLES, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    (folder / "hotline-0.csv").write_text(HEAD + "0,other,2026-10-01 08:00,,,采集,,110.05,20.05\n", "utf-8")
    (folder / "patrol.csv").write_text("no,at\nP0,2026-10-01 08:00\n", "utf-8")
    loading.load(folder, store, quiet=True)
    return store


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
def look(town: Store, drop: Path) -> Iterator[Callable[..., Told]]:
    made = Writer(town)

    def turn(ended: Callable[[], bool] = lambda: False) -> Told:
        return drop_folder.run(Turn(writer=Pen(made, ended), settings=Settings(drop_dir=str(drop)), ended=ended))

    yield turn
    made.close()


def put(path: Path, text: str | bytes, age: float = 60.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    at = time.time() - age
    os.utime(path, (at, at))
    return path


def table(*rows: str) -> str:
    return HEAD + "\n".join(rows) + "\n"


def stands(store: Store) -> dict[str, tuple[str, str, int]]:
    with store.read() as connection:
        return {r.no: (r.status, r.source, r.seq) for r in connection.execute(select(cases)) if r.no not in ("0", "P0")}


def names(folder: Path) -> list[str]:
    return sorted(re.sub(r"^\d{8}-\d{6}-(\d+-)?", "", path.name) for path in folder.iterdir()) if folder.is_dir() else []


def events(store: Store) -> int:
    with store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(event)) or 0)


def repeats(store: Store) -> int | None:
    with store.read() as connection:
        return connection.scalar(select(heard.c.n).where(heard.c.source == "hotline", heard.c.what == "again"))


def test_a_table_is_taken_as_a_load_takes_it_and_a_file_again_changes_nothing(town: Store, drop: Path, look: Any) -> None:
    put(drop / "hotline-1.csv", table(*ROWS))
    assert look().taken == 3
    assert {no: told[0] for no, told in stands(town).items()} == {"1": "handling", "2": "reported", "3": "closed"}
    assert names(drop / "done") == ["hotline-1.csv"]
    before, n = sums(town), events(town)
    put(drop / "hotline-1.csv", table(*ROWS))
    assert look().taken == 0
    assert (sums(town), events(town)) == (before, n)
    assert names(drop / "done") == ["hotline-1.csv", "hotline-1.csv"]
    assert rebuild(town, quiet=True).mended == 0
    assert sums(town) == before
    end = time.monotonic() + 10
    while repeats(town) != 3 and time.monotonic() < end:  # counts are written apart from the acts, a second later
        time.sleep(0.05)
    assert repeats(town) == 3


def test_what_a_load_and_a_drop_make_of_the_same_table_is_the_same(town: Store, drop: Path, look: Any, tmp_path: Path) -> None:
    put(drop / "hotline-1.csv", table(*ROWS))
    look()
    dropped = sums(town)
    with town.read() as connection:
        steps = [tuple(r) for r in connection.execute(select(cases.c.no, event.c.seq, event.c.step, event.c.status, event.c.derived).join(
            cases, cases.c.id == event.c.case_id).order_by(cases.c.no, event.c.seq))]
    other = Store(f"sqlite:///{tmp_path / 'other.sqlite'}")
    (tmp_path / "town" / "hotline-1.csv").write_text(table(*ROWS), "utf-8")
    loading.load(tmp_path / "town", other, quiet=True)
    with other.read() as connection:
        assert steps == [tuple(r) for r in connection.execute(select(cases.c.no, event.c.seq, event.c.step, event.c.status, event.c.derived).join(
            cases, cases.c.id == event.c.case_id).order_by(cases.c.no, event.c.seq))]
    loaded = sums(other)
    other.close()

    def plain(held: dict[str, Any]) -> dict[str, int]:
        return {name: sum(row[-1] if name != "rollup" else sum(row[5:]) for row in rows) for name, rows in held.items()}

    assert plain(loaded) == plain(dropped)
    # The same file by a load afterwards is nothing new either.
    loading.load(tmp_path / "town", town, quiet=True)
    assert plain(sums(town)) == plain(dropped)


def test_a_changed_row_becomes_an_event_and_the_sums_follow_it(town: Store, drop: Path, look: Any) -> None:
    put(drop / "hotline-1.csv", table(*ROWS))
    look()
    moved = ["1,flood,2026-11-01 08:00,2026-11-01 09:00,2026-11-05 10:00,办结,water,110.15,20.05", ROWS[1].replace("采集", "处理"), ROWS[2]]
    put(drop / "hotline-2.csv", table(*moved))
    assert look().taken == 2
    assert {no: told[0] for no, told in stands(town).items()} == {"1": "closed", "2": "handling", "3": "closed"}
    with town.read() as connection:
        last = connection.execute(select(event).order_by(event.c.id)).all()[-2:]
    assert {r.step for r in last} == {"changed"}
    assert all(not r.derived for r in last)
    before = sums(town)
    done = rebuild(town, quiet=True)
    assert done.mended == 0
    assert sums(town) == before


def test_workbooks_packed_tables_and_folders_of_a_table_are_taken(town: Store, drop: Path, look: Any) -> None:
    book = Workbook()
    for row in table(ROWS[0]).strip().split("\n"):
        book.active.append(row.split(","))
    book.save(drop / "hotline-1.xlsx")
    put(drop / "hotline-1.xlsx", (drop / "hotline-1.xlsx").read_bytes())
    put(drop / "hotline" / "any name [1].csv.gz", gzip.compress(table(ROWS[1]).encode()))
    put(drop / "patrol.csv", "no,at\nP1,2026-11-01 08:00\n")
    assert look().taken == 3
    assert {no: told[1] for no, told in stands(town).items()} == {"1": "hotline", "2": "hotline", "P1": "patrol"}


def test_a_file_that_is_still_being_written_waits(town: Store, drop: Path, look: Any) -> None:
    put(drop / "hotline-1.csv", table(*ROWS), age=1)
    put(drop / "hotline-2.csv.part", table(*ROWS))
    put(drop / ".hotline-3.csv", table(*ROWS))
    assert look().taken == 0
    assert (drop / "hotline-1.csv").exists()
    put(drop / "hotline-1.csv", table(*ROWS))
    (drop / "hotline-2.csv.part").replace(drop / "hotline-2.csv")
    assert look().taken == 3
    assert not (drop / "hotline-1.csv").exists()


@pytest.mark.parametrize(("name", "text", "why"), [
    ("hotline-1.csv", "", "0"), ("hotline-1.csv", "a,b\n1,2\n", "案号"), ("hotline-1.xlsx", b"PK\x03\x04 half a workbook", ""),
    ("strange.csv", table(*ROWS), "hotline"), ("hotline-1.csv.gz", gzip.compress(table(*ROWS).encode())[:60], ""), ("hotline-1.csv", table("1,litter,never,,,采集,,,"), "never"),
])
def test_what_cannot_be_used_is_laid_aside_with_a_report(town: Store, drop: Path, look: Any, name: str, text: Any, why: str) -> None:
    put(drop / ("hotline" if name.endswith("gz") else "") / name, text)
    put(drop / "patrol.csv", "no,at\nP1,2026-11-01 08:00\n")
    told = look()
    assert told.trouble
    assert name in told.trouble["en"]
    assert names(drop / "refused") == [name, f"{name}.report.txt"]
    report = next(path for path in (drop / "refused").iterdir() if path.name.endswith(".report.txt")).read_text("utf-8")
    assert why in report
    assert set(stands(town)) == {"P1"}, "the next file is none the worse"


def test_bad_rows_of_a_good_file_are_kept_and_told(town: Store, drop: Path, look: Any) -> None:
    put(drop / "hotline-1.csv", table(*ROWS, "P0,litter,2026-11-01 08:00,,,采集,,,", "5,litter,2026-11-01 08:00,,,什么,,,"))
    told = look()
    assert (told.taken, told.refused) == (3, 2)
    assert names(drop / "done") == ["hotline-1.csv", "hotline-1.csv.report.txt"]
    report = next(path for path in (drop / "done").iterdir() if path.name.endswith(".report.txt")).read_text("utf-8")
    assert "patrol" in report
    with town.read() as connection:
        kept = connection.execute(select(quarantine).where(quarantine.c.source == "hotline")).all()
    assert {r.field for r in kept} == {"no", "status"}


def test_what_was_begun_when_the_server_died_goes_on(town: Store, drop: Path, look: Any) -> None:
    put(drop / "hotline-1.csv", table(*ROWS))
    calls = [0]

    def ended() -> bool:
        calls[0] += 1
        return calls[0] > 4

    with suppress(BusyError):
        look(ended)
    assert names(drop / "done") == []
    assert look().taken + len(stands(town)) >= 3
    assert len(stands(town)) == 3
    assert names(drop / "done") == ["hotline-1.csv"]


def test_a_link_is_not_followed_and_a_folder_that_is_not_there_is_told(town: Store, drop: Path, look: Any, tmp_path: Path) -> None:
    secret = put(tmp_path / "hotline-9.csv", table(*ROWS))
    (drop / "hotline-9.csv").symlink_to(secret)
    assert look().taken == 0
    assert secret.exists()
    made = Writer(town)
    with pytest.raises(DoorError, match="GOV_DROP_DIR") as bad:
        drop_folder.run(Turn(writer=Pen(made), settings=Settings(drop_dir=str(tmp_path / "nowhere"))))
    made.close()
    assert bad.value.zh
