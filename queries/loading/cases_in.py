"""Cases come in: new ones are placed and inserted, changed ones updated with their history kept."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection, func, select

from queries.boundaries import Locator
from queries.city import City, Refusal
from queries.city.origins import Origins
from queries.city.values import mapped
from queries.intervals import chunks
from queries.loading import implied
from queries.loading.report import SourceReport
from queries.rollup import COLUMNS, Projector
from queries.store import bulk
from queries.tables import area, cases, category, department, event

WRITTEN = (
    "id", "no", "node", "placed", "lon", "lat", "cell", "category_id", "department_id", "kind", "title", "address",
    "channel", "origin", "status", "urgent", "reported_at", "filed_at", "due_at", "closed_at", "is_open", "rework", "source", "hash",
    "seq", "since_at",
)
#: What a timeline tells of a change.
TOLD = ("status", "filed_at", "due_at", "closed_at", "category_id", "department_id", "rework", "lon", "lat", "title",
        "address", "urgent", "kind", "reported_at")
#: What a change sets anew, whatever the events before it said: the source's word is the newest.
#: The place is not among it: new boundaries move cases without an event.
SET = ("category_id", "department_id", "urgent", "reported_at", "filed_at", "due_at", "closed_at", "rework")
ZOOM = 22


class CasesIn:
    """Writes the cases of one load."""

    def __init__(self, connection: Connection, city: City, locator: Locator, projector: Projector, seen: int) -> None:
        """Begin; the words of the city must have been written."""
        self._connection, self._city, self._seen = connection, city, seen
        self.locator, self._projector = locator, projector
        self._next = (connection.scalar(select(func.max(cases.c.id))) or 0) + 1
        self._areas: list[str] | None = None
        self._origin = Origins(city.origins)
        #: Nothing is stored that the rows of this source could meet.
        self._first = self._next == 1
        self._categories = {r.code: r.id for r in connection.execute(select(category.c.code, category.c.id))}
        self._departments = {r.code: r.id for r in connection.execute(select(department.c.code, department.c.id))}

    def take(self, source: str, frame: pl.DataFrame, report: SourceReport) -> list[Refusal]:
        """Write one chunk; return what had to be refused because of what is stored."""
        refusals = self._unknown_areas(frame)
        stored = self._stored(frame["no"].to_list()) if not self._first else None
        if stored is not None and len(stored):
            frame = frame.join(stored, on="no", how="left")
            foreign = pl.col("old_source").is_not_null() & (pl.col("old_source") != source)
            for r in frame.filter(foreign).select("row", "no", "old_source").iter_rows():
                refusals.append(Refusal(row=r[0], field="no", value=r[1], grade="refused",
                                        reason=f"案件号已属于来源 {r[2]}", reason_en=f"the number belongs to source {r[2]}"))
            frame = frame.filter(~foreign.fill_null(False))
            same = (pl.col("old_hash") == pl.col("hash")).fill_null(False)
            report.same += int(frame.select(same.sum()).item())
            frame = frame.filter(~same)
            old = frame.filter(pl.col("old_id").is_not_null())
            frame = frame.filter(pl.col("old_id").is_null())
            if len(old):
                self._change(source, old, report)
        if len(frame):
            ids = np.arange(self._next, self._next + len(frame))
            self._next += len(frame)
            rows = self._finished(source, frame.with_columns(id=pl.Series(ids)), report)
            rows = implied.course(rows, self._seen)
            bulk(self._connection, cases, WRITTEN, rows)
            implied.write(self._connection, int(ids[0]), int(ids[-1]), self._seen)
            self._projector.add(rows)
            report.new += len(rows)
        return refusals

    def _unknown_areas(self, frame: pl.DataFrame) -> list[Refusal]:
        """Return the rows that only a code could place, and whose code no area has: they count in the whole city alone."""
        named = frame.filter(pl.col("area_code").is_not_null() & pl.col("lon").is_null())
        if not len(named):
            return []
        if self._areas is None:
            self._areas = list(self._connection.scalars(select(area.c.code).distinct()))
        return [Refusal(row=row, field="area_code", value=code, grade="doubted", reason="没有这个区域编码，案件只计入全市",
                        reason_en="no area has this code: the case counts in the whole city only")
                for row, code in named.filter(~pl.col("area_code").is_in(self._areas)).select("row", "area_code").iter_rows()]

    def _stored(self, numbers: list[str]) -> pl.DataFrame:
        rows: list[tuple[Any, ...]] = []
        for part in chunks(numbers):
            rows += [tuple(r) for r in self._connection.execute(
                select(cases.c.no, cases.c.id, cases.c.hash, cases.c.source).where(cases.c.no.in_(part)))]
        return pl.DataFrame(rows, orient="row", schema={
            "no": pl.String, "old_id": pl.Int64, "old_hash": pl.String, "old_source": pl.String})

    def _change(self, source: str, frame: pl.DataFrame, report: SourceReport) -> None:
        rows = self._finished(source, frame.with_columns(id="old_id"), report)
        before: dict[int, dict[str, Any]] = {}
        seqs: dict[int, int] = {}
        for part in chunks(rows["id"].to_list()):
            for r in self._connection.execute(select(cases).where(cases.c.id.in_(part))).mappings():
                before[r["id"]] = dict(r)
            for r in self._connection.execute(
                select(event.c.case_id, func.max(event.c.seq)).where(event.c.case_id.in_(part)).group_by(event.c.case_id)
            ):
                seqs[r[0]] = r[1]
        was = [tuple(one[c] for c in COLUMNS) for one in before.values()]
        self._projector.add(pl.DataFrame(was, schema=list(COLUMNS), orient="row", infer_schema_length=None), -1)
        self._projector.add(rows)
        names = [*(c for c in WRITTEN if c not in ("id", "no")), "stage_due_at"]
        rows = rows.with_columns(
            seq=pl.col("id").replace_strict(seqs, default=0, return_dtype=pl.Int64) + 1, since_at=pl.lit(self._seen),
            stage_due_at=pl.lit(None, pl.Int64))
        mark = "?" if self._connection.dialect.name == "sqlite" else "%s"
        statement = f"UPDATE cases SET {', '.join(f'{c} = {mark}' for c in names)} WHERE id = {mark}"
        self._connection.exec_driver_sql(statement, list(rows.select(*names, "id").iter_rows()))
        events = []
        for now in rows.select("id", "seq", *dict.fromkeys((*TOLD, *SET))).iter_rows(named=True):
            old = before[now["id"]]
            told = {k: [old[k], now[k]] for k in TOLD if old[k] != now[k]}
            data = json.dumps({"told": told, "set": {k: now[k] for k in SET}}, ensure_ascii=False)
            events.append((now["id"], now["seq"], self._seen, self._seen, "changed", now["status"], source, source, data, False))
        bulk(self._connection, event, ("case_id", "seq", "at", "seen_at", "step", "status", "actor", "source", "data", "derived"), events)
        report.changed += len(rows)

    def _finished(self, source: str, frame: pl.DataFrame, report: SourceReport) -> pl.DataFrame:
        """Return rows as they are stored: words as ids, points as nodes and cells."""
        self._words(category, self._categories, frame["category"])
        self._words(department, self._departments, frame["department"])
        local = pl.from_epoch(pl.col("reported_at"), time_unit="s").dt.replace_time_zone("UTC")
        day = frame.select(local.dt.convert_time_zone(self._city.timezone).dt.date().cast(pl.Int32)).to_series()
        lon = frame["lon"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        lat = frame["lat"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        codes = frame["area_code"]
        placed = self.locator.place(lon, lat, day.to_numpy(), None if codes.null_count() == len(codes) else codes.to_list())
        how, n = np.unique(placed.placed, return_counts=True)
        report.place({str(k): int(v) for k, v in zip(how, n, strict=True)}, placed.ambiguous, placed.crossing)
        cell = pl.Series("cell", morton(lon, lat))
        return frame.with_columns(
            node=pl.Series(placed.node), placed=pl.Series(placed.placed.astype(str).tolist(), dtype=pl.String),
            cell=pl.when(pl.Series(np.isfinite(lon) & np.isfinite(lat))).then(cell),
            category_id=pl.col("category").replace_strict(self._categories, return_dtype=pl.Int64),
            department_id=pl.col("department").replace_strict(self._departments, default=None, return_dtype=pl.Int64),
            is_open=~pl.col("status").is_in(implied.OVER), source=pl.lit(source), origin=mapped(frame["channel"], self._origin).fill_null(""),
        )

    def _words(self, table: Any, known: dict[str, int], column: pl.Series) -> None:
        for code in column.unique().drop_nulls().sort():
            if code not in known:
                new = self._connection.execute(table.insert().values(code=code, name=code, name_en=code))
                known[code] = new.inserted_primary_key[0]


def morton(lon: np.ndarray, lat: np.ndarray, zoom: int = ZOOM) -> np.ndarray:
    """Return the number of the web-mercator cell of each point, its bits interleaved."""
    side = 1 << zoom
    with np.errstate(invalid="ignore"):
        x = np.nan_to_num((lon + 180) / 360 * side)
        y = np.nan_to_num((1 - np.arcsinh(np.tan(np.radians(np.clip(lat, -85.05, 85.05)))) / np.pi) / 2 * side)
    x, y = np.clip(x, 0, side - 1).astype(np.int64), np.clip(y, 0, side - 1).astype(np.int64)
    return spread(x) | (spread(y) << 1)


def spread(v: Any) -> Any:
    """Return numbers, one or many, with a free bit between each two of theirs."""
    for shift, mask in ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
                        (2, 0x3333333333333333), (1, 0x5555555555555555)):
        v = (v | (v << shift)) & mask
    return v
