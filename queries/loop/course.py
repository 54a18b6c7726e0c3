"""The course of a case, folded from its events: the one place that says what an event does to a case.

Writing a step, rebuilding all cases and following the log all fold with `after`, so that the current
state can be made anew from the history and is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from queries.loop.steps import OVER

#: Steps at which a case ends, in the words of the standard or of a source.
ENDS = frozenset({"closed", "force_closed", "cancelled", "rejected", "merged"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """Where a case stands. Times are UTC seconds; the fields are columns of the table of cases."""

    node: int = 0
    category_id: int = 0
    department_id: int | None = None
    urgent: bool = False
    origin: str = ""
    status: str = ""
    reported_at: int = 0
    filed_at: int | None = None
    due_at: int | None = None
    closed_at: int | None = None
    rework: int = 0
    seq: int = 0
    since_at: int | None = None
    stage_due_at: int | None = None
    item: str = ""
    supervised: bool = False
    transfers: int = 0
    climbed: int = 0
    merged_into: int | None = None
    left_s: int | None = None

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to do something."""
        return self.status not in OVER

    def columns(self) -> dict[str, Any]:
        """Return the columns of the table of cases, `is_open` with them."""
        return {name: getattr(self, name) for name in NAMES} | {"is_open": self.is_open}


NAMES = tuple(field.name for field in fields(Course))


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One event, as it is stored."""

    seq: int
    at: int
    step: str
    status: str = ""
    department_id: int | None = None
    due_at: int | None = None
    stage_due_at: int | None = None
    data: str = ""


def after(course: Course, event: Happened) -> Course:
    """Return the course once an event has happened."""
    return replace(course, **changes(event, course.rework, course.transfers, course.climbed))


def changes(event: Any, rework: int, transfers: int, climbed: int) -> dict[str, Any]:
    """Return what an event (or a stored row of one) changes in a course of which so much is known."""
    step, status = event.step, event.status
    now: dict[str, Any] = {"seq": event.seq}
    if status:
        # A source that only tells where a case stands does not say since when.
        now["status"], now["since_at"], now["stage_due_at"] = status, None if step == "told" else event.at, event.stage_due_at
        if status not in OVER:
            now["closed_at"] = None
        elif step in ENDS:
            now["closed_at"] = event.at
    elif event.stage_due_at is not None:
        now["stage_due_at"] = event.stage_due_at
    if step == "reported":
        now["reported_at"] = event.at
    elif step == "filed":
        now["filed_at"] = event.at
    elif step == "rework":
        now["rework"] = rework + 1
    elif step in ("returned", "reassigned"):
        now["transfers"] = transfers + 1
    elif step == "escalated":
        now["climbed"] = climbed + 1
    if event.department_id is not None:
        now["department_id"] = event.department_id
    if event.due_at is not None:
        now["due_at"] = event.due_at or None
    if event.data and '"set"' in event.data:
        now |= json.loads(event.data).get("set", {})
    return now


def folded(start: Course, events: Iterable[Happened]) -> Course:
    """Return the course after all of some events, in their order. `start` holds what no event tells: node, category."""
    for event in events:
        start = after(start, event)
    return start


def began(history: Iterable[Any], stands: Course) -> Course:
    """Return what no event tells at first: the category and urgency that a case had before its source changed them.

    `history` = events in their order; `stands` = the case as it stands now.
    """
    first: dict[str, Any] = {}
    for event in history:
        if event.step == "changed" and '"told"' in event.data:
            told = json.loads(event.data).get("told")
            for name in ("category_id", "urgent"):
                if isinstance(told, dict) and isinstance(told.get(name), list):
                    first.setdefault(name, told[name][0])
    return replace(stands, **first) if first else stands


def restored(before: Course, now: Course) -> dict[str, Any]:
    """Return what an event must set so that the course is again what it was before; its number stays new."""
    return {name: getattr(before, name) for name in NAMES if name != "seq" and getattr(before, name) != getattr(now, name)}
