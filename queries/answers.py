"""Stamps answers with their honesty, and remembers those of the data's present version."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, bindparam, select

from queries.clock import moment, now
from queries.frame import Answer, Ask, Dropped
from queries.store import PLACED, get_meta, version
from queries.tables import source

T = TypeVar("T")
KEPT, FEW_KEPT = 512, 32
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_ageless: OrderedDict[Hashable, Any] = OrderedDict()
_making: dict[Hashable, threading.Event] = {}
_lock = threading.Lock()
#: Nobody waits longer than this for what another makes.
PATIENCE_S = 20.0
_SOURCES = (
    select(source.c.id, source.c.as_of, source.c.every_s, source.c.refused, source.c.state)
    .where(source.c.kind.in_(bindparam("kinds", expanding=True))).order_by(source.c.id)
)


def remembered(connection: Connection, key: tuple[Hashable, ...], make: Callable[[], T], ageless: bool = False, lasting: bool = False) -> T:
    """Return what `make` returns, made once per data version and minute. Not for use while writing.

    `ageless`: only new data changes it. `lasting`: only a load does, since it is of the boundaries and words alone.
    Such things may be large, so few of them are kept. Whoever asks while another makes it waits for that.
    """
    kept, most = (_ageless, FEW_KEPT) if ageless or lasting else (_kept, KEPT)
    minute = 0 if ageless or lasting else int(now().timestamp()) // 60
    whole = (*_state(connection, lasting), minute, *key)
    with _lock:
        if whole in kept:
            kept.move_to_end(whole)
            return kept[whole]
        other = _making.get(whole)
        if other is None:
            mine = _making[whole] = threading.Event()
    if other is not None:
        other.wait(PATIENCE_S)  # however it ended: what is not there then is made here
        with _lock:
            if whole in kept:
                return kept[whole]
        return make()
    try:
        made = make()
        with _lock:
            kept[whole] = made
            while len(kept) > most:
                kept.popitem(last=False)
        return made
    finally:
        with _lock:
            del _making[whole]
        mine.set()


_states: WeakKeyDictionary[Connection, dict[bool, tuple[Hashable, ...]]] = WeakKeyDictionary()


def _state(connection: Connection, lasting: bool) -> tuple[Hashable, ...]:
    # A reader holds its connection for one answer: what state the data are in is asked for once.
    held = _states.setdefault(connection, {})
    if lasting not in held:
        held[lasting] = (str(connection.engine.url), (lasting and get_meta(connection, PLACED)) or version(connection))
    return held[lasting]


def stamped(
    connection: Connection, rows: Any, kinds: tuple[str, ...] = ("cases",), ask: Ask | None = None,
    notes: tuple[dict[str, str], ...] = (), total: int | None = None,
) -> Answer[Any]:
    """Return rows as an answer with its as-of, sources and what was dropped on the way in."""
    at = None if ask is None else ask.at
    told = connection.execute(_SOURCES, {"kinds": list(kinds)}).all()
    known = [r for r in told if r.as_of is not None]
    newest = max((r.as_of for r in known), default=None)
    due = [r.as_of + r.every_s for r in known if r.every_s]
    dropped: list[Dropped] = []
    refused = sum(r.refused for r in told)
    if refused:
        dropped.append(Dropped(n=refused, why={
            "zh": "数据行未通过检查，已隔离", "en": "rows refused on loading, kept in quarantine"}))
    if ask is not None and ask.place is None and ask.scope.areas is None and "cases" in kinds:
        unplaced = get_meta(connection, "unplaced") or {}
        n = sum(unplaced.values()) if isinstance(unplaced, dict) else 0
        if n:
            notes = (*notes, {"zh": f"{n:,} 件不在任何区域内，只计入全市", "en": f"{n:,} cases lie in no area and count in the city only"})
    failed = tuple(
        {"zh": f"数据源 {r.id} 读取失败", "en": f"source {r.id} failed to load"} for r in told if r.state == "failed"
    )
    if at is not None:
        # How the sources are now says nothing about then.
        notes = (*notes, known_then(at))
        return Answer(rows=tuple(rows), as_of=None if newest is None else min(moment(newest), at.astimezone(UTC)),
                      source=tuple(r.id for r in told), dropped=tuple(dropped), notes=notes, total=total)
    return Answer(
        rows=tuple(rows), as_of=None if newest is None else min(moment(newest), now() + timedelta(days=1)),
        source=tuple(r.id for r in told), due=moment(min(due)) if due else None,
        dropped=tuple(dropped), notes=(*notes, *failed), total=total,
    )


def known_then(at: datetime) -> dict[str, str]:
    """Return the note of an answer about a moment of the past."""
    return {"zh": f"◷ 按 {at:%Y-%m-%d %H:%M:%S} 时已知的情况", "en": f"◷ as it was known at {at:%Y-%m-%d %H:%M:%S}"}


def by_day(ask: Ask) -> tuple[dict[str, str], ...]:
    """Return the note that figures kept by day stand, at a moment of the past, at the end of the day before."""
    if ask.at is None:
        return ()
    return ({"zh": f"按日统计的指标截至前一日（{ask.until}）结束时", "en": f"figures that are kept by day stand at the end of the day before ({ask.until})"},)


def only_sums(ask: Ask) -> tuple[dict[str, str], ...]:
    """Return the note that figures follow no other filters than category and department."""
    more = ask.filters
    if more.statuses or more.overdue or more.open_only or more.unplaced or more.text:
        return ({"zh": "指标只随类别和部门筛选；其他筛选作用于案件列表和地图上的案件点",
                 "en": "figures follow category and department only; other filters narrow the case list"},)
    return ()
