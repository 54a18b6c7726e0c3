"""The drop folder: table files of cases, of sensor readings and of departments' figures that other systems leave are taken in as a load takes them, and nothing is lost.

A file that is still being written waits. A taken one moves to done/, one that cannot be used to refused/
with a report beside it. What was begun when the server died lies in taking/ and is read again, which changes nothing twice.
"""

from __future__ import annotations

import contextlib
import glob
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from queries.city import City, Refusal, RowsRead, TableSpec, read_rows
from queries.city.points import Extent
from queries.clock import now, stamp
from queries.errors import AskError, DoorError, GovError, TableError
from queries.loading.report import SourceReport, hinted
from queries.loading.run import TOML
from queries.loop.hearing import announce
from queries.loop.page import Page
from queries.loop.word import Said
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.settings import Settings
from queries.sources._figures import taking
from queries.sources._quarantine import Bad, keep
from queries.sources._source import Source, Told, Turn
from queries.store import get_meta
from queries.tables import area

TAKING, DONE, REFUSED = "taking", "done", "refused"
#: A file that nobody has touched for so long, and that does not grow meanwhile, is complete.
SETTLED_S, AGAIN_S = 5.0, 0.3
#: Names under which programs write what is not yet complete.
HALF = ("*.part", "*.tmp", "*.temp", "*.filepart", "*.crdownload", "*.partial", "*.swp", "~$*", ".*", "*.report.txt")
TOGETHER, READINGS, FIGURES = 200, 10_000, 5_000


@dataclass
class _Outcome:
    """What became of one file."""

    counts: SourceReport
    failed: dict[str, str] = field(default_factory=dict)


def said(row: Mapping[str, Any], source: str = "drop_folder") -> Said:
    """Return what a row says of its case, in the shape that queries/city/rows.py gives rows. Raises AskError."""
    for name in ("no", "reported_at", "category", "hash"):
        if row.get(name) in (None, ""):
            raise AskError(f"{name} is missing.", zh=f"缺少 {name}。", field=name)
    given = {name: row[name] for name in Said.__dataclass_fields__ if row.get(name) is not None and name != "source"}
    return Said(source=source, **given)


def run(turn: Turn) -> Told:
    """Take all complete files, the oldest first."""
    root = Path(turn.settings.drop_dir)
    if not root.is_dir():
        raise DoorError(f"The drop folder {root.name!r} is not there or is no folder. Correct GOV_DROP_DIR.", zh=f"投递文件夹 {root.name} 不存在，请核对 GOV_DROP_DIR。")
    with turn.writer.store.read() as connection:
        held = get_meta(connection, TOML)
        if held is None:
            raise DoorError("The city was loaded before it had a drop folder. Load it once more (app.py load).", zh="请重新载入一次城市（app.py load），才能识别投递的表格。")
        city, extent = City.model_validate(held), _extent(connection)
    total = Told()
    for spec, path in _claimed(root, city, turn):
        if turn.ended():
            break
        outcome = _taken(turn, city, extent, spec, path)
        if turn.ended():
            # Half of it is written; what lies in taking/ goes on at the next turn.
            break
        _laid_down(root, path, outcome)
        total = Told(taken=total.taken + outcome.counts.new + outcome.counts.changed, refused=total.refused + outcome.counts.refused)
    return Told(taken=total.taken, refused=total.refused, as_of=stamp(now()), trouble=_waiting(root / REFUSED))


def _waiting(folder: Path) -> dict[str, str] | None:
    """Return what a person should hear as long as useless files lie there: who sent them will not notice."""
    names = [path.name for path in _files(folder)]
    if not names:
        return None
    return {"zh": f"{REFUSED}/ 中有 {len(names)} 个文件待处理，最近的是 {names[-1]}；原因见其报告",
            "en": f"{len(names)} files lie in {REFUSED}/, the last is {names[-1]}; the report beside each says why"}


def _claimed(root: Path, city: City, turn: Turn) -> Iterator[tuple[TableSpec | None, Path]]:
    """Yield the files to be read, each moved to where nobody writes to it any more."""
    tables = _tables(city)
    for spec in tables:
        yield from ((spec, path) for path in _files(root / TAKING / spec.id))
    yield from ((None, path) for path in _files(root / TAKING))
    found = [(path, spec) for spec in (None, *tables) for path in _files(root / spec.id if spec else root)]
    for path, spec in _complete(found, turn):
        spec = spec or _spec(city, path.name)
        to = root / TAKING / (spec.id if spec else "") / path.name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists():
            path.replace(to)
            yield spec, to


