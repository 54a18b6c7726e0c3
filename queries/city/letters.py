"""Turns bytes of any of the usual encodings into UTF-8, block by block, even if lines are mixed."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from queries.errors import TableError

UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MARK = b"\xef\xbb\xbf"
#: Control characters that no table holds; 27 (escape) is seen in ISO-2022.
_ODD = bytes([*range(1, 9), *range(14, 27), *range(28, 32), 127])


def as_utf8(blocks: Iterator[bytes], encoding: str | None, name: str) -> Iterator[bytes]:
    """Yield the text as UTF-8 in blocks that end with a whole line. Raises TableError for rubbish.

    What cannot be read becomes U+FFFD, so that its row can be told apart later.
    """
    first = next(blocks, b"")
    if encoding:
        yield from _declared(_again(first, blocks), encoding, name)
        return
    wide = UTF16.get(first[:2]) or _unmarked_utf16(first[:65536])
    if wide:
        yield from _wide(_again(first, blocks), wide)
        return
    head = first[:65536]
    plain = head[:min((at for at in map(head.find, UTF16) if at >= 0), default=len(head))]
    if b"\x00" in plain or sum(plain.count(byte) for byte in _ODD) > len(plain) / 100:
        raise TableError(
            f"{name} is not a text table: it holds binary data. Give a CSV, Excel or Parquet file.",
            zh=f"{name} 不是文本表格，其中是二进制数据。请提供 CSV、Excel 或 Parquet 文件。",
        )
    yield from _by_line(_again(first.removeprefix(_MARK), blocks))


def _again(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from blocks


def _unmarked_utf16(head: bytes) -> str | None:
    if 0 not in head.partition(b"\n")[0] or any(mark in head for mark in UTF16):
        return None
    half = max(len(head) // 2, 1)
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > half * 0.1 and even < odd / 20:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.1 and odd < even / 20 else None


def _declared(blocks: Iterator[bytes], encoding: str, name: str) -> Iterator[bytes]:
    try:
        decoder = codecs.getincrementaldecoder(encoding)("replace")
    except LookupError as bad:
        raise TableError(
            f"{name}: {encoding!r} is no encoding we know. Try utf-8, gb18030 or utf-16.",
            zh=f"{name}：未知的编码 {encoding!r}。可用 utf-8、gb18030 或 utf-16。",
        ) from bad
    for block in blocks:
        yield decoder.decode(block).removeprefix("\ufeff").encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _wide(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).replace("\ufeff", "").encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _by_line(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        data = rest + block
        wide = min((at for at in map(data.find, UTF16) if at >= 0), default=-1)
        # FF and FE occur in neither UTF-8 nor GB18030: here a UTF-16 file was appended to another one.
        if wide >= 0:
            yield _lines(data[:wide])
            yield from _wide(_again(data[wide + 2:], blocks), UTF16[data[wide:wide + 2]])
            return
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        if cut:
            yield _lines(data[:cut])
    if rest:
        yield _lines(rest)


def _lines(data: bytes) -> bytes:
    try:
        data.decode("utf-8")
        return data
    except UnicodeDecodeError:
        pass
    return b"".join(_line(line) for line in data.splitlines(keepends=True))


def _line(line: bytes) -> bytes:
    try:
        line.decode("utf-8")
        return line
    except UnicodeDecodeError:
        pass
    try:
        text = line.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if text and _is_chinese(text):
        return text.encode()
    # Western letters read as GB18030 give rare characters; a broken line gives none at all.
    western = line.decode("cp1252", "replace")
    letters = [c for c in western if ord(c) > 127]
    if all("\u00c0" <= c <= "\u024f" or c in "°·§€£–—‘’“”…ªº" for c in letters) and len(letters) < len(western) / 4:
        return western.encode()
    if text:
        return text.encode()
    tries = (line.decode("utf-8", "replace"), line.decode("gb18030", "replace"))
    return min(tries, key=lambda words: words.count("\ufffd")).encode()


def _is_chinese(text: str) -> bool:
    """Return whether most of the characters beyond ASCII are in everyday Chinese use (GB 2312)."""
    far = [c for c in text if ord(c) > 127]
    common = 0
    for c in far:
        try:
            c.encode("gb2312")
            common += 1
        except UnicodeEncodeError:
            pass
    return common * 2 > len(far)
