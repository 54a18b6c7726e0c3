"""Long work runs beside the page: begun once, remembered, and a failure is told and tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from dashboard.jobs import Jobs


def wait(jobs: Jobs, key: str, make: Callable[[], str]) -> str:
    for _ in range(500):
        found = jobs.get(key, make)
        if found is not None:
            return found
        time.sleep(0.01)
    raise AssertionError("never done")


def test_who_asks_first_starts_it_and_everybody_gets_the_same() -> None:
    jobs, gate, begun = Jobs(), threading.Event(), []

    def make() -> str:
        begun.append(1)
        gate.wait(5)
        return "done"

    assert [jobs.get("a", make) for _ in range(3)] == [None] * 3
    gate.set()
    assert wait(jobs, "a", make) == "done"
    assert len(begun) == 1
    jobs.close()


def test_a_failure_is_told_and_the_next_look_tries_again() -> None:
    jobs = Jobs()

    def bad() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        wait(jobs, "a", bad)
    assert wait(jobs, "a", lambda: "well") == "well"
    jobs.close()
