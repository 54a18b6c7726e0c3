"""A release is frozen: it comes out of what it keeps bit for bit, and later data do not change it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from queries import governance, releases
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor, Ask
from queries.store import Store

ADMIN = Actor(name="admin", post="admin", scope=EVERYTHING)
SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 31)


def test_a_release_is_recomputed_bit_for_bit_and_a_changed_one_is_found_out(city: Store) -> None:
    made = releases.release(city, ADMIN, SINCE, UNTIL)
    assert made.index == governance.index(city, Ask(scope=EVERYTHING, since=SINCE, until=UNTIL)).rows[0].score
    assert releases.recomputed(city, made.id)
    assert releases.releases(city).rows[0].hash == made.hash
    with city.engine.begin() as connection:
        connection.execute(text("UPDATE index_release SET hash = :h WHERE id = :i"), {"h": "0" * 64, "i": made.id})
    assert not releases.recomputed(city, made.id)
    with city.engine.begin() as connection:
        connection.execute(text("DELETE FROM index_release"))


def test_a_period_that_is_not_over_stays_a_draft(city: Store) -> None:
    with pytest.raises(AskError, match="draft"):
        releases.release(city, ADMIN, date.today(), date.today() + timedelta(days=30))
    with pytest.raises(AskError, match="administrator"):
        releases.release(city, Actor(name="x", post="viewer", scope=EVERYTHING), SINCE, UNTIL)


@pytest.mark.parametrize(("scores", "reds"), [
    ([60, 60], 0), ([60, 60, 60], 3), ([60, 60, 80, 60], 0), ([60, None, 60, 60], 3), ([60, 60, 60, 60], 4), ([60, 60, 60, 75], 0), ([69.9, 69.9, 70.0], 0)])
def test_reds_in_a_row_suggest_and_a_better_colour_resets(scores: list[float | None], reds: int) -> None:
    found = releases.suggested([{"a": s} for s in scores])
    assert [one.reds for one in found] == ([reds] if reds else [])
    if reds:
        assert ("talk" if reds >= 4 else "notice") in found[0].words["en"]


def test_an_indicators_months_are_its_values_and_a_release_marks_its_own_with_the_counts_of_then(city: Store) -> None:
    made = releases.release(city, ADMIN, SINCE, UNTIL)
    with city.engine.begin() as connection:
        place = connection.execute(text("SELECT code FROM area WHERE level = 1 ORDER BY code")).scalar()
    for code in (None, place):
        asked = Ask(scope=EVERYTHING, since=date(2026, 11, 1), until=date(2026, 11, 20), place=code)
        rows = {row.since: row for row in governance.months(city, asked, 3, "SAF06").rows}
        assert list(rows) == [date(2026, 9, 1), SINCE, date(2026, 11, 1)]
        for since, row in rows.items():
            there = next(r for r in governance.index(city, asked.but(since=since, until=row.until)).rows if r.id == "SAF06")
            assert (row.score, row.value, row.numerator, row.denominator) == (there.score, there.value, there.numerator, there.denominator)
            # A release publishes scores of the index and its dimensions; of an indicator it keeps the counts.
            assert row.released is None
            assert row.draft == (since != SINCE)
        assert (rows[SINCE].frozen_numerator, rows[SINCE].frozen_denominator) == (rows[SINCE].numerator, rows[SINCE].denominator)
        assert rows[date(2026, 11, 1)].frozen_denominator is None
        safety = governance.months(city, asked, 2, "safety").rows[0]
        assert safety.released == pytest.approx(safety.score)
    with city.engine.begin() as connection:
        connection.execute(text("DELETE FROM index_release"))
    assert made.index is not None
