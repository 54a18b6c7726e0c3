"""All tables of the house in one place, for whoever creates or upgrades a database."""

from __future__ import annotations

import queries.index._tables  # noqa: F401
import queries.loop.tables  # noqa: F401  (the tables register themselves)
import queries.people.tables  # noqa: F401
import queries.sensing.tables  # noqa: F401
import queries.touched  # noqa: F401
from queries.tables import metadata

__all__ = ["metadata"]
