"""The JSON API: the same answers as the screen, with their as-of, sources and what was dropped."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute

from dashboard import api_index, api_loop, api_things
from dashboard.address import View
from dashboard.api_loop import At, Codes, Drill, Place, Since, Until
from dashboard.context import Context, ended
from dashboard.past_names import export_name
from dashboard.plain import honesty, plain
from dashboard.sheets import line
from queries import cases, cursor, kpi, places, sources_state
from queries import scope as rights
from queries.case_rows import CaseRow
from queries.errors import AskError, GovError, NoSuchError, ScopeError, SignInError, StoreError
from queries.figures import FIGURES
from queries.frame import FIRST, Answer, Ask, Filters
from queries.loop import burden, evaluate, flow
from queries.loop.like import like_with_like

Flag = Annotated[bool, Query()]
#: What stands in every answer and export of a drill.
DRILL = "演练 DRILL"
#: Rows of one export; more are for a report, not for a spreadsheet.
EXPORTED = 50_000
#: Rows of it that are read at once.
PART = 1000


async def only_known(request: Request) -> None:
    """Refuse a parameter of the API that its route does not know: passed over in silence, it would give another answer."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.path.startswith("/api/v1/"):
        return
    known = [one.alias for one in route.dependant.query_params]
    for name in request.query_params:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise AskError(f"{route.path} knows no parameter {name[:60]!r}." + (f" The nearest known one is {near[0]!r}." if near else ""))


