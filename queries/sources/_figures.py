"""Departments' figures as doors bring them: read as a table is read, written as a load writes them, whatever door they came by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from queries.city import RowsRead, read_told
from queries.city.specs import FIELDS, REQUIRED
from queries.clock import EPOCH, day_end
from queries.errors import AskError
from queries.loading.figures_in import take_figures
from queries.loading.report import SourceReport
from queries.loop.hearing import announce
from queries.loop.page import Page
from queries.loop.projector import hold
from queries.sources._quarantine import Bad, keep
from queries.store import bump
from queries.today import city_now

KIND = "indicators"
LONGEST = 200
Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure as it was understood. `first`, `last`: days since 1970, both inside."""

    indicator: str
    area_code: str
    first: int
    last: int
    numerator: float | None
    denominator: float | None
    value: float | None
    weight: float | None
    said: str


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a batch, and of each bad row of it: (row, field, zh, en, value)."""

    new: int
    changed: int
    again: int
    faults: tuple[tuple[int, str, str, str, str], ...]


def bad(field: str, en: str, zh: str) -> AskError:
    """Return the refusal of a message."""
    return AskError(f"{field}: {en}.", zh=f"{field}：{zh}。", field=field)


def texts(told: Any) -> Row:
    """Return a message as the cells of a table's row. Raises AskError naming the field."""
    if not isinstance(told, Mapping):
        raise bad("body", "a figure is an object", "指标数据须为对象")
    out = {}
    for name, value in told.items():
        if name not in FIELDS[KIND]:
            raise bad(str(name)[:60].encode("ascii", "replace").decode(), "there is no such field", "没有这个字段")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise bad(name, "is a text or a number", "须为文字或数")
        text = value if isinstance(value, str) else repr(value)
        if len(text) > LONGEST or not text.isprintable():
            raise bad(name, f"is a text of up to {LONGEST} characters", f"须为不超过 {LONGEST} 字的文字")
        out[name] = text
    for name in REQUIRED[KIND]:
        if not out.get(name, "").strip():
            raise bad(name, "is missing", "缺少该字段")
    return out


def read_rows(source: str, rows: Sequence[Row]) -> RowsRead:
    """Return cells as figures; what cannot be one is among its refusals."""
    return read_told(source, KIND, rows)


def read_one(told: Any) -> Figure:
    """Return one message as a figure. Raises AskError."""
    read = read_rows("figure", [texts(told)])
    for one in read.refusals:
        if one.grade == "refused":
            raise bad(one.field, one.reason_en, one.reason)
    row = read.frame.row(0, named=True)
    return Figure(**{name: row[name] for name in Figure.__dataclass_fields__})


def taking(source: str, read: RowsRead, file: str, title: Mapping[str, str], every_s: int | None = None) -> Callable[[Page], tuple[Fate, SourceReport]]:
    """Return the act that writes figures; each of them again changes nothing. Bad rows go to quarantine."""
    def act(page: Page) -> tuple[Fate, SourceReport]:
        connection, counts = page.connection, SourceReport(id=source, kind=KIND)
        # Marks of what changed are numbered in the order in which they become visible: one writes them at a time.
        hold(connection)
        announce(connection, source, dict(title), KIND, every_s)
        refusals = [*read.refusals, *take_figures(connection, source, read.frame, page.seen, counts)] if len(read.frame) else list(read.refusals)
        counts.read = read.read
        counts.note(refusals, file)
        refused = sorted((one for one in refusals if one.grade == "refused"), key=lambda one: one.row)
        keep(page, [Bad(source=source, file=file, row=r.row, field=r.field, value=r.value, reason=r.reason, reason_en=r.reason_en, raw=r.raw) for r in refused])
        for what, n in (("taken", counts.new + counts.changed), ("again", counts.same)):
            if n:
                page.hearing.count(source, what, n)
        gone = {one.row for one in refused}
        told = [last for row, last in read.frame.select("row", "last").iter_rows() if row not in gone]
        if told:
            page.hearing.at(source, min(day_end(EPOCH + timedelta(days=max(told)), city_now(connection).zone), page.seen))
        if counts.new or counts.changed:
            bump(connection)
        faults = tuple((r.row, r.field, r.reason, r.reason_en, r.value) for r in refused)
        return Fate(new=counts.new, changed=counts.changed, again=counts.same, faults=faults), counts
    return act
