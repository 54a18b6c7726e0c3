"""The demo city: the same from the same seed, whole, and with the story that it promises."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import polars as pl

from queries import cases, demo, kpi, places
from queries.demo.words import CATEGORIES, DISTRICTS, KINDS_EN
from queries.frame import EVERYTHING, Ask
from queries.loop import task_list
from queries.store import Store
from tests.conftest import MOMENT


def test_the_same_seed_makes_the_same_city(demo_folder: Path, tmp_path: Path) -> None:
    again = demo.make(tmp_path / "again", grids=400, seed=7, moment=MOMENT)
    other = demo.make(tmp_path / "other", grids=400, seed=8, moment=MOMENT)
    for file in ("grid.parquet", "cases.parquet", "readings.parquet", "items.csv", "duty.csv", "indicators.csv", "city.toml"):
        assert (again / file).read_bytes() == (demo_folder / file).read_bytes()
    assert (other / "cases.parquet").read_bytes() != (demo_folder / "cases.parquet").read_bytes()


def test_levels_nest_by_code_and_tile_without_overlap(demo_folder: Path) -> None:
    last = None
    for name, length in (("district", 6), ("street", 9), ("community", 12), ("grid", 15)):
        frame = gpd.read_parquet(demo_folder / f"{name}.parquet")
        assert frame.geometry.is_valid.all()
        assert frame["code"].str.len().eq(length).all()
        assert frame["code"].is_unique
        assert frame["code"].str.startswith("99").all()
        assert frame["name_en"].str.len().gt(0).all()
        assert (frame["residents"] > 0).all()
        area = frame.to_crs(6933).area.sum()
        if last is not None:
            assert abs(area / last - 1) < 1e-3
        last = area


def test_ninety_days_with_a_rhythm_and_no_name_of_a_person(demo_folder: Path) -> None:
    frame = pl.read_parquet(demo_folder / "cases.parquet")
    hour = (frame["上报时间"] // 3600 + 8) % 24
    assert (hour == 10).sum() > 4 * (hour == 3).sum()
    assert set(frame["类别"]) == {words[0] for words in CATEGORIES.values()}
    assert not {"姓名", "电话", "联系人"} & set(frame.columns)


def test_every_category_has_its_item_and_nearly_every_grid_its_post(city: Store, demo_folder: Path) -> None:
    held = task_list.items(city).rows
    assert {(i.category, i.department) for i in held} >= {(code, words[2]) for code, words in CATEGORIES.items()}
    assert all("示例" in i.basis for i in held)
    assert any(i.temporary for i in held)
    roster = pl.read_csv(demo_folder / "duty.csv", infer_schema=False)
    grids = gpd.read_parquet(demo_folder / "grid.parquet")
    posts = roster.filter(pl.col("岗位类别") == "网格员")
    assert 0.93 < len(posts) / len(grids) < 1
    assert posts["岗位名称"].str.ends_with("网格岗").all()


def test_every_kind_has_its_english_word_on_english_pages(city: Store) -> None:
    assert set(KINDS_EN) == {kind for words in CATEGORIES.values() for kind in words[5]}
    day = date(2026, 11, 20)
    rows = cases.page(city, Ask(scope=EVERYTHING, since=day, until=day)).rows
    assert {r.title_words["en"] for r in rows} <= set(KINDS_EN.values())
    assert all(r.title_words["zh"] == r.title for r in rows)


def test_one_bad_week_in_one_district_is_seen(city: Store) -> None:
    week = Ask(scope=EVERYTHING, since=date(2026, 11, 3), until=date(2026, 11, 10))
    rows = kpi.children(city, week, "on_time_rate").rows
    assert rows[0].place.name == f"{DISTRICTS[5]}区"
    assert rows[0].values["on_time_rate"] < rows[1].values["on_time_rate"] - 0.1


def test_every_place_can_be_found_by_name_pinyin_initials_and_code(city: Store) -> None:
    with city.read() as connection:
        for text in ("南浦", "nanpu", "np", "990106", "Nanpu District"):
            assert "990106" in [p.code for p in places.search(connection, EVERYTHING, text, date(2026, 11, 23))], text
