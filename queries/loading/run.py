"""Runs the load or the check of a city folder. A reader sees the state before or after, never between."""

from __future__ import annotations

import gc
import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, delete, func, select, update
from tqdm import tqdm

from queries.boundaries import LevelRead, Locator, read_areas, topology_report, write_trees
from queries.city import City, Refusal, RowsRead, TableSpec, read_city, read_rows
from queries.city.specs import KINDS
from queries.clock import EPOCH, day_bucket, day_end, local_day, now, stamp
from queries.clocks import read_calendar
from queries.errors import CityFileError, TableError
from queries.loading.cases_in import CasesIn
from queries.loading.figures_in import take_figures
from queries.loading.lists_in import ListsIn
from queries.loading.report import Report, SourceReport
from queries.loading.room import make_room
from queries.loading.rules_in import take_rules
from queries.loading.things_in import take_readings, take_things
from queries.loop.book import Book
from queries.loop.origins import tell_anew
from queries.loop.projector import settle
from queries.loop.rebuild import recount
from queries.rollup import Projector, rebuild, tidy
from queries.store import (
    PLACED,
    Store,
    alone,
    bulk,
    bump,
    get_meta,
    later,
    numbers_follow,
    put_meta,
    version,
)
from queries.tables import cases, category, department, kind_word, quarantine, source
from queries.tables import load as loads
from queries.touched import everything

#: Where the whole of city.toml is kept.
TOML = "toml"
MOMENTS = {"cases": ("reported_at", "filed_at", "closed_at"), "readings": ("at",), "cameras": ("seen_at",), "sensors": (), "items": (), "duty": (), "indicators": ()}


def load(
    folder: Path, store: Store, data: Path | None = None, quiet: bool = False, replace: bool = False
) -> Report:
    """Load a city folder (its files may lie in `data`). All in one transaction. Raises GovError.

    A database holds one city. The demo city makes room for another one by itself, a real one only when
    `replace` says so.
    """
    city = read_city(Path(folder))
    store.upgrade()
    with _no_litter_picking(), store.engine.connect() as connection, connection.begin() as transaction:
        report = _Run(connection, city, Path(folder), data, quiet, replace).all()
        if report.changed:
            bump(connection)
        else:
            transaction.rollback()
    return report


def check(
    folder: Path, store: Store, data: Path | None = None, quiet: bool = True, replace: bool = False
) -> Report:
    """Return what `load` would do and write nothing."""
    city = read_city(Path(folder))
    if not store.is_made:
        with tempfile.TemporaryDirectory() as scratch:
            other = Store(f"sqlite:///{scratch}/check.sqlite")
            other.upgrade()
            try:
                return _checked(other, city, folder, data, quiet, replace)
            finally:
                other.close()
    return _checked(store, city, folder, data, quiet, replace)


def _checked(store: Store, city: City, folder: Path, data: Path | None, quiet: bool, replace: bool) -> Report:
    with store.engine.connect() as connection, connection.begin() as transaction:
        report = _Run(connection, city, Path(folder), data, quiet, replace).all()
        transaction.rollback()
    report.checked_only = True
    return report


