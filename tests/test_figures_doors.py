"""Departments' figures through the doors: the drop folder and HTTP write what a load writes, once, and only what changes is scored anew."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from dashboard import create_app
from queries import loading
from queries.frame import EVERYTHING, Ask
from queries.index import _kept
from queries.index._tables import index_figure
from queries.loop.writer import Writer
from queries.people import tokens
from queries.settings import Settings
from queries.sources import drop_folder
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn
from queries.store import Store, version
from queries.tables import quarantine
from queries.tables import source as source_table
from tests.test_index_figures import (
    FULL,
    HEAD,
    LAST_MONTH,
    STREETS,
    YESTERDAY,
    folder_of,
    load,
    rows_of,
)

ROWS = [{"indicator": "LAW06", "area_code": code, "period": LAST_MONTH, "numerator": 2 + i, "denominator": 20} for i, code in enumerate(STREETS)]


def figures(store: Store) -> list[tuple[Any, ...]]:
    """Return all figures as they stand, without when and by whom."""
    f = index_figure.c
    with store.read() as connection:
        rows = connection.execute(select(f.indicator, f.area_code, f.first, f.last, f.numerator, f.denominator, f.value, f.weight, f.said).where(f.known_to.is_(None))
                                  .order_by(f.indicator, f.area_code, f.first))
        return [tuple(r) for r in rows]


def state(store: Store, name: str) -> tuple[Any, ...]:
    with store.read() as connection:
        return tuple(connection.execute(select(source_table.c.kind, source_table.c.refused, source_table.c.rows).where(source_table.c.id == name)).one())


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Store:
    loading.load(folder_of(tmp_path / "city", FULL[:1]), store, quiet=True)
    return store


@pytest.fixture
def post(town: Store, tmp_path: Path) -> Iterator[Any]:
    """Return a function that posts rows as a department's system."""
    secret = tokens.make(town, "justice")
    server = create_app(Settings(data_dir=tmp_path), town).server
    with TestClient(server, headers={"Authorization": f"Bearer {secret}"}) as client:
        yield lambda rows, **more: client.post("/api/v1/index/figures", **({"json": {"rows": rows}} | more))
    server.state.context.close()


@pytest.fixture
def look(town: Store, tmp_path: Path) -> Iterator[Any]:
    """Return a function that lays a file into the drop folder and lets it be taken."""
    (tmp_path / "drop").mkdir()
    writer = Writer(town)

    def taken(name: str, text: str) -> Told:
        path = tmp_path / "drop" / name
        path.write_text(text, "utf-8")
        old = time.time() - 60
        os.utime(path, (old, old))
        return drop_folder.run(Turn(writer=Pen(writer), settings=Settings(drop_dir=str(tmp_path / "drop"))))
    yield taken
    writer.close()


def csv(rows: list[tuple[Any, ...]]) -> str:
    return "\n".join(",".join("" if cell is None else str(cell) for cell in (*row, *[None] * (len(HEAD) - len(row)))) for row in [HEAD, *rows]) + "\n"


def test_a_dropped_file_a_posted_batch_and_a_load_come_to_the_same_figures(town: Store, look: Any, post: Any, tmp_path: Path) -> None:
    assert post(ROWS[:3]).json() | {"rows": []} == {"new": 2, "changed": 0, "again": 1, "refused": 0, "rows": []}
    told = look("figures.csv", csv(FULL))
    assert (told.taken, told.refused, told.trouble) == (2, 0, None)
    by_doors = figures(town)
    assert not load(town, tmp_path / "city", FULL).sources[-1].new
    assert figures(town) == by_doors
    assert len(by_doors) == 5
    assert rows_of(town)["LAW06"].value == pytest.approx(0.2)


def test_a_newer_figure_takes_the_older_ones_place_and_both_stay(town: Store, post: Any) -> None:
    assert post(ROWS[:1]).json()["again"] == 1
    assert post([ROWS[0] | {"numerator": 7}]).json()["changed"] == 1
    assert figures(town)[0][4] == 7
    with town.read() as connection:
        assert connection.scalar(select(func.count()).select_from(index_figure)) == 2


