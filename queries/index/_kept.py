"""The scores of levels and periods as they are kept: only what a change touches is read and scored anew.

A late case, a correction or an imported figure leaves a mark of its place and days (queries/touched.py). Whoever looks next
reads the inputs of the marked areas again, scores them and those under the same parent, and comes to the bits that making
everything anew would give; a property test holds that. The inputs also lie in a table, so that a start reads no sums.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection, delete, select

from queries import places, touched
from queries.answers import remembered
from queries.area_values import Standing, standing
from queries.clock import day_bucket, now, stamp
from queries.frame import EVERYTHING, Ask
from queries.index import VERSION
from queries.index._counts import FEW
from queries.index._inputs import Inputs, computed, patched, read_inputs
from queries.index._level import Level, level_of
from queries.index._mix import mix_of
from queries.index._own import counted_here
from queries.index._score import Scored, rescored, scored, usable
from queries.index._tables import index_kept
from queries.kpi import covered
from queries.periods import previous
from queries.store import version
from queries.tables import category

#: So much of it, and so many levels and periods, are kept in memory; the least used goes first.
MOST_BYTES, MOST_HELD = 400_000_000, 96
#: Inputs of which a table is kept after nobody wrote them for so long are let go.
OLD_S = 3 * 86_400
ARRAYS = ("num", "group", "top", "under", "known", "age", "stale")


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """One level and period. `anew`: how many of its areas were scored when it was last brought up to date."""

    ask: Ask
    number: int
    version: int
    hour: int
    basis: str
    mark: int
    where: Standing
    now: Inputs
    was: Inputs | None
    before: Scored | None
    scored: Scored
    level: Level
    anew: int

    @property
    def size(self) -> int:
        """Return its bytes."""
        parts = [self.now, self.scored, *(x for x in (self.was, self.before) if x is not None)]
        return sum(a.nbytes for part in parts for a in vars(part).values() if isinstance(a, np.ndarray))


Key = tuple[str, int, int, int]
_held: OrderedDict[Key, Held] = OrderedDict()
_locks: dict[Key, threading.Lock] = {}
_lock = threading.Lock()


def level_scores(connection: Connection, ask: Ask, level: int) -> Level:
    """Return a level's scores over the whole city, whoever asks: a score must not depend on who looks at it."""
    return held(connection, Ask(scope=EVERYTHING, since=ask.since, until=ask.until), level).level


def held(connection: Connection, ask: Ask, level: int) -> Held:
    """Return what is kept of a level and period, brought up to date."""
    key = (str(connection.engine.url), day_bucket(ask.since), day_bucket(ask.until), level)
    with _lock:
        mine = _locks.setdefault(key, threading.Lock())
    with mine:
        old = _held.get(key)
        fresh = _brought(connection, ask, level, old)
        with _lock:
            _held[key] = fresh
            _held.move_to_end(key)
            while len(_held) > MOST_HELD or (len(_held) > 1 and sum(one.size for one in _held.values()) > MOST_BYTES):
                _locks.pop(_held.popitem(last=False)[0], None)
    return fresh


def kept_here(url: str) -> Iterator[Held]:
    """Yield what this process keeps of one database, the last used first."""
    with _lock:
        mine = [one for key, one in reversed(_held.items()) if key[0] == url]
    yield from mine


def forget_here() -> None:
    """Let go of all that this process keeps."""
    with _lock:
        _held.clear()


def whole(connection: Connection, ask: Ask, level: int) -> Held:
    """Return a level and period made of the sums alone, nothing kept."""
    mark, number = touched.last_mark(connection), version(connection)
    where, hour = standing(connection, ask, level), _hour()
    given, was = read_inputs(connection, ask, where), None
    if level > 0:
        earlier = _earlier(ask)
        was = read_inputs(connection, earlier, standing(connection, earlier, level))
    return _scored(Held(ask=ask, number=level, version=number, hour=hour, basis=_basis(connection, ask), mark=mark, where=where, now=given, was=was,
                        before=None, scored=None, level=None, anew=0))  # type: ignore[arg-type]


def _scored(one: Held) -> Held:
    before = scored(one.was, False, None) if usable(one.now, one.number == 0, one.was) else None  # type: ignore[arg-type]
    done = scored(one.now, one.number == 0, before)
    return replace(one, before=before, scored=done, level=level_of(one.where, one.now, done), anew=len(one.now.num))


def _hour() -> int:
    # Which sensors are silent changes without any new data; once an hour is often enough for a score of days.
    return int(now().timestamp()) // 3600


def _earlier(ask: Ask) -> Ask:
    before = previous(ask.since, ask.until)
    return ask.but(since=before.since, until=before.until)


def _basis(connection: Connection, ask: Ask) -> str:
    """Return what must be the same for kept inputs to be of use: catalogue, trees, categories and their weights, days that are covered."""
    def made() -> str:
        earlier = _earlier(ask)
        roots = [places.root(connection, day).num for day in (ask.on, earlier.on)]
        codes = connection.execute(select(category.c.code).order_by(category.c.code)).scalars().all()
        mixes = [mix_of(connection, one.since, computed()).key for one in (ask, earlier)]
        ours = [",".join(sorted(counted_here(connection, one, computed()))) for one in (ask, earlier)]
        return "|".join(map(str, (VERSION, *mixes, *ours, *roots, *codes, covered(connection, ask), covered(connection, earlier), *(one.id for one in computed()))))
    return remembered(connection, ("index_basis", ask), made)


