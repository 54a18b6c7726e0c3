"""What a file that leaves the house is called: with its moment, and with the word of a drill."""

from __future__ import annotations

from datetime import datetime


def export_name(at: datetime | None, drill: bool, kind: str = "cases") -> str:
    """Return the name of an export as of a moment; None = live."""
    if at is None:
        return f"{kind}.csv"
    return f"{'DRILL-' if drill else ''}{kind}-{at:%Y-%m-%dT%H%M}.csv"
