"""The index is kept from day to day: a change scores anew only what it touches, and comes to the bits of making everything anew."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from queries import loading, touched
from queries.clock import day_bucket
from queries.errors import GovError
from queries.frame import EVERYTHING, Ask
from queries.index import _kept
from queries.index._inputs import computed
from queries.index._keeper import IndexKeeper
from queries.index._mix import mix_of
from queries.index._tables import index_kept
from queries.loop import task_list
from queries.loop.book import Book
from queries.loop.orders import Found, Order
from queries.loop.projector import catch_up
from queries.loop.rebuild import rebuild
from queries.loop.steps import legal
from queries.loop.writer import Writer
from queries.store import Store
from queries.tables import cases
from tests.test_index_figures import CITY, TABLE, TODAY, YESTERDAY, square
from tests.test_loop import ADMIN

ZONE = ZoneInfo("Asia/Shanghai")
STREETS, GRIDS = 6, 4
ASKS = tuple(Ask(scope=EVERYTHING, since=YESTERDAY - timedelta(days=n - 1), until=YESTERDAY) for n in (7, 30))
MORE = """
[[levels]]
id = "grid"
name = "网格"
file = "grids.geojson"
code = "code"
[departments]
urban = { name = "城管局", name_en = "Urban" }
"""
KINDS = """
[categories]
roads = { name = "道路", name_en = "Roads" }
litter = { name = "垃圾", name_en = "Litter" }
"""


def codes() -> list[str]:
    return [f"9{1 + s // 3}{s:02d}{g:02d}" for s in range(STREETS) for g in range(GRIDS)]


def case_rows(chance: random.Random, n: int = 40) -> list[list[str]]:
    rows = []
    for k in range(n * STREETS * GRIDS):
        day = YESTERDAY - timedelta(days=chance.randrange(58))
        kind = ("other", "roads", "litter")[chance.randrange(3)]
        # Areas differ, and so do the categories: late cases count by how hard theirs is.
        late = (0.05 + 0.5 * (k * 7 % (STREETS * GRIDS)) / (STREETS * GRIDS)) * {"other": 1.0, "roads": 1.6, "litter": 0.5}[kind]
        closed = f"{day} {20 if chance.random() < late else 12}:00" if chance.random() < 0.95 else ""
        rows.append([f"C{k}", f"{day} 08:00", f"{day} 18:00", closed, codes()[k % (STREETS * GRIDS)], kind])
    rows.append(["T", f"{TODAY} 00:00", f"{TODAY} 23:00", "", codes()[0], "other"])
    rows.append(["S", f"{YESTERDAY - timedelta(days=100)} 08:00", "", "", codes()[0], "other"])
    return rows


def put(where: Path, rows: list[list[str]], figures: list[str]) -> Path:
    where.mkdir(exist_ok=True)
    columns = 'numerator = "分子"\ndenominator = "分母"'
    parts = TABLE.format(file="figures.csv", columns=columns)
    (where / "city.toml").write_text(CITY.replace("[categories]", MORE + KINDS).replace('area_code = "area"', 'area_code = "area"\ncategory = "kind"') + parts, "utf-8")
    for name, at in (("districts", 2), ("streets", 4), ("grids", 6)):
        held: dict[str, list[int]] = {}
        for i, code in enumerate(codes()):
            held.setdefault(code[:at], []).append(i)
        (where / f"{name}.geojson").write_text('{"type":"FeatureCollection","features":[' + ",".join(
            square(code, 110 + 0.1 * at_[0], 0.1 * len(at_)) for code, at_ in held.items()) + "]}", "utf-8")
    (where / "cases.csv").write_text("\n".join(",".join(row) for row in [["no", "at", "due", "closed", "area", "kind"], *rows]), "utf-8")
    (where / "figures.csv").write_text("\n".join(["指标,区划,时期,分子,分母", *figures]), "utf-8")
    return where


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Iterator[Town]:
    made = Town(store, tmp_path / "town")
    yield made
    made.writer.close()


class Town:
    """A small city to which random, legal things happen."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.rows, self.figures = case_rows(random.Random(7)), [f"LAW06,{s},{YESTERDAY},2,20" for s in sorted({c[:4] for c in codes()})]
        self.load()
        task_list.apply(store, ADMIN, code="C1", title="事项", department_code="urban", to="department", category="other", basis="示例")
        for step in ("review", "approve", "publish"):
            task_list.move(store, ADMIN, "C1", step)
        self.writer = Writer(store)
        self.nos: list[str] = []

    def load(self) -> None:
        loading.load(put(self.folder, self.rows, self.figures), self.store, quiet=True)

    def settle(self) -> None:
        book = Book()
        while self.store.dialect == "postgresql" and catch_up(self.store, book):
            pass

    def act(self, chance: random.Random) -> None:
        what = chance.choice(("case", "case", "step", "step", "step", "step", "late", "row", "figure", "rebuild"))
        if what == "case":
            k = chance.randrange(STREETS * GRIDS)
            at = datetime.combine(YESTERDAY - timedelta(days=chance.randrange(40)), datetime.min.time(), ZONE) + timedelta(hours=9)
            self.nos.append(self.writer.report(Found(actor=ADMIN, category="other", title="x", lon=110.05 + 0.1 * k, lat=20.05, at=at)).no)
        elif what == "step" and self.nos:
            self.step(chance)
        elif what == "late":
            row = chance.choice(self.rows)
            row[3] = "" if row[3] else f"{YESTERDAY} 19:00"
            self.load()
        elif what == "row":
            day = YESTERDAY - timedelta(days=chance.randrange(58))
            self.rows.append([f"N{len(self.rows)}", f"{day} 08:00", f"{day} 18:00", f"{day} 10:00", chance.choice(codes()), chance.choice(("other", "roads"))])
            self.load()
        elif what == "figure":
            k = chance.randrange(len(self.figures))
            self.figures[k] = self.figures[k].rsplit(",", 2)[0] + f",{chance.randrange(20)},20"
            self.load()
        elif what == "rebuild":
            self.settle()
            rebuild(self.store, quiet=True)
        self.settle()

    def step(self, chance: random.Random) -> None:
        no = chance.choice(self.nos)
        with self.store.read() as connection:
            status, since = connection.execute(select(cases.c.status, cases.c.since_at).where(cases.c.no == no)).one()
        step = chance.choice(legal(status, "admin"))
        begun = datetime.fromtimestamp(since, ZONE)
        more: dict[str, Any] = {"department": "urban"} if "department" in step.needs or step.id == "dispatched" else {}
        details = {"departments": ["urban"]} if step.id == "whistled" else {"valid": True, "contacted": True, "solved": chance.random() < 0.5} if step.id == "called_back" else {}
        at = begun + timedelta(hours=chance.randrange(1, 40))
        with suppress(GovError):  # what it also needs was not given: nothing happened
            self.writer.take(Order(actor=ADMIN, no=no, step=step.id, reason="demand" if step.id == "whistled" else "x", at=at, details=details, **more))


