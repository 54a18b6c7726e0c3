"""Rows in our own shape: what loads, what is doubted, what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from queries.city import City, RowsRead, read_rows
from queries.city import rows as rows_module
from queries.city.things import Shaper
from queries.errors import TableError

CASE_COLUMNS = {
    "no": "no", "reported_at": "at", "category": "cat", "status": "st", "closed_at": "closed", "due_at": "due",
    "lon": "lon", "lat": "lat", "title": "title", "urgent": "urgent", "rework": "rework",
}
HEAD = "no,at,cat,st,closed,due,lon,lat,title,urgent,rework\n"
EXTENT = (116.0, 39.5, 117.0, 40.5)


def _city(**changes) -> City:
    table = {"id": "t", "file": "t.csv", "columns": CASE_COLUMNS} | changes.pop("table", {})
    kind = changes.pop("kind", "cases")
    base = {
        "name": "测试市", "code": "99", "levels": [{"id": "city", "name": "市"}],
        "categories": {"trash": {"name": "垃圾", "match": ["垃圾*"]}, "other": {"name": "其他"}},
        "statuses": {"完成": "closed", "进行": "handling"},
    }
    return City(**(base | changes), **{kind: [table]})


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., RowsRead]:
    def _load(text: str, kind: str = "cases", **changes) -> RowsRead:
        (tmp_path / "t.csv").write_text(text, "utf-8")
        city = _city(kind=kind, **changes)
        (read,) = read_rows(city, tmp_path, city.tables(kind)[0], kind, extent=EXTENT)
        return read
    return _load


def _said(read: RowsRead) -> list[tuple[int, str, str]]:
    return [(one.row, one.field, one.grade) for one in read.refusals]


def test_good_case_has_our_columns_words_and_moments(load: Callable[..., RowsRead]):
    read = load(HEAD + "7,2024/3/5 8:05,垃圾桶满溢,完成,2024-03-06 08:05,2024年3月7日,116.4,39.9, 桶满 ,是,1\n")

    (case,) = read.frame.to_dicts()
    assert read.refusals == []
    assert list(case) == [
        "row", "no", "category", "kind", "title", "address", "channel", "department", "status", "urgent", "reported_at",
        "filed_at", "due_at", "closed_at", "rework", "lon", "lat", "area_code", "hash",
    ]
    assert case["reported_at"] == 1709597100
    assert case["closed_at"] == 1709597100 + 86400
    assert {key: case[key] for key in ("no", "category", "title", "status", "urgent", "rework", "lon", "lat", "kind", "department")} == {
        "no": "7", "category": "trash", "title": "桶满", "status": "closed", "urgent": True, "rework": 1, "lon": 116.4,
        "lat": 39.9, "kind": "", "department": None,
    }


@pytest.mark.parametrize(("row", "field", "grade", "words"), [
    (",2024-03-05,垃圾,完成,,,,,,,", "no", "refused", "the case number is missing"),
    ("1,,垃圾,完成,,,,,,,", "reported_at", "refused", "the time is missing"),
    ("1,soon,垃圾,完成,,,,,,,", "reported_at", "refused", "cannot be read"),
    ("1,1969-12-30,垃圾,完成,,,,,,,", "reported_at", "refused", "before 1970"),
    ("1,2098-01-01,垃圾,完成,,,,,,,", "reported_at", "refused", "in the future"),
    ("1,2024-03-05,垃圾,飞了,,,,,,,", "status", "refused", "not in the statuses of city.toml"),
    ("1,2024-03-05,垃圾,完成,2024-03-04,,,,,,", "closed_at", "doubted", "closed before it was reported"),
    ("1,2024-03-05,垃圾,进行,2024-03-06,,,,,,", "closed_at", "doubted", "not closed yet has a closing time"),
    ("1,2024-03-05,垃圾,进行,,2024-03-04,,,,,", "due_at", "doubted", "due before it was reported"),
    ("1,2024-03-05,垃圾,进行,,2102-01-01,,,,,", "due_at", "doubted", "after 2100"),
    ("1,2024-03-05,垃圾,完成,2098-01-01,,,,,,", "closed_at", "doubted", "in the future"),
    ("1,2024-03-05,垃圾,进行,,,39.9,116.4,,,", "lon, lat", "doubted", "swapped"),
    ("1,2024-03-05,垃圾,进行,,,0,0,,,", "lon, lat", "doubted", "no point"),
    ("1,2024-03-05,垃圾,进行,,,438000,4420000,,,", "lon, lat", "doubted", "declared crs"),
    ("1,2024-03-05,垃圾,进行,,,east,39.9,,,", "lon", "doubted", "no number"),
    ("1,2024-03-05,垃圾,进行,,,116.4,,,,", "lat", "doubted", "only one"),
    ("1,2024-03-05,垃圾,进行,,,,,,也许,", "urgent", "doubted", "neither yes nor no"),
    ("1,2024-03-05,垃圾,进行,,,,,,,many", "rework", "doubted", "cannot be read"),
    ("1,2024-03-05,垃圾,,,,,,,,", "status", "doubted", "inferred"),
    ("1,3/4/2024,垃圾,进行,,,,,,,", "reported_at", "doubted", "guessed"),
    ("1,2024-03-05,垃圾", "", "refused", "cut off"),
])
def test_bad_row_is_told_with_its_row_field_and_reason(load, row: str, field: str, grade: str, words: str):
    read = load(HEAD + "0,2024-03-05,垃圾,进行,,,116.4,39.9,,,\n" + row + "\n")

    (one,) = read.refusals
    assert (one.row, one.field, one.grade) == (2, field, grade)
    assert words in one.reason_en
    assert one.reason
    assert one.raw
    assert read.read == 2
    assert read.frame.height == (1 if grade == "refused" else 2)


def test_words_that_the_citys_other_takes_in_are_a_hint_and_no_doubt(load):
    rows = ["外星人,完成", "外星人,完成", "宠物,完成", "宠物,飞了", "垃圾,完成"]
    read = load(HEAD + "".join(f"{n},2024-03-05,{row},,,,,,,\n" for n, row in enumerate(rows)))

    assert [(one.field, one.grade) for one in read.refusals] == [("status", "refused")]
    assert [(one.field, one.word, one.n, one.row) for one in read.hints] == [("category", "外星人", 2, 1), ("category", "宠物", 1, 3)]
    assert read.frame["category"].to_list() == ["other", "other", "other", "trash"]


def test_a_kind_of_sensor_that_nobody_described_is_named(load):
    read = load("id,k\nA,rain\nB,雨量\nC,\n", kind="sensors", table={"columns": {"code": "id", "kind": "k"}})

    assert read.refusals == []
    assert [(one.field, one.word, one.n) for one in read.hints] == [("kind", "雨量", 1)]


def test_readings_need_no_metric_where_the_sensor_may_have_only_one(load):
    read = load("id,t,v\nA,2024-03-05 08:00,1.5\n", kind="readings", table={"columns": {"sensor": "id", "at": "t", "value": "v"}})

    assert read.refusals == []
    assert read.frame.select("sensor", "metric", "value").rows() == [("A", "", 1.5)]


def test_doubted_point_is_not_used_but_its_case_is_kept(load):
    read = load(HEAD + "1,2024-03-05,垃圾,进行,,,39.9,116.4,,,\n2,2024-03-05,垃圾,进行,,,116.4,39.9,,,\n")
    assert read.frame["lon"].to_list() == [None, 116.4]


def test_case_in_the_sea_and_case_without_a_point_are_no_mistakes(load):
    read = load(HEAD + "1,2024-03-05,垃圾,进行,,,123.5,38.2,,,\n2,2024-03-05,垃圾,进行,,,,,,,\n")
    assert read.refusals == []
    assert read.frame["lon"].to_list() == [123.5, None]


def test_due_far_in_the_future_is_kept(load):
    read = load(HEAD + "1,2024-03-05,垃圾,进行,,2059-01-01,,,,,\n")
    assert read.refusals == []
    assert read.frame["due_at"][0] is not None


def test_file_whose_points_are_all_elsewhere_is_told_as_a_whole(load):
    read = load(HEAD + "".join(f"{n},2024-03-05,垃圾,进行,,,-71.0{n},42.3,,,\n" for n in range(30)))
    assert [(one.row, one.field) for one in read.refusals] == [(0, "crs")]
    assert "30 of 30" in read.refusals[0].reason_en


def test_file_with_swapped_columns_is_told_once_as_a_whole_and_row_by_row(load):
    read = load(HEAD + "".join(f"{n},2024-03-05,垃圾,进行,,,39.9,116.4{n},,,\n" for n in range(30)))
    assert "exchange the columns" in read.refusals[0].reason_en
    assert [one.row for one in read.refusals] == list(range(31))
    assert read.frame["lon"].null_count() == read.frame.height == 30


def test_coordinates_are_converted_at_the_door(load):
    read = load(HEAD + "1,2024-03-05,垃圾,进行,,,116.410232,39.915670,,,\n", table={"crs": "GCJ-02"})
    assert read.frame["lon"][0] == pytest.approx(116.403988, abs=2e-6)


def test_five_date_formats_in_one_column_are_all_read(load):
    dates = ["2024-03-05 08:05", "2024/3/5 8:05", "2024年3月5日 8时5分", "1709597100", "5.3.2024 8:05"]
    read = load(HEAD + "".join(f"{n},{date},垃圾,进行,,,,,,,\n" for n, date in enumerate(dates)))
    assert read.frame["reported_at"].to_list() == [1709597100] * 5


def test_later_row_of_the_same_number_counts_and_an_equal_one_is_no_matter(load):
    rows = "1,2024-03-05,垃圾,进行,,,,,a,,\n2,2024-03-05,垃圾,进行,,,,,b,,\n2,2024-03-05,垃圾,进行,,,,,b,,\n1,2024-03-05,垃圾,完成,,,,,a,,\n"
    read = load(HEAD + rows)
    assert _said(read) == [(1, "no", "refused")]
    assert "duplicate" in read.refusals[0].reason_en
    assert read.frame.select("no", "status").rows() == [("2", "handling"), ("1", "closed")]


def test_later_file_of_a_table_counts_wherever_its_twin_was(tmp_path: Path):
    (tmp_path / "a.csv").write_text(HEAD + "1,2024-03-05,垃圾,进行,,,,,,,\n3,2024-03-05,垃圾,进行,,,,,,,\n", "utf-8")
    (tmp_path / "b.csv").write_text(HEAD + "1,2024-03-05,垃圾,完成,,,,,,,\n2,2024-03-05,垃圾,进行,,,,,,,\n", "utf-8")
    city = _city(table={"file": "*.csv"})

    first, second = read_rows(city, tmp_path, city.cases[0], "cases")

    assert (first.file, _said(first), first.frame["no"].to_list()) == ("a.csv", [(1, "no", "refused")], ["3"])
    assert (second.file, _said(second), second.frame["no"].to_list()) == ("b.csv", [], ["1", "2"])


def test_table_too_long_to_be_kept_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(HEAD + "".join(f"{n},2024-03-05,垃圾,进行,,,,,{name},,\n" for n in range(5)), "utf-8")
    city = _city(table={"file": "*.csv"})
    kept = [read.frame for read in read_rows(city, tmp_path, city.cases[0], "cases")]
    monkeypatch.setattr(rows_module, "KEPT", 6)
    again = [read.frame for read in read_rows(city, tmp_path, city.cases[0], "cases")]

    assert all(one.equals(other) for one, other in zip(kept, again, strict=True))
    assert [frame.height for frame in kept] == [0, 0, 5]


def test_numbers_of_two_tables_do_not_collide_when_they_are_prefixed(load):
    assert load(HEAD + "1,2024-03-05,垃圾,进行,,,,,,,\n", table={"no_prefix": "X-"}).frame["no"].to_list() == ["X-1"]


def test_formula_cell_is_kept_as_the_text_it_is(load):
    assert load(HEAD + '1,2024-03-05,垃圾,进行,,,,,"=HYPERLINK(""x"")",,\n').frame["title"].to_list() == ['=HYPERLINK("x")']


def test_hash_follows_what_the_source_said_and_nothing_else(load):
    first = load(HEAD + "1,2024-03-05 00:00,垃圾,进行,,,,,a,,\n").frame["hash"][0]
    assert load("junk," + HEAD + "9,1,2024/3/5,垃圾桶, 进行,,,,,a,,\n").frame["hash"][0] == first
    assert load(HEAD + "1,2024-03-05,垃圾,进行,,,,,b,,\n").frame["hash"][0] != first


def test_last_change_closes_a_closed_case_only(load):
    columns = {**CASE_COLUMNS, "updated_at": "closed"}
    del columns["closed_at"]
    read = load(HEAD + "1,2024-03-05,垃圾,完成,2024-03-06,,,,,,\n2,2024-03-05,垃圾,进行,2024-03-04,,,,,,\n", table={"columns": columns})
    assert [value is None for value in read.frame["closed_at"]] == [False, True]
    assert read.refusals == []


def test_category_word_of_its_own_becomes_a_category_when_asked_to(load):
    read = load(HEAD + "1,2024-03-05,噪声,进行,,,,,,,\n2,2024-03-05,垃圾车,进行,,,,,,,\n", automatic_categories=True)
    assert read.frame["category"].to_list() == ["噪声", "trash"]


def test_unknown_category_is_refused_where_the_city_has_no_other(load):
    read = load(HEAD + "1,2024-03-05,噪声,进行,,,,,,,\n", categories={"trash": {"name": "垃圾"}})
    assert _said(read) == [(1, "category", "refused")]


def test_missing_column_and_missing_file_are_told_with_the_nearest(tmp_path: Path, load):
    with pytest.raises(TableError, match=r"t\.csv has no column 'lon' \(for lon\)\. The nearest one is 'long'"):
        load(HEAD.replace("lon", "long"))
    city = _city(table={"file": "tt.csv"})
    with pytest.raises(TableError, match=r"Table 't': there is no file tt\.csv .* nearest one is t\.csv"):
        list(read_rows(city, tmp_path, city.cases[0], "cases"))


def test_constants_fill_what_the_table_does_not_say(load):
    columns = {key: value for key, value in CASE_COLUMNS.items() if key != "status"}
    read = load(HEAD + "1,2024-03-05,垃圾,,,,,,,,\n", table={"columns": columns, "constants": {"status": "closed", "channel": "热线"}})
    assert read.frame.select("status", "channel").rows() == [("closed", "热线")]


def test_sensors_without_code_or_twice_are_refused(load):
    text = "id,name,x,y,every\nS1,一号,116.4,39.9,60\n,二号,116.4,39.9,60\nS1,一号新,116.4,39.9,-1\n"
    columns = {"code": "id", "name": "name", "lon": "x", "lat": "y", "every_s": "every"}
    read = load(text, kind="sensors", table={"columns": columns, "every_s": 300})
    assert _said(read) == [(1, "code", "refused"), (2, "code", "refused"), (3, "every_s", "doubted")]
    assert read.frame.select("row", "code", "name", "every_s").rows() == [(3, "S1", "一号新", 300)]


def test_readings_of_one_column_per_metric_leave_blank_cells_out(load):
    text = "id,t,temp,hum\nS1,2024-03-05T00:00:00Z,5,\nS1,2024-03-05T01:00:00Z,bad,40\n"
    read = load(text, kind="readings", table={"columns": {"sensor": "id", "at": "t"}, "metrics": {"温度": "temp", "湿度": "hum"}})
    assert _said(read) == [(2, "value", "refused")]
    assert read.frame.rows() == [(1, "S1", "温度", 1709596800, 5.0, ""), (2, "S1", "湿度", 1709600400, 40.0, "")]


def test_camera_states_are_known_in_both_languages_and_others_are_doubted(load):
    text = "id,state,seen\nC1,在线,2024-03-05\nC2,OFF,\nC3,睡觉,\nC4,,\n"
    read = load(text, kind="cameras", table={"columns": {"code": "id", "state": "state", "seen_at": "seen"}})
    assert read.frame["state"].to_list() == ["online", "offline", "unknown", "unknown"]
    assert _said(read) == [(3, "state", "doubted")]


def test_parquet_and_csv_of_the_same_cases_give_the_same_rows(tmp_path: Path, load):
    text = HEAD + "1,2024-03-05 08:05:00,垃圾,完成,2024-03-06 08:05:00,,116.4,39.9,a,true,2\n"
    read = load(text)
    frame = pl.read_csv(text.encode(), try_parse_dates=True)
    frame.write_parquet(tmp_path / "t.parquet")
    city = _city(table={"file": "t.parquet"})
    (other,) = read_rows(city, tmp_path, city.cases[0], "cases")
    assert other.frame.equals(read.frame)


def test_empty_table_of_a_header_alone_is_no_mistake(load):
    read = load(HEAD)
    assert (read.read, read.frame.height, read.refusals) == (0, 0, [])


def test_chunks_of_one_shape_can_be_joined(load):
    full = load(HEAD + "1,2024-03-05,垃圾,完成,2024-03-06,,116.4,39.9,a,true,2\n").frame
    empty = load(HEAD).frame
    assert pl.concat([full, empty]).height == 1


def test_shaper_remembers_day_order_from_chunk_to_chunk():
    city = _city()
    reader = Shaper(city=city, spec=city.cases[0])._reader("reported_at")
    reader.read(pl.Series(["25/4/2024"]))
    assert not reader.read(pl.Series(["3/4/2024"])).guessed.any()
