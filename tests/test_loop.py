"""The loop: legal steps only, each wholly or not at all, kept so that everything can be made anew from the events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from queries import loading, places
from queries.clock import now
from queries.errors import AskError, ConflictError, GovError, ScopeError, StepError
from queries.frame import EVERYTHING, Actor, Ask, Scope
from queries.loop import desk, task_list, whistles
from queries.loop.book import Book
from queries.loop.course import Course
from queries.loop.deltas import Deltas
from queries.loop.orders import Found, Order
from queries.loop.projector import catch_up, lag
from queries.loop.rebuild import compare, rebuild
from queries.loop.steps import OVER, STEPS, WAITING, legal
from queries.loop.tables import refusal, reporter, tally, whistle
from queries.loop.writer import Writer
from queries.rollup import SCHEMA, contributions
from queries.store import Store
from queries.tables import KEPT, cases, duration, event, open_now, rollup, total

CITY = """
name = "小城"
name_en = "Little"
code = "9"
timezone = "Asia/Shanghai"
[codes]
nested = true
[[levels]]
id = "city"
name = "全市"
[[levels]]
id = "street"
name = "街道"
file = "streets.geojson"
code = "code"
[departments]
urban = { name = "城管局", name_en = "Urban" }
water = { name = "水务局", name_en = "Water" }
[categories]
litter = { name = "垃圾", name_en = "Litter" }
flood = { name = "积水", name_en = "Flood" }
other = { name = "其他", name_en = "Other" }
"""
STREETS = """{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"91"},"geometry":{"type":"Polygon","coordinates":[[[110,20],[110.1,20],[110.1,20.1],[110,20.1],[110,20]]]}},
{"type":"Feature","properties":{"code":"92"},"geometry":{"type":"Polygon","coordinates":[[[110.1,20],[110.2,20],[110.2,20.1],[110.1,20.1],[110.1,20]]]}}]}"""
DESK = Actor(name="desk", post="dispatcher", scope=EVERYTHING)
ADMIN = Actor(name="root", post="admin", scope=EVERYTHING)
STREET = Actor(name="st91", post="street", scope=Scope(areas=frozenset({"91"})))
URBAN = Actor(name="urban", post="department", scope=EVERYTHING, department="urban")
WATER = Actor(name="water", post="department", scope=EVERYTHING, department="water")
HERE = {"lon": 110.05, "lat": 20.05}


@pytest.fixture
def little(store: Store, tmp_path: Path) -> Store:
    folder = tmp_path / "little"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    loading.load(folder, store, quiet=True)
    for code, department, category in (("C1", "urban", "litter"), ("C2", "water", "flood")):
        listed(store, code, department, category)
    return store


def listed(store: Store, code: str, department: str, category: str) -> None:
    task_list.apply(store, ADMIN, code=code, title=f"事项 {code}", department_code=department, to="department", category=category, basis="示例")
    for step in ("review", "approve", "publish"):
        task_list.move(store, ADMIN, code, step)


@pytest.fixture
def writer(little: Store) -> Iterator[Writer]:
    made = Writer(little)
    yield made
    made.close()


def new(writer: Writer, **more: Any) -> str:
    return writer.report(Found(**{"actor": DESK, "category": "litter", "title": "垃圾", **HERE, **more})).no


def step(writer: Writer, no: str, what: str, actor: Actor = DESK, **more: Any) -> Any:
    return writer.take(Order(actor=actor, no=no, step=what, **more))


def to_handling(writer: Writer) -> str:
    no = new(writer)
    step(writer, no, "filed")
    step(writer, no, "dispatched", department="urban")
    step(writer, no, "accepted", URBAN)
    return no


def sums(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    if store.dialect == "postgresql":
        book = Book()
        while catch_up(store, book):
            pass
    with store.read() as connection:
        return {
            t.name: sorted(tuple(r) for r in connection.execute(select(t)) if any(r[-width:]))
            for t, width in ((rollup, len(KEPT)), (total, len(KEPT)), (duration, 1), (open_now, 1), (tally, 1))
        }


def told(store: Store, measure: str) -> int:
    sums(store)
    with store.read() as connection:
        root = places.root(connection, now().date())
        return connection.scalar(select(func.coalesce(func.sum(tally.c.n), 0)).where(
            tally.c.area_id == root.area_id, tally.c.grain == 0, tally.c.measure == measure))


def row(store: Store, no: str) -> Any:
    with store.read() as connection:
        return connection.execute(select(cases).where(cases.c.no == no)).one()


def test_a_case_goes_the_whole_way_and_every_step_is_kept(writer: Writer) -> None:
    no = to_handling(writer)
    step(writer, no, "fed_back", URBAN)
    step(writer, no, "verified", STREET)
    done = step(writer, no, "closed", STREET)

    assert (done.status, done.waiting) == ("closed", "")
    with writer.store.read() as connection:
        steps = connection.execute(select(event.c.step, event.c.actor, event.c.post, event.c.seq).join(
            cases, cases.c.id == event.c.case_id).where(cases.c.no == no).order_by(event.c.seq)).all()
    assert [s.step for s in steps] == ["reported", "filed", "dispatched", "accepted", "fed_back", "verified", "closed"]
    assert [s.seq for s in steps] == list(range(1, 8))
    assert {s.actor for s in steps} == {"desk", "urban", "st91"}


def test_an_illegal_step_is_refused_and_the_legal_ones_are_named(writer: Writer) -> None:
    no = new(writer)
    with pytest.raises(StepError, match=r"'reported': 'closed' is not possible. You may: filed, rejected") as bad:
        step(writer, no, "closed")
    assert "不能“结案”" in bad.value.say("zh")
    assert row(writer.store, no).seq == 1


@pytest.mark.parametrize(("what", "more"), [("returned", {}), ("force_closed", {}), ("reassigned", {"reason": "x"}), ("merged", {})])
def test_a_step_without_what_it_needs_is_refused(writer: Writer, what: str, more: dict[str, Any]) -> None:
    no = to_handling(writer)
    actor = URBAN if what == "returned" else DESK
    with pytest.raises(StepError, match="needs a"):
        step(writer, no, what, actor, **more)


def test_a_post_takes_its_own_steps_on_its_own_work_only(writer: Writer) -> None:
    no = new(writer)
    step(writer, no, "filed")
    step(writer, no, "dispatched", department="urban")
    with pytest.raises(StepError, match="not with department 'water'"):
        step(writer, no, "accepted", WATER)
    with pytest.raises(StepError, match="may not take"):
        step(writer, no, "accepted", DESK)
    there = new(writer, lon=110.15)
    with pytest.raises(ScopeError):
        step(writer, there, "filed", STREET)


def test_dispatching_unlisted_work_is_refused_and_counted_by_who_tried(writer: Writer) -> None:
    no = new(writer)
    step(writer, no, "filed")
    with pytest.raises(task_list.NotListed, match="on no task list"):
        step(writer, no, "dispatched", department="water")
    assert row(writer.store, no).status == "filed"
    with writer.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(refusal)) == 1
    assert told(writer.store, "refused") == 1
    assert [(r.name["zh"], r.n) for r in task_list.refusals(writer.store, 0).rows] == [("水务局", 1)]


def test_what_was_refused_is_counted_once_also_when_a_load_comes_after_it(writer: Writer, tmp_path: Path) -> None:
    no = new(writer)
    step(writer, no, "filed")
    with pytest.raises(task_list.NotListed):
        step(writer, no, "dispatched", department="water")
    assert compare(writer.store, quiet=True).differing == 0
    loading.load(tmp_path / "little", writer.store, quiet=True)
    assert told(writer.store, "refused") == 1


def test_a_temporary_item_ends_by_itself(little: Store, writer: Writer) -> None:
    task_list.apply(little, ADMIN, code="T1", title="临时", department_code="water", to="department", category="litter", basis="示例",
                    temporary=True, ends_at=(end := now() + timedelta(seconds=6)))
    for one in ("review", "approve", "publish"):
        task_list.move(little, ADMIN, "T1", one)
    no = new(writer)
    step(writer, no, "filed")
    step(writer, no, "dispatched", department="water", item="T1")
    step(writer, no, "returned", WATER, reason="非本部门")
    import time

    time.sleep(max(0.0, (end - now()).total_seconds()) + 1.1)
    with pytest.raises(task_list.NotListed):
        step(writer, no, "dispatched", department="water", item="T1")
    assert "T1" not in {i.code for i in task_list.items(little).rows}
    with little.write() as connection:
        assert task_list.expire(connection, int(now().timestamp())) == 1
    assert {i.code: i.state for i in task_list.items(little, only_published=False).rows}["T1"] == "ended"


def test_of_two_who_act_at_once_one_is_told(writer: Writer) -> None:
    no = new(writer)
    seen = row(writer.store, no).seq
    step(writer, no, "filed", expected=seen)
    with pytest.raises(ConflictError, match="desk was faster"):
        step(writer, no, "rejected", STREET, reason="重复", expected=seen)


def test_the_same_message_twice_is_one_case_and_another_message_under_its_key_is_refused(writer: Writer) -> None:
    one = {"source": "door", "key": "k1", "at": datetime(2026, 11, 1, tzinfo=UTC)}
    first = writer.report(Found(actor=DESK, category="litter", **HERE, **one))
    again = writer.report(Found(actor=DESK, category="litter", **HERE, **one))
    assert (again.no, again.again, first.again) == (first.no, True, False)
    with pytest.raises(ConflictError, match="came before"):
        writer.report(Found(actor=DESK, category="flood", **HERE, **one))
    with writer.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 1


def test_a_clock_that_runs_ahead_counts_as_now_and_is_marked(writer: Writer) -> None:
    no = new(writer, at=now() + timedelta(days=2))
    held = row(writer.store, no)
    assert abs(held.reported_at - now().timestamp()) < 60
    with writer.store.read() as connection:
        assert "ahead_s" in connection.scalar(select(event.c.data).where(event.c.case_id == held.id))


def test_whoever_took_the_last_step_may_take_it_back(writer: Writer) -> None:
    no = to_handling(writer)
    before = row(writer.store, no)
    counted = sums(writer.store)
    step(writer, no, "fed_back", URBAN)
    with pytest.raises(StepError, match="whoever took the last step"):
        step(writer, no, "undone", DESK)
    step(writer, no, "undone", URBAN)
    now_ = row(writer.store, no)
    assert (now_.status, now_.since_at, now_.department_id) == (before.status, before.since_at, before.department_id)
    assert now_.seq == before.seq + 2
    assert {k: v for k, v in sums(writer.store).items() if k != "tally"} == {k: v for k, v in counted.items() if k != "tally"}


def test_a_report_that_names_its_grid_and_no_point_is_held_against_the_open_cases_of_the_grid(writer: Writer) -> None:
    where = {"lon": None, "lat": None}
    first = writer.report(Found(actor=DESK, category="litter", kind="暴露垃圾", area_code="91", title="垃圾", **where)).no
    pointed = new(writer)

    def repeats(**more: Any) -> list[str]:
        return list(writer.report(Found(**{"actor": DESK, "category": "litter", "title": "垃圾", "area_code": "91", **where, **more})).likely_repeats)

    assert repeats(category="flood") == []
    assert repeats(area_code="92") == []
    assert repeats(area_code="9") == [], "the whole city is no place to be near to each other"
    assert repeats(kind="小广告") == [pointed], "of another kind is another thing"
    last = new(writer, kind="暴露垃圾", area_code="91", **where)
    assert [one.no for one in desk.standing(writer.store, DESK, last).row.repeats][-1] == first


def test_a_merged_repeat_keeps_every_reporter_and_can_be_taken_back(writer: Writer) -> None:
    first = new(writer, contact="甲", text="看到垃圾")
    second = writer.report(Found(actor=DESK, category="litter", contact="乙", text="垃圾", lon=110.05005, lat=20.05))
    assert second.likely_repeats == (first,)
    step(writer, second.no, "merged", into=first)
    with writer.store.read() as connection:
        assert connection.scalar(select(func.count()).where(reporter.c.case_id == row(writer.store, first).id)) == 2
    assert row(writer.store, second.no).merged_into == row(writer.store, first).id
    step(writer, second.no, "undone")
    assert row(writer.store, second.no).status == "reported"
    with writer.store.read() as connection:
        assert connection.scalar(select(func.count()).where(reporter.c.case_id == row(writer.store, first).id)) == 1


def test_a_whistle_makes_departments_come_and_late_ones_are_seen(writer: Writer) -> None:
    no = new(writer, category="flood")
    step(writer, no, "whistled", STREET, reason="emergency", department="urban", details={"departments": ["water"]}, at=now() - timedelta(hours=1))
    with pytest.raises(StepError, match="no reason to whistle"):
        step(writer, no, "whistled", STREET, reason="hurry", department="urban")
    step(writer, no, "arrived", WATER, at=now() - timedelta(minutes=50))
    step(writer, no, "arrived", URBAN)
    with pytest.raises(StepError, match="No whistle"):
        step(writer, no, "arrived", URBAN)
    step(writer, no, "whistle_rated", STREET, department="water", details={"stars": 5})
    step(writer, no, "whistle_rated", WATER, details={"stars": 4})
    day = now().date() + timedelta(days=1)
    out = {w.department: w for w in whistles.out(writer.store, Ask(scope=EVERYTHING, since=day, until=day)).rows}
    assert (out["water"].late, out["urban"].late) == (False, True)
    assert (out["water"].rated_by_caller, out["water"].rated_by_called) == (5, 4)
    assert (told(writer.store, "whistles"), told(writer.store, "arrived"), told(writer.store, "arrived_on_time")) == (2, 2, 1)
    step(writer, no, "whistle_ended", STREET)
    with writer.store.read() as connection:
        assert connection.scalar(select(func.count()).where(whistle.c.ended_at.is_(None))) == 0


def test_nobody_comes_before_the_whistle_or_closes_before_the_report(writer: Writer) -> None:
    no = new(writer, category="flood")
    step(writer, no, "whistled", STREET, reason="emergency", department="water")
    with pytest.raises(StepError, match="blown after"):
        step(writer, no, "arrived", WATER, at=now() - timedelta(hours=1))
    step(writer, no, "arrived", WATER, at=now() - timedelta(minutes=2))  # its clock is a little behind
    step(writer, no, "solved_on_site", STREET)
    with pytest.raises(StepError, match="reported after"):
        step(writer, no, "closed", STREET, at=now() - timedelta(days=1))
    assert told(writer.store, "arrived") == 1
    assert row(writer.store, no).status == "verified"


def test_three_redos_make_a_proposal_and_nothing_by_itself(writer: Writer) -> None:
    no = to_handling(writer)
    for i in range(3):
        step(writer, no, "fed_back", URBAN)
        done = step(writer, no, "rework", STREET, reason="未清")
        assert bool(done.proposals) == (i == 2)
    assert row(writer.store, no).climbed == 0


def test_a_suspended_case_gets_the_rest_of_its_time_back(writer: Writer) -> None:
    no = to_handling(writer)
    step(writer, no, "extended", reason="待料", until=now() + timedelta(hours=5))
    step(writer, no, "suspended", reason="等待审批")
    assert row(writer.store, no).due_at is None
    step(writer, no, "resumed")
    held = row(writer.store, no)
    assert held.status == "handling"
    assert abs(held.due_at - (now() + timedelta(hours=5)).timestamp()) < 30


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_step_and_status_has_words(lang: str) -> None:
    assert all(s.title[lang] for s in STEPS.values())
    assert {s for one in STEPS.values() for s in one.frm} <= {*WAITING, *OVER}
    assert all(legal(status) for status in WAITING)


TIMES = st.integers(1_700_000_000, 1_760_000_000)
COURSES = st.builds(
    Course, node=st.integers(1, 3), category_id=st.integers(1, 2), department_id=st.none() | st.integers(1, 2),
    status=st.sampled_from([*WAITING, *OVER]), urgent=st.booleans(), origin=st.sampled_from(["", "grid", "sensor", "hotline", "public"]), reported_at=TIMES, filed_at=st.none() | TIMES, due_at=st.none() | TIMES,
    closed_at=st.none() | TIMES, rework=st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(st.lists(COURSES, min_size=1, max_size=12))
def test_one_by_one_counts_the_same_as_whole_loads(courses: list[Course]) -> None:
    from zoneinfo import ZoneInfo

    import polars as pl

    zone = ZoneInfo("Asia/Shanghai")
    deltas = Deltas(zone, lambda node: (node,))
    for course in courses:
        deltas.move(None, course)
    facts = pl.DataFrame([[getattr(c, k) for k in SCHEMA] for c in courses], schema=SCHEMA, orient="row").with_columns(weight=pl.lit(1, pl.Int64))
    days, bins, waiting = contributions(facts, zone)
    want = {}
    for r in days.iter_rows(named=True):
        key = (r["node"], 0, r["bucket"], r["category_id"], r["department_id"])
        want[key] = [a + b for a, b in zip(want.get(key, [0] * len(KEPT)), [r[m] for m in KEPT], strict=True)]
    assert {k: v for k, v in deltas._sums.items() if k[1] == 0 and any(v)} == {k: v for k, v in want.items() if any(v)}
    assert {k: n for k, n in deltas._bins.items() if k[1] == 0} == {
        (r["node"], 0, r["bucket"], 0, r["bin"]): r["n"] for r in bins.iter_rows(named=True)}
    assert dict(deltas._open) == {
        (r["node"], r["category_id"], r["department_id"], r["status"]): r["n"] for r in waiting.iter_rows(named=True)}


PLAY = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from([DESK, ADMIN, STREET, URBAN, WATER]), st.integers(0, 2)), max_size=40)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(play=PLAY)
def test_whatever_is_tried_the_state_is_the_fold_of_its_events(writer: Writer, play: list[tuple[str, Actor, int]]) -> None:
    numbers = [new(writer) for _ in range(3)]
    for what, actor, which in play:
        try:
            step(writer, numbers[which], what, actor, reason="emergency", department="urban", until=now() + timedelta(days=2),
                 into=numbers[which - 1], details={"valid": True, "solved": True, "satisfied": True, "stars": 3})
        except (GovError, AskError):
            continue
    before = sums(writer.store)
    done = rebuild(writer.store, quiet=True)
    assert done.mended == 0
    assert sums(writer.store) == before


def test_comparing_with_a_rebuild_finds_what_is_wrong_and_changes_nothing(writer: Writer) -> None:
    no = to_handling(writer)
    good = compare(writer.store, quiet=True)
    assert (good.cases, good.events, good.mended, good.differing) == (1, 4, 0, 0)
    sums(writer.store)
    with writer.store.engine.begin() as connection:
        connection.execute(update(cases).where(cases.c.no == no).values(transfers=7))
        connection.execute(update(open_now).values(n=open_now.c.n + 1))
    first, second = compare(writer.store, quiet=True), compare(writer.store, quiet=True)
    assert (first.mended, bool(first.differing)) == (1, True)
    assert first == second


def test_the_projector_catches_up_and_says_how_far_it_is_behind(writer: Writer) -> None:
    to_handling(writer)
    if writer.inline:
        assert lag(writer.store) == (0, 0.0)
        return
    assert lag(writer.store)[0] == 4
    assert sums(writer.store)["open_now"]
    assert lag(writer.store)[0] == 0


def test_an_unanswered_whistle_climbs_rung_by_rung_and_is_never_closed(writer: Writer) -> None:
    from queries.loop.service import tick

    no = new(writer, category="flood")
    step(writer, no, "whistled", STREET, reason="emergency", department="water", at=now() - timedelta(minutes=70))
    assert [writer.run(tick).get("climbed") for _ in range(3)] == [1, 1, 0]
    held = row(writer.store, no)
    assert (held.climbed, held.status) == (2, "reported")
    step(writer, no, "arrived", WATER)
    assert writer.run(tick)["climbed"] == 0
