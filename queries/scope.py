"""Who may see which branches of the boundary tree: the only place where this is decided.

A branch is an area and all areas that are declared under it, each with all of its cases. A cell that
straddles two parents belongs to the branch of its declared parent.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from queries import places
from queries.errors import ScopeError
from queries.frame import Scope
from queries.intervals import chunks
from queries.places import Place
from queries.tables import area, node


def effective(connection: Connection, scope: Scope, place: Place) -> list[Place]:
    """Return the largest visible areas at or under a place, in tree order, none inside another.

    [place] when all of it is visible, [] when nothing is.
    """
    if scope.areas is None:
        return [place]
    granted = _granted(connection, scope, place.tree_id)
    if any(lo <= place.num <= hi for lo, hi in granted.values()):
        return [place]
    under = {a: (lo, hi) for a, (lo, hi) in granted.items() if place.num <= lo <= place.last}
    top: list[int] = []
    end = -1
    for area_id, (lo, hi) in sorted(under.items(), key=lambda item: item[1]):
        if lo > end:
            top.append(area_id)
            end = hi
    return places.at(connection, top, place.tree_id)


def area_ids(connection: Connection, scope: Scope, place: Place) -> list[int]:
    """Return the area ids whose roll-ups add up to all that is visible at or under a place."""
    return [part.area_id for part in effective(connection, scope, place)]


def node_ranges(connection: Connection, scope: Scope, place: Place) -> list[tuple[int, int]]:
    """Return the node intervals, over all trees, of all that is visible at or under a place."""
    return places.ranges(connection, area_ids(connection, scope, place))


def ranges_under(connection: Connection, visible: Sequence[Place]) -> list[tuple[int, int]]:
    """Return the same of places that `check` has returned, without asking for the rights again."""
    return places.ranges(connection, [part.area_id for part in visible])


def check(connection: Connection, scope: Scope, place: Place) -> list[Place]:
    """Return what is visible at or under a place; ScopeError when nothing is."""
    visible = effective(connection, scope, place)
    if not visible:
        raise ScopeError(
            f"Area {place.code!r} lies outside what you may see. Choose a place in your own area, "
            "or ask for the right to see this one."
        )
    return visible


def parts(connection: Connection, visible: list[Place], place: Place) -> list[Place]:
    """Return what a place is compared by: the areas directly under it, or, where only some of it may be seen, these."""
    return places.children(connection, place) if visible == [place] else visible


def sees(connection: Connection, scope: Scope, num: int) -> bool:
    """Return whether what lies at a node (a case, a sensor) is visible."""
    if scope.areas is None:
        return True
    steps = places.chain(connection, num)
    if not steps or not scope.areas:
        return False
    granted = _granted(connection, scope, steps[0].tree_id)
    homes = places.at(connection, [step.area_id for step in steps], steps[0].tree_id)
    return any(lo <= home.num <= hi for home in homes for lo, hi in granted.values())


def seen_of(connection: Connection, scope: Scope, found: Sequence[Place]) -> list[Place]:
    """Return those of some places of one tree that are visible. One statement tells it of all that lie plainly inside."""
    if scope.areas is None or not found:
        return list(found)
    granted = _granted(connection, scope, found[0].tree_id).values()
    return [p for p in found if any(lo <= p.num <= hi for lo, hi in granted) or (granted and sees(connection, scope, p.num))]


def visible_under(connection: Connection, scope: Scope, place: Place, level: int) -> list[Place]:
    """Return the areas of one level at or under a place that are wholly visible, in tree order."""
    found = [
        below
        for part in effective(connection, scope, place)
        for below in places.below(connection, part, level)
    ]
    return sorted(found, key=lambda one: one.num)


def _granted(connection: Connection, scope: Scope, tree_id: int) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for part in chunks(sorted(scope.areas or ())):
        rows = connection.execute(
            select(node.c.area_id, node.c.num, node.c.last)
            .join(area, area.c.id == node.c.area_id)
            .where(area.c.code.in_(part), places.of_tree(tree_id), node.c.main.is_(True))
        )
        found |= {r.area_id: (r.num, r.last) for r in rows}
    return found
