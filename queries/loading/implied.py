"""The events that imported rows imply: told from a case's dates, and marked as derived.

Dates give reported, filed and the end; rework that was only counted falls on the end; a status that no
date speaks of is told by the source when we read it. `course` says which event of a case is the last,
`write` writes them all; the database makes them of the rows it already has, so that three events a
case are not carried there one by one.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
)

from queries.tables import cases, event

OVER = ("closed", "cancelled")
#: A source that counts more than this has counted something else.
MOST_REWORK = 99
COLUMNS = ("case_id", "seq", "at", "seen_at", "step", "status", "actor", "department_id", "due_at", "source", "derived")


def course(rows: pl.DataFrame, seen: int) -> pl.DataFrame:
    """Return rows with `seq`, the number of their last event, and `since_at`, when it was; null = not told."""
    ended = (pl.col("status").is_in(OVER) & pl.col("closed_at").is_not_null()).alias("ended")
    again, filed = pl.col("rework").clip(0, MOST_REWORK), pl.col("filed_at").is_not_null()
    return rows.with_columns(ended).with_columns(
        told=pl.when("ended").then(False).when(again > 0).then(pl.col("status") != "handling")
        .when(filed).then(pl.col("status") != "filed").otherwise(pl.col("status") != "reported"),
    ).with_columns(
        seq=1 + filed.cast(pl.Int64) + again.cast(pl.Int64) + pl.col("ended").cast(pl.Int64) + pl.col("told").cast(pl.Int64),
        since_at=pl.when("told").then(None).when("ended").then("closed_at").when(again > 0).then(pl.coalesce("closed_at", pl.lit(seen)))
        .when(filed).then("filed_at").otherwise("reported_at"),
    ).drop("ended", "told")


def write(connection: Connection, first: int, last: int, seen: int) -> None:
    """Write the events of the cases with ids `first` to `last`, which must have been written with their course."""
    c = cases.c
    ended = and_(c.status.in_(OVER), c.closed_at.is_not(None))
    filed = case((c.filed_at.is_not(None), 1), else_=0)
    again = case((c.rework > MOST_REWORK, MOST_REWORK), (c.rework > 0, c.rework), else_=0)
    number = select(literal(1, Integer).label("k")).cte("again", recursive=True)
    number = number.union_all(select(number.c.k + 1).where(number.c.k < MOST_REWORK))

    def part(seq: Any, at: Any, step: Any, status: Any, keep: ColumnElement[bool] | None = None, **more: Any) -> Select[Any]:
        chosen = select(
            c.id.label("case_id"), cast(seq, Integer).label("seq"), cast(at, BigInteger).label("at"), literal(seen, BigInteger), step, status, c.source,
            more.get("department_id", cast(null(), Integer)), more.get("due_at", cast(null(), BigInteger)),
            c.source.label("door"), literal(True).label("derived"),
        ).where(c.id.between(first, last))
        return chosen if keep is None else chosen.where(keep)

    handled = part(1 + filed + number.c.k, func.coalesce(c.closed_at, seen), literal("rework"), literal("handling")).join(
        number, number.c.k <= c.rework)
    parts = union_all(
        part(1, c.reported_at, literal("reported"), literal("reported"), department_id=c.department_id, due_at=c.due_at),
        part(2, c.filed_at, literal("filed"), literal("filed"), c.filed_at.is_not(None)),
        handled,
        part(2 + filed + again, c.closed_at, c.status, c.status, ended),
        part(c.seq, literal(seen), literal("told"), c.status, _told()),
    )
    connection.execute(insert(event).from_select(COLUMNS, parts.order_by("case_id", "seq")))


def _told() -> ColumnElement[bool]:
    # What `course` calls told: no date speaks of the status.
    c = cases.c
    by_dates = case((c.rework > 0, "handling"), (c.filed_at.is_not(None), "filed"), else_="reported")
    return and_(or_(c.status.not_in(OVER), c.closed_at.is_(None)), c.status != by_dates)
