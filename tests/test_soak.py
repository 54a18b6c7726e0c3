"""A wall outlives restarts and cuts, shows what the server knows, and does not grow. SOAK_MINUTES=3 makes it longer."""

from __future__ import annotations

import os

import pytest

from tests.soak import BUDGET, LEAST, soak


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
