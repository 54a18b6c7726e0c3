"""A door for batches of rows over HTTP: who may send, how much may wait, how the fate of each row is told.

What a row is and how it is written is the business of the door that uses it (readings.py, figures.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from dashboard.context import Context
from dashboard.doors import TooManyError, body_of, reply, status_of
from queries.errors import GovError, PostError
from queries.sources import http_intake as shapes

_SAID = {403: "not for this post", 413: "larger than 5 MB", 422: "cannot be used", 429: "too much at once from one sender",
         503: "too much waits; send it again"}


class RowFault(BaseModel):
    """A row that was refused."""

    row: int
    field: str
    message: str
    zh: str


class BatchFate(BaseModel):
    """What became of a batch: all of it is safe when this is answered. The same batch again changes nothing."""

    new: int
    changed: int
    again: int
    refused: int
    rows: list[RowFault]


#: Writes the rows of one sender and says what became of them.
Take = Callable[[str, list[Any]], Awaitable[BatchFate]]


@dataclass(frozen=True, kw_only=True)
class BatchDoor:
    """One door. `row`: the JSON schema of a row; `posts`: who may send; `by_hand`: the source that rows of a person are counted under."""

    path: str
    summary: str
    row: dict[str, Any]
    posts: tuple[str, ...]
    only: tuple[str, str]  # what everybody else is told, in English and in Chinese
    by_hand: str
    in_flight: int  # rows of one sender that may wait; who sends faster is told so (429) and slows nobody else
    take: Take


def add_door(server: FastAPI, context: Context, door: BatchDoor) -> None:
    """Add the route of a door. Nothing is asked here."""
    waiting: Counter[str] = Counter()
    body = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {
        "rows": {"type": "array", "minItems": 1, "maxItems": shapes.MOST, "items": door.row}}}

    @server.post(door.path, tags=["doors"], summary=door.summary, response_model=BatchFate,
                 responses={code: {"description": what} for code, what in _SAID.items()},
                 openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}})
    async def batch(request: Request) -> Response:
        actor = context.actor
        try:
            if actor.post not in door.posts:
                raise PostError(door.only[0], zh=door.only[1])
            rows = shapes.rows_of(shapes.parsed(await body_of(request)))
            name = actor.name if actor.post == "source" else door.by_hand
            if waiting[name] + len(rows) > door.in_flight:
                raise TooManyError("You send faster than can be written. Wait for the answers.", zh="发送过快，请等待应答后再发。")
            waiting[name] += len(rows)
            try:
                return reply(200, (await door.take(name, rows)).model_dump())
            finally:
                waiting[name] -= len(rows)
        except GovError as bad:
            return reply(status_of(bad), {"error": type(bad).__name__.strip("_"), "message": str(bad), "zh": bad.say("zh"), "fields": []})
