"""Departments' figures as they were imported, with what was known before: a newer one takes an older one's place and wipes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from queries.answers import stamped
from queries.clock import EPOCH, day_bucket, moment
from queries.frame import Answer, Ask
from queries.governance.levels import place_of
from queries.index._tables import index_figure
from queries.store import Store


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One imported figure of a place. `known_to`: since when another one holds; None = it holds."""

    indicator: str
    since: date
    until: date
    value: float
    numerator: float | None
    denominator: float | None
    weight: float | None
    said: str
    source: str
    known_at: datetime
    known_to: datetime | None


def figures(store: Store, ask: Ask, indicator: str = "") -> Answer[FigureRow]:
    """Return the figures of a place itself whose days meet the ask's, the newest first; at a moment of the past those that were known then."""
    f = index_figure.c
    with store.read() as connection:
        place, whole = place_of(connection, ask)
        statement = select(index_figure).where(f.area_code == place.code, f.last >= day_bucket(ask.since), f.first <= day_bucket(ask.until))
        if indicator:
            statement = statement.where(f.indicator == indicator)
        if ask.at is not None:
            statement = statement.where(f.known_at <= ask.present, f.known_to.is_(None) | (f.known_to > ask.present))
        found = connection.execute(statement.order_by(f.last.desc(), f.indicator, f.id.desc())).all() if whole else []
        rows = [FigureRow(indicator=r.indicator, since=EPOCH + timedelta(days=r.first), until=EPOCH + timedelta(days=r.last),
                          value=r.value if r.numerator is None else r.numerator / r.denominator, numerator=r.numerator, denominator=r.denominator, weight=r.weight,
                          said=r.said, source=r.source, known_at=moment(r.known_at), known_to=None if r.known_to is None else moment(r.known_to)) for r in found]
        return stamped(connection, rows, kinds=("indicators",), ask=ask)
