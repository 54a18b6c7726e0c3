"""A database of the first version becomes one of today: same tables, same indexes, sums as a rebuild makes them.

Whoever changes a table adds a migration; the first test here says what is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from queries import demo, loading
from queries.errors import StoreError
from queries.loop.rebuild import rebuild
from queries.loop.tables import whistle
from queries.rollup import BINS_KEY, KEY
from queries.schema import metadata
from queries.store import MIGRATIONS, Store, get_meta
from queries.tables import INDEXED, KEPT, cases, event, tree
from tests.test_loop import CITY, STREETS, sums

#: no, status, reported, filed, due, closed, rework, department: in the order of a life, and what a bad source says.
ROWS = (
    ("A", "closed", 1_760_000_000, 1_760_000_600, 1_760_090_000, 1_760_050_000, 0, 1), ("B", "handling", 1_760_100_000, 1_760_100_600, None, None, 0, 2),
    ("C", "reported", 1_760_200_000, None, None, None, 0, None), ("D", "closed", 1_760_300_000, None, 1_760_300_100, 1_760_400_000, 2, 1),
    ("E", "cancelled", 1_760_400_000, None, None, None, 0, None), ("F", "closed", 1_760_500_000, 1_760_500_100, None, 1_760_490_000, 0, 1),
    ("G", "handling", 1_760_600_000, None, None, None, 3, 1),
)


@pytest.fixture
def first(store: Store, tmp_path: Path) -> Store:
    """A database as version 1 left it: a city's places from today's loader, the rest put back to the first schema."""
    folder = tmp_path / "little"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    loading.load(folder, store, quiet=True)
    kept: dict[str, list[dict[str, Any]]] = {}
    with store.engine.begin() as connection:
        for name in ("meta", "level", "tree", "area", "node", "category", "department"):
            kept[name] = [dict(r) for r in connection.execute(select(metadata.tables[name])).mappings()]
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        move(connection, "0001")
        for name, rows in kept.items():
            connection.execute(metadata.tables[name].insert(), rows)
        node = connection.scalar(text("SELECT MAX(num) FROM node"))
        for i, (no, status, reported, filed, due, closed, rework, department) in enumerate(ROWS, 1):
            connection.execute(text(
                "INSERT INTO cases (id, no, node, placed, category_id, department_id, status, urgent, reported_at, filed_at, due_at, closed_at,"
                " is_open, rework, source, hash) VALUES (:id, :no, :node, 'point', 1, :dep, :status, false, :r, :f, :d, :c, :open, :rework, 'old', 'h')"),
                {"id": i, "no": no, "node": node, "dep": department, "status": status, "r": reported, "f": filed, "d": due, "c": closed,
                 "open": status not in ("closed", "cancelled"), "rework": rework})
        connection.execute(text("INSERT INTO event (case_id, seq, at, seen_at, step, actor, note, derived) VALUES"
                                " (1, 1, 1760060000, 1760060000, 'changed', 'old', :note, false)"), {"note": '{"title": ["甲", "乙"]}'})
    return store


def move(connection: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def shapes(store: Store) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with store.read() as connection:
        seen = inspect(connection)
        for name in sorted(seen.get_table_names()):
            columns = {c["name"]: (str(c["type"]), c["nullable"], str(c["default"])) for c in seen.get_columns(name)}
            indexes = sorted((i["name"] or "", tuple(map(str, i["column_names"])), i["unique"]) for i in seen.get_indexes(name))
            found[name] = (columns, indexes, seen.get_pk_constraint(name)["constrained_columns"])
    return found


def test_an_upgraded_database_has_the_tables_of_a_new_one(first: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    first.upgrade()
    with first.read() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata, "compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, metadata) == [], "a table changed: write a migration for it"
    upgraded = shapes(first)
    with first.engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    first.upgrade()
    fresh = shapes(first)
    assert upgraded == fresh


def test_an_upgraded_case_has_the_events_that_its_dates_imply_and_its_own_changes(first: Store) -> None:
    first.upgrade()
    with first.read() as connection:
        rows = connection.execute(select(cases.c.no, event.c.step, event.c.status, event.c.seq, event.c.derived, event.c.data, cases.c.seq)
                                  .join(cases, cases.c.id == event.c.case_id).order_by(cases.c.no, event.c.seq)).all()
    steps = {no: [r.step for r in rows if r.no == no] for no, *_ in ROWS}
    assert steps == {"A": ["reported", "filed", "closed", "changed"], "B": ["reported", "filed", "told"], "C": ["reported"],
                     "D": ["reported", "rework", "rework", "closed"], "E": ["reported", "told"], "F": ["reported", "filed", "closed"],
                     "G": ["reported", "rework", "rework", "rework"]}
    assert [r.data for r in rows if r.step == "changed"] == ['{"told": {"title": ["甲", "乙"]}}']
    assert all(r.derived == (r.step != "changed") for r in rows)


def test_the_sums_of_an_upgraded_database_are_those_of_a_rebuild(first: Store) -> None:
    first.upgrade()
    before = sums(first)
    assert before["rollup"]
    assert before["open_now"]
    done = rebuild(first, quiet=True)
    assert (done.cases, done.mended) == (len(ROWS), 0)
    assert sums(first) == before
    with first.read() as connection:
        assert get_meta(connection, "rebuild") is None


def test_a_whistle_of_the_second_version_is_kept_and_a_new_one_can_be_written(first: Store) -> None:
    old = {"case_id": 2, "reason": "demand", "by_post": "street", "department_id": 1, "blown_at": 1_760_200_000, "due_at": 1_760_201_800}
    with first.engine.begin() as connection:
        move(connection, "0002")
        connection.execute(text(f"INSERT INTO whistle (node, {', '.join(old)}) VALUES (1, {', '.join(f':{name}' for name in old)})"), old)
    first.upgrade()
    with first.engine.begin() as connection:
        assert connection.execute(select(whistle.c.case_id, whistle.c.reason)).all() == [(2, "demand")]
        connection.execute(whistle.insert().values(**{**old, "case_id": 3}))


def test_an_upgraded_database_is_upgraded_once(first: Store) -> None:
    first.upgrade()
    before = shapes(first)
    first.upgrade()
    assert shapes(first) == before
    with first.read() as connection:
        assert connection.scalar(select(tree.c.id)) is not None


def test_a_database_from_between_two_versions_is_refused_and_untouched(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    before = shapes(store)
    with pytest.raises(StoreError, match="between two versions"):
        store.upgrade()
    assert shapes(store) == before


def of_then(held: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return sums without the measures that version 0013 added: it makes all of them anew."""
    return {name: [row[:-len(INDEXED)] for row in rows] if name in ("rollup", "total") else rows for name, rows in held.items()}


