"""The evaluation: published numbers, evaluation days, and every number opens the cases behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from queries import loading
from queries.city import read_city
from queries.clock import day_bucket, now
from queries.errors import AskError, CityFileError
from queries.frame import EVERYTHING, Ask, Scope
from queries.loop import evaluate, flow, like
from queries.loop.deltas import buckets
from queries.loop.evaluation import Evaluation, shift_of
from queries.loop.rates import MEASURES
from queries.loop.rebuild import rebuild
from queries.loop.writer import Writer
from queries.store import Store
from queries.tables import event
from tests.test_loop import CITY, STREET, URBAN, WATER, little, new, step, sums, to_handling, writer  # noqa: F401, F811

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = Evaluation()
F4 = {"valid": 200, "contacted": 198, "solved": 170, "satisfied": 150, "basic": 30}


def to_closed(writer: Writer) -> str:  # noqa: F811
    no = to_handling(writer)
    step(writer, no, "fed_back", URBAN)
    step(writer, no, "verified", STREET)
    step(writer, no, "closed")
    return no


def ask(**more: Any) -> Ask:
    today = now().astimezone(SHANGHAI).date()
    return Ask(**{"scope": EVERYTHING, "since": today - timedelta(days=2), "until": today + timedelta(days=1), **more})


def told(store: Store, **more: Any) -> dict[str, evaluate.EvaluationRow]:
    sums(store)  # on PostgreSQL the projector catches up
    return {row.id: row for row in evaluate.evaluation(store, ask(**more)).rows}


def test_published_call_backs_give_the_published_rates() -> None:
    values = {name: evaluate.valued(MEASURES[name], RULES, F4)[0] for name in ("response", "solved", "satisfied", "composite")}
    assert values == pytest.approx({"response": 0.99, "solved": 0.85, "satisfied": 0.885, "composite": 0.878})
    assert evaluate.valued(MEASURES["satisfied"], RULES, F4) == (pytest.approx(0.885), pytest.approx(177.0), 200)


def test_a_composite_of_percentages_is_never_multiplied_again() -> None:
    composite = evaluate.valued(MEASURES["composite"], RULES, F4)[0]
    assert composite is not None
    assert 0 <= composite <= 1
    from dashboard.words import Words

    assert Words("zh").value(composite, "%") == "87.8%"


def test_no_call_back_is_no_rate_and_not_zero() -> None:
    assert evaluate.valued(MEASURES["composite"], RULES, {}) == (None, None, 0)
    assert evaluate.valued(MEASURES["response"], RULES, {"valid": 0})[0] is None


def test_more_returns_than_first_dispatches_say_nothing_of_the_period() -> None:
    assert evaluate.valued(MEASURES["first_dispatch"], RULES, {"first_dispatched": 1, "first_returned": 2})[0] is None


def test_weights_that_are_percentages_are_refused(tmp_path: Path) -> None:
    for bad, why in (("weights = { response = 10, solved = 50, satisfied = 40 }", "evaluation.weights"),
                     ("weights = { response = 0.3, solved = 0.3, satisfied = 0.3 }", "make 0.9"), ('day_starts = "9:00"', "day_starts")):
        (tmp_path / "city.toml").write_text(f"{CITY}\n[evaluation]\n{bad}\n", "utf-8")
        with pytest.raises(CityFileError, match=why):
            read_city(tmp_path)


def test_the_noon_window_belongs_to_the_day_on_which_it_ends() -> None:
    shift = shift_of("12:00")
    for hour, minute, day in ((11, 59, 19), (12, 0, 20), (23, 59, 20)):
        at = int(datetime(2026, 3, 19, hour, minute, tzinfo=SHANGHAI).timestamp())
        assert buckets(at, SHANGHAI, shift)[0] == day_bucket(date(2026, 3, day))
        assert buckets(at, SHANGHAI)[0] == day_bucket(date(2026, 3, 19))


@pytest.mark.parametrize(("day", "first", "last"), [
    (date(2026, 3, 18), date(2026, 2, 19), date(2026, 3, 18)), (date(2026, 3, 19), date(2026, 3, 19), date(2026, 4, 18)),
    (date(2026, 1, 5), date(2025, 12, 19), date(2026, 1, 18)), (date(2024, 3, 1), date(2024, 2, 19), date(2024, 3, 18))])
def test_the_evaluation_month_begins_on_the_19th(day: date, first: date, last: date) -> None:
    assert Evaluation(month_starts=19).month_of(day) == (first, last)


def test_the_calendar_month_is_the_month_that_begins_on_the_first() -> None:
    assert RULES.month_of(date(2026, 2, 11)) == (date(2026, 2, 1), date(2026, 2, 28))


def test_each_rate_carries_what_it_is_made_of_and_opens_what_counts_against_it(writer: Writer) -> None:  # noqa: F811
    for details in ({"valid": True, "contacted": True, "solved": True, "satisfied": True},
                    {"valid": True, "contacted": True, "solved": True, "basic": True}, {"valid": True, "contacted": False}, {"valid": False}):
        last = to_closed(writer)
        step(writer, last, "called_back", details=details)
    returned = to_handling(writer)
    step(writer, returned, "returned", URBAN, reason="不属本部门")
    rows = told(writer.store)

    assert (rows["response"].numerator, rows["response"].denominator, rows["response"].few) == (2, 3, True)
    assert rows["satisfied"].numerator == pytest.approx(1.9)
    assert rows["composite"].value == pytest.approx(0.1 * 2 / 3 + 0.5 * 2 / 3 + 0.4 * 1.9 / 3)
    assert rows["first_dispatch"].value == pytest.approx(4 / 5)
    assert rows["forced"].value == 0.0
    assert rows["arrival"].value is None
    for measure in ("response", "solved", "satisfied", "first_dispatch", "return", "rework", "reopen", "forced"):
        opened = evaluate.cases_of(writer.store, ask(), measure)
        assert len(opened.rows) == rows[measure].against, measure
    assert [r.no for r in evaluate.cases_of(writer.store, ask(), "first_dispatch").rows] == [returned]


def test_a_step_that_was_taken_back_counts_nowhere(writer: Writer) -> None:  # noqa: F811
    no = to_handling(writer)
    step(writer, no, "returned", URBAN, reason="错派")
    step(writer, no, "undone", URBAN)
    assert told(writer.store)["return"].numerator == 0
    assert evaluate.cases_of(writer.store, ask(), "return").rows == ()


def test_whoever_may_see_another_street_sees_none_of_its_numbers(writer: Writer) -> None:  # noqa: F811
    no = to_handling(writer)
    step(writer, no, "returned", URBAN, reason="错派")
    other = Scope(areas=frozenset({"92"}))
    assert told(writer.store, scope=Scope(areas=frozenset({"91"})))["return"].numerator == 1
    assert told(writer.store, scope=other)["return"].numerator is None  # nothing was recorded there
    assert evaluate.cases_of(writer.store, ask(scope=other), "return").rows == ()


def test_a_whistle_that_nobody_answers_counts_against_arrival(writer: Writer) -> None:  # noqa: F811
    no = to_handling(writer)
    step(writer, no, "whistled", STREET, department="water", reason="joint")
    step(writer, no, "whistled", STREET, department="urban", reason="joint")
    step(writer, no, "arrived", WATER)
    row = told(writer.store)["arrival"]
    assert (row.numerator, row.denominator, row.against) == (1, 2, 1)
    assert [r.no for r in evaluate.cases_of(writer.store, ask(), "arrival").rows] == [no]


def test_an_unknown_number_is_named_with_the_known_ones(little: Store) -> None:  # noqa: F811
    with pytest.raises(AskError, match="Known: response"):
        evaluate.cases_of(little, ask(), "nonsense")
    with pytest.raises(AskError, match="Known: on_time"):
        like.like_with_like(little, ask(), "nonsense")


def test_a_changed_evaluation_day_waits_for_the_rebuild(writer: Writer, tmp_path: Path) -> None:  # noqa: F811
    no = to_closed(writer)
    step(writer, no, "called_back", details={"valid": True, "contacted": True})
    at = int(datetime(2026, 3, 19, 13, 0, tzinfo=SHANGHAI).astimezone(UTC).timestamp())
    with writer.store.write() as connection:
        connection.execute(update(event).where(event.c.step == "called_back").values(at=at))
    sums(writer.store)
    rebuild(writer.store, quiet=True)
    folder = tmp_path / "little"
    (folder / "city.toml").write_text(f'{CITY}\n[evaluation]\nday_starts = "12:00"\n', "utf-8")
    loading.load(folder, writer.store, quiet=True)

    def valid(day: int) -> int | None:
        on = ask(since=date(2026, 3, day), until=date(2026, 3, day))
        return {r.id: r for r in evaluate.evaluation(writer.store, on).rows}["response"].denominator

    assert (valid(19), valid(20)) == (1, 0)
    assert "rebuild" in str(evaluate.evaluation(writer.store, ask()).notes)
    rebuild(writer.store, quiet=True)
    assert (valid(19), valid(20)) == (0, 1)
    assert "rebuild" not in str(evaluate.evaluation(writer.store, ask()).notes)


def test_an_area_with_only_hard_cases_is_held_against_hard_cases() -> None:
    # City: category 1 has 90 of 100 on time, category 2 has 20 of 100. The area has 40 of category 2, 10 of them on time.
    city = {1: (90.0, 100.0), 2: (20.0, 100.0)}
    observed, expected = like.standardised({2: 10.0}, {2: 40.0}, city)
    assert (observed, expected, observed / expected) == (10, 8, 1.25)
    # With 10 of category 1 as well, all on time: 9 + 8 are expected.
    assert like.standardised({1: 10.0, 2: 10.0}, {1: 10.0, 2: 40.0}, city) == (20, 17)


def test_ratios_of_all_districts_centre_on_one(city: Store) -> None:
    on = Ask(scope=EVERYTHING, since=date(2026, 10, 1), until=date(2026, 11, 20))
    for by in ("areas", "departments"):
        rows = like.like_with_like(city, on, "on_time", by).rows
        assert sum(r.observed for r in rows) == pytest.approx(sum(r.expected or 0 for r in rows), rel=0.02)
        assert sum(r.n for r in rows) > 100


def test_the_flow_says_where_time_goes_and_which_rules_break(writer: Writer) -> None:  # noqa: F811
    straight, forced = to_closed(writer), to_handling(writer)
    step(writer, forced, "force_closed", reason="无法处置")
    row = flow.flow(writer.store, ask()).row
    rules = {rule.id: rule for rule in row.rules}

    assert (row.cases, row.ways[0].n + row.ways[1].n) == (2, 2)
    # The straight case goes street, dispatcher, department, street, dispatcher, over; the forced one ends at the department.
    assert {(leg.frm, leg.to): leg.n for leg in row.hand_overs} == {
        ("street", "dispatcher"): 3, ("dispatcher", "department"): 2, ("department", "street"): 1, ("department", "over"): 1,
        ("dispatcher", "over"): 1}
    assert (rules["not_forced"].n, rules["not_forced"].of, rules["not_forced"].examples) == (1, 2, (forced,))
    assert (rules["checked"].n, rules["checked"].of) == (0, 1)
    assert [leg.frm_words["zh"] for leg in row.departments] == ["城管局"]
    assert straight not in rules["not_forced"].examples


def test_only_the_newest_cases_are_read_and_the_answer_says_so(writer: Writer) -> None:  # noqa: F811
    for _ in range(3):
        new(writer)
    answer = flow.flow(writer.store, ask(), limit=2)
    assert (answer.row.cases, answer.row.limited) == (2, True)
    assert "2" in answer.notes[0]["zh"]


def test_what_imported_rows_cannot_tell_is_unknown_and_not_zero(city: Store) -> None:
    from queries.loop.burden import burden

    on = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))
    line = {stage.id: stage.n for stage in evaluate.loop_line(city, on).rows}
    assert line["reported"] > 0
    assert line["closed"] > 0
    assert {line[name] for name in ("whistled", "arrived", "dispatched", "checked")} == {None}
    assert {row.value for row in evaluate.evaluation(city, on).rows} == {None}
    assert {row.value for row in burden(city, on).rows} == {None}
