"""Any run of steps by any posts: the transition table holds, what is refused changes nothing, what is taken back is as before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from queries.clock import now
from queries.errors import ConflictError, GovError
from queries.frame import Actor
from queries.loop.course import NAMES
from queries.loop.rebuild import compare
from queries.loop.steps import OVER, STEPS, WAITING, legal
from queries.loop.writer import Writer
from queries.store import Store
from tests.test_loop import ADMIN, DESK, STREET, URBAN, WATER, little, new, row, step  # noqa: F401  (a fixture)

WHO = st.sampled_from([DESK, ADMIN, STREET, URBAN, WATER])


class CaseMachine(RuleBasedStateMachine):
    """One case at a time; beside it a model that knows only the transition table."""

    writer: Writer

    @initialize()
    def begin(self) -> None:
        self.no, self.other = new(self.writer), new(self.writer)
        self.seen = self._stands()
        self.before: dict[str, Any] | None = None
        self.last: tuple[str, Actor] | None = None
        self.paused_in = ""

    def _stands(self) -> dict[str, Any]:
        held = row(self.writer.store, self.no)
        return {name: getattr(held, name) for name in NAMES}

    def _try(self, what: str, actor: Actor, **more: Any) -> bool:
        told = {"reason": "emergency", "department": "urban", "until": now() + timedelta(days=40), "into": self.other,
                "details": {"valid": True, "solved": True, "stars": 3}} | more
        try:
            step(self.writer, self.no, what, actor, **told)
        except GovError:
            assert self._stands() == self.seen, f"{what} was refused, and yet the case changed"
            return False
        return True

    def _took(self, what: str, actor: Actor) -> None:
        was, self.seen = self.seen, self._stands()
        target = STEPS[what].to
        if what in ("suspended", "hung"):
            self.paused_in = was["status"]
        if what == "resumed":
            target = self.paused_in
        assert self.seen["status"] == (target or was["status"])
        assert self.seen["seq"] == was["seq"] + 1
        self.before, self.last = was, (what, actor)

    @rule(what=st.sampled_from(sorted(set(STEPS) - {"undone", "reported", "told", "changed"})), actor=WHO)
    def any_step(self, what: str, actor: Actor) -> None:
        may = STEPS[what] in legal(self.seen["status"], actor.post)
        if self._try(what, actor):
            assert may, f"{what} from {self.seen['status']} by {actor.post} should have been refused"
            self._took(what, actor)

    @rule(data=st.data())
    def a_legal_step(self, data: st.DataObject) -> None:
        ours = [s.id for s in legal(self.seen["status"]) if s.id not in ("undone", "merged", "cancelled", "rejected", "force_closed")]
        what = data.draw(st.sampled_from(ours))
        actor = ADMIN if ADMIN.post in STEPS[what].posts else URBAN
        if self._try(what, actor):
            self._took(what, actor)

    @precondition(lambda self: self.last and STEPS[self.last[0]].undo)
    @rule()
    def taken_back(self) -> None:
        assert self.last
        assert self.before
        if self._try("undone", self.last[1]):
            self.seen = self._stands()
            assert self.seen == self.before | {"seq": self.before["seq"] + 2}
            self.before = self.last = None

    @rule(actor=WHO)
    def too_late(self, actor: Actor) -> None:
        """Whoever looked at the case before its last step is told, and nothing is written."""
        with pytest.raises((ConflictError, GovError)):
            step(self.writer, self.no, "noted", actor, reason="x", expected=self.seen["seq"] - 1)
        assert self._stands() == self.seen

    @invariant()
    def it_waits_on_somebody_or_is_over(self) -> None:
        held = self.seen
        assert held["status"] in (*WAITING, *OVER)
        assert row(self.writer.store, self.no).is_open == (held["status"] in WAITING)
        assert (held["closed_at"] is not None) == (held["status"] in OVER)
        if held["status"] in ("suspended", "hung"):
            assert held["due_at"] is None


@pytest.fixture
def writer(little: Store, tmp_path: Path) -> Iterator[Writer]:  # noqa: F811
    made = Writer(little)
    yield made
    made.close()


def test_no_run_of_steps_leaves_the_transition_table(writer: Writer) -> None:
    class Machine(CaseMachine):
        pass

    Machine.writer = writer
    run_state_machine_as_test(Machine, settings=settings(
        max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)))
    done = compare(writer.store, quiet=True)
    assert (done.mended, done.differing) == (0, 0)