def add_routes(server: FastAPI, context: Context) -> None:
    """Add /api/v1. Nothing is asked here."""

    def ask(place: str | None, since: date | None, until: date | None, **narrow: Any) -> Ask:
        last = until or context.city().last_day
        at = moment_of(context, narrow.get("at", ""), narrow.get("drill", ""))
        last = last if at is None else min(last, at.date() - timedelta(days=1))
        # A day before the first is refused by the ask itself; nothing is counted back from it here.
        first = since or max(last, FIRST) - timedelta(days=29)
        if at is not None:
            first, last = ended(first, last, at)
        filters = Filters(
            categories=_codes(narrow.get("category", "")), statuses=_codes(narrow.get("status", "")),
            departments=_codes(narrow.get("department", "")), overdue=narrow.get("overdue", False),
            open_only=narrow.get("open_only", False), unplaced=narrow.get("unplaced", False), text=narrow.get("text", ""),
        )
        return Ask(scope=context.scope, since=first, until=last, place=place or None, filters=filters, at=at, drill=bool(narrow.get("drill")))

    @server.exception_handler(GovError)
    async def refused(_: Any, bad: GovError) -> JSONResponse:
        status = 401 if isinstance(bad, SignInError) else 403 if isinstance(bad, ScopeError) else 503 if isinstance(bad, StoreError) else (
            404 if isinstance(bad, NoSuchError) else 400)
        return JSONResponse({"error": type(bad).__name__, "message": str(bad)}, status, {"Retry-After": "5"} if status == 503 else None)

    @server.get("/api/v1/me", tags=["people"], summary="Who asks: name, post, areas and department")
    def me() -> dict[str, Any]:
        actor = context.actor
        areas = None if actor.scope.areas is None else sorted(actor.scope.areas)
        return {"name": actor.name, "shown": actor.shown, "post": actor.post, "department": actor.department, "areas": areas}

    @server.get("/api/v1/areas", tags=["places"], summary="A place, its path and the areas directly below it")
    def areas(place: Place = None, since: Since = None, until: Until = None) -> dict[str, Any]:
        asked = ask(place, since, until)
        with context.store.read() as connection:
            here = places.find(connection, asked.place, asked.until, context.scope)
            visible = rights.check(connection, context.scope, here)
            below = rights.parts(connection, visible, here)
            return {"place": plain(here), "path": plain(places.path(connection, here)), "children": plain(below),
                    "on": asked.until.isoformat()}

    @server.get("/api/v1/kpi", tags=["figures"], summary="Every figure with numerator, denominator and definition")
    def figures(place: Place = None, since: Since = None, until: Until = None, category: Codes = "", at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, since, until, category=category, at=at, drill=drill)
        return told(kpi.tiles(context.store, asked), asked)

    @server.get("/api/v1/children", tags=["figures"], summary="The areas below a place, worst first")
    def children(place: Place = None, since: Since = None, until: Until = None, category: Codes = "",
                 measure: Annotated[str, Query(description=", ".join(FIGURES))] = "overdue", at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, since, until, category=category, at=at, drill=drill)
        return told(kpi.children(context.store, asked, measure), asked)

    @server.get("/api/v1/evaluation", tags=["loop"], summary="Three rates and the quality of handling; `cases` = what counts against one; `like` = compared")
    def evaluated(
        place: Place = None, since: Since = None, until: Until = None, category: Codes = "", department: Codes = "",
        cases: Annotated[str, Query(description="list the cases that count against this number", max_length=40)] = "",  # noqa: A002
        like: Annotated[str, Query(description="compare areas or departments by this number, like with like", max_length=40)] = "",
        by: Annotated[str, Query(pattern="^(areas|departments)$")] = "areas",
        limit: Annotated[int, Query(ge=1, le=1000)] = 200, at: At = "", drill: Drill = "",
    ) -> dict[str, Any]:
        asked = ask(place, since, until, category=category, department=department, at=at, drill=drill)
        if cases:
            return told(evaluate.cases_of(context.store, asked, cases, limit), asked)
        if like:
            return told(like_with_like(context.store, asked, like, by), asked)  # type: ignore[arg-type]
        return {**told(evaluate.evaluation(context.store, asked), asked), "month": plain(evaluate.month(context.store, asked).rows)}

    @server.get("/api/v1/flow", tags=["loop"], summary="Where the time goes and which rules of the standard way break; read in the background")
    def course(response: Response, place: Place = None, since: Since = None, until: Until = None, category: Codes = "", department: Codes = "") -> dict[str, Any]:
        asked = ask(place, since, until, category=category, department=department)
        answer = context.jobs.get(("flow", asked), lambda: flow.flow(context.store, asked))
        if answer is None:
            response.status_code = 202
            return {"state": "reading", "message": "The course of these cases is being read. Ask again in a few seconds."}
        return {"state": "read", **told(answer, asked)}

    @server.get("/api/v1/burden", tags=["loop"], summary="What the loop costs the front line, from logs alone")
    def cost(place: Place = None, since: Since = None, until: Until = None, category: Codes = "", department: Codes = "", at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, since, until, category=category, department=department, at=at, drill=drill)
        return {**told(burden.burden(context.store, asked), asked), "minutes": plain(burden.minutes(context.store, asked).rows)}

    for name, make, what in (("trend", kpi.trend, "The period day by day"), ("status", kpi.status_mix, "Cases by status"),
                             ("categories", kpi.category_mix, "Cases reported by category"), ("ages", kpi.open_by_age, "Open cases by age")):
        _figure(server, name, make, what, ask)

    @server.get("/api/v1/cases", tags=["cases"], summary="Cases, page by page")
    def case_list(
        place: Place = None, since: Since = None, until: Until = None, category: Codes = "", status: Codes = "",
        department: Codes = "", overdue: Flag = False, open: Flag = False, unplaced: Flag = False,  # noqa: A002
        text: Annotated[str, Query(max_length=200)] = "", order: Annotated[str | None, Query(pattern="^(overdue|newest)$")] = None,
        after: Annotated[str, Query(max_length=60)] = "", limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        at: At = "", drill: Drill = "",
    ) -> dict[str, Any]:
        asked = ask(place, since, until, category=category, status=status, department=department, overdue=overdue,
                    open_only=open, unplaced=unplaced, text=text, at=at, drill=drill)
        answer = cases.page(context.store, asked, after=after or None, limit=limit, order=order)
        used = order or ("overdue" if overdue or open else "newest")
        more = cases.cursor(answer.rows[-1], used) if len(answer.rows) == limit else None
        return {**told(answer, asked), "after": more}

    @server.get("/api/v1/cases.csv", tags=["cases"], summary="The same cases as a table")
    def case_table(
        place: Place = None, since: Since = None, until: Until = None, category: Codes = "", status: Codes = "",
        department: Codes = "", overdue: Flag = False, open: Flag = False, unplaced: Flag = False,  # noqa: A002
        text: Annotated[str, Query(max_length=200)] = "", at: At = "", drill: Drill = "",
    ) -> StreamingResponse:
        asked = ask(place, since, until, category=category, status=status, department=department, overdue=overdue,
                    open_only=open, unplaced=unplaced, text=text, at=at, drill=drill)
        # All parts of it are of one moment, however long it takes: a drill goes on meanwhile.
        # Read before the answer begins: what is refused must not be a table that breaks off.
        first = cases.page(context.store, asked, limit=PART).rows
        return StreamingResponse(_table(context, asked, first), media_type="text/csv; charset=utf-8",
                                 headers={"Content-Disposition": f'attachment; filename="{export_name(asked.at, asked.drill)}"'})

    @server.get("/api/v1/cases/{no}", tags=["cases"], summary="One case with its whole timeline")
    def one_case(no: Annotated[str, Path(max_length=200)], at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(None, None, None, at=at, drill=drill)
        answer = cases.one(context.store, context.scope, no, asked)
        return {"case": plain(answer.row), **_when(asked), **honesty(answer)}

    api_index.add_routes(server, context, ask, told)
    api_loop.add_routes(server, context, ask, told)
    api_things.add_routes(server, context, ask, told)

    @server.get("/api/v1/sources", tags=["sources"], summary="Every source with its age, and the quarantine's reasons")
    def sources() -> dict[str, Any]:
        answer = sources_state.sources(context.store)
        return {"rows": plain(answer.rows), "quarantine": plain(sources_state.reasons(context.store, context.scope).rows), **honesty(answer)}

    @server.get("/api/{rest:path}", include_in_schema=False)
    def nothing(rest: str) -> JSONResponse:
        return JSONResponse({"error": "NotFound", "message": f"There is no /api/{rest[:100]}. See /api for what there is."}, 404)


def _figure(server: FastAPI, name: str, make: Callable[..., Answer[Any]], what: str, ask: Callable[..., Ask]) -> None:
    context_of = make

    def answer(place: Place = None, since: Since = None, until: Until = None, category: Codes = "", at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, since, until, category=category, at=at, drill=drill)
        return told(context_of(server.state.context.store, asked), asked)

    server.get(f"/api/v1/{name}", tags=["figures"], summary=what, name=name)(answer)


def told(answer: Answer[Any], asked: Ask) -> dict[str, Any]:
    """Return an answer and its question as plain values."""
    return {"place": asked.place, "from": asked.since.isoformat(), "to": asked.until.isoformat(), "rows": plain(answer.rows),
            "total": answer.total, **_when(asked), **honesty(answer)}


def moment_of(context: Context, at: str, drill: str) -> datetime | None:
    """Return the moment that parameters name; None = now. Raises AskError."""
    if at and cursor.local(at) is None:
        raise AskError(f"{at[:60]!r} is no moment. Write it as 2026-11-20T14:30.", zh=f"“{at[:60]}”不是时刻，应写作 2026-11-20T14:30。", field="at")
    if drill and cursor.drill(drill) is None:
        raise AskError(f"{drill[:60]!r} is no drill. Write it as 2026-11-20T14:00~1795500000x60.", zh=f"“{drill[:60]}”不是演练参数。", field="drill")
    return context.moment(View(at="" if drill else at, drill=drill))


def _when(asked: Ask) -> dict[str, Any]:
    """Return the moment of an answer about the past, and the word of a drill; nothing of one about now."""
    if asked.at is None:
        return {}
    return {"at": asked.at.isoformat(), **({"drill": DRILL} if asked.drill else {})}


def _codes(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _table(context: Context, asked: Ask, rows: tuple[CaseRow, ...]) -> Iterator[str]:
    names = ("no", "title", "category", "kind", "status", "department", "area_code", "reported_at", "filed_at", "due_at",
             "closed_at", "overdue", "rework", "lon", "lat", "placed", "source")
    # Each row says of which moment it is: parts of a table get apart from its name.
    when = [asked.at] if asked.at else []
    if asked.drill:
        when.append(DRILL)
    yield "\ufeff" + line([*names, *("as_known_at", "drill")[:len(when)]])
    n = 0
    order = "overdue" if asked.filters.open_only or asked.filters.overdue else "newest"
    while True:
        for row in rows:
            yield line([*(getattr(row, name) for name in names), *when])
        n += len(rows)
        if len(rows) < PART:
            return
        if n >= EXPORTED:
            break
        rows = cases.page(context.store, asked, after=cases.cursor(rows[-1], order), limit=PART).rows
    yield line([f"… only the first {EXPORTED} rows; narrow the period or the place for the others"])
