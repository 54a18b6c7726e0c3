"""Opens files as bytes: packed or not, block by block, and stops at a decompression bomb."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from queries.errors import TableError

BLOCK = 16 << 20
_PACKED = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_COLUMN = re.compile(rb'<c [^>]{0,40}?r="([A-Z]{1,3})[0-9]')
_ROW = re.compile(rb'<row [^>]{0,80}?r="([0-9]{1,7})"')
_BROKEN = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a file may grow when it is unpacked; beyond it is taken for a decompression bomb."""

    bytes: int = 16 << 30
    #: Unpacked size / packed size; only looked at once `ratio_from` bytes have come out.
    ratio: float = 200.0
    ratio_from: int = 64 << 20
    rows: int = 200_000_000
    cells: int = 60_000_000  # of one sheet of a workbook


LIMITS = Limits()


def packing(head: bytes) -> str:
    """Return how a file that begins like this is packed: '', 'gz', 'bz2', 'xz' or 'zip'."""
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            return name
    return "zip" if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else ""


def is_workbook(path: Path) -> bool:
    """Return whether a zip file is an Excel or OpenDocument workbook."""
    try:
        with zipfile.ZipFile(path) as pack:
            names = set(pack.namelist())
    except _BROKEN:
        return False
    return any(name.startswith("xl/") for name in names) or {"mimetype", "content.xml"} <= names


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Lend the unpacked stream of a file. Raises TableError if it cannot be opened or is cut off."""
    try:
        with path.open("rb") as raw:
            kind = packing(raw.read(8))
        with _stream(path, kind) as stream:
            yield stream
    except _BROKEN as bad:
        said = getattr(bad, "strerror", None) or str(bad) or type(bad).__name__
        raise TableError(
            f"{path.name} cannot be unpacked or read to its end ({said}). It is damaged or only half a file: fetch it again.",
            zh=f"{path.name} 无法解压或读到结尾（{said}）。文件损坏或不完整，请重新获取。",
        ) from bad


@contextmanager
def _stream(path: Path, kind: str) -> Iterator[IO[bytes]]:
    if kind == "zip":
        with zipfile.ZipFile(path) as pack, pack.open(_only(pack, path)) as stream:
            yield stream
        return
    openers: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    with openers.get(kind, open)(path, "rb") as stream:
        yield stream


def _only(pack: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    inside = [
        info for info in pack.infolist()
        if not info.is_dir() and not info.filename.startswith("__MACOSX") and not info.filename.endswith(".DS_Store")
    ]
    if len(inside) != 1:
        names = ", ".join(info.filename for info in inside[:5]) or "nothing"
        raise TableError(
            f"{path.name} must hold exactly one table; it holds {names}. Unpack it and name the file.",
            zh=f"{path.name} 中应当只有一个表，现有 {names}。请解压后写明文件名。",
        )
    return inside[0]


def blocks(stream: IO[bytes], path: Path, limits: Limits = LIMITS) -> Iterator[bytes]:
    """Yield the unpacked bytes block by block. Raises TableError at a decompression bomb."""
    packed = max(path.stat().st_size, 1)
    done = 0
    while block := stream.read(BLOCK):
        done += len(block)
        check(done, packed, path, limits)
        yield block


def check(size: int, packed: int, path: Path, limits: Limits = LIMITS) -> None:
    """Raise TableError if a file grows beyond the limits when it is unpacked."""
    if size > limits.bytes or (size > limits.ratio_from and size / max(packed, 1) > limits.ratio):
        raise TableError(
            f"{path.name} ({packed:,} bytes) unpacks to more than {size:,} bytes: taken for a decompression bomb. "
            "If it is meant to be so, unpack it yourself and name the unpacked file.",
            zh=f"{path.name}（{packed:,} 字节）解压后超过 {size:,} 字节，疑似压缩炸弹，未读取。若确实如此，请自行解压后写明文件名。",
        )


def check_workbook(path: Path, limits: Limits = LIMITS) -> None:
    """Raise TableError if a workbook's parts declare more than the limits, or it is damaged."""
    try:
        with zipfile.ZipFile(path) as pack:
            check(sum(info.file_size for info in pack.infolist()), path.stat().st_size, path, limits)
            for info in pack.infolist():
                if info.filename.startswith("xl/worksheets/") and info.filename.endswith(".xml"):
                    with pack.open(info) as stream:
                        _check_sheet(stream, path, limits)
    except _BROKEN as bad:
        raise TableError(
            f"{path.name} is a damaged workbook ({bad}). Save it again.",
            zh=f"{path.name} 是损坏的工作簿（{bad}）。请重新保存。",
        ) from bad


def _check_sheet(stream: IO[bytes], path: Path, limits: Limits) -> None:
    """Raise TableError if two far cells span more than can be held: the reader fills the space between."""
    rows, letters, rest = 0, {b"A"}, b""
    for block in blocks(stream, path, limits):
        data = rest + block
        letters.update(_COLUMN.findall(data))
        rows = max((rows, *(int(row) for row in _ROW.findall(data))))
        rest = data[-64:]
    columns = max(sum((letter - 64) * 26**n for n, letter in enumerate(reversed(word))) for word in letters)
    if rows * columns > limits.cells:
        raise TableError(
            f"{path.name} spans {rows:,} rows and {columns:,} columns, more than can be read. "
            "Delete the stray cells far right and below, or save the sheet as CSV.",
            zh=f"{path.name} 跨 {rows:,} 行、{columns:,} 列，超出可读范围。请删除最右和最下方的零散单元格，或另存为 CSV。",
        )


def whole(path: Path, limits: Limits = LIMITS) -> io.BytesIO:
    """Return all unpacked bytes of a file, for formats that are read from their end."""
    with opened(path) as stream:
        return io.BytesIO(b"".join(blocks(stream, path, limits)))