def _files(folder: Path) -> list[Path]:
    """Return plain files; a link could lead to what nobody gave us."""
    try:
        return sorted((path for path in folder.iterdir() if path.is_file() and not path.is_symlink()
                       and not any(fnmatch(path.name.lower(), sign) for sign in HALF)), key=lambda path: (path.stat().st_mtime, path.name))
    except OSError:
        return []


def _complete(found: list[tuple[Path, TableSpec | None]], turn: Turn) -> list[tuple[Path, TableSpec | None]]:
    def size(path: Path) -> tuple[int, float] | None:
        with contextlib.suppress(OSError):
            told = path.stat()
            # A clock of a file server that runs ahead must not make a file wait for ever.
            return (told.st_size, told.st_mtime) if not 0 <= time.time() - told.st_mtime < SETTLED_S else None
        return None

    before = {path: held for path, _ in found if (held := size(path))}
    if before:
        time.sleep(AGAIN_S)
    return [(path, spec) for path, spec in found if path in before and size(path) == before[path] and not turn.ended()]


def _tables(city: City) -> list[TableSpec]:
    """Return the tables whose files may be left here."""
    return [*city.cases, *city.readings, *city.indicators]


def _spec(city: City, name: str) -> TableSpec | None:
    """Return the table to which a file belongs: by the names in city.toml, or the only one of cases."""
    for spec in _tables(city):
        if any(fnmatch(name, Path(pattern).name) for pattern in spec.file):
            return spec
    return city.cases[0] if len(city.cases) == 1 else None


def _taken(turn: Turn, city: City, extent: Extent | None, spec: TableSpec | None, path: Path) -> _Outcome:
    if spec is None:
        names = ", ".join(f"{one.id}/ ({', '.join(one.file)})" for one in _tables(city)) or "-"
        return _Outcome(SourceReport(id=path.name, kind="cases"), {
            "zh": f"不知道属于哪张表。请按 city.toml 的文件名命名，或放入对应的子文件夹：{names}",
            "en": f"No table takes a file of this name. Name it as city.toml does, or put it into the folder of its table: {names}"})
    kind = "readings" if spec in city.readings else "indicators" if spec in city.indicators else "cases"
    counts = SourceReport(id=spec.id, kind=kind)
    turn.writer.run(lambda page: announce(page.connection, spec.id, {"zh": spec.title or spec.id, "en": spec.title_en or spec.title or spec.id}, kind, spec.every_s))
    own = spec.model_copy(update={"file": [glob.escape(path.name)]})
    try:
        for chunk in read_rows(city, path.parent, own, kind, extent=city.extent or extent):
            counts.read += chunk.read
            refusals = list(chunk.refusals)
            if kind == "readings":
                if not _readings(turn, spec.id, path.name, chunk, counts):
                    return _Outcome(counts)
                continue
            if kind == "indicators":
                if not _figures(turn, spec, path.name, chunk, counts):
                    return _Outcome(counts)
                continue
            rows = chunk.frame.to_dicts()
            for start in range(0, len(rows), TOGETHER):
                if turn.ended():
                    return _Outcome(counts)
                refusals += turn.writer.run(partial(_written, rows=rows[start:start + TOGETHER], source=spec.id, counts=counts))
            refused = [one for one in refusals if one.grade == "refused"]
            turn.writer.run(partial(_kept, source=spec.id, file=path.name, refused=refused))
            counts.note(refusals, path.name)
            counts.hint(chunk.hints, path.name)
    except TableError as bad:
        return _Outcome(counts, {"zh": bad.say("zh"), "en": str(bad)})
    return _Outcome(counts)


def _readings(turn: Turn, source: str, file: str, chunk: RowsRead, counts: SourceReport) -> bool:
    """Write the readings of a chunk; return False when the turn is over before its end."""
    scribe, numbers = Scribe(turn.writer.store), chunk.frame["row"].to_list()
    try:
        rows = [Read(*row) for row in chunk.frame.select("sensor", "at", "value", "metric", "unit").iter_rows()]
        for start in range(0, len(rows), READINGS):
            if turn.ended():
                return False
            taken = scribe.take(Parcel(source=source, file=file, rows=rows[start:start + READINGS]))
            counts.new, counts.changed, counts.same = counts.new + taken.new, counts.changed + taken.changed, counts.same + taken.again
            counts.note([Refusal(row=numbers[start + f.row - 1], field=f.field, value=f.value, grade="refused", reason=f.zh, reason_en=f.en)
                         for f in taken.faults], file)
    finally:
        scribe.close()
    refused = [one for one in chunk.refusals if one.grade == "refused"]
    turn.writer.run(partial(_kept, source=source, file=file, refused=refused))
    counts.note(chunk.refusals, file)
    return True


