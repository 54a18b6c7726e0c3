"""Process mining gives what a reference program gives, to the last case."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Float, Integer, MetaData, Table, Text, delete, select

from queries.loop.mining import Mined, mine
from queries.store import Store

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "process_ref"
LOG = Table("some_log", MetaData(), Column("case_id", Integer, index=True), Column("activity", Text), Column("at", Float), Column("ord", Integer))


def within(lo: int, hi: int):  # noqa: ANN201
    return select(LOG).where(LOG.c.case_id.between(lo, hi))


def put(store: Store, rows: list[dict[str, object]]) -> None:
    with store.engine.begin() as connection:
        LOG.create(connection, checkfirst=True)
        connection.execute(delete(LOG))
        connection.execute(LOG.insert(), rows)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the bundle with the reference log is not beside this clone")
@pytest.mark.parametrize("parts", [1, 3])
def test_a_published_log_is_mined_as_the_reference_program_mined_it(store: Store, parts: int) -> None:
    numbers: dict[str, int] = {}
    with (REFERENCE / "receipt.csv").open(encoding="utf-8") as file:
        rows = [{"case_id": numbers.setdefault(r["case:concept:name"], len(numbers)), "activity": r["concept:name"],
                 "at": datetime.fromisoformat(r["time:timestamp"]).timestamp(), "ord": i} for i, r in enumerate(csv.DictReader(file))]
    put(store, rows)
    told = mine(store, within, (0, len(numbers) - 1), parts)
    expected = json.loads((REFERENCE / "receipt_expected_pm4py.json").read_text("utf-8"))

    assert (told.cases, told.events, len(told.edges), len(told.variants)) == (1434, 8577, 99, 116)
    assert {f"{e.a}|{e.b}": e.n for e in told.edges} == expected["dfg"]
    assert (told.starts, told.ends, told.rework) == (expected["start"], expected["end"], expected["rework"])
    assert [[n, ">".join(way)] for way, n in told.variants[:5]] == expected["top_variants"]
    for what, key in (("mean_s", "perf_mean"), ("median_s", "perf_median")):
        assert {f"{e.a}|{e.b}": getattr(e, what) for e in told.edges} == pytest.approx(expected[key], abs=1e-5, rel=0)
    assert (told.case_mean_s, told.case_median_s) == pytest.approx((expected["case_dur_mean"], expected["case_dur_median"]), abs=1e-5, rel=0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**6)), min_size=1, max_size=6), min_size=1, max_size=8), parts=st.integers(1, 3))
def test_any_log_is_mined_as_plain_counting_would(tmp_path_factory: pytest.TempPathFactory, cases: list[list[tuple[str, int]]], parts: int) -> None:
    from tests.bench.flow import plain

    store = Store(f"sqlite:///{tmp_path_factory.mktemp('log')}/log.sqlite")
    rows = [{"case_id": i, "activity": a, "at": at, "ord": k} for i, one in enumerate(cases) for k, (a, at) in enumerate(one)]
    put(store, rows)
    told = mine(store, within, (0, len(cases) - 1), parts)
    edges, variants = plain([(r["case_id"], r["activity"], r["at"], r["ord"]) for r in rows])
    found = {(e.a, e.b): (e.n, e.mean_s, e.median_s) for e in told.edges}
    assert found.keys() == edges.keys()
    assert all(found[edge] == pytest.approx(edges[edge]) for edge in edges)
    assert dict(told.variants) == variants
    store.close()


def test_a_log_of_nothing_tells_nothing(store: Store) -> None:
    assert mine(store, within, (1, 0)) == Mined(cases=0, events=0, edges=(), variants=(), starts={}, ends={}, rework={},
                                                case_mean_s=None, case_median_s=None)


def test_what_is_said_twice_lasts_once(store: Store) -> None:
    put(store, [{"case_id": 1, "activity": a, "at": at, "ord": at} for at, a in enumerate("ssddds")])
    told = mine(store, within, (1, 1), lasting=True)
    assert {(e.a, e.b): e.mean_s for e in told.edges} == {("s", "d"): 2, ("d", "s"): 3}
