"""Real input: Boston's 430,602 cases, counted by us and, independently, by pandas and geopandas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import sleep
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import func, select

from queries import cases as listing
from queries import kpi, loading, scope
from queries.alarms import desk
from queries.city.sensing import AlarmRule
from queries.clock import stamp
from queries.frame import EVERYTHING, Ask, Filters
from queries.intervals import inside
from queries.loading import Report
from queries.loop.writer import Writer
from queries.store import Store
from queries.tables import area, cases, category, node, rollup
from queries.warning.job import look, tell

HOME = Path(__file__).resolve().parent
DATA = HOME.parent.parent / "shared" / "data" / "boston"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Boston bundle is not beside this clone")
ALL = Ask(scope=EVERYTHING, since=date(2011, 1, 1), until=date(2026, 12, 31))


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((DATA / "expected_checks.json").read_text())


@pytest.fixture(scope="module")
def boston(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Report]]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('boston') / 'boston.sqlite'}")
    yield store, loading.load(HOME / "cities" / "boston", store, DATA, quiet=True)
    store.close()


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    one = pd.read_csv(DATA / "cases_official.csv.gz", dtype=str)
    two = pd.read_parquet(DATA / "cases_open311.parquet")
    one = pd.DataFrame({"source": "official", "category": one["reason"], "open": one["case_status"] == "Open", "lon": one["longitude"].astype(float),
                        "lat": one["latitude"].astype(float), "at": pd.to_datetime(one["open_dt"])})
    at = pd.to_datetime(two["requested_datetime"], utc=True).dt.tz_convert("America/New_York").dt.tz_localize(None)
    two = pd.DataFrame({"source": "open311", "category": two["service_name"], "open": two["status"] == "open",
                        "lon": two["longitude"].astype(float), "lat": two["latitude"].astype(float), "at": at})
    return pd.concat([one, two], ignore_index=True)


def test_every_row_is_loaded_and_told(boston: tuple[Store, Report], expected: dict) -> None:
    told = {s.id: s for s in boston[1].sources}
    assert told["official"].accepted == told["official"].read == expected["rows"]
    assert told["open311"].accepted == told["open311"].read == expected["open311"]["rows"]


@pytest.mark.parametrize("source", ["official", "open311"])
def test_districts_equal_the_published_counts(boston: tuple[Store, Report], frame: pd.DataFrame, expected: dict, source: str) -> None:
    # The bundle counts what lies strictly inside a community; a point exactly on a border is left out
    # there and counts in one of its areas here. So: equal, but for the points on borders.
    told = expected if source == "official" else expected["open311"]
    mine = frame[frame["source"] == source]
    points = gpd.GeoDataFrame(mine[["at"]], geometry=gpd.points_from_xy(mine["lon"], mine["lat"]), crs=4326)
    shapes = gpd.read_file(DATA / "boundaries_4_community.geojson")[["district_id", "geometry"]].to_crs(4326)
    inside = gpd.sjoin(points, shapes, predicate="within").groupby("district_id").size().to_dict()
    touching = gpd.sjoin(points, shapes, predicate="intersects")
    assert inside == told["cases_by_district"]
    assert len(mine) - mine["lon"].isna().sum() - sum(inside.values()) == told["not_in_any_community"]
    found: dict[str, int] = {}
    with boston[0].read() as connection:
        homes = {r.num: r for r in connection.execute(select(node.c.num, node.c.parent, node.c.level, area.c.code).join(area, area.c.id == node.c.area_id))}
        for num, n in connection.execute(select(cases.c.node, func.count()).where(cases.c.source == source).group_by(cases.c.node)):
            line = {}
            while num is not None:
                line[homes[num].level] = homes[num].code
                num = homes[num].parent
            if 3 in line:
                found[line[1]] = found.get(line[1], 0) + n
    assert sum(found.values()) == touching.index.nunique()
    most = touching.groupby("district_id").size()
    for code, n in found.items():
        assert inside[code] <= n <= most[code], code


@pytest.mark.parametrize(("level", "file", "code"), [
    (1, "boundaries_2_district.geojson", "district_id"), (2, "boundaries_3_subdistrict.geojson", "subdistrict_id"),
    (3, "boundaries_4_community.geojson", "community_id"), (4, "boundaries_5_grid250m_derived.geojson", "grid_id"),
])
def test_each_level_equals_an_independent_point_in_polygon_count(boston: tuple[Store, Report], frame: pd.DataFrame, level: int, file: str, code: str) -> None:
    points = gpd.GeoDataFrame(frame[["at"]], geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=4326)
    shapes = gpd.read_file(DATA / file)[[code, "geometry"]].to_crs(4326)
    hits = gpd.sjoin(points, shapes, predicate="intersects")
    once = hits[~hits.index.duplicated(keep=False)].groupby(code).size()
    most = hits.groupby(code).size()
    with boston[0].read() as connection:
        ours = dict(connection.execute(
            select(area.c.code, func.sum(rollup.c.reported)).join(area, area.c.id == rollup.c.area_id)
            .where(area.c.level == level, rollup.c.grain == 0).group_by(area.c.code)).all())
    assert sum(ours.values()) == hits.index.nunique()
    # A point on a border lies in two areas and counts in one of them.
    for name, n in ours.items():
        assert once.get(name, 0) <= n <= most.get(name, 0), name


def test_status_category_and_month_equal_pandas(boston: tuple[Store, Report], frame: pd.DataFrame) -> None:
    with boston[0].read() as connection:
        open_ = dict(connection.execute(select(cases.c.source, func.count()).where(cases.c.is_open.is_(True)).group_by(cases.c.source)).all())
        by_category = dict(connection.execute(
            select(category.c.name_en, func.sum(rollup.c.reported)).join(category, category.c.id == rollup.c.category_id)
            .join(area, area.c.id == rollup.c.area_id).where(area.c.level == 0, rollup.c.grain == 1).group_by(category.c.name_en)).all())
        by_month = dict(connection.execute(
            select(rollup.c.bucket, func.sum(rollup.c.reported)).join(area, area.c.id == rollup.c.area_id)
            .where(area.c.level == 0, rollup.c.grain == 1).group_by(rollup.c.bucket)).all())
    assert open_ == frame[frame["open"]].groupby("source").size().to_dict()
    assert {k: v for k, v in by_category.items() if v} == frame.groupby("category").size().to_dict()
    assert {k: v for k, v in by_month.items() if v} == frame.groupby(frame["at"].dt.year * 12 + frame["at"].dt.month - 1).size().to_dict()


def test_the_tiles_equal_pandas(boston: tuple[Store, Report], frame: pd.DataFrame) -> None:
    found = {tile.id: tile for tile in kpi.tiles(boston[0], ALL.but(since=date(2011, 10, 1), until=date(2011, 12, 31))).rows}
    inside = frame[(frame["at"] >= "2011-10-01") & (frame["at"] < "2012-01-01")]
    assert found["reported"].value == len(inside)


def test_cases_outside_are_listed_not_lost(boston: tuple[Store, Report]) -> None:
    told = {s.id: s.placed for s in boston[1].sources if s.kind == "cases"}
    lost = sum(n for placed in told.values() for how, n in placed.items() if how in ("outside", "none"))
    seen, after = 0, None
    while True:
        answer = listing.page(boston[0], ALL.but(filters=Filters(unplaced=True)), after=after, limit=1000)
        seen += len(answer.rows)
        assert {row.placed for row in answer.rows} <= {"outside", "none"}
        if len(answer.rows) < 1000:
            break
        after = listing.cursor(answer.rows[-1], "newest")
    with boston[0].read() as connection:
        in_no_area = connection.scalar(
            select(func.count()).select_from(cases).join(node, node.c.num == cases.c.node).where(node.c.level == 0))
    assert seen == in_no_area
    assert 0 < lost == seen


def test_loading_again_changes_nothing(boston: tuple[Store, Report]) -> None:
    again = loading.load(HOME / "cities" / "boston", boston[0], DATA, quiet=True)
    assert not again.changed
    assert sum(s.new + s.changed for s in again.sources) == 0


def test_the_snow_of_march_2019_becomes_warnings_that_rest_on_the_very_cases(boston: tuple[Store, Report]) -> None:
    store, day = boston[0], date(2019, 3, 6)
    found = [one for one in look(store, day) if one.recurrence >= 100]
    snow = [one for one in found if one.category == "sidewalk-not-shoveled"]
    assert len(snow) >= 4
    assert len(snow) >= 0.8 * len(found)
    zone = ZoneInfo("America/New_York")
    for one in found:
        assert one.usual[0] <= one.expected <= one.usual[1] < one.seen
        since = datetime.combine(day - timedelta(days=one.days - 1), time.min, zone)
        with store.read() as connection:
            spans = scope.ranges_under(connection, [one.place])
            assert one.seen == connection.scalar(select(func.count()).select_from(cases).join(category, category.c.id == cases.c.category_id).where(
                category.c.code == one.category, inside(cases.c.node, spans), cases.c.reported_at >= stamp(since), cases.c.reported_at < stamp(since + timedelta(days=one.days))))
    rule = AlarmRule(id="unusual", title="异常增多", kind="statistics", limits={"blue": 100, "yellow": 365}, action="核实")
    writer = Writer(store)
    assert writer.run(lambda page: tell(page, found, [rule]))
    raised = [row for row in desk.alarms(store, ALL).rows if row.kind == "statistics"]
    assert {(row.area_code, row.evidence["category"]) for row in raised} == {(one.place.code, one.category) for one in found}
    assert all(row.level == ("yellow" if row.value >= 365 else "blue") for row in raised)
    # The next look, a moment later, finds nothing of it: the warnings are over, and stay on the list until a person settles them.
    sleep(1.1)
    writer.run(lambda page: tell(page, [], [rule]))
    assert {row.is_active for row in desk.alarms(store, ALL).rows if row.kind == "statistics"} == {False}
    writer.close()


def test_a_calm_autumn_gives_few_warnings_and_each_is_far_beyond_what_is_usual(boston: tuple[Store, Report]) -> None:
    days = [date(2018, 9, 20) + timedelta(days=i) for i in range(25)]
    found = [one for day in days for one in look(boston[0], day) if one.recurrence >= 100]
    assert len({(one.place.code, one.category) for one in found}) <= 5
    assert all(one.seen > 2 * one.usual[1] for one in found)
