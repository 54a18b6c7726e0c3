"""The data page says what is wrong with the boundaries, between which areas, and how records found theirs."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest

from queries import boundary_report, demo, loading
from queries.frame import EVERYTHING, Scope
from queries.store import Store

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def flawed(tmp_path: Path, store: Store) -> Store:
    """A demo city in which one community reaches 200 m over its eastern neighbour and one grid is gone."""
    folder = demo.make(tmp_path / "city", grids=60, seed=5)
    communities = folder / "community.parquet"
    areas = gpd.read_parquet(communities)
    metres = areas.geometry.to_crs(3857)
    metres.iloc[0] = metres.iloc[0].buffer(200)
    areas.geometry = metres.to_crs(areas.crs)
    areas.to_parquet(communities)
    loading.load(folder, store, quiet=True)
    return store


def test_overlaps_are_named_with_their_areas_and_their_size(flawed: Store) -> None:
    report = boundary_report.report(flawed, EVERYTHING).rows[0]
    level = next(one for one in report.levels if one.found["overlaps"][0])
    n, m2, named = level.found["overlaps"]
    assert n >= len(named) > 0
    assert m2 > 1000
    assert all(name["zh"] != code for one in named for code, name in zip(one.codes, one.names, strict=True))
    assert [one.m2 for one in named] == sorted((one.m2 for one in named), reverse=True)


def test_every_case_is_counted_by_how_it_found_its_area(flawed: Store) -> None:
    placed = {one.title["en"]: one.counts for one in boundary_report.report(flawed, EVERYTHING).rows[0].placed}
    cases = next(counts for counts in placed.values() if counts["ambiguous"])
    assert cases["point"] > 0


def test_who_sees_a_part_of_the_city_does_not_see_the_report_on_all_of_it(flawed: Store) -> None:
    answer = boundary_report.report(flawed, Scope(areas=frozenset({"990101"})))
    assert answer.rows == ()
    assert answer.notes
