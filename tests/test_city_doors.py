"""The doors for coordinates: published vectors, there and back, and nothing moved that must not be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.city import doors


def _both(x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([x]), np.array([y])


def test_published_point_goes_from_wgs84_to_gcj02_and_bd09():
    lon, lat = doors.wgs84_to_gcj02(*_both(116.403988, 39.914266))
    assert (lon[0], lat[0]) == pytest.approx((116.410232, 39.915670), abs=1e-6)

    # The published BD-09 figure was computed from the rounded GCJ-02 one.
    lon, lat = doors.gcj02_to_bd09(*_both(116.410232, 39.915670))
    assert (lon[0], lat[0]) == pytest.approx((116.41661560068297, 39.92196580126834), abs=1e-6)


def test_published_gcj02_point_comes_back_to_wgs84():
    lon, lat = doors.to_wgs84(*_both(123.0, 45.0), "GCJ-02")
    assert (lon[0], lat[0]) == pytest.approx((122.993956, 44.998041), abs=1e-6)


@pytest.mark.parametrize("crs", ["GCJ-02", "gcj02"])
def test_point_outside_china_is_not_moved(crs: str):
    lon, lat = doors.to_wgs84(*_both(-71.0589, 42.3601), crs)
    assert (lon[0], lat[0]) == (-71.0589, 42.3601)


@given(st.floats(75, 134), st.floats(4, 53))
def test_offset_systems_come_back_where_they_began(lon: float, lat: float):
    there = doors.gcj02_to_bd09(*doors.wgs84_to_gcj02(*_both(lon, lat)))
    back = doors.to_wgs84(*there, "BD-09")
    assert (back[0][0], back[1][0]) == pytest.approx((lon, lat), abs=1e-8)


def test_cgcs2000_degrees_are_longitude_then_latitude_whatever_the_axes_say():
    lon, lat = doors.to_wgs84(*_both(120.5, 31.3), "EPSG:4490")
    assert (lon[0], lat[0]) == (120.5, 31.3)


@pytest.mark.parametrize(("crs", "x", "lon"), [("EPSG:4547", 500000.0, 114.0), ("EPSG:4526", 38500000.0, 114.0)])
def test_projected_cgcs2000_comes_in_as_easting_then_northing(crs: str, x: float, lon: float):
    there, lat = doors.to_wgs84(*_both(x, 4429529.03), crs)
    assert there[0] == pytest.approx(lon, abs=1e-9)
    assert lat[0] == pytest.approx(40.0, abs=1e-4)


def test_point_that_a_projection_cannot_take_is_no_point():
    lon, lat = doors.to_wgs84(*_both(1e30, 1e30), "EPSG:4547")
    assert np.isnan(lon[0])
    assert np.isnan(lat[0])


@pytest.mark.parametrize("name", ["EPSG:999999", "Beijing", "", "GCJ-03"])
def test_unknown_system_has_no_door(name: str):
    assert not doors.is_known(name)
