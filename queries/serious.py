"""What is so serious that it may pull a wall to its place: one question to everything that can be.

A source is a function of a store and an ask that returns `Serious` rows; whoever adds one (alarms that nobody
has acknowledged) puts it into SOURCES. An event leaves the answer when somebody acted on it, or when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from queries import cases as cases_
from queries import places
from queries import scope as rights
from queries.alarms import desk
from queries.alarms.rows import LEVEL_WORDS
from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.store import Store
from queries.tables import cases

#: An urgent case is told for so many seconds after its deadline passed: news, not a standing reproach.
FRESH_S = 900
#: More at once are a flood, and no wall can show them one by one.
MOST = 8


@dataclass(frozen=True, kw_only=True)
class Serious:
    """One event. `id` is its own for as long as it lasts; `case` is the number of its case, empty = it has none."""

    id: str
    at: datetime
    what: dict[str, str]
    title: dict[str, str]
    place: str  # code of its deepest area
    place_name: dict[str, str]
    case: str = ""
    thing: str = ""  # the alarm, as addresses name it; empty = it is none


def serious(store: Store, ask: Ask) -> Answer[Serious]:
    """Return what is serious and not acknowledged inside an ask's scope and place, the newest first."""
    rows = sorted((row for source in SOURCES for row in source(store, ask)), key=lambda row: row.at, reverse=True)
    with store.read() as connection:
        return stamped(connection, rows[:MOST], ask=ask, total=len(rows))


def late_urgent(store: Store, ask: Ask) -> Sequence[Serious]:
    """Return urgent cases whose deadline passed a short while ago and that nobody has closed."""
    present = stamp(now())
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        here = [] if place.level == 0 and ask.scope.areas is None else [inside(cases.c.node, rights.node_ranges(connection, ask.scope, place))]
        rows = connection.execute(cases_.selected().where(cases.c.is_open, cases.c.urgent, cases.c.due_at.between(present - FRESH_S, present), *here)
                                  .order_by(cases.c.due_at.desc()).limit(MOST + 1)).all()
    held = [cases_.as_row(r) for r in rows]
    return [Serious(id=f"late:{row.no}", at=row.due_at or moment(present), what=LATE, title=row.title_words or row.category_name,
                    place=row.area_code, place_name=row.area_name, case=row.no) for row in held]


def unseen_alarms(store: Store, ask: Ask) -> Sequence[Serious]:
    """Return the alarms of the upper levels that nobody has acknowledged."""
    return [Serious(id=f"alarm:{row.id}", at=row.again_at, what=LEVEL_WORDS[row.level], title={lang: f"{row.title[lang]} {row.subject[lang]}" for lang in ("zh", "en")},
                    place=row.area_code, place_name=row.area_name, case=row.case_no, thing=f"alarm:{row.id}")
            for row in (one.alarm for one in desk.serious(store, ask, MOST + 1).rows)]


LATE = {"zh": "紧急案件超时", "en": "Urgent case past its deadline"}
Source = Callable[[Store, Ask], Sequence[Serious]]
SOURCES: tuple[Source, ...] = (late_urgent, unseen_alarms)
