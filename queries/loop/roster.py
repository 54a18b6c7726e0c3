"""Who is on duty where, by post, now and at a moment of the past; never where anybody is.

The roster of now is one row a post and area. What stood on it from when to when is kept beside it, from the first
load that this version saw; what stood before that is not known, which is not the same as nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from queries.loop.tables import duty, duty_stood


def on_duty(connection: Connection, codes: Iterable[str], at: int | None = None) -> Sequence[Any] | None:
    """Return the posts of some areas (rows with area_code, post, shown, phone), now or at a moment (UTC seconds).

    None = nothing is known of that moment: the record begins later.
    """
    wanted = list(codes)
    if at is None:
        return connection.execute(select(duty).where(duty.c.area_code.in_(wanted)).order_by(duty.c.area_code, duty.c.post)).all()
    s = duty_stood.c
    first = connection.scalar(select(func.min(s.at)))
    if first is None or at < first:
        return None
    return connection.execute(select(s.area_code, s.post, s.shown, s.phone).where(
        s.area_code.in_(wanted), s.at <= at, or_(s.until.is_(None), s.until > at)).order_by(s.area_code, s.post)).all()


def stands(connection: Connection, rows: Sequence[dict[str, Any]], at: int) -> None:
    """Write down that posts stand on the roster from a moment on: rows with area_code, post, shown, phone."""
    if rows:
        connection.execute(insert(duty_stood), [{**row, "at": at} for row in rows])


def ends(connection: Connection, area_code: str, post: str, at: int) -> None:
    """Write down that a post stands on the roster no longer, or not as it did."""
    connection.execute(update(duty_stood).where(duty_stood.c.area_code == area_code, duty_stood.c.post == post, duty_stood.c.until.is_(None)).values(until=at))
