"""The boundary tree as it is read: one place, its path, its children, a search, outlines.

The tree in force on a day answers every question about that day. Which of these places an asker may
see is decided by queries/scope.py; only `search` asks it, because a search is itself an answer.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from queries.clock import EPOCH, day_bucket
from queries.errors import AskError, NoSuchError
from queries.frame import EVERYTHING, Scope
from queries.intervals import chunks, inside, merged, ranges
from queries.outlines import Level, Shape, level_numbers, levels, shapes
from queries.tables import area, node, tree

__all__ = [
    "EARLY", "Level", "Place", "Shape", "Tree", "at", "below", "chain", "children", "day", "find",
    "inside", "level_numbers", "levels", "path", "ranges", "root", "search", "shapes", "tree_on",
    "trees", "versions",
]

#: The day that stands for "since always".
EARLY = day_bucket(date.min)


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One version of the boundary tree; `valid_to` is the first day on which it no longer holds."""

    tree_id: int
    valid_from: date | None
    valid_to: date | None
    hash: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """One area at its main node in one tree version."""

    area_id: int
    code: str
    level: int
    name: str
    name_en: str
    parent_code: str | None
    num: int
    last: int
    dense: int | None
    tree_id: int
    lon: float | None
    lat: float | None
    bbox: tuple[float, float, float, float] | None
    area_m2: float | None
    residents: int | None
    has_children: bool
    valid_from: date | None
    valid_to: date | None


_COLUMNS = (
    area.c.id, area.c.code, area.c.level, area.c.name, area.c.name_en, area.c.parent_code,
    area.c.lon, area.c.lat, area.c.west, area.c.south, area.c.east, area.c.north, area.c.area_m2,
    area.c.residents, area.c.valid_from, area.c.valid_to,
    node.c.num, node.c.last, node.c.dense, node.c.tree_id,
)


def tree_on(connection: Connection, on: date) -> Tree:
    """Return the tree in force on a day; before the first one, the first. AskError if there is none."""
    row = connection.execute(select(tree).where(tree.c.id == _tree_id()), {"day": day_bucket(on)}).one_or_none()
    if row is None:
        raise NoSuchError("No boundaries are loaded. Load a city first: python app.py load CITY_DIR.")
    return _tree(row)


def trees(connection: Connection) -> list[Tree]:
    """Return all tree versions, oldest first."""
    return [_tree(row) for row in connection.execute(select(tree).order_by(tree.c.valid_from))]


def root(connection: Connection, on: date) -> Place:
    """Return the whole city on a day."""
    found = _places(connection, _ROOT, {"day": day_bucket(on)})
    if not found:
        tree_on(connection, on)
        raise AskError("The boundary tree has no root. Load the city again.")
    return found[0]


def find(connection: Connection, code: str | None, on: date, scope: Scope = EVERYTHING) -> Place:
    """Return the place with a code on a day (None = the whole city).

    Raises AskError that names the nearest code, but only to those who may see everything.
    """
    if code is None:
        return root(connection, on)
    found = _places(connection, _NAMED, {"day": day_bucket(on), "code": code})
    if found:
        return found[0]
    tree_on(connection, on)
    hint = _nearest(connection, code, on) if scope.areas is None else ""
    raise NoSuchError(f"No area has the code {code!r} on {on}.{hint}")


def path(connection: Connection, place: Place) -> list[Place]:
    """Return the places from the whole city down to this one."""
    return chain(connection, place.num)


def chain(connection: Connection, num: int) -> list[Place]:
    """Return the places from the whole city down to any node, main or further."""
    up = select(node.c.num.label("num"), node.c.parent.label("parent")).where(node.c.num == num)
    up = up.cte("up", recursive=True)
    up = up.union_all(select(node.c.num, node.c.parent).where(node.c.num == up.c.parent))
    statement = _joined().where(node.c.num.in_(select(up.c.num))).order_by(node.c.level)
    return _places(connection, statement)


def of_nodes(connection: Connection, nums: Iterable[int]) -> dict[int, Place]:
    """Return the place at each of some nodes, main or further; a number that is none is left out."""
    wanted = sorted({int(num) for num in nums})
    return {one.num: one for part in chunks(wanted) for one in _places(connection, _joined().where(node.c.num.in_(part)))}


def children(connection: Connection, place: Place) -> list[Place]:
    """Return the areas directly under a place, in tree order."""
    return _places(connection, _main().where(node.c.parent == place.num).order_by(node.c.num))


def former(connection: Connection, place: Place) -> list[str]:
    """Return the codes of areas that stood directly under a place before its day and do not then, in order; one that has changed may bear its old code."""
    every = trees(connection)
    before = [one.tree_id for one in every[:next(i for i, one in enumerate(every) if one.tree_id == place.tree_id)]]
    if not before:
        return []
    above, here = node.alias("above"), select(node.c.area_id).where(node.c.parent == place.num)
    return list(connection.scalars(
        select(area.c.code).distinct().join(node, node.c.area_id == area.c.id).join(above, above.c.num == node.c.parent)
        .where(above.c.area_id == place.area_id, above.c.tree_id.in_(before), node.c.area_id.not_in(here)).order_by(area.c.code)))


def below(connection: Connection, place: Place, level: int) -> list[Place]:
    """Return the areas of one level at or under a place, in tree order."""
    statement = _main().where(
        node.c.tree_id == place.tree_id,
        node.c.level == level,
        node.c.num.between(place.num, place.last),
    )
    return _places(connection, statement.order_by(node.c.num))


