"""The JSON API of cameras and their tables: how they are, which are not well, who looked. Never an address of a camera."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from dashboard.api import DRILL, line, moment_of, plain, told
from dashboard.api_loop import At, Drill, Place
from dashboard.context import Context, ended
from dashboard.past_names import export_name
from dashboard.pictures import NEVER
from queries import camera_health, cameras
from queries.clock import now
from queries.frame import Ask

#: At most so many rows leave in one table.
TAKEN = 100_000
Bucket = Annotated[str, Query(pattern=f"^({'|'.join(cameras.BUCKETS)}|)$", description=", ".join(cameras.BUCKETS) + "; empty = all that are not well")]
Group = Annotated[str, Query(pattern="^(key_area|key_trade|none|)$", description="class of camera: key_area, key_trade or none")]
Text = Annotated[str, Query(max_length=200)]
Camera = Annotated[str, Query(max_length=200, description="code of one camera")]
Limit = Annotated[int, Query(ge=1, le=1000)]


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the routes. Nothing is asked here."""

    def ask(place: str | None, at: str = "", drill: str = "") -> Ask:
        last, then = context.city().last_day, moment_of(context, at, drill)
        since, until = (last, last) if then is None else ended(last, last, then)
        return Ask(scope=context.scope, since=since, until=until, place=place or None, at=then, drill=bool(drill))

    def table(names: tuple[str, ...], rows: Iterable[tuple[Any, ...]], kind: str, asked: Ask, more: str = "") -> Response:
        moment = (asked.at or now()).astimezone(context.city().zone)
        # Each row says of which moment it is: parts of a table get apart from its name.
        when = [moment.isoformat(timespec="seconds"), *([DRILL] if asked.drill else [])]
        lines = [line([*names, *("as_known_at", "drill")[:len(when)]]), *(line([*row, *when]) for row in rows), *([line([more])] if more else [])]
        return Response("\ufeff" + "".join(lines), media_type="text/csv; charset=utf-8",
                        headers={**NEVER, "Content-Disposition": f'attachment; filename="{export_name(moment, asked.drill, kind)}"'})

    @server.get("/api/v1/cameras/health", tags=["cameras"], summary="Cameras in buckets, class by class, against their targets; `areas` = the same by area below the place")
    def health(place: Place = None, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, at, drill)
        return {**told(cameras.health(context.store, asked), asked), "areas": plain(camera_health.by_area(context.store, asked).rows)}

    @server.get("/api/v1/cameras/unwell", tags=["cameras"], summary="Cameras that are not well, area by area")
    def unwell(place: Place = None, bucket: Bucket = "", group: Group = "", text: Text = "", limit: Limit = 200, at: At = "", drill: Drill = "") -> dict[str, Any]:
        asked = ask(place, at, drill)
        return told(camera_health.unwell(context.store, asked, bucket, group, text, limit), asked)

    @server.get("/api/v1/cameras/unwell.csv", tags=["cameras"], summary="The same cameras as a table, each row with its moment")
    def unwell_table(place: Place = None, bucket: Bucket = "", group: Group = "", text: Text = "", at: At = "", drill: Drill = "") -> Response:
        asked = ask(place, at, drill)
        answer = camera_health.unwell(context.store, asked, bucket, group, text, TAKEN)
        names = ("code", "name", "kind", "group", "bucket", "since_at", "seen_at", "looked_at", "found", "area_code", "area_name")
        rows = ((*(getattr(r, one) for one in names[:-1]), r.area_name["zh"]) for r in answer.rows)
        return table(names, rows, "cameras", asked, f"… only {TAKEN} of {answer.total}" if (answer.total or 0) > TAKEN else "")

    @server.get("/api/v1/cameras/views", tags=["cameras"], summary="Who looked through which camera, why, until when; for administrators")
    def views(camera: Camera = "", limit: Limit = 200) -> dict[str, Any]:
        asked = ask(None)
        return told(cameras.views(context.store, context.actor, limit, camera), asked)

    @server.get("/api/v1/cameras/views.csv", tags=["cameras"], summary="The same list as a table, for administrators")
    def views_table(camera: Camera = "") -> Response:
        rows = cameras.views(context.store, context.actor, TAKEN, camera).rows
        names = ("id", "at", "until", "code", "name", "by", "post", "cause", "reason", "about", "ended_at")
        return table(names, (tuple(getattr(row, one) for one in names) for row in rows), "camera-views", ask(None),
                     f"… only the newest {TAKEN} views" if len(rows) == TAKEN else "")
