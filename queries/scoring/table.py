"""A table of data for an index: CSV, TSV, Excel or Parquet in; names, words and numbers out. What is no number is refused with its row."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from queries.errors import IndexDataError

#: Words that mean "not known". "NaN" is not among them: it is what a failed calculation leaves behind.
MISSING = frozenset({"", "NA", "N/A", "n/a", "null", "NULL", "-", "—", "缺"})
COMMA, POINT, WHOLE = re.compile(r"[+-]?\d+,\d+"), re.compile(r"[+-]?[\d.]*\d\.\d[\d.]*"), re.compile(r"[+-]?\d+")


@dataclass(frozen=True, kw_only=True)
class Data:
    """Rows and columns as they came."""

    names: tuple[str, ...]
    rows: list[list[Any]]
    file: str = "data"

    def at(self, name: str) -> int:
        """Return where a column stands. Raises IndexDataError."""
        if name not in self.names:
            from difflib import get_close_matches
            near = get_close_matches(name, self.names, 1)
            raise IndexDataError(f"{self.file} has no column {name!r}." + (f" Did you mean {near[0]!r}?" if near else f" It has: {', '.join(self.names)}."),
                                 zh=f"{self.file} 没有列 {name!r}" + (f"，是否为 {near[0]!r}？" if near else f"，只有：{'、'.join(self.names)}"))
        return self.names.index(name)

    def words(self, name: str) -> np.ndarray:
        """Return a column as words."""
        at = self.at(name)
        return np.array([_word(row[at]) for row in self.rows], object)

    def numbers(self, name: str, positive: bool = False) -> np.ndarray:
        """Return a column as numbers, NaN = missing. Raises IndexDataError with the row for anything else, and for what must be above zero."""
        at, out = self.at(name), np.empty(len(self.rows))
        for i, row in enumerate(self.rows):
            value = row[at]
            if value is None or (isinstance(value, str) and value.strip() in MISSING):
                out[i] = math.nan
                continue
            try:
                out[i] = float(value)
            except (TypeError, ValueError):
                raise self.refusal(i, name, value, "is not a number", "不是数") from None
            if not math.isfinite(out[i]):
                raise self.refusal(i, name, value, "is not a finite number; leave the cell empty when it is not known", "不是有限的数；未知请留空")
            if positive and out[i] <= 0:
                raise self.refusal(i, name, value, "a denominator must be above zero; leave the cell empty when it is not known", "分母须大于零；未知请留空")
        return out

    def refusal(self, i: int, name: str, value: Any, why: str, zh: str) -> IndexDataError:
        """Return the error for one cell (row 1 = the first below the header)."""
        return IndexDataError(f"{self.file}, row {i + 1}, column {name!r}: {value!r} {why}.", zh=f"{self.file} 第 {i + 1} 行 {name!r} 列：{value!r} {zh}", field=name)


def read(path: Path) -> Data:
    """Return a table file. Raises IndexDataError."""
    names, rows = read_rows(path)
    if not rows:
        raise IndexDataError(f"{path.name} has no rows.", zh=f"{path.name} 没有数据行")
    return Data(names=tuple(names), rows=rows, file=path.name)


def read_rows(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of a table file. Raises IndexDataError."""
    kind = path.suffix.lower()
    try:
        if kind == ".parquet":
            import polars
            frame = polars.read_parquet(path)
            names, rows = frame.columns, [list(row) for row in frame.rows()]
        elif kind in (".xlsx", ".xls", ".xlsb", ".ods"):
            import python_calamine
            sheet = python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()
            names, rows = [str(v) for v in sheet[0]], [list(row) for row in sheet[1:]]
        else:
            text = _decoded(path.read_bytes())
            between = "\t" if kind == ".tsv" else ";" if ";" in (first := text.lstrip().partition("\n")[0]) and "," not in first else ","
            sheet = [row for row in csv.reader(io.StringIO(text), delimiter=between) if any(cell.strip() for cell in row)]
            names, rows = [name.strip() for name in sheet[0]], sheet[1:]
            if between == ";":
                rows = _with_points(path.name, rows)
    except (OSError, UnicodeError, IndexError, ValueError) as bad:
        raise IndexDataError(f"{path} cannot be read as a table: {bad}", zh=f"{path} 无法作为表读取：{bad}") from None
    except Exception as bad:  # libraries for table files raise errors of their own
        if type(bad).__module__.split(".")[0] not in ("polars", "python_calamine", "pyo3_runtime"):
            raise
        raise IndexDataError(f"{path} cannot be read as a table: {bad}", zh=f"{path} 无法作为表读取：{bad}") from None
    for i, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise IndexDataError(f"{path.name}, row {i}: {len(row)} cells under {len(names)} names.", zh=f"{path.name} 第 {i} 行：{len(row)} 格，表头 {len(names)} 列")
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise IndexDataError(f"{path.name}: two columns are called {sorted(twice)[0]!r}.", zh=f"{path.name}：有两列同名 {sorted(twice)[0]!r}")
    return list(names), rows


