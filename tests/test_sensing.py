"""Readings: taken once, summed exactly, refused with a reason when they cannot be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from queries import loading
from queries.clock import now, stamp
from queries.loop.tables import heard
from queries.sensing import ledger
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.sensing.tables import DAY, HOUR, MINUTE, reading_sum
from queries.sensing.units import convert
from queries.store import Store
from queries.tables import latest, quarantine, reading, sensor
from tests.test_loop import CITY, STREETS

ZONE = ZoneInfo("Asia/Shanghai")
SENSORS = "code,name,kind,lon,lat\nW1,桥下一,water_level,121.5,29.9\nW2,桥下二,water_level,121.51,29.9\nN1,广场,noise,121.5,29.91\n"
TABLES = '''
[[sensors]]
id = "sensors"
file = "sensors.csv"
[sensors.columns]
code = "code"
name = "name"
kind = "kind"
lon = "lon"
lat = "lat"
'''


@pytest.fixture
def sensed(store: Store, tmp_path: Path) -> Store:
    """A little city with two water levels and one noise meter."""
    return sensing_city(store, tmp_path)


def sensing_city(store: Store, tmp_path: Path, more: str = "", sensors: str = SENSORS) -> Store:
    folder = tmp_path / "sensed"
    folder.mkdir(exist_ok=True)
    (folder / "city.toml").write_text(CITY + TABLES + more, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    (folder / "sensors.csv").write_text(sensors, "utf-8")
    loading.load(folder, store, quiet=True)
    return store


@pytest.fixture
def scribe(sensed: Store) -> Any:
    made = Scribe(sensed)
    yield made
    made.close()


def sums(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(r) for r in connection.execute(select(reading_sum).order_by(*reading_sum.primary_key.columns))]


def as_if_read_anew(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        raw = [tuple(r) for r in connection.execute(select(reading.c.at, reading.c.sensor_id, reading.c.metric, reading.c.value))]
    frame = pl.DataFrame(raw, schema={"at": pl.Int64, "sensor_id": pl.Int64, "metric": pl.String, "value": pl.Float64}, orient="row")
    return sorted(ledger.sums(frame, ZONE).rows())


def close(a: list[tuple[Any, ...]], b: list[tuple[Any, ...]]) -> bool:
    return len(a) == len(b) and all(x[:4] == y[:4] and all(math.isclose(p, q, abs_tol=1e-9) for p, q in zip(x[4:], y[4:], strict=True)) for x, y in zip(a, b, strict=True))


def said(store: Store, what: str, source: str = "s") -> int:
    with store.read() as connection:
        return connection.scalar(select(heard.c.n).where(heard.c.source == source, heard.c.what == what)) or 0


def test_a_reading_is_kept_summed_and_the_latest(scribe: Scribe) -> None:
    at = stamp(now()) - 100
    told = scribe.take(Parcel(source="s", rows=[Read("W1", at, 1.5), Read("W1", at + 1, 2.5), Read("N1", at, 60.0, "noise")]))
    assert (told.new, told.changed, told.again, told.faults) == (3, 0, 0, ())
    with scribe.store.read() as connection:
        row = connection.execute(select(latest.c.at, latest.c.value, sensor.c.code).join(sensor, sensor.c.id == latest.c.sensor_id).where(sensor.c.code == "W1")).one()
        assert tuple(row) == (at + 1, 2.5, "W1")
        days = connection.execute(select(reading_sum.c.n, reading_sum.c.total).where(reading_sum.c.grain == DAY, reading_sum.c.metric == "water_level")).all()
        assert (sum(r.n for r in days), sum(r.total for r in days)) == (2, 4.0)
    assert close(sums(scribe.store), as_if_read_anew(scribe.store))


def test_the_same_reading_twice_counts_once_and_a_corrected_one_is_corrected(scribe: Scribe) -> None:
    at = stamp(now()) - 7200
    parcel = Parcel(source="s", rows=[Read("W1", at + i, i / 10) for i in range(90)])
    assert scribe.take(parcel).new == 90
    assert scribe.take(parcel).again == 90
    told = scribe.take(Parcel(source="s", rows=[Read("W1", at + 89, -1.0), Read("W1", at, 0.0)]))
    assert (told.new, told.changed, told.again) == (0, 1, 1)
    assert close(sums(scribe.store), as_if_read_anew(scribe.store))
    with scribe.store.read() as connection:
        assert connection.scalar(select(latest.c.value)) == -1.0
        assert connection.scalar(select(func.sum(reading_sum.c.n)).where(reading_sum.c.grain == HOUR)) == 90
    assert said(scribe.store, "again") == 91


@pytest.mark.parametrize(("row", "why"), [
    (Read("W9", 0, 1.0), "no such sensor"), (Read("W1", 0, math.nan), "no finite number"), (Read("W1", 0, math.inf), "no finite number"),
    (Read("W1", 0, 400.0), "outside of what"), (Read("W1", 0, 1.0, "noise"), "no such metric; it has: water_level"),
    (Read("W1", 0, 1.0, "", "°C"), "unit does not fit the metric; it has: m"),
    (Read("W1", 86_400, 1.0), "clock runs ahead"), (Read("W1", 0, 1.0, "", "furlong"), "unit does not fit"),
])
def test_what_cannot_be_is_refused_counted_and_kept_with_its_reason(scribe: Scribe, row: Read, why: str) -> None:
    row = Read(row.sensor, stamp(now()) + row.at, row.value, row.metric, row.unit)
    told = scribe.take(Parcel(source="s", rows=[row, Read("W2", stamp(now()), 1.0)]))
    assert (told.new, len(told.faults)) == (1, 1)
    with scribe.store.read() as connection:
        kept = connection.execute(select(quarantine)).one()
        assert why in kept.reason_en
        assert kept.reason
    assert said(scribe.store, "refused") == 1


def test_a_reading_in_another_unit_of_the_same_thing_is_turned_into_the_metrics_own(scribe: Scribe) -> None:
    scribe.take(Parcel(source="s", rows=[Read("W1", stamp(now()), 150.0, "water_level", "cm")]))
    with scribe.store.read() as connection:
        assert connection.scalar(select(latest.c.value)) == 1.5
    assert convert(32.0, "°F", "°C") == pytest.approx(0.0)
    assert convert(10.0, "in", "m") == pytest.approx(0.254)
    assert convert(1.0, "m", "°C") is None


def test_a_year_of_backlog_at_once_is_taken_late_and_older_than_kept_is_refused(scribe: Scribe) -> None:
    present = stamp(now())
    rows = [Read("W1", present - 365 * 86_400 + i * 3600, 1.0) for i in range(365 * 24)]
    told = scribe.take(Parcel(source="s", rows=rows))
    assert told.new == len(rows)
    assert said(scribe.store, "late") >= len(rows) - 2
    with scribe.store.engine.begin() as connection:
        ledger.set_floor(connection, present - 30 * 86_400)
    told = scribe.take(Parcel(source="s", rows=rows))
    assert told.new == 0
    assert len(told.faults) == sum(row.at < present - 30 * 86_400 for row in rows)
    assert close(sums(scribe.store), as_if_read_anew(scribe.store))


def test_a_sender_that_may_not_speak_for_a_sensor_is_refused(scribe: Scribe) -> None:
    told = scribe.take(Parcel(source="s", rows=[Read("W1", stamp(now()), 1.0), Read("N1", stamp(now()), 50.0)], only=lambda code: code.startswith("W")))
    assert (told.new, [f.why for f in told.faults]) == (1, ["from"])


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(1, 3), st.floats(-4, 29, width=32)), min_size=1, max_size=60))
def test_sums_of_a_day_are_the_sums_of_its_hours_and_minutes(rows: list[tuple[int, int, float]]) -> None:
    frame = pl.DataFrame([(1_760_000_000 + at, s, "m", v) for at, s, v in {r[:2]: r for r in rows}.values()],
                         schema={"at": pl.Int64, "sensor_id": pl.Int64, "metric": pl.String, "value": pl.Float64}, orient="row")
    made = ledger.sums(frame, ZONE)
    for grain in (MINUTE, HOUR, DAY):
        part = made.filter(pl.col("grain") == grain)
        assert part["n"].sum() == len(frame)
        assert part["total"].sum() == pytest.approx(frame["value"].sum(), abs=1e-6)
        assert part["low"].min() == frame["value"].min()
        assert part["last_at"].max() == frame["at"].max()
