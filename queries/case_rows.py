"""The rows that answers about single cases are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from queries.loop.steps import OVER, STATUS_WORDS

__all__ = ["OVER", "STATUS_WORDS", "CaseCard", "CaseRow", "Event", "Point", "Words"]
Words = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """One case as a list shows it. Times are aware UTC; None = not known."""

    id: int
    no: str
    title: str
    title_words: Words  # a title that is the kind's own word, in both languages
    category: str  # code
    category_name: Words
    kind: str
    kind_words: Words
    status: str
    department: str | None  # code
    department_name: Words | None
    urgent: bool
    reported_at: datetime
    filed_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    is_open: bool
    overdue: bool  # still open, deadline passed
    rework: int
    lon: float | None
    lat: float | None
    placed: str  # point, code, outside, none
    area_code: str  # the deepest known area
    area_name: Words
    source: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step of a case. `derived` = implied by the dates of an imported row, not seen by us."""

    at: datetime
    seen_at: datetime | None
    step: str
    title: Words
    actor: str
    note: Words
    derived: bool
    status: str = ""  # of the case after it; empty = unchanged
    post: str = ""
    reason: str = ""
    department: Words | None = None
    due_at: datetime | None = None
    #: Of a whistle: why, the departments that it calls or that answer it, and by how many seconds one came late.
    why: Words | None = None
    called: tuple[Words, ...] = ()
    late_s: int = 0


@dataclass(frozen=True, kw_only=True)
class CaseCard:
    """One case with its whole timeline and the areas from the city down."""

    case: CaseRow
    address: str
    channel: str
    path: tuple[tuple[str, Words], ...]  # (code, name), from the city down
    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class Point:
    """Open cases of one map cell. A single one carries its number in `nos`."""

    lon: float
    lat: float
    n: int
    by_status: dict[str, int] = field(default_factory=dict)
    overdue: int = 0
    nos: tuple[str, ...] = ()
