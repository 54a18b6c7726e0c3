"""The tables of accounts and sessions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, SmallInteger, Table, Text, true

from queries.tables import metadata

account = Table(
    "account", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),  # what one signs in with
    Column("shown", Text, nullable=False),  # what a timeline shows: a post rather than a person where possible
    Column("role", Text, nullable=False),  # queries/people/roles.py
    Column("areas", Text, nullable=False, server_default="[]"),  # JSON list of area codes; [] = none
    Column("department", Text, nullable=False, server_default=""),  # code; empty = belongs to none
    Column("hash", Text, nullable=False),  # of the password, by argon2; empty = cannot sign in by password
    Column("must_change", Boolean, nullable=False, server_default=true()),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
    Column("locked_until", BigInteger),
    Column("made_at", BigInteger, nullable=False),
)

session = Table(
    "session", metadata,
    Column("id", Text, primary_key=True),  # SHA-256 of the cookie's secret: the table alone opens nothing
    Column("account_id", Integer, nullable=False, index=True),
    Column("made_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
)

#: Secrets of machines that bring data in by HTTP: one per source, kept as a hash.
token = Table(
    "token", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False, index=True),
    Column("hash", Text, nullable=False, unique=True),  # SHA-256
    Column("made_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    Column("active", Boolean, nullable=False, server_default=true()),
)