def same(a: Any, b: Any) -> None:
    for name in ("top", "under", "known", "age", "stale"):
        assert np.array_equal(getattr(a.now, name), getattr(b.now, name), equal_nan=name != "known" and name != "stale"), name
    assert a.scored.tree.ids == b.scored.tree.ids
    for name in ("value", "own", "alone", "scores", "coverage", "sd"):
        assert np.array_equal(getattr(a.scored, name), getattr(b.scored, name), equal_nan=True), name


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000))
def test_after_any_legal_history_what_is_kept_is_what_would_be_made_anew(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(5):
        town.act(chance)
        for ask in ASKS:
            for level in range(4):
                with town.store.read() as connection:
                    same(_kept.held(connection, ask, level), _kept.whole(connection, ask, level))


def test_a_late_case_scores_its_line_and_those_beside_it_and_nobody_else(town: Town) -> None:
    ask = ASKS[1]
    with town.store.read() as connection:
        assert mix_of(connection, ask.since, computed()).weights["SAF06"]  # categories do not all count the same
        all_of_them = [_kept.held(connection, ask, level).anew for level in range(4)]
    assert all_of_them == [1, 2, STREETS, STREETS * GRIDS]
    told = []
    for row in [r for r in town.rows if r[3].endswith("12:00") and ask.since < datetime.fromisoformat(r[1]).date() < ask.until][:8]:
        row[3] = f"{YESTERDAY} 23:30"  # it is told now that it was closed after its deadline
        town.load()
        town.settle()
        with town.store.read() as connection:
            kept = [_kept.held(connection, ask, level) for level in range(4)]
            for level, one in enumerate(kept):
                same(one, _kept.whole(connection, ask, level))
        told.append([one.anew for one in kept])
    # The city, both districts (they stand under one parent), the streets of one district, the grids of one street; all where a
    # step that they share was passed, which in so small a town a single case may do.
    assert {one[0] for one in told} == {1}
    assert {one[1] for one in told} == {2}
    assert {one[2] for one in told} <= {3, STREETS}
    assert {one[3] for one in told} <= {GRIDS, STREETS * GRIDS}
    assert sum(one[3] == GRIDS for one in told) >= len(told) / 3


def test_what_happens_on_other_days_touches_nothing(town: Town) -> None:
    with town.store.read() as connection:
        before = _kept.held(connection, ASKS[0], 3)
    town.rows.append(["OLD", f"{YESTERDAY - timedelta(days=50)} 08:00", f"{YESTERDAY - timedelta(days=50)} 18:00", "", codes()[0], "other"])
    town.load()
    with town.store.read() as connection:
        after = _kept.held(connection, ASKS[0], 3)
    assert after.mark > before.mark
    assert after.scored is before.scored


def test_a_start_takes_what_the_table_keeps_and_catches_up(town: Town) -> None:
    with town.store.read() as connection:
        for level in range(4):
            _kept.held(connection, ASKS[1], level)
    keeper = IndexKeeper(town.store, every_s=3600)
    try:
        assert keeper.once() >= 4
    finally:
        keeper.close()
    town.act(random.Random(3))
    row = town.rows[0]
    row[3] = "" if row[3] else f"{YESTERDAY} 19:00"
    town.load()
    town.settle()
    _kept.forget_here()
    with town.store.read() as connection:
        for level in range(4):
            same(_kept.held(connection, ASKS[1], level), _kept.whole(connection, ASKS[1], level))
    # It is what lies in the table that is taken: another number there is seen.
    with town.store.engine.begin() as connection:
        row = connection.execute(select(index_kept).where(index_kept.c.level == 2, index_kept.c.since == day_bucket(ASKS[1].since))).one()
        with np.load(io.BytesIO(row.inputs)) as held:
            arrays = {name: held[name] for name in held.files}
        arrays["now.top"][0, 0] += 0.5
        body = io.BytesIO()
        np.savez_compressed(body, **arrays)
        connection.execute(index_kept.update().where(index_kept.c.level == 2, index_kept.c.since == day_bucket(ASKS[1].since)).values(inputs=body.getvalue(), mark=touched.last_mark(connection)))
    _kept.forget_here()
    with town.store.read() as connection:
        assert _kept.held(connection, ASKS[1], 2).now.top[0, 0] == arrays["now.top"][0, 0]


def test_kept_inputs_of_another_catalogue_are_not_taken(town: Town) -> None:
    with town.store.read() as connection:
        _kept.held(connection, ASKS[1], 2)
    keeper = IndexKeeper(town.store, every_s=3600)
    keeper.once()
    keeper.close()
    with town.store.engine.begin() as connection:
        connection.execute(index_kept.update().values(basis="of another catalogue", mark=0))
    _kept.forget_here()
    with town.store.read() as connection:
        same(_kept.held(connection, ASKS[1], 2), _kept.whole(connection, ASKS[1], 2))


def test_whoever_looked_before_the_oldest_mark_makes_everything_anew(store: Store) -> None:
    with store.engine.begin() as connection:
        for _ in range(3):
            touched.touch(connection, [(1, day_bucket(TODAY))])
        last = touched.last_mark(connection)
        assert touched.since(connection, last, 0, 99_999).sums is not None
        connection.execute(touched.touched.delete().where(touched.touched.c.id < last))
        assert touched.since(connection, last - 1, 0, 99_999).sums is not None
        assert touched.since(connection, last - 2, 0, 99_999).sums is None


def test_a_change_of_too_much_is_one_mark_of_everything(store: Store) -> None:
    with store.engine.begin() as connection:
        touched.touch(connection, [(n, 1) for n in range(touched.MOST + 1)])
        held = connection.execute(select(touched.touched)).all()
        assert [(r.what, r.node, r.first <= -1_000_000) for r in held] == [(touched.SUMS, touched.EVERYWHERE, True), (touched.FIGURES, touched.EVERYWHERE, True)]
        told = touched.since(connection, held[0].id - 1, 5, 6) if held[0].id > 1 else touched.since(connection, 0, 5, 6)
        assert (told.sums, told.figures) == (None, None)
