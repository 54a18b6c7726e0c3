"""The topology report: overlaps, gaps and children outside parents, in square metres."""

from __future__ import annotations

import json

import pytest
import shapely
from pyproj import Geod

from queries.boundaries import read_areas, topology_report
from tests.boundary_cities import (
    SOUTH,
    STEP,
    WEST,
    area,
    box,
    city,
    frame,
    level,
    read,
    two_by_two,
)


def m2(shape):
    """The area on the ellipsoid, by pyproj."""
    return pytest.approx(abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]), rel=1e-4)


def by_id(found):
    return {one.id: one for one in topology_report(found).levels}


def test_tidy_city_has_nothing_to_report(tmp_path):
    report = topology_report(read(tmp_path))

    assert all(kind == {"n": 0, "m2": 0} for kind in report.totals.values())


def test_long_edges_of_a_projected_file_stay_with_the_vertices_beside_them(tmp_path):
    def metres(points):
        return (points - [WEST, SOUTH]) / STEP * 5_000 + [500_000, 3_320_000]

    levels = []
    for name, one in two_by_two().items():
        shapes = shapely.transform(one.geometry.array, metres)
        one.set_geometry(shapes).set_crs("EPSG:4545", allow_override=True).to_file(tmp_path / f"{name}.gpkg")
        levels.append(level(name, f"{name}.gpkg"))

    report = topology_report(read_areas(city(*levels), tmp_path))

    assert all(kind["m2"] < 20 for kind in report.totals.values())


def test_overlap_names_both_areas_and_its_size(tmp_path):
    frames = two_by_two()
    frames["district"].loc[0, "geometry"] = box(0, 0, 5, 2)

    report = by_id(read(tmp_path, frames))["district"]

    assert report.overlaps.n == 1
    assert report.overlaps.listed[0]["codes"] == ["D1", "D2"]
    assert report.overlaps.m2 == m2(box(4, 0, 5, 2))


def test_area_given_twice_under_two_codes_is_an_overlap(tmp_path):
    frames = {"district": frame([area("A", box(0, 0, 4, 2)), area("B", box(0, 0, 4, 2))])}

    assert by_id(read(tmp_path, frames))["district"].overlaps.m2 == m2(box(0, 0, 4, 2))


def test_area_inside_another_is_an_overlap(tmp_path):
    frames = {"district": frame([area("A", box(0, 0, 8, 2)), area("B", box(1, 0.5, 2, 1))])}

    assert by_id(read(tmp_path, frames))["district"].overlaps.m2 == m2(box(1, 0.5, 2, 1))


def test_parent_that_its_children_do_not_fill_is_a_gap(tmp_path):
    frames = two_by_two()
    frames["grid"] = frames["grid"].drop(index=0)

    report = by_id(read(tmp_path, frames))

    assert report["grid"].gaps.n == 1
    assert report["grid"].gaps.listed[0]["codes"] == ["S1"]
    assert report["grid"].gaps.m2 == m2(box(0, 0, 1, 1))
    assert report["street"].gaps.n == 0


def test_hole_in_a_city_without_a_boundary_of_its_own_is_a_gap(tmp_path):
    holed = box(0, 0, 4, 2).difference(box(1, 0.5, 2, 1.5))

    report = by_id(read(tmp_path, {"district": frame([area("A", holed)])}))

    assert report["district"].gaps.m2 == m2(box(1, 0.5, 2, 1.5))


def test_child_outside_its_parent_is_named_with_what_sticks_out(tmp_path):
    frames = two_by_two()
    frames["street"].loc[3, "geometry"] = box(6, 0, 9, 2)

    report = by_id(read(tmp_path, frames))["street"]

    assert report.outside_parent.n == 1
    assert report.outside_parent.listed[0]["codes"] == ["S4", "D2"]
    assert report.outside_parent.m2 == m2(box(8, 0, 9, 2))
    assert report.gaps.n == 0


def test_list_is_short_but_totals_hold_everything(tmp_path):
    stacked = [area(f"A{i:03}", box(0, 0, 1 + i / 1000, 1)) for i in range(30)]

    report = by_id(read(tmp_path, {"district": frame(stacked)}))["district"]

    assert report.overlaps.n == 30 * 29 / 2
    assert len(report.overlaps.listed) == 100
    assert report.overlaps.listed[0]["m2"] >= report.overlaps.listed[-1]["m2"]


def test_report_is_plain_json(tmp_path):
    frames = two_by_two()
    frames["district"].loc[0, "geometry"] = box(0, 0, 5, 2)

    packed = json.loads(json.dumps(topology_report(read(tmp_path, frames)).as_dict()))

    assert packed["totals"]["overlaps"]["n"] == 1
