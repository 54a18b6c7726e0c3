"""Classes of the map: quiet for the ordinary spread, an action colour only for what stands out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from layers._classes import FEW_CLASS, FIRST, NO_DATA_CLASS, classify
from layers._palette import ACTION, FEW, NO_DATA, QUIET, lightness
from layers._peers import PEERS, fences

COUNTS = st.lists(st.none() | st.integers(0, 5000).map(float), max_size=60)
SHARES = st.lists(st.none() | st.floats(0, 1), max_size=60)
HOURS = st.lists(st.none() | st.floats(0, 5000), max_size=60)
ASKED = st.one_of(st.tuples(st.just("n"), COUNTS), st.tuples(st.just("%"), SHARES), st.tuples(st.just("h"), HOURS))
BAD = st.sampled_from(["up", "down", None])


def acting(values: list[float | None], bad: str | None = "up", unit: str = "n") -> int:
    """Return how many values got an action colour."""
    made = classify(values, [False] * len(values), bad, unit)
    return sum(one.count for one in made.classes if one.act)


@given(ASKED, BAD)
def test_each_value_is_in_one_class_whose_range_holds_it(asked: tuple[str, list[float | None]], bad: str | None) -> None:
    unit, values = asked

    made = classify(values, [False] * len(values), bad, unit)

    by_number = {one.number: one for one in made.classes}
    assert sum(one.count for one in made.classes) == len(values)
    for value, number in zip(values, made.chosen.tolist(), strict=True):
        one = by_number[number]
        assert (number == NO_DATA_CLASS) == (value is None)
        if value is not None:
            assert one.low is None or value >= one.low
            assert one.high is None or value <= one.high


@given(ASKED, BAD)
def test_a_greater_value_is_never_in_a_lower_class(asked: tuple[str, list[float | None]], bad: str | None) -> None:
    unit, values = asked

    made = classify(values, [False] * len(values), bad, unit)

    known = sorted((v, n) for v, n in zip(values, made.chosen.tolist(), strict=True) if v is not None)
    assert [n for _, n in known] == sorted(n for _, n in known)


@given(ASKED, BAD)
@example(("n", [0.0] * 5), "down")
@example(("n", [0.0] * 3 + [1.0] * 4), "down")
def test_never_more_than_a_quarter_of_the_areas_calls_for_action(asked: tuple[str, list[float | None]], bad: str | None) -> None:
    unit, values = asked
    known = [v for v in values if v is not None]

    n = acting(values, bad, unit)

    assert n <= len(known) / 4
    assert n == 0 or (bad is not None and len(known) >= PEERS)


@given(ASKED, BAD, st.integers(0, 2**32 - 1))
def test_the_order_of_the_areas_changes_no_class(asked: tuple[str, list[float | None]], bad: str | None, seed: int) -> None:
    unit, values = asked
    order = np.random.default_rng(seed).permutation(len(values))

    first = classify(values, [False] * len(values), bad, unit)
    second = classify([values[i] for i in order], [False] * len(values), bad, unit)

    assert second.classes == first.classes
    assert second.chosen.tolist() == first.chosen[order].tolist()


def test_one_open_case_in_a_grid_is_no_alarm() -> None:
    grids = [0.0] * 3800 + [1.0] * 900 + [2.0] * 200 + [3.0] * 60 + [5.0] * 26

    made = classify(grids, [False] * len(grids), "up")

    assert [one.text["en"] for one in made.classes if one.number >= FIRST] == ["0", "1", "2–3", "4–5"]
    assert not [one for one in made.classes if one.act]
    assert "No area stands out" in made.note["en"]


def test_a_grid_with_many_more_cases_than_its_peers_stands_out() -> None:
    made = classify([0.0] * 900 + [1.0] * 90 + [9.0, 40.0], [False] * 992, "up")

    assert [(one.word["en"], one.text["en"], one.count) for one in made.classes if one.act] == [
        ("high", "8–15", 1), ("very high", "16–40", 1)]
    assert "median" in made.note["en"]


def test_nine_districts_of_an_ordinary_city_are_all_calm() -> None:
    assert acting([110.0, 118, 125, 131, 138, 148, 160, 172, 190]) == 0


def test_a_district_far_below_its_peers_in_a_rate_stands_out() -> None:
    made = classify([0.95, 0.94, 0.955, 0.945, 0.95, 0.94, 0.96, 0.95, 0.81], [False] * 9, "down", "%")

    out = [one for one in made.classes if one.act and one.count]
    assert [(one.word["en"], one.count) for one in out] == [("very low", 1)]


def test_rates_that_hardly_differ_are_not_called_different() -> None:
    assert acting([0.990, 0.991, 0.990, 0.991, 0.990, 0.991, 0.975], "down", "%") == 0


@pytest.mark.parametrize("n", [1, 2, 9, 5_000, 200_000])
def test_any_number_of_areas_has_classes(n: int) -> None:
    values = np.random.default_rng(7).poisson(3, n).astype(float).tolist()

    made = classify(values, [False] * n, "up")

    ranges = [one for one in made.classes if one.number >= FIRST]
    assert 1 <= len(ranges) <= 8
    assert sum(one.count for one in ranges) == n


@pytest.mark.parametrize("value", [0.0, 1.0, 7.5, 400.0])
@pytest.mark.parametrize(("unit", "bad"), [("n", "up"), ("h", "down"), ("per_km2", None)])
def test_equal_values_are_one_quiet_class(value: float, unit: str, bad: str | None) -> None:
    made = classify([value] * 40, [False] * 40, bad, unit)

    only = [one for one in made.classes if one.number >= FIRST]
    assert [(one.count, one.act) for one in only] == [(40, 0)]


def test_nothing_known_has_no_ranges_and_says_so() -> None:
    made = classify([None] * 9, [False] * 9, "up")

    assert [(one.number, one.count) for one in made.classes] == [(FEW_CLASS, 0), (NO_DATA_CLASS, 9)]
    assert "Fewer than" in made.note["en"]


def test_a_rate_over_few_cases_is_a_class_of_its_own_and_judges_nobody() -> None:
    made = classify([0.9] * 8 + [0.0], [False] * 8 + [True], "down", "%")

    assert made.chosen[-1] == FEW_CLASS
    assert not any(one.act for one in made.classes)


def test_an_area_without_peers_is_not_judged() -> None:
    assert fences([1.0, 1.0, 1.0, 900.0], "up", "n").far is None


def test_colours_of_the_map_are_told_apart_by_lightness() -> None:
    shades = sorted(lightness(one) + 0.05 for one in (*QUIET, *ACTION, FEW, NO_DATA))

    assert all(light / dark >= 1.15 for dark, light in zip(shades, shades[1:], strict=False))
