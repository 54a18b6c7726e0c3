"""The map as a component, and what the head of a page asks for before it is there.

Area layers come as id tiles (a pixel is an area's number) and a table of classes by number; the
browser paints them, so recolouring costs pixels and not polygons. Where a view holds few areas they
come as outlines with names and keyboard focus. What is drawn for an address says map_state.py, what it is
fed with map_routes.py; assets/3x-map-*.js are the other half.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import dash_leaflet as dl
from dash import dcc, html

from dashboard import address, ids
from dashboard.address import View
from dashboard.scenes._scene import Scene
from dashboard.words import Words
from queries.settings import Settings

EARLY = Path(__file__).with_name("map_early.js")


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


def head(scenes: Mapping[str, Scene], language: str) -> str:
    """Return the script in the head of every page that says its language and asks for the map at once; `language` = where an address names none, if that is settled."""
    paths = [address.path(View(scene=one.id)) for one in scenes.values() if one.has_map]
    return f"<script>{EARLY.read_text('utf-8').replace('MAPS', json.dumps(paths)).replace('LANGUAGE', language)}</script>"
