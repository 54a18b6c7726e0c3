"""What the map, the list and the card say of sensors, and what time does to readings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from queries.clock import now, stamp
from queries.errors import AskError, NoSuchError, ScopeError
from queries.frame import NOTHING
from queries.loop.writer import Writer
from queries.sensing import ledger, values
from queries.sensing.board import renewed
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.keeping import Keeper
from queries.sensing.scribe import Scribe
from queries.sensing.tables import DAY, HOUR, MINUTE
from queries.settings import Settings
from queries.store import Store
from tests.test_alarms import ASK, RULES, SENSORS, say
from tests.test_sensing import sensing_city, sums

WORLD = (121.0, 29.0, 122.0, 30.5)


@pytest.fixture
def scribe(store: Store, tmp_path: Path) -> Any:
    made = Scribe(sensing_city(store, tmp_path, RULES, SENSORS))
    yield made
    made.close()


def test_the_map_shows_what_each_sensor_is_worth_now(scribe: Scribe) -> None:
    say(scribe, "W1", [1.0])
    say(scribe, "W3", [4.5])
    say(scribe, "N1", [50.0], end=3600)
    renewed(scribe.store)
    told = {p.nos[0]: p.by_status for p in values.points(scribe.store, ASK, WORLD, 11).rows}
    assert told == {"W1": {"ok": 1}, "W2": {"never": 1}, "W3": {"orange": 1}, "N1": {"silent": 1}, "N2": {"never": 1}, "R1": {"never": 1}}
    assert [p.nos for p in values.points(scribe.store, ASK, (121.55, 29.0, 122.0, 30.5), 11).rows] == [("W3",)]
    with pytest.raises(ScopeError):
        values.points(scribe.store, ASK.but(scope=NOTHING), WORLD, 11)


def test_many_sensors_are_gathered_with_all_of_them_counted(store: Store, tmp_path: Path) -> None:
    rows = "".join(f"S{i},n,noise,{121.5 + (i % 40) / 1000},{29.9 + i // 40 / 1000}\n" for i in range(400))
    sensing_city(store, tmp_path, "", "code,name,kind,lon,lat\n" + rows)
    told = values.points(store, ASK, WORLD, 9)
    assert sum(p.n for p in told.rows) == told.total == 400
    assert len(told.rows) < 10
    assert sum(p.by_status["never"] for p in told.rows) == 400


def test_a_series_has_its_gaps_and_its_sums(scribe: Scribe) -> None:
    at = stamp(now()) // 3600 * 3600 - 3 * 3600
    scribe.take(Parcel(source="s", rows=[Read("W1", at, 1.0), Read("W1", at + 60, 3.0), Read("W1", at + 7200, 5.0)]))
    renewed(scribe.store)
    rows = values.series(scribe.store, ASK, "W1", grain="hour", since=at, until=at + 3 * 3600 - 1).rows
    assert [(r.n, r.mean, r.low, r.high, r.last) for r in rows] == [(2, 2.0, 1.0, 3.0, 3.0), (0, None, None, None, None), (1, 5.0, 5.0, 5.0, 5.0)]
    assert sum(r.n for r in values.series(scribe.store, ASK, "W1", grain="day").rows) == 3
    with pytest.raises(AskError):
        values.series(scribe.store, ASK, "W1", grain="minute", since=at - 10 * 86_400, until=at)
    with pytest.raises(NoSuchError):
        values.series(scribe.store, ASK.but(scope=NOTHING), "W1")


def test_the_list_begins_with_what_needs_a_look(scribe: Scribe) -> None:
    say(scribe, "W1", [1.0])
    say(scribe, "W3", [4.5])
    say(scribe, "N1", [50.0], end=3600)
    renewed(scribe.store)
    told = values.listed(scribe.store, ASK)
    assert [row.code for row in told.rows][:2] == ["W3", "N1"]
    assert (told.rows[0].value, told.rows[0].unit, told.rows[0].symbol, told.total) == (4.5, "m", "drop", 6)
    health = {row.kind: row for row in values.health(scribe.store, ASK).rows}
    assert (health["noise"].total, health["noise"].online, health["water_level"].online) == (2, 0.0, pytest.approx(2 / 3))


def test_old_readings_go_their_sums_stay_and_nobody_brings_them_twice(scribe: Scribe) -> None:
    present = stamp(now())
    old = [Read("W1", present - 40 * 86_400 + i * 60, 1.0) for i in range(100)]
    scribe.take(Parcel(source="s", rows=[*old, Read("W1", present, 2.0)]))
    writer, keeper = Writer(scribe.store), Keeper(Settings(readings_days=30, minutes_days=35, hours_days=800))
    for _ in range(3):
        writer.run(keeper)
    writer.close()
    left = sums(scribe.store)
    by = {grain: sum(row[4] for row in left if row[0] == grain) for grain in (MINUTE, HOUR, DAY)}
    assert by == {MINUTE: 1, HOUR: 101, DAY: 101}
    told = scribe.take(Parcel(source="s", rows=old))
    assert (told.new, {f.why for f in told.faults}) == (0, {"old"})
    assert sums(scribe.store) == left
    with scribe.store.read() as connection:
        assert ledger.floor(connection) > old[-1].at


def test_a_look_after_a_pause_shows_no_old_board_as_a_new_one(scribe: Scribe, monkeypatch: pytest.MonkeyPatch) -> None:
    say(scribe, "W1", [1.0], end=400)
    renewed(scribe.store)
    monkeypatch.setattr("queries.sensing.board.STALE_S", 0.0)
    say(scribe, "W1", [2.0])
    assert values.one(scribe.store, ASK, "W1").row.value == 2.0
