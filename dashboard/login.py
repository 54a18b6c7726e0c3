"""The door: before anything is answered it finds out who asks, and turns away who may not.

One pure ASGI layer around pages, callbacks, map and API. Whoever adds single sign-on, a second factor
or an audit chain begins here: `Door.meet` is the only place where a request becomes a visitor.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from html import escape
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import public_list
from dashboard.context import NOBODY, Context, Visitor, visited
from queries.errors import StoreError
from queries.people import actors, demo_posts, sessions, tokens
from queries.people.roles import SOURCE
from queries.settings import Settings

SESSION, POST = "gov_session", "gov_demo_post"
#: Threads that look up who asks: where a network is waited for, some more.
DESKS = {"sqlite": 1, "postgresql": 4}
SAFE = ("GET", "HEAD", "OPTIONS")
#: Without any visitor: pictures and scripts, and what a watch-dog asks.
STATIC = ("/assets/", "/_dash-component-suites/")
OPEN = ("/login", "/logout", "/healthz", "/_favicon.ico", "/favicon.ico")
#: Who must choose a password may do this and nothing else.
CHANGING = ("/login", "/logout", "/password", "/healthz")
#: Where machines bring data in; they read nothing.
INTAKE = ("/api/v1/",)
#: By a standard whose clients have no session: its routes themselves see to it who reads and who reports.
STANDARD = ("/open311/",)
#: Answered in JSON; everything else is a page, which leads to the sign-in page.
TOLD = ("/api", "/map/", "/_dash-", "/openapi.json", "/live")
#: The one stream (dashboard/live.py), and the name by which it finds out whether its visitor may still listen.
LIVE, STILL = "/live", "gov.still"
#: Pictures that go on for minutes, and the name by which their route finds out who asks by now.
EYES, AGAIN = "/camera/live/", "gov.again"
#: Asked for again and again by a page that is open: that keeps no session open either.
PICTURES = "/camera/"
#: Said by a page that nobody has touched for a while: asking by itself does not keep a session open.
UNATTENDED = "x-gov-unattended"


@lru_cache(maxsize=1024)
def loopback(host: str) -> bool:
    """Return whether an address or name can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def local(scope: Scope, headers: Headers, settings: Settings) -> bool:
    """Return whether a request came from this machine to this machine, and by no proxy."""
    client = (scope.get("client") or ("",))[0]
    named = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    passed_on = any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
    return loopback(settings.host) and loopback(client) and loopback(named) and not passed_on


def foreign(method: str, headers: Headers) -> bool:
    """Return whether a browser sends a changing request on behalf of another site's page.

    Who sends neither header is no browser, or a very old one.
    """
    if method in SAFE:
        return False
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


