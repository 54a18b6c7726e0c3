"""Cuts delimited text into records and cells: fast where it is clean, patient where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from queries.errors import TableError

ROW = "__row__"
DELIMITERS = ",\t;|"
#: A quoted cell with more lines than this was never closed.
_QUOTED_LINES = 60
_BUFFER = 48 << 20


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A record that could not be cut into the header's cells, or holds unreadable characters."""

    row: int
    text: str
    reason: str
    reason_en: str
    field: str = ""
    grade: Literal["refused", "doubted"] = "refused"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows of a table, all cells text or null, with their row numbers in the column ROW."""

    frame: pl.DataFrame
    read: int
    broken: list[Broken] = field(default_factory=list)


def header_names(cells: Sequence[str | None]) -> list[str]:
    """Return usable, distinct column names from a header's cells."""
    names: list[str] = []
    for at, cell in enumerate(cells, 1):
        name = (cell or "").strip().strip("\ufeff") or f"column {at}"
        stem, n = name, 2
        while name in names:
            name, n = f"{stem} {n}", n + 1
        names.append(name)
    return names


def sniff(head: str, name: str = "") -> str:
    """Return the delimiter of a text table by its first lines."""
    lines = [line for line in head.splitlines()[:20] if line.strip()]
    if not lines:
        return ","
    best, most = ("\t" if name.endswith(".tsv") else ","), 0
    for delimiter in DELIMITERS:
        cells = [len(split(line, delimiter)[0]) - 1 for line in lines]
        # The header counts most; a delimiter that the other rows share with it is the likelier one.
        score = cells[0] * 2 + (cells[0] if cells.count(cells[0]) > len(cells) / 2 else 0)
        if score > most:
            best, most = delimiter, score
    return best


def split(line: str, delimiter: str) -> tuple[list[str], bool]:
    """Return a record's cells, and whether a quote is still open at its end."""
    if '"' not in line:
        return line.split(delimiter), False
    cells: list[str] = []
    at = 0
    while True:
        if line.startswith('"', at):
            parts: list[str] = []
            at += 1
            while True:
                end = line.find('"', at)
                if end < 0:
                    cells.append("".join(parts) + line[at:])
                    return cells, True
                parts.append(line[at:end])
                at = end + 1
                if not line.startswith('"', at):
                    break
                parts.append('"')
                at += 1
            end = line.find(delimiter, at)
            tail = line[at:] if end < 0 else line[at:end]
            if tail and any("\n" in part for part in parts):
                return cells, True  # this quote opened another cell: the one before was never closed
            cells.append("".join(parts) + tail)
        else:
            end = line.find(delimiter, at)
            cells.append(line[at:] if end < 0 else line[at:end])
        if end < 0:
            return cells, False
        at = end + len(delimiter)


def cut(blocks: Iterator[bytes], delimiter: str | None, header_row: int, name: str) -> Iterator[Chunk]:
    """Yield the table in chunks from UTF-8 blocks. Raises TableError if it has no header."""
    buffer, done = b"", 0
    names: list[str] | None = None
    sep = delimiter or ""
    final = told = False
    while not final:
        block = next(blocks, None)
        final = block is None
        buffer += block or b""
        if b"\n" not in buffer and b"\r" in buffer[:-1]:
            buffer = buffer.replace(b"\r", b"\n")
        if names is None:
            found = _header(buffer, delimiter, header_row, final, name)
            if found is None:
                continue
            names, sep, buffer = found
        if final and buffer and not buffer.endswith(b"\n"):
            buffer += b"\n"
        marks = _Marks(buffer, sep)
        end = marks.end(final or len(buffer) > _BUFFER)
        if not end and (told or not final):
            continue
        told = True
        part, buffer = buffer[:end], buffer[end:]
        chunk = marks.fast(names, done, end) if marks.clean else None
        chunk = chunk or _patient(part, names, sep, done)
        done += chunk.read
        yield chunk


def _header(
    buffer: bytes, delimiter: str | None, header_row: int, final: bool, name: str
) -> tuple[list[str], str, bytes] | None:
    if not final and len(buffer) < 1 << 16:
        return None
    lines = buffer.decode("utf-8", "replace").lstrip("\ufeff").split("\n", header_row + 20)
    at = header_row - 1
    if header_row == 1:
        while at < len(lines) and not lines[at].strip():
            at += 1
    if at >= len(lines) or not lines[at].strip():
        raise TableError(
            f"{name} is empty: it has no header row. Give a file with column names in line {header_row}.",
            zh=f"{name} 是空表，没有表头。请提供第 {header_row} 行为列名的文件。",
        )
    delimiter = delimiter or sniff("\n".join(lines[at:at + 20]), name)
    cells, is_open = split(lines[at].rstrip("\r"), delimiter)
    if is_open:
        raise TableError(
            f"{name}, line {at + 1}: a quote in the header row is never closed.",
            zh=f"{name} 第 {at + 1} 行：表头中的引号没有闭合。",
        )
    start = 0
    for _ in range(at + 1):
        start = buffer.find(b"\n", start) + 1 or len(buffer)
    return header_names(cells), delimiter, buffer[start:]