def _brought(connection: Connection, ask: Ask, level: int, old: Held | None) -> Held:
    hour = _hour()
    if old is not None and (old.version, old.hour) == (version(connection), hour):
        return old
    basis = _basis(connection, ask)
    if old is None or old.basis != basis:
        old = _from_table(connection, ask, level, basis)
    if old is None:
        return whole(connection, ask, level)
    number = version(connection)  # before the marks: what comes in between is looked at again
    first = _earlier(ask).since if level else ask.since
    told = touched.since(connection, old.mark, day_bucket(first), day_bucket(ask.until))
    if told.sums is None or told.figures is None:
        return whole(connection, ask, level)
    rows = [np.flatnonzero(np.isin(old.where.area_id, areas)) for areas in (told.sums, told.figures)]
    if max(map(len, rows)) > FEW or (any(map(len, rows)) and old.was is not None and old.before is None):
        return whole(connection, ask, level)  # too much to ask for one by one; or the areas were others in the period before
    given, was, before, n = old.now, old.was, old.before, len(old.now.num)
    moved = moved_then = np.zeros(0, int)
    for at, figures in zip(rows, (False, True), strict=True):
        given, more = _read_again(connection, ask, old.where, given, at, _told_by(connection, ask, figures))
        moved = np.union1d(moved, more)
        if was is not None:
            was, more = _read_again(connection, _earlier(ask), old.where, was, at, _told_by(connection, _earlier(ask), figures))
            moved_then = np.union1d(moved_then, more)
    if len(moved_then) and before is not None and was is not None:
        before, again = rescored(before, was, False, None, moved_then)
        moved = np.union1d(moved, again)
    if hour != old.hour:
        given, blinked = _read_again(connection, ask, old.where, given, np.arange(n), _blinking())
        moved = np.union1d(moved, blinked)
    done, again = (old.scored, moved) if not len(moved) else rescored(old.scored, given, level == 0, before, moved)
    made = old.level if not len(moved) else level_of(old.where, given, done)
    return replace(old, version=number, hour=hour, mark=told.mark, now=given, was=was, before=before, scored=done, level=made, anew=min(len(again), n))


def _some(where: Standing, rows: np.ndarray) -> Standing:
    """Return some areas of a level."""
    parts = {name: getattr(where, name)[rows] for name in ("num", "last", "area_id", "code", "dense", "area_m2", "residents")}
    return replace(where, spans=tuple((int(a), int(b)) for a, b in zip(parts["num"], parts["last"], strict=True)), **parts)


def _read_again(connection: Connection, ask: Ask, where: Standing, old: Inputs, rows: np.ndarray, columns: np.ndarray) -> tuple[Inputs, np.ndarray]:
    """Read some indicators of some areas again; return the inputs and which of the areas differ from before."""
    if not len(rows) or not len(columns):
        return old, np.zeros(0, int)
    few = where if len(rows) == len(where.num) else _some(where, rows)
    return patched(old, rows, read_inputs(connection, ask, few, old.group[rows], [computed()[j] for j in columns]), columns)


def _told_by(connection: Connection, ask: Ask, figures: bool) -> np.ndarray:
    """Return which indicators a change of figures moves in the days of an ask, or one of our own counts: never both (queries/index/_own.py)."""
    ours = counted_here(connection, ask, computed())
    return np.array([j for j, one in enumerate(computed()) if (one.imported and one.id not in ours if figures else one.top and not one.now_only and (not one.imported or one.id in ours))], int)


def _blinking() -> np.ndarray:
    return np.array([j for j, one in enumerate(computed()) if one.now_only], int)


def save(connection: Connection, one: Held) -> None:
    """Keep the inputs of a level and period in the table."""
    arrays = {f"{name}.{key}": getattr(given, key) for name, given in (("now", one.now), ("was", one.was)) if given is not None for key in ARRAYS}
    arrays |= {f"{name}.covered": np.array([given.covered]) for name, given in (("now", one.now), ("was", one.was)) if given is not None}
    body = io.BytesIO()
    np.savez_compressed(body, **arrays)
    k = index_kept.c
    key = {"level": one.number, "since": day_bucket(one.ask.since), "until": day_bucket(one.ask.until)}
    connection.execute(delete(index_kept).where(k.level == key["level"], k.since == key["since"], k.until == key["until"]))
    connection.execute(index_kept.insert().values(**key, basis=one.basis, mark=one.mark, made_at=stamp(now()), inputs=body.getvalue()))


def forget_old(connection: Connection) -> int:
    """Let go of what nobody kept for some days; return how many."""
    return connection.execute(delete(index_kept).where(index_kept.c.made_at < stamp(now()) - OLD_S)).rowcount


def _from_table(connection: Connection, ask: Ask, level: int, basis: str) -> Held | None:
    k = index_kept.c
    row = connection.execute(select(index_kept).where(k.level == level, k.since == day_bucket(ask.since), k.until == day_bucket(ask.until))).one_or_none()
    if row is None or row.basis != basis:
        return None
    where = standing(connection, ask, level)
    with np.load(io.BytesIO(row.inputs), allow_pickle=False) as body:
        arrays = {name: body[name] for name in body.files}
    given, was = (Inputs(**{key: arrays[f"{name}.{key}"] for key in ARRAYS}, covered=bool(arrays[f"{name}.covered"][0])) if f"{name}.num" in arrays else None
                  for name in ("now", "was"))
    if given is None or len(given.num) != len(where.num) or not (given.num == where.num).all():
        return None
    return _scored(Held(ask=ask, number=level, version=-1, hour=-1, basis=basis, mark=row.mark, where=where, now=given, was=was, before=None, scored=None,
                        level=None, anew=0))  # type: ignore[arg-type]
