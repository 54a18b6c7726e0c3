"""A sensor's series as it is drawn: each run of points where it was measured, and nothing where nothing was heard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from dashboard.panels._series import plot
from dashboard.words import Words
from queries.sensing.values import SeriesPoint

BEGAN = datetime(2026, 11, 25, 8, tzinfo=UTC)


def point(i: int, value: float | None) -> SeriesPoint:
    return SeriesPoint(at=BEGAN + timedelta(minutes=i), n=value is not None, mean=value, low=value, high=value, last=value)


@given(st.lists(st.none() | st.floats(0, 10), min_size=2, max_size=60).filter(lambda values: any(v is not None for v in values)))
def test_every_value_is_drawn_at_its_time_and_no_line_goes_where_nothing_was_heard(values: list[float | None]) -> None:
    drawn = unquote(str(plot(Words("en"), [point(i, v) for i, v in enumerate(values)], "m", 2, "three hours")))
    path = re.findall(r"<path d='([^']*)'", drawn)[-1]
    strokes = [[tuple(map(float, at.split(","))) for at in one.split(" L")] for one in path.split("M") if one]
    runs = "".join("." if v is None else "x" for v in values).split(".")
    assert [max(len(run), 2) for run in runs if run] == [len(stroke) for stroke in strokes]
    step, known = 100 / (len(values) - 1), [v for v in values if v is not None]
    low, room = min(known), (max(known) - min(known)) or 1.0
    told = [at for stroke in strokes for at in stroke]
    for i, value in enumerate(values):
        if value is not None:
            assert any(abs(x - i * step) <= 0.41 and abs(y - (96 - (value - low) / room * 92)) <= 0.006 for x, y in told)
