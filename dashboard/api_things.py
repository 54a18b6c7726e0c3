"""The JSON API of what the map shows: cells of cases and things, now or at a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query

import layers
from dashboard.api_loop import At, Drill, Place
from dashboard.context import Context
from queries.errors import AskError, NoSuchError
from queries.frame import Ask

Degrees = Annotated[float, Query(ge=-180, le=180)]


def add_routes(server: FastAPI, context: Context, ask: Callable[..., Ask], told: Callable[..., dict[str, Any]]) -> None:
    """Add the routes. Nothing is asked here."""

    @server.get("/api/v1/cells", tags=["things"], summary="What a view of the map holds, gathered into cells: cases, sensors and other marks")
    def cells(west: Degrees, south: Degrees, east: Degrees, north: Degrees, zoom: Annotated[int, Query(ge=0, le=22)] = 12, place: Place = None,
              mark: Annotated[str, Query(max_length=40, description="id of a layer of points")] = "cases", at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked, layer = ask(place, None, None, at=at, drill=drill), layers.found().get(mark)
        if layer is None or layer.points is None:
            known = ", ".join(one.id for one in layers.found().values() if one.points)
            raise NoSuchError(f"No layer of points is called {mark!r}. Known: {known}.", field="mark")
        if asked.at is not None and not layer.then:
            raise AskError(f"{mark!r} shows only what holds now. Leave out the moment.", zh=f"“{layer.title['zh']}”只反映当前情况，请去掉时刻。", field="at")
        return told(layer.points(context.store, asked, (west, south, east, north), zoom), asked)
