"""What a person sees and may do. The only package that imports dash."""

from __future__ import annotations

import logging
import time
from datetime import date
from pathlib import Path
from typing import Any

from dash import MATCH, Dash, Input, Output, State, ctx, no_update
from fastapi import Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from dashboard import (
    acting,
    acting_alarms,
    acting_list,
    address,
    api,
    api_cameras,
    doors,
    figures,
    ids,
    index_map,
    live_pictures,
    login_pages,
    map_routes,
    open311,
    panels,
    past,
    pictures,
    readings,
    routes,
    shell,
)
from dashboard.aside import aside
from dashboard.context import Context
from dashboard.live import Hub, Live
from dashboard.login import Door
from dashboard.map import head as map_head
from dashboard.map_state import map_state
from dashboard.panels._parts import failed
from dashboard.scenes import found as scenes_found
from dashboard.still import still
from dashboard.words import Words
from queries.errors import GovError, ScopeError
from queries.settings import Settings
from queries.store import Store

ASSETS = Path(__file__).resolve().parent.parent / "assets"
log = logging.getLogger(__name__)


def create_app(settings: Settings, store: Store) -> Dash:
    """Wire pages and routes on one server. Nothing is started and nothing is asked here."""
    context = Context(settings, store)
    server = FastAPI(title="The Governance Brain", docs_url=None, redoc_url=None, dependencies=[Depends(api.only_known)])
    routes.add_routes(server, context)
    server.state.context = context
    map_routes.add_routes(server, context)
    index_map.add_routes(server, context)
    doors.add_routes(server, context)
    readings.add_routes(server, context)
    figures.add_routes(server, context)
    open311.add_routes(server, context)
    readings.add_answers(server, context)
    pictures.add_routes(server, context)
    live_pictures.add_routes(server, context)
    api_cameras.add_routes(server, context)
    api.add_routes(server, context)
    login_pages.add_routes(server, context)
    app = Dash(__name__, server=server, assets_folder=str(ASSETS), assets_ignore=r".*\.worker\.js", update_title=None,
               title="社会治理大脑", suppress_callback_exceptions=True,
               meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}])
    # Dash's own would press hardest: a tenth smaller for three times the work, with which every first view began.
    server.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=4)
    app.index_string = app.index_string.replace("{%css%}", map_head(scenes_found(), settings.language) + "{%css%}")
    app.layout = shell.layout
    hub = Hub(context)
    _add_callbacks(app, context, hub)
    acting.add_callbacks(app, context, {**acting_list.ACTS, **acting_alarms.ACTS, **pictures.ACTS})
    acting_list.add_callbacks(app, context)
    acting_alarms.add_callbacks(app, context)
    pictures.add_callbacks(app, context)
    # Dash does this when "/" is first asked for. A first visitor who comes to another page would get it without any style.
    app._setup_server()
    server.add_middleware(Live, hub=hub)
    # Added last, so it stands before everything else that Dash put around the routes.
    server.add_middleware(Door, context=context)
    return app


