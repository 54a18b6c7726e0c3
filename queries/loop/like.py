"""Like with like: areas and departments compared as if they had the same mix of categories. Never a person.

Indirect standardisation. For a number "top over under", with the whole city's rate r(c) = top(c) / under(c) of each
category c, an area with under(a, c) cases is expected to have

    expected(a) = sum over c of under(a, c) * r(c)         ratio(a) = observed(a) / expected(a)

A ratio of 1.10 means: ten in a hundred more than the city would have had with this area's own mix. The adjusted
rate is ratio(a) times the city's overall rate. Who may see only a part of the city is compared with that part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from queries import places
from queries import scope as rights
from queries.answers import by_day, only_sums, remembered, stamped
from queries.errors import AskError, NoSuchError
from queries.figures import FEW
from queries.frame import Answer, Ask
from queries.loop.evaluate import sums
from queries.loop.rates import LIKE, Rate, Words
from queries.store import Store
from queries.tables import department

By = Literal["areas", "departments"]
#: Numbers of a day that later days still change.
SINCE = frozenset({"closure", "arrival"})
#: An expectation of less than so many says little.
LITTLE = 5.0


@dataclass(frozen=True, kw_only=True)
class LikeRow:
    """One area or department. `rate` is its own, `adjusted` what it would be with the city's mix; shares, not percentages."""

    code: str
    name: str
    name_en: str
    rate: float | None
    observed: int
    expected: float | None
    ratio: float | None
    adjusted: float | None
    n: int
    few: bool
    #: 1 = the one that most asks for a look; None = not known.
    rank: int | None


def standardised(top: Mapping[int, float], under: Mapping[int, float], city: Mapping[int, tuple[float, float]]) -> tuple[float, float]:
    """Return observed and expected of one area, from its counts by category and the city's (top, under) by category."""
    expected = sum(n * city[c][0] / city[c][1] for c, n in under.items() if n and c in city and city[c][1])
    return sum(top.values()), expected


def like_with_like(store: Store, ask: Ask, measure: str, by: By = "areas") -> Answer[LikeRow]:
    """Return the areas under the place, or the departments at work in it, standardised by category; the worst first."""
    if measure not in LIKE:
        raise NoSuchError(f"No number to compare is called {measure!r}. Known: {', '.join(LIKE)}.")
    if by not in ("areas", "departments"):
        raise AskError(f"Nothing is compared by {by!r}. Known: areas, departments.")
    if ask.at is not None and measure in SINCE:
        raise AskError(f"{measure!r} of the last days was not known yet at a moment of the past. Choose another number, or go back to live.",
                       zh=f"“{LIKE[measure].title['zh']}”在所选时刻尚不能确定，请另选指标或返回实时。", field="like")
    with store.read() as connection:
        return remembered(connection, ("like", ask, measure, by), lambda: _like(connection, ask, LIKE[measure], by))


def _like(connection: Connection, ask: Ask, rate: Rate, by: By) -> Answer[LikeRow]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    whole = rights.effective(connection, ask.scope, places.root(connection, ask.on))
    reference = _by_category(sums(connection, [p.area_id for p in whole], ask, (rate,), "area_id"), rate)
    city = {c: (sum(t.get(c, 0) for t, _ in reference.values()), sum(u.get(c, 0) for _, u in reference.values()))
            for c in {c for _, u in reference.values() for c in u}}
    all_under = sum(u for _, u in city.values())
    overall = sum(t for t, _ in city.values()) / all_under if all_under else None
    if by == "areas":
        below = rights.parts(connection, visible, place)
        named = {p.area_id: (p.code, p.name, p.name_en) for p in below}
        held = sums(connection, list(named), ask, (rate,), "area_id")
    else:
        held = sums(connection, [p.area_id for p in visible], ask, (rate,), "department_id")
        named = {r.id: (r.code, r.name, r.name_en) for r in connection.execute(select(department)) if r.id in held}
    parts = _by_category(held, rate)
    rows = [_row(named[key], *parts.get(key, ({}, {})), city, overall) for key in named]
    rows.sort(key=lambda r: (r.ratio is None, r.few, (r.ratio or 0.0) * (1 if rate.good == "up" else -1), r.code))
    ranked = [LikeRow(**{**row.__dict__, "rank": None if row.ratio is None else i + 1}) for i, row in enumerate(rows)]
    return stamped(connection, ranked, ask=ask, notes=(*by_day(ask), *only_sums(ask)))


def _by_category(held: Mapping[int, Mapping[int, Mapping[str, float]]], rate: Rate) -> dict[int, tuple[dict[int, float], dict[int, float]]]:
    return {key: ({c: sum(n.get(m, 0) for m in rate.top) for c, n in of.items()}, {c: sum(n.get(m, 0) for m in rate.under) for c, n in of.items()})
            for key, of in held.items()}


def _row(name: tuple[str, str, str], top: dict[int, float], under: dict[int, float], city: dict[int, tuple[float, float]],
         overall: float | None) -> LikeRow:
    observed, expected = standardised(top, under, city)
    n = int(sum(under.values()))
    ratio = observed / expected if expected else None
    return LikeRow(
        code=name[0], name=name[1], name_en=name[2] or name[1], rate=observed / n if n else None, observed=int(observed),
        expected=round(expected, 3) if n else None, ratio=ratio, adjusted=None if ratio is None or overall is None else ratio * overall,
        n=n, few=n < FEW or expected < LITTLE, rank=None,
    )


def words(measure: str) -> Words:
    """Return the title of a number that is compared."""
    return LIKE[measure].title
