"""Reads a table file of any usual kind, packed or not, into text cells with row numbers.

A file that cannot be read at all raises TableError; a bad row never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from queries.city import packed
from queries.city.letters import as_utf8
from queries.city.packed import LIMITS, Limits
from queries.city.text import ROW, Broken, Chunk, cut, header_names
from queries.errors import TableError

__all__ = ["LIMITS", "ROW", "Broken", "Chunk", "Limits", "read_table"]

CHUNK = 200_000


def read_table(
    path: Path, *, delimiter: str | None = None, encoding: str | None = None, sheet: str | None = None,
    header_row: int = 1, limits: Limits = LIMITS, only: list[str] | None = None,
) -> Iterator[Chunk]:
    """Yield a table file chunk by chunk. The content decides what it is, not the name.

    `only` names the columns that are wanted, where leaving out the others saves work (Parquet).
    """
    try:
        with path.open("rb") as raw:
            head = raw.read(8)
    except OSError as bad:
        raise TableError(
            f"{path.name} cannot be read ({bad.strerror}).",
            zh=f"{path.name} 无法读取（{bad.strerror}）。",
        ) from bad
    if not head:
        raise TableError(
            f"{path.name} is empty (0 bytes). Give a file with a header row, or take it out of city.toml.",
            zh=f"{path.name} 是空文件（0 字节）。请提供带表头的文件，或从 city.toml 中去掉它。",
        )
    if _is_workbook(path, head):
        if packed.packing(head):
            packed.check_workbook(path, limits)
        yield from _workbook(path, sheet, header_row)
        return
    if head.startswith(b"PAR1"):
        with path.open("rb") as stream:
            yield from _parquet(path, stream, limits, only)
        return
    with packed.opened(path) as stream:
        yield from _unpacked(path, stream, delimiter, encoding, header_row, limits)


def _is_workbook(path: Path, head: bytes) -> bool:
    return head.startswith(b"\xd0\xcf\x11\xe0") or (packed.packing(head) == "zip" and packed.is_workbook(path))


def _unpacked(
    path: Path, stream: IO[bytes], delimiter: str | None, encoding: str | None, header_row: int, limits: Limits
) -> Iterator[Chunk]:
    blocks = packed.blocks(stream, path, limits)
    first = next(blocks, b"")
    if not first:
        raise TableError(
            f"{path.name} is empty when unpacked. Give a file with a header row.",
            zh=f"{path.name} 解压后是空文件。请提供带表头的文件。",
        )
    if first.startswith(b"PAR1"):
        yield from _parquet(path, packed.whole(path, limits), limits)
        return

    def rest() -> Iterator[bytes]:
        yield first
        yield from blocks

    for chunk in cut(as_utf8(rest(), encoding, path.name), delimiter, header_row, path.name):
        yield _unreadable(chunk)


def _unreadable(chunk: Chunk) -> Chunk:
    """Mark the rows that hold characters which no encoding could read."""
    text = [name for name in chunk.frame.columns if name != ROW]
    if not text or not chunk.frame.height:
        return chunk
    bad = chunk.frame.lazy().filter(pl.any_horizontal(pl.col(text).str.contains("\ufffd", literal=True))).collect()
    for row in bad.iter_rows(named=True):
        name = next(key for key in text if row[key] and "\ufffd" in row[key])
        chunk.broken.append(Broken(
            row=row[ROW], field=name, text=str(row[name])[:200], grade="doubted",
            reason="有无法识别的字符（编码混杂或损坏）",
            reason_en="holds characters that are neither UTF-8 nor GB18030 (damaged or another encoding)",
        ))
    return chunk


def _parquet(path: Path, stream: IO[bytes], limits: Limits, only: list[str] | None = None) -> Iterator[Chunk]:
    try:
        file = pq.ParquetFile(stream)
        if file.metadata.num_rows > limits.rows:
            raise TableError(
                f"{path.name} claims {file.metadata.num_rows:,} rows, more than {limits.rows:,} allowed.",
                zh=f"{path.name} 声称有 {file.metadata.num_rows:,} 行，超过上限 {limits.rows:,} 行。",
            )
        there = set(file.schema_arrow.names)
        columns = only if only and there.issuperset(only) else None
        done = 0
        for batch in file.iter_batches(batch_size=CHUNK, columns=columns):
            batch.validate(full=True)  # a damaged file can hold text that is none, which polars does not survive
            # Damaged metadata is bytes that polars does not survive either; nothing in it is wanted.
            frame = _as_text(pl.DataFrame(pa.Table.from_batches([batch]).replace_schema_metadata(None)))
            rows = pl.int_range(done + 1, done + 1 + frame.height, dtype=pl.Int64, eager=True).alias(ROW)
            done += frame.height
            yield Chunk(frame=frame.with_columns(rows), read=frame.height)
        if not done:
            empty = _as_text(pl.DataFrame(file.schema_arrow.empty_table()))
            yield Chunk(frame=empty.with_columns(pl.Series(ROW, [], pl.Int64)), read=0)
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as bad:
        raise TableError(
            f"{path.name} is a damaged Parquet file or only half of one ({str(bad).splitlines()[0][:120]}). Fetch it again.",
            zh=f"{path.name} 是损坏或不完整的 Parquet 文件，请重新获取。",
        ) from bad


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(_text_column(frame[name]) for name in frame.columns)


def _text_column(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind == pl.String:
        return column
    if isinstance(kind, pl.Datetime):
        if kind.time_zone:
            return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
    if kind.is_float():
        # pandas keeps whole numbers with gaps as floats: a case number must not become 123.0
        column = column.fill_nan(None)
        whole = column.drop_nulls()
        if len(whole) and ((whole == whole.floor()) & (whole.abs() < 2.0**53)).all():
            return column.cast(pl.Int64).cast(pl.String)
        return column.cast(pl.String)
    if kind == pl.Binary:
        return pl.Series(column.name, [None if v is None else v.decode("utf-8", "replace") for v in column], pl.String)
    if kind.is_nested() or kind == pl.Object:
        return pl.Series(column.name, [None if v is None else str(v) for v in column], pl.String)
    return column.cast(pl.String)


def _workbook(path: Path, sheet: str | None, header_row: int) -> Iterator[Chunk]:
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise TableError(
                f"{path.name} has no sheet {sheet!r}; it has {', '.join(map(repr, names))}.",
                zh=f"{path.name} 没有工作表 {sheet!r}，只有 {', '.join(map(repr, names))}。",
            )
        rows = book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as bad:
        raise TableError(
            f"{path.name} cannot be read as a workbook ({bad}). Save it again as .xlsx or CSV.",
            zh=f"{path.name} 无法作为工作簿读取（{bad}）。请另存为 .xlsx 或 CSV。",
        ) from bad
    at = header_row - 1
    while header_row == 1 and at < len(rows) and not any(_cell(value) for value in rows[at]):
        at += 1
    if at >= len(rows):
        raise TableError(
            f"{path.name} is empty: it has no header row {header_row}.",
            zh=f"{path.name} 是空表：第 {header_row} 行没有表头。",
        )
    columns = header_names([_cell(value) for value in rows[at]])
    schema = dict.fromkeys(columns, pl.String) | {ROW: pl.Int64}
    body = rows[at + 1:]
    for start in range(0, max(len(body), 1), CHUNK):
        part = body[start:start + CHUNK]
        cells = [[*map(_cell, row), start + n] for n, row in enumerate(part, 1) if any(v not in ("", None) for v in row)]
        yield Chunk(frame=pl.DataFrame(cells, schema=schema, orient="row"), read=len(part))


def _cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)
