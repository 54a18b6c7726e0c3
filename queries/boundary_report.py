"""What the last load found wrong with the boundaries, and how cases found their area."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from queries import outlines
from queries.answers import stamped
from queries.clock import moment
from queries.frame import Answer, Scope
from queries.loading.report import FINDINGS, PLACED
from queries.store import Store
from queries.tables import area, source
from queries.tables import load as loads

#: Findings of one kind and level that are named; all are counted.
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One overlap, gap or area that reaches out of its parent: the areas it is between, and m2."""

    codes: tuple[str, ...]
    names: tuple[dict[str, str], ...]
    m2: float


@dataclass(frozen=True, kw_only=True)
class LevelRow:
    """One level: areas, m2, and for each of FINDINGS how many, m2 together and the largest ones."""

    name: dict[str, str]
    areas: int
    m2: float
    found: dict[str, tuple[int, float, tuple[Flaw, ...]]]

    @property
    def clean(self) -> bool:
        """Return whether nothing was found."""
        return not any(n for n, _, _ in self.found.values())


@dataclass(frozen=True, kw_only=True)
class PlacedRow:
    """How the rows of one source found their area in the last load: counts by PLACED."""

    title: dict[str, str]
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class BoundaryReport:
    """The report of the last load; `at` = when it was. It speaks of the boundaries of the days from `since` until before `to` (null = open)."""

    at: datetime
    since: date | None
    to: date | None
    versions: int
    levels: tuple[LevelRow, ...]
    placed: tuple[PlacedRow, ...]


def report(store: Store, scope: Scope) -> Answer[BoundaryReport]:
    """Return one row: the report on the boundaries in force; none before the first load or inside a part of the city."""
    with store.read() as connection:
        if scope.areas is not None:
            return stamped(connection, (), kinds=("areas",), notes=({
                "zh": "边界报告仅对可查看全市者开放", "en": "the report on the boundaries is open to those who may see the whole city"},))
        last = connection.execute(select(loads.c.at, loads.c.report).order_by(loads.c.id.desc()).limit(1)).first()
        if last is None:
            return stamped(connection, (), kinds=("areas",))
        told = json.loads(last.report)
        found = told["topology"].get("levels", [])
        listed = {code for level in found for kind in FINDINGS for one in level[kind]["listed"][:NAMED] for code in one["codes"]}
        names = {r.code: {"zh": r.name, "en": r.name_en or r.name} for r in connection.execute(
            select(area.c.code, area.c.name, area.c.name_en).where(area.c.code.in_(listed), area.c.valid_to.is_(None)))}
        words = {one.level: {"zh": one.name, "en": one.name_en or one.name} for one in outlines.levels(connection)}
        titles = {r.id: {"zh": r.title or r.id, "en": r.title_en or r.title or r.id} for r in connection.execute(
            select(source.c.id, source.c.title, source.c.title_en))}
        row = BoundaryReport(
            at=moment(last.at), since=_day(told["topology"].get("since")), to=_day(told["topology"].get("to")),
            versions=told["topology"].get("versions", 1), levels=tuple(_level(one, words, names) for one in found),
            placed=tuple(_placed(one, titles) for one in told["sources"] if one["placed"]))
        return stamped(connection, (row,), kinds=("areas",))


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None


def _level(told: dict[str, Any], words: dict[int, dict[str, str]], names: dict[str, dict[str, str]]) -> LevelRow:
    def flaws(kind: str) -> tuple[Flaw, ...]:
        return tuple(Flaw(codes=tuple(one["codes"]), m2=one["m2"], names=tuple(names.get(c, {"zh": c, "en": c}) for c in one["codes"]))
                     for one in told[kind]["listed"][:NAMED])

    return LevelRow(name=words.get(told["level"], {"zh": told["id"], "en": told["id"]}), areas=told["areas"], m2=told["m2"],
                    found={kind: (told[kind]["n"], told[kind]["m2"], flaws(kind)) for kind in FINDINGS})


def _placed(told: dict[str, Any], titles: dict[str, dict[str, str]]) -> PlacedRow:
    counts = {**told["placed"], "ambiguous": told["ambiguous"], "crossing": told["crossing"]}
    return PlacedRow(title=titles.get(told["id"], {"zh": told["id"], "en": told["id"]}), counts={way: counts.get(way, 0) for way in PLACED})
