"""The JSON API of the loop's pages: the grid page, the matrix, the task list, the desk and what is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Query

from dashboard.context import Context
from queries import matrix
from queries.frame import Ask
from queries.loop import desk, grid, grid_then, nobody, task_list

Place = Annotated[str | None, Query(description="area code; none = the whole city", max_length=200)]
Since = Annotated[date | None, Query(alias="from", description="first local day; none = 30 days up to the last one known")]
Until = Annotated[date | None, Query(alias="to", description="last local day, inside; none = the last one known")]
Codes = Annotated[str, Query(description="codes, separated by commas", max_length=1000)]


At = Annotated[str, Query(description="a moment of the past in the city's time, 2026-11-20T14:30; none = now", max_length=40)]
Drill = Annotated[str, Query(description="a drill (演练), 2026-11-20T14:00~1795500000x60: start, UTC second of its beginning, speed", max_length=60)]


def add_routes(server: FastAPI, context: Context, ask: Callable[..., Ask], told: Callable[..., dict[str, Any]]) -> None:
    """Add what the pages /grid, /matrix, /list and /street show."""

    @server.get("/api/v1/grid", tags=["loop"], summary="Everything about one grid: cases, duty, figures against its peers, things, items")
    def one_grid(place: Annotated[str, Query(description="code of a grid", max_length=200)], since: Since = None, until: Until = None, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, since, until, at=at, drill=drill)
        return told((grid.grid if asked.at is None else grid_then.grid)(context.store, asked), asked)

    @server.get("/api/v1/matrix", tags=["figures"], summary="Departments by areas, with totals that agree in every direction")
    def table(place: Place = None, since: Since = None, until: Until = None, category: Codes = "", department: Codes = "",
              measure: Annotated[str, Query(description=", ".join(matrix.MEASURES))] = "overdue", at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, since, until, category=category, department=department, at=at, drill=drill)
        return told(matrix.matrix(context.store, asked, measure), asked)

    @server.get("/api/v1/items", tags=["loop"], summary="The task list (事项清单) in force: what a department may hand to a grid")
    def items(at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(None, None, None, at=at, drill=drill)
        return told(task_list.items(context.store, ask=asked), asked)

    @server.get("/api/v1/desk", tags=["loop"], summary="A desk's list, what must be done first at its head")
    def own(place: Place = None, which: Annotated[str, Query(description=", ".join(desk.LISTS))] = "mine",
            limit: Annotated[int, Query(ge=1, le=1000)] = 50, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, None, None, at=at, drill=drill)
        return told(desk.page(context.store, asked, context.actor, which, limit), asked)  # type: ignore[arg-type]

    @server.get("/api/v1/nobody", tags=["loop"], summary="Cases in no grid, grids without an officer, items without a department")
    def gaps(place: Place = None, limit: Annotated[int, Query(ge=1, le=200)] = 30, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, None, None, at=at, drill=drill)
        return told(nobody.gaps(context.store, asked, limit), asked)
