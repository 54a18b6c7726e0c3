"""Sensors, alarms and cameras: readings lie by time, their sums are kept, alarms have a history."""

import json
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lay readings by time, make their sums, and add the new tables."""
    _readings()
    for name in ("class", "stream", "still"):
        op.add_column("camera", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("camera", sa.Column("since_at", sa.BigInteger(), nullable=True))
    _alarms()
    op.create_table(
        "camera_view",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_view")),
    )
    op.create_index(op.f("ix_camera_view_at"), "camera_view", ["at"], unique=False)
    op.create_index(op.f("ix_camera_view_camera_id"), "camera_view", ["camera_id"], unique=False)


def _readings() -> None:
    op.rename_table("reading", "reading_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE reading_before RENAME CONSTRAINT pk_reading TO pk_reading_before")
    op.create_table(
        "reading",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sensor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("at", "sensor_id", "metric", name=op.f("pk_reading")),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO reading (at, sensor_id, metric, value) SELECT at, sensor_id, metric, value FROM reading_before ORDER BY at, sensor_id, metric")
    op.drop_table("reading_before")
    op.create_table(
        "reading_sum",
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sensor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("grain", "bucket", "sensor_id", "metric", name=op.f("pk_reading_sum")),
        sqlite_with_rowid=False,
    )
    zone = ZoneInfo(json.loads(op.get_bind().scalar(sa.text("SELECT value FROM meta WHERE key = 'city'")) or "{}").get("timezone", "UTC"))
    for grain, size in ((0, 60), (1, 3600)):
        op.execute(_SUM.format(grain=grain, bucket=f"at / {size}", where="true"))
    for day, begin, end in _days(zone):
        op.execute(_SUM.format(grain=2, bucket=day, where=f"at >= {begin} AND at < {end}"))


#: The sums of readings in one statement; the last value is that of the newest moment.
_SUM = """
INSERT INTO reading_sum (grain, bucket, sensor_id, metric, n, total, low, high, last, last_at)
SELECT {grain}, s.bucket, s.sensor_id, s.metric, s.n, s.total, s.low, s.high, r.value, s.last_at
FROM (SELECT {bucket} AS bucket, sensor_id, metric, COUNT(*) AS n, SUM(value) AS total, MIN(value) AS low, MAX(value) AS high, MAX(at) AS last_at
      FROM reading WHERE {where} GROUP BY 1, sensor_id, metric) s
JOIN reading r ON r.at = s.last_at AND r.sensor_id = s.sensor_id AND r.metric = s.metric
"""


def _days(zone):
    from datetime import timedelta

    from queries.clock import day_bucket, day_end, day_start, local_day

    first, last = op.get_bind().execute(sa.text("SELECT MIN(at), MAX(at) FROM reading")).one()
    if first is None:
        return []
    begin, end = local_day(first, zone), local_day(last, zone)
    days = [begin + timedelta(days=i) for i in range((end - begin).days + 1)]
    return [(day_bucket(day), day_start(day, zone), day_end(day, zone)) for day in days]


def _alarms() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("sensor_id", sa.Integer(), nullable=True),
        sa.Column("metric", sa.Text(), server_default="", nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("peak", sa.Float(), nullable=True),
        sa.Column("bound", sa.Float(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("again_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
        sa.Column("acked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("shelved_until", sa.BigInteger(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("case_no", sa.Text(), server_default="", nullable=False),
        sa.Column("data", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    where = {"sqlite_where": sa.text("is_open = 1"), "postgresql_where": sa.text("is_open")}
    op.create_index("ix_alarm_open", "alarm", ["level", "node"], unique=False, **where)
    op.create_index("ix_alarm_subject", "alarm", ["rule", "subject"], unique=False, **where)
    op.create_index("ix_alarm_seen", "alarm", ["seen_at"], unique=False)
    op.create_table(
        "alarm_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_event")),
    )
    op.create_index(op.f("ix_alarm_event_alarm_id"), "alarm_event", ["alarm_id"], unique=False)
    op.create_index("ix_alarm_event_at", "alarm_event", ["at"], unique=False)
    op.create_table(
        "alarm_watch",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("pending", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("rule", "subject", name=op.f("pk_alarm_watch")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shelf",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shelf")),
    )
    op.create_index(op.f("ix_shelf_until"), "shelf", ["until"], unique=False)
