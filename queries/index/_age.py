"""For how long an imported figure stands in after the days that it speaks of."""

from __future__ import annotations

#: A figure stands in for so many times its own length, and for a week at least.
HOLDS, SHORTEST = 2, 7


def holds(first: int, last: int) -> int:
    """Return for how many days after its last a figure of these days stands in."""
    return max(SHORTEST, HOLDS * (last - first + 1))
