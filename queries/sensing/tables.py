"""The tables beside readings: their sums, alarms with their history, what is shelved, and who looked at which camera."""

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
    text,
)

from queries.tables import metadata

#: Grains of the sums: minute and hour count from 1970 in UTC, a day is the city's own.
MINUTE, HOUR, DAY = 0, 1, 2


def _key() -> Column:
    return Column("id", Integer, primary_key=True, autoincrement=True)


#: Sums of readings, kept in the transaction that writes them. By time first, as the readings are: what is being
#: written lies together, and a series is one jump per bucket.
reading_sum = Table(
    "reading_sum", metadata,
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("sensor_id", Integer, primary_key=True, autoincrement=False),
    Column("metric", Text, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("total", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("last", Float, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: Alarms. `subject` tells what a rule watches: a sensor's metric, or a kind of case in an area.
alarm = Table(
    "alarm", metadata,
    _key(),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),  # threshold, rate, sum, silence, statistics
    Column("subject", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),  # 1 red, 2 orange, 3 yellow, 4 blue: the most severe that it reached
    Column("sensor_id", Integer),
    Column("metric", Text, nullable=False, server_default=""),
    Column("node", Integer, nullable=False),
    Column("lon", Float), Column("lat", Float),
    Column("value", Float), Column("peak", Float), Column("bound", Float),  # now, at its worst, and the limit
    Column("began_at", BigInteger, nullable=False),  # in the sensor's time
    Column("seen_at", BigInteger, nullable=False),  # when we raised it
    Column("again_at", BigInteger, nullable=False),  # when it was raised last
    Column("times", Integer, nullable=False, server_default="1"),
    Column("group_id", Integer),  # the first alarm of its neighbours; null = itself
    Column("is_active", Boolean, nullable=False),  # the condition holds
    Column("cleared_at", BigInteger),
    Column("acked_at", BigInteger), Column("acked_by", Text, nullable=False, server_default=""),
    Column("shelved_until", BigInteger),
    Column("is_open", Boolean, nullable=False),  # nobody has settled it
    Column("closed_at", BigInteger),
    Column("outcome", Text, nullable=False, server_default=""),  # case, real, false
    Column("reason", Text, nullable=False, server_default=""),
    Column("case_no", Text, nullable=False, server_default=""),
    Column("data", Text, nullable=False, server_default=""),  # JSON: the evidence of a statistics alarm
)
#: A point is a recurring risk when it raised so many alarms in so many days.
OFTEN, OFTEN_DAYS = 3, 90
_open = {"sqlite_where": text("is_open = 1"), "postgresql_where": text("is_open")}
Index("ix_alarm_open", alarm.c.level, alarm.c.node, **_open)
Index("ix_alarm_subject", alarm.c.rule, alarm.c.subject, **_open)
Index("ix_alarm_seen", alarm.c.seen_at)
# The index counts what became of them, and which points raise them often, by days.
Index("ix_alarm_closed_at", alarm.c.closed_at)
Index("ix_alarm_began_at", alarm.c.began_at)

#: What happened to alarms, append-only.
alarm_event = Table(
    "alarm_event", metadata,
    _key(),
    Column("alarm_id", Integer, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),  # raised, again, raised_level, cleared, acked, shelved, unshelved, case, false, real
    Column("level", SmallInteger, nullable=False),
    Column("by", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("value", Float),
    Index("ix_alarm_event_at", "at"),
)

#: Where each rule stands with what it watches; whatever is quiet has no row.
alarm_watch = Table(
    "alarm_watch", metadata,
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("level", SmallInteger, nullable=False),  # 0 = not raised yet
    Column("pending", SmallInteger, nullable=False),  # the level to which it is on its way; equal = none
    Column("since", BigInteger, nullable=False),  # since when it is on its way
    Column("at", BigInteger, nullable=False),  # of the last reading that it saw
    Column("alarm_id", Integer),
    sqlite_with_rowid=False,
)

#: What somebody took off the list for a while. It ends by itself.
shelf = Table(
    "shelf", metadata,
    _key(),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("alarm_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", BigInteger), Column("ended_by", Text, nullable=False, server_default=""),
)

#: Who looked at which camera, why, until when: written before the first picture; nothing but its early end is added later.
camera_view = Table(
    "camera_view", metadata,
    _key(),
    Column("camera_id", Integer, nullable=False, index=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("until", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("post", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("about", Text, nullable=False, server_default=""),  # the case or alarm that it was about
    Column("session", Text, nullable=False, server_default=""),  # in which session alone its link opens
    Column("cause", Text, nullable=False, server_default=""),  # which reason of the list; `reason` = what was typed beside it
    Column("ended_at", BigInteger),  # when the viewer closed it before its end
)

#: What each camera was from when on: a row for each change, never one for each time it was told again.
camera_state = Table(
    "camera_state", metadata,
    _key(),
    Column("camera_id", Integer, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False, server_default=""),  # empty: the inventory told it; probe: it was asked for a picture
    Column("why", Text, nullable=False, server_default=""),  # what a probe found
    Index("ix_camera_state_then", "camera_id", "at"),
)
