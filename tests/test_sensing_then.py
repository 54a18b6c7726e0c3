"""Sensors and alarms at a moment of the past: by what had been measured and done until then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert

from queries import cameras, frame, things
from queries.alarms import acts, desk, places
from queries.alarms.watch import look
from queries.clock import moment, now, stamp
from queries.errors import GovError, NoSuchError, ScopeError
from queries.frame import NOTHING, Ask
from queries.sensing import ledger, register, values
from queries.sensing.board import renewed
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.sensing.tables import alarm, alarm_event, alarm_watch, camera_state, shelf
from queries.store import Store
from queries.tables import camera, reading
from tests.test_alarms import ASK, LEAD, RULES, SENSORS
from tests.test_sensing import sensing_city
from tests.test_then import Clock

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


class AlarmHistory(RuleBasedStateMachine):
    """Readings and what people do about their alarms, in any order; after each step all that the screens say is kept beside its moment."""

    store: Store
    clock: Clock

    @initialize()
    def begin(self) -> None:
        with self.store.write() as connection:
            for table in (alarm_event, alarm, alarm_watch, shelf):
                connection.execute(delete(table))
        self.kept: dict[int, Any] = {}

    @rule(code=st.sampled_from(("W1", "W2", "W3")), value=st.sampled_from((0.5, 2.5, 3.5, 4.5, 5.5)), seconds=st.integers(1, 900))
    def measured(self, code: str, value: float, seconds: int) -> None:
        self.clock.on(seconds)
        with self.store.write() as connection:
            held = register.read(connection, None)
            look(connection, held, [(stamp(self.clock.at), held.sensors[code].id, "water_level", value)], stamp(self.clock.at))

    @rule(seconds=st.integers(1, 4000))
    def nothing_happened(self, seconds: int) -> None:
        self.clock.on(seconds)

    @rule(pick=st.integers(0, 5), what=st.sampled_from(("ack", "shelve", "back", "real", "false")), seconds=st.integers(1, 300))
    def somebody_acted(self, pick: int, what: str, seconds: int) -> None:
        self.clock.on(seconds)
        rows = sorted(one.id for state in ("open", "shelved") for one in desk.alarms(self.store, ASK, state).rows)
        if not rows:
            return
        id_ = rows[pick % len(rows)]
        try:
            if what == "ack":
                acts.acknowledge(self.store, LEAD, ASK, id_)
            elif what == "shelve":
                acts.put_aside(self.store, LEAD, ASK, id_, 20, "在修")
            elif what == "back":
                acts.take_back(self.store, LEAD, ASK, id_)
            else:
                acts.settle(self.store, LEAD, ASK, id_, what, "树枝遮挡")
        except GovError:
            return

    @invariant()
    def kept_beside_its_moment(self) -> None:
        if hasattr(self, "kept"):
            self.kept[stamp(self.clock.at)] = screens(self.store, ASK)

    def teardown(self) -> None:
        for seconds, held in getattr(self, "kept", {}).items():
            assert screens(self.store, at(seconds)) == held


def screens(store: Store, ask: Ask) -> Any:
    """Return what list, shelf, figures and map say. A value is told by the log only where a level changed, so it is left out."""
    lists = {state: {r.id: (r.level, r.state, r.is_active, r.times, r.acked_by, r.acked_at, r.again_at, r.shelved_until if r.state == "shelved" else None, r.outcome, r.reason, r.chattering, r.group)
                     for r in desk.alarms(store, ask, state).rows} for state in ("open", "unacked", "shelved", "closed", "all")}
    shelved = [(r.alarm_id, r.at, r.until, r.reason) for r in desk.shelves(store, ask).rows]
    marks = {(p.n, tuple(sorted(p.by_status.items())), p.nos) for p in places.points(store, ask, WORLD, 14).rows}
    return lists, shelved, desk.pace(store, ask).row, marks


def test_list_shelf_pace_and_marks_of_a_moment_are_those_that_the_screens_showed_then(scribe: Scribe, monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine(AlarmHistory):
        pass

    Machine.store, Machine.clock = scribe.store, Clock()
    for module in (acts, desk, places, frame):
        monkeypatch.setattr(module, "now", Machine.clock)
    # The two databases are told apart by a few histories, the past by many.
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=8 if scribe.store.dialect == "sqlite" else 2, stateful_step_count=25, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)))


def test_cameras_of_a_moment_are_as_their_source_told_of_it(scribe: Scribe) -> None:
    store, begin = scribe.store, stamp(now()) - 10 * 86_400
    with store.write() as connection:
        node = next(iter(register.read(connection).sensors.values())).node
        for code in ("C1", "C2"):
            connection.execute(insert(camera).values(code=code, name=code, kind="", node=node, lon=121.5, lat=29.9, source="s", hash=code, placed="point", state="online", since_at=begin + 500,
                                                     **{"class": "key_area"}, stream="", still=""))
        first = connection.scalar(camera.select().with_only_columns(camera.c.id).where(camera.c.code == "C1"))
        for second, state in ((begin, "online"), (begin + 100, "offline"), (begin + 500, "online")):
            connection.execute(insert(camera_state).values(camera_id=first, at=second, state=state))

    def told(seconds: int) -> tuple[dict[str, int], str, str]:
        health = {k: n for k, n in cameras.health(store, at(seconds)).row.buckets.items() if n}
        marks = {p.nos[0]: next(iter(p.by_status)) for p in things.points(store, at(seconds), WORLD, 14).rows}
        row = cameras.one(store, at(seconds), "C1").row
        return health, row.bucket, marks["C1"]

    assert told(begin - 1) == ({"unknown": 2}, "unknown", "unknown")
    assert told(begin + 99) == ({"online": 1, "unknown": 1}, "online", "online")
    assert told(begin + 100) == ({"new_offline": 1, "unknown": 1}, "new_offline", "offline")
    assert told(begin + 500) == ({"online": 1, "unknown": 1}, "online", "online")
    with pytest.raises(NoSuchError):
        cameras.one(store, at(begin).but(scope=NOTHING), "C1")
