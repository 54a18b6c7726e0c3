"""Every component id. An id written as a literal anywhere else is a defect."""

from __future__ import annotations

from typing import Any

URL = "url"
#: An address that is to be gone to.
GO = "go"
TYPED = "typed"
DAYS = "days-chosen"
NOTICE = "notice"
HEADER = "header"
CURSOR = "cursor"
REAL = "real"
WATERMARK = "watermark"
BODY = "body"

SINCE = "period-since"
UNTIL = "period-until"
SEARCH = "search"
FOUND = "search-found"
CLOCK = "clock"
FRESH = "freshness"
# Said by assets/60-live.js: the server is not heard. An act of this page's own changed something: all of it is drawn anew.
UNHEARD = "unheard"
PULSE = "pulse"

# The map: its reading state and what it says back. Written by dashboard/map_state.py, heard by the shell.
MAP = "map"
MAP_STATE = "map-state"
MAP_EVENT = "map-event"

CASE = "case-overlay"


def panel(name: str) -> dict[str, str]:
    """Return the id of the box that a panel is drawn into."""
    return {"kind": "panel", "name": name}


def news(name: Any) -> dict[str, Any]:
    """Return the id of the store that assets/60-live.js fills when what a panel hears of has changed."""
    return {"kind": "news", "name": name}


def poll(name: str) -> dict[str, str]:
    """Return the id of the clock by which a panel that waits for a long answer asks again."""
    return {"kind": "poll", "name": name}


def go(what: str, key: str) -> dict[str, str]:
    """Return the id of an element that changes one part of the address when used."""
    return {"kind": "go", "what": what, "key": key}


def choice(what: str) -> dict[str, Any]:
    """Return the id of a form field whose value becomes one part of the address."""
    return {"kind": "choice", "what": what}


# Acting on a case. `spot` tells a case's line in one list from its line in another.
DONE = "done"
# What was pressed: told by assets/62-acting.js from the button's data-act. A wildcard id per button would cost
# the browser seconds where a list has hundreds of them.
PRESSED = "pressed"
REPORT = "report"
REPORT_SEND = "report-send"
REPORT_WRONG = "report-wrong"



def form(spot: Any, no: Any) -> dict[str, Any]:
    """Return the id of the place below a line in which a step's form opens."""
    return {"kind": "form", "spot": spot, "no": no}


def wrong(spot: Any, no: Any) -> dict[str, Any]:
    """Return the id of the words in a form that say what is wrong."""
    return {"kind": "wrong", "spot": spot, "no": no}


def fill(spot: Any, no: Any, what: Any) -> dict[str, Any]:
    """Return the id of a field of a form."""
    return {"kind": "fill", "spot": spot, "no": no, "what": what}


def send(spot: Any, no: Any, step: Any, seq: Any) -> dict[str, Any]:
    """Return the id of the button that sends a form."""
    return {"kind": "send", "spot": spot, "no": no, "step": step, "seq": seq}





# The task list: applying for an item, and the reason for refusing or ending one.
APPLY = "apply"
APPLY_SEND = "apply-send"
APPLY_WRONG = "apply-wrong"


def item_note(code: Any, step: Any) -> dict[str, Any]:
    """Return the id of the field that says why an item is refused or ends."""
    return {"kind": "item-note", "code": code, "step": step}


def item_send(code: Any, step: Any) -> dict[str, Any]:
    """Return the id of the button that sends it."""
    return {"kind": "item-send", "code": code, "step": step}


def item_wrong(code: Any, step: Any) -> dict[str, Any]:
    """Return the id of the words that say what is wrong with it."""
    return {"kind": "item-wrong", "code": code, "step": step}


# Looking through cameras: `form` is ONE for the camera that is open, ROUND for those of a round.
ONE, ROUND = "one", "round"


def camera_fill(form: Any, what: Any) -> dict[str, Any]:
    """Return the id of a field of the form that opens a view: cause, reason, minutes."""
    return {"kind": "camera-fill", "form": form, "what": what}


def camera_look(form: Any) -> dict[str, Any]:
    """Return the id of the button that writes the view down."""
    return {"kind": "camera-look", "form": form}


def camera_wrong(form: Any) -> dict[str, Any]:
    """Return the id of the words that say why there is no view."""
    return {"kind": "camera-wrong", "form": form}



SHIFT_TEXT = "shift-text"
SHIFT_SEND = "shift-send"
SHIFT_WRONG = "shift-wrong"


def alarm_form(alarm_id: Any) -> dict[str, Any]:
    """Return the id of the place below an alarm in which its form opens."""
    return {"kind": "form", "spot": "alarm", "no": str(alarm_id)}


def alarm_fill(alarm_id: Any, what: Any) -> dict[str, Any]:
    """Return the id of a field of an alarm's form."""
    return {"kind": "alarm-fill", "no": alarm_id, "what": what}


def alarm_send(alarm_id: Any, act: Any) -> dict[str, Any]:
    """Return the id of the button that sends it."""
    return {"kind": "alarm-send", "no": alarm_id, "act": act}


def alarm_wrong(alarm_id: Any) -> dict[str, Any]:
    """Return the id of the words that say what is wrong with it."""
    return {"kind": "alarm-wrong", "no": alarm_id}
