"""Whatever is sent to the API is answered with a reason, and never half a change is left."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import MOST_S, run


def test_generated_requests_meet_no_5xx_no_half_change_and_always_a_reason(tmp_path: Path) -> None:
    found = run(tmp_path, 400, MOST_S)

    assert found.faults == []
    assert found.requests > 100
