"""Time limits as data: which one holds for a stage of a case on a day. Reads them and the calendar from the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from queries.clocks.calendar import Calendar
from queries.loop.tables import time_limit
from queries.store import get_meta

STAGES = ("file", "dispatch", "accept", "handle", "verify", "close", "total", "arrive")
#: The legal reasons of a whistle: the kinds of stage "arrive".
WHISTLES = ("demand", "joint", "emergency")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How long one stage may take, for which cases, since when, and by what right."""

    id: int
    stage: str
    amount: float
    clock: str
    basis: str = ""
    category: str = ""
    kind: str = ""
    urgent: bool | None = None
    #: Days since 1970; the second is the first on which it no longer holds.
    valid_from: int = 0
    valid_to: int | None = None


class Limits:
    """All limits of a city, found by what they are for."""

    def __init__(self, rows: Iterable[Limit]) -> None:
        """Take the limits in any order."""
        self._rows = tuple(rows)
        self._by: dict[tuple[str, str, str], list[Limit]] = defaultdict(list)
        for row in sorted(self._rows, key=lambda row: (row.urgent is not None, row.valid_from, row.id), reverse=True):
            self._by[row.stage, row.category, row.kind].append(row)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def __iter__(self) -> Iterator[Limit]:
        """Go through all of them."""
        return iter(self._rows)

    def find(self, stage: str, category: str, kind: str, urgent: bool, on_day: int) -> Limit | None:
        """Return the narrowest limit that holds on a day (days since 1970), or None: then there is none.

        Category and kind beat category, that beats kind, that beats any; then one for urgent cases (or
        for others) beats one for both; then the one that holds since the latest day.
        """
        for key in ((stage, category, kind), (stage, category, ""), (stage, "", kind), (stage, "", "")):
            for row in self._by.get(key, ()):
                if (row.urgent is None or row.urgent == urgent) and row.valid_from <= on_day and (
                        row.valid_to is None or on_day < row.valid_to):
                    return row
        return None


def read_limits(connection: Connection) -> Limits:
    """Return the limits that the store holds."""
    return Limits(Limit(**row) for row in connection.execute(select(time_limit)).mappings())


def read_calendar(connection: Connection) -> Calendar:
    """Return the calendar that was loaded with the city; without one, the default of its time zone."""
    stored = get_meta(connection, "calendar")
    if stored is None:
        city = get_meta(connection, "city", {})
        stored = {"timezone": city["timezone"]} if "timezone" in city else {}
    return Calendar.from_settings(stored)