def test_sums_that_a_later_version_keeps_for_more_levels_are_made_of_those_that_are_there(store: Store, tmp_path: Path) -> None:
    loading.load(demo.make(tmp_path / "city", grids=120, seed=3), store, quiet=True)
    before = sums(store)
    low = "SELECT id FROM area WHERE level > 3"
    months = {"rollup": (KEY, KEPT), "duration": (BINS_KEY, ("n",))}
    with store.engine.begin() as connection:
        gone = connection.execute(text("DELETE FROM total WHERE area_id IN (SELECT id FROM area WHERE level > 2)")).rowcount
        for table, (key, measures) in months.items():
            names = ", ".join("1 AS grain" if name == "grain" else "month AS bucket" if name == "bucket" else name for name in key)
            by = ", ".join("month" if name == "bucket" else name for name in key if name != "grain")
            month = ("CAST(strftime('%Y', bucket * 86400, 'unixepoch') AS INTEGER) * 12 + CAST(strftime('%m', bucket * 86400, 'unixepoch') AS INTEGER) - 1"
                     if store.dialect == "sqlite" else
                     "CAST(extract(year FROM DATE '1970-01-01' + bucket) * 12 + extract(month FROM DATE '1970-01-01' + bucket) - 1 AS INTEGER)")
            connection.execute(text(
                f"INSERT INTO {table} ({', '.join((*key, *measures))}) SELECT {names}, {', '.join(f'sum({m})' for m in measures)} "
                f"FROM (SELECT *, {month} AS month FROM {table} WHERE grain = 0 AND area_id IN ({low})) days GROUP BY {by}, area_id"))
        for later in ("touched", "index_figure", "index_kept"):
            connection.execute(text(f"DROP TABLE {later}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0008'"))
    with store.engine.begin() as connection:
        move(connection, "0009")
    assert gone > 0
    assert of_then(sums(store)) == of_then(before)
