"""The map: its component, the state that it reads, and the routes that feed it.

Area layers come as id tiles (a pixel is an area's number) and a table of classes by number; the
browser paints them, so recolouring costs pixels and not polygons. Where a view holds few areas they
come as outlines with names and keyboard focus. assets/3x-map-*.js are the other half.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import dash_leaflet as dl
import numpy as np
import shapely
from dash import dcc, html
from fastapi import FastAPI, Request
from fastapi.responses import Response

import layers
from dashboard import address, ids, scenes
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import ASIDE
from dashboard.scenes._scene import Scene
from dashboard.words import Words
from layers._layer import UNITS, Layer, paint
from layers._palette import OVERDUE, STATUS
from queries import cases, outlines, places, scope
from queries.alarms import desk
from queries.case_rows import OVER, STATUS_WORDS
from queries.city import doors
from queries.errors import GovError, ScopeError
from queries.frame import Scope
from queries.places import Place
from queries.settings import Settings
from queries.store import get_meta

#: Cameras that a wall shows around what it looks at.
NEAR = 4
#: Up to so many areas are drawn as outlines with names and keyboard focus.
CRISP = 400
EARLY = Path(__file__).with_name("map_early.js")
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-store"}


def map_view(view: View, settings: Settings) -> html.Div:
    """Return the map with its two stores; everything drawn on it comes from the state."""
    base = []
    if settings.tile_url:
        base = [dl.TileLayer(url=url, attribution=settings.tile_attribution, maxZoom=20, className="gov-tiles")
                for url in (settings.tile_url, settings.tile_label_url) if url]
    approval = settings.map_approval
    return html.Div([
        dl.Map(base, id=ids.MAP, center=[0, 0], zoom=2, minZoom=2, maxZoom=20, zoomSnap=0, wheelPxPerZoomLevel=110, attributionControl=bool(base),
               zoomControl=True, keyboard=False, style={"height": "100%", "background": "transparent"}),
        html.Div(id="map-panel"), html.Div(Words(view.lang)("panel.waiting"), id="map-tip", className="on waiting", role="status"),
        html.Div(approval, className="map-approval") if approval else "",
        dcc.Store(id=ids.MAP_STATE), dcc.Store(id=ids.MAP_EVENT), dcc.Store(id=ids.news("map")),
    ], className="gov-map", role="region", **{"data-news": "map", "data-hears": "n", "data-pace": "5", "data-calm": "5", "data-crs": settings.tile_crs, "aria-label": Words(view.lang)("map.name")})


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


def head(scenes: Mapping[str, Scene]) -> str:
    """Return the script in the head of every page that asks for the map at once."""
    paths = [address.path(View(scene=one.id)) for one in scenes.values() if one.has_map]
    return f"<script>{EARLY.read_text('utf-8').replace('MAPS', json.dumps(paths))}</script>"


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes that feed the map. Nothing is asked here."""

    def asked(request: Request) -> View:
        return address.read("/", request.url.query, context.language())[0]

    @server.get("/map/tiles/{tree}/{level}/{z}/{x}/{y}.webp", include_in_schema=False)
    def tile(tree: str, level: int, z: int, x: int, y: int) -> Response:
        picture = context.tiles.picture(tree, level, z, x, y)
        if picture is None:
            return Response(status_code=404)
        return Response(picture, media_type="image/webp", headers=FOREVER)

    @server.get("/map/state/{path:path}", include_in_schema=False)
    def state(request: Request, path: str) -> Response:
        return _told(lambda: map_state(context, f"/{path}", f"?{request.url.query}"))

    @server.get("/map/values", include_in_schema=False)
    def values(request: Request) -> Response:
        return _told(lambda: _values(context, asked(request)))

    @server.get("/map/points", include_in_schema=False)
    def points(request: Request, mark: str, west: float, south: float, east: float, north: float, zoom: int) -> Response:
        def make() -> Any:
            view = _without(request, context)
            layer = layers.found().get(mark)
            if layer is None or layer.points is None:
                return {"points": []}
            if view.past and not layer.then:
                return {"points": []}
            answer = layer.points(context.store, context.ask(view), (west, south, east, north), zoom)
            return {"points": [_point(p) for p in answer.rows]}
        return _told(make)

    @server.get("/map/shapes/{tree}/{level}/{place}", include_in_schema=False)
    def shapes(request: Request, tree: str, level: int, place: str, lang: str = "zh") -> Response:
        return _mine(request, context, lambda: json.loads(_shapes(context, context.scope, tree, level, place, lang)))

    @server.get("/map/area/{tree}/{level}/{dense}", include_in_schema=False)
    def area(request: Request, tree: str, level: int, dense: int, lang: str = "zh") -> Response:
        return _mine(request, context, lambda: _area(context, tree, level, dense, lang))

    @server.get("/map/base/{tree}", include_in_schema=False)
    def base(tree: str, lang: str = "zh") -> Response:
        return _told(lambda: _base(context, tree, lang), FRESH)


