"""View ⇄ URL. The address is the whole state of a screen: a link opens exactly that screen.

`/leader?place=990101&period=7d&layer=overdue&status=filed,handling&lang=en`. What equals the default
is left out. A value that cannot be used is left out too and named in a notice, never a crash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from dashboard import scenes
from queries import cursor
from queries.frame import FIRST, LAST, Filters
from queries.loop.steps import STATUSES

LANGUAGES = ("zh", "en")
PERIODS = ("1d", "7d", "30d", "90d", "month", "lastmonth", "year", "custom")
ORDERS = ("overdue", "newest")
TURNS = ("side", "each")
#: Of cameras, as queries/cameras.py counts them.
BUCKETS = ("online", "new_offline", "long_offline", "no_picture", "unknown")
GROUPS = ("key_area", "key_trade", "none")
#: Longer values are no codes or names of anything; they are cut off with a notice.
LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class View:
    """What one screen shows. `since` and `until` only hold when `period` is custom."""

    scene: str = "leader"
    place: str | None = None
    period: str = "30d"
    since: date | None = None
    until: date | None = None
    layer: str = "open_cases"
    level: int | None = None
    measure: str = "overdue"
    filters: Filters = field(default_factory=Filters)
    order: str = "overdue"
    after: str = ""
    case: str = ""
    #: A sensor, alarm or camera that is open beside the page: sensor:W1, alarm:12, camera:CM1.
    thing: str = ""
    #: The case or alarm on whose account a camera is looked at.
    about: str = ""
    #: Cameras that are looked through together, and whether they stand side by side or come one after the other.
    cams: str = ""
    turn: str = "side"
    #: Of the page of cameras: which bucket and which class of them ("none" = neither key area nor key trade); empty = all that are not well.
    bucket: str = ""
    group: str = ""
    source: str = ""
    lang: str = "zh"
    #: The time cursor, as queries/cursor.py reads it: a moment of the past, or a drill. Both empty = live.
    at: str = ""
    drill: str = ""
    #: Of the wall: nothing to click is shown; which round it goes, at which stop, and whether it rests there; what pulled it
    #: here; its width and the distance of those who read it, in metres (0 = as the settings say).
    kiosk: bool = False
    round: str = ""
    stop: int = 0
    pause: bool = False
    pull: str = ""
    wide: float = 0.0
    far: float = 0.0
    #: What-if weights of the index's dimensions, in their order; empty = those of the catalogue.
    weights: tuple[int, ...] = ()

    @property
    def past(self) -> bool:
        """Return whether the screen shows a moment of the past, replayed or in a drill."""
        return bool(self.at or self.drill)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Return the codes of the cameras that are looked through together."""
        return tuple(dict.fromkeys(code for code in self.cams.split(",") if code))

    def but(self, **changes: Any) -> View:
        """Return the view with parts changed; a page of the list holds only for the same question."""
        if "after" not in changes and set(changes) & {"place", "period", "since", "until", "filters", "order"}:
            changes["after"] = ""
        # A page's own layer stays there; one that somebody chose goes along.
        if "layer" not in changes and changes.get("scene", self.scene) != self.scene and self.layer == _defaults(self.scene)["layer"]:
            changes["layer"] = _defaults(changes["scene"])["layer"]
        return replace(self, **changes)

    def narrowed(self, **changes: Any) -> View:
        """Return the view with filters changed."""
        return self.but(filters=replace(self.filters, **changes))


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A part of the address that could not be used: which word to say, about which value."""

    key: str
    value: str


_LISTS = {"category": "categories", "status": "statuses", "department": "departments"}
_FLAGS = {"overdue": "overdue", "open": "open_only", "unplaced": "unplaced"}
_CURSOR = {"at": cursor.local, "drill": cursor.drill}
_WALL_WORDS, _WALL_FLAGS = ("round", "pull"), ("kiosk", "pause")
#: Metres that a wall can be wide, or its readers away.
METRES = (0.2, 100.0)
_WORDS = ("place", "layer", "measure", "after", "case", "thing", "about", "source", "cams")
_CHOICES = {"period": PERIODS, "order": ORDERS, "lang": LANGUAGES, "turn": TURNS, "bucket": BUCKETS, "group": GROUPS}
#: A comma separates values, so a comma inside one is written as this escape.
_COMMA = "%2C"


def read(pathname: str | None, search: str | None, language: str = "zh") -> tuple[View, tuple[Notice, ...]]:
    """Return the view of an address and what of it could not be used. Never raises."""
    notices: list[Notice] = []
    known: dict[str, Any] = {"lang": language if language in LANGUAGES else "zh"}
    narrow: dict[str, Any] = {}
    scene = (pathname or "/").strip("/")
    if scene in scenes.found():
        known["scene"] = scene
    elif scene:
        notices.append(Notice(key="notice.scene", value=scene[:LONGEST]))
    try:
        pairs = parse_qsl((search or "").removeprefix("?"), max_num_fields=100)
    except ValueError:
        return View(**{**_defaults(known.get("scene", View.scene)), **known}), (Notice(key="notice.address", value=""),)
    for key, raw in pairs:
        value = _clean(raw)
        if len(value) > LONGEST or value != raw:
            notices.append(Notice(key="notice.value", value=f"{key[:40]}={value[:40]}"))
            continue
        _take(key, value, known, narrow, notices)
    _custom(known, notices)
    if known.get("drill"):
        # A drill has its own moment.
        known.pop("at", None)
    known = {**_defaults(known.get("scene", View.scene)), **known}
    return View(**known, filters=Filters(**narrow)), tuple(notices)


def write(view: View) -> str:
    """Return the address of a view: path and query."""
    search = query(view)
    return path(view) + (f"?{search}" if search else "")


def path(view: View) -> str:
    """Return the path part of a view's address."""
    return "/" if view.scene == "leader" else f"/{view.scene}"


