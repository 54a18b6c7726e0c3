"""The one table of map colours. Told apart by lightness too, so colour blindness hides nothing.

Grey and blue are the normal state; amber to red is kept for what needs action.
"""

from __future__ import annotations

from typing import Literal

#: From "nothing to do" to "act": slate, then sand, amber, orange, red-orange; lightness and hue both move.
ACTION = ("#2b3f4e", "#47606d", "#8d7a4e", "#c08a2d", "#e8632f")
#: From little to much where neither is bad.
NEUTRAL = ("#20323e", "#2c4b5c", "#3b6a80", "#5590a6", "#8fc4d4")
NO_DATA = "#1b2127"
FEW = "#5c6670"

#: Colour, shape and mark of a case status; shapes differ so that colour is never alone.
STATUS: dict[str, tuple[str, str]] = {
    "reported": ("#dfe7ec", "circle"), "filed": ("#9fc5e8", "square"),
    "dispatched": ("#76b7b2", "triangle"), "handling": ("#4e8fb3", "diamond"),
    "verifying": ("#b7a5d3", "hexagon"), "closed": ("#7d8891", "cross"),
    "cancelled": ("#6f7a84", "bar"), "verified": ("#8fd0b4", "pentagon"),
    "suspended": ("#9aa6b0", "pause"), "hung": ("#a58f6a", "ring"),
}
OVERDUE = "#f2553d"


def ramp(bad: Literal["up", "down"] | None, n: int) -> list[str]:
    """Return n colours from the lowest class to the highest."""
    colours = NEUTRAL if bad is None else ACTION
    if n == 1:
        picked = [colours[0]]
    else:
        picked = [colours[round(i * (len(colours) - 1) / (n - 1))] for i in range(n)]
    return picked[::-1] if bad == "down" else picked


def lightness(colour: str) -> float:
    """Return the relative luminance (WCAG) of a colour."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
