"""The door for departments' figures over HTTP. How a row is read and written is in queries/sources/_figures.py."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from dashboard.context import Context
from dashboard.doors import body_of, status_of
from queries.errors import AskError, GovError, PostError
from queries.sources import http_intake as shapes
from queries.sources._figures import FIELDS, KIND, Row, read_rows, taking, texts
from queries.sources._quarantine import Bad, keep
from queries.sources.figures_http import SOURCE

#: Rows of one sender that may wait; who sends faster is told so (429).
IN_FLIGHT = 20_000
#: Who may bring figures: a source's token, or an administrator by hand.
MAY = ("source", "admin")
FILE = "/api/v1/index/figures"


class FigureFault(BaseModel):
    """A row that was refused."""

    row: int
    field: str
    message: str
    zh: str


class FiguresOut(BaseModel):
    """What became of a batch: all of it is safe when this is answered. The same batch again changes nothing."""

    new: int
    changed: int
    again: int
    refused: int
    rows: list[FigureFault]


_CELL = {"anyOf": [{"type": "string", "maxLength": 200}, {"type": "number"}, {"type": "null"}]}
_ROW = {"type": "object", "required": ["indicator", "area_code", "period"], "additionalProperties": False, "properties": dict.fromkeys(FIELDS[KIND], _CELL)}
_BODY = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {
    "rows": {"type": "array", "minItems": 1, "maxItems": shapes.MOST, "items": _ROW}}}


class _TooFastError(GovError):
    """A sender who does not wait for answers."""


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the route. Nothing is asked here."""
    waiting: Counter[str] = Counter()

    @server.post(FILE, tags=["doors"], summary="Bring up to 5,000 departments' figures; each row has its own outcome, the same figure again changes nothing",
                 response_model=FiguresOut,
                 responses={code: {"description": what} for code, what in ((403, "not for this post"), (413, "larger than 5 MB"), (422, "cannot be used"),
                                                                            (429, "too much at once from one sender"), (503, "too much waits; send it again"))},
                 openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}})
    async def figures(request: Request) -> Response:
        actor = context.actor
        try:
            if actor.post not in MAY:
                raise PostError("Departments' figures are for a source's token or an administrator.", zh="部门指标数据须由数据源令牌或管理员提交。")
            rows = shapes.rows_of(shapes.parsed(await body_of(request)))
            name = actor.name if actor.post == "source" else SOURCE.id
            if waiting[name] + len(rows) > IN_FLIGHT:
                raise _TooFastError("You send faster than can be written. Wait for the answers.", zh="发送过快，请等待应答后再发。")
            waiting[name] += len(rows)
            try:
                return _reply(200, await _taken(context, name, rows))
            finally:
                waiting[name] -= len(rows)
        except GovError as bad:
            status = 429 if isinstance(bad, _TooFastError) else status_of(bad)
            return _reply(status, {"error": type(bad).__name__.strip("_"), "message": str(bad), "zh": bad.say("zh"), "fields": []})


async def _taken(context: Context, name: str, came: list[Any]) -> dict[str, Any]:
    rows: list[Row] = []
    numbers: list[int] = []
    faults: list[dict[str, Any]] = []
    unread: list[Bad] = []
    for i, one in enumerate(came, 1):
        try:
            rows.append(texts(one))
            numbers.append(i)
        except AskError as bad:
            faults.append({"row": i, "field": bad.field, "message": str(bad), "zh": bad.say("zh")})
            unread.append(Bad(source=name, file=FILE, row=i, field=bad.field, value="", reason=bad.say("zh"), reason_en=str(bad), raw=one))
    writer = context.loop.writer
    new = changed = again = 0
    title = SOURCE.title if name == SOURCE.id else {"zh": name, "en": name}
    if rows:
        fate, _ = await asyncio.wrap_future(writer.submit(taking(name, read_rows(name, rows), FILE, title)))
        new, changed, again = fate.new, fate.changed, fate.again
        faults += [{"row": numbers[row - 1], "field": field, "message": f"{field}: {en}.", "zh": f"{field}：{zh}。"} for row, field, zh, en, _ in fate.faults]
    if unread:
        await asyncio.wrap_future(writer.submit(lambda page: keep(page, unread)))
    faults.sort(key=lambda fault: fault["row"])
    return {"new": new, "changed": changed, "again": again, "refused": len(faults), "rows": faults}


def _reply(status: int, told: dict[str, Any]) -> Response:
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    return Response(to_json(told), status, headers, "application/json")
