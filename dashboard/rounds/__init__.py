"""One round of the wall per file: each binds ROUND. The folder is the list."""

from __future__ import annotations

from functools import cache

from dashboard.rounds._round import Round, Stop, Turn, turns
from queries.plugins import discover

__all__ = ["Round", "Stop", "Turn", "found", "turns"]


@cache
def found() -> dict[str, Round]:
    """Return all rounds by id, in their order."""
    import dashboard.rounds as package

    return discover(package, "ROUND", Round)
