"""One panel per file: each binds PANEL. The folder is the list."""

from __future__ import annotations

from functools import cache

from dashboard.panels._panel import Panel
from queries.plugins import discover


@cache
def found() -> dict[str, Panel]:
    """Return all panels by id, in their order."""
    import dashboard.panels as package

    return discover(package, "PANEL", Panel)