class _Marks:
    """Where the quotes, delimiters and line ends of a buffer are."""

    def __init__(self, buffer: bytes, delimiter: str) -> None:
        self.buffer, self.delimiter = buffer, delimiter
        self.bytes = np.frombuffer(buffer, np.uint8)
        quotes = np.flatnonzero(self.bytes == 34) if b'"' in buffer else np.empty(0, np.int64)
        self.quotes = quotes
        self.lines = self._outside(np.flatnonzero(self.bytes == 10))
        self.clean = self._is_clean()

    def _outside(self, places: np.ndarray) -> np.ndarray:
        if not len(self.quotes):
            return places
        return places[np.searchsorted(self.quotes, places) % 2 == 0]

    def _is_clean(self) -> bool:
        """Return whether every quote opens at the start of a cell and closes at its end."""
        if not len(self.quotes):
            return True
        edges = (10, ord(self.delimiter), 34)
        opening, closing = self.quotes[::2], self.quotes[1::2]
        before = self.bytes[opening[opening > 0] - 1]
        after = self.bytes[closing[closing < len(self.bytes) - 1] + 1]
        return bool(np.isin(before, edges).all() and np.isin(after, (*edges, 13)).all())

    def end(self, all_of_it: bool) -> int:
        """Return where the last whole record ends; 0 if none does."""
        if all_of_it:
            if self.buffer and (not len(self.lines) or self.lines[-1] != len(self.buffer) - 1):
                self.clean = False  # a quote is open at the end
                return self.buffer.rfind(b"\n") + 1
            return len(self.buffer)
        if not self.clean:
            return self.buffer.rfind(b"\n") + 1
        return int(self.lines[-1]) + 1 if len(self.lines) else 0

    def fast(self, names: list[str], done: int, end: int) -> Chunk | None:
        """Return the records up to `end` cut by polars; None if some turn out not to be what they seemed."""
        lines = self.lines[self.lines < end]
        starts = np.concatenate(([0], lines[:-1] + 1)) if len(lines) else np.empty(0, np.int64)
        commas = self._outside(np.flatnonzero(self.bytes == ord(self.delimiter)))
        cells = np.searchsorted(commas, lines) - np.searchsorted(commas, starts) + 1
        width = lines - starts
        blank = (width == 0) | ((width == 1) & (self.bytes[np.minimum(starts, len(self.bytes) - 1)] == 13))
        good = (cells == len(names)) & ~blank
        rows = np.arange(len(lines), dtype=np.int64) + done + 1
        odd = np.flatnonzero(~good & ~blank)
        part = self.buffer[:end]
        if not good.all():
            if good.sum() * 2 < len(good) and len(good) > 1000:
                return None
            keep = np.repeat(good, lines - starts + 1)
            part = self.bytes[:end][keep].tobytes()
        frame = _parse(part, names, self.delimiter) if part else None
        if frame is None:
            frame = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        if frame.height != int(good.sum()):
            return None
        frame = frame.with_columns(pl.Series(ROW, rows[good]))
        loose, broken = [], []
        for at in odd:
            text = self.buffer[starts[at]:lines[at]].decode("utf-8", "replace").rstrip("\r")
            cells_ = fit(split(text, self.delimiter)[0], len(names))
            if cells_ is None:
                broken.append(_ragged(int(rows[at]), text, int(cells[at]), len(names)))
            else:
                loose.append((*cells_, int(rows[at])))
        return Chunk(frame=_joined(frame, loose, names), read=len(lines), broken=broken)


def fit(cells: list[str], width: int) -> list[str | None] | None:
    """Return a record's cells if only blank ones are too many, else None."""
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        return None
    return [cell or None for cell in cells[:width]]


def _ragged(row: int, text: str, got: int, want: int) -> Broken:
    short = got < want
    return Broken(
        row=row, text=text[:500],
        reason=f"该行有 {got} 个单元格，表头有 {want} 个" + ("（文件可能被截断）" if short else "（分隔符多余或引号缺失）"),
        reason_en=f"the row has {got} cells, the header {want}"
        + (" (the file may be cut off)" if short else " (a delimiter too many, or a quote missing)"),
    )


def _parse(part: bytes, names: list[str], delimiter: str) -> pl.DataFrame | None:
    try:
        return pl.read_csv(
            part, has_header=False, schema=dict.fromkeys(names, pl.String), separator=delimiter, quote_char='"',
        )
    except pl.exceptions.PolarsError:
        return None


def _joined(frame: pl.DataFrame, loose: list[tuple], names: list[str]) -> pl.DataFrame:
    if not loose:
        return frame
    schema = dict.fromkeys(names, pl.String) | {ROW: pl.Int64}
    return pl.concat([frame, pl.DataFrame(loose, schema=schema, orient="row")]).sort(ROW)


def _patient(part: bytes, names: list[str], delimiter: str, done: int) -> Chunk:
    """Cut line by line, and begin anew after a line whose quote is never closed."""
    lines = part.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    found, broken = [], []
    at = row = 0
    while at < len(lines):
        row += 1
        number = done + row
        text, took = lines[at], 1
        cells, is_open = split(text.rstrip("\r"), delimiter)
        while is_open and took < _QUOTED_LINES and at + took < len(lines):
            text = f"{text}\n{lines[at + took]}"
            took += 1
            cells, is_open = split(text.rstrip("\r"), delimiter)
        fitted = None if is_open else fit(cells, len(names))
        if fitted is not None:
            found.append((*fitted, number))
        elif took > 1 or is_open:
            took = 1
            broken.append(Broken(
                row=number, text=lines[at][:500], reason="引号没有闭合", reason_en="a quote is opened and never closed"
            ))
        elif text.strip():
            broken.append(_ragged(number, text, len(cells), len(names)))
        at += took
    schema = dict.fromkeys(names, pl.String) | {ROW: pl.Int64}
    return Chunk(frame=pl.DataFrame(found, schema=schema, orient="row"), read=row, broken=broken)
