"""Taking only what is easy does not pay: late cases are set against what is to be expected of their categories. And no score of few is certain."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from queries import governance, index_method, loading
from queries.frame import EVERYTHING, Ask
from queries.index import _counts, found
from queries.index._mix import HIGH, LEAST_WRONG, LOW, adjusted, reference, weights
from queries.index_method import MethodRow
from queries.scoring import shrink
from queries.store import Store
from tests.test_index_figures import CITY, YESTERDAY, square

Counted = dict[str, tuple[int, int]]
INDICATOR = next(i for d in found().values() for i in d.indicators if i.id == "SAF06")


@st.composite
def kinds(draw: st.DrawFn) -> Counted:
    """Cases of the whole city by category: (late, due), each category late more or less often."""
    n = draw(st.integers(2, 9))
    out = {}
    for k in range(n):
        due = draw(st.integers(50, 3000))
        out[f"c{k}"] = (draw(st.integers(0, due)), due)
    return out


@st.composite
def near(draw: st.DrawFn) -> Counted:
    """Categories that differ, but none by so much that its weight is cut."""
    rate, out = draw(st.floats(0.1, 0.5)), {}
    for k in range(draw(st.integers(2, 9))):
        due = draw(st.integers(400, 3000))
        out[f"c{k}"] = (round(due * rate * draw(st.floats(0.75, 1.3))), due)
    return out


def value(of: dict[str, float], late: Counted) -> float:
    """Return an area's adjusted share in time, of its (late, due) by category."""
    cases = sum(n * of.get(c, 1.0) for c, (_, n) in late.items())
    return max(1 - sum(bad for bad, _ in late.values()) / cases, 0.0)


@settings(max_examples=200, deadline=None)
@given(near(), st.data())
def test_an_area_that_is_late_as_often_as_the_city_has_the_citys_value_whatever_its_mix(city: Counted, data: st.DataObject) -> None:
    of = weights(city)
    mix = {c: data.draw(st.integers(0, 50), label=c) for c in city}
    assume(sum(mix.values()))
    cases = sum(n * of.get(c, 1.0) for c, n in mix.items())
    late = sum(n * city[c][0] / city[c][1] for c, n in mix.items())
    share = sum(bad for bad, _ in city.values()) / sum(n for _, n in city.values())
    # What the tenths of the weights leave over: 0.05 of 0.5 at most, and b is fitted before they are rounded.
    assert late / cases == pytest.approx(share, rel=0.12)


@settings(max_examples=200, deadline=None)
@given(near())
def test_taking_only_the_easiest_category_gains_next_to_nothing(city: Counted) -> None:
    of = weights(city)
    easy = min(city, key=lambda c: city[c][0] / city[c][1])
    bad = 1 - value(of, city)
    assert 1 - value(of, {easy: city[easy]}) >= bad * 0.88


@settings(max_examples=200, deadline=None)
@given(kinds(), kinds(), st.data())
def test_a_case_in_time_never_costs_and_a_late_one_never_pays_where_half_are_in_time(city: Counted, area: Counted, data: st.DataObject) -> None:
    of, c = weights(city), data.draw(st.sampled_from(sorted(area)))
    before, (bad, n) = value(of, area), area[c]
    assert value(of, area | {c: (bad, n + 1)}) >= before - 1e-12
    if before >= 1 - 1 / HIGH:
        assert value(of, area | {c: (bad + 1, n + 1)}) <= before + 1e-12
    assert value(of, {c: (0, n)}) == 1.0


@settings(max_examples=200, deadline=None)
@given(near())
def test_the_citys_own_cases_count_as_many_as_they_are(city: Counted) -> None:
    of = weights(city)
    assert all(LOW <= w <= HIGH for w in of.values())
    due = sum(n for _, n in city.values())
    assert sum(n * of.get(c, 1.0) for c, (_, n) in city.items()) == pytest.approx(due, rel=0.05)


def test_a_category_that_tells_only_chance_counts_as_it_is() -> None:
    # A tenth goes wrong: 200 cases are enough to learn from, and 190 are not, whatever became of them.
    assert weights({"a": (40, 190), "b": (50, 400), "c": (9, 400)}).keys() == {"b", "c"}
    assert weights({"a": (10, 60), "b": (1, 60)}) == {}
    assert weights({"a": (0, 600), "b": (0, 600)}) == {}
    # Nearly all of them were closed: the few that were not say nothing of the categories.
    assert weights({"a": (12, 6000), "b": (3, 6000)}) == {}
    assert LEAST_WRONG == 20


