"""The tables of the closed loop beside cases and events: reporters, limits, whistles, the task list, tallies."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from queries.tables import metadata


def _key() -> Column:
    return Column("id", Integer, primary_key=True, autoincrement=True)


#: Everybody who reported a case, also of those that were merged into it. Masked for whoever has no right to it.
reporter = Table(
    "reporter", metadata,
    _key(),
    Column("case_id", Integer, nullable=False, index=True),
    Column("first_case_id", Integer, nullable=False),  # the case that was made of the report, before any merging
    Column("at", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("channel", Text, nullable=False, server_default=""),
    Column("contact", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
)

#: What came through a door, so that the same message twice is one.
received = Table(
    "received", metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),  # of the message: the same key with other words is refused
    Column("reply", Text, nullable=False),  # JSON: what was answered
    sqlite_with_rowid=False,
)

#: What came of each source's messages, so that floods, repeats and wrong clocks are seen.
heard = Table(
    "heard", metadata,
    Column("source", Text, primary_key=True),
    Column("what", Text, primary_key=True),  # taken, again, late, ahead, disordered, refused, conflict
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: Time limits as data, with their legal basis. The narrowest that fits on the day holds.
time_limit = Table(
    "time_limit", metadata,
    _key(),
    Column("category", Text, nullable=False, server_default=""),  # code; empty = any
    Column("kind", Text, nullable=False, server_default=""),
    Column("urgent", Boolean),  # null = either
    Column("stage", Text, nullable=False),  # file, dispatch, accept, handle, verify, close, total, arrive
    Column("amount", Float, nullable=False),
    Column("clock", Text, nullable=False),  # urgent_hour, work_hour, work_day, natural_day
    Column("basis", Text, nullable=False, server_default=""),  # law, standard or decision, with its date
    Column("valid_from", Integer, nullable=False),  # day
    Column("valid_to", Integer),
)

#: One row per whistle and department that was called.
whistle = Table(
    "whistle", metadata,
    _key(),
    Column("case_id", Integer, nullable=False, index=True),
    Column("reason", Text, nullable=False),  # demand, joint, emergency
    Column("by_post", Text, nullable=False),  # street or department
    Column("by_department_id", Integer),
    Column("department_id", Integer, nullable=False),
    Column("blown_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("arrived_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("climbed", SmallInteger, nullable=False, server_default="0"),
    Column("rated_by_caller", SmallInteger),  # 1 to 5, of the co-operation, never of a person
    Column("rated_by_called", SmallInteger),
    Column("note", Text, nullable=False, server_default=""),
)
Index("ix_whistle_out", whistle.c.due_at, sqlite_where=text("arrived_at IS NULL AND ended_at IS NULL"),
      postgresql_where=text("arrived_at IS NULL AND ended_at IS NULL"))

#: The task list (事项清单). What is not published on it, or no longer, cannot be dispatched.
list_item = Table(
    "list_item", metadata,
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("title_en", Text, nullable=False, server_default=""),
    Column("department_id", Integer, nullable=False),  # whose duty it is
    Column("category", Text, nullable=False, server_default=""),  # code of the cases that it covers; empty = none by itself
    Column("to", Text, nullable=False),  # department: work for the department; grid: work for grids
    Column("content", Text, nullable=False, server_default=""),
    Column("basis", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),  # applied, reviewed, approved, published, refused, ended
    Column("temporary", Boolean, nullable=False, server_default=false()),
    Column("begins_at", BigInteger),
    Column("ends_at", BigInteger),  # a temporary item ends by itself
    Column("changed_at", BigInteger, nullable=False),
    Column("hash", Text, nullable=False, server_default=""),  # of what the city's file said; empty = the file does not name it
)
list_event = Table(
    "list_event", metadata,
    _key(),
    Column("item_id", Integer, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
)

#: Work that somebody tried to hand out without an item: counted by the department that tried.
refusal = Table(
    "refusal", metadata,
    _key(),
    Column("at", BigInteger, nullable=False),
    Column("department_id", Integer),
    Column("actor", Text, nullable=False),
    Column("case_id", Integer),
    Column("what", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

#: Additive counts of what happened, by the day on which it happened. Narrow, so that a new measure is no migration.
tally = Table(
    "tally", metadata,
    Column("area_id", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),  # 0 = day, 1 = month
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("measure", Text, primary_key=True),  # queries/loop/tallies.py
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("department_id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: Events that the projector has yet to count (several writers on PostgreSQL); emptied in its transaction.
unprojected = Table("unprojected", metadata, Column("event_id", BigInteger, primary_key=True, autoincrement=False))

#: Who is on duty where, by post; never where anybody is.
duty = Table(
    "duty", metadata,
    Column("area_code", Text, primary_key=True),
    Column("post", Text, primary_key=True),  # grid_worker, street_lead
    Column("shown", Text, nullable=False),  # the post's name
    Column("phone", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

#: What stood on the roster from when to when: a row for each change.
duty_stood = Table(
    "duty_stood", metadata,
    _key(),
    Column("area_code", Text, nullable=False, index=True),
    Column("post", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("phone", Text, nullable=False, server_default=""),
    Column("at", BigInteger, nullable=False, index=True),
    Column("until", BigInteger),  # null = it stands
)

shift_line = Table(
    "shift_line", metadata,
    _key(),
    Column("area_code", Text, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),  # the screen it speaks of
    Column("open", Boolean, nullable=False),  # still to be done by the next shift
)

#: When a line was done, or open again.
shift_event = Table(
    "shift_event", metadata,
    _key(),
    Column("line_id", Integer, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("open", Boolean, nullable=False),
)
