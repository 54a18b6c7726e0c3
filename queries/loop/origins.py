"""Tells anew who found the stored cases, where the words for their channels changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select, update

from queries.city.origins import Origins
from queries.tables import cases


def tell_anew(connection: Connection, own: Mapping[str, Sequence[str]] | None) -> int:
    """Set the origin of every stored case by the words of a city; return how many changed. The sums must be made anew then."""
    origin, n = Origins(own), 0
    for channel in connection.scalars(select(cases.c.channel).distinct()).all():
        found = origin(channel)
        n += connection.execute(update(cases).where(cases.c.channel == channel, cases.c.origin != found).values(origin=found)).rowcount
    return n
