"""The city's index: reasons add up, a score can be recomputed by hand, and tricks do not pay."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries import governance, index
from queries.clock import local_day, now, stamp
from queries.frame import EVERYTHING, Ask, Scope
from queries.index._level import SCALE
from queries.scoring import aggregate, change, missing, shrink
from queries.scoring import tree as trees
from queries.store import Store
from queries.today import city_now

ASK = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))


@pytest.mark.parametrize("one", index.found().values(), ids=lambda d: d.id)
def test_a_dimension_says_for_each_indicator_how_it_is_made_or_what_it_lacks(one: index.Dimension) -> None:
    assert one.basis
    for indicator in one.indicators:
        assert indicator.title["zh"]
        assert indicator.title["en"]
        if indicator.top:
            assert indicator.under
            assert indicator.floor != indicator.target
            assert indicator.formula["zh"]
            assert indicator.formula["en"]
        else:
            assert indicator.lacks
            assert indicator.lacks["zh"]
            assert indicator.lacks["en"]


def test_the_catalogue_is_that_of_the_founding_list() -> None:
    ids = [x.id for d in index.found().values() for x in d.indicators]
    assert len(ids) == len(set(ids)) == 44
    assert [sum(i.startswith(p) for i in ids) for p in ("SAF", "LAW", "MOR", "INT", "RSK", "BUR")] == [9, 7, 7, 8, 7, 6]


def test_a_day_that_is_not_over_does_not_count(city: Store) -> None:
    with city.read() as connection:
        today = local_day(stamp(now()), city_now(connection).zone)
    yesterday = today - timedelta(days=1)
    open_, over = (Ask(scope=EVERYTHING, since=ASK.since, until=day) for day in (today, yesterday))
    assert governance.index(city, open_).rows == governance.index(city, over).rows
    assert governance.why(city, open_).rows == governance.why(city, over).rows
    assert str(yesterday) in governance.index(city, open_).notes[0]["en"]
    with city.read() as connection:
        assert governance.finished(connection, Ask(scope=EVERYTHING, since=today, until=today)) == Ask(scope=EVERYTHING, since=yesterday, until=yesterday)
        assert governance.finished(connection, ASK) == ASK


def test_the_city_can_be_recomputed_by_hand(city: Store) -> None:
    rows = {row.id: row for row in governance.index(city, ASK).rows}
    means = []
    present = {x.id for d in index.found().values() for x in d.indicators if x.now_only}
    for name in ("safety", "law", "morals", "support", "risk"):
        scores = []
        for row in rows.values():
            if row.kind == "indicator" and row.parent == name and row.score is not None:
                value = row.numerator / row.denominator  # type: ignore[operator]
                by_hand = 1 + 99 * min(max((value - row.floor) / (row.target - row.floor), 0), 1)  # type: ignore[operator]
                assert row.score == pytest.approx(by_hand, abs=1e-9)
                # What is known as it is now only is shown, and carries no part of the index.
                scores += [] if row.id in present else [by_hand]
        if scores:
            assert rows[name].score == pytest.approx(sum(scores) / len(scores), abs=1e-9)
        # One indicator is no dimension: it stands beside the index.
        assert (rows[name].parent == "index") == (len(scores) > 1)
        if len(scores) > 1:
            means.append(sum(scores) / len(scores))
    assert len(means) >= 2
    assert rows["index"].score == pytest.approx(float(np.prod(means) ** (1 / len(means))), abs=1e-9)
    assert rows["index"].low <= rows["index"].score <= rows["index"].high  # type: ignore[operator]


def test_what_moved_the_index_adds_up_over_indicators_and_over_areas(city: Store) -> None:
    whole = governance.index(city, ASK).rows[0]
    assert whole.before is not None
    rows = governance.why(city, ASK).rows
    assert sum(row.points for row in rows) == pytest.approx(whole.score - whole.before, abs=1e-9)  # type: ignore[operator]
    told = [row for row in rows if row.areas]
    assert told
    assert all(sum(points for _, _, points in row.areas) == pytest.approx(row.points, abs=1e-9) for row in told)


def test_who_sees_only_a_part_of_a_place_is_told_no_score_of_it(city: Store) -> None:
    code = governance.peers(city, ASK).rows[0].code
    mine = Ask(scope=Scope(areas=frozenset({code})), since=ASK.since, until=ASK.until)
    assert governance.index(city, mine).rows[0].no_score == "part"
    assert governance.index(city, mine).rows[0].score is None
    assert governance.index(city, mine.but(place=code)).rows[0].score == governance.index(city, ASK.but(place=code)).rows[0].score
    assert [row.code for row in governance.index_values(city, mine, "index", 1).rows] == [code]


def test_before_the_first_record_there_is_no_score(city: Store) -> None:
    rows = governance.index(city, Ask(scope=EVERYTHING, since=date(2001, 1, 1), until=date(2001, 1, 31))).rows
    assert rows[0].score is None
    assert rows[0].no_score == "before"


def test_an_area_that_rests_on_borrowed_data_has_no_rank(city: Store) -> None:
    for row in governance.peers(city, ASK).rows:
        assert (row.low is None) == (row.score is None or row.own < shrink.LEAST_OWN)


def test_a_step_that_is_offered_can_be_done_and_pays(city: Store) -> None:
    rows = governance.steps(city, ASK).rows
    assert rows
    assert all(row.points >= 0 and row.cases >= 1 for row in rows)
    assert [row.points for row in rows] == sorted((row.points for row in rows), reverse=True)


# Tricks: what somebody might do to look better, and what it must not bring.
SCORES = st.lists(st.lists(st.floats(1, 100), min_size=4, max_size=4), min_size=3, max_size=12)


@given(SCORES, st.data())
def test_withholding_what_is_worst_never_raises_a_score_above_last_months(rows: list[list[float]], data: st.DataObject) -> None:
    x = np.array(rows)
    i, j = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 3))
    held = x.copy()
    held[i, j] = np.nan
    out = missing.cautious(held, x)
    assert out[i, j] <= x[i, j]
    assert aggregate.arithmetic(out, np.ones(4))[i] <= aggregate.arithmetic(x, np.ones(4))[i] + 1e-9


@given(st.integers(1, 200), st.integers(0, 200))
def test_one_late_case_more_never_raises_a_rate_and_one_in_time_never_lowers_it(due: int, on_time: int) -> None:
    on_time = min(on_time, due)
    top, under = np.array([on_time, 50.0, 80.0]), np.array([due, 60.0, 100.0])
    worse = shrink.beta_binomial(top, under + [1, 0, 0], pooled=True, least_sd=0.02).value[0]
    assert worse <= shrink.beta_binomial(top, under, pooled=True, least_sd=0.02).value[0] + 0.01


@given(SCORES)
def test_a_strong_dimension_never_buys_off_a_weak_one_fully(rows: list[list[float]]) -> None:
    x, w = np.array(rows), np.ones(4)
    assert (aggregate.geometric(x, w) <= aggregate.arithmetic(x, w) + 1e-9).all()


def test_reported_volume_is_in_no_score() -> None:
    for one in index.found().values():
        for indicator in one.indicators:
            assert not any(name.startswith("cases.reported") for name in indicator.top)


@given(SCORES, SCORES)
def test_reasons_add_up_for_any_two_periods(a: list[list[float]], b: list[list[float]]) -> None:
    n = min(len(a), len(b))
    tree = trees.Tree(ids=("a", "b", "c", "d", "x", "y", "index"), n=4, children=((), (), (), (), (0, 1), (2, 3), (4, 5)), height=(0, 0, 0, 0, 1, 1, 2),
                      weights=(*[np.zeros(0)] * 4, np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([1.0, 3.0])), rules=("", "", "", "", "arithmetic", "harmonic", "geometric"))
    before, after = trees.scores(tree, np.array(a[:n]))[0], trees.scores(tree, np.array(b[:n]))[0]
    for shapley in (False, True):
        parts, mix = trees.reasons(tree, before, after, shapley)
        assert np.abs(parts.sum(axis=1) + mix - (after - before)[:, -1]).max() < 1e-8


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 60), st.integers(0, 50), st.integers(1, 60)), min_size=1, max_size=20))
def test_areas_add_up_to_the_change_of_the_whole(rows: list[tuple[int, int, int, int]]) -> None:
    a, b, c, d = (np.array(x, float) for x in zip(*rows, strict=True))
    moved = change.of_areas(np.minimum(a, b), b, np.minimum(c, d), d)
    assert moved.sum() == pytest.approx(np.minimum(c, d).sum() / d.sum() - np.minimum(a, b).sum() / b.sum(), abs=1e-9)


def test_scores_stand_on_one_to_a_hundred() -> None:
    assert (SCALE.low, SCALE.high, SCALE.cap) == (1.0, 100.0, True)


def test_what_if_weights_change_the_index_and_nothing_below_it(city: Store) -> None:
    plain = {row.id: row for row in governance.index(city, ASK).rows}
    bent = {row.id: row for row in governance.index(city, ASK.but(weights=(100, 0, 0, 0, 0))).rows}
    assert bent["index"].score == pytest.approx(plain["safety"].score, abs=1e-9)
    assert bent["law"].score == plain["law"].score
    assert plain["index"].score != bent["index"].score
    values = governance.index_values(city, ASK.but(weights=(100, 0, 0, 0, 0)), "index", 1).rows
    assert [v.value for v in values] == pytest.approx([v.value for v in governance.index_values(city, ASK, "safety", 1).rows])
    assert sum(row.points for row in governance.why(city, ASK.but(weights=(100, 0, 0, 0, 0))).rows) == pytest.approx(bent["index"].score - bent["index"].before, abs=1e-9)  # type: ignore[operator]
