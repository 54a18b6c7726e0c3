"""A city is a folder: what its city.toml says, and what its tables hold, in one shape for all cities."""

from __future__ import annotations

from queries.city.model import City, LevelSpec, TableSpec, read_city
from queries.city.rows import Hint, Refusal, RowsRead, read_rows, read_told

__all__ = ["City", "Hint", "LevelSpec", "Refusal", "RowsRead", "TableSpec", "read_city", "read_rows", "read_told"]
