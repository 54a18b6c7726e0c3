"""Releases of the governance index: frozen, hashed, recomputed bit for bit from what they keep; and what several in a row suggest.

A release is never changed. A suggestion is for a person to act on; nothing here notifies or punishes anybody.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from queries.answers import stamped
from queries.area_values import standing
from queries.clock import day_bucket, local_day, moment, now, stamp
from queries.errors import AskError, NoSuchError
from queries.figures import Words
from queries.frame import EVERYTHING, Actor, Answer, Ask
from queries.index import VERSION, Catalogue, catalogue
from queries.index._level import Inputs, read_inputs, score
from queries.index._tables import index_release
from queries.periods import previous
from queries.places import day
from queries.store import Store, bump
from queries.tables import level, source
from queries.today import city_now

#: A score below this is red.
RED = 70.0
#: So many reds in a row suggest something to a person.
SUGGESTED: dict[int, Words] = {3: {"zh": "连续三期偏红：建议提醒", "en": "red three times in a row: a notice is suggested"},
                               4: {"zh": "连续四期偏红：建议约谈", "en": "red four times in a row: a talk is suggested"}}


@dataclass(frozen=True, kw_only=True)
class ReleaseRow:
    """One release. `scores` by area code and node is left out of lists; `index` = the whole city's."""

    id: int
    made_at: datetime
    made_by: str
    since: date
    until: date
    version: str
    cut_off: datetime | None
    hash: str
    index: float | None


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What several releases in a row suggest about a place; a person decides."""

    code: str
    reds: int
    words: Words


def release(store: Store, actor: Actor, since: date, until: date) -> ReleaseRow:
    """Freeze the index of a period that is over. Raises AskError."""
    if actor.post != "admin":
        raise AskError("Only an administrator releases the index.", zh="只有管理员可以发布指数")
    ask = Ask(scope=EVERYTHING, since=since, until=until)
    with store.write() as connection:
        last = connection.scalar(select(sql.max(source.c.as_of)).where(source.c.kind == "cases"))
        if last is None or local_day(last, city_now(connection).zone) <= until:
            raise AskError(f"The data does not yet speak of the whole of {until}; until then it is a draft.", zh=f"数据尚未覆盖 {until} 全天，目前只能是草稿")
        by = catalogue()
        arrays, told = _frozen(connection, ask, by)
        mark = _hash(by, arrays, told)
        id_ = connection.execute(index_release.insert().values(
            made_at=stamp(now()), made_by=actor.shown or actor.name, since=day_bucket(since), until=day_bucket(until), version=VERSION, catalogue=by.packed(), cut_off=last, hash=mark,
            scores=told, inputs=_packed(arrays))).inserted_primary_key[0]  # type: ignore[index]
        bump(connection)
        return _row(connection.execute(select(index_release).where(index_release.c.id == id_)).one())


def releases(store: Store) -> Answer[ReleaseRow]:
    """Return every release, the newest first."""
    with store.read() as connection:
        rows = connection.execute(select(index_release).order_by(index_release.c.until.desc(), index_release.c.id.desc())).all()
        return stamped(connection, [_row(r) for r in rows])


def recomputed(store: Store, id_: int) -> bool:
    """Return whether a release comes out of what it keeps bit for bit, by the catalogue of its own day. Raises NoSuchError, AskError."""
    with store.read() as connection:
        row = connection.execute(select(index_release).where(index_release.c.id == id_)).one_or_none()
    if row is None:
        raise NoSuchError(f"There is no release {id_}.", zh=f"没有第 {id_} 号发布")
    if not row.catalogue:
        raise AskError(f"Release {id_} was made by catalogue {row.version} and keeps no copy of it. Check it with the version of this program that made it.",
                       zh=f"第 {id_} 号发布使用目录 {row.version}，当时尚不随发布保存目录；请用当时的程序版本核对。")
    by = Catalogue.unpacked(row.catalogue)
    with np.load(io.BytesIO(row.inputs), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    if any(part.shape[1] != len(by.computed) for name, part in arrays.items() if name.endswith(".top")):
        raise AskError(f"Release {id_} does not fit the catalogue that lies with it: its counts have other columns.", zh=f"第 {id_} 号发布与所附目录不符：指标列数不同。")
    return _hash(by, arrays, _scored(arrays, by)) == row.hash


def suggestions(store: Store) -> tuple[Suggestion, ...]:
    """Return what the latest releases in a row suggest: three reds a notice, four a talk; a better colour in between begins anew."""
    with store.read() as connection:
        rows = [json.loads(r.scores) for r in connection.execute(select(index_release.c.scores).order_by(index_release.c.until, index_release.c.id))]
    return tuple(suggested([{code: s.get("index") for code, s in one.items()} for one in rows]))


def suggested(history: list[dict[str, float | None]]) -> list[Suggestion]:
    """Return the suggestions after releases in order of time. No score is no colour: it neither adds nor resets."""
    found: list[Suggestion] = []
    for code in sorted({code for one in history for code in one}):
        reds = 0
        for one in history:
            value = one.get(code)
            if value is not None:
                reds = reds + 1 if value < RED else 0
        if reds >= min(SUGGESTED):
            found.append(Suggestion(code=code, reds=reds, words=SUGGESTED[min(reds, max(SUGGESTED))]))
    return found


def _frozen(connection: Connection, ask: Ask, by: Catalogue) -> tuple[dict[str, np.ndarray], str]:
    """Return the counts of every level, and the scores that come of them, as JSON."""
    before = previous(ask.since, ask.until)
    arrays: dict[str, np.ndarray] = {}
    for (number,) in connection.execute(select(level.c.level).order_by(level.c.level)).all():
        for name, asked in (("now", ask), ("was", ask.but(since=before.since, until=before.until))):
            where = standing(connection, asked, number)
            held = read_inputs(connection, asked, where)
            arrays |= {f"{number}.{name}.{key}": getattr(held, key) for key in ("num", "group", "top", "under", "known")}
            arrays[f"{number}.{name}.covered"] = np.array([held.covered])
            arrays[f"{number}.{name}.code"] = where.code.astype(str)
    return arrays, _scored(arrays, by)


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    body = io.BytesIO()
    np.savez_compressed(body, **arrays)
    return body.getvalue()


def _scored(arrays: dict[str, np.ndarray], by: Catalogue) -> str:
    out: dict[str, Any] = {}
    for number in sorted({name.split(".")[0] for name in arrays}, key=int):
        held = {name: Inputs(**{key: arrays[f"{number}.{name}.{key}"] for key in ("num", "group", "top", "under", "known")},
                             covered=bool(arrays[f"{number}.{name}.covered"][0])) for name in ("now", "was")}
        done = score(held["now"], number == "0", held["was"] if number != "0" else None, by)
        nodes = range(done.tree.n, len(done.tree.ids))
        for code, line in zip(arrays[f"{number}.now.code"].tolist(), done.scores, strict=True):
            out[code] = {done.tree.ids[k]: None if np.isnan(line[k]) else float(line[k]) for k in nodes}
    return json.dumps(out, sort_keys=True)


def _hash(by: Catalogue, arrays: dict[str, np.ndarray], scores: str) -> str:
    made = hashlib.sha256(by.packed().encode())
    for name in sorted(arrays):
        made.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    made.update(scores.encode())
    return made.hexdigest()


def _row(r: Any) -> ReleaseRow:
    whole = next(iter(json.loads(r.scores).values()), {})
    since, until = day(r.since), day(r.until)
    return ReleaseRow(id=r.id, made_at=moment(r.made_at), made_by=r.made_by, since=since, until=until, version=r.version,  # type: ignore[arg-type]
                      cut_off=None if r.cut_off is None else moment(r.cut_off), hash=r.hash, index=whole.get("index"))
