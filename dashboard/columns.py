"""Columns of numbers on their way to the browser: as bytes, because a list of 200,000 numbers is dear to write and to read."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


def packed(column: np.ndarray, kind: str) -> str:
    """Return a column as base64 of numbers of one kind ("<f8"), little-endian."""
    return base64.b64encode(np.ascontiguousarray(column, kind).tobytes()).decode()


def distinct(column: np.ndarray) -> dict[str, Any]:
    """Return a column as its different values (NaN as None) and, for each row, the number of its own in so many bits: gov.column() reads it."""
    values = np.unique(column)
    bits = 8 if len(values) <= 1 << 8 else 16 if len(values) <= 1 << 16 else 32
    # Sorted values are found faster than np.unique's own inverse is made.
    at = packed(np.searchsorted(values, column), f"<u{bits // 8}")
    told: list[Any] = values.tolist()
    if values.dtype.kind == "f" and not np.any(values[~np.isnan(values)] % 1):
        told = [None if v != v else int(v) for v in told]
    return {"values": [None if v is None or v != v else v for v in told], "bits": bits, "at": at}
