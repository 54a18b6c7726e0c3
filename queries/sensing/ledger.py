"""Writes judged readings: raw, sums by minute, hour and day, and the latest value, each reading exactly once.

The same moment of a sensor again changes nothing; with another value it corrects the old one, and the sums
of its minute, hour and day are made anew from what lies below them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Connection, select

from queries.clock import day_bucket, day_end, day_start, local_day
from queries.sensing.tables import DAY, HOUR, MINUTE, reading_sum
from queries.store import bulk, get_meta, put_meta
from queries.tables import latest, reading

Key = tuple[int, int, str]
#: Before this moment raw readings were taken away (queries/sensing/retention.py).
FLOOR = "readings_from"
_SUMS = ("grain", "bucket", "sensor_id", "metric", "n", "total", "low", "high", "last", "last_at")
_ADD = (
    "ON CONFLICT (grain, bucket, sensor_id, metric) DO UPDATE SET n = reading_sum.n + excluded.n, total = reading_sum.total + excluded.total, "
    "low = CASE WHEN excluded.low < reading_sum.low THEN excluded.low ELSE reading_sum.low END, "
    "high = CASE WHEN excluded.high > reading_sum.high THEN excluded.high ELSE reading_sum.high END, "
    "last = CASE WHEN excluded.last_at >= reading_sum.last_at THEN excluded.last ELSE reading_sum.last END, "
    "last_at = CASE WHEN excluded.last_at >= reading_sum.last_at THEN excluded.last_at ELSE reading_sum.last_at END")
_PUT = ("ON CONFLICT (grain, bucket, sensor_id, metric) DO UPDATE SET n = excluded.n, total = excluded.total, low = excluded.low, "
        "high = excluded.high, last = excluded.last, last_at = excluded.last_at")
_NEWER = "ON CONFLICT (sensor_id, metric) DO UPDATE SET at = excluded.at, value = excluded.value WHERE excluded.at >= latest.at"
_SCHEMA = {"at": pl.Int64, "sensor_id": pl.Int64, "metric": pl.String, "value": pl.Float64}


@dataclass
class Written:
    """What became of a batch. `fresh` and `changed` = the rows (at, sensor id, metric, value)."""

    fresh: list[tuple[int, int, str, float]] = field(default_factory=list)
    changed: list[tuple[int, int, str, float]] = field(default_factory=list)
    same: int = 0


def floor(connection: Connection) -> int:
    """Return the moment before which no reading is taken any more."""
    return int(get_meta(connection, FLOOR) or 0)


def set_floor(connection: Connection, at: int) -> None:
    """Move that moment forward."""
    put_meta(connection, FLOOR, at)


def write(connection: Connection, zone: ZoneInfo, rows: dict[Key, float]) -> Written:
    """Write readings by (at, sensor id, metric)."""
    done = Written()
    if not rows:
        return done
    # Sorted, so that two writers take their locks in the same order and what lies together is written together.
    sorted_rows = [(*key, rows[key]) for key in sorted(rows)]
    _stage(connection, sorted_rows)
    told = connection.exec_driver_sql(
        "INSERT INTO reading (at, sensor_id, metric, value) SELECT at, sensor_id, metric, value FROM incoming WHERE true "
        "ON CONFLICT (at, sensor_id, metric) DO NOTHING RETURNING at, sensor_id, metric, value")
    done.fresh = [tuple(r) for r in told.fetchall()]
    if len(done.fresh) < len(sorted_rows):
        done.changed = _corrected(connection)
        done.same = len(sorted_rows) - len(done.fresh) - len(done.changed)
    if done.fresh:
        fresh = pl.DataFrame(done.fresh, schema=_SCHEMA, orient="row")
        bulk(connection, reading_sum, _SUMS, sums(fresh, zone), _ADD)
        _newest(connection, fresh)
    if done.changed:
        _again(connection, zone, done.changed)
    return done


def _stage(connection: Connection, rows: Sequence[tuple[int, int, str, float]]) -> None:
    """Lay a batch where statements can reach it as a whole."""
    # The table is this connection's own, so it is no part of the schema.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS incoming (at INTEGER, sensor_id INTEGER, metric TEXT, value REAL)")
    else:
        connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS incoming (at bigint, sensor_id integer, metric text, value double precision)")
    connection.exec_driver_sql("DELETE FROM incoming")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO incoming VALUES (?, ?, ?, ?)", list(rows))
        return
    with connection.connection.cursor() as cursor, cursor.copy("COPY incoming FROM STDIN") as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)


def _corrected(connection: Connection) -> list[tuple[int, int, str, float]]:
    told = connection.exec_driver_sql(
        "UPDATE reading SET value = i.value FROM incoming i WHERE reading.at = i.at AND reading.sensor_id = i.sensor_id "
        "AND reading.metric = i.metric AND reading.value <> i.value RETURNING reading.at, reading.sensor_id, reading.metric, reading.value")
    return [tuple(r) for r in told.fetchall()]


def sums(frame: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Return the sums of readings (at, sensor_id, metric, value) by minute, hour and local day, in the order of their key."""
    day = pl.from_epoch("at").dt.replace_time_zone("UTC").dt.convert_time_zone(zone.key).dt.date().cast(pl.Int32).cast(pl.Int64)
    parts = []
    for grain, bucket in ((MINUTE, pl.col("at") // 60), (HOUR, pl.col("at") // 3600), (DAY, day)):
        parts.append(
            frame.sort("at").group_by(bucket.alias("bucket"), "sensor_id", "metric", maintain_order=False).agg(
                n=pl.len().cast(pl.Int64), total=pl.col("value").sum(), low=pl.col("value").min(), high=pl.col("value").max(),
                last=pl.col("value").sort_by("at").last(), last_at=pl.col("at").max())
            .with_columns(grain=pl.lit(grain)).select(_SUMS).sort("bucket", "sensor_id", "metric"))
    return pl.concat(parts)


def _newest(connection: Connection, fresh: pl.DataFrame) -> None:
    last = fresh.group_by("sensor_id", "metric").agg(at=pl.col("at").max(), value=pl.col("value").sort_by("at").last()).sort("sensor_id", "metric")
    bulk(connection, latest, ("sensor_id", "metric", "at", "value"), last.select("sensor_id", "metric", "at", "value"), _NEWER)


def _again(connection: Connection, zone: ZoneInfo, changed: Iterable[tuple[int, int, str, float]]) -> None:
    """Make the sums anew in which corrected readings lie: a minute from its readings, an hour from its minutes, a day from its hours."""
    changed = list(changed)
    pairs = {(sensor_id, metric) for _, sensor_id, metric, _ in changed}
    for sensor_id, metric in sorted(pairs):
        moments = sorted(at for at, s, m, _ in changed if (s, m) == (sensor_id, metric))
        for minute in sorted({at // 60 for at in moments}):
            raw = connection.execute(
                select(reading.c.at, reading.c.value).where(reading.c.at.in_(range(minute * 60, minute * 60 + 60)), reading.c.sensor_id == sensor_id,
                                                            reading.c.metric == metric).order_by(reading.c.at)).all()
            values = [r.value for r in raw]
            _put(connection, (MINUTE, minute, sensor_id, metric, len(values), sum(values), min(values), max(values), values[-1], raw[-1].at))
        for hour in sorted({at // 3600 for at in moments}):
            _above(connection, HOUR, hour, MINUTE, range(hour * 60, hour * 60 + 60), sensor_id, metric)
        for day in sorted({local_day(at, zone) for at in moments}):
            hours = range(day_start(day, zone) // 3600, -(-day_end(day, zone) // 3600))
            _above(connection, DAY, day_bucket(day), HOUR, hours, sensor_id, metric)
        for at, value in connection.execute(select(reading.c.at, reading.c.value).where(
                reading.c.at.in_(moments), reading.c.sensor_id == sensor_id, reading.c.metric == metric)).all():
            connection.execute(latest.update().where(latest.c.sensor_id == sensor_id, latest.c.metric == metric, latest.c.at == at).values(value=value))


def _above(connection: Connection, grain: int, bucket: int, under: int, buckets: range, sensor_id: int, metric: str) -> None:
    s = reading_sum.c
    rows = connection.execute(select(reading_sum).where(s.grain == under, s.bucket.in_(buckets), s.sensor_id == sensor_id, s.metric == metric)
                              .order_by(s.bucket)).all()
    _put(connection, (grain, bucket, sensor_id, metric, sum(r.n for r in rows), sum(r.total for r in rows), min(r.low for r in rows),
                      max(r.high for r in rows), rows[-1].last, rows[-1].last_at))


def _put(connection: Connection, row: tuple[object, ...]) -> None:
    bulk(connection, reading_sum, _SUMS, [row], _PUT)


def buckets_of(zone: ZoneInfo, grain: int, since: int, until: int) -> list[int]:
    """Return the buckets of a grain from `since` up to and with `until` (UTC seconds)."""
    if grain == DAY:
        first, last = local_day(since, zone), local_day(until, zone)
        return [day_bucket(first + timedelta(days=i)) for i in range((last - first).days + 1)]
    size = 60 if grain == MINUTE else 3600
    return list(range(since // size, until // size + 1))


def bucket_begins(zone: ZoneInfo, grain: int, bucket: int) -> int:
    """Return the UTC second at which a bucket begins."""
    if grain == DAY:
        return day_start(datetime(1970, 1, 1).date() + timedelta(days=bucket), zone)
    return bucket * (60 if grain == MINUTE else 3600)


