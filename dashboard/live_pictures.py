"""The routes of live pictures: a playlist of ours, its parts, an MJPEG stream, or the way to a gateway's own page.

Each is asked for by the key of one view, and each time it is asked again who that is and whether the view still holds.
"""

from __future__ import annotations

import asyncio
from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse

from dashboard.context import Context
from dashboard.login import AGAIN
from dashboard.pictures import NEVER, Code, Key
from queries import cameras, live_video, stills
from queries.cameras import CameraRow, ViewRow
from queries.errors import DoorError, GovError
from queries.live_video import Live, Seal

Sealed = Annotated[str, Path(max_length=2000, pattern=r"^[A-Za-z0-9_-]+$")]
#: What stands in the frame where a gateway's page is not there; by its mark assets/64-eyes.js knows it.
NONE = """<!doctype html><html data-gov="none"><meta charset="utf-8"><title>–</title>
<style>body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center; background: #0b0f12; color: #c3ced6; font: 1rem/1.6 sans-serif; }}</style>
<p>⚠ {zh}<br><span lang="en">{en}</span></p></html>"""
BARE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
#: Said by the last picture of a stream.
ENDED = {"over": "调看时限已到，画面已关闭。", "silent": "摄像机已停止发送图像。", "too many": "同时调看的画面过多，请稍后再看。"}


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""

    def secret() -> str:
        return context.settings.link_secret.get_secret_value()

    def opened(camera: str, key: str) -> tuple[CameraRow, ViewRow, Live, Seal]:
        row, view = cameras.opened(context.store, secret(), context.actor, camera, key, context.session)
        with context.store.read() as connection:
            live = live_video.source(cameras.eyes(connection), context.settings, row, key)
        if live is None:
            raise DoorError("This camera has no live picture: no gateway is named for it.", zh="该摄像机没有实时画面：未指定视频网关。")
        if live.kind != "page":
            stills.allowed(live.address, live.hosts)
        return row, view, live, Seal(cameras.secret(context.store, secret()), row.code, view.id)

    async def passed(live: Live, seal: Seal, address: str, camera: str, key: str) -> Response:
        def link(whole: str) -> str:
            return f"/camera/live/{quote(camera, safe='')}/{seal.put(whole)}?key={quote(key, safe='')}"

        try:
            body, kind = await live_video.part(live, address, link)
        except DoorError as bad:
            return JSONResponse({"error": type(bad).__name__, "message": str(bad), "zh": bad.say("zh")}, 502, NEVER)
        return Response(body, media_type=kind, headers=NEVER)

    async def page(held: Live) -> Response:
        try:
            stills.allowed(held.address, held.hosts)
        except DoorError:
            # A host that this server must not ask is the browser's alone.
            return RedirectResponse(held.address, 302, headers=NEVER)
        try:
            await live_video.there(held.address)
        except DoorError as bad:
            return HTMLResponse(NONE.format(zh=escape(bad.say("zh")), en=escape(str(bad))), 502, {**NEVER, "Content-Security-Policy": BARE})
        return RedirectResponse(held.address, 302, headers=NEVER)

    @server.get("/camera/held/{camera}", include_in_schema=False)
    async def held_still(camera: Code, key: Key) -> Response:
        # A gateway's page plays without us: whoever shows it asks here whether it still may.
        await asyncio.to_thread(opened, camera, key)
        return Response(status_code=204, headers=NEVER)

    @server.get("/camera/live/{camera}", include_in_schema=False)
    async def live(request: Request, camera: Code, key: Key) -> Response:
        row, _, held, seal = await asyncio.to_thread(opened, camera, key)
        if held.kind == "page":
            return await page(held)
        if held.kind == "hls":
            return await passed(held, seal, held.address, camera, key)
        again = request.scope[AGAIN]

        async def may() -> bool:
            try:
                who = await again()
                await asyncio.to_thread(cameras.opened, context.store, secret(), who.actor, camera, key, who.session)
            except GovError:
                return False
            return True

        def last(why: str) -> bytes:
            return stills.said(f"{row.name}：{ENDED.get(why, why)}")

        return StreamingResponse(live_video.stream(held, may, last), media_type=f"multipart/x-mixed-replace; boundary={live_video.BOUNDARY}", headers=NEVER)

    @server.get("/camera/live/{camera}/{part}", include_in_schema=False)
    async def part(camera: Code, part: Sealed, key: Key) -> Response:
        _, _, held, seal = await asyncio.to_thread(opened, camera, key)
        return await passed(held, seal, seal.take(part), camera, key)
