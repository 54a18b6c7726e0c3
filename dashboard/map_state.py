"""What the map must know to draw an address: which areas, which layer, where, and the addresses of what it fetches."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import numpy as np

import layers
from dashboard import address, scenes
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import ASIDE
from dashboard.words import Words
from layers._palette import OVERDUE, STATUS
from queries import cases, outlines, places, scope
from queries.alarms import desk
from queries.case_rows import OVER, STATUS_WORDS
from queries.city import doors
from queries.errors import GovError
from queries.places import Place

#: Cameras that a wall shows around what it looks at.
NEAR = 4
#: Up to so many areas are drawn as outlines with names and keyboard focus.
CRISP = 400


def map_state(context: Context, pathname: str | None, search: str | None) -> dict[str, Any] | None:
    """Return what the map must know to draw an address; None when no city is loaded."""
    if not context.city().loaded:
        return None
    view = address.read(pathname, search, context.language())[0]
    w = Words(view.lang)
    on = context.on(view)
    with context.store.read() as connection:
        try:
            place = places.find(connection, view.place, on, context.scope)
        except GovError:
            place = places.root(connection, on)
        tree = places.tree_on(connection, on)
        steps = places.path(connection, place)
        known = outlines.levels(connection)
        below = [one for one in known if one.level > place.level] if place.has_children else []
        shown = next((one for one in known if one.level == view.level and one.level >= place.level), None)
        if shown is None:
            shown = below[0] if below else next(one for one in known if one.level == place.level)
        parts = scope.effective(connection, context.scope, place)
        sizes = sum((Counter(outlines.level_sizes(connection, part)) for part in parts), Counter())
        while shown in below and not sizes.get(shown.level) and below.index(shown) + 1 < len(below):  # missing here, or not seen
            shown = below[below.index(shown) + 1]
        n = sizes.get(shown.level, 0)
        # A place without parts stands among its neighbours, and not alone on a dark ground.
        leaf = not place.has_children and len(steps) > 1 and parts == [place]
        under = steps[-2] if leaf and scope.effective(connection, context.scope, steps[-2]) == [steps[-2]] else place
        # The nearest level below the place that is above the shown one: its borders and names help to find one's way.
        frame = next((one.level for one in below if one.level < shown.level and 1 < sizes.get(one.level, 0) <= CRISP), None)
    chosen = view.layer if view.layer in layers.found() and layers.found()[view.layer].kind == "areas" else scenes.found()[view.scene].layer
    shift = _shift(context.settings.tile_crs, place)
    query = address.query(view.but(case="", thing="", after="", place=place.code if len(steps) > 1 else None))
    return {
        "asked": (search or "").removeprefix("?"), "tree": tree.hash, "level": shown.level, "n": n, "crisp": n <= CRISP, "place": place.code, "under": under.code,
        "up": steps[-2].code if len(steps) > 2 else "", "top": len(steps) == 1, "bbox": _padded(_around(parts or [place])) if leaf else _around(parts or [place]), "focus": _focus(context, view), "shift": shift,
        "layer": chosen, "query": query, "lang": view.lang, "case": view.case,
        # What is fetched to draw it; the page's head fetches it before the map is there (dashboard/map_early.js).
        "urls": {
            "values": "/map/values?" + urlencode(dict(parse_qsl(query)) | {"layer": chosen, "level": shown.level}),
            "areas": _outlines_url(tree.hash, shown.level, under, view) if n <= CRISP else None,
            "frame": None if frame is None else _outlines_url(tree.hash, frame, under, view),
            "base": f"/map/base/{tree.hash}?lang={view.lang}",
        },
        "levels": [{"id": one.level, "name": w.name(one)} for one in (below or [shown])],
        "layers": [{"id": one.id, "name": w.pick(one.title), "what": w.pick(one.definition)}
                   for one in layers.found().values() if one.kind == "areas"],
        "marks": [{"id": one.id, "name": w.pick(one.title), "opens": one.opens, "looks": list(one.looks)} for one in layers.found().values() if one.kind == "points"],
        "thing": view.thing, "mark": view.scene if view.scene in ("alarms", "cameras") else "cases",
        "status": {code: {"colour": STATUS[code][0], "shape": STATUS[code][1], "name": w.pick(words), "open": code not in (*OVER, *ASIDE)}
                   for code, words in STATUS_WORDS.items()} | {
            code: {"colour": colour, "shape": form, "name": w.pick(words), "open": False}
            for one in layers.found().values() for code, (colour, form, words) in one.looks.items()},
        "overdue": OVERDUE,
        "words": {key: w(f"map.{key}") for key in (
            "layer", "level", "marks", "unknown", "overdue", "cases", "hint", "areas", "failed", "as_of", "legend", "panel", "close")},
    }


def _outlines_url(tree: str, level: int, place: Place, view: View) -> str:
    return f"/map/shapes/{tree}/{level}/{quote(place.code, safe='')}?lang={view.lang}"


def _around(parts: list[Place]) -> tuple[float, float, float, float] | None:
    """Return the box that holds some places: the map opens on what one may see."""
    boxes = [part.bbox for part in parts if part.bbox]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _padded(box: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
    """Return a box with a third of itself around it."""
    if box is None:
        return None
    x, y = (box[2] - box[0]) / 3, (box[3] - box[1]) / 3
    return box[0] - x, box[1] - y, box[2] + x, box[3] + y


def _focus(context: Context, view: View) -> dict[str, Any] | None:
    """Return where the alarm or case is that the address opens, and for a wall the cameras nearest to it; None = nothing open, or no position."""
    kind, _, number = view.thing.partition(":")
    try:
        ask = context.ask(view.but(place=None))
        if view.case:
            row = cases.one(context.store, context.scope, view.case, ask).row.case
            lon, lat, status, name = row.lon, row.lat, row.status, row.no
        elif kind == "alarm" and number.isdecimal() and len(number) < 10:
            held = desk.one(context.store, ask, int(number)).row
            lon, lat, status, name = held.lon, held.lat, held.level, f"{held.title['zh']} {held.subject['zh']}"
        else:
            return None
        if lon is None or lat is None:
            return None
        near = desk.nearest(context.store, ask, lon, lat, NEAR).rows if view.scene == "wall" and not view.past else ()
    except GovError:
        return None
    return {"lon": lon, "lat": lat, "status": status, "name": name,
            "near": [{"lon": one.lon, "lat": one.lat, "status": one.state, "name": one.name or one.code} for one in near if one.kind == "camera"]}


def _shift(crs: str, place: Place) -> list[float] | None:
    """Return how far the base pictures of another datum lie off at a place, in degrees."""
    if crs == "WGS84" or place.lon is None or place.lat is None:
        return None
    lon, lat = np.array([place.lon]), np.array([place.lat])
    there = doors.wgs84_to_gcj02(lon, lat)
    if crs == "BD09":
        there = doors.gcj02_to_bd09(*there)
    return [float(there[0][0] - place.lon), float(there[1][0] - place.lat)]
