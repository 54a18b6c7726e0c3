"""The doors for other systems: cases and steps over HTTP. The shapes are in queries/sources/http_intake.py.

Requests that come at once share one commit; each is answered when its own change is safe.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from dashboard.context import Context
from queries.clock import moment
from queries.errors import (
    AskError,
    BusyError,
    ConflictError,
    GovError,
    NoSuchError,
    PostError,
    ScopeError,
    SignInError,
    StepError,
    StoreError,
)
from queries.frame import Actor
from queries.loop.orders import Receipt
from queries.loop.page import Page
from queries.loop.steps import STEPS
from queries.sources import http_intake as shapes
from queries.sources._quarantine import Bad, keep

#: Rows of a batch that are written together; between two parts others get their turn.
PART = 250
#: Rows of one sender that may wait; a flood is told to slow down (429) and slows nobody else.
IN_FLIGHT = 6_000
HTTP = "http_intake"


class ReceiptOut(BaseModel):
    """What was written: the case after it, and its last event."""

    no: str
    seq: int
    event: int
    status: str
    waiting: str
    due_at: str | None
    stage_due_at: str | None
    again: bool
    proposals: list[dict[str, str]]
    likely_repeats: list[str]


class FaultOut(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str
    zh: str


class RefusalOut(BaseModel):
    """Why nothing was written."""

    error: str
    message: str
    zh: str
    fields: list[FaultOut] = []


class RowOut(BaseModel):
    """What became of one row of a batch: a receipt or a refusal, with the status that it would have had alone."""

    row: int
    status: int
    receipt: ReceiptOut | None = None
    refusal: RefusalOut | None = None


class BatchOut(BaseModel):
    """What became of a batch."""

    new: int
    again: int
    refused: int
    rows: list[RowOut]


class _TooLargeError(GovError):
    """A message over the limit."""


class TooManyError(GovError):
    """A sender who does not wait for answers."""


STATUS: tuple[tuple[type[GovError], int], ...] = (
    (_TooLargeError, 413), (TooManyError, 429), (BusyError, 503), (StoreError, 503), (NoSuchError, 404), (PostError, 403), (ScopeError, 403),
    (SignInError, 401), (ConflictError, 409),
)
_SAID = {201: "new", 200: "the same message again", 401: "not signed in", 403: "outside of what the sender may do or see",
         404: "no such case", 409: "the key came before with another message, or somebody was faster", 413: "larger than 5 MB",
         422: "cannot be used as it is", 429: "too much at once from one sender", 503: "too much waits to be written; try again"}
_KEY = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "pattern": shapes.KEY},
        "description": "the same key of the same sender again is the same message: it is answered again and written once"}


class Doors:
    """Takes messages for one context."""

    def __init__(self, context: Context) -> None:
        """Serve a context; nobody waits yet."""
        self._context = context
        self._waiting: Counter[str] = Counter()

    async def one(self, request: Request, model: type[BaseModel], no: str = "") -> Response:
        """Take one message; `no` = the case that it is about."""
        actor, body = self._context.actor, b""
        try:
            body = await body_of(request)
            key = request.headers.get("idempotency-key")
            if key is not None and not re.match(shapes.KEY, key):
                # Whoever sends one, be it empty, counts on being protected by it.
                raise shapes.BadMessageError([shapes.Fault(field="Idempotency-Key", message="is 1 to 200 printable ASCII characters", zh="须为 1 至 200 个可见 ASCII 字符")])
            act = _act(shapes.checked(model, shapes.parsed(body)), actor, key or "", no)
            return reply(*_said(await self._written(actor, act, 1)))
        except GovError as bad:
            if actor.post == "source" and not isinstance(bad, (ConflictError, StoreError, TooManyError, _TooLargeError)):
                await self._keep([_bad(actor, request, 1, bad, body)])
            return reply(*_refused(bad))

    async def many(self, request: Request, model: type[BaseModel]) -> Response:
        """Take a batch: good rows in, bad rows told and kept in quarantine."""
        actor = self._context.actor
        try:
            rows = shapes.rows_of(shapes.parsed(await body_of(request)))
        except GovError as bad:
            return reply(*_refused(bad))
        out: list[dict[str, Any]] = []
        kept: list[Bad] = []
        for begin in range(0, len(rows), PART):
            out += await self._part(request, actor, model, begin, rows[begin:begin + PART], kept)
            if any(row["status"] in (429, 503) for row in out[begin:]):
                # What was not tried is told as such: the sender sends it again, with its keys.
                late = {"status": 503, "refusal": _refused(BusyError("Not tried yet: too much waits. Send this row again.", zh="未处理：待写入过多，请重发此行。"))[1]}
                out += [{"row": i + 1, **late} for i in range(begin + PART, len(rows))]
                break
        await self._keep(kept)
        counts = Counter(row["status"] for row in out)
        told = {"new": counts[201], "again": counts[200], "refused": len(out) - counts[201] - counts[200], "rows": out}
        return reply(200, told)

    async def _part(self, request: Request, actor: Actor, model: type[BaseModel], begin: int, rows: list[Any], kept: list[Bad]) -> list[dict[str, Any]]:
        acts: list[Callable[[Page], Receipt] | GovError] = []
        for row in rows:
            try:
                acts.append(_act(shapes.checked(model, row), actor, "", ""))
            except GovError as bad:
                acts.append(bad)
        try:
            done = await self._written(actor, lambda page: [_tried(page, act) for act in acts], len(rows))
        except GovError as bad:
            done = [bad] * len(rows)
        out = []
        for i, one in enumerate(done):
            good = isinstance(one, Receipt)
            status, told = _said(one) if good else _refused(one)
            out.append({"row": begin + i + 1, "status": status, "receipt" if good else "refusal": told})
            if isinstance(one, (AskError, StepError, ScopeError)):
                kept.append(_bad(actor, request, begin + i + 1, one, rows[i]))
        return out

    async def _written(self, actor: Actor, act: Callable[[Page], Any], weight: int) -> Any:
        name = actor.name
        if self._waiting[name] + weight > IN_FLIGHT:
            raise TooManyError("You send faster than can be written. Wait for the answers.", zh="发送过快，请等待应答后再发。")
        self._waiting[name] += weight
        try:
            return await asyncio.wrap_future(self._context.loop.writer.submit(act))
        finally:
            self._waiting[name] -= weight

    async def _keep(self, rows: list[Bad]) -> None:
        if rows:
            await asyncio.wrap_future(self._context.loop.writer.submit(lambda page: keep(page, rows)))


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""
    doors = Doors(context)

    @server.post("/api/v1/cases", summary="Report a case", **_told(shapes.CaseIn, keyed=True))
    async def report(request: Request) -> Response:
        return await doors.one(request, shapes.CaseIn)

    @server.post("/api/v1/cases/batch", summary="Report up to 5,000 cases; each row has its own outcome", **_told(shapes.CaseRow, many=True))
    async def reports(request: Request) -> Response:
        return await doors.many(request, shapes.CaseRow)

    @server.post("/api/v1/cases/{no}/steps", summary="Take a step on a case", **_told(shapes.StepIn, keyed=True))
    async def take(request: Request, no: str) -> Response:
        return await doors.one(request, shapes.StepIn, no)

    @server.post("/api/v1/steps/batch", summary="Take up to 5,000 steps; each row has its own outcome", **_told(shapes.StepRow, many=True))
    async def takes(request: Request) -> Response:
        return await doors.many(request, shapes.StepRow)

    @server.get("/api/v1/steps", tags=["doors"], summary="The transition table: every step, from where, by whom, and what it must say")
    def steps() -> list[dict[str, Any]]:
        return [{"id": s.id, "title": s.title, "from": s.frm, "to": s.to, "posts": s.posts, "needs": s.needs} for s in STEPS.values()
                if s.id not in ("told", "changed")]


def _told(model: type[BaseModel], keyed: bool = False, many: bool = False) -> dict[str, Any]:
    shape = model.model_json_schema()
    if many:
        shape = {"type": "object", "required": ["rows"], "additionalProperties": False, "title": f"{model.__name__}s",
                 "properties": {"rows": {"type": "array", "minItems": 1, "maxItems": shapes.MOST, "items": shape}}}
    bad = (400, 401, 403, 413, 422, 429, 503) if many else (401, 403, 404, 409, 413, 422, 429, 503)
    good: dict[int | str, dict[str, Any]] = {200: {"model": BatchOut, "description": "row by row"}} if many else {
        code: {"model": ReceiptOut, "description": _SAID[code]} for code in (201, 200)}
    return {
        "tags": ["doors"], "status_code": 200 if many else 201,
        "responses": good | {code: {"model": RefusalOut, "description": _SAID[code]} for code in bad if code in _SAID},
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": shape}}},
                          **({"parameters": [_KEY]} if keyed else {})},
    }


async def body_of(request: Request) -> bytes:
    """Return a message's body, or refuse it while it comes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > shapes.LARGEST:
            raise _TooLargeError("A message may be 5 MB at most. Send it in parts.", zh="消息超过 5 MB，请分批发送。")
        parts.append(part)
    return b"".join(parts)


