"""What was known of the index at a moment of the past: the release that was the newest then, frozen with its hash.

Sums are kept as they are known today, so a score of days before a moment could only be computed with what came in since;
that would not be what anybody saw then. What was released, was seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from queries.answers import stamped
from queries.clock import moment, now, stamp
from queries.frame import Answer, Ask
from queries.governance.levels import place_of
from queries.governance.words import INDEX
from queries.index import found
from queries.index._dimension import Words
from queries.index._tables import index_release
from queries.places import day
from queries.store import Store

#: Releases whose lengths differ by no more days are of the same kind.
DIFFER_D = 3


@dataclass(frozen=True, kw_only=True)
class ReleasedRow:
    """The index or a dimension as a release froze it. `before`: in the last release of earlier days; None = there was none, or no score."""

    id: str
    title: Words
    score: float | None
    before: float | None
    since: date
    until: date
    release: int
    hash: str
    made_at: datetime


def released(store: Store, ask: Ask) -> Answer[ReleasedRow]:
    """Return the index and its dimensions of the asked place, by the newest release of the ask's moment (none: of now). No row: there was none, or only a part of the place may be seen."""
    with store.read() as connection:
        place, whole = place_of(connection, ask)
        found_then = _newest(connection, stamp(ask.at or now())) if whole else []
        return stamped(connection, _rows(place.code, found_then), ask=ask)


def _newest(connection: Connection, at: int) -> list[Any]:
    """Return the newest release that was made by a moment, and the one of earlier days before it."""
    r = index_release.c
    known = select(r.id, r.since, r.until, r.hash, r.made_at, r.scores).where(r.made_at <= at).order_by(r.until.desc(), r.id.desc()).limit(1)
    first = connection.execute(known).one_or_none()
    if first is None:
        return []
    # A month beside a month, never beside a week: months differ by three days at most.
    alike = func.abs(r.until - r.since - (first.until - first.since)) <= DIFFER_D
    earlier = connection.execute(known.where(r.until < first.since, alike)).one_or_none()
    return [first] if earlier is None else [first, earlier]


def _rows(code: str, releases: list[Any]) -> list[ReleasedRow]:
    if not releases:
        return []
    first, told = releases[0], [json.loads(one.scores).get(code) for one in releases]
    if told[0] is None:  # the place was no area of its own then
        return []
    since, until = day(first.since), day(first.until)
    named = [("index", INDEX), *((d.id, d.title) for d in found().values())]
    return [ReleasedRow(id=id_, title=title, score=told[0][id_], before=told[1].get(id_) if len(told) > 1 and told[1] else None, since=since, until=until,  # type: ignore[arg-type]
                        release=first.id, hash=first.hash, made_at=moment(first.made_at)) for id_, title in named if id_ in told[0]]
