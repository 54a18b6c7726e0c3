"""What was acknowledged outlives a kill, of the server and of the database; afterwards everything goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from dashboard import create_app
from queries import loading
from queries.settings import Settings
from queries.store import Store
from tests import broker, kill_readings
from tests.conftest import missing
from tests.kill import run
from tests.pg import Postgres, program


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_acknowledged_event_is_lost_or_double_when_it_is_killed(kind: str, demo_folder: Path, tmp_path: Path) -> None:
    if kind == "postgresql" and program("initdb") is None:
        missing("PostgreSQL's server programs are not installed")
    pg = Postgres(safe=True) if kind == "postgresql" else None
    folder = tmp_path / "city"
    folder.symlink_to(demo_folder)
    try:
        outcome = run(folder, pg.database() if pg else f"sqlite:///{tmp_path}/brain.sqlite", 2, 400, pg)
    finally:
        if pg:
            pg.stop()
    assert (outcome.kills, outcome.lost, outcome.double, outcome.differing) == (2, 0, 0, 0)
    assert outcome.acknowledged > 300
    assert outcome.unanswered + outcome.told_busy > 0


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_acknowledged_reading_is_lost_or_counted_twice_when_server_broker_and_database_are_killed(kind: str, tmp_path: Path) -> None:
    if broker.program() is None:
        missing("mosquitto is not installed")
    if kind == "postgresql" and program("initdb") is None:
        missing("PostgreSQL's server programs are not installed")
    pg = Postgres(safe=True) if kind == "postgresql" else None
    try:
        outcome = kill_readings.run(tmp_path, pg.database() if pg else f"sqlite:///{tmp_path}/brain.sqlite", 3 if pg else 2, 3200, pg, rate=400)
    finally:
        if pg:
            pg.stop()
    assert outcome.kills == ({"server": 1, "broker": 1, "database": 1} if pg else {"server": 1, "broker": 1})
    assert outcome.acknowledged >= 3200
    assert (outcome.lost, outcome.double, outcome.strange, outcome.differing) == (0, 0, 0, 0)
    assert outcome.repeated > 0


@pytest.mark.postgres
def test_pages_and_programs_are_told_that_the_database_is_away_and_go_on_when_it_is_back(demo_folder: Path, tmp_path: Path) -> None:
    if program("initdb") is None:
        missing("PostgreSQL's server programs are not installed")
    pg = Postgres()
    store = Store(pg.database())
    try:
        loading.load(demo_folder, store, quiet=True)
        client = TestClient(create_app(Settings(data_dir=tmp_path), store).server, base_url="http://127.0.0.1", client=("127.0.0.1", 5))
        assert client.get("/api/v1/kpi").status_code == 200
        pg.kill()
        page, answer = client.get("/"), client.get("/api/v1/kpi")
        assert (page.status_code, answer.status_code) == (503, 503)
        assert "数据库" in page.text
        assert answer.json()["zh"]
        pg.start()
        assert client.get("/").status_code == 200
        assert client.get("/api/v1/kpi").status_code == 200
    finally:
        store.close()
        pg.stop()
