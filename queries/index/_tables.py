"""The table of releases: what was published, with all that it was made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from queries.tables import metadata

index_release = Table(
    "index_release", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("since", Integer, nullable=False), Column("until", Integer, nullable=False),  # days, both inside
    Column("version", Text, nullable=False),  # of the catalogue
    Column("cut_off", BigInteger),  # the newest moment that the data spoke of
    Column("hash", Text, nullable=False),  # of catalogue, inputs and scores
    Column("scores", Text, nullable=False),  # JSON: {area code: {index and dimensions: score}}
    Column("inputs", LargeBinary, nullable=False),  # npz: the counts of every level
)
