"""Real readings through the doors: flood sensors of New York, gate counts of Boston. Their files lie beside this clone, or not at all."""

from __future__ import annotations

import csv
import gzip
import json
import os
import time
from collections import defaultdict
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
from queries.sensing.tables import DAY, alarm, reading_sum
from queries.settings import Settings
from queries.sources import drop_folder
from queries.sources._pen import Pen
from queries.sources._source import Turn
from queries.store import Store
from queries.tables import reading
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


def test_floods_of_new_york_come_in_over_http_once_and_raise_their_alarms(store: Store, tmp_path: Path) -> None:
    events = rows_of("nyc_iot/floodnet_events.csv.gz")[:200]
    codes = sorted({e["sensor_id"] for e in events})
    sensing_city(store, tmp_path, FLOOD, "code,name,kind,lon,lat\n" + "".join(f"{code},{code},flood_depth,121.5,29.9\n" for code in codes))
    told: dict[tuple[str, int], float] = {}
    deepest: dict[str, float] = defaultdict(float)
    for e in events:
        begin = datetime.fromisoformat(e["flood_start_time"]).replace(tzinfo=NEW_YORK).timestamp()
        for depth, second in zip(json.loads(e["flood_profile_depth_inches"]), json.loads(e["flood_profile_time_secs"]), strict=True):
            told[e["sensor_id"], int(begin + second)] = depth
            deepest[e["sensor_id"]] = max(deepest[e["sensor_id"]], depth * 0.0254)
    rows = [{"sensor": code, "at": at, "value": depth, "unit": "in"} for (code, at), depth in sorted(told.items(), key=lambda one: one[0][1])]
    server = create_app(Settings(data_dir=tmp_path), store).server
    with TestClient(server, headers={"Authorization": f"Bearer {tokens.make(store, 'floodnet')}"}) as client:
        for turn in range(2):
            new = sum(client.post("/api/v1/readings", json={"rows": rows[i:i + 5000]}).json()["new"] for i in range(0, len(rows), 5000))
            assert new == (len(rows) if turn == 0 else 0)
    server.state.context.close()
    assert close(sums(store), as_if_read_anew(store))
    with store.read() as connection:
        raised = connection.execute(select(alarm.c.subject, alarm.c.peak)).all()
    # Each sensor that stood in ten centimetres or more raised one alarm, and its peak is the deepest of its floods.
    assert len(raised) == sum(depth >= 0.1 for depth in deepest.values())
    assert max(r.peak for r in raised) == pytest.approx(max(deepest.values()), abs=1e-6)


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
