"""Writes the tree versions: what is unchanged keeps its numbers, what is new gets fresh ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from queries import tables
from queries.boundaries.areas import AreasRead
from queries.boundaries.draw import ROOT, Drawing, Drawn, draw
from queries.boundaries.moves import move
from queries.boundaries.numbers import fresh_nums
from queries.city.model import City
from queries.intervals import chunks
from queries.places import EARLY
from queries.store import bulk
from queries.tables import area, node, tree


@dataclass(frozen=True, kw_only=True)
class TreesChange:
    """What writing the areas would do."""

    created: int
    kept: int
    retired: int
    areas_new: int
    areas_gone: int
    areas: int

    @property
    def unchanged(self) -> bool:
        """Return whether the boundaries are those that are stored."""
        return not (self.created or self.retired)


@dataclass(frozen=True, kw_only=True)
class TreesWritten:
    """What writing the areas did. After `rebuild`, roll-ups must be made anew."""

    change: TreesChange
    moved: int  # cases, sensors and cameras that got another node

    @property
    def rebuild(self) -> bool:
        """Return whether areas of stored cases may have changed."""
        return not self.change.unchanged


@dataclass(frozen=True, kw_only=True)
class _Plan:
    drawing: Drawing
    fresh: list[Drawn]
    same: dict[int, Drawn]  # stored tree id -> what it should be
    clipped: dict[int, int]  # stored tree id -> its new last day + 1
    retired: list[int]
    known: dict[str, int]  # area hash -> id
    change: TreesChange


def plan_trees(connection: Connection, city: City, read: AreasRead) -> TreesChange:
    """Return what write_trees would do, without doing it."""
    return _plan(connection, read).change


def write_trees(connection: Connection, city: City, read: AreasRead) -> TreesWritten:
    """Bring the tables level, tree, area and node to what was read.

    A delivery whose areas all begin on some day leaves the trees of earlier days as they are. Stored
    cases, sensors and cameras whose tree changed are placed again.
    """
    plan = _plan(connection, read)
    _write_levels(connection, read)
    ids = _write_areas(connection, plan)
    for tree_id, drawn in plan.same.items():
        held = {"valid_from": drawn.valid_from, "valid_to": drawn.valid_to}
        connection.execute(update(tree).where(tree.c.id == tree_id).values(**held))
    for tree_id, end in plan.clipped.items():
        connection.execute(update(tree).where(tree.c.id == tree_id).values(valid_to=end))
    for drawn in plan.fresh:
        _write_tree(connection, drawn, ids)
    moved = 0
    if not plan.change.unchanged:
        moved = move(connection, city, plan.retired)
        _remove(connection, plan.retired)
    return TreesWritten(change=plan.change, moved=moved)


def _plan(connection: Connection, read: AreasRead) -> _Plan:
    drawing = draw(read)
    stored = connection.execute(select(tree).order_by(tree.c.valid_from, tree.c.id)).all()
    begins = drawing.trees[0].valid_from
    same: dict[int, Drawn] = {}
    fresh: list[Drawn] = []
    left = {row.id: row for row in stored}
    for drawn in drawing.trees:
        # Of two with equal boundaries, that which began on the same day is the same one.
        equal = sorted(
            (row.valid_from != drawn.valid_from, row.id) for row in left.values() if row.hash == drawn.hash
        )
        if equal:
            same[equal[0][1]] = drawn
            del left[equal[0][1]]
        else:
            fresh.append(drawn)
    earlier = {row.id: row for row in left.values() if begins > EARLY and row.valid_from < begins}
    clipped = {
        tree_id: begins for tree_id, row in earlier.items() if row.valid_to is None or row.valid_to > begins
    }
    retired = [tree_id for tree_id in left if tree_id not in earlier]
    known = {row.hash: row.id for row in connection.execute(select(area.c.hash, area.c.id))}
    staying: set[str] = set()
    for part in chunks(sorted(earlier)):
        staying |= set(connection.scalars(
            select(area.c.hash).join(node, node.c.area_id == area.c.id)
            .where(node.c.tree_id.in_(part)).distinct()
        ))
    wanted = drawing.areas.keys() | staying
    change = TreesChange(
        created=len(fresh), kept=len(same) + len(earlier), retired=len(retired) + len(clipped),
        areas_new=len(drawing.areas.keys() - known.keys()), areas_gone=len(known.keys() - wanted),
        areas=len(drawing.areas),
    )
    return _Plan(drawing=drawing, fresh=fresh, same=same, clipped=clipped, retired=retired, known=known,
                 change=change)


def _write_levels(connection: Connection, read: AreasRead) -> None:
    wanted = [(one.level, one.id, one.name, one.name_en) for one in read.levels]
    stored = connection.execute(select(tables.level).order_by(tables.level.c.level))
    if [tuple(row) for row in stored] == wanted:
        return
    connection.execute(delete(tables.level))
    bulk(connection, tables.level, ("level", "id", "name", "name_en"), wanted)


def _write_areas(connection: Connection, plan: _Plan) -> dict[str, int]:
    """Insert new areas, refresh what is told about known ones; return {hash: id}."""
    made = plan.drawing.areas
    new = [row for key, row in made.items() if key not in plan.known]
    columns = [c.name for c in area.columns if c.name != "id"]
    bulk(connection, area, columns, ([row[c] for c in columns] for row in new))
    told = ("name_en", "residents")
    stored = connection.execute(select(area.c.id, area.c.hash, area.c.name_en, area.c.residents)).all()
    for row in stored:
        now = made.get(row.hash)
        if row.hash == ROOT and now is not None and ROOT in plan.known and not plan.change.unchanged:
            connection.execute(update(area).where(area.c.id == row.id).values(**now))
        elif now is not None and (now["name_en"], now["residents"]) != (row.name_en, row.residents):
            values = {name: now[name] for name in told}
            connection.execute(update(area).where(area.c.id == row.id).values(**values))
    return {row.hash: row.id for row in stored}


def _write_tree(connection: Connection, drawn: Drawn, ids: dict[str, int]) -> None:
    values = {"valid_from": drawn.valid_from, "valid_to": drawn.valid_to, "hash": drawn.hash}
    tree_id = connection.execute(tree.insert().values(**values)).inserted_primary_key[0]
    first = fresh_nums(connection, len(drawn.keys))
    columns = ("num", "tree_id", "area_id", "level", "parent", "last", "main", "dense")
    bulk(connection, node, columns, _node_rows(drawn, ids, tree_id, first))


def _node_rows(
    drawn: Drawn, ids: dict[str, int], tree_id: int, first: int
) -> Iterable[tuple[Any, ...]]:
    for position, key in enumerate(drawn.keys):
        parent = drawn.parent[position]
        yield (
            first + position, tree_id, ids[key], drawn.level[position],
            None if parent < 0 else first + parent, first + drawn.last[position], True,
            drawn.dense[position],
        )


def _remove(connection: Connection, retired: list[int]) -> None:
    for part in chunks(retired):
        connection.execute(delete(node).where(node.c.tree_id.in_(part)))
        connection.execute(delete(tree).where(tree.c.id.in_(part)))
    used = select(node.c.area_id)
    connection.execute(delete(area).where(area.c.level > 0, area.c.id.not_in(used)))
