"""Real readings through the doors: flood sensors of New York, gate counts of Boston. Their files lie beside this clone, or not at all."""

from __future__ import annotations

import csv
import gzip
import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from dashboard import create_app
from queries.loop.writer import Writer
from queries.people import tokens
from queries.sensing.tables import DAY, alarm, alarm_event, reading_sum
from queries.settings import Settings
from queries.sources import drop_folder
from queries.sources._pen import Pen
from queries.sources._source import Turn
from queries.store import Store
from queries.tables import reading, sensor
from tests.test_sensing import as_if_read_anew, close, sensing_city, sums

NEW_YORK = ZoneInfo("America/New_York")
DATA = next((up / "shared" / "data" for up in Path(__file__).resolve().parents if (up / "shared" / "data").is_dir()), Path("nowhere"))
FLOOD = '''
[[alarms]]
id = "flood"
title = "积水"
kind = "threshold"
sensor_kind = "flood_depth"
metric = "depth"
limits = { blue = 0.1, yellow = 0.3, red = 0.6 }
deadband = 0.02
'''
COUNTS = '''
[[readings]]
id = "gates"
file = "gates*.csv"
metrics = { entrances = "entrances", exits = "exits" }
time_zone = "UTC"
[readings.columns]
sensor = "sensor_id"
at = "ts_utc"
'''


def rows_of(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this clone")
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def profile(event: dict[str, str]) -> list[tuple[int, float]]:
    """Return a flood as (seconds since its beginning, inches)."""
    return [(int(second), depth) for depth, second in zip(json.loads(event["flood_profile_depth_inches"]), json.loads(event["flood_profile_time_secs"]), strict=True)]


def test_floods_of_new_york_come_in_over_http_once_and_those_of_years_ago_raise_no_alarm(store: Store, tmp_path: Path) -> None:
    events = rows_of("nyc_iot/floodnet_events.csv.gz")[:200]
    codes = sorted({e["sensor_id"] for e in events})
    sensing_city(store, tmp_path, FLOOD, "code,name,kind,lon,lat\n" + "".join(f"{code},{code},flood_depth,121.5,29.9\n" for code in codes))
    told: dict[tuple[str, int], float] = {}
    for e in events:
        begin = datetime.fromisoformat(e["flood_start_time"]).replace(tzinfo=NEW_YORK).timestamp()
        told |= {(e["sensor_id"], int(begin) + second): depth for second, depth in profile(e)}
    rows = [{"sensor": code, "at": at, "value": depth, "unit": "in"} for (code, at), depth in sorted(told.items(), key=lambda one: one[0][1])]
    server = create_app(Settings(data_dir=tmp_path), store).server
    with TestClient(server, headers={"Authorization": f"Bearer {tokens.make(store, 'floodnet')}"}) as client:
        for turn in range(2):
            new = sum(client.post("/api/v1/readings", json={"rows": rows[i:i + 5000]}).json()["new"] for i in range(0, len(rows), 5000))
            assert new == (len(rows) if turn == 0 else 0)
    server.state.context.close()
    assert close(sums(store), as_if_read_anew(store))
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(alarm)) == 0


def test_floods_of_new_york_as_they_happen_raise_believable_alarms(store: Store, tmp_path: Path) -> None:
    """The deepest flood of each of sixty sensors, all of them beginning this morning, reading by reading as they came."""
    deepest: dict[str, dict[str, str]] = {}
    for e in rows_of("nyc_iot/floodnet_events.csv.gz"):
        if max(second for second, _ in profile(e)) < 20 * 3600 and float(e["max_depth_inches"]) > float(deepest.get(e["sensor_id"], {"max_depth_inches": "0"})["max_depth_inches"]):
            deepest[e["sensor_id"]] = e
    events = dict(sorted(deepest.items())[:60])
    # The little city lies elsewhere: one sensor stands far from the next, so that no two are neighbours.
    sensing_city(store, tmp_path, FLOOD, "code,name,kind,lon,lat\n" + "".join(
        f"{code},{code},flood_depth,{121.3 + 0.01 * (i % 10):.3f},{29.7 + 0.01 * (i // 10):.3f}\n" for i, code in enumerate(events)))
    begin = int(time.time()) - 21 * 3600
    rows = sorted(((begin + second, code, inches) for code, e in events.items() for second, inches in profile(e)), key=lambda row: row[0])
    server = create_app(Settings(data_dir=tmp_path), store).server
    with TestClient(server, headers={"Authorization": f"Bearer {tokens.make(store, 'floodnet')}"}) as client:
        for i in range(0, len(rows), 500):
            part = [{"sensor": code, "at": at, "value": inches, "unit": "in"} for at, code, inches in rows[i:i + 500]]
            assert client.post("/api/v1/readings", json={"rows": part}).json()["refused"] == 0
    server.state.context.close()
    with store.read() as connection:
        raised = {r.sensor: r for r in connection.execute(select(alarm, sensor.c.code.label("sensor")).join(sensor, sensor.c.id == alarm.c.sensor_id))}
        log = connection.execute(select(alarm_event.c.alarm_id, alarm_event.c.what, alarm_event.c.level).order_by(alarm_event.c.id)).all()
    metres = {code: [(begin + second, inches * 0.0254) for second, inches in profile(e)] for code, e in events.items()}
    # One alarm for each flood that reached ten centimetres, none for the others: no second one for each wave.
    assert set(raised) == {code for code, course in metres.items() if max(depth for _, depth in course) >= 0.1}
    assert len(raised) > 20
    for code, row in raised.items():
        depths, last = metres[code], metres[code][-1][1]
        top = max(depth for _, depth in depths)
        worst = min(e.level for e in log if e.alarm_id == row.id and e.what in ("raised", "again", "up"))
        assert worst == (1 if top >= 0.6 else 3 if top >= 0.3 else 4)
        assert row.peak == pytest.approx(top, abs=1e-6)
        assert row.began_at == next(at for at, depth in depths if depth >= 0.1)
        assert row.is_active == (last > 0.08)
        # Waves about the limit are held by the deadband: an operator is called a few times at most.
        assert row.times <= 4
    assert sum(row.times for row in raised.values()) <= 1.5 * len(raised)


def test_gate_counts_of_boston_come_in_by_the_drop_folder(store: Store, tmp_path: Path) -> None:
    rows = rows_of("boston/sensor_readings_hourly.csv.gz")
    sensors = rows_of("boston/sensors.csv")
    folder = tmp_path / "sensed"
    folder.mkdir(exist_ok=True)
    (folder / "gates.csv").write_text("sensor_id,ts_utc,entrances,exits\n", "utf-8")
    sensing_city(store, tmp_path, COUNTS, "code,name,kind,lon,lat\n" + "".join(f"{s['sensor_id']},{s['station']},gates,121.5,29.9\n" for s in sensors))
    drop = tmp_path / "drop"
    drop.mkdir()
    with (drop / "gates-2014.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    os.utime(drop / "gates-2014.csv", (time.time() - 60, time.time() - 60))
    writer = Writer(store)
    told: Any = drop_folder.run(Turn(writer=Pen(writer), settings=Settings(drop_dir=str(drop))))
    writer.close()
    want = sum(bool(r["entrances"]) + bool(r["exits"]) for r in rows)
    assert (told.refused, told.taken) == (0, want)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(reading)) == want
        assert connection.scalar(select(func.sum(reading_sum.c.total)).where(reading_sum.c.grain == DAY, reading_sum.c.metric == "entrances")) == sum(int(r["entrances"] or 0) for r in rows)