class _Run:
    def __init__(self, connection: Connection, city: City, folder: Path, data: Path | None, quiet: bool,
                 replace: bool) -> None:
        self.connection, self.city, self.quiet, self.replace = connection, city, quiet, replace
        self.data = Path(data) if data else (folder.parent if folder.suffix == ".toml" else folder)
        self.report = Report(
            city=city.name, city_en=city.name_en, language=city.language, folder=folder.resolve().name)
        self.seen = stamp(now())
        self.refusals: list[tuple[str, str, Refusal]] = []

    def all(self) -> Report:
        began = time.perf_counter()
        connection, city, report = self.connection, self.city, self.report
        # The first statement writes: from here on there is one transaction and one writer.
        put_meta(connection, "begun", self.seen)
        before = get_meta(connection, "city")
        alone(connection, cases)
        if before is not None:
            settle(connection)
        report.replaced = make_room(connection, city, report.folder, self.replace)
        self.known = {r.id: r for r in connection.execute(select(source))}
        put_meta(connection, "city", city.model_dump(mode="json", include={
            "name", "name_en", "code", "timezone", "language", "demo", "origins"}))
        # A door that takes files reads them as this load does; the settings' folder may be gone by then.
        read_before = get_meta(connection, TOML)
        put_meta(connection, TOML, city.model_dump(mode="json"))
        put_meta(connection, "water", _water(self.data / city.water) if city.water else None)
        areas = read_areas(city, self.data)
        written = write_trees(connection, city, areas)
        report.areas = {**asdict(written.change), "moved": written.moved}
        report.topology = topology_report(areas).as_dict()
        kinds = self._words()
        rules = take_rules(connection, city)
        report.rules = {"limits": len(city.limits), "known_until": read_calendar(connection).known_until, "changed": rules}
        west, south, east, north = areas.root_shape.bounds
        pad = max(east - west, north - south, 0.5)
        self.extent = (west - pad, south - pad, east + pad, north + pad)
        self.locator = Locator(connection)
        self.projector = Projector(city.zone, lambda nodes: self.locator.areas_of(nodes))
        stored = connection.scalar(select(cases.c.id).limit(1)) is not None
        found_anew = stored and (before or {}).get("origins") != get_meta(connection, "city")["origins"] and tell_anew(connection, city.origins)
        self._areas_source(areas.levels)
        self.lists = ListsIn(connection, self.seen)
        with nullcontext() if stored else later(connection, cases):
            for kind in KINDS:
                for spec in city.tables(kind):
                    self._source(kind, spec)
        lists = self.lists.finish(report.sources)
        if written.rebuild or report.replaced or any(s.kind in ("cameras", "sensors") and (s.new or s.changed) for s in report.sources):
            everything(connection)
        if (written.rebuild or found_anew) and stored:
            rebuild(connection, city.zone, self.locator.areas_of)
            recount(connection, Book())
        else:
            self.projector.write(connection)
            if stored:
                tidy(connection)
        report.changed = bool(
            written.rebuild or rules or lists or kinds or before != get_meta(connection, "city") or read_before != get_meta(connection, TOML)
            or any(s.new or s.changed or self._refusals_changed(s) for s in report.sources)
        )
        self._cases_known()
        numbers_follow(connection, cases)
        report.seconds = round(time.perf_counter() - began, 3)
        self._record()
        return report

    def _words(self) -> bool:
        for table, words in ((category, self.city.categories), (department, self.city.departments)):
            held = {r.code: r for r in self.connection.execute(select(table))}
            for code, pair in words.items():
                values = {"name": pair.name, "name_en": pair.name_en or pair.name}
                if code not in held:
                    self.connection.execute(table.insert().values(code=code, **values))
                elif (held[code].name, held[code].name_en) != tuple(values.values()):
                    self.connection.execute(update(table).where(table.c.code == code).values(**values))
        if not self.connection.scalar(select(category.c.id).where(category.c.code == "other")):
            self.connection.execute(category.insert().values(code="other", name="其他", name_en="Other"))
        held_kinds = {r.word: r.name_en for r in self.connection.execute(select(kind_word))}
        if held_kinds == self.city.kinds:
            return False
        self.connection.execute(delete(kind_word))
        if self.city.kinds:
            self.connection.execute(kind_word.insert(), [{"word": word, "name_en": en} for word, en in self.city.kinds.items()])
        return True

    def _areas_source(self, levels: list[LevelRead]) -> None:
        told = SourceReport(id="areas", kind="areas", read=sum(level.read for level in levels))
        for level in levels:
            told.note(level.refusals, level.file)
            self.refusals += [("areas", level.file, r) for r in level.refusals]
        told.accepted = told.same = told.read - told.refused
        self.report.sources.append(told)
        self._put_source("areas", "areas", "行政与网格边界", "Boundaries", "", told, self.seen if "areas" not in self.known
                         else self.known["areas"].as_of, None, told.accepted)

    def _source(self, kind: str, spec: TableSpec) -> None:
        told = SourceReport(id=spec.id, kind=kind)
        self.report.sources.append(told)
        kept = len(self.refusals)
        mark = self.projector.mark
        newest_at: int | None = None
        try:
            with self.connection.begin_nested():
                newest_at = self._take(kind, spec, told)
        except TableError as bad:
            # What the good part of the file said is taken back; the other sources still come in.
            told.__init__(id=spec.id, kind=kind, failed=str(bad), failed_zh=bad.say("zh"))  # type: ignore[misc]
            del self.refusals[kept:]
            self.projector.back(mark)
            self.locator = Locator(self.connection)
        old = self.known.get(spec.id)
        rows = (old.rows if old else 0) + told.new
        as_of = max((x for x in (newest_at, old.as_of if old else None) if x is not None), default=None)
        self._put_source(spec.id, kind, spec.title or spec.id, spec.title_en or spec.title or spec.id, spec.licence, told,
                         as_of, spec.every_s, rows)

    def _take(self, kind: str, spec: TableSpec, told: SourceReport) -> int | None:
        newest_at: int | None = None
        taker = CasesIn(self.connection, self.city, self.locator, self.projector, self.seen) if kind == "cases" else None
        today = day_bucket(local_day(self.seen, self.city.zone))
        bar = tqdm(desc=spec.id, unit="", unit_scale=True, disable=self.quiet, leave=False)
        with bar:
            for chunk in _ahead(read_rows(self.city, self.data, spec, kind, extent=self.city.extent or self.extent)):
                told.read += chunk.read
                more: list[Refusal] = []
                for start in range(0, len(chunk.frame), 200_000):
                    part = chunk.frame[start:start + 200_000]
                    if taker is not None:
                        more += taker.take(spec.id, part, told)
                    elif kind in ("items", "duty"):
                        more += self.lists.take(kind, part, told)
                        newest_at = self.seen
                    elif kind == "indicators":
                        more += take_figures(self.connection, spec.id, part, self.seen, told)
                        if len(part):
                            newest_at = max(newest_at or 0, day_end(EPOCH + timedelta(days=int(part["last"].max())), self.city.zone))  # type: ignore[arg-type]
                    elif kind == "readings":
                        more += take_readings(self.connection, part, told, self.seen)
                    else:
                        take_things(self.connection, self.locator, kind, spec.id, part, today, told)
                    newest_at = _newest(newest_at, part, MOMENTS[kind], self.seen)
                found = [*chunk.refusals, *more]
                told.note(found, chunk.file)
                told.hint(chunk.hints, chunk.file)
                self.refusals += [(spec.id, chunk.file, r) for r in found]
                bar.update(chunk.read)
        told.accepted = told.new + told.changed + told.same
        return newest_at

    def _put_source(self, name: str, kind: str, title: str, title_en: str, licence: str, told: SourceReport,
                    as_of: int | None, every_s: int | None, rows: int) -> None:
        self.connection.execute(delete(source).where(source.c.id == name))
        self.connection.execute(source.insert().values(
            id=name, kind=kind, title=title, title_en=title_en, licence=licence, state="failed" if told.failed else "ok",
            message=_message(told), as_of=as_of, loaded_at=self.seen, every_s=every_s, rows=rows, refused=told.refused,
            doubted=told.doubted,
        ))

    def _refusals_changed(self, told: SourceReport) -> bool:
        old = self.known.get(told.id)
        return old is None or (old.refused, old.doubted, old.message) != (told.refused, told.doubted, _message(told))

    def _cases_known(self) -> None:
        """Remember what every answer about cases must say of what it could not place."""
        rows = self.connection.execute(
            select(cases.c.placed, func.count()).where(cases.c.placed.in_(("outside", "none"))).group_by(cases.c.placed))
        put_meta(self.connection, "unplaced", {r[0]: r[1] for r in rows})

    def _record(self) -> None:
        put_meta(self.connection, "loaded", self.seen)
        put_meta(self.connection, PLACED, f"{self.seen}.{version(self.connection) + 1}")
        values = {"at": self.seen, "folder": self.report.folder,
                  "report": json.dumps(self.report.as_dict(), ensure_ascii=False)}
        load_id = self.connection.execute(loads.insert().values(**values)).inserted_primary_key[0]
        failed = {s.id for s in self.report.failed}
        for told in self.report.sources:
            if told.id not in failed:
                self.connection.execute(delete(quarantine).where(quarantine.c.source == told.id))
        columns = ("load_id", "source", "file", "row", "field", "value", "grade", "reason", "reason_en", "raw")
        bulk(self.connection, quarantine, columns, (
            (load_id, s, f, r.row, r.field, r.value.replace("\0", ""), r.grade, r.reason, r.reason_en,
             json.dumps(r.raw, ensure_ascii=False, default=str)) for s, f, r in self.refusals))


