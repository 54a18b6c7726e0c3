"""Clocks: when a limit ends, over holidays, swapped workdays, zones and pauses; which limit holds; how both come in."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from queries import loading
from queries.city import read_city
from queries.clock import day_bucket
from queries.clocks import CLOCKS, Calendar, Limit, Limits, read_calendar, read_limits
from queries.clocks.calendar import DAY_CLOCKS, read_hours
from queries.demo.words import CATEGORIES
from queries.errors import AskError, CityFileError
from queries.loop.tables import time_limit
from queries.store import Store, get_meta, version
from queries.tables import cases

SHANGHAI, NEW_YORK, UTC = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
CHINA = Calendar()
LAST_YEAR = max(chinese_calendar.holidays).year


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def told(seconds: int, zone: ZoneInfo = SHANGHAI) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def due(start: str, amount: float, clock: str, calendar: Calendar = CHINA) -> str:
    return told(calendar.deadline(at(start, calendar.zone), amount, clock), calendar.zone)


# 17 July 2026 is a Friday in a week without a holiday: the examples of the docstring.
@pytest.mark.parametrize(("start", "amount", "clock", "end"), [
    ("2026-07-17 17:00", 2, "urgent_hour", "2026-07-17 19:00:00"),
    ("2026-07-17 23:00", 0.5, "urgent_hour", "2026-07-17 23:30:00"),
    ("2026-07-17 17:00", 2, "work_hour", "2026-07-20 10:30:00"),
    ("2026-07-17 16:30", 1, "work_hour", "2026-07-17 17:30:00"),
    ("2026-07-17 11:30", 1, "work_hour", "2026-07-17 14:00:00"),
    ("2026-07-18 10:00", 0.5, "work_hour", "2026-07-20 09:30:00"),
    ("2026-07-17 17:00", 1, "work_day", "2026-07-20 17:30:00"),
    ("2026-07-17 12:30", 1, "work_day", "2026-07-20 17:30:00"),
    ("2026-07-17 07:00", 1, "work_day", "2026-07-20 17:30:00"),
    ("2026-07-17 17:30", 1, "work_day", "2026-07-21 17:30:00"),
    ("2026-07-17 18:00", 1, "work_day", "2026-07-21 17:30:00"),
    ("2026-07-18 10:00", 1, "work_day", "2026-07-21 17:30:00"),
    ("2026-07-17 17:00", 1, "natural_day", "2026-07-18 23:59:59"),
    ("2026-07-17 00:00", 3, "natural_day", "2026-07-20 23:59:59"),
])
def test_each_clock_ends_where_its_rule_says(start: str, amount: float, clock: str, end: str) -> None:
    assert due(start, amount, clock) == end


def test_the_library_knows_the_swapped_days_that_these_tests_stand_on() -> None:
    off = [date(2026, 2, 15), date(2026, 2, 23), date(2026, 10, 1), date(2026, 10, 7)]
    on = [date(2026, 2, 14), date(2026, 2, 28), date(2026, 9, 20), date(2026, 10, 10)]
    assert [CHINA.is_workday(day) for day in off + on] == [False] * 4 + [True] * 4


@pytest.mark.parametrize(("start", "amount", "clock", "end"), [
    # Spring Festival: off from Sunday 15 to Monday 23 February, at work on the Saturdays 14 and 28.
    ("2026-02-13 10:00", 2, "work_day", "2026-02-24 17:30:00"),
    ("2026-02-14 10:00", 2, "work_day", "2026-02-25 17:30:00"),
    ("2026-02-14 16:30", 3, "work_hour", "2026-02-24 11:00:00"),
    ("2026-02-18 10:00", 4, "work_day", "2026-02-28 17:30:00"),
    ("2026-02-14 16:30", 3, "urgent_hour", "2026-02-14 19:30:00"),
    ("2026-02-14 16:30", 3, "natural_day", "2026-02-17 23:59:59"),
    # National Day: off from Thursday 1 to Wednesday 7 October, at work on Sunday 20 September and Saturday 10 October.
    ("2026-09-30 10:00", 2, "work_day", "2026-10-09 17:30:00"),
    ("2026-09-30 18:00", 2, "work_day", "2026-10-10 17:30:00"),
    ("2026-10-09 10:00", 2, "work_day", "2026-10-12 17:30:00"),
    ("2026-09-18 10:00", 1, "work_day", "2026-09-20 17:30:00"),
    ("2026-09-30 17:00", 1, "work_hour", "2026-10-08 09:30:00"),
])
def test_holidays_and_swapped_workdays_are_counted(start: str, amount: float, clock: str, end: str) -> None:
    assert due(start, amount, clock) == end


def test_the_citys_own_days_stand_above_the_library() -> None:
    own = Calendar(holidays=frozenset({date(2026, 2, 24)}), workdays=frozenset({date(2026, 2, 23)}))
    assert due("2026-02-14 10:00", 1, "work_day", own) == "2026-02-23 17:30:00"
    assert due("2026-02-14 10:00", 2, "work_day", own) == "2026-02-25 17:30:00"


def test_a_change_to_summer_time_moves_the_clock_and_no_working_hour() -> None:
    york = Calendar(zone=NEW_YORK, library="")
    # The clocks went forward in the night to Sunday 8 March 2026, back in that to 1 November.
    assert due("2026-03-07 12:00", 24, "urgent_hour", york) == "2026-03-08 13:00:00"
    assert due("2026-03-06 17:00", 2, "work_hour", york) == "2026-03-09 10:30:00"
    assert due("2026-03-07 12:00", 1, "natural_day", york) == "2026-03-08 23:59:59"
    assert due("2026-10-31 12:00", 24, "urgent_hour", york) == "2026-11-01 11:00:00"
    assert due("2026-10-30 17:00", 1, "work_day", york) == "2026-11-02 17:30:00"
    assert york.deadline(at("2026-03-06 17:00", NEW_YORK), 1, "work_day") == at("2026-03-09 21:30", UTC)


def test_the_hour_that_summer_time_skips_is_worked_by_nobody() -> None:
    night = Calendar(zone=NEW_YORK, library="", weekend=frozenset(), hours=read_hours(["00:00-06:00"]))
    sunday = at("2026-03-08 00:00", NEW_YORK), at("2026-03-09 00:00", NEW_YORK)
    assert night.spent(*sunday, "work_hour") == 5 * 3600
    assert night.spent(at("2026-11-01 00:00", NEW_YORK), at("2026-11-02 00:00", NEW_YORK), "work_hour") == 7 * 3600


def test_a_city_that_never_sleeps_is_due_on_the_day_itself() -> None:
    always = Calendar(zone=UTC, library="", weekend=frozenset(), hours=read_hours(["00:00-24:00"]))
    assert due("2026-05-01 10:00", 1, "work_day", always) == "2026-05-02 23:59:59"
    assert due("2026-05-01 10:00", 30, "work_hour", always) == "2026-05-02 16:00:00"


def test_working_time_is_told() -> None:
    friday = "2026-07-17 "
    assert [CHINA.is_working(at(friday + t)) for t in ("08:59:59", "09:00", "11:59:59", "12:00", "13:30", "17:30")] == [
        False, True, True, False, True, False]
    assert told(CHINA.next_working(at("2026-02-14 17:30"))) == "2026-02-24 09:00:00"
    assert CHINA.next_working(at(friday + "10:00")) == at(friday + "10:00")


def test_pauses_are_taken_off_once_however_they_overlap() -> None:
    start, end = at("2026-07-17 09:00"), at("2026-07-20 12:00")
    pauses = [(at("2026-07-17 10:00"), at("2026-07-17 11:00")), (at("2026-07-17 10:30"), at("2026-07-17 14:30")),
              (at("2026-07-18 00:00"), at("2026-07-19 00:00")), (at("2026-07-20 11:00"), at("2026-07-21 11:00"))]
    # Friday 1 h + 3 h, Monday 2 h.
    assert CHINA.spent(start, end, "work_hour", pauses) == 6 * 3600
    assert CHINA.spent(start, end, "urgent_hour", pauses) == (75 - 4.5 - 24 - 1) * 3600
    assert CHINA.spent(end, start, "work_hour") == 0


def test_a_suspended_case_gets_the_rest_of_its_time_back() -> None:
    end = CHINA.deadline(at("2026-02-13 10:00"), 2, "work_day")
    rest = CHINA.left(at("2026-02-13 16:30"), end, "work_day")
    assert rest == (1 + 7 + 7) * 3600  # the rest of Friday, the swapped Saturday, the first day after the holiday
    assert told(CHINA.resume(at("2026-03-02 08:00"), rest, "work_day")) == "2026-03-04 10:00:00"
    late = CHINA.left(at("2026-02-25 10:30"), end, "work_day")
    assert late == -1.5 * 3600
    assert told(CHINA.resume(at("2026-03-02 09:30"), late, "work_day")) == "2026-02-28 16:30:00"


def test_beyond_the_library_it_counts_by_the_week_and_says_that_it_is_not_sure() -> None:
    new_year, year = f"{LAST_YEAR + 1}-01-01", LAST_YEAR + 1
    start, end = at(f"{year}-06-01 10:00"), CHINA.deadline(at(f"{year}-06-01 10:00"), 3, "work_day")
    assert all(CHINA.is_workday(date(year, 6, day)) == (date(year, 6, day).weekday() < 5) for day in range(1, 29))
    assert not CHINA.is_sure(start, end, "work_day")
    assert CHINA.is_sure(start, end, "natural_day")
    assert not CHINA.is_sure(at(f"{LAST_YEAR}-12-30 10:00"), at(f"{new_year} 10:00"), "work_hour")
    assert CHINA.is_sure(at(f"{LAST_YEAR}-06-01 10:00"), at(f"{LAST_YEAR}-06-09 10:00"), "work_hour")
    assert CHINA.known_until == LAST_YEAR

    own = Calendar(holidays=frozenset({date(year, 6, 2)}), years=frozenset({year}))
    assert own.is_sure(start, end, "work_day")
    assert own.known_until == year
    assert not own.is_workday(date(year, 6, 2))
    assert Calendar(library="").is_sure(start, end, "work_day")
    assert Calendar(library="").known_until is None


@pytest.mark.parametrize("ask", [
    lambda c: c.deadline(at("2026-07-17 10:00"), -1, "work_hour"),
    lambda c: c.deadline(at("2026-07-17 10:00"), float("nan"), "urgent_hour"),
    lambda c: c.deadline(at("2026-07-17 10:00"), 1.5, "work_day"),
    lambda c: c.deadline(at("2026-07-17 10:00"), 1, "lunar_day"),
    lambda c: c.left(0, 1, "lunar_day"),
    lambda c: c.deadline(at("2190-07-17 10:00"), 10_000, "work_day"),
    lambda c: c.deadline(10**14, 1, "work_hour"),
    lambda c: c.deadline(-(10**10), 1, "work_day"),
    lambda c: c.deadline(10**14, 1, "natural_day"),
    lambda c: c.resume(at("1971-01-01 10:00"), -(10**10), "work_hour"),
])
def test_what_no_calendar_can_answer_is_refused(ask: object) -> None:
    with pytest.raises(AskError):
        ask(Calendar())


CALENDARS = [CHINA, Calendar(zone=NEW_YORK, library=""), Calendar(zone=UTC, library="", weekend=frozenset({4}), hours=read_hours(["00:00-06:00", "22:00-24:00"]))]
CALENDAR = st.sampled_from(CALENDARS)
MOMENT = st.integers(at("2025-06-01 00:00"), at("2028-06-01 00:00"))
SECONDS = st.integers(1, 400 * 3600)
CLOCK = st.sampled_from(CLOCKS)
quickly = settings(max_examples=150, deadline=None)


def amount_of(clock: str, seconds: int) -> float:
    return seconds // 36000 if clock in DAY_CLOCKS else seconds / 3600


@quickly
@given(CALENDAR, MOMENT, MOMENT, SECONDS, CLOCK)
def test_who_starts_later_is_due_no_earlier(calendar: Calendar, one: int, other: int, seconds: int, clock: str) -> None:
    amount = amount_of(clock, seconds)
    early, late = sorted((one, other))
    assert early <= calendar.deadline(early, amount, clock) <= calendar.deadline(late, amount, clock)


@quickly
@given(CALENDAR, MOMENT, SECONDS, SECONDS, CLOCK)
def test_more_time_is_never_due_earlier(calendar: Calendar, start: int, one: int, other: int, clock: str) -> None:
    less, more = sorted((amount_of(clock, one), amount_of(clock, other)))
    assert calendar.deadline(start, less, clock) <= calendar.deadline(start, more, clock)


@quickly
@given(CALENDAR, MOMENT, SECONDS, st.sampled_from(["urgent_hour", "work_hour"]))
def test_at_the_deadline_exactly_the_amount_is_spent(calendar: Calendar, start: int, seconds: int, clock: str) -> None:
    end = calendar.deadline(start, seconds / 3600, clock)
    assert calendar.spent(start, end, clock) == seconds
    assert calendar.spent(start, end - 1, clock) == seconds - 1


@quickly
@given(CALENDAR, MOMENT, SECONDS, CLOCK, MOMENT)
def test_suspended_and_resumed_at_once_nothing_is_lost(calendar: Calendar, start: int, seconds: int, clock: str, now: int) -> None:
    end = calendar.deadline(start, amount_of(clock, seconds) or 1, clock)
    assert calendar.resume(now, calendar.left(now, end, clock), clock) == end


@quickly
@given(CALENDAR, MOMENT, MOMENT, st.lists(st.tuples(MOMENT, MOMENT), max_size=5), CLOCK)
def test_spent_and_paused_make_the_whole(calendar: Calendar, one: int, other: int, pauses: list[tuple[int, int]], clock: str) -> None:
    start, end = sorted((one, other))
    used = calendar.spent(start, end, clock, pauses)
    assert 0 <= used <= calendar.spent(start, end, clock)
    assert used == calendar.spent(start, end, clock, [*pauses, *reversed(pauses)])


@quickly
@given(MOMENT, SECONDS)
def test_working_hours_agree_with_a_walk_by_minutes(start: int, seconds: int) -> None:
    start -= start % 60
    walked = sum(60 for minute in range(start, start + min(seconds, 90000), 60) if CHINA.is_working(minute))
    stop = start + -(-min(seconds, 90000) // 60) * 60
    assert CHINA.spent(start, stop, "work_hour") == walked


def limit(id_: int, **more: object) -> Limit:
    return Limit(**{"id": id_, "stage": "handle", "amount": 1, "clock": "work_day", **more})


DAY = day_bucket(date(2026, 3, 1))


def test_the_narrowest_limit_holds() -> None:
    held = Limits([
        limit(1), limit(2, category="a"), limit(3, category="a", kind="k"), limit(4, urgent=True), limit(5, category="a", urgent=True),
        limit(6, kind="k"), limit(7, stage="total"),
    ])

    def found(category: str, kind: str, urgent: bool) -> int:
        return held.find("handle", category, kind, urgent, DAY).id

    assert found("b", "x", False) == 1
    assert found("a", "x", False) == 2
    assert found("a", "k", False) == 3
    assert found("a", "k", True) == 3
    assert found("b", "x", True) == 4
    assert found("a", "x", True) == 5
    assert found("b", "k", False) == 6
    assert held.find("verify", "a", "k", False, DAY) is None
    assert len(held) == 7


def test_a_limit_that_changes_holds_for_cases_from_its_day_on() -> None:
    held = Limits([limit(1, amount=5), limit(2, amount=3, valid_from=DAY), limit(3, amount=1, valid_from=DAY + 10, valid_to=DAY + 20)])
    amounts = {day: held.find("handle", "a", "", False, day).amount for day in (0, DAY - 1, DAY, DAY + 9, DAY + 10, DAY + 19, DAY + 20)}
    assert list(amounts.values()) == [5, 5, 3, 3, 1, 1, 3]
    assert Limits([limit(1, valid_from=DAY)]).find("handle", "", "", False, DAY - 1) is None


TOML = """
name = "小城"
code = "9"
[statuses]
"处置中" = "handling"
[categories]
appearance = { name = "市容" }
[[levels]]
id = "city"
name = "全市"
[[levels]]
id = "grid"
name = "网格"
file = "grids.geojson"
code = "code"
[[cases]]
id = "c"
file = "cases.csv"
[cases.columns]
no = "编号"
reported_at = "上报"
due_at = "期限"
category = "类别"
[calendar]
hours = ["08:30-12:00", "14:00-18:00"]
workdays = [2026-05-16]
holidays = ["2026-05-18"]

