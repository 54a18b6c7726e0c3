"""The state at a moment of the past is the state that the database had then, whatever happened since."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from queries import cases as answers
from queries import cursor, kpi, matrix, places
from queries.clock import moment, now, stamp
from queries.errors import AskError, GovError, NoSuchError, ScopeError
from queries.frame import EVERYTHING, Ask, Filters, Scope
from queries.loop import desk, evaluate, grid, grid_then, like, nobody, whistles
from queries.loop import page as loop_page
from queries.loop import then as past
from queries.loop.course import NAMES
from queries.loop.steps import STEPS, legal
from queries.loop.word import Said
from queries.loop.writer import Writer
from queries.store import Store
from queries.summing import UNNAMED
from queries.tables import cases, department
from tests.test_loop import ADMIN, DESK, STREET, URBAN, WATER, little, new, row, step  # noqa: F401  (a fixture)

NOW = Ask(scope=EVERYTHING, since=now().date(), until=now().date())
ASKED_STEPS = sorted(set(STEPS) - {"reported", "told", "changed"})


class Clock:
    """A clock that only a test moves on. Everything that is written carries its time."""

    def __init__(self) -> None:
        self.at = now().replace(microsecond=0) - timedelta(days=3)

    def __call__(self) -> datetime:
        return self.at

    def on(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(loop_page, "now", made)
    return made


@pytest.fixture
def writer(little: Store, tmp_path: Path) -> Iterator[Writer]:  # noqa: F811
    made = Writer(little)
    yield made
    made.close()


def at(moment_: datetime, scope: Scope = EVERYTHING, **more: Any) -> Ask:
    day = moment_.date()
    return Ask(scope=scope, since=day - timedelta(days=29), until=day - timedelta(days=1), at=moment_, **more)


def stands(store: Store) -> dict[str, tuple[Any, ...]]:
    """Return the open cases as the database holds them now: the snapshot that a moment must give back."""
    with store.read() as connection:
        rows = connection.execute(select(cases).where(cases.c.is_open)).mappings().all()
    return {r["no"]: tuple(r[name] for name in NAMES) for r in rows}


def out(store: Store, ask: Ask) -> dict[int, tuple[Any, ...]]:
    """Return the whistles that are out, as the desk lists them; whether one is late follows from the moment of the look."""
    return {r.id: (r.case_no, r.title, r.reason, r.department, r.area_code, r.blown_at, r.due_at, r.arrived_at, r.rated_by_caller, r.rated_by_called)
            for r in whistles.out(store, ask, limit=1000).rows}


def grids(store: Store, page: Any, ask: Ask) -> dict[str, Any]:
    """Return what the pages of both streets say: how many are open, which, and what was closed last."""
    out = {}
    for place in ("91", "92"):
        one = page(store, ask.but(place=place)).row
        out[place] = one.n_open, {r.case.no: (r.case.status, r.seq, r.called, r.missing) for r in one.open}, [c.no for c in one.closed]
    return out


def table(store: Store, ask: Ask, measure: str) -> Counter[tuple[str, str]]:
    """Return the cells of the matrix, and check that its totals add up."""
    one = matrix.matrix(store, ask, measure).row
    assert [line.total.value for line in one.lines] == [sum(cell.value or 0 for cell in line.cells) for line in one.lines]
    assert one.corner.value == sum(line.total.value or 0 for line in one.lines)
    return Counter({(line.code, column.code): int(cell.value) for line in one.lines for column, cell in zip(one.columns, line.cells, strict=True) if cell.value})


def by_department(store: Store, held: Iterable[tuple[Any, ...]]) -> Counter[tuple[str, str]]:
    """Count open cases by department and street, from the snapshot of then."""
    with store.read() as connection:
        codes = dict(connection.execute(select(department.c.id, department.c.code)).all())
        streets = {told[NAMES.index("node")]: places.chain(connection, told[NAMES.index("node")]) for told in held}
    return Counter((codes.get(told[NAMES.index("department_id")], UNNAMED), chain[1].code if len(chain := streets[told[NAMES.index("node")]]) > 1 else "") for told in held)


def stood(store: Store, seconds: int) -> dict[str, tuple[Any, ...]]:
    with store.read() as connection:
        held = past.then(connection, seconds)
        nos = dict(connection.execute(select(cases.c.id, cases.c.no)).all())
    return {nos[id_]: tuple(one.course[name] for name in NAMES) for id_, one in held.stood.items()}


class History(RuleBasedStateMachine):
    """Any legal history, told late or in time; after each step the open set is kept beside its moment."""

    writer: Writer
    clock: Clock

    @initialize()
    def begin(self) -> None:
        self.clock.on(60)
        self.nos = [new(self.writer), new(self.writer)]
        self.kept: dict[int, tuple[dict[str, tuple[Any, ...]], dict[int, tuple[Any, ...]], dict[str, Any]]] = {}

    @rule(seconds=st.integers(1, 40_000), late=st.integers(0, 20_000))
    def reported(self, seconds: int, late: int) -> None:
        self.clock.on(seconds)
        self.nos.append(new(self.writer, at=self.clock.at - timedelta(seconds=late)))

    @rule(data=st.data(), seconds=st.integers(1, 40_000), late=st.integers(0, 5_000))
    def stepped(self, data: st.DataObject, seconds: int, late: int) -> None:
        self.clock.on(seconds)
        no = data.draw(st.sampled_from(self.nos))
        may = [s.id for s in legal(row(self.writer.store, no).status)]
        what = data.draw(st.sampled_from(may)) if may else "noted"
        for actor in (ADMIN, DESK, URBAN, WATER):
            try:
                step(self.writer, no, what, actor, reason="emergency", department="urban", until=self.clock.at + timedelta(days=40), into=self.nos[0],
                     details={"valid": True, "solved": True, "stars": 3}, at=self.clock.at - timedelta(seconds=late))
            except GovError:
                continue
            break

    @rule(data=st.data(), seconds=st.integers(1, 9_000), late=st.integers(0, 5_000))
    def whistled(self, data: st.DataObject, seconds: int, late: int) -> None:
        self.clock.on(seconds)
        no = data.draw(st.sampled_from(self.nos))
        what, actor = data.draw(st.sampled_from([("whistled", STREET), ("whistled", URBAN), ("arrived", WATER), ("arrived", URBAN), ("whistle_rated", WATER),
                                                 ("whistle_rated", STREET), ("whistle_ended", STREET), ("whistle_ended", URBAN)]))
        more = {"reason": "emergency", "department": "water", "details": {"departments": ["water", "urban"] if actor is STREET else []}} if what == "whistled" else {
            "department": "water", "details": {"stars": 4}}
        with contextlib.suppress(GovError):
            step(self.writer, no, what, actor, at=self.clock.at - timedelta(seconds=late), **more)

    @rule(data=st.data(), seconds=st.integers(1, 40_000))
    def as_its_source_says(self, data: st.DataObject, seconds: int) -> None:
        self.clock.on(seconds)
        no = data.draw(st.sampled_from(["S1", "S2"]))
        over = data.draw(st.booleans())
        said = Said(source="other", no=no, hash=str(self.clock.at), category="litter", reported_at=stamp(self.clock.at) - 5, two_words=True,
                    status="closed" if over else "reported", closed_at=stamp(self.clock.at) - 2 if over else None,
                    title=data.draw(st.sampled_from(["甲", "乙"])), lon=110.05, lat=20.05)
        self.writer.run(lambda page: page.hear(said))

    @invariant()
    def kept_beside_its_moment(self) -> None:
        if getattr(self, "nos", None):
            self.kept[stamp(self.clock.at)] = stands(self.writer.store), out(self.writer.store, NOW), grids(self.writer.store, grid.grid, NOW)

    def teardown(self) -> None:
        for seconds, (held, called, pages) in getattr(self, "kept", {}).items():
            assert stood(self.writer.store, seconds) == held
            assert out(self.writer.store, at(moment(seconds))) == called
            assert grids(self.writer.store, grid_then.grid, at(moment(seconds))) == pages
            lying = {no for no, told in held.items() if told[NAMES.index("status")] == "filed" and (told[NAMES.index("stage_due_at")] or told[NAMES.index("due_at")] or seconds) < seconds}
            gaps = {row.id: row for row in nobody.gaps(self.writer.store, at(moment(seconds)), 1000).rows}
            assert {one.code for one in gaps["left_lying"].first} == lying
            assert table(self.writer.store, at(moment(seconds)), "open") == by_department(self.writer.store, held.values())
            late = [told for told in held.values() if told[NAMES.index("due_at")] and told[NAMES.index("due_at")] < seconds]
            assert table(self.writer.store, at(moment(seconds)), "overdue") == by_department(self.writer.store, late)
            listed = answers.page(self.writer.store, at(moment(seconds), filters=Filters(open_only=True)), limit=1000)
            assert {r.no: r.status for r in listed.rows} == {no: told[NAMES.index("status")] for no, told in held.items()}
            assert listed.total == len(held)


def test_a_moment_of_the_past_gives_back_the_open_cases_of_then(writer: Writer, clock: Clock) -> None:
    class Machine(History):
        pass

    Machine.writer, Machine.clock = writer, clock
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=5, stateful_step_count=15, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)))


def test_a_closing_that_is_entered_late_leaves_the_case_open_until_it_was_known(writer: Writer, clock: Clock) -> None:
    no = new(writer)
    clock.on(3600)
    step(writer, no, "filed")
    happened = clock.at + timedelta(seconds=10)
    clock.on(7200)
    step(writer, no, "force_closed", reason="late", at=happened)
    between = stamp(clock.at) - 3600
    assert stood(writer.store, between)[no][NAMES.index("status")] == "filed"
    assert no not in stood(writer.store, stamp(clock.at))
    card = answers.one(writer.store, EVERYTHING, no, at(moment(between))).row
    assert [one.step for one in card.events] == ["reported", "filed"]
    assert (card.case.status, card.case.closed_at, card.case.is_open) == ("filed", None, True)


def test_a_case_is_known_from_when_we_learned_of_it(writer: Writer, clock: Clock) -> None:
    told = clock.at - timedelta(hours=5)
    clock.on(1)
    no = new(writer, at=told)
    with pytest.raises(NoSuchError, match="not known yet"):
        answers.one(writer.store, EVERYTHING, no, at(told + timedelta(hours=1)))
    assert no not in stood(writer.store, stamp(told) + 3600)


def test_lists_cards_marks_and_figures_of_the_past_are_those_of_ones_own_areas(writer: Writer, clock: Clock) -> None:
    mine, other = new(writer), new(writer, lon=110.15)
    clock.on(60)
    ask = at(clock.at, STREET.scope, filters=Filters(open_only=True))
    assert [r.no for r in answers.page(writer.store, ask).rows] == [mine]
    assert sum(p.n for p in answers.points(writer.store, ask, (100, 10, 120, 30), 12).rows) == 1
    assert {t.id: t.value for t in kpi.tiles(writer.store, ask).rows}["open"] == 1
    assert {r.id: r.n for r in kpi.status_mix(writer.store, ask).rows}["reported"] == 1
    with pytest.raises(ScopeError):
        answers.one(writer.store, STREET.scope, other, ask)
    with pytest.raises(ScopeError):
        answers.page(writer.store, ask.but(place="92"))


def test_figures_of_the_past_do_not_know_what_became_of_the_cases_later(writer: Writer, clock: Clock) -> None:
    no = new(writer)
    clock.on(60)
    then_ = at(clock.at)
    step(writer, no, "cancelled", reason="twice")
    told = {t.id: t.value for t in kpi.tiles(writer.store, then_).rows}
    # The case was cancelled in the very second at which it is asked: then it was known to be over.
    assert told["open"] == 0
    before = {t.id: t.value for t in kpi.tiles(writer.store, then_.but(at=clock.at - timedelta(seconds=30))).rows}
    assert before["open"] == 1
    assert before["closure_rate"] is None
    notes = kpi.tiles(writer.store, then_).notes
    assert any(str(then_.until) in note["en"] and "end of the day before" in note["en"] for note in notes)


def test_moments_that_are_to_come_or_lie_before_the_records_are_refused_in_words(writer: Writer, clock: Clock) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    new(writer)
    with writer.store.read() as connection:
        with pytest.raises(AskError, match="has not come yet"):
            cursor.checked(connection, now().astimezone(zone) + timedelta(hours=1))
        with pytest.raises(AskError, match="the records begin at"):
            cursor.checked(connection, clock.at.astimezone(zone) - timedelta(days=400))
        assert cursor.checked(connection, clock.at.astimezone(zone)) == clock.at


@pytest.mark.parametrize("text", ["", "2026-11-20", "2026-11-20T25:00", "2026-02-30T10:00", "2026-11-20T14:30Z", "2026-11-20 14:30", "٢026-11-20T14:30"])
def test_what_is_no_moment_is_no_moment(text: str) -> None:
    assert cursor.local(text) is None
    assert cursor.drill(f"{text}~1795500000x60") is None


def test_every_screen_of_a_drill_shows_the_same_moment_and_it_ends_with_its_day() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    held = cursor.drill("2026-11-20T14:00~1795500000x60")
    assert held is not None
    assert cursor.of_drill(held, zone, 1_795_499_000)[0] == datetime(2026, 11, 20, 14, tzinfo=zone)
    # Between two ticks all screens stand at the same moment, whenever they ask.
    assert cursor.of_drill(held, zone, 1_795_500_010) == cursor.of_drill(held, zone, 1_795_500_011)
    assert cursor.of_drill(held, zone, 1_795_500_010) == (datetime(2026, 11, 20, 14, 10, tzinfo=zone), False)
    assert cursor.of_drill(held, zone, 1_795_600_000) == (datetime(2026, 11, 20, 23, 59, 59, tzinfo=zone), True)
    assert cursor.drill("2026-11-20T14:00~1795500000x0") is None


def test_a_local_moment_that_clocks_skip_or_show_twice_is_one_moment() -> None:
    zone = ZoneInfo("America/New_York")
    assert cursor.in_zone(datetime(2026, 3, 8, 2, 30), zone).isoformat() == "2026-03-08T03:30:00-04:00"
    assert cursor.in_zone(datetime(2026, 11, 1, 1, 30), zone).isoformat() == "2026-11-01T01:30:00-04:00"


def test_a_called_department_has_come_and_gone_only_from_when_that_was_known(writer: Writer, clock: Clock) -> None:
    no = new(writer)
    clock.on(60)
    step(writer, no, "whistled", STREET, reason="emergency", department="urban", details={"departments": ["water"]})
    blown = stamp(clock.at)
    clock.on(7200)
    step(writer, no, "arrived", WATER, at=clock.at - timedelta(hours=1))
    told = stamp(clock.at)
    clock.on(600)
    step(writer, no, "whistle_ended", STREET)

    def calls(seconds: int, **more: Any) -> dict[str, tuple[bool, bool]]:
        return {r.department: (r.arrived_at is not None, r.late) for r in whistles.out(writer.store, at(moment(seconds), **more)).rows}

    assert calls(blown - 1) == {}
    assert calls(blown) == {"urban": (False, False), "water": (False, False)}
    assert calls(told - 1)["water"] == (False, calls(told - 1)["urban"][1])
    assert calls(told)["water"][0]
    assert not calls(told)["urban"][0]
    assert calls(stamp(clock.at)) == {}
    assert [r.department for r in whistles.out(writer.store, at(moment(told)), "water").rows] == ["water"]
    with pytest.raises(ScopeError):
        whistles.out(writer.store, at(moment(told), STREET.scope).but(place="92"))
    line = desk.standing_then(writer.store, at(moment(told)), no).row
    assert (line.called, line.missing) == (2, 1)
    assert desk.standing_then(writer.store, at(moment(told - 1)), no).row.missing == 2


def test_the_evaluation_of_a_moment_knows_whole_days_and_not_what_came_of_them_later(writer: Writer, clock: Clock) -> None:
    no = new(writer)
    clock.on(60)
    step(writer, no, "whistled", STREET, reason="emergency", department="water")
    blown = clock.at
    clock.on(86_400)
    step(writer, no, "arrived", WATER)
    step(writer, no, "supervised", DESK, reason="urgent")
    clock.on(86_400)
    zone = ZoneInfo("Asia/Shanghai")
    then_ = at((blown + timedelta(hours=30)).astimezone(zone))
    now_ = evaluate.evaluation(writer.store, then_.but(at=None)).rows
    rows = {r.id: r for r in evaluate.evaluation(writer.store, then_).rows}
    assert [(r.value, r.numerator) for r in now_ if r.id not in evaluate.SINCE] == [(r.value, r.numerator) for r in rows.values() if r.id not in evaluate.SINCE]
    assert (rows["arrival"].value, rows["arrival"].against) == (None, None)
    assert {s.id: s.n for s in evaluate.loop_line(writer.store, then_).rows}["arrived"] is None
    with pytest.raises(AskError, match="not known yet"):
        evaluate.cases_of(writer.store, then_, "arrival")
    with pytest.raises(AskError, match="not known yet"):
        like.like_with_like(writer.store, then_, "closure")
    assert like.like_with_like(writer.store, then_, "on_time").notes


def test_cases_behind_a_number_are_those_that_were_known_at_the_moment(writer: Writer, clock: Clock) -> None:
    no = new(writer)
    clock.on(60)
    step(writer, no, "filed")
    happened = clock.at + timedelta(seconds=5)
    clock.on(86_400)
    step(writer, no, "force_closed", reason="late", at=happened)
    told = stamp(clock.at)
    day = happened.astimezone(ZoneInfo("Asia/Shanghai")).date()
    ask = Ask(scope=EVERYTHING, since=day, until=day)
    assert [r.no for r in evaluate.cases_of(writer.store, ask, "forced").rows] == [no]
    assert evaluate.cases_of(writer.store, ask.but(at=moment(told - 1)), "forced").rows == ()
    assert [r.status for r in evaluate.cases_of(writer.store, ask.but(at=moment(told)), "forced").rows] == ["closed"]