def _figures(turn: Turn, spec: TableSpec, file: str, chunk: RowsRead, counts: SourceReport) -> bool:
    """Write the figures of a chunk; return False when the turn is over before its end."""
    title = {"zh": spec.title or spec.id, "en": spec.title_en or spec.title or spec.id}
    for start in range(0, max(len(chunk.frame), 1), FIGURES):
        if turn.ended():
            return False
        # What was wrong with the chunk's rows is told once, beside its first part.
        part = replace(chunk, frame=chunk.frame[start:start + FIGURES], refusals=[] if start else chunk.refusals, read=0)
        _, told = turn.writer.run(taking(spec.id, part, file, title, spec.every_s))
        counts.add(told)
    return True


def _written(page: Page, rows: list[dict[str, Any]], source: str, counts: SourceReport) -> list[Refusal]:
    done: dict[str, int] = {}
    refused: list[Refusal] = []
    for row in rows:
        try:
            what = page.hear(said(row, source))
            done[what] = done.get(what, 0) + 1
        except GovError as bad:
            refused.append(Refusal(row=row["row"], field=bad.field, value=str(row["no"]), grade="refused", reason=bad.say("zh"), reason_en=str(bad)))
    # Counted last: an act that met another writer is run again from its beginning.
    counts.new, counts.changed, counts.same = counts.new + done.get("new", 0), counts.changed + done.get("changed", 0), counts.same + done.get("same", 0)
    return refused


def _kept(page: Page, source: str, file: str, refused: list[Refusal]) -> None:
    keep(page, [Bad(source=source, file=file, row=r.row, field=r.field, value=r.value, reason=r.reason, reason_en=r.reason_en, raw=r.raw) for r in refused])


def _laid_down(root: Path, path: Path, outcome: _Outcome) -> None:
    """Move a file to where it ends, with a report beside it where something was wrong."""
    c = outcome.counts
    useless = bool(outcome.failed) or (c.refused > 0 and c.new + c.changed + c.same == 0)
    to = root / (REFUSED if useless else DONE) / f"{datetime.now():%Y%m%d-%H%M%S}-{path.name}"
    n = 1
    while to.exists():
        n += 1
        to = to.with_name(f"{datetime.now():%Y%m%d-%H%M%S}-{n}-{path.name}")
    to.parent.mkdir(parents=True, exist_ok=True)
    if useless or c.refused or c.doubted:
        to.with_name(f"{to.name}.report.txt").write_text(_report(path.name, outcome), "utf-8")
    path.replace(to)


def _report(name: str, outcome: _Outcome) -> str:
    c = outcome.counts
    lines = [f"{name}  {now():%Y-%m-%d %H:%M} UTC", ""]
    if outcome.failed:
        lines += [outcome.failed["zh"], outcome.failed["en"], ""]
    lines += [f"读取 read {c.read}, 新增 new {c.new}, 更新 changed {c.changed}, 未变 same {c.same}, 拒收 refused {c.refused}, 存疑 doubted {c.doubted}", ""]
    for r in c.reasons:
        lines += [f"{r['n']} × {r['field']}: {r['zh']} / {r['en']}", f"    首例 first: 第 {r['row']} 行 row {r['row']}, {r['field']} = {r['value'][:80]}"]
    lines += [f"{line_zh.strip()} / {line.strip()}" for line_zh, line in zip(hinted(c, True), hinted(c, False), strict=True)]
    return "\n".join(lines) + "\n"


def _extent(connection: Any) -> Extent | None:
    row = connection.execute(select(area.c.west, area.c.south, area.c.east, area.c.north).where(area.c.level == 0).order_by(area.c.id.desc()).limit(1)).one_or_none()
    if row is None or row.west is None:
        return None
    pad = max(row.east - row.west, row.north - row.south, 0.5)
    return row.west - pad, row.south - pad, row.east + pad, row.north + pad


def every(_: Settings) -> float:
    """Return the seconds between two looks."""
    return 5.0


def bring(told: Said, key: str) -> Callable[[Page], str]:
    """Return the act that takes a row in; its number and digest make the same row twice one."""
    return lambda page: page.hear(told)


SOURCE = Source(
    id="drop_folder", title={"zh": "投递文件夹", "en": "Drop folder"}, kind="drop", order=40, needs=("drop_dir",),
    sample={"row": 1, "no": "A-1", "category": "other", "status": "filed", "reported_at": 1_760_000_000, "filed_at": 1_760_000_600, "hash": "0a", "lon": None, "rework": 0},
    means={"no": "A-1", "status": "filed", "reported_at": 1_760_000_000, "department": None},
    rubbish={"row": 2, "no": "", "category": "other"},
    read=said, bring=bring, run=run, every_s=every, timeout_s=900.0,
)
