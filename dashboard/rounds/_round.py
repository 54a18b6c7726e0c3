"""The Round value: at which addresses a wall stops, and for how long. A round sets addresses and does nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard import address
from dashboard.address import View
from dashboard.context import Context, span
from queries import outlines, places, scope


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One stop: what of the address it changes, and its dwell. `each` = one such stop for every part of the place."""

    dwell_s: float = 30.0
    view: Mapping[str, Any] = field(default_factory=dict)
    each: bool = False


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round."""

    id: str
    title: Mapping[str, str]
    order: int
    stops: tuple[Stop, ...]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A stop as the browser takes it: the query part of its address, and its dwell."""

    search: str
    dwell_s: float


#: A city of very many parts would keep the wall on its way for hours.
MOST = 60


def turns(context: Context, view: View, chosen: Round) -> list[Turn]:
    """Return the stops of a round as addresses, with what of `view` is the wall's own kept; only places that its visitor may see."""
    own = {name: getattr(view, name) for name in ("scene", "lang", "kiosk", "pause", "wide", "far", "period", "since", "until", "at", "drill")}
    out: list[Turn] = []
    for stop in chosen.stops:
        for more in ({"place": code} for code in _parts(context, View(**{**own, **stop.view}))) if stop.each else ({},):
            # An address without a place and with one are both whole: nothing of the stop before is left.
            out.append(Turn(search="?" + address.query(View(**{**own, **stop.view, **more, "round": chosen.id, "stop": len(out)})), dwell_s=stop.dwell_s))
    return out[:MOST]


def _parts(context: Context, view: View) -> list[str]:
    on = span(view, context.city().last_day)[1]
    with context.store.read() as connection:
        place = places.find(connection, view.place, on, context.scope)
        for level in (one.level for one in outlines.levels(connection) if one.level > place.level):
            if held := scope.visible_under(connection, context.scope, place, level):
                return [one.code for one in held]
    return []
