"""Rows in our own shape: one frame per file or chunk, and every refusal with its reason.

Nothing here touches the database; a bad row never raises, a file that cannot be read raises TableError.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import polars as pl

from queries.city.model import FIELDS, City, TableSpec
from queries.city.points import Extent
from queries.city.sieve import Hint, Refusal, Sieve
from queries.city.tables import LIMITS, ROW, Broken, Chunk, Limits, read_table
from queries.city.things import Shaper
from queries.city.twins import KEYS, Twins
from queries.city.values import clean, key
from queries.errors import TableError

__all__ = ["Hint", "Refusal", "RowsRead", "files_of", "read_rows", "read_told"]

#: A table of at most so many rows is read once and kept; a longer one is read a second time.
KEPT = 1_000_000


@dataclass(frozen=True, kw_only=True)
class RowsRead:
    """The good rows of a file (or of a chunk of it) and what was wrong with the others."""

    source: str
    kind: str
    file: str
    frame: pl.DataFrame
    refusals: list[Refusal]
    read: int
    hints: tuple[Hint, ...] = ()


def read_rows(
    city: City, folder: Path, spec: TableSpec, kind: str, *, extent: Extent | None = None, limits: Limits = LIMITS
) -> Iterator[RowsRead]:
    """Yield the rows of a table's files in our shape. Raises TableError for an unreadable file.

    `extent` (west, south, east, north) is where points can be at all, if city.toml does not say it.
    """
    shaper = Shaper(city=city, spec=spec, extent=extent)
    paths = files_of(Path(folder), spec)
    twins = Twins()
    kept: list[tuple[Path, Chunk]] | None = []
    if len(KEYS[kind]) == 1:
        kept = _learned(paths, spec, kind, limits, twins)
    for path, chunk in kept or _chunks(paths, spec, limits):
        yield _read(chunk, shaper, kind, path, twins)


def read_told(source: str, kind: str, rows: Sequence[Mapping[str, str]]) -> RowsRead:
    """Return rows that came one by one, as {our field: text}, in our shape: read as the rows of a file are. Only for kinds that need no words of a city."""
    frame = pl.DataFrame({ROW: pl.Series(range(1, len(rows) + 1), dtype=pl.Int64),
                          **{name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in FIELDS[kind]}})
    spec = TableSpec(id="told", file=[source], columns={name: [name] for name in FIELDS[kind]})
    read = _read(Chunk(frame=frame, read=len(rows)), Shaper(city=City(name="-", code="-", levels=[{"id": "city", "name": "-"}]), spec=spec), kind, Path(source), Twins())
    return replace(read, source=source)


def _learned(
    paths: list[Path], spec: TableSpec, kind: str, limits: Limits, twins: Twins
) -> list[tuple[Path, Chunk]]:
    """Learn the keys of the whole table; return its chunks if they are few enough to be kept."""
    name = KEYS[kind][0]
    kept: list[tuple[Path, Chunk]] = []
    rows = 0
    for path, chunk in _chunks(paths, spec, limits):
        twins.learn(_picked(chunk, spec, kind, path, (name,))[name])
        rows += chunk.frame.height
        kept.append((path, chunk))
        if rows > KEPT:
            break
    else:
        return kept
    seen = len(kept)
    kept.clear()
    for n, (path, chunk) in enumerate(_chunks(paths, spec, limits, spec.columns.get(name))):
        if n >= seen:
            twins.learn(_picked(chunk, spec, kind, path, (name,))[name])
    return kept


def files_of(folder: Path, spec: TableSpec) -> list[Path]:
    """Return the files of a table, in the order of their names. Raises TableError if one is missing."""
    found: list[Path] = []
    for name in spec.file:
        if any(sign in name for sign in "*?["):
            here = sorted(path for path in folder.glob(name) if path.is_file())
        else:
            here = [folder / name] if (folder / name).is_file() else []
        if not here:
            there = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.0)
            raise TableError(
                f"Table {spec.id!r}: there is no file {name} in {folder}."
                + (f" The nearest one is {near[0]}." if near else " The folder holds no files."),
                zh=f"表 {spec.id!r}：{folder} 中没有文件 {name}。" + (f"最接近的是 {near[0]}。" if near else "该文件夹是空的。"),
            )
        found += [path for path in here if path not in found]
    return found


def _chunks(
    paths: list[Path], spec: TableSpec, limits: Limits, only: list[str] | None = None
) -> Iterator[tuple[Path, Chunk]]:
    for path in paths:
        for chunk in read_table(
            path, delimiter=spec.delimiter, encoding=spec.encoding, sheet=spec.sheet, header_row=spec.header_row,
            limits=limits, only=only,
        ):
            yield path, chunk


def _read(chunk: Chunk, shaper: Shaper, kind: str, path: Path, twins: Twins) -> RowsRead:
    spec = shaper.spec
    raw = chunk.frame.drop(ROW)
    cells = _picked(chunk, spec, kind, path)
    if spec.metrics:
        cells = _melted(cells, chunk, spec, path)
    rows = cells[ROW]
    sieve = Sieve(rows)
    frame = shaper.shape(kind, cells, sieve).with_columns(rows.alias("row"))
    frame = frame.with_columns(hash=_hash(frame.drop("row"))) if kind != "readings" else frame
    twins.sift(frame, cells, KEYS[kind], sieve)
    if spec.metrics:
        raw = chunk.frame.join(pl.DataFrame({ROW: rows}), on=ROW, how="right", maintain_order="right").drop(ROW)
    refusals = [_broken(one) for one in chunk.broken] + sieve.refusals(raw)
    good = frame.filter(sieve.good)
    return RowsRead(
        source=spec.id, kind=kind, file=path.name, frame=good.select("row", pl.exclude("row")),
        refusals=sorted(refusals, key=lambda one: one.row), read=chunk.read,
        hints=tuple(sieve.hints()),
    )


def _broken(one: Broken) -> Refusal:
    return Refusal(
        row=one.row, field=one.field, value=one.text[:200], grade=one.grade, reason=one.reason, reason_en=one.reason_en,
        raw={"text": one.text},
    )


def _picked(
    chunk: Chunk, spec: TableSpec, kind: str, path: Path, fields: tuple[str, ...] | None = None
) -> pl.DataFrame:
    """Return our fields as cleaned text columns, and the row numbers."""
    there = chunk.frame.columns
    out: list[pl.Series] = [chunk.frame[ROW]]
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, chunk.frame.height)
    for field in fields or FIELDS[kind]:
        names = _columns(spec.columns.get(field, []), there, field, path)
        parts = [clean(chunk.frame[name], spec.blank, keep_no=field in ("urgent", "rework")) for name in names]
        column = pl.select(pl.coalesce(parts)).to_series() if len(parts) > 1 else parts[0] if parts else empty
        if field in spec.constants:
            column = column.fill_null(spec.constants[field])
        out.append(column.alias(field))
    return pl.DataFrame(out)


def _columns(wanted: list[str], there: list[str], field: str, path: Path) -> list[str]:
    alike = {key(name): name for name in reversed(there) if name != ROW}
    found = [name if name in there else alike[key(name)] for name in wanted if name in there or key(name) in alike]
    if wanted and not found:
        near = difflib.get_close_matches(wanted[0], list(alike.values()), n=1, cutoff=0.0)
        raise TableError(
            f"{path.name} has no column {wanted[0]!r} (for {field}). "
            + (f"The nearest one is {near[0]!r}; " if near else "")
            + f"it has {', '.join(list(alike.values())[::-1][:12])}. Correct `columns` in city.toml.",
            zh=f"{path.name} 没有列 {wanted[0]!r}（用于 {field}）。" + (f"最接近的是 {near[0]!r}；" if near else "")
            + f"现有列：{'、'.join(list(alike.values())[::-1][:12])}。请修改 city.toml 的 columns。",
        )
    return found


def _melted(cells: pl.DataFrame, chunk: Chunk, spec: TableSpec, path: Path) -> pl.DataFrame:
    """Return one row per metric of a table that has a column for each; a blank cell is no reading."""
    parts = []
    for metric, wanted in spec.metrics.items():
        (name,) = _columns([wanted], chunk.frame.columns, metric, path)
        value = clean(chunk.frame[name], spec.blank)
        part = cells.with_columns(value.alias("value"), pl.lit(metric).alias("metric"))
        parts.append(part.filter(pl.col("value").is_not_null()))
    return pl.concat(parts).sort(ROW, maintain_order=True)


def _hash(frame: pl.DataFrame) -> pl.Series:
    """Return a short digest of each row, the same on every machine and with every version."""
    text = frame.select(
        pl.concat_str([pl.col(name).cast(pl.String).fill_null("\x00") for name in frame.columns], separator="\x1f")
    ).to_series()
    return pl.Series([blake2b(row.encode(), digest_size=8).hexdigest() for row in text], dtype=pl.String)
