"""Departments' figures for the index: they load like any table, keep their history, add up, and grow old in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from queries import governance, loading
from queries.city.spans import read_span
from queries.clock import local_day, now, stamp
from queries.frame import EVERYTHING, Ask
from queries.index import found
from queries.index._age import holds
from queries.index._figures import pick
from queries.index._tables import index_figure
from queries.loading import Report
from queries.scoring.shrink import LEAST_OWN
from queries.store import Store
from queries.tables import quarantine

TODAY = local_day(stamp(now()), ZoneInfo("Asia/Shanghai"))
YESTERDAY = TODAY - timedelta(days=1)
#: Two districts with two and three streets, squares beside each other; a case now and then, so that days are covered.
CITY = """
name = "小城"
name_en = "Little"
code = "9"
[codes]
nested = true
[[levels]]
id = "city"
name = "全市"
[[levels]]
id = "district"
name = "区"
file = "districts.geojson"
code = "code"
[[levels]]
id = "street"
name = "街道"
file = "streets.geojson"
code = "code"
[categories]
other = { name = "其他", name_en = "Other" }
[[cases]]
id = "cases"
file = "cases.csv"
[cases.columns]
no = "no"
reported_at = "at"
due_at = "due"
closed_at = "closed"
area_code = "area"
"""
TABLE = """
[[indicators]]
id = "figures"
title = "部门数据"
file = "{file}"
[indicators.columns]
indicator = "指标"
area_code = "区划"
period = "时期"
{columns}
"""
PAIR = 'numerator = "分子"\ndenominator = "分母"\nvalue = "数值"\nweight = "权重"\nsource = "来源"\ngrain = "粒度"'
HEAD = ("指标", "区划", "时期", "分子", "分母", "数值", "权重", "来源", "粒度")
STREETS = ("9101", "9102", "9201", "9202", "9203")
Row = Sequence[object]


def square(code: str, x: float, wide: float = 0.1) -> str:
    ring = f"[[{x},20],[{x + wide},20],[{x + wide},20.1],[{x},20.1],[{x},20]]"
    return f'{{"type":"Feature","properties":{{"code":"{code}"}},"geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}'


def folder_of(where: Path, rows: Sequence[Row], file: str = "figures.csv", columns: str = PAIR) -> Path:
    where.mkdir(parents=True, exist_ok=True)
    (where / "city.toml").write_text(CITY + TABLE.format(file=file, columns=columns), "utf-8")
    (where / "districts.geojson").write_text('{"type":"FeatureCollection","features":[' + square("91", 110, 0.2) + "," + square("92", 110.2, 0.3) + "]}", "utf-8")
    (where / "streets.geojson").write_text('{"type":"FeatureCollection","features":[' + ",".join(square(c, 110 + 0.1 * i) for i, c in enumerate(STREETS)) + "]}", "utf-8")
    days = [YESTERDAY - timedelta(days=n) for n in (*range(31), 400)]
    lines = [f"C{n}-{s},{d} 08:00,{d} 18:00,{d} 12:00,{code}" for n, d in enumerate(days) for s, code in enumerate(STREETS)] + [f"T,{TODAY} 00:00,{TODAY} 23:00,,9101"]
    (where / "cases.csv").write_text("no,at,due,closed,area\n" + "\n".join(lines), "utf-8")
    frame = pl.DataFrame([[None if v is None else str(v) for v in (*row, *[None] * (len(HEAD) - len(row)))] for row in rows], schema=dict.fromkeys(HEAD, pl.String), orient="row")
    if file.endswith(".csv"):
        frame.write_csv(where / file)
    elif file.endswith(".parquet"):
        frame.write_parquet(where / file)
    else:
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for row in (HEAD, *frame.rows()):
            book.active.append(list(row))
        book.save(where / file)
    return where


def load(store: Store, where: Path, rows: Sequence[Row], **more: str) -> Report:
    return loading.load(folder_of(where, rows, **more), store, quiet=True)


def rows_of(store: Store, place: str | None = None, since: date = YESTERDAY - timedelta(days=29), until: date = YESTERDAY) -> dict[str, governance.ScoreRow]:
    return {row.id: row for row in governance.index(store, Ask(scope=EVERYTHING, since=since, until=until, place=place)).rows}


MONTH = (YESTERDAY.replace(day=1) - timedelta(days=1)).replace(day=1)
LAST_MONTH = f"{MONTH:%Y-%m}"
END = YESTERDAY.replace(day=1) - timedelta(days=1)
FULL = [("LAW06", code, LAST_MONTH, 2 + i, 20) for i, code in enumerate(STREETS)]


@pytest.mark.parametrize("file", ["figures.csv", "figures.xlsx", "figures.parquet"])
def test_figures_load_from_any_kind_of_table_and_again_changes_nothing(file: str, store: Store, tmp_path: Path) -> None:
    report = load(store, tmp_path / "city", FULL, file=file)
    told = next(s for s in report.sources if s.kind == "indicators")
    assert (told.new, told.changed, told.same, told.refused) == (5, 0, 0, 0)
    assert not load(store, tmp_path / "city", FULL, file=file).changed


def test_check_says_the_same_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path / "city", FULL[:1])
    report = loading.check(folder_of(tmp_path / "city", [*FULL, ("LAW99", "91", LAST_MONTH, 1, 2)]), store)
    told = next(s for s in report.sources if s.kind == "indicators")
    assert (told.new, told.same, told.refused) == (4, 1, 1)
    with store.read() as connection:
        assert len(connection.execute(select(index_figure)).all()) == 1


def test_a_street_shows_its_figure_and_what_is_above_adds_numerators_and_denominators(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path / "city", FULL)
    for place, top, under in (("9101", 2, 20), ("91", 5, 40), ("92", 15, 60), (None, 20, 100)):
        row = rows_of(store, place)["LAW06"]
        assert (row.numerator, row.denominator) == (top, under)
    assert rows_of(store)["LAW06"].value == pytest.approx(0.2)
    assert rows_of(store)["LAW06"].score == pytest.approx(1 + 99 * (0.40 - 0.2) / (0.40 - 0.05))


def test_an_area_s_own_figure_stands_above_the_sum_of_its_parts(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path / "city", [*FULL, ("LAW06", "91", LAST_MONTH, 9, 45)])
    assert (rows_of(store, "91")["LAW06"].numerator, rows_of(store, "91")["LAW06"].denominator) == (9, 45)
    # Of the city the nearest level below is summed where all of it told, else the streets.
    assert rows_of(store)["LAW06"].denominator == 100


def test_a_bare_value_does_not_add_up_and_one_with_a_weight_does(store: Store, tmp_path: Path) -> None:
    bare = [("BUR05", code, LAST_MONTH, None, None, 5 + i) for i, code in enumerate(STREETS)]
    weighed = [("RSK05", code, LAST_MONTH, None, None, 10 + i, 100 * (i + 1)) for i, code in enumerate(STREETS)]
    load(store, tmp_path / "city", bare + weighed)
    assert rows_of(store, "9102")["BUR05"].value == 6
    assert rows_of(store, "91")["BUR05"].value is None
    assert rows_of(store, "91")["RSK05"].value == pytest.approx((10 * 100 + 11 * 200) / 300)


def test_where_too_few_parts_told_nothing_is_summed(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path / "city", [FULL[0], FULL[2], FULL[3], FULL[4]])
    assert rows_of(store, "91")["LAW06"].value is None  # one of two streets
    assert rows_of(store, "92")["LAW06"].numerator == 4 + 5 + 6


def test_a_newer_figure_does_not_wipe_the_older_one(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path / "city", FULL)
    report = load(store, tmp_path / "city", [("LAW06", "9101", LAST_MONTH, 10, 20), *FULL[1:]])
    told = next(s for s in report.sources if s.kind == "indicators")
    assert (told.changed, told.same) == (1, 4)
    assert rows_of(store, "9101")["LAW06"].numerator == 10
    with store.read() as connection:
        held = connection.execute(select(index_figure).where(index_figure.c.area_code == "9101").order_by(index_figure.c.id)).all()
    assert [(r.numerator, r.known_to is None) for r in held] == [(2, False), (10, True)]
    assert held[0].known_to == held[1].known_at
    history = governance.figures(store, Ask(scope=EVERYTHING, since=MONTH, until=END, place="9101"), "LAW06").rows
    assert [(row.value, row.known_to is None) for row in history] == [(0.5, True), (0.1, False)]


BAD: list[tuple[Row, str, str]] = [
    (("LAW6", "91", LAST_MONTH, 1, 2), "indicator", "LAW06"), (("SAF05", "91", LAST_MONTH, 1, 2), "indicator", "counted here"),
    (("SAF01", "91", LAST_MONTH, 1, 2), "indicator", "punish reporting"), (("LAW06", "99", LAST_MONTH, 1, 2), "area_code", "no area"),
    (("LAW06", "91", "sometime", 1, 2), "period", "cannot be read"), (("LAW06", "91", f"{TODAY.year + 1}", 1, 2), "period", "not over"),
    (("LAW06", "9101", LAST_MONTH, 3, 2), "numerator", "larger"), (("LAW06", "91", LAST_MONTH, -1, 2), "numerator", "negative"),
    (("LAW06", "91", LAST_MONTH, 1, 0), "denominator", "above zero"), (("LAW06", "91", LAST_MONTH, 1, -5), "denominator", "above zero"),
    (("LAW06", "91", LAST_MONTH, "inf", 2), "numerator", "finite"), (("LAW06", "91", LAST_MONTH, "many", 2), "numerator", "finite"),
    (("LAW06", "91", LAST_MONTH, 1, None), "denominator", "together"), (("LAW06", "91", LAST_MONTH), "value", "neither"),
    (("LAW06", "92", LAST_MONTH, None, None, 95), "value", "0 to 1"), (("RSK05", "91", LAST_MONTH, None, None, 5, 0), "weight", "above zero"),
    ((None, "91", LAST_MONTH, 1, 2), "indicator", "missing"), (("LAW06", "91", LAST_MONTH, 1, 2, None, None, None, "fortnight"), "grain", "quarter")]


def test_a_bad_row_lies_in_quarantine_with_its_reason(store: Store, tmp_path: Path) -> None:
    report = load(store, tmp_path / "city", [FULL[1], *(row for row, _, _ in BAD)])
    told = next(s for s in report.sources if s.kind == "indicators")
    assert (told.new, told.refused) == (1, len(BAD))
    with store.read() as connection:
        held = {r.row: r for r in connection.execute(select(quarantine).where(quarantine.c.source == "figures"))}
    for n, (row, field, words) in enumerate(BAD, 2):
        assert (held[n].field, words in held[n].reason_en, bool(held[n].reason)) == (field, True, True), (row, held[n])


def test_a_table_without_anything_to_count_is_refused_with_its_line(store: Store, tmp_path: Path) -> None:
    from queries.errors import CityFileError
    with pytest.raises(CityFileError, match="numerator and denominator, or which holds the value"):
        loading.load(folder_of(tmp_path / "city", FULL, columns='source = "来源"'), store, quiet=True)


def test_how_old_an_input_is_stands_beside_the_score(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path / "city", FULL + [("LAW04", "91", LAST_MONTH, 1, 2)])
    rows = rows_of(store, "9101")
    age = (YESTERDAY - END).days
    assert rows["LAW06"].age_days == age
    assert rows["SAF05"].age_days == 0
    assert (rows["law"].age_days, rows["law"].oldest) == (age, found()["law"].indicators[5].title)


def test_an_old_figure_is_stale_and_not_scored(store: Store, tmp_path: Path) -> None:
    old = YESTERDAY - timedelta(days=150)
    load(store, tmp_path / "city", [("LAW06", code, f"{old:%Y-%m-%d}", 1, 20, None, None, None, "month") for code in STREETS])
    row = rows_of(store, "9101")["LAW06"]
    assert (row.no_score, row.score) == ("stale", None)
    assert rows_of(store, "9101", since=old.replace(day=1), until=old.replace(day=1) + timedelta(days=31))["LAW06"].score is not None


def test_of_an_indicator_that_nobody_brought_it_is_said_what_to_bring(city: Store) -> None:
    from tests.test_governance import ASK
    row = next(r for r in governance.index(city, ASK).rows if r.id == "SAF09")
    assert row.no_score == "not_connected"
    assert "import" in (row.lacks or {})["en"]


@pytest.mark.parametrize(("text", "grain", "first", "last"), [
    ("2026", "", (2026, 1, 1), (2026, 12, 31)), ("2026年", "", (2026, 1, 1), (2026, 12, 31)), ("2026-02", "", (2026, 2, 1), (2026, 2, 28)),
    ("2026年9月", "", (2026, 9, 1), (2026, 9, 30)), ("202610", "", (2026, 10, 1), (2026, 10, 31)), ("2026-10-05", "", (2026, 10, 5), (2026, 10, 5)),
    ("20261005", "", (2026, 10, 5), (2026, 10, 5)), ("2026-10-01 00:00:00", "month", (2026, 10, 1), (2026, 10, 31)), ("2026Q3", "", (2026, 7, 1), (2026, 9, 30)),
    ("2026年三季度", "", (2026, 7, 1), (2026, 9, 30)), ("2026年第4季度", "", (2026, 10, 1), (2026, 12, 31)), ("2026上半年", "", (2026, 1, 1), (2026, 6, 30)),
    ("2026H2", "", (2026, 7, 1), (2026, 12, 31)), ("２０２６－１０", "", (2026, 10, 1), (2026, 10, 31)), ("2026-05-20", "quarter", (2026, 4, 1), (2026, 6, 30)),
    ("2026.0", "", (2026, 1, 1), (2026, 12, 31))])
def test_the_usual_ways_of_writing_a_period_are_read(text: str, grain: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert read_span(text, grain) == (date(*first), date(*last))


@given(st.text(max_size=12))
def test_no_word_breaks_the_reader_of_periods(text: str) -> None:
    span = read_span(text)
    assert span is None or span[0] <= span[1]


FIGURE = st.tuples(st.integers(0, 400), st.sampled_from([1, 30, 91, 365]), st.integers(0, 50), st.integers(1, 50))


@given(st.lists(FIGURE, min_size=1, max_size=12), st.integers(0, 400), st.integers(0, 60))
def test_a_figure_counts_once_and_never_from_after_the_period(rows: list[tuple[int, int, int, int]], since: int, days: int) -> None:
    figures = [SimpleNamespace(first=a, last=a + n - 1, numerator=float(t), denominator=float(u), value=None, weight=None) for a, n, t, u in rows]
    told = pick(figures, since, since + days)
    if told is None:
        assert all(f.last > since + days for f in figures)
        return
    assert told.under <= sum(f.denominator for f in figures)
    assert told.age >= 0
    inside = [f for f in figures if f.first >= since and f.last <= since + days]
    if inside:
        assert told.under <= sum(f.denominator for f in inside)
    newest = [f for f in figures if since + days - f.last == told.age]
    assert not told.stale or all(told.age > holds(f.first, f.last) for f in newest[:1])




def test_each_kind_of_no_score_is_told_apart_and_has_its_words(store: Store, tmp_path: Path) -> None:
    old = YESTERDAY - timedelta(days=150)
    load(store, tmp_path / "city", [
        *(("LAW06", code, LAST_MONTH, 2, 20) for code in STREETS[1:]),  # one street does not tell
        *(("INT02", code, LAST_MONTH, 2, 3) for code in STREETS),  # fifteen in all
        *(("RSK01", code, f"{old:%Y-%m}", 2, 20) for code in STREETS),  # of months ago
        *(("MOR06", code, LAST_MONTH, 2, 20) for code in STREETS[1:]), *(("MOR07", code, LAST_MONTH, 2, 20) for code in STREETS),
        *(("RSK07", code, LAST_MONTH, 2, 20) for code in STREETS[1:2])])  # one of five
    rows = rows_of(store, STREETS[0])
    told = {id_: rows[id_].no_score for id_ in ("LAW06", "INT02", "RSK01", "RSK07", "SAF09", "morals")}
    assert told == {"LAW06": "no_data", "INT02": "few", "RSK01": "stale", "RSK07": "rare", "SAF09": "not_connected", "morals": "coverage"}
    assert rows["morals"].coverage == 0.5
    # What is withheld counts as something low all the same; every other kind has no number at all.
    assert {id_ for id_ in told if rows[id_].score is not None} == {"LAW06"}
    assert all(governance.NO_SCORE[kind]["zh"] and governance.NO_SCORE[kind]["en"] for kind in {*told.values(), "borrowed", "before", "part", "rare"})


def test_what_is_shrunk_too_far_has_a_score_and_no_rank(city: Store) -> None:
    from tests.test_governance import ASK
    community = next(c for d in governance.peers(city, ASK).rows for s in governance.peers(city, ASK.but(place=d.code)).rows
                     for c in governance.peers(city, ASK.but(place=s.code)).rows).code
    rows = governance.peers(city, ASK.but(place=community)).rows
    borrowed = [row for row in rows if row.no_score == "borrowed"]
    assert borrowed
    assert all(row.score is not None and row.own < LEAST_OWN and (row.low, row.high) == (None, None) for row in borrowed)


def test_the_api_tells_the_figures_of_a_place_and_who_said_them(server: str) -> None:
    with urlopen(f"{server}/api/v1/index/figures?place=990103001&indicator=LAW06&from=2026-08-01&to=2026-10-31", timeout=60) as answer:
        told = json.loads(answer.read())
    assert [row["since"] for row in told["rows"]] == ["2026-10-01", "2026-09-01", "2026-08-01"]
    assert all(row["said"].startswith("演示") and row["known_to"] is None for row in told["rows"])
    assert all(row["value"] == row["numerator"] / row["denominator"] for row in told["rows"])