def query(view: View) -> str:
    """Return the query part of a view's address, without the question mark."""
    return urlencode(_pairs(view), quote_via=quote, safe=",:~")


def question(view: View) -> str:
    """Return what of it asks for data, as the API takes it: place, days, filters and the time cursor. The view's period must be custom."""
    asked = ("place", "from", "to", "text", *_LISTS, *_FLAGS, *_CURSOR)
    return urlencode([(key, value) for key, value in _pairs(view) if key in asked], quote_via=quote, safe=",:~")


def _pairs(view: View) -> list[tuple[str, str]]:
    plain = {f.name: f.default for f in fields(View)} | _defaults(view.scene)
    out: list[tuple[str, str]] = []
    for key in ("place", "period"):
        if getattr(view, key) not in (plain[key], None, ""):
            out.append((key, getattr(view, key)))
    if view.period == "custom" and view.since and view.until:
        out += [("from", view.since.isoformat()), ("to", view.until.isoformat())]
    if view.level is not None:
        out.append(("level", str(view.level)))
    for key in ("layer", "measure"):
        if getattr(view, key) != plain[key]:
            out.append((key, getattr(view, key)))
    if view.weights:
        out.append(("weights", ",".join(map(str, view.weights))))
    for key, name in _LISTS.items():
        if values := getattr(view.filters, name):
            out.append((key, ",".join(value.replace("%", "%25").replace(",", _COMMA) for value in values)))
    out += [(key, "1") for key, name in _FLAGS.items() if getattr(view.filters, name)]
    if view.filters.text:
        out.append(("text", view.filters.text))
    for key in ("order", "after", "case", "thing", "about", "source", "cams", "turn", "bucket", "group"):
        if getattr(view, key) != plain[key]:
            out.append((key, getattr(view, key)))
    out += [(key, getattr(view, key)) for key in _CURSOR if getattr(view, key)]
    out += [(key, getattr(view, key)) for key in _WALL_WORDS if getattr(view, key)]
    out += [(key, "1") for key in _WALL_FLAGS if getattr(view, key)]
    out += [("stop", str(view.stop))] if view.stop else []
    out += [(key, f"{getattr(view, key):g}") for key in ("wide", "far") if getattr(view, key)]
    # The language is always said: a link must open the same words at every desk.
    out.append(("lang", view.lang))
    return out


def _take(
    key: str, value: str, known: dict[str, Any], narrow: dict[str, Any], notices: list[Notice]
) -> None:
    if key in _WORDS or key in _WALL_WORDS or key in _CHOICES and value in _CHOICES[key]:
        known[key] = value
    elif key in _CURSOR:
        if _CURSOR[key](value) is None:
            notices.append(Notice(key=f"notice.{key}", value=value[:60]))
        else:
            known[key] = value
    elif key in _WALL_FLAGS and value in ("1", "0"):
        known[key] = value == "1"
    elif key == "stop" and value.isascii() and value.isdigit() and int(value) < 1000:
        known["stop"] = int(value)
    elif key in ("wide", "far") and _METRES.fullmatch(value) and METRES[0] <= float(value) <= METRES[1]:
        known[key] = float(value)
    elif key in _FLAGS and value in ("1", "0"):
        narrow[_FLAGS[key]] = value == "1"
    elif key == "text":
        narrow["text"] = value
    elif key == "level" and value.isascii() and value.isdigit() and int(value) < 20:
        known["level"] = int(value)
    elif key == "weights" and (given := _weights(value)):
        known["weights"] = given
    elif key in ("from", "to"):
        day = _day(value)
        if day is None:
            notices.append(Notice(key="notice.date", value=f"{key}={value}"))
        else:
            known["since" if key == "from" else "until"] = day
    elif key in _LISTS:
        values = tuple(
            dict.fromkeys(v.replace(_COMMA, ",").replace("%25", "%") for v in value.split(",") if v)
        )
        if key == "status":
            notices += [Notice(key="notice.value", value=f"status={v}") for v in values if v not in STATUSES]
            values = tuple(v for v in values if v in STATUSES)
        narrow[_LISTS[key]] = values
    else:
        notices.append(Notice(key="notice.value", value=f"{key[:40]}={value[:40]}"))


_METRES = re.compile(r"\d{1,3}(\.\d{1,3})?")


def _weights(value: str) -> tuple[int, ...]:
    """Return up to twelve whole weights from 0 to 100 of which one is above zero; empty when they are not that."""
    parts = value.split(",")
    if len(parts) > 12 or not all(p.isascii() and p.isdigit() and len(p) <= 3 and int(p) <= 100 for p in parts):
        return ()
    found = tuple(int(p) for p in parts)
    return found if any(found) else ()


def _day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None


def _defaults(scene: str) -> dict[str, Any]:
    held = scenes.found().get(scene)
    return {"period": held.period, "layer": held.layer} if held else {"period": View.period, "layer": View.layer}


def _custom(known: dict[str, Any], notices: list[Notice]) -> None:
    since, until = known.get("since"), known.get("until")
    if since and until and since <= until:
        known["period"] = "custom"
        return
    if since and until:
        notices.append(Notice(key="notice.backwards", value=f"{since} … {until}"))
    elif since or until or known.get("period") == "custom":
        notices.append(Notice(key="notice.half_period", value=str(since or until or "")))
    known["since"] = known["until"] = None
    if known.get("period") == "custom":
        del known["period"]


def _clean(value: str) -> str:
    # Control characters and lone surrogates come from damaged links; nothing of ours has them.
    return "".join(c for c in value if c.isprintable() or c == " ").strip()