[[limits]]
stage = "file"
amount = 0.5
clock = "work_hour"

[[limits]]
stage = "handle"
category = "appearance"
kind = "暴露垃圾"
urgent = false
amount = 4
clock = "work_hour"
basis = "示例"
valid_from = 2026-03-01
valid_to = 2027-03-01
"""
SQUARE = """{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"91"},
"geometry":{"type":"Polygon","coordinates":[[[110,20],[110.1,20],[110.1,20.1],[110,20.1],[110,20]]]}}]}"""


def line_of(text: str, words: str, nth: int = 0) -> int:
    return [n for n, line in enumerate(text.splitlines(), 1) if line.startswith(words)][nth]


@pytest.mark.parametrize(("old", "new", "line", "words"), [
    ("category = \"appearance\"", "category = 'apearance'", ("category = 'ap", 0), ["'apearance' is no category", "'appearance'"]),
    ("clock = \"work_hour\"\nbasis", "clock = 'work_hours'\nbasis", ("clock = 'work", 0), ["limits[1].clock", "'work_hour'"]),
    ("stage = \"handle\"", "stage = 'handel'", ("stage = 'h", 0), ["limits[1].stage", "'handle'"]),
    ("basis = \"示例\"", "bases = '示例'", ("bases", 0), ["unknown key limits[1].bases", "'basis'"]),
    ("amount = 4", "amount = -4", ("amount = -4", 0), ["limits[1].amount", "greater than 0"]),
    ("amount = 4", "amount = inf", ("amount = inf", 0), ["limits[1].amount", "10000"]),
    ("amount = 4", "amount = nan", ("amount = nan", 0), ["limits[1].amount"]),
    ("amount = 0.5\nclock = \"work_hour\"", "amount = 0.5\nclock = 'work_day'", ("[[limits]]", 0), ["amount 0.5", "whole"]),
    ("valid_to = 2027-03-01", "valid_to = 2026-03-01", ("[[limits]]", 1), ["2026-03-01 is not after"]),
    ("valid_to = 2027-03-01", "valid_to = 'soon'", ("valid_to", 0), ["limits[1].valid_to"]),
    ("stage = \"file\"", "stage = 'arrive'\nkind = 'emergncy'", ("[[limits]]", 0), ["reason of a whistle", "'emergency'"]),
    ("amount = 0.5\n", "", ("[[limits]]", 0), ["limits[0].amount is missing"]),
    ("[[limits]]\nstage = \"handle\"", "[[limits]]\nstage = 'file'\namount = 2\nclock = 'work_hour'\n[[limits]]\nstage = 'handle'", ("[[limits]]", 1), ["the same cases", "limits[0]"]),
    ("hours = [\"08:30-12:00\", ", "hours = [\"8-12\", ", ("hours", 0), ["'8-12' is no range of hours"]),
    ("hours = [\"08:30-12:00\", ", "hours = [\"22:00-06:00\", ", ("hours", 0), ["to 24:00 and from 00:00"]),
    ("hours = [\"08:30-12:00\", ", "hours = [\"08:30-14:30\", ", ("hours", 0), ["before the range ahead"]),
    ("workdays = [2026-05-16]", "workday = [2026-05-16]", ("workday =", 0), ["unknown key calendar.workday", "'workdays'"]),
    ("workdays = [2026-05-16]", "workdays = [2026-05-18]", ("[calendar]", 0), ["both in workdays and in holidays"]),
    ("workdays = [2026-05-16]", "library = 'chin'", ("library", 0), ["calendar.library", "'china'"]),
    ("workdays = [2026-05-16]", "weekend = ['sunday']", ("weekend", 0), ["'sunday' is no day of the week", "'sun'"]),
    ("workdays = [2026-05-16]", "weekend = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']", ("weekend", 0), ["all seven"]),
])
def test_a_mistaken_rule_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: tuple[str, int], words: list[str]) -> None:
    assert old in TOML
    text = TOML.replace(old, new)
    (tmp_path / "city.toml").write_text(text, "utf-8")

    with pytest.raises(CityFileError) as bad:
        read_city(tmp_path)

    assert f"line {line_of(text, *line)}:" in str(bad.value)
    for word in words:
        assert word in str(bad.value)


def test_a_category_that_comes_with_the_cases_may_have_a_limit(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text("automatic_categories = true" + TOML.replace('category = "appearance"', "category = '渣土'"), "utf-8")
    assert read_city(tmp_path).limits[1].category == "渣土"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "little"
    made.mkdir()
    (made / "city.toml").write_text(TOML, "utf-8")
    (made / "grids.geojson").write_text(SQUARE, "utf-8")
    (made / "cases.csv").write_text("编号,上报,期限,类别\nA1,2026-03-02 09:00,2026-03-04 18:00,appearance\n", "utf-8")
    return made


def rows(store: Store) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(time_limit).order_by(time_limit.c.id))]


def rules(store: Store) -> int:
    with store.read() as connection:
        return get_meta(connection, "rules")


def test_rules_come_in_and_loading_again_changes_nothing(store: Store, folder: Path) -> None:
    report = loading.load(folder, store, quiet=True)
    assert report.rules["limits"] == 2
    assert "时限 2 条" in report.text()
    assert f"known to the end of {LAST_YEAR}" in report.text("en")
    held, number = rows(store), rules(store)
    with store.read() as connection:
        before, limits, calendar = version(connection), read_limits(connection), read_calendar(connection)
    assert limits.find("handle", "appearance", "暴露垃圾", False, DAY).amount == 4
    assert limits.find("handle", "appearance", "暴露垃圾", True, DAY) is None
    assert limits.find("file", "appearance", "", True, 0).clock == "work_hour"
    assert calendar == Calendar(hours=read_hours(["08:30-12:00", "14:00-18:00"]), workdays=frozenset({date(2026, 5, 16)}), holidays=frozenset({date(2026, 5, 18)}))

    assert not loading.load(folder, store, quiet=True).changed
    assert (rows(store), rules(store)) == (held, number)
    with store.read() as connection:
        assert version(connection) == before


def test_a_changed_limit_is_told_and_touches_no_case(store: Store, folder: Path) -> None:
    loading.load(folder, store, quiet=True)
    held, number = rows(store), rules(store)
    with store.read() as connection:
        case = connection.execute(select(cases)).one()

    (folder / "city.toml").write_text(TOML.replace("amount = 4", "amount = 2"), "utf-8")
    report = loading.load(folder, store, quiet=True)

    assert report.changed
    assert rules(store) == number + 1
    assert rows(store)[0] == held[0]
    assert [row[5] for row in rows(store)] == [0.5, 2]
    with store.read() as connection:
        assert connection.execute(select(cases)).one() == case

    (folder / "city.toml").write_text(TOML.replace("amount = 4", "amount = 2").replace("2026-05-16", "2026-05-23"), "utf-8")
    assert loading.load(folder, store, quiet=True).changed
    assert rules(store) == number + 2
    with store.read() as connection:
        assert read_calendar(connection).is_workday(date(2026, 5, 23))


def test_checking_tells_the_rules_and_stores_none(store: Store, folder: Path) -> None:
    assert loading.check(folder, store).rules == {"limits": 2, "known_until": LAST_YEAR, "changed": True}
    assert rows(store) == []


def test_a_city_that_names_no_rules_has_no_limit_and_the_calendar_of_its_zone(store: Store, folder: Path) -> None:
    plain = TOML[:TOML.index("[calendar]")]
    (folder / "city.toml").write_text("timezone = 'America/New_York'" + plain, "utf-8")
    loading.load(folder, store, quiet=True)
    with store.read() as connection:
        assert list(read_limits(connection)) == []
        assert read_calendar(connection) == Calendar(zone=NEW_YORK, library="")


def test_an_empty_store_still_has_a_calendar(store: Store) -> None:
    with store.read() as connection:
        assert read_calendar(connection) == Calendar()
        assert len(read_limits(connection)) == 0


def test_the_demo_city_names_a_limit_and_its_ground_for_every_stage(city: Store, demo_folder: Path) -> None:
    with city.read() as connection:
        limits = read_limits(connection)
    assert len(limits) == len(tomllib.loads((demo_folder / "city.toml").read_text("utf-8"))["limits"])
    assert all(one.basis.startswith("示例") for one in limits)
    for code, words in CATEGORIES.items():
        assert limits.find("total", code, "", False, DAY).amount == words[3]
        for stage in ("file", "dispatch", "accept", "handle", "verify", "close"):
            assert limits.find(stage, code, words[5][0], code == "emergencies", DAY) is not None
    arrive = limits.find("arrive", "fire", "emergency", False, DAY)
    assert (arrive.amount, arrive.clock) == (0.5, "urgent_hour")
    assert limits.find("arrive", "fire", "joint", False, DAY).clock == "work_day"
