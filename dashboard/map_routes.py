"""The routes that feed the map: tiles, values, outlines, points, and the base below them."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import shapely
from fastapi import FastAPI, Request
from fastapi.responses import Response

import layers
from dashboard import address
from dashboard.address import View
from dashboard.columns import distinct, packed
from dashboard.context import Context
from dashboard.map_state import map_state
from dashboard.words import Words
from layers._layer import UNITS, Layer, paint
from queries import outlines, places, scope
from queries.errors import GovError, ScopeError
from queries.frame import Scope
from queries.places import Place
from queries.store import get_meta

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-store"}


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


def _without(request: Request, context: Context) -> View:
    own = {"mark", "west", "south", "east", "north", "zoom"}
    rest = urlencode([(k, v) for k, v in parse_qsl(request.url.query) if k not in own])
    return address.read("/", rest, context.language())[0]


def _values(context: Context, view: View) -> dict[str, Any]:
    """Return classes, the class of each dense number (bytes), values, and the answer's honesty."""
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
        "numbers": packed(painted.numbers, "u1"), "values": distinct(_short(told)), "n": distinct(counts),
        "unit": layer.unit, "plain": layer.plain, "unit_word": w.pick(UNITS[layer.unit]) if layer.unit else "", "title": _title(w, view, layer), "what": w.pick(layer.definition), "note": w.pick(painted.note),
        "as_of": None if painted.answer.as_of is None else w.moment(painted.answer.as_of),
    }


def _title(w: Words, view: View, layer: Layer) -> str:
    title = w.pick(layer.title)
    return f"{title} · {w('index.what_if_short')}" if view.weights and layer.id == "governance_index" else title


def _short(values: np.ndarray) -> np.ndarray:
    """Return values in five digits."""
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(np.abs(values), where=values != 0, out=np.zeros(len(values))))
    scale = 10.0 ** np.clip(4 - np.nan_to_num(size), 0, 15)
    return np.round(values * scale) / scale


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
