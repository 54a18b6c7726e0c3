"""The one table of map colours. Told apart by lightness too, so colour blindness hides nothing.

Slate is the normal state, lighter = nearer to needing a look; amber and red are kept for areas that
stand out among their peers.
"""

from __future__ import annotations

#: The ordinary spread, from the quiet end to the end that is nearer to needing a look.
QUIET = ("#22323d", "#2e4655", "#436377", "#54778c", "#668ba2")
#: Stands out; stands out far.
ACTION = ("#f4b12f", "#ff6a50")
NO_DATA = "#161b20"
FEW = "#4b555e"

#: Colour, shape and mark of a case status; shapes differ so that colour is never alone.
STATUS: dict[str, tuple[str, str]] = {
    "reported": ("#dfe7ec", "circle"), "filed": ("#9fc5e8", "square"),
    "dispatched": ("#76b7b2", "triangle"), "handling": ("#4e8fb3", "diamond"),
    "verifying": ("#b7a5d3", "hexagon"), "closed": ("#7d8891", "cross"),
    "cancelled": ("#6f7a84", "bar"), "verified": ("#8fd0b4", "pentagon"),
    "suspended": ("#9aa6b0", "pause"), "hung": ("#a58f6a", "ring"),
}
#: Alarm levels by colour and shape. Never in one legend with grades: there blue can be the best.
ALARM: dict[str, tuple[str, str]] = {
    "red": ("#ff5d4f", "octagon"), "orange": ("#ff9d3c", "triangle"), "yellow": ("#f5d94a", "diamond"), "blue": ("#6fb1ff", "circle"),
}
#: What a sensor or camera is worth when no alarm says more.
THING: dict[str, tuple[str, str]] = {
    "ok": ("#8296a3", "circle"), "silent": ("#d7dee3", "cross"), "never": ("#5d6a74", "ring"), "often": ("#c9b37c", "bar"),
    "online": ("#8296a3", "square"), "offline": ("#d7dee3", "cross"), "no_picture": ("#c9b37c", "bar"), "unknown": ("#5d6a74", "ring"),
}
OVERDUE = "#ff7a62"


def quiet(n: int, darkest_first: bool = True) -> list[str]:
    """Return n slate colours, as far apart as they can be."""
    last = len(QUIET) - 1
    picked = [QUIET[1]] if n == 1 else [QUIET[round(i * last / (n - 1))] for i in range(n)]
    return picked if darkest_first else picked[::-1]


def lightness(colour: str) -> float:
    """Return the relative luminance (WCAG) of a colour."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
