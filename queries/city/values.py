"""Turns cleaned text columns into numbers, truths and standard words; what it cannot read stays null."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

import polars as pl

#: Words that mean "nothing was entered".
BLANK = (
    "", "-", "--", "---", "—", "——", "/", "//", "\\", "\\N", "?", "null", "NULL", "Null", "none", "None", "NONE",
    "n/a", "N/A", "NA", "#N/A", "#NULL!", "#REF!", "#VALUE!", "#DIV/0!", "nan", "NaN", "NAN", "NaT", "<NA>",
    "nil", "(null)", "无", "暂无", "空", "未知", "未填", "不详",
)
#: Cells in which a full-looking "no" is an answer, not a gap.
_NO_WORDS = ("无",)
_SPACE = " \t\r\n\u00a0\u3000\u200b\ufeff"
_TRUE = ("true", "t", "yes", "y", "1", "1.0", "on", "是", "真", "有", "对", "√", "✓", "urgent", "紧急", "急", "特急", "加急", "high")
_FALSE = ("false", "f", "no", "n", "0", "0.0", "off", "否", "假", "无", "不", "错", "×", "x", "normal", "普通", "一般", "非紧急", "low")
_DMS = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*[°度]\s*(?:(\d+(?:\.\d+)?)\s*['′’分]\s*)?(?:(\d+(?:\.\d+)?)\s*(?:[\"″”秒]|'')\s*)?$")
_SIDE = re.compile(r"^([NSEWnsew北南东西])?(?:纬|经)?\s*(.*?)\s*([NSEWnsew])?$")


def clean(column: pl.Series, blanks: Iterable[str] = (), keep_no: bool = False) -> pl.Series:
    """Return a text column without outer space; blank words become null."""
    words = [word for word in BLANK if not (keep_no and word in _NO_WORDS)] + list(blanks)
    # NUL is no text to PostgreSQL.
    column = column.cast(pl.String).str.replace_all("\0", "", literal=True).str.strip_chars(_SPACE)
    return pl.select(pl.when(~column.is_in(words)).then(column).alias(column.name)).to_series()


def numbers(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return (Float64 column, mask of the cells that are no number)."""
    read = column.cast(pl.Float64, strict=False)
    left = (column.is_not_null() & ~read.is_finite().fill_null(False)).arg_true()
    if len(left):
        found = {value: number(value) for value in column.gather(left).unique()}
        read = read.scatter(left, pl.Series([found[value] for value in column.gather(left)], dtype=pl.Float64))
    return read, column.is_not_null() & read.is_null()


def number(text: str) -> float | None:
    """Return the number that a text means: full-width digits, 1,234.5, 116°23′45″E; None if none."""
    plain = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    side = _SIDE.match(plain)
    mark = ((side[1] or side[3] or "") if side else "").upper()
    body = side[2] if side and mark else plain
    if found := _DMS.match(body):
        degrees, minutes, seconds = (float(part or 0) for part in found.groups())
        value = abs(degrees) + minutes / 60 + seconds / 3600
        value = -value if body.startswith("-") else value
    else:
        if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", body):
            body = body.replace(",", "")
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?%?", body):
            return None
        value = float(body.removesuffix("%")) / (100 if body.endswith("%") else 1)
    if abs(value) == float("inf"):
        return None
    return -value if mark in ("S", "W", "南", "西") else value


def truths(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return (Boolean column, mask of the cells that are neither yes nor no)."""
    table = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
    read = mapped(column, lambda word: table.get(key(word)), pl.Boolean)
    return read, column.is_not_null() & read.is_null()


def mapped(column: pl.Series, one, kind: type[pl.DataType] = pl.String) -> pl.Series:  # noqa: ANN001
    """Return a column with each distinct value put through `one`."""
    words = column.drop_nulls().unique()
    return column.replace_strict(words, pl.Series([one(word) for word in words], dtype=kind), default=None, return_dtype=kind)


def key(word: str) -> str:
    """Return a word as it is compared: no regard to case, width or outer space."""
    return unicodedata.normalize("NFKC", word).strip().casefold()


class Matcher:
    """Finds the code of a source word: whole words first, then the longest beginning (abc*) or end (*abc)."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        """Take {code: source words}; a code is also a source word of itself."""
        self.whole: dict[str, str] = {}
        #: What a word begins or ends with, the test for it, and the code; "*" alone comes last and takes all.
        self.parts: list[tuple[str, Callable[[str, str], bool], str]] = []
        for code, sources in words.items():
            for source in sources:
                if source.endswith("*"):
                    self.parts.append((key(source[:-1]), str.startswith, code))
                elif source.startswith("*"):
                    self.parts.append((key(source[1:]), str.endswith, code))
                else:
                    self.whole.setdefault(key(source), code)
        for code in words:
            self.whole.setdefault(key(code), code)
        self.parts.sort(key=lambda part: -len(part[0]))

    def __call__(self, word: str) -> str | None:
        """Return the code of a source word, or None."""
        plain = key(word)
        if plain in self.whole:
            return self.whole[plain]
        return next((code for part, fits, code in self.parts if fits(plain, part)), None)
