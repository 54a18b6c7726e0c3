"""The tables. Times are UTC seconds, days are counted since 1970-01-01, shapes are WKB in EPSG:4326.

How a case finds its place: `node` numbers the boundary tree in pre-order, so that everything under a
place is an interval. Each tree version has numbers of its own, never used again. An area (a code with
one geometry, from one day to another) keeps its id through all tree versions in which it is unchanged;
roll-ups are kept by area id. A cell that straddles two parents has one main node under its declared
parent and a further node (main = false) under each other parent in which cases were found, so that
each case counts in exactly one area per level.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)


def _key() -> Column:
    return Column("id", Integer, primary_key=True, autoincrement=True)


meta = Table(
    "meta", metadata,
    Column("key", Text, primary_key=True),  # "city": the city's settings; "version": grows with each commit
    Column("value", Text, nullable=False),  # JSON
)

level = Table(
    "level", metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),  # 0 = the whole city
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
)

tree = Table(
    "tree", metadata,
    _key(),
    Column("valid_from", Integer, nullable=False),  # day; very early when unknown
    Column("valid_to", Integer),  # first day on which it no longer holds; null = in force
    Column("hash", Text, nullable=False),
)

area = Table(
    "area", metadata,
    _key(),
    Column("code", Text, nullable=False, index=True),
    Column("level", SmallInteger, nullable=False),
    Column("parent_code", Text),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("pinyin", Text, nullable=False, server_default=""),
    Column("initials", Text, nullable=False, server_default=""),
    Column("valid_from", Integer, nullable=False),
    Column("valid_to", Integer),
    Column("lon", Float), Column("lat", Float),  # a point inside, for the label
    Column("west", Float), Column("south", Float), Column("east", Float), Column("north", Float),
    Column("area_m2", Float),
    Column("residents", Integer),  # null = not known, never 0
    Column("hash", Text, nullable=False),
    Column("shape", LargeBinary),
)

node = Table(
    "node", metadata,
    Column("num", Integer, primary_key=True, autoincrement=False),
    Column("tree_id", Integer, ForeignKey("tree.id"), nullable=False),
    Column("area_id", Integer, ForeignKey("area.id"), nullable=False, index=True),
    Column("level", SmallInteger, nullable=False),
    Column("parent", Integer),  # num; null = root
    Column("last", Integer, nullable=False),  # the highest num below it; num itself for a leaf
    Column("main", Boolean, nullable=False),
    #: Dense number among the main nodes of its tree and level, from 1: the value in an id tile.
    Column("dense", Integer),
    Index("ix_node_parent", "parent"),
    Index("ix_node_tree_level", "tree_id", "level", "num"),
    Index(
        "ix_node_further", "parent",
        sqlite_where=text("main IS 0"), postgresql_where=text("main IS false"),
    ),
)

category = Table(
    "category", metadata,
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
)

#: What a source's own word for a kind of case is in English; a word that is not here is shown as it is.
kind_word = Table(
    "kind_word", metadata,
    Column("word", Text, primary_key=True),
    Column("name_en", Text, nullable=False),
    sqlite_with_rowid=False,
)

department = Table(
    "department", metadata,
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
)

cases = Table(
    "cases", metadata,
    _key(),
    Column("no", Text, nullable=False, unique=True),
    Column("node", Integer, nullable=False),
    Column("placed", Text, nullable=False),  # point, code, outside, none: how the node was found
    Column("lon", Float), Column("lat", Float),
    Column("cell", BigInteger),  # Morton number of the web-mercator cell at zoom 22; null = no point
    Column("category_id", Integer, nullable=False),
    Column("department_id", Integer),
    Column("kind", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Column("channel", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False, server_default=""),  # grid, sensor, hotline, public: who found it, by its channel; empty = not known
    Column("status", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("reported_at", BigInteger, nullable=False),
    Column("filed_at", BigInteger),
    Column("due_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("is_open", Boolean, nullable=False),
    Column("rework", SmallInteger, nullable=False, server_default="0"),
    Column("source", Text, nullable=False),
    Column("hash", Text, nullable=False),  # of what the source said; equal = nothing new
    # The course of the case: kept from its events in the same transaction (queries/loop/course.py).
    Column("seq", Integer, nullable=False, server_default="0"),  # its last event
    Column("since_at", BigInteger),  # when its present status began; null = not told
    Column("stage_due_at", BigInteger),  # when the present stage should be over; null = no limit
    Column("item", Text, nullable=False, server_default=""),  # task-list item under which it was dispatched
    Column("supervised", Boolean, nullable=False, server_default=false()),
    Column("transfers", SmallInteger, nullable=False, server_default="0"),
    Column("climbed", SmallInteger, nullable=False, server_default="0"),  # times it was escalated
    Column("merged_into", Integer),  # id of the case that it repeats
    Column("left_s", BigInteger),  # seconds that were left on its clock when it was suspended
)
Index("ix_cases_reported", cases.c.reported_at)
Index("ix_cases_node_reported", cases.c.node, cases.c.reported_at)
_open = {"sqlite_where": text("is_open = 1"), "postgresql_where": text("is_open")}
Index("ix_cases_open_due", cases.c.due_at, cases.c.node, **_open)
Index("ix_cases_open_node", cases.c.node, cases.c.reported_at, **_open)
Index("ix_cases_open_cell", cases.c.cell, cases.c.status, cases.c.due_at, cases.c.node, cases.c.category_id, **_open)

# What was open at a moment of the past is what is open now, and what was closed since: see queries/loop/then.py.
Index("ix_cases_closed", cases.c.closed_at, cases.c.reported_at,
      sqlite_where=text("closed_at IS NOT NULL"), postgresql_where=text("closed_at IS NOT NULL"))

# Whoever a status waits on finds what is next without reading a case: see queries/loop/desk.py.
Index("ix_cases_open_until", cases.c.status, cases.c.department_id, cases.c.stage_due_at, cases.c.due_at, cases.c.node, **_open)

#: What happened to cases, append-only. `id` is the order in which we learned of it.
event = Table(
    "event", metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("case_id", Integer, nullable=False),
    Column("seq", Integer, nullable=False),  # 1, 2, 3 ... within the case
    Column("at", BigInteger, nullable=False),  # when it happened
    Column("seen_at", BigInteger, nullable=False),  # when we learned of it
    Column("step", Text, nullable=False),  # queries/loop/steps.py
    Column("status", Text, nullable=False, server_default=""),  # of the case after it; empty = unchanged
    Column("actor", Text, nullable=False, server_default=""),  # account, source or "clock"
    Column("post", Text, nullable=False, server_default=""),  # the role in which the actor acted
    Column("department_id", Integer),  # set by it; null = unchanged
    Column("due_at", BigInteger),  # set by it; null = unchanged, 0 = taken away
    Column("stage_due_at", BigInteger),  # limit of the stage that it begins; null = none
    Column("reason", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("data", Text, nullable=False, server_default=""),  # JSON; "set" = columns of the case that it sets
    Column("source", Text, nullable=False, server_default=""),  # the door through which it came
    Column("derived", Boolean, nullable=False),  # true: implied by an imported row's dates
    Index("ix_event_case", "case_id", "seq", unique=True),
    sqlite_autoincrement=True,
)
# What people and sources did, by kind and moment: the numbers of the evaluation open their cases by it.
# Events that an import implies are not in it, so that a load does not pay for it.
Index("ix_event_step_at", event.c.step, event.c.at,
      sqlite_where=text("derived IS 0"), postgresql_where=text("derived IS false"))

#: Endings, and changes that a source told, by the moment at which we learned of them: what came late must not make
#: the past look better than it was.
ENDED = "(event.status IN ('closed', 'cancelled') OR event.step = 'changed')"
Index("ix_event_ended", event.c.seen_at, event.c.case_id, sqlite_where=text(f"derived IS 0 AND {ENDED}".replace("event.", "")),
      postgresql_where=text(f"derived IS false AND {ENDED}".replace("event.", "")))

#: Additive measures, each in the bucket of its own day. See queries/rollup.py for the definitions.
MEASURES = (
    "reported", "filed", "closed", "due", "due_closed", "due_on_time",
    "rework", "handled_n", "handled_s", "still_open",
)
#: Further ones that no screen sums over stretches of time; the index does.
INDEXED = ("urgent_due", "urgent_on_time", "found", "called", "public", "machine")
#: All that a row of the roll-ups holds.
KEPT = MEASURES + INDEXED

rollup = Table(
    "rollup", metadata,
    Column("area_id", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),  # 0 = day, 1 = month
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("department_id", Integer, primary_key=True, autoincrement=False),  # 0 = no department is named
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in KEPT),
    sqlite_with_rowid=False,
)

#: The upper levels of the tree hold many categories and departments in each bucket, and most questions are about
#: all of them: for areas on the first UPPER levels the sum of the buckets is kept as well. Below, a day holds one or
#: two rows anyhow, and a month hardly fewer than its days: months are kept there for all of them together only, and
#: handling times by day only. queries/summing.py knows which question is read where.
UPPER = 4
total = Table(
    "total", metadata,
    Column("area_id", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in KEPT),
    sqlite_with_rowid=False,
)

#: Handling time of cases closed in the bucket, in logarithmic bins, for all categories together
#: (category_id 0): by category the bins would be nearly as many as the cases.
duration = Table(
    "duration", metadata,
    Column("area_id", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("bin", SmallInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

open_now = Table(
    "open_now", metadata,
    Column("area_id", Integer, primary_key=True, autoincrement=False),
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("department_id", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

sensor = Table(
    "sensor", metadata,
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=""),
    Column("lon", Float), Column("lat", Float),
    Column("node", Integer, nullable=False, index=True),
    Column("placed", Text, nullable=False),
    Column("every_s", Integer),  # expected interval between readings; null = not known
    Column("source", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

#: Readings as they came, by time: all sensors of one minute lie together, and what is old goes away in one piece.
reading = Table(
    "reading", metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("sensor_id", Integer, primary_key=True, autoincrement=False),
    Column("metric", Text, primary_key=True),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

latest = Table(
    "latest", metadata,
    Column("sensor_id", Integer, primary_key=True, autoincrement=False),
    Column("metric", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

camera = Table(
    "camera", metadata,
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=""),
    Column("lon", Float), Column("lat", Float),
    Column("node", Integer, nullable=False, index=True),
    Column("placed", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="unknown"),  # online, offline, no_picture, unknown
    Column("seen_at", BigInteger),
    Column("since_at", BigInteger),  # when its present state began, as far as we know
    Column("class", Text, nullable=False, server_default=""),  # key_area, key_trade or empty: which target holds for it
    Column("stream", Text, nullable=False, server_default=""),  # its name at the video gateway
    Column("still", Text, nullable=False, server_default=""),  # address of a still picture: http(s), rtsp(s), or demo:
    Column("gateway", Text, nullable=False, server_default=""),  # which gateway of the city gives its live picture
    Column("live", Text, nullable=False, server_default=""),  # address of its own live picture: an HLS playlist or an MJPEG picture
    Column("looked_at", BigInteger),  # when it was asked for a picture by itself last (queries/prober.py)
    Column("found", Text, nullable=False, server_default=""),  # what was found then: a word of queries/stills.py; empty = a picture
    Column("source", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_camera_by_state", "state", "node"),
    # All that the sums of their health ask for.
    Index("ix_camera_health", "node", "class", "state", "since_at", "seen_at"),
)

source = Table(
    "source", metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # areas, cases, sensors, readings, cameras
    Column("title", Text, nullable=False), Column("title_en", Text, nullable=False),
    Column("licence", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),  # ok, failed
    Column("message", Text, nullable=False, server_default=""),  # JSON {zh, en}; empty = nothing to say
    Column("as_of", BigInteger),  # the newest moment that its rows speak of
    Column("loaded_at", BigInteger),
    Column("every_s", Integer),  # promised interval between deliveries; null = none promised
    Column("rows", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("doubted", Integer, nullable=False),
)

load = Table(
    "load", metadata,
    _key(),
    Column("at", BigInteger, nullable=False),
    Column("folder", Text, nullable=False),
    Column("report", Text, nullable=False),  # JSON
)

quarantine = Table(
    "quarantine", metadata,
    _key(),
    Column("load_id", Integer, nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("row", Integer, nullable=False),  # 1 = first row of data; 0 = the file as a whole
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("grade", Text, nullable=False),  # refused: not loaded; doubted: loaded, the field not trusted
    Column("reason", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("raw", Text, nullable=False),  # JSON of the whole row as it came
)
