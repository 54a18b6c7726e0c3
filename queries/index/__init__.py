"""The dimensions of the governance index, one file each; the folder is the list."""

from __future__ import annotations

import sys
from functools import lru_cache

from queries.index._dimension import VERSION, Catalogue, Dimension, Indicator
from queries.plugins import discover


@lru_cache(maxsize=1)
def found() -> dict[str, Dimension]:
    """Return every dimension by id, in order."""
    return discover(sys.modules[__name__], "DIMENSION", Dimension)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the catalogue of this version."""
    return Catalogue(version=VERSION, dimensions=tuple(found().values()))


__all__ = ["VERSION", "Catalogue", "Dimension", "Indicator", "catalogue", "found"]