class Door:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self.app = app
        self.context = context
        self._touched: OrderedDict[str, float] = OrderedDict()
        # It takes so little that threads which all want to run at once cost more than it does.
        self._desk = ThreadPoolExecutor(DESKS[context.store.dialect], "door")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in as its visitor, or answer it here."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"].startswith(STATIC):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            visitor, session = await asyncio.get_running_loop().run_in_executor(self._desk, self.meet, scope, headers)
        except StoreError as bad:
            await _away(scope, bad)(scope, receive, _guarded(send))
            return
        answer = refusal(scope, headers, visitor)
        if visitor.by == "nobody" and public_list.asked(self.context, scope):
            answer = await run_in_threadpool(self._public, scope, visitor)
        if scope["path"].startswith(EYES):
            scope = {**scope, AGAIN: self._again(scope, headers)}
        with visited(visitor):
            await (answer or self.app)(scope, receive, _guarded(send))
        if session is not None and UNATTENDED not in headers and scope["path"] != "/healthz" and not scope["path"].startswith(PICTURES):
            self._used(session)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a page of ours listen to the stream; every other socket is closed: it would outlive its session."""
        headers = Headers(scope=scope)
        home = urlsplit(headers.get("origin", "")).netloc.lower() == headers.get("host", "").lower()
        may = self._listener(scope, headers)
        if scope["path"] != LIVE or not home or not await may(False):
            await send({"type": "websocket.close", "code": 4003})
            return
        await self.app({**scope, STILL: may}, receive, send)

    def _listener(self, scope: Scope, headers: Headers) -> Callable[..., Awaitable[bool]]:
        async def may(away: bool = True) -> bool:
            """Return whether its visitor may listen; `away` = what holds while the database does not answer."""
            try:
                visitor, _ = await asyncio.get_running_loop().run_in_executor(self._desk, self.meet, scope, headers)
            except StoreError:
                return away
            return visitor.by in ("session", "demo") and not visitor.must_change
        return may

    def _again(self, scope: Scope, headers: Headers) -> Callable[[], Awaitable[Visitor]]:
        async def again() -> Visitor:
            """Return who sends this request by now: a session may have ended, a right been taken away. Raises StoreError."""
            return (await asyncio.get_running_loop().run_in_executor(self._desk, self.meet, scope, headers))[0]
        return again

    def meet(self, scope: Scope, headers: Headers) -> tuple[Visitor, sessions.Session | None]:
        """Return who asks, and the session by which."""
        context = self.context
        kept = cookie_parser(headers.get("cookie", ""))
        kind, _, secret = headers.get("authorization", "").partition(" ")
        # One connection for all of it: who holds one while waiting for another can block everybody.
        with context.store.read() as connection:
            demo = local(scope, headers, context.settings) and demo_posts.offered(connection)
            if kind.lower() == "bearer":
                source = tokens.find(connection, secret.strip())
                return (NOBODY if source is None else Visitor(actor=source, by="token")), None
            held = sessions.find(connection, kept[SESSION], context.settings) if kept.get(SESSION) else None
            if held is not None:
                must = held.account.must_change
                actor = NOBODY.actor if must else actors.of_account(held.account)
                return Visitor(actor=actor, by="session", must_change=must, demo=demo, session=held.id[:32]), held
            if demo:
                return Visitor(actor=demo_posts.actor(connection, kept.get(POST, "")), by="demo", demo=True), None
        return NOBODY, None

    def _public(self, scope: Scope, visitor: Visitor) -> Response:
        with visited(visitor):
            return public_list.page(self.context, scope["query_string"].decode("latin-1"))

    def _used(self, session: sessions.Session) -> None:
        present = time.time()
        last = max(float(session.seen_at), self._touched.get(session.id, 0.0))
        if present - last < sessions.GRAIN:
            return
        self._touched[session.id] = present
        while len(self._touched) > 10_000:
            self._touched.popitem(last=False)
        # Nobody waits for it: a long load may hold the database.
        threading.Thread(target=self._touch, args=(session.id,), daemon=True).start()

    def _touch(self, session_id: str) -> None:
        # Held by a long load, it is tried again at the next use, a minute later.
        with contextlib.suppress(StoreError):
            sessions.touch(self.context.store, session_id)


def refusal(scope: Scope, headers: Headers, visitor: Visitor) -> Response | None:
    """Return why a request is turned away; None = it may go on."""
    path, method = scope["path"], scope["method"]
    if visitor.by != "token" and foreign(method, headers):
        return _told(403, "ScopeError", "This request came from another site's page. Open the page here and try again.")
    if path.startswith(STANDARD):
        return None
    if visitor.by == "token":
        if method not in SAFE and path.startswith(INTAKE) and visitor.actor.post == SOURCE.id:
            return None
        return _told(403, "ScopeError", "A source's token brings data in; it opens nothing to read.")
    if path in OPEN or visitor.by == "demo":
        return None
    if visitor.by == "nobody" and not path.startswith(TOLD):
        return RedirectResponse(f"/login?next={quote(_here(scope), safe='')}", 303)
    if visitor.by == "nobody":
        bad = _told(401, "SignInError", "Sign in first (/login), or send Authorization: Bearer with a source's token.")
        bad.headers["WWW-Authenticate"] = "Bearer"
        return bad
    if visitor.must_change and path not in CHANGING:
        if path.startswith(TOLD):
            return _told(403, "SignInError", "Replace the one-time password first (/password).")
        return RedirectResponse(f"/password?next={quote(_here(scope), safe='')}", 303)
    return None


def _here(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    # Where a form was to go is no page to come back to.
    return "/" if scope["method"] not in SAFE else scope["path"] + (f"?{query}" if query else "")


def _away(scope: Scope, bad: StoreError) -> Response:
    """Return that the database is away: to a program as such, to a person as a page that looks again by itself."""
    headers = {"Retry-After": "5"}
    if scope["path"].startswith(TOLD) or scope["path"] == "/healthz":
        return JSONResponse({"error": type(bad).__name__, "message": str(bad), "zh": bad.say("zh"), "fields": []}, 503, headers)
    return HTMLResponse(f"<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=5><title>503</title>"
                        f"<p>{escape(bad.say('zh'))}<p lang=en>{escape(str(bad))}", 503, headers)


def _told(status: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "message": message}, status)


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # What one may see must not be found in a cache by who may not.
            headers.setdefault("Cache-Control", "private, no-store")
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("Content-Security-Policy", "frame-ancestors 'self'")
        await send(message)

    return guarded
