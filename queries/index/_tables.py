"""The tables of the index: releases, imported figures, and the inputs that are kept."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from queries.tables import metadata

index_release = Table(
    "index_release", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("since", Integer, nullable=False), Column("until", Integer, nullable=False),  # days, both inside
    Column("version", Text, nullable=False),  # of the catalogue
    Column("catalogue", Text, nullable=False, server_default=""),  # JSON of all of it; empty = older than this column
    Column("cut_off", BigInteger),  # the newest moment that the data spoke of
    Column("hash", Text, nullable=False),  # of catalogue, inputs and scores
    Column("scores", Text, nullable=False),  # JSON: {area code: {index and dimensions: score}}
    Column("inputs", LargeBinary, nullable=False),  # npz: the counts of every level
)

#: Departments' figures, append-only: a newer one takes an older one's place from `known_to` on, and both stay.
index_figure = Table(
    "index_figure", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("indicator", Text, nullable=False),
    Column("area_code", Text, nullable=False),
    Column("first", Integer, nullable=False), Column("last", Integer, nullable=False),  # days, both inside
    Column("numerator", Float), Column("denominator", Float),
    Column("value", Float), Column("weight", Float),  # in place of the two above
    Column("said", Text, nullable=False, server_default=""),  # who says so, in the source's own words
    Column("source", Text, nullable=False),  # the table of city.toml that brought it
    Column("known_at", BigInteger, nullable=False),  # when we learned of it
    Column("known_to", BigInteger),  # when another figure took its place; null = it holds
)
_holding = {"sqlite_where": text("known_to IS NULL"), "postgresql_where": text("known_to IS NULL")}
Index("ix_index_figure_held", index_figure.c.indicator, index_figure.c.area_code, index_figure.c.first, index_figure.c.last, unique=True, **_holding)
Index("ix_index_figure_last", index_figure.c.last, **_holding)

#: What the scores of a level and period were made of when `mark` was the last touch (queries/touched.py): a start need not read everything.
index_kept = Table(
    "index_kept", metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("since", Integer, primary_key=True, autoincrement=False), Column("until", Integer, primary_key=True, autoincrement=False),
    Column("basis", Text, nullable=False),  # of catalogue, tree and categories: another one makes it useless
    Column("mark", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("inputs", LargeBinary, nullable=False),  # npz
    sqlite_with_rowid=False,
)
