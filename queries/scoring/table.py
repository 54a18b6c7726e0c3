"""A table of data for an index: CSV, TSV, Excel or Parquet in; names, words and numbers out. What is no number is refused with its row."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from queries.errors import IndexDataError

#: Words that mean "not known". "NaN" is not among them: it is what a failed calculation leaves behind.
MISSING = frozenset({"", "NA", "N/A", "n/a", "null", "NULL", "-", "—", "缺"})


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
            text = path.read_bytes().decode("utf-8-sig")
            sheet = [row for row in csv.reader(io.StringIO(text), delimiter="\t" if kind == ".tsv" else ",") if any(cell.strip() for cell in row)]
            names, rows = [name.strip() for name in sheet[0]], sheet[1:]
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


def matrix(path: Path) -> tuple[list[str], np.ndarray]:
    """Return a square table with names in its first row and first column."""
    data = read(path)
    return list(data.names[1:]), np.column_stack([data.numbers(name) for name in data.names[1:]])


def _word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
