"""The task list and the duty roster come in: as published, by the import; what a file no longer names is ended.

An item is never deleted, and one that somebody ended here stays ended until its row in the file changes.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, insert, select, update

from queries.city import Refusal
from queries.loading.report import SourceReport
from queries.loop import roster
from queries.loop.tables import duty, list_event, list_item
from queries.tables import area, department

IMPORT = "import"
KINDS = ("items", "duty")


class ListsIn:
    """Both lists of one load. What is ended is known only when all their tables are read."""

    def __init__(self, connection: Connection, seen: int) -> None:
        """Begin with nothing named."""
        self.connection, self.seen = connection, seen
        self.named: dict[str, set[Any]] = {kind: set() for kind in KINDS}

    def take(self, kind: str, frame: pl.DataFrame, told: SourceReport) -> list[Refusal]:
        """Write the rows of a table; return what cannot be written."""
        return self._items(frame, told) if kind == "items" else self._duty(frame, told)

    def finish(self, sources: list[SourceReport]) -> bool:
        """End what no table names any more; return whether anything ended.

        A table that failed or refused rows may have meant what it seems to leave out: then nothing ends.
        """
        sure = {kind for kind in KINDS if not any(s.kind == kind and (s.failed or s.refused) for s in sources)}
        ended = self._end_items() if "items" in sure else 0
        return bool(ended + (self._end_duty() if "duty" in sure else 0))

    def _items(self, frame: pl.DataFrame, told: SourceReport) -> list[Refusal]:
        departments = {r.code: r.id for r in self.connection.execute(select(department.c.code, department.c.id))}
        held = {r.code: r for r in self.connection.execute(select(list_item.c.code, list_item.c.id, list_item.c.hash))}
        refusals = []
        for row in frame.iter_rows(named=True):
            self.named["items"].add(row["code"])
            old = held.get(row["code"])
            if old is not None and old.hash == row["hash"]:
                told.same += 1
            elif row["department"] not in departments:
                near = get_close_matches(row["department"], departments, 1, 0.0)
                refusals.append(_lost(
                    row, "department", "没有这个部门：请在 city.toml 的 departments 中登记" + (f"，最接近的是 {near[0]}" if near else ""),
                    "there is no such department: add it to departments in city.toml" + (f"; the nearest one is {near[0]}" if near else "")))
            else:
                self._item(row, departments[row["department"]], old, told)
        return refusals

    def _item(self, row: dict[str, Any], department_id: int, old: Any, told: SourceReport) -> None:
        over = row["valid_to"] is not None and row["valid_to"] <= self.seen
        values = {
            **{name: row[name] for name in ("title", "title_en", "category", "to", "content", "basis", "temporary", "hash")},
            "department_id": department_id, "begins_at": row["valid_from"], "ends_at": row["valid_to"],
            "state": "ended" if over else "published", "changed_at": self.seen,
        }
        if old is None:
            told.new += 1
            id_ = self.connection.execute(insert(list_item).values(code=row["code"], **values)).inserted_primary_key[0]
        else:
            told.changed += 1
            id_ = old.id
            self.connection.execute(update(list_item).where(list_item.c.id == id_).values(**values))
        self._tell(id_, "end" if over else "publish", "")

    def _end_items(self) -> int:
        rows = self.connection.execute(select(list_item.c.id, list_item.c.code, list_item.c.state).where(list_item.c.hash != "")).all()
        gone = [r for r in rows if r.code not in self.named["items"]]
        for r in gone:
            values: dict[str, Any] = {"hash": "", "changed_at": self.seen}
            if r.state != "ended":
                values |= {"state": "ended", "ends_at": self.seen}
                self._tell(r.id, "end", "the city's list no longer names it")
            self.connection.execute(update(list_item).where(list_item.c.id == r.id).values(**values))
        return len(gone)

    def _tell(self, item_id: int, step: str, note: str) -> None:
        self.connection.execute(insert(list_event).values(item_id=item_id, at=self.seen, step=step, actor=IMPORT, note=note))

    def _duty(self, frame: pl.DataFrame, told: SourceReport) -> list[Refusal]:
        areas = set(self.connection.scalars(select(area.c.code)))
        held = {(r.area_code, r.post): (r.shown, r.phone) for r in self.connection.execute(select(duty))}
        refusals, new = [], []
        for row in frame.iter_rows(named=True):
            key, words = (row["area_code"], row["post"]), (row["shown"], row["phone"])
            if row["area_code"] not in areas:
                refusals.append(_lost(row, "area_code", "没有这个区域编码", "no area has this code"))
                continue
            self.named["duty"].add(key)
            if key not in held:
                new.append({"area_code": key[0], "post": key[1], "shown": words[0], "phone": words[1]})
            elif held[key] == words:
                told.same += 1
            else:
                told.changed += 1
                self.connection.execute(update(duty).where(duty.c.area_code == key[0], duty.c.post == key[1])
                                        .values(shown=words[0], phone=words[1]))
                roster.ends(self.connection, *key, self.seen)
                roster.stands(self.connection, [{"area_code": key[0], "post": key[1], "shown": words[0], "phone": words[1]}], self.seen)
        if new:
            self.connection.execute(insert(duty), new)
            roster.stands(self.connection, new, self.seen)
        told.new += len(new)
        return refusals

    def _end_duty(self) -> int:
        rows = self.connection.execute(select(duty.c.area_code, duty.c.post)).all()
        gone = [r for r in rows if tuple(r) not in self.named["duty"]]
        for code, post in gone:
            self.connection.execute(delete(duty).where(duty.c.area_code == code, duty.c.post == post))
            roster.ends(self.connection, code, post, self.seen)
        return len(gone)


def _lost(row: dict[str, Any], field: str, zh: str, en: str) -> Refusal:
    return Refusal(row=row["row"], field=field, value=str(row[field])[:200], grade="refused", reason=zh, reason_en=en)
