"""Sensors, their readings, and cameras come in."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection, delete, select

from queries.boundaries import Locator
from queries.city import Refusal
from queries.loading.report import SourceReport
from queries.store import bulk
from queries.tables import camera, latest, reading, sensor

COLUMNS = {"sensors": (sensor, ("every_s",)), "cameras": (camera, ("state", "seen_at"))}


def take_things(
    connection: Connection, locator: Locator, kind: str, source: str, frame: pl.DataFrame, today: int, report: SourceReport
) -> None:
    """Write sensors or cameras: by code, in the tree of today."""
    table, own = COLUMNS[kind]
    known = {r.code: r.hash for r in connection.execute(select(table.c.code, table.c.hash))}
    old = frame["code"].to_list()
    hashes = frame["hash"].to_list()
    fresh = pl.Series([known.get(c) != h for c, h in zip(old, hashes, strict=True)], dtype=pl.Boolean)
    report.same += len(frame) - int(fresh.sum())
    report.changed += sum(1 for c, f in zip(old, fresh, strict=True) if f and c in known)
    frame = frame.filter(fresh)
    if not len(frame):
        return
    report.new += sum(1 for c in frame["code"] if c not in known)
    lon = frame["lon"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    lat = frame["lat"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    placed = locator.place(lon, lat, np.full(len(frame), today), frame["area_code"].to_list())
    how, n = np.unique(placed.placed, return_counts=True)
    report.place({str(k): int(v) for k, v in zip(how, n, strict=True)}, placed.ambiguous, placed.crossing)
    frame = frame.with_columns(node=pl.Series(placed.node), placed=pl.Series(placed.placed.tolist(), dtype=pl.String),
                               source=pl.lit(source))
    columns = ("code", "name", "kind", "lon", "lat", "node", "placed", *own, "source", "hash")
    told = ", ".join(f"{c} = excluded.{c}" for c in columns[1:])
    bulk(connection, table, columns, frame.select(columns).iter_rows(), f"ON CONFLICT (code) DO UPDATE SET {told}")


def take_readings(connection: Connection, frame: pl.DataFrame, report: SourceReport) -> list[Refusal]:
    """Write readings; one of an unknown sensor is refused. The same moment again: the newer value holds."""
    ids = {r.code: r.id for r in connection.execute(select(sensor.c.code, sensor.c.id))}
    frame = frame.with_columns(sensor_id=pl.col("sensor").replace_strict(ids, default=None, return_dtype=pl.Int64))
    lost = frame.filter(pl.col("sensor_id").is_null())
    refusals = [
        Refusal(row=r[0], field="sensor", value=r[1], grade="refused", reason="没有这个传感器", reason_en="there is no such sensor")
        for r in lost.select("row", "sensor").iter_rows()
    ]
    frame = frame.filter(pl.col("sensor_id").is_not_null()).sort("sensor_id", "metric", "at")
    before = _count(connection)
    columns = ("sensor_id", "metric", "at", "value")
    changed = bulk_changed(connection, frame.select(columns))
    report.new += _count(connection) - before
    report.changed += changed - (_count(connection) - before)
    report.same += len(frame) - changed
    return refusals


def bulk_changed(connection: Connection, frame: pl.DataFrame) -> int:
    """Upsert readings; return how many were new or other than before."""
    start = _changes(connection)
    columns = ("sensor_id", "metric", "at", "value")
    bulk(connection, reading, columns, frame.iter_rows(),
         "ON CONFLICT (sensor_id, metric, at) DO UPDATE SET value = excluded.value WHERE reading.value <> excluded.value")
    end = _changes(connection)
    return len(frame) if start is None or end is None else end - start


def newest(connection: Connection) -> None:
    """Bring the table of latest values up to date."""
    connection.execute(delete(latest))
    connection.exec_driver_sql(
        "INSERT INTO latest (sensor_id, metric, at, value) SELECT r.sensor_id, r.metric, r.at, r.value FROM reading r "
        "JOIN (SELECT sensor_id, metric, max(at) AS at FROM reading GROUP BY sensor_id, metric) m "
        "ON m.sensor_id = r.sensor_id AND m.metric = r.metric AND m.at = r.at"
    )


def _count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM reading").scalar() or 0)


def _changes(connection: Connection) -> Any:
    if connection.dialect.name != "sqlite":
        return None
    return connection.exec_driver_sql("SELECT total_changes()").scalar()
