"""One ask in, one answer out: every public query takes an Ask and returns an Answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from queries.clock import now, stamp
from queries.errors import AskError

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the asker may see: whole branches of the boundary tree, by area code. None = everything."""

    areas: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: the account's name, the post (role) in which it acts, and what that post may see.

    `post` is one of queries/loop/steps.py: street, dispatcher, department, admin, source, clock; or "viewer",
    who may look and not act. `department` is the code of the department for which a department post acts.
    `shown` is what a timeline shows.
    """

    name: str
    post: str
    scope: Scope
    department: str = ""
    shown: str = ""


EVERYTHING = Scope()
#: Time itself: it may remind and escalate, never close or punish.
CLOCK = Actor(name="clock", post="clock", scope=EVERYTHING)
NOTHING = Scope(areas=frozenset())


#: Days that can be asked about; further out there are no days to compare with.
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What narrows an ask; an empty tuple means no narrowing. Values are codes or standard words."""

    categories: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    overdue: bool = False
    open_only: bool = False
    #: Only cases that lie in the place itself but in none of its children (not placed further down).
    unplaced: bool = False
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Who asks (scope), about where (area code; None = the whole city), about which local days.

    `since` and `until` are both inside the period. The boundaries are those of `on`.
    `at` is the moment at which to look, aware and in the city's zone; None = now. Then everything is answered
    as it was known at that moment, and what is kept by day ends with the day before (`until`).
    """

    scope: Scope
    since: date
    until: date
    place: str | None = None
    filters: Filters = field(default_factory=Filters)
    #: What if the dimensions of the index weighed so much? In their order; empty = as the catalogue says.
    weights: tuple[int, ...] = ()
    at: datetime | None = None
    #: The moment is that of a drill (演练): whatever leaves the house says so.
    drill: bool = False

    def __post_init__(self) -> None:
        if self.at is not None and self.at.tzinfo is None:
            raise AskError(f"The moment {self.at} has no zone. Say it with one.")
        if not FIRST <= self.since <= LAST or not FIRST <= self.until <= LAST:
            raise AskError(f"The period {self.since} to {self.until} lies before {FIRST.year} or after {LAST.year}. Choose other days.",
                           zh=f"时段 {self.since} 至 {self.until} 早于 {FIRST.year} 年或晚于 {LAST.year} 年，请另选日期。")
        if self.since > self.until:
            raise AskError(f"The period ends ({self.until}) before it begins ({self.since}). Swap the dates.")

    def but(self, **changes: Any) -> Ask:
        """Return the same ask with some fields changed."""
        return replace(self, **changes)

    @property
    def present(self) -> int:
        """Return the UTC second at which to look."""
        return stamp(self.at or now())

    @property
    def on(self) -> date:
        """Return the local day whose boundaries hold."""
        return self.until if self.at is None else self.at.date()

    @property
    def days(self) -> int:
        """Return the number of local days asked about."""
        return (self.until - self.since).days + 1


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Rows that an answer could not count, and why (words in both languages)."""

    n: int
    why: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[R]):
    """Rows with their honesty: as of when, next due when, from which sources, what was dropped.

    `as_of` is None when no source has ever delivered: nothing is known, which is not the same as zero.
    `total` is the number of rows that exist when `rows` is only a page of them. Rows of very many areas
    may be held as columns (queries/area_values.py) and read like any others.
    """

    rows: Sequence[R]
    as_of: datetime | None
    source: tuple[str, ...]
    due: datetime | None = None
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[dict[str, str], ...] = ()
    total: int | None = None

    @property
    def row(self) -> R:
        """Return the only row of an answer that has exactly one."""
        (only,) = self.rows
        return only
