"""The usual way to show areas with dash-leaflet, for comparison: one dl.GeoJSON of all of them, coloured by its hideout."""

from __future__ import annotations

import argparse
import gzip
import json

import dash_leaflet as dl
import shapely
import uvicorn
from dash import Dash, html
from fastapi import FastAPI
from fastapi.responses import Response

from queries import outlines, places, settings
from queries.clock import now
from queries.store import Store


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--level", type=int, default=4)
    parser.add_argument("--canvas", action="store_true")
    parser.add_argument("--size", type=int, nargs=2, required=True)
    given = parser.parse_args()
    with Store(settings.read().database).read() as connection:
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
    ])
    uvicorn.run(server, host="127.0.0.1", port=given.port, log_level="warning")


main()