def _told(make: Any, headers: dict[str, str] = FRESH) -> Response:
    try:
        return Response(json.dumps(make(), ensure_ascii=False, separators=(",", ":")), media_type="application/json", headers=headers)
    except GovError as bad:
        status = 403 if isinstance(bad, ScopeError) else 400
        return Response(json.dumps({"error": str(bad)}, ensure_ascii=False), status, media_type="application/json", headers=FRESH)


def _mine(request: Request, context: Context, make: Any) -> Response:
    """Return what may be kept by this browser, but must be asked about each time: the next visitor may see less."""
    asked = f"{sorted(context.scope.areas or ()) if context.scope.areas is not None else None} {request.url.path} {request.url.query}"
    tag = f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    return Response(status_code=304, headers=headers) if request.headers.get("if-none-match") == tag else _told(make, headers)


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


def _without(request: Request, context: Context) -> View:
    own = {"mark", "west", "south", "east", "north", "zoom"}
    rest = urlencode([(k, v) for k, v in parse_qsl(request.url.query) if k not in own])
    return address.read("/", rest, context.language())[0]


def _values(context: Context, view: View) -> dict[str, Any]:
    """Return classes, the class of each dense number (base64 bytes), values, and the answer's honesty."""
    w = Words(view.lang, context.city().zone)
    layer = layers.found()[view.layer]
    painted = paint(layer, context.store, context.ask(view), view.level or 0)
    marks, told = painted.marks, np.full(len(painted.numbers), np.nan)
    told[marks.dense] = marks.value
    counts = np.zeros(0 if marks.n is None or layer.unit == "n" else len(told), np.int64)
    if len(counts):
        counts[marks.dense] = marks.n
    return {
        "classes": [{"number": c.number, "word": w.pick(c.word), "text": w.pick(c.text), "colour": c.colour,
                     "pattern": c.pattern, "count": c.count, "act": c.act, "quiet": not (c.act or c.pattern)}
                    for c in painted.classes],
        "numbers": base64.b64encode(painted.numbers.tobytes()).decode(), "values": _short(told), "n": counts.tolist(),
        "unit": layer.unit, "plain": layer.plain, "unit_word": w.pick(UNITS[layer.unit]) if layer.unit else "", "title": _title(w, view, layer), "what": w.pick(layer.definition), "note": w.pick(painted.note),
        "as_of": None if painted.answer.as_of is None else w.moment(painted.answer.as_of),
    }


def _title(w: Words, view: View, layer: Layer) -> str:
    title = w.pick(layer.title)
    return f"{title} · {w('index.what_if_short')}" if view.weights and layer.id == "governance_index" else title


def _short(values: np.ndarray) -> list[float | None]:
    """Return values in five digits, those that are not known as None."""
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(np.abs(values), where=values != 0, out=np.zeros(len(values))))
    scale = 10.0 ** np.clip(4 - np.nan_to_num(size), 0, 15)
    out: list[float | None] = (np.round(values * scale) / scale).tolist()
    if not np.any(values[~np.isnan(values)] % 1):
        out = [None if v is None or v != v else int(v) for v in out]
    for i in np.flatnonzero(np.isnan(values)).tolist():
        out[i] = None
    return out


