"""The pages of the door: sign in, sign out, choose a password; and the switch of demo posts.

Plain HTML that needs no script. Where a page leads to afterwards is always one of our own.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from dashboard import address
from dashboard.context import Context
from dashboard.login import POST, SESSION
from dashboard.words import Words
from queries import places, scope
from queries.errors import GovError, SignInError, StoreError, WeakPasswordError
from queries.frame import Scope
from queries.people import accounts, actors, demo_posts, sessions
from queries.people.roles import STAYING, WALL_DAYS

ASSETS = Path(__file__).resolve().parent.parent / "assets"
#: More is no name and no password.
LONGEST_FORM = 4096
NAMES = {"zh": "中文", "en": "English"}
#: Nothing on these pages runs, and nothing comes from elsewhere.
STRICT = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                                     "frame-ancestors 'none'; base-uri 'none'"}
log = structlog.get_logger("gov")


def own(path: str | None) -> str:
    """Return a path if it is one of ours, else the first page. Never leads to another site."""
    path = path or "/"
    odd = "\\" in path or not path.startswith("/") or path.startswith("//") or any(ord(c) < 33 or ord(c) == 127 for c in path)
    return "/" if odd or urlsplit(path).path in ("/login", "/logout", "/password") else path


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""

    def page(request: Request, kind: str, why: str = "", status: int = 200, **kept: str) -> Response:
        lang, onward = _language(context, request), own(request.query_params.get("next"))
        return HTMLResponse(_page(context, kind, lang, onward, why, kept), status, headers=STRICT)

    @server.get("/login", include_in_schema=False)
    def login(request: Request) -> Response:
        return page(request, "login")

    @server.post("/login", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(_sign_in, request, form)

    def _sign_in(request: Request, form: dict[str, str]) -> Response:
        w, name = Words(_language(context, request)), form.get("name", "").strip()
        try:
            account = accounts.verify(context.store, name, form.get("password", ""), context.settings)
            if old := request.cookies.get(SESSION):
                sessions.end(context.store, old)
            answer = _begun(request, account)
        except SignInError:
            log.warning("sign-in refused", client=request.client.host if request.client else "")
            return page(request, "login", w("login.refused"), 401, name=name[:40])
        except StoreError:
            return page(request, "login", w("login.busy"), 503, name=name[:40])
        log.info("signed in", account=account.name)
        return answer

    def _begun(request: Request, account: accounts.Account) -> Response:
        """Return the way on with a session that did not exist before."""
        secret = sessions.begin(context.store, account.id, context.settings)
        onward = own(request.query_params.get("next"))
        if urlsplit(onward).path == "/":
            onward = _within(context, onward, actors.of_account(account).scope)
        answer = RedirectResponse(f"/password?next={quote(onward, safe='')}" if account.must_change else onward, 303)
        # A wall's browser that is started anew finds its session again; others forget it when they are closed.
        answer.set_cookie(SESSION, secret, max_age=86_400 * WALL_DAYS if account.role in STAYING else None, httponly=True, samesite="lax", path="/", secure=_https(context, request))
        return answer

    @server.get("/logout", include_in_schema=False)
    def logout(request: Request) -> Response:
        return page(request, "logout")

    @server.post("/logout", include_in_schema=False)
    def sign_out(request: Request) -> Response:
        if secret := request.cookies.get(SESSION):
            sessions.end(context.store, secret)
            log.info("signed out", account=context.actor.name)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(SESSION, path="/", httponly=True, samesite="lax", secure=_https(context, request))
        return answer

    @server.get("/password", include_in_schema=False)
    def password(request: Request) -> Response:
        return page(request, "password") if context.visitor.by == "session" else RedirectResponse("/login", 303)

    @server.post("/password", include_in_schema=False)
    async def choose(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(_choose, request, form)

    def _choose(request: Request, form: dict[str, str]) -> Response:
        w, secret = Words(_language(context, request)), request.cookies.get(SESSION, "")
        with context.store.read() as connection:
            held = sessions.find(connection, secret, context.settings) if secret else None
        if held is None:
            return RedirectResponse("/login", 303)
        if form.get("new") != form.get("again"):
            return page(request, "password", w("password.differ"), 400)
        try:
            account = accounts.choose_password(
                context.store, held.account.name, form.get("old", ""), form.get("new", ""), context.settings)
        except WeakPasswordError as bad:
            return page(request, "password", w.pick(bad.words), 400)
        except SignInError:
            return page(request, "password", w("password.refused"), 401)
        log.info("password changed", account=account.name)
        return _begun(request, account)

    @server.post("/demo-post/{post}", include_in_schema=False)
    def choose_post(request: Request, post: str) -> Response:
        if not context.visitor.demo or post not in demo_posts.POSTS:
            return Response("There is no such demo post here.", 404, media_type="text/plain")
        with context.store.read() as connection:
            seen = demo_posts.actor(connection, post).scope
        onward = _within(context, _from(request), seen)
        answer = RedirectResponse(onward, 303)
        answer.set_cookie(POST, post, httponly=True, samesite="lax", path="/", secure=_https(context, request))
        return answer


def _https(context: Context, request: Request) -> bool:
    # The scheme is the proxy's word only when the proxy is trusted; the server sees to that.
    return context.settings.https or request.url.scheme == "https"


def _language(context: Context, request: Request) -> str:
    for given in (request.query_params.get("lang"), *parse_qs(urlsplit(own(request.query_params.get("next"))).query).get("lang", [])):
        if given in address.LANGUAGES:
            return given
    return context.settings.language


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; of one that is too large, none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            return {}
    try:
        return {key: values[-1] for key, values in parse_qs(body.decode("utf-8"), max_num_fields=20).items()}
    except ValueError:
        return {}


def _from(request: Request) -> str:
    came = urlsplit(request.headers.get("referer", ""))
    return own(came.path + (f"?{came.query}" if came.query else "")) if came.netloc == request.headers.get("host") else "/"


def _within(context: Context, path: str, seen: Scope) -> str:
    """Return an address that its visitor may see; who answers for one area begins there."""
    parts = urlsplit(path)
    view, _ = address.read(parts.path, parts.query, context.settings.language)
    on = context.city().last_day
    with context.store.read() as connection:
        try:
            scope.check(connection, seen, places.find(connection, view.place, on))
        except GovError:
            view = view.but(place=None, case="", after="")
    if view.place is None and seen.areas is not None and len(seen.areas) == 1:
        view = view.but(place=next(iter(seen.areas)))
    return address.write(view)


def _page(context: Context, kind: str, lang: str, onward: str, why: str, kept: dict[str, str]) -> str:
    w, city = Words(lang), context.city()
    here = f"/{kind}?next={quote(onward, safe='')}"
    fields = {"login": (("name", "text", "username"), ("password", "password", "current-password")),
              "password": (("old", "password", "current-password"), ("new", "password", "new-password"), ("again", "password", "new-password")),
              "logout": ()}[kind]
    shown = "".join(_field(w, kind, name, type_, auto, kept.get(name, ""), focus=i == 0)
                    for i, (name, type_, auto) in enumerate(fields))
    links = "".join(f'<link rel="stylesheet" href="/assets/{escape(file.name)}">' for file in sorted(ASSETS.glob("*.css")))
    other = next(code for code in address.LANGUAGES if code != lang)
    told = f'<p class="failed" role="alert" id="why">⚠ {escape(why)}</p>' if why else ""
    hint = w("password.hint") if kind == "password" else ""
    forced = w("password.forced") if kind == "password" and context.visitor.must_change else ""
    notes = "".join(f'<p class="quiet">{escape(note)}</p>' for note in (forced, hint) if note)
    back = "" if kind == "login" or context.visitor.must_change else f'<a href="{escape(onward)}">{escape(w("login.back"))}</a>'
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(w(f'{kind}.title'))} · {escape(w('app.name'))}</title>{links}</head>"
        f'<body class="door"><main><header><h1>{escape(w("app.name"))}</h1><p class="quiet">{escape(w.name(city) if city.loaded else w("no_city"))}</p></header>'
        f'<form method="post" action="{escape(here)}&amp;lang={lang}"><h2>{escape(w(f"{kind}.title"))}</h2>{notes}{told}{shown}'
        f'<button class="button strong" type="submit">{escape(w(f"{kind}.do"))}</button>{back}</form>'
        f'<footer><a href="{escape(here)}&amp;lang={other}" hreflang="{other}" lang="{other}">{NAMES[other]}</a></footer></main></body></html>')


def _field(w: Words, kind: str, name: str, type_: str, auto: str, value: str, focus: bool) -> str:
    extra = {"name": ' autocapitalize="none" spellcheck="false" maxlength="40"'}.get(name, ' maxlength="200"')
    return (f'<div class="field"><label class="label" for="{name}">{escape(w(f"{kind}.{name}"))}</label>'
            f'<input id="{name}" name="{name}" type="{type_}" autocomplete="{auto}" value="{escape(value)}" required{extra}'
            f'{" autofocus" if focus else ""}></div>')