def at(connection: Connection, area_ids: Iterable[int], tree_id: int) -> list[Place]:
    """Return those of some areas that stand in a tree, in tree order."""
    found: list[Place] = []
    for part in chunks(sorted(set(area_ids))):
        statement = _main().where(node.c.area_id.in_(part), of_tree(tree_id))
        found += _places(connection, statement)
    return sorted(found, key=lambda place: place.num)


def versions(connection: Connection, code: str) -> list[int]:
    """Return the ids of all areas that ever bore a code, oldest first."""
    statement = select(area.c.id).where(area.c.code == code).order_by(area.c.valid_from, area.c.id)
    return list(connection.scalars(statement))


def search(
    connection: Connection, scope: Scope, text: str, on: date, limit: int = 12
) -> list[Place]:
    """Return the places that an asker may see whose name, pinyin, initials or code match, best first."""
    from queries import scope as rights

    wanted = " ".join(text.split()).lower()
    # Typed with an input method, digits and letters are often of full width.
    close = unicodedata.normalize("NFKC", wanted).replace(" ", "")
    if not wanted:
        return []
    visible = rights.effective(connection, scope, root(connection, on))
    if not visible:
        return []
    name, name_en = func.lower(area.c.name), func.lower(area.c.name_en)
    code, pinyin, initials = func.lower(area.c.code), area.c.pinyin, area.c.initials
    ways: list[ColumnElement[bool]] = [
        or_(code == close, name == wanted, name_en == wanted),
        or_(name.startswith(wanted, autoescape=True), name_en.startswith(wanted, autoescape=True)),
        initials.startswith(close, autoescape=True),
        pinyin.startswith(close, autoescape=True),
        code.startswith(close, autoescape=True),
        or_(name.contains(wanted, autoescape=True), name_en.contains(wanted, autoescape=True)),
        or_(initials.contains(close, autoescape=True), pinyin.contains(close, autoescape=True)),
    ]
    best = case(*((way, i) for i, way in enumerate(ways)), else_=len(ways))
    statement = (
        _main().where(node.c.tree_id == visible[0].tree_id, or_(*ways))
        .where(inside(node.c.num, merged((place.num, place.last) for place in visible)))
        .order_by(best, node.c.level, node.c.num).limit(limit)
    )
    return _places(connection, statement)


def day(number: int | None) -> date | None:
    """Return the date of a stored day; None when it is open or unknown."""
    return None if number is None or number <= EARLY else EPOCH + timedelta(days=number)


def of_tree(tree_id: Any) -> ColumnElement[bool]:
    """Return the condition that a node is of a tree, where codes or ids already name the few areas that are meant.

    Without statistics SQLite would take the index of trees for it and read all nodes of the city.
    """
    return node.c.tree_id + 0 == tree_id


def _tree_id() -> ScalarSelect[int]:
    held = tree.c.valid_from <= bindparam("day")
    in_force = select(tree.c.id).where(held).order_by(tree.c.valid_from.desc(), tree.c.id).limit(1)
    first = select(tree.c.id).order_by(tree.c.valid_from, tree.c.id).limit(1)
    chosen = func.coalesce(in_force.scalar_subquery(), first.scalar_subquery())
    return select(chosen).scalar_subquery()


def _joined() -> Select[Any]:
    return select(*_COLUMNS).join(area, area.c.id == node.c.area_id)


def _main() -> Select[Any]:
    return _joined().where(node.c.main.is_(True))


#: Every answer begins with one of these; they are made once and bound each time.
_ROOT = _main().where(node.c.tree_id == _tree_id(), node.c.level == 0)
_NAMED = _main().where(of_tree(_tree_id()), area.c.code == bindparam("code"))


def _places(connection: Connection, statement: Select[Any], bound: dict[str, Any] | None = None) -> list[Place]:
    return [_place(row) for row in connection.execute(statement, bound or {})]


def _place(r: Row[Any]) -> Place:
    return Place(
        area_id=r.id, code=r.code, level=r.level, name=r.name, name_en=r.name_en,
        parent_code=r.parent_code, num=r.num, last=r.last, dense=r.dense, tree_id=r.tree_id,
        lon=r.lon, lat=r.lat,
        bbox=None if r.west is None else (r.west, r.south, r.east, r.north),
        area_m2=r.area_m2, residents=r.residents, has_children=r.last > r.num,
        valid_from=day(r.valid_from), valid_to=day(r.valid_to),
    )


def _tree(r: Row[Any]) -> Tree:
    return Tree(tree_id=r.id, valid_from=day(r.valid_from), valid_to=day(r.valid_to), hash=r.hash)


def _nearest(connection: Connection, code: str, on: date) -> str:
    stored = select(area.c.code).join(node, and_(node.c.area_id == area.c.id, node.c.main.is_(True)))
    stored, bound = stored.where(of_tree(_tree_id())), {"day": day_bucket(on)}
    # Codes that share a beginning stand beside each other, so a few neighbours are enough to compare.
    after = connection.scalars(stored.where(area.c.code >= code).order_by(area.c.code).limit(30), bound)
    before = connection.scalars(stored.where(area.c.code < code).order_by(area.c.code.desc()).limit(30), bound)
    near = difflib.get_close_matches(code, [*after, *before], n=1, cutoff=0.5)
    if not near:
        return " Search for the place by its name."
    return f" The nearest code is {near[0]!r}."
