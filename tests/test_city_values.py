"""Dates, numbers and words as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.city.dates import DateReader, DayOrder
from queries.city.values import Matcher, clean, number, numbers, truths

SHANGHAI = ZoneInfo("Asia/Shanghai")
BOSTON = ZoneInfo("America/New_York")


def _stamp(*parts: int, zone: ZoneInfo = SHANGHAI) -> int:
    return int(datetime(*parts, tzinfo=zone).timestamp())


def _read(*texts: str | None, zone: ZoneInfo = SHANGHAI, **options):
    return DateReader(zone, **options).read(pl.Series(texts, dtype=pl.String))


FIVE_PAST_EIGHT = [
    "2024-03-05 08:05", "2024/3/5 8:05", "2024年3月5日 8时5分", "2024年3月5日8点5分", "202403050805", "20240305080500",
    "2024-03-05T08:05:00+08:00", "2024-03-05T00:05:00Z", "2024-03-05 08:05:00.000", "5.3.2024 8:05", "1709597100",
    "1709597100000", "45356.336805556", "２０２４/３/５ ８：０５", "5 Mar 2024 8:05 AM", "Mar 5, 2024 08:05:00",
    "Tue, 05 Mar 2024 00:05:00 GMT", "2024-03-05 上午8:05", "2024.3.5 8:05", "2024-3-5 08:05:00+0800",
]


@pytest.mark.parametrize("text", FIVE_PAST_EIGHT)
def test_one_moment_is_read_however_it_is_written(text: str):
    assert _read(text).seconds.to_list() == [_stamp(2024, 3, 5, 8, 5)]


def test_all_ways_of_writing_can_stand_in_one_column():
    read = _read(*FIVE_PAST_EIGHT)
    assert set(read.seconds) == {_stamp(2024, 3, 5, 8, 5)}
    assert not read.guessed.any()


@pytest.mark.parametrize("text", [
    "2024-02-30", "2023-02-29 10:00", "junk", "2024-13-01", "2024-03-05 25:00", "12345", "24-3-5", "2024", "2024-03-05 junk",
    "-5", "99999999999999999999", "31/31/2024", "2024-03-05T08:05:00+99:99", "0000-00-00 00:00:00",
])
def test_what_is_no_moment_is_told_and_stays_null(text: str):
    read = _read(text)
    assert read.seconds.to_list() == [None]
    assert read.unread.to_list() == [True]


@pytest.mark.parametrize(("column", "want"), [
    (["3/4/2024", "25/4/2024"], (2024, 4, 3)),
    (["3/4/2024", "4/25/2024"], (2024, 3, 4)),
])
def test_day_and_month_are_told_apart_by_the_rest_of_the_column(column: list[str], want: tuple[int, int, int]):
    read = _read(*column)
    assert read.seconds[0] == _stamp(*want)
    assert not read.guessed.any()


@pytest.mark.parametrize("column", [["3/4/2024", "5/6/2024"], ["3/4/2024", "25/4/2024", "4/25/2024"]])
def test_day_and_month_that_nothing_tells_apart_are_only_guessed(column: list[str]):
    assert _read(*column).guessed[0]


@pytest.mark.parametrize("first", [True, False])
def test_long_column_of_days_before_or_after_months_is_read_like_a_short_one(first: bool):
    way = "%d/%m/%Y %H:%M" if first else "%m/%d/%Y %I:%M:%S %p"
    moments = [datetime(2024, 1, 1) + timedelta(hours=5 * n) for n in range(3000)]
    texts = [moment.strftime(way) for moment in moments] + ["", "32/13/2024", "2024-03-05"]

    read = _read(*texts)

    assert read.seconds.to_list()[:3000] == [int(moment.replace(tzinfo=SHANGHAI).timestamp()) for moment in moments]
    assert read.seconds.to_list()[-2:] == [None, _stamp(2024, 3, 5)]
    assert not read.guessed.any()


def test_declared_day_order_needs_no_guess():
    read = _read("3/4/2024", order=DayOrder(declared=False))
    assert read.seconds.to_list() == [_stamp(2024, 3, 4)]
    assert read.guessed.to_list() == [False]


def test_declared_format_is_tried_first():
    read = _read("04-03-24 07h30", formats=("%d-%m-%y %Hh%M",))
    assert read.seconds.to_list() == [_stamp(2024, 3, 4, 7, 30)]


def test_hour_that_the_clock_skips_moves_on_and_is_said():
    read = _read("2024-03-10 02:30:00", "2024-03-10 2:30 AM", "2024-03-10 03:30:00", zone=BOSTON)
    assert set(read.seconds) == {_stamp(2024, 3, 10, 3, 30, zone=BOSTON)}
    assert read.guessed.to_list() == [True, True, False]


def test_hour_that_comes_twice_is_the_first_one():
    read = _read("2024-11-03 01:30:00", "11/3/2024 1:30", "11/13/2024", zone=BOSTON)
    assert read.seconds[0] == read.seconds[1] == int(datetime(2024, 11, 3, 5, 30, tzinfo=UTC).timestamp())


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
WAYS = [
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒", "%Y%m%d%H%M%S",
    "%d.%m.%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S.%f",
]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.sampled_from(WAYS)), min_size=1, max_size=30))
def test_any_moments_written_in_any_mixture_of_ways_come_back(pairs: list[tuple[datetime, str]]):
    read = _read(*(moment.strftime(way) for moment, way in pairs), zone=ZoneInfo("UTC"))
    assert read.seconds.to_list() == [int(moment.replace(tzinfo=UTC).timestamp()) for moment, _ in pairs]


@settings(max_examples=80, deadline=None)
@given(MOMENTS)
def test_excel_serials_come_back_to_the_second(moment: datetime):
    if moment.year < 2030:
        serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
        assert _read(f"{serial:.9f}", zone=ZoneInfo("UTC")).seconds[0] == pytest.approx(moment.replace(tzinfo=UTC).timestamp(), abs=1)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=25) | st.from_regex(r"\A[0-9]{1,4}[-/.年: ][0-9]{1,2}[-/.月: ][0-9]{1,2}[日T ]?[0-9:]{0,8}\Z"), max_size=5))
def test_any_text_is_a_moment_or_is_told(texts: list[str]):
    read = _read(*texts)
    assert len(read.seconds) == len(texts)
    assert (read.seconds.is_null() == read.unread).all()


@pytest.mark.parametrize(("text", "want"), [
    ("12", 12), (" １２．５ ", 12.5), ("1,234.5", 1234.5), ("-3e2", -300), ("116°23'45\"E", 116.395833), ("W71.5", -71.5),
    ("北纬39.9", 39.9), ("12%", 0.12), ("abc", None), ("1,23", None), ("inf", None), ("1e400", None), ("", None), ("1 2", None),
])
def test_number_is_read_as_people_write_it(text: str, want: float | None):
    assert number(text) == (None if want is None else pytest.approx(want, abs=1e-6))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back(value: float):
    read, bad = numbers(pl.Series([repr(value), str(value)]))
    assert read.to_list() == [value, value]
    assert not bad.any()


@settings(max_examples=200)
@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_text_is_a_number_or_is_told(texts: list[str]):
    read, bad = numbers(pl.Series(texts, dtype=pl.String))
    assert (read.is_null() == bad).all()


def test_yes_and_no_are_known_in_both_languages():
    read, bad = truths(pl.Series(["是", "否", "Yes", "no", "1", "0", "紧急", "一般", "maybe", None]))
    assert read.to_list() == [True, False, True, False, True, False, True, False, None, None]
    assert bad.to_list() == [False] * 8 + [True, False]


def test_blank_words_become_null_and_nothing_else():
    column = clean(pl.Series([" ", "\u3000", "NULL", "-", "暂无", "n/a", "0", "不明", " x\u00a0"]), blanks=["不明"])
    assert column.to_list() == [None] * 6 + ["0", None, "x"]


def test_words_match_without_regard_to_case_and_width_and_the_longest_beginning_wins():
    match = Matcher({"trash": ["垃圾*", "Rubbish"], "bulky": ["垃圾(大件)*"], "noise": []})
    assert [match(word) for word in ["RUBBISH ", "垃圾桶", "垃圾（大件）家具", "noise", "road"]] == [
        "trash", "trash", "bulky", "noise", None,
    ]


def test_words_match_by_their_end_too_and_a_star_alone_takes_the_rest():
    match = Matcher({"rest": ["*"], "disputes": ["*纠纷"], "works": ["*工地纠纷"]})
    assert [match(word) for word in ["邻里纠纷", "大型工地纠纷", "纠纷调解"]] == ["disputes", "works", "rest"]


@pytest.mark.parametrize("text", ["1711929600", "171192960", "1711929600123", "1711929600123456", "2024010112", "1912345678", "20240101", "202401011230", "12345", "1711929600.5", "999999999999999"])
def test_counts_of_seconds_read_alike_alone_and_in_a_column(text: str) -> None:
    import polars as pl

    from queries.city.dates import DateReader, _counted

    reader = DateReader(ZoneInfo("Asia/Shanghai"))
    at_once = _counted(pl.Series([text])).item()

    assert at_once in (None, reader._one(text)[0])
    assert (at_once is None) == (text not in ("1711929600", "171192960", "1711929600123", "1711929600123456"))
