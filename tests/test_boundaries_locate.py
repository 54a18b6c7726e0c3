"""A point counts in exactly one area per level, by the stated rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from queries import places
from queries.boundaries import Locator, write_trees
from queries.clock import day_bucket
from queries.errors import BoundaryError
from queries.store import Store
from queries.tables import area, node
from tests.boundary_cities import area as one_area
from tests.boundary_cities import at, box, frame, read, two_by_two

DAY = day_bucket(pd.Timestamp("2024-05-01").date())


@pytest.fixture
def store(tmp_path):
    made = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    made.upgrade()
    yield made
    made.close()


def load(store, folder, frames=None, **more):
    found = read(folder, frames, **more)
    with store.write() as connection:
        write_trees(connection, found.city, found)
    return found


def place(connection, *points, codes=None, days=DAY):
    lon, lat = np.array([at(*p) if p else (np.nan, np.nan) for p in points]).T
    return Locator(connection).place(lon, lat, np.full(len(points), days), codes)


def lines(connection, nodes):
    """Codes from the root down of each node, '' where a level has none."""
    code = {row.id: row.code for row in connection.execute(select(area.c.id, area.c.code))}
    table = Locator(connection).areas_of(nodes)
    return [[code.get(int(i), "") for i in row] for row in table]


def test_point_gets_one_area_on_each_level(store, tmp_path):
    load(store, tmp_path)

    with store.write() as connection:
        placed = place(connection, (0.5, 0.5), (7.5, 1.5))

        assert lines(connection, placed.node) == [["C", "D1", "S1", "G11"], ["C", "D2", "S4", "G44"]]
    assert placed.placed.tolist() == ["point", "point"]
    assert (placed.ambiguous, placed.outside, placed.crossing) == (0, 0, 0)


def test_case_in_the_sea_or_without_a_point_sits_at_the_root(store, tmp_path):
    load(store, tmp_path)

    with store.write() as connection:
        placed = place(connection, (99, 99), None)

        assert lines(connection, placed.node) == [["C", "", "", ""]] * 2
    assert placed.placed.tolist() == ["outside", "none"]
    assert placed.outside == 1


def test_area_code_places_what_the_point_does_not(store, tmp_path):
    load(store, tmp_path)

    with store.write() as connection:
        placed = place(connection, (99, 99), None, (0.5, 0.5), None, codes=["S2", "G31", "G44", "unknown"])

        assert [line[-1] or line[2] for line in lines(connection, placed.node)] == ["S2", "G31", "G11", ""]
    assert placed.placed.tolist() == ["code", "code", "point", "none"]


def test_case_in_a_district_but_no_street_sits_at_the_district(store, tmp_path):
    frames = two_by_two()
    frames["street"] = frames["street"].iloc[1:]
    frames["grid"] = frames["grid"].iloc[4:]
    load(store, tmp_path, frames)

    with store.write() as connection:
        placed = place(connection, (0.5, 0.5))

        assert lines(connection, placed.node) == [["C", "D1", "", ""]]
        assert placed.node[0] == places.find(connection, "D1", pd.Timestamp("2024-05-01").date()).num


def test_city_without_districts_hangs_lower_levels_under_the_upper_ones(store, tmp_path):
    frames = two_by_two()
    frames["grid"]["parent"] = [f"D{1 if code[1] in '12' else 2}" for code in frames["grid"]["code"]]
    load(store, tmp_path, {"district": frames["district"], "grid": frames["grid"]})

    with store.write() as connection:
        assert lines(connection, place(connection, (4.5, 0.5)).node) == [["C", "D2", "G31"]]


def test_overlap_goes_to_the_smallest_then_the_lowest_code_and_is_counted(store, tmp_path):
    rows = [one_area("B", box(0, 0, 2, 2)), one_area("A", box(1, 0, 3, 2)), one_area("Z", box(1, 0, 2, 1))]
    load(store, tmp_path, {"district": frame(rows)})

    with store.write() as connection:
        placed = place(connection, (1.5, 0.5), (1.5, 1.5), (0.5, 0.5))

        assert [line[1] for line in lines(connection, placed.node)] == ["Z", "A", "B"]
    assert placed.ambiguous == 2


def test_overlap_below_prefers_the_child_of_what_was_chosen_above(store, tmp_path):
    rows = two_by_two()
    rows["street"].loc[1, "geometry"] = box(1.9, 0, 4.3, 2)  # S2 of D1 reaches into D2 and over S3

    load(store, tmp_path, {"district": rows["district"], "street": rows["street"]})

    with store.write() as connection:
        placed = place(connection, (4.1, 1), (3.9, 1))

        assert lines(connection, placed.node) == [["C", "D2", "S3"], ["C", "D1", "S2"]]
    assert placed.crossing == 0


def straddling(store, folder):
    """One grid X of street S1 that reaches over S2 (same district) and S3 (another district)."""
    frames = two_by_two()
    frames["grid"] = frame([one_area("X", box(1, 0, 5, 1), "S1"), one_area("Y", box(0, 0, 1, 1), "S1")])
    load(store, folder, frames)


def test_cell_that_straddles_counts_once_per_level_and_gets_further_nodes(store, tmp_path):
    straddling(store, tmp_path)

    with store.write() as connection:
        placed = place(connection, (1.5, 0.5), (2.5, 0.5), (4.5, 0.5), (2.6, 0.5))

        assert lines(connection, placed.node) == [
            ["C", "D1", "S1", "X"], ["C", "D1", "S2", "X"], ["C", "D2", "S3", "X"], ["C", "D1", "S2", "X"],
        ]
        further = connection.scalar(select(func.count()).select_from(node).where(node.c.main.is_(False)))
    assert placed.crossing == 3
    assert further == 2


def test_node_ranges_hold_further_nodes_that_were_made_later(store, tmp_path):
    straddling(store, tmp_path)
    on = pd.Timestamp("2024-05-01").date()

    with store.write() as connection:
        early = place(connection, (1.5, 0.5), (2.5, 0.5)).node
    with store.write() as connection:
        late = place(connection, (4.5, 0.5), (2.5, 0.6)).node

        def held(code, nodes):
            spans = places.ranges(connection, [places.find(connection, code, on).area_id])
            return [any(lo <= n <= hi for lo, hi in spans) for n in nodes]

        assert early[1] == late[1]
        assert held("X", [*early, *late]) == [True] * 4
        assert held("S1", [*early, *late]) == [True, False, False, False]
        assert held("S2", [*early, *late]) == [False, True, False, True]
        assert held("D1", [*early, *late]) == [True, True, False, True]
        assert held("D2", [*early, *late]) == [False, False, True, False]
        assert held("C", [*early, *late]) == [True] * 4


def test_past_days_use_the_boundaries_of_their_day(store, tmp_path):
    rows = [
        one_area("OLD", box(0, 0, 8, 2), since=None, until="2024-01-01"),
        one_area("E", box(4, 0, 8, 2), since="2024-01-01", until=None),
        one_area("W", box(0, 0, 4, 2), since="2024-01-01", until=None),
    ]
    frame(rows).to_file(tmp_path / "d.geojson")
    from queries.boundaries import read_areas
    from tests.boundary_cities import city, level

    found = read_areas(city(level("district", "d.geojson", valid_from="since", valid_to="until")), tmp_path)
    with store.write() as connection:
        write_trees(connection, found.city, found)
        lon, lat = np.array([at(1, 1)] * 3).T
        days = [day_bucket(pd.Timestamp(d).date()) for d in ("2010-06-01", "2023-12-31", "2024-01-01")]

        placed = Locator(connection).place(lon, lat, np.array(days), None)

        assert [line[1] for line in lines(connection, placed.node)] == ["OLD", "OLD", "W"]


def test_nothing_can_be_placed_before_boundaries_are_loaded(store):
    with store.write() as connection, pytest.raises(BoundaryError, match="Load the areas first"):
        Locator(connection).place(np.array([1.0]), np.array([1.0]), np.array([1]), None)


def test_no_points_at_all_is_fine(store, tmp_path):
    load(store, tmp_path)

    with store.write() as connection:
        placed = Locator(connection).place(np.array([]), np.array([]), np.array([]), [])

    assert len(placed.node) == len(placed.placed) == 0


@st.composite
def untidy_city(draw):
    """Two levels of rectangles that overlap, leave gaps and cross their parents as they like."""
    side = st.integers(0, 8)

    def shape():
        x, y = draw(side), draw(side)
        return box(x, y, x + draw(st.integers(1, 4)), y + draw(st.integers(1, 4)))

    uppers = [one_area(f"U{i}", shape()) for i in range(draw(st.integers(1, 4)))]
    lowers = [one_area(f"L{i}", shape(), draw(st.sampled_from([u["code"] for u in uppers])))
              for i in range(draw(st.integers(1, 6)))]
    points = draw(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), min_size=1, max_size=20))
    return {"upper": frame(uppers), "lower": frame(lowers)}, [(x / 2 + 0.13, y / 2 + 0.17) for x, y in points]


@settings(max_examples=25, deadline=None)
@given(made=untidy_city())
def test_counts_of_every_level_equal_an_independent_point_in_polygon_count(made, tmp_path_factory):
    frames, points = made
    folder = tmp_path_factory.mktemp("untidy")
    store = Store(f"sqlite:///{folder / 's.sqlite'}")
    store.upgrade()
    load(store, folder, frames)

    with store.write() as connection:
        placed = place(connection, *points)
        found = lines(connection, placed.node)
        on = pd.Timestamp("2024-05-01").date()
        spans = {code: places.ranges(connection, [places.find(connection, code, on).area_id])
                 for name in frames for code in frames[name]["code"]}
    store.close()

    for i, point in enumerate(points):
        for depth, name in ((1, "upper"), (2, "lower")):
            inside = frames[name][shapely.intersects_xy(frames[name].geometry.array, *at(*point))]
            code = found[i][depth]
            assert (code in set(inside["code"])) if len(inside) else code == ""
            if code:
                # What lies "under" an area on this level is exactly what was counted in it.
                assert [c for c in frames[name]["code"] if any(lo <= placed.node[i] <= hi for lo, hi in spans[c])] == [code]
