"""The state machine of an alarm, against what it must never do."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from queries.alarms.machine import Watch, severity, step
from queries.city.sensing import AlarmRule

LIMITS = {"blue": 10.0, "yellow": 20.0, "orange": 30.0, "red": 40.0}


def rule(**more: Any) -> AlarmRule:
    return AlarmRule(**{"id": "r", "title": "水位", "kind": "threshold", "metric": "m", "limits": LIMITS, **more})


def course(of: AlarmRule, values: list[float], every: int = 60) -> list[int]:
    watch, levels = Watch(), []
    for i, value in enumerate(values):
        watch = step(of, watch, 1000 + i * every, value)
        levels.append(watch.level)
    return levels


def test_a_level_is_reached_kept_by_the_deadband_and_left_below_it() -> None:
    assert course(rule(deadband=2), [9.9, 10, 9, 8, 7.9, 41, 38.5, 37, 0]) == [0, 4, 4, 4, 0, 1, 1, 2, 0]


def test_an_on_delay_lets_a_spike_pass_and_an_off_delay_a_gap() -> None:
    assert course(rule(on_delay_s=120), [11, 9, 11, 11, 11, 11]) == [0, 0, 0, 0, 4, 4]
    assert course(rule(off_delay_s=120), [11, 9, 11, 9, 9, 9]) == [4, 4, 4, 4, 4, 0]


def test_low_values_can_be_the_bad_ones() -> None:
    down = rule(down=True, limits={"blue": 10.0, "red": 2.0}, deadband=1)
    assert course(down, [12, 10, 10.5, 11.5, 1, 2.5, 3.5]) == [0, 4, 4, 0, 1, 1, 4]


values = st.lists(st.floats(0, 60, width=32), min_size=1, max_size=60)


@given(values, st.integers(0, 300), st.integers(0, 300), st.floats(0, 9, width=32))
def test_no_alarm_is_more_severe_than_what_was_held_for_the_on_delay(rows: list[float], on: int, off: int, band: float) -> None:
    of = rule(on_delay_s=on, off_delay_s=off, deadband=band)
    watch, before = Watch(), 0
    for i, value in enumerate(rows):
        at = 1000 + i * 60
        watch = step(of, watch, at, value)
        now = severity(watch.level)
        if now > before:
            held = [severity(of.level_of(v)) for k, v in enumerate(rows[:i + 1]) if at - (1000 + k * 60) <= on]
            assert min(held) >= now
        before = now


@given(values, st.integers(0, 300), st.floats(0, 9, width=32))
def test_an_alarm_ends_only_after_the_off_delay_below_limit_and_deadband(rows: list[float], off: int, band: float) -> None:
    of = rule(off_delay_s=off, deadband=band)
    watch, before = Watch(), 0
    for i, value in enumerate(rows):
        at = 1000 + i * 60
        watch = step(of, watch, at, value)
        now = severity(watch.level)
        if now < before:
            held = [severity(of.level_of(v, band)) for k, v in enumerate(rows[:i + 1]) if at - (1000 + k * 60) <= off]
            assert max(held) < before
        before = now


@given(values, st.integers(0, 300), st.integers(0, 300), st.data())
def test_what_comes_twice_or_out_of_order_changes_nothing(rows: list[float], on: int, off: int, data: st.DataObject) -> None:
    of = rule(on_delay_s=on, off_delay_s=off)
    watch = Watch()
    for i, value in enumerate(rows):
        watch = step(of, watch, 1000 + i * 60, value)
        late = data.draw(st.integers(0, i))
        assert step(of, watch, 1000 + late * 60, data.draw(st.floats(0, 60))) == watch


@given(values)
def test_without_delays_and_deadband_the_level_is_that_of_the_last_value(rows: list[float]) -> None:
    assert course(rule(), rows)[-1] == rule().level_of(rows[-1])
