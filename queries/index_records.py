"""The records behind one reason: the counts of an indicator in each area below, before and now, and what each did to the index."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from queries import scope as rights
from queries.answers import stamped
from queries.errors import AskError
from queries.frame import Answer, Ask
from queries.governance import Against, why
from queries.governance.levels import finished, level_of, number, place_of, row_of
from queries.governance.reasons import BORROWED
from queries.governance.words import notes
from queries.index import found
from queries.index._dimension import Indicator, Words
from queries.index._level import Level
from queries.matrix import ELSEWHERE
from queries.periods import last_year, previous
from queries.store import Store

Pair = tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class RecordRow:
    """An area's counts of one indicator in two periods; None = nothing was told. Code "" = what lies in none of the areas. `points`: what it did to the asked place's index."""

    code: str
    title: Words
    numerator_before: float | None
    denominator_before: float | None
    numerator: float | None
    denominator: float | None
    points: float | None


def indicator(id_: str) -> Indicator:
    """Return an indicator of the catalogue. Raises AskError."""
    for dimension in found().values():
        for one in dimension.indicators:
            if one.id == id_:
                return one
    raise AskError(f"The catalogue has no indicator {id_[:40]!r}.", zh=f"目录中没有指标“{id_[:40]}”。", field="indicator")


def records(store: Store, ask: Ask, id_: str, against: Against = "previous") -> Answer[RecordRow]:
    """Return an indicator's counts for every visible area directly below the place (of a grid: its own), what moved most first."""
    one = indicator(id_)
    moved = {code: points for row in why(store, ask, against).rows if row.id == id_ for code, _, points in row.areas}
    with store.read() as connection:
        ask = finished(connection, ask)
        place, whole = place_of(connection, ask)
        below = [p for p in rights.parts(connection, rights.check(connection, ask.scope, place), place) if p.num != place.num] or [place]
        below = [p for p in below if p.level == below[0].level]
        before = (previous if against == "previous" else last_year)(ask.since, ask.until)
        now_, was = level_of(connection, ask, below[0].level), level_of(connection, ask.but(since=before.since, until=before.until), below[0].level)
        rows = []
        for p in below:
            (b, n), (a, m) = _counts(was, p.num, one), _counts(now_, p.num, one)
            rows.append(RecordRow(code=p.code, title={"zh": p.name, "en": p.name_en or p.name}, numerator_before=b, denominator_before=n, numerator=a, denominator=m,
                                  points=moved.get(p.code)))
        rows.sort(key=lambda r: (-abs(r.points or 0), -(r.denominator or 0)))
        if whole and below != [place]:
            # What lies in the place but in none of its parts: with it the records add up to the place's own counts.
            at = [_counts(level_of(connection, a, place.level), place.num, one) for a in (ask.but(since=before.since, until=before.until), ask)]
            rest = [_less(here, [_counts(held, p.num, one) for p in below]) for here, held in zip(at, (was, now_), strict=True)]
            if any(part for pair in rest for part in pair):
                rows.append(RecordRow(code="", title=ELSEWHERE, numerator_before=rest[0][0], denominator_before=rest[0][1], numerator=rest[1][0], denominator=rest[1][1], points=None))
        if "" in moved:
            # Also what the place borrows moved: it is of no area, and without it the points would not add up.
            if rows and not rows[-1].code:
                rows[-1] = replace(rows[-1], points=moved[""])
            else:
                rows.append(RecordRow(code="", title=BORROWED, numerator_before=None, denominator_before=None, numerator=None, denominator=None, points=moved[""]))
        return stamped(connection, rows, notes=notes(ask))


def _less(whole: Pair, parts: list[Pair]) -> Pair:
    if whole[1] is None:
        return None, None
    # Weighed cases come in tenths: what is left of a sum of them is rounded to what can be told.
    return round((whole[0] or 0.0) - sum(p[0] or 0.0 for p in parts), 6), round(whole[1] - sum(p[1] or 0.0 for p in parts), 6)


def _counts(held: Level, num: int, one: Indicator) -> Pair:
    i = row_of(held, num)
    if one not in held.indicators or i >= len(held.where.num) or held.where.num[i] != num:
        return None, None
    k = held.indicators.index(one)
    if not held.known[i, k]:
        return None, None
    top, under = float(held.top[i, k]), float(held.under[i, k])
    return number(np.float64(top)), number(np.float64(under))
