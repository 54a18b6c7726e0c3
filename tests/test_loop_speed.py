"""What is done in a short way for one gives the same as the long way for many."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries.boundaries import Locator
from queries.loading.cases_in import morton
from queries.loop.deltas import Deltas
from queries.loop.reports import morton_of
from queries.store import Store
from tests.test_loop import COURSES

ZONE = ZoneInfo("Asia/Shanghai")


@given(st.floats(-180, 180), st.floats(-85, 85))
def test_one_point_falls_into_the_cell_that_many_do(lon: float, lat: float) -> None:
    assert morton_of(lon, lat) == int(morton(np.array([lon]), np.array([lat]))[0])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(125.2, 126.4), st.floats(29.4, 30.5), st.integers(18_000, 21_000), st.sampled_from(["", "990103001", "nothing"]))
def test_one_point_is_placed_where_many_are(city: Store, lon: float, lat: float, day: int, code: str) -> None:
    with city.engine.connect() as connection:  # further nodes that are found are taken back
        locator = Locator(connection)
        many = locator.place(np.array([lon, np.nan]), np.array([lat, 1.0]), np.array([day, day]), [code or None, code or None])
        assert locator.place_one(lon, lat, day, code) == (int(many.node[0]), str(many.placed[0]))
        assert locator.place_one(float("nan"), 1.0, day, code) == (int(many.node[1]), str(many.placed[1]))
        alone = Locator(connection)
        assert alone.place_one(lon, lat, day, code) == (int(many.node[0]), str(many.placed[0]))
        connection.rollback()


@settings(deadline=None)
@given(COURSES, COURSES)
def test_a_case_that_moved_counts_as_if_it_had_always_been_there(before, now) -> None:  # noqa: ANN001
    moved, straight = Deltas(ZONE, lambda node: (node,)), Deltas(ZONE, lambda node: (node,))
    moved.move(None, before)
    moved.move(before, now)
    straight.move(None, now)
    for name in ("_sums", "_bins", "_open"):
        a, b = getattr(moved, name), getattr(straight, name)
        if name == "_sums":
            a, b = ({k: v for k, v in d.items() if any(v)} for d in (a, b))
        else:
            a, b = ({k: v for k, v in d.items() if v} for d in (a, b))
        assert a == b