def _add_callbacks(app: Dash, context: Context, hub: Hub) -> None:
    place = (Input(ids.URL, "pathname"), Input(ids.URL, "search"))
    # An act of this page is a reason to draw again, as a new address is; what others did comes as news (dashboard/live.py).
    pulse = Input(ids.PULSE, "data")
    kept = (State(ids.URL, "pathname"), State(ids.URL, "search"))

    def read(pathname: str | None, search: str | None) -> tuple[address.View, tuple[address.Notice, ...]]:
        return address.read(pathname, search, context.language())

    def drawn(view: address.View, name: str) -> Any:
        began = time.thread_time()
        try:
            return draw(context, view, name)
        finally:
            hub.drew(time.thread_time() - began)

    @app.callback(Output(ids.HEADER, "children"), Output(ids.NOTICE, "children"), Output(ids.SEARCH, "placeholder"), *place, pulse,
                  Input(ids.news("header"), "data"))
    @aside
    def show_header(pathname: str | None, search: str | None, *_: Any) -> tuple[Any, Any, str]:
        view, bad = read(pathname, search)
        return still(shell.header(context, view)), shell.notices(context, view, bad), Words(view.lang)("search.hint")

    @app.callback(Output(ids.CURSOR, "children"), *place, Input(ids.news("cursor"), "data"))
    @aside
    def show_cursor(pathname: str | None, search: str | None, _: Any) -> Any:
        return still(past.bar(context, read(pathname, search)[0]))

    @app.callback(Output(ids.REAL, "children"), *place, Input(ids.news("real"), "data"))
    @aside
    def show_real(pathname: str | None, search: str | None, _: Any) -> Any:
        return still(past.real(context, read(pathname, search)[0]))

    @app.callback(Output(ids.BODY, "children"), Input(ids.URL, "pathname"), State(ids.URL, "search"))
    @aside
    def show_scene(pathname: str | None, search: str | None) -> Any:
        return shell.body(context, read(pathname, search)[0])

    @app.callback(Output({"kind": "panel", "name": MATCH}, "children"), *place, pulse, Input(ids.news(MATCH), "data"))
    @aside
    def show_panel(pathname: str | None, search: str | None, *_: Any) -> Any:
        view, _ = read(pathname, search)
        return drawn(view, ctx.outputs_list["id"]["name"])

    @app.callback(Output({"kind": "panel", "name": MATCH}, "children", allow_duplicate=True),
                  Input({"kind": "poll", "name": MATCH}, "n_intervals"), *kept, prevent_initial_call=True)
    @aside
    def show_later(_: Any, pathname: str | None, search: str | None) -> Any:
        view, _ = read(pathname, search)
        return drawn(view, ctx.outputs_list["id"]["name"])

    # A new address the map asks for itself (assets/38-map-ahead.js): its outlines are on their way while panels are drawn.
    @app.callback(Output(ids.MAP_STATE, "data"), pulse, Input(ids.news("map"), "data"), *kept)
    @aside
    def show_map(_pulse: Any, _news: Any, pathname: str | None, search: str | None) -> Any:
        return map_state(context, pathname, search)

    # The drawing itself is assets/3x-map-*.js; the map may come to the page after its state.
    app.clientside_callback("function(s){if(s)window.govMap.show(s);return window.dash_clientside.no_update}",
                            Output(ids.MAP_EVENT, "data"), Input(ids.MAP_STATE, "data"))

    @app.callback(Output(ids.FOUND, "children"), Input(ids.SEARCH, "value"), *kept, prevent_initial_call=True)
    @aside
    def search_places(text: str | None, pathname: str | None, search: str | None) -> Any:
        return still(shell.found(context, read(pathname, search)[0], text)) if text and text.strip() else []

    # Arriving somewhere ends the search.
    app.clientside_callback("function(){return []}", Output(ids.FOUND, "children", allow_duplicate=True), *place, prevent_initial_call=True)

    # What is typed leads to an address by a way of its own: while an answer to these could still set the address itself,
    # Dash would hold back all that hangs on it, and forget a change that comes meanwhile. A field also speaks when it is
    # drawn; its name is what was drawn, and says nothing new: the browser knows that without asking.
    app.clientside_callback(
        "function(text,drawn){return (text||'').trim()===(drawn||'')?window.dash_clientside.no_update:{text:text||'',at:Date.now()}}",
        Output(ids.TYPED, "data"), Input(ids.choice("text"), "value"), State(ids.choice("text"), "name"), prevent_initial_call=True)

    @app.callback(Output(ids.GO, "data", allow_duplicate=True), Input(ids.TYPED, "data"), *kept, prevent_initial_call=True)
    @aside
    def choose_text(typed: dict[str, Any] | None, pathname: str | None, search: str | None) -> Any:
        view, _ = read(pathname, search)
        text = str((typed or {}).get("text", "")).strip()[:address.LONGEST]
        return no_update if text == view.filters.text else "?" + address.query(view.narrowed(text=text))

    app.clientside_callback(
        "function(to){if(to){window.history.pushState({},'',window.location.pathname+to);"
        "window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));}return window.dash_clientside.no_update}",
        Output(ids.GO, "id"), Input(ids.GO, "data"), prevent_initial_call=True)

    app.clientside_callback(
        "function(since,until,a,b){return since===a&&until===b?window.dash_clientside.no_update:{since:since,until:until,at:Date.now()}}",
        Output(ids.DAYS, "data"), Input(ids.SINCE, "value"), Input(ids.UNTIL, "value"), State(ids.SINCE, "name"), State(ids.UNTIL, "name"),
        prevent_initial_call=True)

    @app.callback(Output(ids.GO, "data"), Input(ids.DAYS, "data"), *kept, prevent_initial_call=True)
    @aside
    def choose_days(chosen: dict[str, Any] | None, pathname: str | None, search: str | None) -> Any:
        view, _ = read(pathname, search)
        try:
            days = date.fromisoformat((chosen or {}).get("since") or ""), date.fromisoformat((chosen or {}).get("until") or "")
        except (ValueError, TypeError):
            return no_update
        if days[0] > days[1] or days == context.days(view):
            return no_update
        return "?" + address.query(view.but(period="custom", since=days[0], until=days[1]))


def draw(context: Context, view: address.View, name: str) -> Any:
    """Return a panel's content; one that fails says so and the rest lives on."""
    panel = panels.found()[name]
    try:
        if view.past and not panel.then:
            return still(past.only_now(context, view, panel))
        return still(panel.render(context, view))
    except ScopeError:
        return failed(Words(view.lang)("panel.outside"))
    except GovError as bad:
        return failed(bad.say(view.lang))
    except Exception:  # the edge of a plug-in call: whatever one panel does, the others live on
        log.exception("panel %s failed", name)
        return failed(Words(view.lang)("panel.failed"))
