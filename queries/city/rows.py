"""Rows in our own shape: one frame per file or chunk, and every refusal with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from queries.city.model import City, TableSpec

Grade = Literal["refused", "doubted"]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A row that was not loaded (refused), or one of whose fields is not trusted (doubted)."""

    row: int  # 1 = first row of data; 0 = the file as a whole
    field: str
    value: str
    grade: Grade
    reason: str
    reason_en: str
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RowsRead:
    """The good rows of a file (or of a chunk of it) and what was wrong with the others."""

    source: str
    kind: str
    file: str
    frame: pl.DataFrame
    refusals: list[Refusal]
    read: int


def read_rows(city: City, folder: Path, spec: TableSpec, kind: str) -> Iterator[RowsRead]:
    """Yield the rows of a table's files in our shape. Raises TableError for an unreadable file."""
    raise NotImplementedError
