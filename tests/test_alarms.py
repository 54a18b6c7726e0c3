"""Alarms from readings to their end: raised, grouped, shelved, settled by people; F10; floods and chatter."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from queries.alarms import acts, desk
from queries.alarms.watch import silence
from queries.clock import now, stamp
from queries.errors import AskError, NoSuchError, PostError, StepError
from queries.frame import EVERYTHING, NOTHING, Actor, Ask
from queries.loop.writer import Writer
from queries.sensing import register
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.sensing.tables import alarm, alarm_event
from queries.store import Store
from queries.tables import cases
from tests.test_sensing import sensing_city

RULES = '''
[[alarms]]
id = "flood"
title = "水位超限"
title_en = "Water above limit"
kind = "threshold"
sensor_kind = "water_level"
metric = "water_level"
limits = { blue = 2.0, yellow = 3.0, orange = 4.0, red = 5.0 }
deadband = 0.2
action = "通知街道带班"
category = "other"

[[alarms]]
id = "rising"
title = "水位上涨过快"
kind = "rate"
metric = "water_level"
limits = { orange = 1.0 }
window_s = 600

[[alarms]]
id = "mute"
title = "传感器失联"
kind = "silence"
sensor_kind = "noise"
limits = { blue = 3 }

[[alarms]]
id = "rain"
title = "暴雨"
kind = "sum"
sensor_kind = "rain"
metric = "rain"
windows = [{ level = "blue", at = 50, hours = 12 }, { level = "yellow", at = 50, hours = 6 }, { level = "orange", at = 50, hours = 3 }, { level = "red", at = 100, hours = 3 }]
'''
SENSORS = ("code,name,kind,lon,lat\nW1,桥下一,water_level,121.5,29.9\nW2,桥下二,water_level,121.501,29.9\nW3,远处,water_level,121.6,29.95\n"
           "N1,广场,noise,121.5,29.91\nN2,公园,noise,121.51,29.91\nR1,雨量,rain,121.5,29.9\n")
LEAD = Actor(name="zhang", post="street", scope=EVERYTHING, shown="街道值班")
ASK = Ask(scope=EVERYTHING, since=date.today(), until=date.today())


@pytest.fixture
def scribe(store: Store, tmp_path: Path) -> Any:
    made = Scribe(sensing_city(store, tmp_path, RULES, SENSORS))
    yield made
    made.close()


def say(scribe: Scribe, code: str, values: list[float], every: int = 60, end: int = 0) -> None:
    last = stamp(now()) - end
    scribe.take(Parcel(source="s", rows=[Read(code, last - (len(values) - 1 - i) * every, v) for i, v in enumerate(values)]))


def listed(scribe: Scribe, state: str = "open") -> list[Any]:
    return list(desk.alarms(scribe.store, ASK, state).rows)


def test_an_alarm_names_level_place_and_action_and_ends_only_by_a_person(scribe: Scribe) -> None:
    say(scribe, "W1", [1.0, 3.5], every=10, end=5)
    (row,) = [one for one in listed(scribe) if one.rule == "flood"]
    assert (row.level, row.state, row.sensor, row.value, row.bound, row.action["zh"]) == ("yellow", "unacked", "W1", 3.5, 3.0, "通知街道带班")
    assert row.area_code
    say(scribe, "W1", [0.5])
    (row,) = [one for one in listed(scribe) if one.rule == "flood"]
    assert (row.state, row.is_active, row.peak) == ("unacked", False, 3.5)
    acts.acknowledge(scribe.store, LEAD, ASK, row.id, "看到了")
    assert desk.one(scribe.store, ASK, row.id).row.state == "cleared"
    acts.settle(scribe.store, LEAD, ASK, row.id, "real", "")
    assert [e.what for e in desk.history(scribe.store, ASK, row.id).rows] == ["raised", "cleared", "acked", "real"]
    assert row.id not in [one.id for one in listed(scribe)]
    with pytest.raises(StepError):
        acts.acknowledge(scribe.store, LEAD, ASK, row.id)


def test_the_same_again_is_the_same_alarm_and_wants_to_be_seen_again(scribe: Scribe) -> None:
    say(scribe, "W3", [3.5], end=500)
    (row,) = listed(scribe)
    acts.acknowledge(scribe.store, LEAD, ASK, row.id)
    say(scribe, "W3", [1.0, 3.5, 1.0, 3.6], every=60)
    (row,) = [one for one in listed(scribe) if one.rule == "flood"]
    assert (row.times, row.state, row.chattering) == (3, "unacked", True)


def test_of_a_year_of_backlog_only_the_end_raises_an_alarm(scribe: Scribe) -> None:
    present = stamp(now())
    year = [Read("W3", present - 365 * 86_400 + i * 7200, 4.5 if i % 24 == 0 else 0.5) for i in range(12 * 362)]
    told = scribe.take(Parcel(source="s", rows=year))
    assert (told.new, listed(scribe, "all")) == (len(year), [])
    assert not desk.pace(scribe.store, ASK).row.flood
    scribe.take(Parcel(source="s", rows=[*year, Read("W3", present - 3600, 4.5), Read("W3", present - 1800, 4.6)]))
    assert [(row.level, row.times, row.is_active) for row in listed(scribe)] == [("orange", 1, True)]


def test_neighbours_are_one_group_and_far_ones_are_not(scribe: Scribe) -> None:
    for code in ("W1", "W2", "W3"):
        say(scribe, code, [4.5])
    rows = {one.sensor: one for one in listed(scribe)}
    assert rows["W1"].group_id == rows["W2"].group_id != rows["W3"].group_id
    assert (rows["W1"].group, rows["W3"].group) == (2, 1)


@pytest.mark.parametrize(("fall", "hours", "level"), [(49.9, 12, ""), (50, 12, "blue"), (50, 6, "yellow"), (50, 3, "orange"), (100, 3, "red")])
def test_f10_rain_has_the_published_levels(scribe: Scribe, fall: float, hours: int, level: str) -> None:
    n = hours * 12
    part = [round(fall / n, 9)] * n
    part[-1] = fall - sum(part[:-1])
    say(scribe, "R1", part, every=299)
    told = [one.level for one in listed(scribe) if one.rule == "rain"]
    # What falls evenly reaches lower levels on its way; the one that stands is that of the whole.
    assert told == ([level] if level else [])


def test_a_quick_rise_is_an_alarm_of_its_own(scribe: Scribe) -> None:
    say(scribe, "W3", [0.1 * i for i in range(15)], every=60)
    (row,) = listed(scribe)
    assert (row.rule, row.level, row.unit) == ("rising", "orange", "m/h")
    assert row.peak == pytest.approx(6.0, abs=0.7)


def test_one_silent_sensor_is_an_alarm_and_a_silent_source_is_not(scribe: Scribe) -> None:
    awake: dict[str, int] = {}

    def judge(after_s: int = 0) -> bool:
        with scribe.store.write() as connection:
            return silence(connection, register.read(connection), stamp(now()) + after_s, awake)

    say(scribe, "N1", [50.0], end=600)
    say(scribe, "N2", [50.0])
    # Nobody knows yet how long the kind has been heard: each of it has its whole time to come back.
    assert not judge()
    awake["noise"] = stamp(now()) - 200
    assert judge()
    (row,) = listed(scribe)
    assert (row.rule, row.sensor, row.is_active) == ("mute", "N1", True)
    say(scribe, "N1", [50.0])
    assert judge(2)
    # An hour without anybody: the source is away, and the first who is back makes no alarm of the others.
    assert not judge(3600)
    assert "noise" not in awake
    (row,) = listed(scribe)
    assert not row.is_active


def test_what_is_shelved_is_off_the_list_visible_and_comes_back(scribe: Scribe) -> None:
    say(scribe, "W3", [4.5], end=60)
    (row,) = listed(scribe)
    for minutes, reason in ((0, "检修"), (5000, "检修"), (30, "")):
        with pytest.raises(AskError):
            acts.put_aside(scribe.store, LEAD, ASK, row.id, minutes, reason)
    acts.put_aside(scribe.store, LEAD, ASK, row.id, 30, "检修中")
    assert listed(scribe) == []
    assert desk.serious(scribe.store, ASK).rows == ()
    (kept,) = desk.shelves(scribe.store, ASK).rows
    assert (kept.alarm_id, kept.reason, kept.by) == (row.id, "检修中", "街道值班")
    say(scribe, "W3", [1.0, 4.6], every=5)
    assert listed(scribe) == []
    acts.take_back(scribe.store, LEAD, ASK, row.id)
    assert [one.id for one in listed(scribe)] == [row.id]


def test_a_false_alarm_needs_a_reason_and_feeds_the_precision(scribe: Scribe) -> None:
    for code in ("W1", "W3"):
        say(scribe, code, [4.5])
    first, second = listed(scribe)
    with pytest.raises(AskError):
        acts.settle(scribe.store, LEAD, ASK, first.id, "false", " ")
    acts.settle(scribe.store, LEAD, ASK, first.id, "false", "树枝遮挡")
    acts.settle(scribe.store, LEAD, ASK, second.id, "real", "")
    pace = desk.pace(scribe.store, ASK).row
    assert (pace.real, pace.settled, pace.ten_minutes, pace.flood) == (1, 2, 2, False)


def test_more_than_ten_in_ten_minutes_at_one_position_is_a_flood(scribe: Scribe) -> None:
    say(scribe, "W3", [1.0, 4.5] * 11, every=10)
    assert desk.pace(scribe.store, ASK).row.flood
    assert not desk.pace(scribe.store, ASK, positions=2).row.flood


def test_an_alarm_becomes_a_case_by_a_person_and_once(scribe: Scribe) -> None:
    say(scribe, "W3", [4.5])
    (row,) = listed(scribe)
    writer = Writer(scribe.store)
    viewer = Actor(name="v", post="viewer", scope=EVERYTHING)
    with pytest.raises(PostError):
        acts.make_case(writer, scribe.store, viewer, ASK, row.id)
    receipt = acts.make_case(writer, scribe.store, LEAD, ASK, row.id)
    with pytest.raises(StepError):
        acts.make_case(writer, scribe.store, LEAD, ASK, row.id)
    writer.close()
    with scribe.store.read() as connection:
        made = connection.execute(select(cases)).one()
        kept = connection.execute(select(alarm).where(alarm.c.id == row.id)).one()
    assert (made.no, made.urgent, made.lon) == (receipt.no, True, 121.6)
    assert (kept.is_open, kept.outcome, kept.case_no) == (False, "case", receipt.no)


def test_serious_ones_come_with_what_is_near_and_nobody_sees_beyond_their_area(scribe: Scribe) -> None:
    say(scribe, "W1", [4.5])
    say(scribe, "W3", [2.5])
    (row,) = desk.serious(scribe.store, ASK).rows
    assert (row.alarm.sensor, row.alarm.level, row.bbox is not None) == ("W1", "orange", True)
    assert [near.code for near in row.sensors][0] == "W1"
    outside = ASK.but(scope=NOTHING)
    with pytest.raises(NoSuchError):
        desk.one(scribe.store, outside, row.alarm.id)
    acts.acknowledge(scribe.store, LEAD, ASK, row.alarm.id)
    assert desk.serious(scribe.store, ASK).rows == ()


def test_history_only_grows(scribe: Scribe) -> None:
    say(scribe, "W3", [2.5], end=30)
    (row,) = listed(scribe)
    before = desk.history(scribe.store, ASK, row.id).rows
    say(scribe, "W3", [4.5, 5.5], every=10)
    acts.acknowledge(scribe.store, LEAD, ASK, row.id)
    after = desk.history(scribe.store, ASK, row.id).rows
    assert after[:len(before)] == before
    assert [e.what for e in after] == ["raised", "up", "up", "acked"]
    with scribe.store.read() as connection:
        assert connection.execute(select(alarm_event.c.by).where(alarm_event.c.what == "acked")).scalar() == "街道值班"
