"""Where cases come from and go to: one file per door. The folder is the list."""

from __future__ import annotations

import sys
from functools import lru_cache

from queries.plugins import discover
from queries.sources._source import Source

__all__ = ["Source", "found"]


@lru_cache(maxsize=1)
def found() -> dict[str, Source]:
    """Return every source of the folder, by id."""
    return discover(sys.modules[__name__], "SOURCE", Source)
