"""The usual way to show areas with dash-leaflet, for comparison: one dl.GeoJSON of all of them, coloured by its hideout."""

from __future__ import annotations

import argparse
import gzip
import json
from datetime import timedelta

import dash_leaflet as dl
import numpy as np
import shapely
import uvicorn
from dash import Dash, Input, Output, dcc, html
from fastapi import FastAPI
from fastapi.responses import Response

from layers._index import BREAKS
from queries import governance, outlines, places, settings
from queries.clock import now
from queries.frame import EVERYTHING, Ask
from queries.store import Store


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--level", type=int, default=4)
    parser.add_argument("--canvas", action="store_true")
    parser.add_argument("--size", type=int, nargs=2, required=True)
    parser.add_argument("--weights", action="store_true", help="a slider whose callback weighs the index anew and sends a class for every area")
    given = parser.parse_args()
    store = Store(settings.read().database)
    with store.read() as connection:
        root = places.root(connection, now().date())
        held = outlines.numbered_shapes(connection, root.tree_id, given.level)
    shapes = shapely.set_precision(shapely.from_wkb([wkb for _, wkb in held]), 1e-6, mode="pointwise")
    body = gzip.compress(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"dense": dense}, "geometry": json.loads(text)}
        for (dense, _), text in zip(held, shapely.to_geojson(shapes), strict=True)]}, separators=(",", ":")).encode())
    server = FastAPI()

    @server.get("/areas.json")
    def areas() -> Response:
        return Response(body, media_type="application/json", headers={"Content-Encoding": "gzip"})

    @server.get("/healthz")
    def healthz() -> dict[str, int]:
        return {"areas": len(held)}

    app = Dash(__name__, server=server, compress=True)
    west, south, east, north = root.bbox or (0, 0, 1, 1)
    app.layout = html.Div([
        dl.Map([dl.GeoJSON(id="areas", url="/areas.json", style={"variable": "bench.style"}, hideout={"turn": 0})],
               bounds=[[south, west], [north, east]], preferCanvas=given.canvas, zoomSnap=0.5,
               style={"width": f"{given.size[0]}px", "height": f"{given.size[1]}px"}),
        *([dcc.Slider(0, 100, 1, value=20, id="weight")] if given.weights else []),
    ])

    @app.callback(Output("areas", "hideout"), Input("weight", "value"), prevent_initial_call=True)
    def weigh(value: int) -> dict[str, object]:
        last = now().date()
        asked = Ask(scope=EVERYTHING, since=last - timedelta(days=89), until=last, weights=(value, *[(100 - value) // 4] * 4))
        rows = governance.index_values(store, asked, "index", given.level).rows
        classes = np.zeros(int(rows.dense.max(initial=0)) + 1, int)  # type: ignore[attr-defined]
        classes[rows.dense] = np.searchsorted(BREAKS, np.nan_to_num(rows.value), "right")  # type: ignore[attr-defined]
        return {"turn": value, "classes": classes.tolist()}

    uvicorn.run(server, host="127.0.0.1", port=given.port, log_level="warning")


main()
