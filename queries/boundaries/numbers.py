"""Node numbers: each is given out once and never again, whatever is deleted since."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from queries.store import get_meta, put_meta
from queries.tables import node

#: The highest node number ever used.
HIGH = "node_high"


def fresh_nums(connection: Connection, n: int) -> int:
    """Take n node numbers that were never used; return the first."""
    high = max(get_meta(connection, HIGH, 0), connection.scalar(select(func.max(node.c.num))) or 0)
    put_meta(connection, HIGH, high + n)
    return high + 1
