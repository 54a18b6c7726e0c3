"""Every component id. An id written as a literal anywhere else is a defect."""

from __future__ import annotations

from typing import Any

URL = "url"
NOTICE = "notice"
TITLE = "page-title"
HEADER = "header"
BODY = "body"

PERIOD = "period"
SINCE = "period-since"
UNTIL = "period-until"
LANGUAGE = "language"
SEARCH = "search"
FOUND = "search-found"
CLOCK = "clock"
TICK = "tick"
FRESH = "freshness"
# Said by assets/60-pulse.js: the server is not heard; data that the page does not show yet has come.
UNHEARD = "unheard"
PULSE = "pulse"

# The map: its reading state and what it says back. Written by dashboard/map.py, heard by the shell.
MAP = "map"
MAP_STATE = "map-state"
MAP_EVENT = "map-event"
MAP_LAYER = "map-layer"
MAP_LEVEL = "map-level"

CASE = "case-overlay"


def panel(name: str) -> dict[str, str]:
    """Return the id of the box that a panel is drawn into."""
    return {"kind": "panel", "name": name}


def poll(name: str) -> dict[str, str]:
    """Return the id of the clock by which a panel that waits for a long answer asks again."""
    return {"kind": "poll", "name": name}


def go(what: str, key: str) -> dict[str, str]:
    """Return the id of an element that changes one part of the address when used."""
    return {"kind": "go", "what": what, "key": key}


def choice(what: str) -> dict[str, Any]:
    """Return the id of a form field whose value becomes one part of the address."""
    return {"kind": "choice", "what": what}