def _decoded(raw: bytes) -> str:
    """Return the text of a CSV file: UTF-8, else as Excel writes it in China."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def _with_points(file: str, rows: list[list[str]]) -> list[list[str]]:
    """Return rows of a file with semicolons, its columns of decimal commas with points. Raises IndexDataError where a point stands beside commas: it may part thousands."""
    out = [list(row) for row in rows]
    commas = [k for k in range(min(map(len, rows), default=0)) if any(COMMA.fullmatch(row[k].strip()) for row in rows)
              and all(row[k].strip() in MISSING or WHOLE.fullmatch(row[k].strip()) or COMMA.fullmatch(row[k].strip()) for row in rows)]
    for i, row in enumerate(out, 1):
        if commas and (cell := next((cell for cell in row if POINT.fullmatch(cell.strip())), None)):
            raise IndexDataError(f"{file}, row {i}: {cell!r} has a point in a table of decimal commas; it could part thousands. Write one of both.", zh=f"{file} 第 {i} 行：{cell!r} 用点，而表中小数用逗号；可能是千分位，请统一写法")
        for k in commas:
            row[k] = row[k].replace(",", ".")
    return out


def matrix(path: Path) -> tuple[list[str], np.ndarray]:
    """Return a square table of judgements with the same names in its first row and first column; 1/3 is a number here.

    An empty cell is the reciprocal of the one across the diagonal, and 1 on it. Raises IndexDataError.
    """
    data = read(path)
    names = list(data.names[1:])
    said = [str(_word(row[0])) for row in data.rows]
    if said != names:
        raise IndexDataError(f"{data.file}: the rows are called {', '.join(said)}, the columns {', '.join(names)}; a matrix of judgements has the same names in the same order.",
                             zh=f"{data.file}：行名为 {'、'.join(said)}，列名为 {'、'.join(names)}；判断矩阵的行列名称与次序须一致")
    plain = replace(data, rows=[[row[0], *(_fraction(cell) for cell in row[1:])] for row in data.rows])
    square = np.column_stack([plain.numbers(name) for name in names])
    with np.errstate(divide="ignore", invalid="ignore"):
        square = np.where(np.isnan(square), 1 / square.T, square)
    return names, np.where(np.eye(len(square), dtype=bool) & np.isnan(square), 1.0, square)


def _fraction(value: Any) -> Any:
    top, line, under = str(value).partition("/")
    try:
        return float(top) / float(under) if line and float(under) else value
    except ValueError:
        return value


def widened(data: Data, keys: tuple[str, ...], indicator: str, value: str) -> Data:
    """Return a table with one row for each unit and a column for each indicator, from one with a row for each of both. Raises IndexDataError.

    Other columns (groups, parents) belong to the unit: the first word that is not blank counts.
    """
    held: dict[tuple[str, ...], dict[str, Any]] = {}
    first: dict[tuple[tuple[str, ...], str], int] = {}
    at, names, where = [data.words(key) for key in keys], data.words(indicator), data.at(value)
    more = [name for name in data.names if name not in (*keys, indicator, value)]
    for i, row in enumerate(data.rows):
        unit = tuple(str(column[i]) for column in at)
        if not names[i]:
            raise data.refusal(i, indicator, "", "names no indicator", "没有指标名")
        if (unit, names[i]) in first:
            raise data.refusal(i, indicator, names[i], f"of {' '.join(unit)} stands in row {first[unit, names[i]]} too", f"（{' '.join(unit)}）与第 {first[unit, names[i]]} 行重复")
        first[unit, names[i]] = i + 1
        mine = held.setdefault(unit, dict(zip(keys, unit, strict=True)))
        mine[names[i]] = row[where]
        for name in more:
            if not _word(mine.get(name)):
                mine[name] = row[data.at(name)]
    columns = (*keys, *more, *dict.fromkeys(names.tolist()))
    clash = sorted(set(names.tolist()) & {*keys, *more})
    if clash:
        raise IndexDataError(f"{data.file}: {clash[0]!r} is an indicator and a column.", zh=f"{data.file}：{clash[0]!r} 既是指标又是列名")
    return Data(names=columns, rows=[[one.get(name) for name in columns] for one in held.values()], file=data.file)


def _word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