def test_the_days_of_reference_stand_still_through_a_year() -> None:
    first, last = date(2024, 6, 1), date(2026, 11, 24)
    assert {reference(first, date(2026, m, 1), last) for m in range(1, 12)} == {(date(2025, 1, 1), date(2025, 12, 31))}
    assert reference(first, date(2025, 3, 1), last) == (first, first + timedelta(days=89))
    assert reference(date(2026, 11, 1), date(2026, 11, 10), last) == (date(2026, 11, 1), last)


def test_the_weights_turn_counts_into_cases_weighed_less_the_late() -> None:
    top, under, minus = adjusted(INDICATOR, {"fire": 1.4, "litter": 0.8, "noise": 0.8})
    assert under == ("cases.due", "-0.2*cases.due@litter,noise", "0.4*cases.due@fire")
    assert (top, minus) == (("cases.due_on_time", *under[1:]), ())
    assert adjusted(INDICATOR, {}) == (INDICATOR.top, INDICATOR.under, INDICATOR.minus)


KINDS = '[categories]\nlitter = { name = "垃圾", name_en = "Litter" }\nroads = { name = "道路", name_en = "Roads" }'


@pytest.fixture
def two(store: Store, tmp_path: Path) -> Store:
    """Two streets late as often as each other in each category; one has the easy work, the other the hard."""
    (tmp_path / "city.toml").write_text(CITY.replace("[categories]", KINDS).replace('area_code = "area"', 'area_code = "area"\ncategory = "kind"'), "utf-8")
    for name, codes in (("districts", ("91",)), ("streets", ("9101", "9102"))):
        (tmp_path / f"{name}.geojson").write_text('{"type":"FeatureCollection","features":[' + ",".join(
            square(code, 110 + 0.1 * k, 0.1 * (3 - len(codes))) for k, code in enumerate(codes)) + "]}", "utf-8")
    rows, chance = ["no,at,due,closed,area,kind"], random.Random(3)
    for street, easy in (("9101", 270), ("9102", 30)):
        for k in range(300):
            day, kind = YESTERDAY - timedelta(days=k % 28), "litter" if k < easy else "roads"
            late = (k % 20 == 0) if kind == "litter" else (k % 7 == 0)
            rows.append(f"{street}-{k},{day} 08:00,{day} 18:00,{day} {20 if late else 12}:00,{street},{kind}")
    rows += [f"{chance.random()},{YESTERDAY - timedelta(days=80)} 08:00,,,9101,litter"]
    (tmp_path / "cases.csv").write_text("\n".join(rows), "utf-8")
    loading.load(tmp_path, store, quiet=True)
    return store


def card(store: Store, code: str, id_: str = "SAF06") -> MethodRow:
    asked = Ask(scope=EVERYTHING, since=YESTERDAY - timedelta(days=27), until=YESTERDAY, place=code)
    return next(row for row in index_method.method(store, asked).rows if isinstance(row, MethodRow) and row.id == id_)


def test_streets_that_work_alike_score_alike_though_one_has_only_what_is_easy(two: Store) -> None:
    easy, hard = card(two, "9101"), card(two, "9102")
    assert easy.mix is not None
    assert hard.mix is not None
    raw = [1 - one.mix.wrong / one.mix.cases for one in (easy, hard)]  # type: ignore[union-attr]
    told = [one.numerator / one.denominator for one in (easy, hard)]  # type: ignore[operator]
    assert raw[0] - raw[1] > 0.06
    assert abs(told[0] - told[1]) < (raw[0] - raw[1]) / 4
    for one in (easy, hard):
        assert one.denominator == pytest.approx(one.mix.cases + sum((p.weight - 1) * p.cases for p in one.mix.parts))  # type: ignore[union-attr]
        assert one.numerator == pytest.approx(one.denominator - one.mix.wrong)  # type: ignore[operator,union-attr]
    parts = {p.code: p.weight for p in easy.mix.parts}
    assert parts["litter"] < 1 < parts["roads"]


