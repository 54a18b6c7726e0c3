"""The figures: published statements of three cities reproduced, and sums that hold over the tree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

from queries import kpi, loading, places, summing
from queries.area_values import area_values
from queries.clock import day_end, day_start
from queries.frame import EVERYTHING, Ask, Filters, Scope
from queries.periods import pieces
from queries.store import Store
from queries.tables import cases, category, department
from queries.today import city_now

CITY = """
name = "天门"
code = "1"
timezone = "Asia/Shanghai"
[statuses]
closed = "closed"
open = "handling"
[categories]
event = { name = "事件", name_en = "Events" }
part = { name = "部件", name_en = "Components" }
[[levels]]
id = "city"
name = "全市"
[[levels]]
id = "district"
name = "区"
file = "areas.geojson"
code = "code"
[[cases]]
id = "c"
file = "cases.parquet"
[cases.columns]
no = "no"
category = "category"
status = "status"
reported_at = "reported"
filed_at = "filed"
due_at = "due"
closed_at = "closed"
lon = "lon"
lat = "lat"
"""
AREAS = """{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"11"},"geometry":{"type":"Polygon","coordinates":[[[113,30],[113.1,30],[113.1,30.1],[113,30.1],[113,30]]]}},
{"type":"Feature","properties":{"code":"12"},"geometry":{"type":"Polygon","coordinates":[[[113.1,30],[113.2,30],[113.2,30.1],[113.1,30.1],[113.1,30]]]}}]}"""
DAY = datetime(2026, 3, 10, 4, tzinfo=UTC)
MARCH = Ask(scope=EVERYTHING, since=date(2026, 3, 1), until=date(2026, 3, 31))


def brought(store: Store, folder: Path, rows: list[dict[str, object]]) -> None:
    (folder / "city.toml").write_text(CITY, "utf-8")
    (folder / "areas.geojson").write_text(AREAS, "utf-8")
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        no=pl.Series([f"N{i}" for i in range(len(rows))]), lat=pl.lit(30.05),
        lon=pl.Series([113.05 if i % 3 else 113.15 for i in range(len(rows))]),
    )
    frame.write_parquet(folder / "cases.parquet")
    loading.load(folder, store, quiet=True)


def rows(n: int, category: str, filed: int, due: int, closed: int, on_time: int) -> list[dict[str, object]]:
    """Return n cases of which the first `filed`, `due`, `closed`, `on_time` are so."""
    limit = DAY + timedelta(days=5)
    return [{
        "category": category, "status": "closed" if i < closed else "open", "reported": DAY,
        "filed": DAY if i < filed else None, "due": limit if i < due else None,
        "closed": (DAY + timedelta(days=2) if i < on_time else limit + timedelta(days=1)) if i < closed else None,
    } for i in range(n)]


def tiles(store: Store, ask: Ask) -> dict[str, kpi.Tile]:
    return {tile.id: tile for tile in kpi.tiles(store, ask).rows}


def test_tianmen_closure_and_on_time_rates_are_reproduced(store: Store, tmp_path: Path) -> None:
    # Tianmen: accepted 1,054, filed 971 + 25, should close 956 + 16, closed 902 + 9, on time 737 in all.
    brought(store, tmp_path, rows(1029, "event", 971, 956, 902, 730) + rows(25, "part", 25, 16, 9, 7))
    whole = tiles(store, MARCH)
    assert (whole["reported"].value, whole["filed"].value, whole["should_close"].value) == (1054, 996, 972)
    assert (whole["closure_rate"].numerator, whole["on_time_rate"].numerator) == (911, 737)
    assert round(whole["closure_rate"].value * 100, 2) == 93.72
    assert round(whole["on_time_rate"].value * 100, 2) == 75.82
    for code, rate in (("event", 94.35), ("part", 56.25)):
        one = tiles(store, MARCH.but(filters=Filters(categories=(code,))))
        assert round(one["closure_rate"].value * 100, 2) == rate


def test_rates_of_the_parts_add_up_from_numerators_and_denominators(store: Store, tmp_path: Path) -> None:
    brought(store, tmp_path, rows(300, "event", 290, 250, 200, 120))
    whole = tiles(store, MARCH)["closure_rate"]
    parts = kpi.children(store, MARCH, "closure_rate").rows
    assert sum(p.numerator for p in parts) == whole.numerator
    assert sum(p.denominator for p in parts) == whole.denominator
    assert [p.rank for p in parts] in ([1, 2], [1, 1])


def test_fuzhou_and_beijing_totals_are_sums_of_their_parts(store: Store, tmp_path: Path) -> None:
    # Fuzhou 2022 Q2: 221,861 + 56,063 = 277,924; a thousandth of it, and the shares of F3 (phone 90.71 %).
    brought(store, tmp_path, rows(2219, "event", 0, 0, 0, 0) + rows(561, "part", 0, 0, 0, 0))
    mix = {row.id: row for row in kpi.category_mix(store, MARCH).rows}
    assert 221_861 + 56_063 == 277_924
    assert mix["event"].n + mix["part"].n == tiles(store, MARCH)["reported"].value == 2780
    assert round(mix["event"].share, 3) == round(221_861 / 277_924, 3)


def test_missing_is_never_zero(store: Store, tmp_path: Path) -> None:
    brought(store, tmp_path, rows(10, "event", 0, 0, 0, 0))
    found = tiles(store, MARCH)
    assert found["filed"].value is None
    assert found["closure_rate"].value is None
    assert found["closure_rate"].last_year is None
    assert tiles(store, MARCH.but(since=date(2020, 1, 1), until=date(2020, 1, 31)))["reported"].value is None


def test_a_scope_sees_its_own_branch_only(store: Store, tmp_path: Path) -> None:
    brought(store, tmp_path, rows(30, "event", 30, 20, 10, 5))
    one = MARCH.but(scope=Scope(areas=frozenset({"12"})))
    assert tiles(store, one)["reported"].value == 10
    assert [row.place.code for row in kpi.children(store, one, "open").rows] == ["12"]
    assert len(area_values(store, one, "open", 1).rows) == 1


def test_a_list_that_does_not_add_up_because_boundaries_changed_says_so(store: Store, tmp_path: Path) -> None:
    """District 12 is split on the 10th: what was reported before stays with it."""
    brought(store, tmp_path, [])
    split = """{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"code":"11","since":"2020-01-01","to":null},"geometry":{"type":"Polygon","coordinates":[[[113,30],[113.1,30],[113.1,30.1],[113,30.1],[113,30]]]}},
        {"type":"Feature","properties":{"code":"12","since":"2020-01-01","to":"2026-03-10"},"geometry":{"type":"Polygon","coordinates":[[[113.1,30],[113.2,30],[113.2,30.1],[113.1,30.1],[113.1,30]]]}},
        {"type":"Feature","properties":{"code":"13","since":"2026-03-10","to":null},"geometry":{"type":"Polygon","coordinates":[[[113.1,30],[113.15,30],[113.15,30.1],[113.1,30.1],[113.1,30]]]}},
        {"type":"Feature","properties":{"code":"14","since":"2026-03-10","to":null},"geometry":{"type":"Polygon","coordinates":[[[113.15,30],[113.2,30],[113.2,30.1],[113.15,30.1],[113.15,30]]]}}]}"""
    rows = [{"no": str(i), "category": "event", "status": "open", "reported": DAY + timedelta(days=days), "filed": None, "due": None, "closed": None, "lon": lon, "lat": 30.05}
            for i, (days, lon) in enumerate(((-5, 113.12), (-4, 113.18), (2, 113.12), (3, 113.05)))]
    pl.DataFrame(rows, schema_overrides=dict.fromkeys(("filed", "due", "closed"), pl.Datetime(time_zone="UTC"))).write_parquet(tmp_path / "cases.parquet")
    (tmp_path / "areas.geojson").write_text(split, "utf-8")
    (tmp_path / "city.toml").write_text(CITY.replace('code = "code"', 'code = "code"\nvalid_from = "since"\nvalid_to = "to"'), "utf-8")
    loading.load(tmp_path, store, quiet=True)

    told = kpi.children(store, MARCH, "open")
    assert {row.place.code: row.numerator for row in told.rows} == {"11": 1, "13": 1, "14": 0}
    (note,) = [note for note in told.notes if "boundaries" in note["en"]]
    assert "4 in the place, 2 in the areas listed" in note["en"]
    assert "(12)" in note["en"]
    assert "（12）" in note["zh"]
    # On a day of its time it is there, and nothing is missing.
    before = kpi.children(store, MARCH.but(since=date(2026, 3, 6), until=date(2026, 3, 9)), "open")
    assert {row.place.code: row.numerator for row in before.rows} == {"11": 0, "12": 2}
    assert not [note for note in before.notes if "boundaries" in note["en"]]


@pytest.mark.parametrize("measure", list(kpi.FIGURES))
def test_every_figure_can_rank_and_paint(city: Store, measure: str) -> None:
    ask = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))
    rank = [row.rank for row in kpi.children(city, ask, measure).rows if row.rank]
    assert rank == sorted(rank)
    assert len(rank) == 9
    painted = area_values(city, ask, measure, 1).rows
    whole = tiles(city, ask)[measure]
    if whole.unit != "h" and whole.denominator:
        assert sum(row.numerator for row in painted) <= whole.numerator


def test_the_trend_adds_up_to_the_tiles(city: Store) -> None:
    ask = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))
    days, whole = kpi.trend(city, ask).rows, tiles(city, ask)
    assert len(days) == 30
    assert sum(day.reported for day in days) == whole["reported"].value
    assert days[-1].open == whole["open"].value
    assert sum(row.n for row in kpi.open_by_age(city, ask).rows) == whole["open"].value


def test_figures_of_departments_add_up_to_the_whole(city: Store) -> None:
    from queries.today import city_now

    with city.read() as connection:
        now = city_now(connection)
    ask = Ask(scope=EVERYTHING, since=now.last_day - timedelta(days=29), until=now.last_day)
    whole = {t.id: t for t in kpi.tiles(city, ask).rows}
    parts = [
        {t.id: t for t in kpi.tiles(city, ask.but(filters=Filters(departments=(d.code,)))).rows} for d in now.departments
    ]
    assert len(parts) == 8
    for figure in ("reported", "should_close", "closed", "overdue", "open", "on_time_rate"):
        assert sum(part[figure].numerator or 0 for part in parts) == whole[figure].numerator
    assert 0 < parts[0]["reported"].value < whole["reported"].value


@pytest.mark.parametrize("filters", [Filters(), Filters(categories=("appearance",)), Filters(departments=("urban",))])
@pytest.mark.parametrize("level", [0, 2, 3, 4])
@pytest.mark.parametrize(("since", "until"), [(date(2026, 10, 25), date(2026, 11, 23)), (date(2026, 8, 28), date(2026, 11, 20)), (date(2026, 10, 1), date(2026, 10, 31))])
def test_figures_of_any_level_are_those_of_the_cases_whatever_they_are_read_from(
    city: Store, filters: Filters, level: int, since: date, until: date
) -> None:
    ask = Ask(scope=EVERYTHING, since=since, until=until, filters=filters)
    with city.read() as connection:
        zone = city_now(connection).zone
        chosen = places.below(connection, places.root(connection, until), level)[:3]
        where = [cases.c.reported_at >= day_start(since, zone), cases.c.reported_at < day_end(until, zone)]
        if filters.categories:
            where.append(cases.c.category_id.in_(select(category.c.id).where(category.c.code.in_(filters.categories))))
        if filters.departments:
            where.append(cases.c.department_id.in_(select(department.c.id).where(department.c.code.in_(filters.departments))))
        inside = {p.code: connection.scalar(select(func.count()).where(*where, cases.c.node.between(p.num, p.last))) for p in chosen}
        took = {p.code: connection.scalar(select(func.count()).where(
            cases.c.node.between(p.num, p.last), cases.c.status == "closed", cases.c.closed_at >= cases.c.reported_at,
            cases.c.closed_at >= day_start(since, zone), cases.c.closed_at < day_end(until, zone))) for p in chosen}
    painted = {row.code: row.value for row in area_values(city, ask, "reported", level).rows}
    for place in chosen:
        here = ask.but(place=place.code if level else None)
        counted = {row.id: row.value for row in kpi.tiles(city, here).rows}["reported"]
        months = sum(row.reported or 0 for row in kpi.trend(city, here).rows if since <= row.day <= until)
        mixed = sum(row.n for row in kpi.category_mix(city, here).rows)
        with city.read() as connection:
            ranked = kpi.by_area(connection, [place.area_id], here)[place.area_id]
        assert counted == painted[place.code] == mixed == ranked["reported"][0] == inside[place.code]
        assert ranked == {row.id: (row.value, row.numerator, row.denominator) for row in kpi.tiles(city, here).rows if row.unit != "h"} | {
            name: told for name, told in ranked.items() if name.startswith("handling")}
        assert months == inside[place.code]
        if not (filters.categories or filters.departments):
            with city.read() as connection:
                assert sum(summing.bins(connection, [place.area_id], {"now": pieces(since, until)})["now"]) == took[place.code]


@pytest.mark.parametrize("filters", [Filters(), Filters(categories=("appearance",)), Filters(departments=("urban", summing.UNNAMED))])
@pytest.mark.parametrize("level", [1, 3, 4])
def test_open_cases_of_the_map_are_those_of_the_facts_at_the_end_of_the_newest_day_and_of_an_earlier_one(city: Store, filters: Filters, level: int) -> None:
    with city.read() as connection:
        now = city_now(connection)
        last, zone = now.last_day, now.zone
    for until in (last, last - timedelta(days=9)):
        district = Scope(areas=frozenset({"9901"})) if level == 4 else EVERYTHING
        ask = Ask(scope=district, since=until - timedelta(days=6), until=until, filters=filters)
        painted = area_values(city, ask, "open", level).rows
        with city.read() as connection:
            where = [cases.c.reported_at < day_end(until, zone), (cases.c.is_open) | (func.coalesce(cases.c.closed_at, cases.c.reported_at) >= day_end(until, zone))]
            if filters.categories:
                where.append(cases.c.category_id.in_(summing.ids_of(category, filters.categories)))
            if filters.departments:
                where.append(summing.of_departments(filters.departments))
            nodes = [n for (n,) in connection.execute(select(cases.c.node).where(*where))]
            held = {p.code: (p.num, p.last) for p in places.below(connection, places.root(connection, until), level)}
        assert sum(painted.numerator) > 0 or level == 4
        for row in painted:
            first, end = held[row.code]
            assert row.value == row.numerator == sum(first <= n <= end for n in nodes), row.code
