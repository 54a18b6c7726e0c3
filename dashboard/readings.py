"""The door for readings over HTTP, and what the API tells of sensors. The shapes are in queries/sources/_readings.py."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from pydantic import AwareDatetime

from dashboard.api import moment_of, plain, told
from dashboard.api_loop import At, Drill, Place
from dashboard.batch_door import BatchDoor, BatchFate, RowFault, add_door
from dashboard.context import Context, ended
from queries.alarms import desk
from queries.clock import stamp
from queries.frame import Ask
from queries.sensing import values
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sources._readings import BadReadingError, read_row

Code = Annotated[str, Path(max_length=200)]
FILE, HTTP = "/api/v1/readings", "readings_http"
_ROW = {"type": "object", "required": ["sensor", "at", "value"], "additionalProperties": False, "properties": {
    "sensor": {"type": "string", "minLength": 1, "maxLength": 200}, "at": {"type": "string", "format": "date-time"},
    "value": {"type": "number"}, "metric": {"type": "string", "maxLength": 200}, "unit": {"type": "string", "maxLength": 200}}}


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""

    async def take(name: str, came: list[Any]) -> BatchFate:
        return await _taken(context, name, came)

    add_door(server, context, BatchDoor(
        path=FILE, summary="Bring up to 5,000 readings; each row has its own outcome", row=_ROW, posts=("source", "admin", "dispatcher"),
        only=("Readings are for a source's token.", "读数须由数据源令牌提交。"), by_hand=HTTP, in_flight=60_000, take=take))


async def _taken(context: Context, name: str, came: list[Any]) -> BatchFate:
    rows: list[Read] = []
    numbers: list[int] = []
    faults: list[RowFault] = []
    unread: list[tuple[str, str, str]] = []
    for i, one in enumerate(came, 1):
        try:
            rows.append(read_row(one))
            numbers.append(i)
        except BadReadingError as bad:
            faults.append(RowFault(row=i, field=bad.field, message=str(bad), zh=bad.say("zh")))
            unread.append((bad.field, bad.why, ascii(one)[:200]))
    taken = await asyncio.wrap_future(context.scribe.submit(Parcel(source=name, rows=rows, unread=unread, file=FILE)))
    faults += [RowFault(row=numbers[f.row - 1], field=f.field, message=f.en, zh=f.zh) for f in taken.faults]
    faults.sort(key=lambda fault: fault.row)
    return BatchFate(new=taken.new, changed=taken.changed, again=taken.again, refused=len(faults), rows=faults)


def add_answers(server: FastAPI, context: Context) -> None:
    """Add what the API tells of sensors and alarms."""

    def ask(place: str | None, at: str = "", drill: str = "") -> Ask:
        last, then = context.city().last_day, moment_of(context, at, drill)
        since, until = (last, last) if then is None else ended(last, last, then)
        return Ask(scope=context.scope, since=since, until=until, place=place or None, at=then, drill=bool(drill))

    @server.get("/api/v1/sensors", tags=["sensors"], summary="Sensors with their latest value, what needs a look first; `health` = how each kind is")
    def sensors(place: Place = None, state: Annotated[str, Query(max_length=20, description=", ".join(values.STATE_WORDS))] = "",
                kind: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=1000)] = 200,
                at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, at, drill)
        return {**told(values.listed(context.store, asked, state, kind, limit), asked), "health": plain(values.health(context.store, asked).rows)}

    @server.get("/api/v1/sensors/{sensor}", tags=["sensors"], summary="A sensor: each of its metrics")
    def sensor(sensor: Code, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(None, at, drill)
        return told(values.one(context.store, asked, sensor), asked)

    @server.get("/api/v1/sensors/{sensor}/series", tags=["sensors"], summary="A sensor's sums by minute, hour or day, gaps included")
    def series(sensor: Code, metric: Annotated[str, Query(max_length=200)] = "", grain: Annotated[str, Query(pattern="^(minute|hour|day)$")] = "hour",
               since: Annotated[AwareDatetime | None, Query(alias="from")] = None, until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
               at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(None, at, drill)
        ends = (None if one is None else stamp(one) for one in (since, until))
        return told(values.series(context.store, asked, sensor, metric, grain, *ends), asked)  # type: ignore[arg-type]

    @server.get("/api/v1/alarms", tags=["alarms"], summary="Alarms, the most urgent first, with the pace at which they come")
    def alarms(place: Place = None, state: Annotated[str, Query(pattern="^(open|unacked|shelved|closed|all)$")] = "open",
               limit: Annotated[int, Query(ge=1, le=1000)] = 200,
                at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, at, drill)
        return {**told(desk.alarms(context.store, asked, state, limit), asked), "pace": plain(desk.pace(context.store, asked, context.settings.operators).row)}

    @server.get("/api/v1/alarms/serious", tags=["alarms"], summary="Serious alarms that nobody has acknowledged, with what is near")
    def serious(place: Place = None) -> dict[str, Any]:
        asked = ask(place)
        return told(desk.serious(context.store, asked), asked)

    @server.get("/api/v1/alarms/{alarm}", tags=["alarms"], summary="An alarm with its history and what is near")
    def alarm(alarm: Annotated[int, Path(ge=1, le=2**31 - 1)], at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(None, at, drill)
        answer = desk.one(context.store, asked, alarm)
        row = answer.row
        near = desk.nearest(context.store, asked, row.lon, row.lat).rows if row.lon is not None and row.lat is not None else ()
        return {**told(answer, asked), "history": plain(desk.history(context.store, asked, alarm).rows), "near": plain(near)}