def test_what_is_weighed_adds_up_from_the_streets_to_the_city(two: Store) -> None:
    whole, parts = card(two, "9"), [card(two, code) for code in ("9101", "9102")]
    assert whole.numerator == pytest.approx(sum(one.numerator for one in parts))  # type: ignore[misc]
    assert whole.denominator == pytest.approx(sum(one.denominator for one in parts))  # type: ignore[misc]


def test_counts_of_categories_are_the_same_however_many_areas_are_asked(city: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from queries.area_values import standing
    from queries.clock import now

    asked = Ask(scope=EVERYTHING, since=now().date() - timedelta(days=40), until=now().date() - timedelta(days=2))
    names = ["cases.due@order,appearance", "cases.due_on_time@order", "cases.due@nothing_of_this_city", "cases.due"]
    with city.read() as connection:
        for level in (2, 4):
            where = standing(connection, asked, level)
            monkeypatch.setattr(_counts, "FEW", 10**9)
            few = _counts.counts(connection, asked, where, names)
            monkeypatch.setattr(_counts, "FEW", 0)
            many = _counts.counts(connection, asked, where, names)
            for name in names:
                assert np.array_equal(few[name], many[name], equal_nan=True)
            assert few[names[0]].sum() > 0
            assert np.isnan(few[names[2]]).all()


# No score of few is certain, whoever the neighbours are.
@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), min_size=2, max_size=30), st.booleans(), st.sampled_from([0.0, 0.01, 0.3]))
def test_no_share_is_certain_even_where_all_siblings_are_at_all_or_nothing(areas: list[tuple[int, int]], good: bool, relative: float) -> None:
    under = np.array([n for n, _ in areas], float)
    assume(under.sum() > 0)
    names = np.array([g for _, g in areas])
    top = under if good else np.zeros(len(under))
    done = shrink.shares_shrunk(top, under, names, shrink.share_terms(top, under, names, 4), relative, 0.02, 0.5, 20.0)
    told = under > 0
    assert (done.sd[told] > 0).all()
    assert (done.own < 1).all()
    assert np.allclose(done.value[told], float(good))


def test_alone_the_spread_of_a_share_is_that_of_jeffreys_posterior() -> None:
    # Brown, Cai and DasGupta (2001), Interval Estimation for a Binomial Proportion: Jeffreys' posterior is Beta(x + ½, n − x + ½).
    from scipy.stats import beta

    for x, n in ((0, 10), (10, 10), (3, 25), (250, 300)):
        terms = shrink.Terms(mean=np.array([x / n]), excess=np.array([1.0]), free=np.array([1.0]), prior=np.array([0.25]), total=np.array([float(n)]))
        done = shrink.shares_shrunk(np.array([float(x)]), np.array([float(n)]), np.zeros(1, int), terms, 1.0, 0.0, 0.5)
        assert done.own[0] == 1.0
        assert done.sd[0] == pytest.approx(beta(x + 0.5, n - x + 0.5).std(), rel=1e-9)


@pytest.mark.parametrize("rate", [0.9, 0.97, 0.995])
def test_ninety_of_a_hundred_intervals_hold_the_truth_near_all_or_nothing_too(rate: float) -> None:
    chance, inside, n = np.random.default_rng(11), 0, 0
    for _ in range(60):
        truth = np.clip(chance.beta(rate * 200, (1 - rate) * 200, 40), 0, 1)
        under = chance.integers(1, 25, 40).astype(float)
        top, names = chance.binomial(under.astype(int), truth).astype(float), np.repeat(np.arange(4), 10)
        done = shrink.shares_shrunk(top, under, names, shrink.share_terms(top, under, names), 0.005, 0.02, 0.5, 20.0)
        inside, n = inside + int((np.abs(done.value - truth) <= 1.645 * done.sd).sum()), n + 40
    assert inside / n >= 0.88


def test_the_interval_of_a_grid_among_perfect_siblings_has_a_width(two: Store) -> None:
    # Every case of this indicator was closed, in both streets.
    for code in ("9101", "9102"):
        asked = Ask(scope=EVERYTHING, since=YESTERDAY - timedelta(days=27), until=YESTERDAY, place=code)
        row = next(r for r in governance.index(two, asked).rows if r.id == "SAF05")
        assert row.score == pytest.approx(100)
        assert row.low is not None
        assert row.low < 100
        assert math.isclose(row.high, 100)
