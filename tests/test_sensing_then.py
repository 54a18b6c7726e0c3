"""Sensors and alarms at a moment of the past: by what had been measured and done until then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queries.alarms import acts, desk
from queries.alarms.watch import look
from queries.clock import moment, now, stamp
from queries.errors import NoSuchError, ScopeError
from queries.frame import NOTHING, Ask
from queries.sensing import ledger, register, values
from queries.sensing.board import renewed
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.store import Store
from queries.tables import reading
from tests.test_alarms import ASK, LEAD, RULES, SENSORS
from tests.test_sensing import sensing_city

WORLD = (121.0, 29.0, 122.0, 30.5)


@pytest.fixture
def scribe(store: Store, tmp_path: Path) -> Iterator[Scribe]:
    made = Scribe(sensing_city(store, tmp_path, RULES, SENSORS))
    yield made
    made.close()


def at(seconds: int) -> Ask:
    then_ = moment(seconds).astimezone(ZoneInfo("Asia/Shanghai"))
    return ASK.but(since=then_.date() - timedelta(days=1), until=then_.date() - timedelta(days=1), at=then_)


def told(store: Store, seconds: int) -> dict[str, tuple[float | None, datetime | None]]:
    return {r.code: (r.value, r.at) for r in values.listed(store, at(seconds)).rows}


def test_a_sensor_has_the_last_value_before_the_moment_and_none_before_its_first(scribe: Scribe) -> None:
    hour = stamp(now()) // 3600 * 3600 - 5 * 3600
    scribe.take(Parcel(source="s", rows=[Read("W1", hour + 60, 1.0), Read("W1", hour + 120, 1.5), Read("W3", hour - 7200, 0.5), Read("W1", hour + 7200, 1.9)]))
    renewed(scribe.store)
    assert told(scribe.store, hour + 119)["W1"] == (1.0, moment(hour + 60))
    assert told(scribe.store, hour + 120)["W1"] == (1.5, moment(hour + 120))
    assert told(scribe.store, hour + 7199)["W1"] == (1.5, moment(hour + 120))
    assert told(scribe.store, hour + 119)["W3"] == (0.5, moment(hour - 7200))
    assert told(scribe.store, hour - 7201)["W3"] == (None, None)
    assert told(scribe.store, hour)["W1"] == (None, None)
    series = values.series(scribe.store, at(hour + 300), "W1", grain="minute", since=hour, until=hour + 9000).rows
    assert [r.last for r in series if r.n] == [1.0, 1.5]


def test_silence_is_judged_against_the_moment(scribe: Scribe) -> None:
    begin = stamp(now()) - 6 * 3600
    scribe.take(Parcel(source="s", rows=[Read("N1", begin, 50.0)]))
    held = renewed(scribe.store)
    every = held.register.every_s(held.register.sensors["N1"])
    assert every

    def state(seconds: int) -> str:
        return next(r.state for r in values.listed(scribe.store, at(seconds)).rows if r.code == "N1")

    assert [state(begin - 1), state(begin + 3 * every), state(begin + 3 * every + 1)] == ["never", "ok", "silent"]
    shown = {p.nos[0]: p.by_status for p in values.points(scribe.store, at(begin + 1), WORLD, 11).rows}
    assert shown["N1"] == {"ok": 1}
    with pytest.raises(ScopeError):
        values.points(scribe.store, at(begin + 1).but(scope=NOTHING), WORLD, 11)


def test_where_readings_have_left_the_value_is_of_the_last_whole_minute_and_that_is_said(scribe: Scribe) -> None:
    hour = stamp(now()) // 3600 * 3600 - 5 * 3600
    scribe.take(Parcel(source="s", rows=[Read("W1", hour + 60, 1.0), Read("W1", hour + 150, 1.5)]))
    renewed(scribe.store)
    fine = values.listed(scribe.store, at(hour + 155))
    assert told(scribe.store, hour + 155)["W1"][0] == 1.5
    with scribe.store.write() as connection:
        ledger.set_floor(connection, hour + 86_400)
        connection.execute(reading.delete())
    coarse = values.listed(scribe.store, at(hour + 156))
    # The minute that the moment lies in is not whole: its sum knows what came after.
    assert told(scribe.store, hour + 156)["W1"] == (1.0, moment(hour + 60))
    assert told(scribe.store, hour + 181)["W1"] == (1.5, moment(hour + 150))
    assert len(coarse.notes) == len(fine.notes) + 1


def seen_at(store: Store, seconds: int, *rows: tuple[str, float]) -> dict[int, Any]:
    """Let the rules look at readings as if at a moment; return the open alarms as they then stand."""
    with store.write() as connection:
        held = register.read(connection, None)
        look(connection, held, [(seconds, held.sensors[code].id, "water_level", value) for code, value in rows], seconds)
    return standing(desk.alarms(store, ASK, "open").rows)


def standing(rows: Any) -> dict[int, Any]:
    return {r.id: (r.level, r.state, r.is_active, r.times, r.value, r.peak, r.acked_by, r.group) for r in rows}


def test_alarms_of_a_moment_are_those_that_stood_open_then(scribe: Scribe) -> None:
    store, begin = scribe.store, stamp(now()) - 40_000
    kept = {begin - 10: {}}
    for i, rows in enumerate(([("W1", 3.5)], [("W1", 4.5), ("W2", 2.5)], [("W1", 3.5)], [("W1", 0.5), ("W3", 5.5)], [("W1", 3.2)])):
        kept[begin + 600 * i] = seen_at(store, begin + 600 * i, *rows)
    assert len({len(held) for held in kept.values()}) >= 3
    open_now = list(desk.alarms(store, ASK, "open").rows)
    acts.acknowledge(store, LEAD, ASK, open_now[0].id)
    acts.settle(store, LEAD, ASK, open_now[0].id, "real", "")
    acts.put_aside(store, LEAD, ASK, open_now[1].id, 30, "在修")
    for seconds, held in kept.items():
        # Between two moments nothing happened: just before the next one it stood the same.
        for later in (0, 599 if seconds >= begin else 9):
            assert standing(desk.alarms(store, at(seconds + later), "open").rows) == held
    first = min(kept[begin])
    assert [e.what for e in desk.history(store, at(begin + 700), first).rows] == ["raised", "up"]
    with pytest.raises(NoSuchError):
        desk.one(store, at(begin - 1), first)
    assert {r.state for r in desk.alarms(store, at(stamp(now()) + 1), "shelved").rows} == {"shelved"}
    assert [r.id for r in desk.alarms(store, at(stamp(now()) + 1), "closed").rows] == [open_now[0].id]


def test_a_sensor_shows_the_alarm_that_stood_at_the_moment(scribe: Scribe) -> None:
    store, begin = scribe.store, stamp(now()) - 40_000
    seen_at(store, begin, ("W1", 4.5))
    seen_at(store, begin + 600, ("W1", 0.5))
    scribe.take(Parcel(source="s", rows=[Read("W1", begin, 4.5)]))
    renewed(store)

    def state(seconds: int) -> str:
        return next(r.state for r in values.listed(store, at(seconds)).rows if r.code == "W1")

    assert (state(begin + 1), state(begin + 599)) == ("orange", "orange")
    assert state(begin + 601) in ("ok", "silent")
