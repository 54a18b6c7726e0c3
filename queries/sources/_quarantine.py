"""Keeps what could not be used: the message as it came, with the reason, counted by source."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, func, insert, select

from queries.loop.hearing import Hearing
from queries.tables import quarantine

#: A source that sends rubbish without end is counted on; of its rubbish so many are kept.
KEPT = 10_000
RAW = 20_000


class Sheet(Protocol):
    """A transaction that hears sources: the loop's page, or the ledger of readings."""

    @property
    def connection(self) -> Connection: ...
    @property
    def hearing(self) -> Hearing: ...


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A message, or a row of one, that was refused."""

    source: str
    file: str
    row: int
    field: str
    value: str
    reason: str
    reason_en: str
    raw: Any


def keep(page: Sheet, rows: Sequence[Bad]) -> int:
    """Put refused rows into quarantine; return how many were kept."""
    kept = 0
    for name, n in Counter(bad.source for bad in rows).items():
        page.hearing.count(name, "refused", n)
        room = KEPT - (page.connection.scalar(select(func.count()).select_from(quarantine).where(quarantine.c.source == name)) or 0)
        values = [_values(bad) for bad in rows if bad.source == name][:max(0, room)]
        if values:
            page.connection.execute(insert(quarantine), values)
        kept += len(values)
    return kept


def _values(bad: Bad) -> dict[str, Any]:
    return {"load_id": 0, "source": bad.source, "file": bad.file, "row": bad.row, "field": bad.field[:100], "value": text(bad.value)[:200],
            "grade": "refused", "reason": text(bad.reason)[:500], "reason_en": text(bad.reason_en)[:500], "raw": _raw(bad.raw)}


def _raw(raw: Any) -> str:
    if isinstance(raw, bytes):
        raw = raw[:RAW].decode("utf-8", "replace")
    return json.dumps(raw, ensure_ascii=True, default=str)[:RAW].replace("\\u0000", "\\ufffd")


def text(value: str) -> str:
    """Return text that every database can keep."""
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
