"""A wall outlives restarts and cuts, shows what the server knows, and does not grow. SOAK_MINUTES=3 makes it longer."""

from __future__ import annotations

import os

import pytest

from tests.soak import BUDGET, LEAST, Outcome, soak


@pytest.mark.browser
@pytest.mark.soak
def test_a_wall_lives_through_restarts_and_cuts_and_does_not_grow() -> None:
    # In so few rounds what React has not yet let go of is a tenth of the heap: only a leak that a wall would not live a day with is seen.
    minutes = float(os.environ.get("SOAK_MINUTES", "1"))
    out = soak(minutes, lambda _: None, BUDGET if minutes >= 10 else 0.3)

    assert out.wrong == []
    assert (out.restarts, out.cuts) == (len(out.heap), len(out.heap))
    assert len(out.heap) >= LEAST
    assert out.events > 20


def test_a_steady_leak_is_seen_and_what_is_only_on_the_screen_just_then_is_not() -> None:
    import random

    rng = random.Random(1)
    noise = [6e6 + rng.uniform(-5e5, 5e5) for _ in range(40)]
    assert abs(Outcome(heap=noise).growth) < BUDGET
    assert Outcome(heap=[n + 2.5e4 * i for i, n in enumerate(noise)]).growth > BUDGET
    assert Outcome(heap=[6e6, 6e6, 6.6e6]).growth == pytest.approx(0.1)
