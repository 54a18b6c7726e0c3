"""Periods are taken apart so that few rows are read and every day counts once."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from queries.clock import EPOCH, day_bucket, month_bucket
from queries.periods import MONTH, ONE, Piece, by_days, month_start, pieces, shortest

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2040, 1, 1))


def counted(wanted: list[Piece]) -> Counter[int]:
    """How often each day is counted."""
    found: Counter[int] = Counter()
    for piece in wanted:
        days = range(piece.lo, piece.hi + 1)
        if piece.grain == MONTH:
            days = range(day_bucket(month_start(piece.lo)), day_bucket(month_start(piece.hi + 1)))
        for day in days:
            found[day] += piece.sign
    return Counter({day: n for day, n in found.items() if n})


@given(DAYS, st.integers(0, 800))
def test_every_day_of_a_period_counts_once_however_it_is_taken_apart(since, more):
    until = since + timedelta(days=more)
    truth = Counter(range(day_bucket(since), day_bucket(until) + 1))
    for apart in (pieces(since, until), by_days(pieces(since, until)), shortest(pieces(since, until))):
        assert counted(apart) == truth


@given(DAYS, st.integers(0, 800))
def test_at_most_half_a_month_is_read_day_by_day_at_each_end(since, more):
    wanted = shortest(pieces(since, since + timedelta(days=more)))
    by_month = Counter()
    for piece in wanted:
        if piece.grain != MONTH:
            first = EPOCH + timedelta(days=piece.lo)
            assert month_bucket(first) == month_bucket(EPOCH + timedelta(days=piece.hi))
            by_month[month_bucket(first)] += piece.hi - piece.lo + 1
    assert len(by_month) <= 2
    assert all(n <= 16 for n in by_month.values())


def test_a_period_that_ends_before_it_begins_has_no_pieces():
    assert pieces(date(2026, 5, 2), date(2026, 5, 2) - ONE) == [] == shortest([])
