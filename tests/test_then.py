"""The state at a moment of the past is the state that the database had then, whatever happened since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

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
from queries.clock import moment, now, stamp
from queries.errors import GovError
from queries.frame import EVERYTHING, Ask, Filters, Scope
from queries.loop import page as loop_page
from queries.loop import then as past
from queries.loop.course import NAMES
from queries.loop.steps import STEPS, legal
from queries.loop.word import Said
from queries.loop.writer import Writer
from queries.store import Store
from queries.tables import cases
from tests.test_loop import ADMIN, DESK, STREET, URBAN, WATER, little, new, row, step  # noqa: F401  (a fixture)

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
        self.kept: dict[int, dict[str, tuple[Any, ...]]] = {}

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
            self.kept[stamp(self.clock.at)] = stands(self.writer.store)

    def teardown(self) -> None:
        for seconds, held in getattr(self, "kept", {}).items():
            assert stood(self.writer.store, seconds) == held
            listed = answers.page(self.writer.store, at(moment(seconds), filters=Filters(open_only=True)), limit=1000)
            assert {r.no: r.status for r in listed.rows} == {no: told[NAMES.index("status")] for no, told in held.items()}
            assert listed.total == len(held)


def test_a_moment_of_the_past_gives_back_the_open_cases_of_then(writer: Writer, clock: Clock) -> None:
    class Machine(History):
        pass

    Machine.writer, Machine.clock = writer, clock
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=5, stateful_step_count=15, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)))
