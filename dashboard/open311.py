"""The routes of Open311 GeoReport v2. What is told and taken in is in queries/sources/open311_server.py."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from dashboard.context import Context
from dashboard.doors import body_of, status_of
from queries.clock import now
from queries.errors import (
    AskError,
    BusyError,
    ConflictError,
    GovError,
    NoSuchError,
    ScopeError,
    StoreError,
)
from queries.frame import EVERYTHING, Actor, Scope
from queries.people import tokens
from queries.sources import _geo_report as wire
from queries.sources import http_intake
from queries.sources import open311_server as told
from queries.sources._quarantine import Bad, keep

ROOT = "/open311/v2"
TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
#: How an answer is written.
Form = Annotated[str, Path(json_schema_extra={"enum": list(TYPES)})]
#: What can be asked of the list; times are W3C date-times, several values stand with commas between.
_ASKED = [{"name": name, "in": "query", "required": False, "schema": schema, "description": what} for name, schema, what in (
    ("service_request_id", {"type": "string"}, f"numbers, {told.NUMBERS} at most; they override everything else"), ("service_code", {"type": "string"}, "codes of services"),
    ("status", {"type": "string", "enum": ["open", "closed", "open,closed"]}, "open, closed, or both"),
    ("start_date", {"type": "string", "format": "date-time"}, "reported from then on; 90 days at most are told"), ("end_date", {"type": "string", "format": "date-time"}, "reported until then"),
    ("updated_after", {"type": "string", "format": "date-time"}, "changed from then on (beyond the standard)"),
    ("updated_before", {"type": "string", "format": "date-time"}, "changed until then (beyond the standard)"),
    ("page", {"type": "integer", "minimum": 1}, "of the list"), ("page_size", {"type": "integer", "minimum": 1, "maximum": told.MOST}, "requests of a page"),
    ("jurisdiction_id", {"type": "string"}, "the city's area code; may be left out"))]
#: The standard's own fields; a point, or an address, must be there.
_REPORT = {"type": "object", "required": ["api_key", "service_code"], "properties": {name: {"type": "string"} for name in (
    "api_key", "service_code", "lat", "long", "address_string", "address_id", "description", "media_url", "first_name", "last_name", "phone", "email",
    "account_id", "device_id", "jurisdiction_id")}}


class _NoKeyError(GovError):
    """A report without a key that opens this door."""


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""

    async def answer(request: Request, name: str, form: str, what: Callable[[], Any]) -> Response:
        """Return an answer in the form that was asked for, or the error as the standard tells it."""
        try:
            _known(form)
            await run_in_threadpool(told.jurisdiction, context.store, request.query_params.get("jurisdiction_id", ""))
            return _reply(200, name, await run_in_threadpool(what), form)
        except GovError as bad:
            return _bad(bad, form)

    @server.get("/open311/discovery.{form}", include_in_schema=False)
    async def discovery(request: Request, form: Form) -> Response:
        base = f"{str(request.base_url).rstrip('/')}{ROOT}"
        what = {"changeset": now().strftime("%Y-%m-%dT00:00:00Z"), "contact": "", "key_service": "app.py token add NAME", "endpoints": [{
            "specification": "http://wiki.open311.org/GeoReport_v2", "url": base, "changeset": now().strftime("%Y-%m-%dT00:00:00Z"), "type": "production",
            "formats": list(TYPES.values())}]}
        return await answer(request, "discovery", form, lambda: what)

    @server.get(ROOT + "/services.{form}", tags=["open311"], summary="Kinds of reports (GeoReport v2)")
    async def services(request: Request, form: Form) -> Response:
        return await answer(request, "services", form, lambda: told.services(context.store))

    @server.get(ROOT + "/services/{code}.{form}", tags=["open311"], summary="What a kind of report asks (GeoReport v2)")
    async def service(request: Request, code: str, form: Form) -> Response:
        return await answer(request, "service_definition", form, lambda: told.service(context.store, code))

    @server.get(ROOT + "/requests.{form}", tags=["open311"], summary="Cases as service requests (GeoReport v2)", openapi_extra={"parameters": _ASKED})
    async def requests(request: Request, form: Form) -> Response:
        def what() -> Any:
            scope, source = _reader(context)
            return told.requests(context.store, scope, _wanted(request, source))

        return await answer(request, "service_requests", form, what)

    @server.get(ROOT + "/requests/{no}.{form}", tags=["open311"], summary="One case as a service request (GeoReport v2)")
    async def one(request: Request, no: str, form: Form) -> Response:
        def what() -> Any:
            scope, source = _reader(context)
            found = told.requests(context.store, scope, told.Wanted(numbers=(no,), source=source))
            if not found:
                raise NoSuchError(f"No request has the number {no[:100]!r}.", field="service_request_id")
            return found

        return await answer(request, "service_requests", form, what)

    @server.get(ROOT + "/tokens/{no}.{form}", tags=["open311"], summary="The number behind a token; ours is the number itself (GeoReport v2)")
    async def token(request: Request, no: str, form: Form) -> Response:
        return await answer(request, "service_requests", form, lambda: [{"service_request_id": no, "token": no}])

    @server.post(ROOT + "/requests.{form}", tags=["open311"], status_code=201, summary="Report by a form; api_key = a source's token (GeoReport v2)",
                 openapi_extra={"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _REPORT}}}})
    async def report(request: Request, form: Form) -> Response:
        actor, said = None, {}
        try:
            # Before anything is done: a report whose answer cannot be written is not taken.
            _known(form)
            said = _form(request, await body_of(request))
            actor = await run_in_threadpool(_sender, context, said.pop("api_key", ""))
            await run_in_threadpool(told.jurisdiction, context.store, said.get("jurisdiction_id", ""))
            key = request.headers.get("idempotency-key", "")
            if key and not re.match(http_intake.KEY, key):
                raise AskError("Idempotency-Key is 1 to 200 printable ASCII characters.", field="Idempotency-Key")
            found = http_intake.found_in(told.report(said), actor, actor.name, key)
            done = await asyncio.wrap_future(context.loop.writer.submit(lambda page: page.report(found)))
            return _reply(201, "service_requests", [{"service_request_id": done.no, "service_notice": "", "account_id": ""}], form)
        except GovError as bad:
            if actor is not None and not isinstance(bad, (StoreError, ConflictError)):
                row = Bad(source=actor.name, file=request.url.path, row=1, field=bad.field, value="", reason=bad.say("zh"), reason_en=str(bad), raw=said)
                await asyncio.wrap_future(context.loop.writer.submit(lambda page: keep(page, [row])))
            return _bad(bad, form)

    # Below the standard's own address nothing is a page: a program that asks amiss is told so in its own words.
    @server.get("/open311/{rest:path}", include_in_schema=False)
    async def nothing(rest: str) -> Response:
        return _bad(NoSuchError("There is no such address; see discovery.json."), rest.rpartition(".")[2])


def _known(form: str) -> None:
    if form not in TYPES:
        raise NoSuchError("There is .json and .xml.")


def _reader(context: Context) -> tuple[Scope, str]:
    """Return what whoever asks may see, and the source to whose own reports it is bound."""
    visitor = context.visitor
    if visitor.by == "token":
        return EVERYTHING, visitor.actor.name
    if visitor.by == "nobody" or visitor.must_change:
        if context.settings.open311_public:
            return EVERYTHING, ""
        raise ScopeError("Requests are not public here. Sign in, or send Authorization: Bearer with a source's token to see what it reported.")
    return visitor.actor.scope, ""


def _sender(context: Context, key: str) -> Actor:
    with context.store.read() as connection:
        actor = tokens.find(connection, key) if key else context.actor if context.visitor.by == "token" else None
    if actor is None:
        raise _NoKeyError("api_key is missing or opens nothing. It is a source's token, sent in the form and never in the address.")
    return actor


def _form(request: Request, body: bytes) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise AskError("Send the report as application/x-www-form-urlencoded; pictures as media_url.", field="Content-Type")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=200))
    except ValueError as bad:
        raise AskError(f"The form cannot be read: {bad}.", field="body") from None


def _wanted(request: Request, source: str) -> told.Wanted:
    q = request.query_params

    def some(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in q.get(name, "").split(",") if part.strip())

    def number(name: str, default: int, most: int) -> int:
        text = q.get(name, "") or str(default)
        if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
            raise AskError(f"{name} is a number from 1 to {most}.", field=name)
        return int(text)

    return told.Wanted(
        numbers=some("service_request_id"), services=some("service_code"), statuses=some("status"), start=q.get("start_date", ""), end=q.get("end_date", ""),
        updated_after=q.get("updated_after", ""), updated_before=q.get("updated_before", ""), page=number("page", 1, 1_000_000),
        page_size=number("page_size", told.MOST, told.MOST), source=source)


def _bad(bad: GovError, form: str) -> Response:
    code = 403 if isinstance(bad, _NoKeyError) else 400 if (found := status_of(bad)) == 422 else found
    reply = _reply(code, "errors", told.faults(bad, code), form if form in TYPES else "json")
    if isinstance(bad, BusyError):
        reply.headers["Retry-After"] = "1"
    return reply


def _reply(status: int, name: str, what: Any, form: str) -> Response:
    return Response(wire.written(name, what, form), status, media_type=TYPES[form])