def _point(p: Any) -> dict[str, Any]:
    out = {"lon": round(p.lon, 6), "lat": round(p.lat, 6), "n": getattr(p, "n", 1)}
    for name in ("by_status", "overdue", "nos", "name", "state", "kind", "code"):
        if getattr(p, name, None):
            out[name] = getattr(p, name)
    return out


def _on(context: Context, tree: str) -> tuple[int, date] | None:
    with context.store.read() as connection:
        for one in places.trees(connection):
            if one.hash == tree:
                return one.tree_id, one.valid_from or date(1970, 1, 1)
    return None


@lru_cache(maxsize=64)
def _shapes(context: Context, seen: Scope, tree: str, level: int, code: str, lang: str) -> str:
    found = _on(context, tree)
    if found is None:
        return '{"type":"FeatureCollection","features":[]}'
    with context.store.read() as connection:
        place = places.find(connection, None if code == "-" else code, found[1], seen)
        visible = {p.area_id: p for p in scope.visible_under(connection, seen, place, level)}
        held = [s for s in outlines.shapes(connection, found[0], level, under=place) if s.area_id in visible]
    width = max((place.bbox[2] - place.bbox[0]) / 4000, 1e-6) if place.bbox else 1e-5
    thin = shapely.simplify(shapely.from_wkb([s.wkb for s in held]), width, preserve_topology=True)
    features = [
        {"type": "Feature", "geometry": json.loads(shapely.to_geojson(shapely.set_precision(g, 1e-6, mode="pointwise"))),
         "properties": _named(visible[s.area_id], s.dense, lang)}
        for s, g in zip(held, np.atleast_1d(thin), strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _named(place: Place, dense: int, lang: str) -> dict[str, Any]:
    return {"code": place.code, "dense": dense, "name": Words(lang).name(place), "at": [place.lon, place.lat],
            "leaf": not place.has_children}


def _area(context: Context, tree: str, level: int, dense: int, lang: str) -> dict[str, Any]:
    found = _on(context, tree)
    if found is None:
        return {}
    with context.store.read() as connection:
        numbers = outlines.level_numbers(connection, found[0], level)
        if not 0 < dense < len(numbers):
            return {}
        hit = places.at(connection, [int(numbers[dense])], found[0])
        if not hit or not scope.sees(connection, context.scope, hit[0].num):
            return {}
        path = [Words(lang).name(p) for p in places.path(connection, hit[0])[1:]]
    return {**_named(hit[0], dense, lang), "path": path}


def _base(context: Context, tree: str, lang: str) -> dict[str, Any]:
    """Return the outline of the city, its first level with names, and the water that the city gave."""
    found = _on(context, tree)
    if found is None:
        return {}
    with context.store.read() as connection:
        water = get_meta(connection, "water")
        known = outlines.levels(connection)
    return {
        "outline": _outline(context, tree, found[1], lang), "water": water,
        "first": json.loads(_shapes(context, context.scope, tree, known[1].level, "-", lang)) if len(known) > 1 else None,
    }


def _outline(context: Context, tree: str, on: date, lang: str) -> dict[str, Any]:
    """Return the outline of all that the visitor may see: of the city, or of each of their branches."""
    with context.store.read() as connection:
        parts = scope.effective(connection, context.scope, places.root(connection, on))
    drawn = [json.loads(_shapes(context, context.scope, tree, part.level, part.code, lang)) for part in parts]
    return {"type": "FeatureCollection", "features": [feature for one in drawn for feature in one["features"]]}


def _shift(crs: str, place: Place) -> list[float] | None:
    """Return how far the base pictures of another datum lie off at a place, in degrees."""
    if crs == "WGS84" or place.lon is None or place.lat is None:
        return None
    lon, lat = np.array([place.lon]), np.array([place.lat])
    there = doors.wgs84_to_gcj02(lon, lat)
    if crs == "BD09":
        there = doors.gcj02_to_bd09(*there)
    return [float(there[0][0] - place.lon), float(there[1][0] - place.lat)]
