"""Readings over HTTP: a batch is safe when it is answered, each bad row is told, and who may not is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboard import create_app
from queries.clock import now, stamp
from queries.people import tokens
from queries.settings import Settings
from queries.store import Store
from tests.test_sensing import as_if_read_anew, close, said, sensing_city, sums


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Iterator[Any]:
    """Return a function that posts rows as a source."""
    sensing_city(store, tmp_path)
    secret = tokens.make(store, "meters")
    server = create_app(Settings(data_dir=tmp_path), store).server
    with TestClient(server, headers={"Authorization": f"Bearer {secret}"}) as client:
        yield lambda rows, **more: client.post("/api/v1/readings", **({"json": {"rows": rows}} | more))
    server.state.context.close()


def test_a_batch_is_written_once_and_each_bad_row_is_told(told: Any, store: Store) -> None:
    at = stamp(now()) - 60
    rows = [{"sensor": "W1", "at": at, "value": 1.25}, {"sensor": "W1", "at": at, "value": 900}, {"sensor": "W1", "value": 1}, {"sensor": "N1", "at": at, "value": 50, "metric": "noise"},
            {"sensor": "W2", "at": at, "value": 1, "colour": "red"}]
    reply = told(rows).json()
    assert (reply["new"], reply["again"], reply["refused"]) == (2, 0, 3)
    assert [(row["row"], row["field"]) for row in reply["rows"]] == [(2, "value"), (3, "at"), (5, "colour")]
    assert all(row["zh"] != row["message"] for row in reply["rows"])
    again = told(rows).json()
    assert (again["new"], again["again"]) == (0, 2)
    assert close(sums(store), as_if_read_anew(store))
    assert (said(store, "taken", "meters"), said(store, "refused", "meters")) == (2, 6)


@pytest.mark.parametrize(("body", "status"), [(b"", 422), (b"[]", 422), (b'{"rows": []}', 422), (b'{"rows": 7}', 422), (b"x" * 5_000_001, 413)])
def test_a_body_that_is_no_batch_is_refused_as_a_whole(told: Any, body: bytes, status: int) -> None:
    reply = told(None, content=body, json=None)
    assert reply.status_code == status
    assert reply.json()["zh"]


def test_a_viewer_brings_no_readings(store: Store, tmp_path: Path) -> None:
    sensing_city(store, tmp_path)
    server = create_app(Settings(data_dir=tmp_path), store).server
    with TestClient(server) as client:
        assert client.post("/api/v1/readings", json={"rows": [{"sensor": "W1", "at": 1_760_000_000, "value": 1}]}).status_code in (401, 403)
    server.state.context.close()
