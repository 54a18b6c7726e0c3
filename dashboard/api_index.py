"""The JSON API of the governance index, and its table as a file: the same numbers as the map, the page and each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from dashboard.api_loop import At, Drill, Place, Since, Until
from dashboard.context import Context
from dashboard.plain import honesty, plain
from dashboard.sheets import line, workbook
from queries import governance, index_method, index_records, index_table, releases
from queries.frame import Answer, Ask
from queries.index import VERSION, found
from queries.index_table import TableRow

Level = Annotated[int | None, Query(ge=0, le=19, description="areas of this level under the place; none = those directly below it, with the bands of their ranks")]
Against = Annotated[str, Query(pattern="^(previous|last_year)$")]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_OFFICIAL = "自算参考，非官方评分 / computed here, not an official score"


def add_routes(server: FastAPI, context: Context, ask: Callable[..., Ask], told: Callable[..., dict[str, Any]]) -> None:
    """Add /api/v1/index and what belongs to it. Nothing is asked here."""
    store = context.store

    @server.get("/api/v1/index", tags=["index"], summary="The governance index of a place: dimensions, indicators, intervals, coverage; peers and next steps; never an official score")
    def governance_index(place: Place = None, since: Since = None, until: Until = None) -> dict[str, Any]:
        asked = ask(place, since, until)
        return {**told(governance.index(store, asked), asked), "version": VERSION, "peers": plain(governance.peers(store, asked).rows),
                "steps": plain(governance.steps(store, asked).rows), "catalogue": list(governance.catalogue())}

    @server.get("/api/v1/index/why", tags=["index"], summary="What moved the index of a place: points of each indicator and area; they add up to the change")
    def index_why(place: Place = None, since: Since = None, until: Until = None, day: Annotated[date | None, Query(description="the last day of the period; the same as until")] = None,
                  against: Against = "previous") -> dict[str, Any]:
        asked = ask(place, since, day or until)
        whole = governance.index(store, asked).rows[0]
        return {**told(governance.why(store, asked, against), asked), "score": whole.score, "before": whole.before if against == "previous" else None}  # type: ignore[arg-type]

    @server.get("/api/v1/index/records", tags=["index"], summary="The counts behind one reason: an indicator in each area below, before and now")
    def index_counts(indicator: Annotated[str, Query(max_length=40, description="id of an indicator of the catalogue")], place: Place = None, since: Since = None,
                     until: Until = None, against: Against = "previous") -> dict[str, Any]:
        asked = ask(place, since, until)
        return told(index_records.records(store, asked, indicator, against), asked)  # type: ignore[arg-type]

    @server.get("/api/v1/index/method", tags=["index"], summary="How a place's score comes out of its counts, number by number")
    def index_by_hand(place: Place = None, since: Since = None, until: Until = None) -> dict[str, Any]:
        asked = ask(place, since, until)
        answer = told(index_method.method(store, asked), asked)
        for row in answer["rows"]:
            # JSON knows no infinity: the parent's share then stands for all, and nothing is the area's own.
            if row.get("strength") == float("inf"):
                row["strength"] = None
        return {**answer, "version": VERSION}

    @server.get("/api/v1/index/figures", tags=["index"], summary="Departments' figures of a place as they were imported, with what was known before")
    def index_figures(indicator: Annotated[str, Query(max_length=40, description="id of an indicator; empty = all")] = "", place: Place = None, since: Since = None,
                      until: Until = None) -> dict[str, Any]:
        asked = ask(place, since, until)
        return told(governance.figures(context.store, asked, indicator), asked)

    @server.get("/api/v1/index/table", tags=["index"], summary="The index of many areas: score, interval, dimensions, coverage, rank band, release or draft")
    def index_rows(place: Place = None, since: Since = None, until: Until = None, level: Level = None) -> dict[str, Any]:
        asked = ask(place, since, until)
        return {**told(index_table.table(store, asked, level), asked), "version": VERSION}

    @server.get("/api/v1/index.csv", tags=["index"], summary="The same table as CSV")
    def index_csv(place: Place = None, since: Since = None, until: Until = None, level: Level = None) -> Response:
        asked = ask(place, since, until)
        answer = index_table.table(store, asked, level)
        return _file("\ufeff" + "".join(line(row) for row in _rows(answer)), "text/csv; charset=utf-8", asked, "csv")

    @server.get("/api/v1/index.xlsx", tags=["index"], summary="The same table as a workbook, with a sheet that says how it was made")
    def index_xlsx(place: Place = None, since: Since = None, until: Until = None, level: Level = None) -> Response:
        asked = ask(place, since, until)
        answer = index_table.table(store, asked, level)
        return _file(workbook([("index", _rows(answer)), ("about", _about(answer, asked)), ("catalogue", _catalogue())]), XLSX, asked, "xlsx")

    @server.get("/api/v1/index/released", tags=["index"], summary="The index of a place as it had been released by a moment (none: by now): what anybody could see then")
    def index_released(place: Place = None, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, None, None, at=at, drill=drill)
        return told(governance.released(store, asked), asked)

    @server.get("/api/v1/index/releases", tags=["index"], summary="Releases of the index: frozen, with the hash of catalogue, inputs and scores")
    def index_releases() -> dict[str, Any]:
        answer = releases.releases(store)
        return {"rows": plain(answer.rows), **honesty(answer)}


def _file(content: str | bytes, kind: str, asked: Ask, ending: str) -> Response:
    name = f"index-{asked.since:%Y%m%d}-{asked.until:%Y%m%d}.{ending}"
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


def _rows(answer: Answer[TableRow]) -> Iterator[list[Any]]:
    dimensions = [one.id for one in found().values()]
    yield ["code", "name_zh", "name_en", "score", "low_90", "high_90", *dimensions, "coverage", "known", "of", "own_data", "rank_low", "rank_high", "no_score",
           "oldest_days", "oldest_zh", "oldest_en", "state", "released_score", "release", "catalogue", "from", "to", "as_of", "made_at"]
    for row in answer.rows:
        yield [row.code, row.title["zh"], row.title["en"], row.index, row.low, row.high, *(row.dimensions.get(name) for name in dimensions), row.coverage, row.known, row.of,
               row.own, row.rank_low, row.rank_high, row.no_score,
               row.age_days, (row.oldest or {}).get("zh"), (row.oldest or {}).get("en"), "released" if row.release else "draft", row.released, row.release, row.catalogue,
               row.since, row.until, row.as_of, row.made_at]


def _about(answer: Answer[TableRow], asked: Ask) -> Iterator[list[Any]]:
    yield ["what", "value"]
    first = answer.rows[0] if answer.rows else None
    yield from ([name, value] for name, value in (
        ("index", NOT_OFFICIAL), ("place", asked.place or "*"), ("from", first.since if first else asked.since), ("to", first.until if first else asked.until),
        ("catalogue", VERSION), ("state", "released" if first and first.release else "draft"), ("release", first.release if first else ""),
        ("as_of", answer.as_of), ("made_at", first.made_at if first else None), ("source", ", ".join(answer.source))))
    for note in answer.notes:
        yield ["note", f"{note['zh']} / {note['en']}"]
    for dropped in answer.dropped:
        yield ["dropped", f"{dropped.n} {dropped.why['zh']} / {dropped.why['en']}"]


def _catalogue() -> Iterator[list[Any]]:
    yield ["id", "dimension", "dimension_weight", "title_zh", "title_en", "formula", "direction", "unit", "floor", "target", "weight", "least", "computed", "imported", "lacks", "basis", "basis_date"]
    for row in governance.catalogue():
        yield [row["id"], row["dimension"], row["dimension_weight"], row["title"]["zh"], row["title"]["en"], row["formula"]["en"] if row["formula"] else "",
               row["direction"], row["unit"], row["floor"], row["target"], row["weight"], row["least"], row["computed"], row["imported"],
               row["lacks"]["en"] if row["lacks"] else "", row["basis"], row["basis_date"]]
