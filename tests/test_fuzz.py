"""Whatever is sent to the API is answered with a reason, and never half a change is left."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import MOST_S, run


def test_generated_requests_meet_no_5xx_no_half_change_and_always_a_reason(tmp_path: Path) -> None:
    found = run(tmp_path, 400, MOST_S)

    assert found.faults == []
    assert found.requests > 100
    # What an address names is there often enough for the good answers to be looked at as well.
    assert all(sum(counts["2xx"] for label, counts in found.answered.items() if part in label) > 0 for part in ("{no}", "{sensor}", "{code}", "/readings", "POST /open311"))
