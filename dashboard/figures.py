"""The door for departments' figures over HTTP. How a row is read and written is in queries/sources/_figures.py."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI

from dashboard.batch_door import BatchDoor, BatchFate, RowFault, add_door
from dashboard.context import Context
from queries.errors import AskError
from queries.sources._figures import FIELDS, KIND, Row, read_rows, taking, texts
from queries.sources._quarantine import Bad, keep
from queries.sources.figures_http import SOURCE

FILE = "/api/v1/index/figures"
_CELL = {"anyOf": [{"type": "string", "maxLength": 200}, {"type": "number"}, {"type": "null"}]}
_ROW = {"type": "object", "required": ["indicator", "area_code", "period"], "additionalProperties": False, "properties": dict.fromkeys(FIELDS[KIND], _CELL)}


def add_routes(server: FastAPI, context: Context) -> None:
    """Add the route. Nothing is asked here."""

    async def take(name: str, came: list[Any]) -> BatchFate:
        return await _taken(context, name, came)

    add_door(server, context, BatchDoor(
        path=FILE, summary="Bring up to 5,000 departments' figures; each row has its own outcome, the same figure again changes nothing",
        row=_ROW, posts=("source", "admin"), only=("Departments' figures are for a source's token or an administrator.", "部门指标数据须由数据源令牌或管理员提交。"),
        by_hand=SOURCE.id, in_flight=20_000, take=take))


async def _taken(context: Context, name: str, came: list[Any]) -> BatchFate:
    rows: list[Row] = []
    numbers: list[int] = []
    faults: list[RowFault] = []
    unread: list[Bad] = []
    for i, one in enumerate(came, 1):
        try:
            rows.append(texts(one))
            numbers.append(i)
        except AskError as bad:
            faults.append(RowFault(row=i, field=bad.field, message=str(bad), zh=bad.say("zh")))
            unread.append(Bad(source=name, file=FILE, row=i, field=bad.field, value="", reason=bad.say("zh"), reason_en=str(bad), raw=one))
    writer = context.loop.writer
    new = changed = again = 0
    title = SOURCE.title if name == SOURCE.id else {"zh": name, "en": name}
    if rows:
        fate, _ = await asyncio.wrap_future(writer.submit(taking(name, read_rows(name, rows), FILE, title)))
        new, changed, again = fate.new, fate.changed, fate.again
        faults += [RowFault(row=numbers[row - 1], field=field, message=f"{field}: {en}.", zh=f"{field}：{zh}。") for row, field, zh, en, _ in fate.faults]
    if unread:
        await asyncio.wrap_future(writer.submit(lambda page: keep(page, unread)))
    faults.sort(key=lambda fault: fault.row)
    return BatchFate(new=new, changed=changed, again=again, refused=len(faults), rows=faults)
