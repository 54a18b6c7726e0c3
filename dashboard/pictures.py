"""The routes of pictures: a still with its watermark, the way to the gateway, and who looked."""

from __future__ import annotations

from typing import Annotated, Any

from dash import ALL, MATCH, Dash, Input, Output, State, ctx, no_update
from fastapi import FastAPI, Path, Query, Request, Response

from dashboard import address, ids, past
from dashboard.acting import PLACE, Acts, again
from dashboard.address import View
from dashboard.aside import aside
from dashboard.context import Context
from dashboard.panels._parts import words
from dashboard.words import Words
from queries import cameras, stills
from queries.clock import moment
from queries.errors import DoorError, GovError

NEVER = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
#: At most so many views leave in one table.
TAKEN = 100_000
Code = Annotated[str, Path(max_length=200)]
Key = Annotated[str, Query(max_length=200)]


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""

    def secret() -> str:
        return context.settings.link_secret.get_secret_value()

    @server.get("/camera/still/{camera}", include_in_schema=False)
    def still(request: Request, camera: Code, key: Key) -> Response:
        row, view = cameras.opened(context.store, secret(), context.actor, camera, key, context.session)
        zone = context.city().zone
        try:
            taken = stills.still(row, context.settings.camera_hosts)
        except DoorError as bad:
            # It is a picture too, so that a dead camera is seen as one and breaks no page.
            return Response(stills.said(f"{row.name}：{bad.say('zh')}"), media_type="image/jpeg", headers={**NEVER, "X-Still": "none"})
        at = moment(int(taken.at)).astimezone(zone)
        picture = stills.marked(taken.picture, f"{context.actor.shown or context.actor.name} {view.id} {at:%Y-%m-%d %H:%M:%S} {view.why('zh')[:24]}")
        return Response(picture, media_type="image/jpeg", headers={**NEVER, "X-Still": at.isoformat()})


def add_callbacks(app: Dash, context: Context) -> None:
    """Add the form that opens a view."""
    @app.callback(Output(ids.camera_wrong(MATCH), "children"), Input(ids.camera_look(MATCH), "n_clicks"), State(ids.camera_fill(MATCH, ALL), "value"),
                  State(ids.camera_fill(MATCH, ALL), "id"), *PLACE, prevent_initial_call=True)
    @aside
    def look(clicks: int | None, values: list[Any], fields: list[dict[str, Any]], pathname: str | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        view = address.read(pathname, search, context.language())[0]
        w = words(context, view)
        told = {one["what"]: value for one, value in zip(fields, values, strict=True)}
        # What the browser says it pressed is a wish: which cameras these are stands in the address, what may be seen in the rights.
        codes = view.cameras if ctx.triggered_id["form"] == ids.ROUND else (view.thing.partition(":")[2],)
        try:
            past.live_only(view)
            cameras.look_all(context.store, context.actor, context.ask(view.but(place=None)), codes, str(told.get("reason") or ""), int(told.get("minutes") or 0),
                             view.about or view.case, context.session, str(told.get("cause") or ""))
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        again("camera")
        return ""


def _close(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    for code in list(told.get("codes") or [])[:cameras.TOGETHER]:
        cameras.close(context.store, context.actor, str(code), context.session)
    again("camera")


ACTS: Acts = {"camera-close": _close}
