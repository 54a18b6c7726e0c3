"""Tables that leave the house: CSV and workbooks. No cell of them is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

#: What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def line(values: Iterable[Any]) -> str:
    """Return a row of a CSV table; no cell of it is a formula to a spreadsheet."""
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()


def cell(value: Any) -> Any:
    """Return a value as a table holds it: nothing for None, ISO text for times, numbers as they are."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # A spreadsheet would run such a text as a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


def workbook(sheets: Sequence[tuple[str, Iterable[Sequence[Any]]]]) -> bytes:
    """Return an .xlsx file of sheets (name, rows); numbers stay numbers, everything else is text, unknown is an empty cell."""
    book, out = Workbook(write_only=True), io.BytesIO()
    for name, rows in sheets:
        sheet = book.create_sheet(name[:31])
        sheet.freeze_panes = "A2"
        for row in rows:
            sheet.append([_typed(value) for value in row])
    book.save(out)
    return out.getvalue()


def _typed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime) or hasattr(value, "isoformat"):
        return value.isoformat()
    return ILLEGAL_CHARACTERS_RE.sub("", str(cell(value)))
