"""A device that sends ten times as often as it promised: seen, counted, kept whole, and nobody else is harmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import func, select

from dashboard.address import View
from dashboard.context import Context, Visitor, visited
from dashboard.panels import sensors, sources, thing_card
from queries import sources_state
from queries.clock import moment, now, stamp
from queries.frame import EVERYTHING, Actor, Ask
from queries.sensing import values
from queries.sensing.board import renewed
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.sensing.tables import HOUR, reading_sum
from queries.settings import Settings
from queries.tables import reading
from tests.test_sensing import as_if_read_anew, close, said, sensing_city, sums

ASK = Ask(scope=EVERYTHING, since=date.today(), until=date.today())
#: Minutes between two readings that are promised, and how many seconds pass in truth.
PROMISED_S, IN_TRUTH_S = 300, 30
SENSORS = (f"code,name,kind,lon,lat,every\nW1,桥下一,water_level,121.5,29.9,{PROMISED_S}\nW2,桥下二,water_level,121.51,29.9,{PROMISED_S}\n"
           "N1,广场,noise,121.5,29.91,\n")


@pytest.fixture
def scribe(store: Any, tmp_path: Path) -> Iterator[Scribe]:
    made = Scribe(sensing_city(store, tmp_path, 'every_s = "every"\n', SENSORS))
    yield made
    made.close()


def hour_before() -> int:
    """Return the beginning of the last whole hour: both it and this one are looked at."""
    return stamp(now()) // 3600 * 3600 - 3600


def state(scribe: Scribe, code: str, ask: Ask = ASK) -> values.SensorRow:
    return next(row for row in values.listed(scribe.store, ask).rows if row.code == code)


def send(scribe: Scribe, code: str, every_s: int, first: int, n: int, together: int = 10) -> None:
    for i in range(0, n, together):
        scribe.take(Parcel(source="s", rows=[Read(code, first + every_s * k, 1.0 + k / 1000) for k in range(i, min(n, i + together))]))


def still_there(scribe: Scribe, *codes: str) -> None:
    """Let devices be heard just now: however late in the hour it is, none of them is silent."""
    for code in codes:
        scribe.take(Parcel(source="s", rows=[Read(code, stamp(now()), 1.0)]))


def test_ten_times_the_promised_rate_is_seen_counted_and_kept_whole(scribe: Scribe) -> None:
    begin = hour_before()
    send(scribe, "W1", IN_TRUTH_S, begin, 120)
    send(scribe, "W2", PROMISED_S, begin, 12)
    still_there(scribe, "W1", "W2")
    renewed(scribe.store)
    hasty, honest = state(scribe, "W1"), state(scribe, "W2")
    assert (hasty.state, hasty.often, honest.often) == ("often", 120, 0)
    assert honest.state != "often"
    # Three times the promise of an hour is no haste yet; what is beyond is counted at its source.
    assert said(scribe.store, "often") == 120 - 3 * 12
    (row,) = [one for one in sources_state.sources(scribe.store).rows if one.id == "s"]
    assert row.counts["often"] == 84
    with scribe.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(reading)) == 134
        assert connection.scalar(select(func.sum(reading_sum.c.n)).where(reading_sum.c.grain == HOUR)) == 134
    assert close(sums(scribe.store), as_if_read_anew(scribe.store))
    assert next(h for h in values.health(scribe.store, ASK).rows if h.kind == "water_level").states["often"] == 1


def test_it_is_said_on_the_card_in_the_list_and_at_the_source_in_both_languages(scribe: Scribe, tmp_path: Path) -> None:
    send(scribe, "W1", IN_TRUTH_S, hour_before(), 120)
    still_there(scribe, "W1")
    renewed(scribe.store)
    context = Context(settings=Settings(data_dir=tmp_path), store=scribe.store)
    for lang, word, why, beyond in (("zh", "上报过频", "一小时 120 条读数，约定 12 条", "过频 84"), ("en", "sends too often", "120 readings in an hour where 12 are promised", "beyond the promised rate 84")):
        view = View(scene="alarms", lang=lang, thing="sensor:W1")
        with visited(Visitor(actor=Actor(name="t", post="admin", scope=EVERYTHING), by="session")):
            drawn = {one: json.dumps(panel.render(context, view), cls=PlotlyJSONEncoder, ensure_ascii=False) for one, panel in (("card", thing_card), ("list", sensors), ("sources", sources))}
        assert word in drawn["card"]
        assert why in drawn["card"]
        assert word in drawn["list"]
        assert beyond in drawn["sources"]


def test_more_than_one_reading_a_second_keeps_the_last_and_says_how_many_were_corrected(scribe: Scribe) -> None:
    at = hour_before()
    for k in range(10):
        scribe.take(Parcel(source="s", rows=[Read("W1", at, 1.0 + k / 10)]))
    with scribe.store.read() as connection:
        assert [tuple(r) for r in connection.execute(select(reading.c.at, reading.c.value))] == [(at, 1.9)]
    assert close(sums(scribe.store), as_if_read_anew(scribe.store))
    assert said(scribe.store, "taken") == 10


def test_a_day_of_backlog_at_once_is_late_and_no_haste(scribe: Scribe) -> None:
    begin = hour_before() - 86_400
    send(scribe, "W1", PROMISED_S, begin, 280, together=280)
    renewed(scribe.store)
    assert (state(scribe, "W1").often, said(scribe.store, "often")) == (0, 0)
    assert said(scribe.store, "late") > 250


def test_who_hurried_at_a_moment_of_the_past_is_told_by_the_last_whole_hour(scribe: Scribe) -> None:
    begin = hour_before() - 6 * 3600
    send(scribe, "W1", IN_TRUTH_S, begin, 120)
    renewed(scribe.store)
    at = moment(begin + 3600 + 100).astimezone(ZoneInfo("Asia/Shanghai"))
    past = ASK.but(since=at.date() - timedelta(days=1), until=at.date() - timedelta(days=1), at=at)
    assert state(scribe, "W1", past).state == "often"
    assert state(scribe, "W1", past.but(at=at + timedelta(hours=1))).state != "often"
    assert state(scribe, "W1").often == 0
