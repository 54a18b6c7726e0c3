"""The dimensions of the governance index, one file each; the folder is the list."""

from __future__ import annotations

import sys
from functools import lru_cache

from queries.index._dimension import VERSION, Dimension, Indicator
from queries.plugins import discover


@lru_cache(maxsize=1)
def found() -> dict[str, Dimension]:
    """Return every dimension by id, in order."""
    return discover(sys.modules[__name__], "DIMENSION", Dimension)


__all__ = ["VERSION", "Dimension", "Indicator", "found"]