@contextmanager
def _no_litter_picking() -> Iterator[None]:
    """Keep Python from looking for reference cycles: millions of rows pass by and none is in one."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _ahead(chunks: Iterator[RowsRead]) -> Iterator[RowsRead]:
    """Read the next chunk while the database is busy with this one."""
    with ThreadPoolExecutor(1, "reads") as beside:
        job = beside.submit(next, chunks, None)
        while (chunk := job.result()) is not None:
            job = beside.submit(next, chunks, None)
            yield chunk


def _message(told: SourceReport) -> str:
    return json.dumps({"zh": told.failed_zh, "en": told.failed}, ensure_ascii=False) if told.failed else ""


def _newest(known: int | None, frame: pl.DataFrame, columns: tuple[str, ...], seen: int) -> int | None:
    moments = [frame[c].max() for c in columns]
    found = [min(int(m), seen) for m in moments if m is not None]
    return max([*found, *([] if known is None else [known])], default=None)


def _water(path: Path) -> dict[str, object]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as bad:
        raise CityFileError(f"{path.name} (water of city.toml) cannot be read as GeoJSON: {bad}.") from bad
    if not isinstance(told, dict) or told.get("type") not in ("FeatureCollection", "Feature"):
        raise CityFileError(f"{path.name} (water of city.toml) is no GeoJSON FeatureCollection. Export it as one in EPSG:4326.")
    return told