def _act(message: Any, actor: Actor, key: str, no: str) -> Callable[[Page], Receipt]:
    by_source = actor.post == "source"
    source = actor.name if by_source else HTTP
    key = key or getattr(message, "key", "")
    if key and not by_source:
        # A person's keys are their own.
        key = f"{actor.name}/{key}"
    if isinstance(message, shapes.CaseIn):
        found = shapes.found_in(message, actor, source, key)
        return lambda page: page.report(found)
    order = shapes.order_in(message, actor, source, key, no)
    return lambda page: page.take(order)


def _tried(page: Page, act: Callable[[Page], Receipt] | GovError) -> Receipt | GovError:
    if isinstance(act, GovError):
        return act
    try:
        return act(page)
    except GovError as bad:
        return bad


def _said(r: Receipt) -> tuple[int, dict[str, Any]]:
    return 200 if r.again else 201, {
        "no": r.no, "seq": r.seq, "event": r.event_id, "status": r.status, "waiting": r.waiting, "due_at": _iso(r.due_at),
        "stage_due_at": _iso(r.stage_due_at), "again": r.again, "proposals": list(r.proposals), "likely_repeats": list(r.likely_repeats)}


def _iso(at: int | None) -> str | None:
    return None if at is None else moment(at).isoformat()


def status_of(bad: GovError) -> int:
    """Return the status by which an error is told."""
    return next((code for kind, code in STATUS if isinstance(bad, kind)), 422)


def _refused(bad: GovError) -> tuple[int, dict[str, Any]]:
    status = status_of(bad)
    faults = bad.faults if isinstance(bad, shapes.BadMessageError) else [shapes.Fault(field=bad.field, message=str(bad), zh=bad.say("zh"))] if bad.field else []
    return status, {"error": type(bad).__name__.strip("_"), "message": str(bad), "zh": bad.say("zh"),
                    "fields": [{"field": f.field, "message": f.message, "zh": f.zh} for f in faults]}


def reply(status: int, told: dict[str, Any]) -> Response:
    """Return an answer; who was too fast is told when to come again."""
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    return Response(to_json(told), status, headers, "application/json")


def _bad(actor: Actor, request: Request, row: int, bad: GovError, raw: Any) -> Bad:
    fault = bad.faults[0] if isinstance(bad, shapes.BadMessageError) else None
    return Bad(source=actor.name if actor.post == "source" else HTTP, file=request.url.path[:100], row=row, reason=bad.say("zh"), reason_en=str(bad),
               field=fault.field if fault else bad.field, value=fault.value if fault else "", raw=raw)
