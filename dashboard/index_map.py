"""What the map needs to weigh the index anew by itself while a hand is on a slider: assets/36-index-weights.js is the other half."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from dashboard import address
from dashboard.columns import distinct, packed
from dashboard.context import Context
from dashboard.words import Words
from layers._classes import FEW_CLASS, FIRST, NO_DATA_CLASS
from layers._index import BREAKS
from queries import whatif
from queries.errors import GovError, ScopeError
from queries.whatif import Parts

FRESH = {"Cache-Control": "no-store"}


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the route. Nothing is asked here."""

    @server.get("/map/index-parts", include_in_schema=False)
    def parts(request: Request) -> Response:
        view = address.read("/", request.url.query, context.language())[0]
        try:
            told: dict[str, Any] = _told(Words(view.lang), whatif.parts(context.store, context.ask(view.but(weights=())), view.level or 0).rows)
            status = 200
        except GovError as bad:
            told, status = {"error": str(bad)}, 403 if isinstance(bad, ScopeError) else 400
        return Response(json.dumps(told, ensure_ascii=False, separators=(",", ":")), status, media_type="application/json", headers=FRESH)


def _told(w: Words, rows: tuple[Parts, ...]) -> dict[str, Any]:
    """Return columns as base64: one array of 64-bit numbers for each dimension, little-endian, in the order of the areas."""
    if not rows:
        return {"dimensions": []}
    one = rows[0]
    return {
        "dimensions": list(one.dimensions), "at": list(one.at), "weights": list(one.weights), "rule": one.rule,
        "least": one.least, "least_own": one.least_own, "dense": packed(one.dense, "<i4"),
        "scores": [packed(column, "<f8") for column in one.scores.T],
        "coverage": [distinct(column) for column in one.coverage.T], "own": [packed(column, "<f4") for column in one.own.T],
        "breaks": list(BREAKS), "first": FIRST, "few": FEW_CLASS, "none": NO_DATA_CLASS, "what_if": w("index.what_if_short"),
    }