def test_each_bad_row_is_told_and_kept_and_the_good_ones_are_written(town: Store, post: Any) -> None:
    rows = [ROWS[1], ROWS[2] | {"denominator": 0}, ROWS[3] | {"colour": "red"}, ROWS[4] | {"area_code": "nowhere"}, {"indicator": "SAF06", "area_code": "91", "period": LAST_MONTH, "value": 1},
            {"indicator": "LAW06", "area_code": "91"}, 7, ROWS[4] | {"period": "2199-01"}, ROWS[4] | {"numerator": True}]
    reply = post(rows)
    told = reply.json()
    assert reply.status_code == 200
    assert (told["new"], told["refused"]) == (1, 8)
    assert [(row["row"], row["field"]) for row in told["rows"]] == [
        (2, "denominator"), (3, "colour"), (4, "area_code"), (5, "indicator"), (6, "period"), (7, "body"), (8, "period"), (9, "numerator")]
    assert all(row["zh"] and row["zh"] != row["message"] for row in told["rows"])
    with town.read() as connection:
        assert connection.scalar(select(func.count()).select_from(quarantine).where(quarantine.c.source == "justice")) == 8
    # What a source said is counted now and then, where several write.
    until = time.monotonic() + 30
    while state(town, "justice") != ("indicators", 8, 1) and time.monotonic() < until:
        time.sleep(0.1)
    assert state(town, "justice") == ("indicators", 8, 1)


@pytest.mark.parametrize(("body", "status"), [(b"", 422), (b"[]", 422), (b'{"rows": []}', 422), (b'{"rows": [NaN]}', 422), (b"x" * 5_000_001, 413)])
def test_a_body_that_is_no_batch_is_refused_as_a_whole(post: Any, town: Store, body: bytes, status: int) -> None:
    before = figures(town)
    assert post(None, content=body, json=None).status_code == status
    assert figures(town) == before


def test_who_is_no_source_brings_no_figures(town: Store, tmp_path: Path) -> None:
    server = create_app(Settings(data_dir=tmp_path), town).server
    with TestClient(server) as client:
        assert client.post("/api/v1/index/figures", json={"rows": ROWS}).status_code in (401, 403)
    server.state.context.close()


def test_a_figure_that_comes_by_a_door_is_seen_at_once_and_scores_anew_only_what_lies_with_it(town: Store, post: Any) -> None:
    post(ROWS)
    asked = Ask(scope=EVERYTHING, since=YESTERDAY.replace(day=1), until=YESTERDAY)
    with town.read() as connection:
        before = _kept.held(connection, asked, 2)
        number = version(connection)
    assert post([ROWS[0] | {"numerator": 1}]).json()["changed"] == 1
    with town.read() as connection:
        assert version(connection) > number
        kept, anew = _kept.held(connection, asked, 2), _kept.whole(connection, asked, 2)
    assert kept.mark > before.mark
    for name in ("top", "under", "value", "scores", "sd"):
        assert (abs(getattr(kept.level, name) - getattr(anew.level, name)) > 0).sum() == 0
    i = list(kept.where.code).index("9101")
    k = [one.id for one in kept.level.indicators].index("LAW06")
    assert kept.level.top[i, k] == 1
    assert before.level.top[i, k] == 2
    # The streets of the other district were not read again.
    assert kept.anew < len(kept.where.num)


def test_a_dropped_file_of_bad_rows_lies_in_refused_with_its_report(town: Store, look: Any, tmp_path: Path) -> None:
    before = figures(town)
    told = look("figures.csv", csv([("LAW06", "9101", LAST_MONTH, 30, 20), ("XXX", "9101", LAST_MONTH, 1, 2)]))
    assert (told.taken, told.refused) == (0, 2)
    (report,) = (tmp_path / "drop" / "refused").glob("*.report.txt")
    assert "larger than the denominator" in report.read_text("utf-8")
    assert figures(town) == before
    with town.read() as connection:
        assert connection.scalar(select(func.count()).select_from(quarantine).where(quarantine.c.source == "figures")) == 2
