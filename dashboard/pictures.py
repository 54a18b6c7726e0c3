"""The routes of pictures: a still with its watermark, the way to the gateway, and who looked."""

from __future__ import annotations

from typing import Annotated, Any

from dash import Dash, Input, Output, State, no_update
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from dashboard import address, ids, past
from dashboard.acting import PLACE, again
from dashboard.api import line, plain
from dashboard.aside import aside
from dashboard.context import Context
from dashboard.panels._parts import words
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
        picture = stills.marked(taken.picture, f"{context.actor.shown or context.actor.name} {view.id} {at:%Y-%m-%d %H:%M:%S} {view.reason[:20]}")
        return Response(picture, media_type="image/jpeg", headers={**NEVER, "X-Still": at.isoformat()})

    @server.get("/camera/live/{camera}", include_in_schema=False)
    def live(request: Request, camera: Code, key: Key) -> Response:
        row, _ = cameras.opened(context.store, secret(), context.actor, camera, key, context.session)
        if not context.settings.camera_gateway:
            raise DoorError("No video gateway is set (GOV_CAMERA_GATEWAY).", zh="未设置视频网关（GOV_CAMERA_GATEWAY）。")
        return RedirectResponse(cameras.gateway(context.settings.camera_gateway, row, key), 302, headers=NEVER)

    @server.get("/api/v1/cameras/health", tags=["cameras"], summary="Cameras in buckets, class by class, against their targets")
    def health(place: Annotated[str | None, Query(max_length=200)] = None) -> dict[str, Any]:
        from dashboard.api import told
        from queries.frame import Ask

        last = context.city().last_day
        asked = Ask(scope=context.scope, since=last, until=last, place=place or None)
        return told(cameras.health(context.store, asked), asked)

    @server.get("/api/v1/cameras/views", tags=["cameras"], summary="Who looked through which camera, why, until when; for administrators")
    def views() -> dict[str, Any]:
        return {"rows": plain(cameras.views(context.store, context.actor).rows)}

    @server.get("/api/v1/cameras/views.csv", tags=["cameras"], summary="The same list as a table, for administrators")
    def views_table() -> Response:
        rows = cameras.views(context.store, context.actor, TAKEN).rows
        names = ("id", "at", "until", "code", "name", "by", "post", "reason", "about")
        lines = [line(names), *(line([getattr(row, one) for one in names]) for row in rows)]
        if len(rows) == TAKEN:
            lines.append(line([f"… only the newest {TAKEN} views"]))
        return Response("\ufeff" + "".join(lines), media_type="text/csv; charset=utf-8",
                        headers={**NEVER, "Content-Disposition": 'attachment; filename="camera-views.csv"'})


def add_callbacks(app: Dash, context: Context) -> None:
    """Add the form that opens a view."""
    @app.callback(Output(ids.CAMERA_WRONG, "children"), Input(ids.CAMERA_LOOK, "n_clicks"), State(ids.CAMERA_REASON, "value"), State(ids.CAMERA_MINUTES, "value"),
                  *PLACE, prevent_initial_call=True)
    @aside
    def look(clicks: int | None, reason: str | None, minutes: int | None, pathname: str | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        view = address.read(pathname, search, context.language())[0]
        w = words(context, view)
        try:
            past.live_only(view)
            cameras.look(context.store, context.actor, context.ask(view), view.thing.partition(":")[2], reason or "", int(minutes or 0), view.about or view.case, context.session)
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        again("camera")
        return ""
