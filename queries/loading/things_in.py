"""Sensors, their readings, and cameras come in."""

from __future__ import annotations

import numpy as np
import polars as pl
from sqlalchemy import Connection, insert, literal_column, select

from queries.boundaries import Locator
from queries.city import Refusal
from queries.clock import now, stamp
from queries.loading.report import SourceReport
from queries.sensing import ledger, register
from queries.sensing.judge import Read, judge
from queries.sensing.tables import camera_state
from queries.store import bulk
from queries.tables import camera, sensor

COLUMNS = {"sensors": (sensor, ("every_s",)), "cameras": (camera, ("state", "seen_at", "since_at", "class", "stream", "still", "gateway", "live"))}

#: Seconds for which what a probe found holds against a file that does not say when it saw the camera.
PROBED_S = 86_400


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
    if kind == "cameras":
        frame = frame.with_columns(since_at=pl.col("seen_at").fill_null(stamp(now())))
    columns = ("code", "name", "kind", "lon", "lat", "node", "placed", *own, "source", "hash")
    told = ", ".join(f"{c} = excluded.{c}" for c in columns[1:] if kind != "cameras" or c not in ("state", "seen_at", "since_at"))
    if kind == "cameras":
        # What was found within a day by asking the camera itself holds against a file that speaks of an earlier moment, or of none.
        found = f"camera.looked_at > coalesce(excluded.seen_at, 0) AND camera.looked_at > {stamp(now()) - PROBED_S}"
        told += f", state = CASE WHEN {found} THEN camera.state ELSE excluded.state END"
        told += f", seen_at = CASE WHEN {found} THEN camera.seen_at ELSE excluded.seen_at END"
        # How long a camera has been as it is counts from the change, not from each file that says so again.
        told += f", since_at = CASE WHEN {found} OR camera.state = excluded.state THEN coalesce(camera.since_at, excluded.since_at) ELSE excluded.since_at END"
    bulk(connection, table, columns, frame.select(columns).iter_rows(), f"ON CONFLICT (code) DO UPDATE SET {told}")
    if kind == "cameras":
        keep_states(connection)


def keep_states(connection: Connection) -> None:
    """Write down what each camera is from when on, where that is not written yet."""
    s = camera_state.c
    written = select(literal_column("1")).where(s.camera_id == camera.c.id, s.at == camera.c.since_at, s.state == camera.c.state).exists()
    connection.execute(insert(camera_state).from_select(["camera_id", "at", "state"], select(camera.c.id, camera.c.since_at, camera.c.state).where(camera.c.since_at.is_not(None), ~written)))


def take_readings(connection: Connection, frame: pl.DataFrame, report: SourceReport, seen: int) -> list[Refusal]:
    """Write readings with their sums; one that cannot be is refused. The same moment again: the newer value holds."""
    known = register.read(connection)
    rows = [Read(*row) for row in frame.select("sensor", "at", "value", "metric", "unit").iter_rows()]
    done = judge(known, rows, seen, ledger.floor(connection))
    numbers = frame["row"].to_list()
    refusals = [Refusal(row=numbers[f.row - 1], field=f.field, value=f.value, grade="refused", reason=f.zh, reason_en=f.en)
                for f in done.faults]
    written = ledger.write(connection, known.zone, done.good)
    report.new += len(written.fresh)
    report.changed += len(written.changed)
    report.same += written.same + done.counts["again"]
    return refusals
