"""What a writer knows by heart: words, limits, calendar, places. Read again only when it changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from queries.boundaries import Locator
from queries.city.origins import Origins
from queries.clock import day_bucket, local_day
from queries.clocks import Calendar, Limit, Limits, read_calendar, read_limits
from queries.loop.course import Course
from queries.loop.deltas import Deltas
from queries.loop.evaluation import COUNTED, Evaluation, read_evaluation
from queries.loop.steps import STAGE
from queries.store import get_meta
from queries.tables import category, department, meta, tree
from queries.today import CityNow, city_now

Line = tuple[int, ...]
#: What changes whenever something changes that a writer knows by heart; in one statement, for it is asked with each commit.
_MARK = select(
    *(select(meta.c.value).where(meta.c.key == key).scalar_subquery() for key in ("rules", "city", COUNTED)), select(func.max(tree.c.id)).scalar_subquery(),
    *(select(func.count()).select_from(table).scalar_subquery() for table in (category, department)))
#: A whistle for an emergency must be answered within 30 minutes where the city says nothing else.
EMERGENCY_S = 1800


class Book:
    """Reference data of one process, for the single transactions that read it; not for use by two threads at once."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._mark: tuple[Any, ...] = ()
        self._lines: dict[int, Line] = {}
        self.city: CityNow
        self.calendar: Calendar
        self.limits: Limits
        self.evaluation: Evaluation
        self.locator: Locator
        self.categories: dict[str, int] = {}
        self.departments: dict[str, int] = {}
        self.origin = Origins()

    def forget(self) -> None:
        """Know nothing any more: a transaction failed, and what it wrote of places is gone."""
        self._mark, self._lines = (), {}

    def open(self, connection: Connection) -> Book:
        """Make sure that what is known still holds; return self."""
        mark = tuple(connection.execute(_MARK).one())
        if mark != self._mark:
            self._read(connection)
            self._mark = mark
        self.locator.use(connection)
        return self

    def _read(self, connection: Connection) -> None:
        self.city = city_now(connection)
        self.calendar, self.limits = read_calendar(connection), read_limits(connection)
        self.evaluation = read_evaluation(connection)
        self.origin = Origins((get_meta(connection, "city") or {}).get("origins"))
        self.locator = Locator(connection)
        self._lines = {}
        self.categories = {r.code: r.id for r in connection.execute(select(category.c.code, category.c.id))}
        self.departments = {r.code: r.id for r in connection.execute(select(department.c.code, department.c.id))}
        self._category_codes = {id_: code for code, id_ in self.categories.items()}
        self._department_codes = {id_: code for code, id_ in self.departments.items()}

    def deltas(self) -> Deltas:
        """Return an empty count of what changes, in the city's days."""
        return Deltas(self.city.zone, self.line, self.evaluation.shift_s)

    def category(self, id_: int) -> str:
        """Return the code of a category."""
        return self._category_codes.get(id_, "")

    def department(self, id_: int | None) -> str:
        """Return the code of a department; empty for none."""
        return "" if id_ is None else self._department_codes.get(id_, "")

    def line(self, node: int) -> Line:
        """Return the area ids from the city down at a node; 0 where a level is missing."""
        if node not in self._lines:
            self._lines[node] = tuple(int(a) for a in self.locator.areas_of(np.array([node]))[0])
        return self._lines[node]

    def day(self, at: int) -> int:
        """Return the local day of a moment, as days since 1970."""
        return day_bucket(local_day(at, self.city.zone))

    def limit(self, stage: str, course: Course, at: int, kind: str = "") -> Limit | None:
        """Return the limit of a stage for a case, by the rules of that day."""
        return self.limits.find(stage, self.category(course.category_id), kind, course.urgent, self.day(at))

    def due(self, stage: str, course: Course, at: int, kind: str = "") -> int | None:
        """Return when a stage that begins at a moment should be over; None where no limit is set."""
        limit = self.limit(stage, course, at, kind)
        return None if limit is None else self.calendar.deadline(at, limit.amount, limit.clock)

    def stage_due(self, status: str, course: Course, at: int, kind: str = "") -> int | None:
        """Return when a status that begins at a moment should be over."""
        return self.due(STAGE[status], course, at, kind) if status in STAGE else None

    def clock_of(self, course: Course, at: int) -> str:
        """Return the clock on which a case's whole time runs; urgent hours where no limit says otherwise."""
        limit = self.limit("total", course, at)
        return limit.clock if limit else "urgent_hour"

    def arrival_due(self, reason: str, course: Course, at: int) -> int:
        """Return when a called department must have come."""
        told = self.due("arrive", course, at, kind=reason)
        if told is not None:
            return told
        return at + EMERGENCY_S if reason == "emergency" else self.calendar.deadline(at, 1, "work_day")
