"""The rules by which a city evaluates: weights, the 0.9 rule, where its evaluation day and month begin.

Call-backs are counted by the evaluation day. The day that the stored tallies were counted by is kept
beside the rules: a changed `day_starts` holds from the next rebuild on, never half-way through a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from queries.loop.tables import tally
from queries.periods import next_month
from queries.store import get_meta, put_meta

RULES, COUNTED = "evaluation", "evaluation_counted"
#: Measures that are counted by the evaluation day; all others by the calendar's.
CALL_BACKS = frozenset({"valid", "contacted", "solved", "satisfied", "basic"})


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The rules in force. `shift_s` moves a moment onto its evaluation day, as the tallies are counted."""

    weights: dict[str, float] = field(default_factory=lambda: {"response": 0.1, "solved": 0.5, "satisfied": 0.4})
    basic: float = 0.9
    day_starts: str = "00:00"
    month_starts: int = 1
    counted: str = "00:00"

    @property
    def shift_s(self) -> int:
        """Return by how many seconds of the local clock the counted evaluation day begins before midnight."""
        return shift_of(self.counted)

    @property
    def stale(self) -> bool:
        """Return whether the rules ask for another day than the tallies were counted by."""
        return self.day_starts != self.counted

    def month_of(self, day: date) -> tuple[date, date]:
        """Return the first and last day of the evaluation month in which an evaluation day falls."""
        if self.month_starts == 1:
            first = day.replace(day=1)
            return first, next_month(first) - timedelta(days=1)
        first = day if day.day >= self.month_starts else day.replace(day=1) - timedelta(days=1)
        first = first.replace(day=self.month_starts)
        return first, next_month(first).replace(day=self.month_starts) - timedelta(days=1)


def shift_of(day_starts: str) -> int:
    """Return by how many seconds a day that begins at "12:00" of the day before begins before midnight."""
    hours, minutes = (int(part) for part in day_starts.split(":"))
    start = (hours * 60 + minutes) * 60
    return 86400 - start if start else 0


def keep(connection: Connection, told: dict[str, Any]) -> bool:
    """Store a city's rules; return whether they changed. Tallies that do not exist need no rebuild."""
    changed = told != get_meta(connection, RULES)
    if changed:
        put_meta(connection, RULES, told)
    if connection.scalar(select(tally.c.n).where(tally.c.measure.in_(CALL_BACKS)).limit(1)) is None:
        put_meta(connection, COUNTED, told["day_starts"])
    return changed


def read_evaluation(connection: Connection) -> Evaluation:
    """Return the rules in force; the defaults where no city said any."""
    told = get_meta(connection, RULES) or {}
    return Evaluation(**told, counted=get_meta(connection, COUNTED, "00:00"))


def forget_counted(connection: Connection) -> None:
    """Empty the tallies and let the day of the rules hold: for whoever counts everything anew."""
    connection.execute(delete(tally))
    put_meta(connection, COUNTED, read_evaluation(connection).day_starts)
