"""Where a point lies in the tree of its day: one area per level, by the stated rule, many at a time.

From the top, on each level: the area that contains the point, preferring a child of the area chosen
above; of several the smallest, then the lowest code (counted as ambiguous). Where only another
area's child contains it, the point counts there on that level: that area gets a further node under
what was chosen above. A missing level is passed over.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from sqlalchemy import Connection, select

from queries.boundaries.numbers import fresh_nums
from queries.errors import BoundaryError
from queries.intervals import chunks
from queries.store import bulk
from queries.tables import area, node, tree


@dataclass(frozen=True, kw_only=True)
class Placed:
    """The node of each point, how it was found, and how many points were not plain."""

    node: np.ndarray
    placed: np.ndarray  # point, code, outside, none
    ambiguous: int  # more than one area of a level contains the point
    outside: int  # in no area at all
    crossing: int  # in a cell whose declared parents do not contain the point


@dataclass(frozen=True, kw_only=True)
class _Tree:
    """The main nodes of one tree version, in pre-order; position 0 is the city."""

    nums: np.ndarray
    level: np.ndarray
    parent: np.ndarray  # position
    area_id: np.ndarray
    rank: np.ndarray  # smaller area first, then lower code
    geoms: np.ndarray
    index: dict[int, tuple[np.ndarray, shapely.STRtree]]  # level -> positions, boxes
    by_code: dict[str, int]

    @property
    def root(self) -> int:
        """Return the node of the whole city."""
        return int(self.nums[0])


class Locator:
    """Places points in the trees of a store. Keeps shapes in memory; make a new one after a change."""

    def __init__(self, connection: Connection, without: Sequence[int] = ()) -> None:
        """Read which trees there are, leaving out some; shapes are read when a day needs them."""
        self._connection = connection
        rows = connection.execute(select(tree.c.id, tree.c.valid_from).order_by(tree.c.valid_from, tree.c.id))
        live = [row for row in rows if row.id not in set(without)]
        self._tree_ids = [row.id for row in live]
        self._days = [row.valid_from for row in live]
        self._begins = np.array(self._days)
        self._trees: dict[int, _Tree] = {}
        self._further: dict[int, dict[tuple[int, int], int]] = {}
        self._lines: dict[int, tuple[int, ...]] = {}
        self._depth = 0

    def use(self, connection: Connection) -> None:
        """Read and write through another connection from now on; what was read stays."""
        self._connection = connection

    def place(
        self, lon: np.ndarray, lat: np.ndarray, reported_day: np.ndarray,
        area_code: Sequence[str | None] | None = None,
    ) -> Placed:
        """Return the node of each point in the tree of its day (days since 1970).

        A point that is missing (NaN) or in no area is placed by its area code if that is known,
        else at the root. Writes further nodes that are needed for the first time.
        """
        if not self._tree_ids:
            raise BoundaryError("No boundaries are loaded, so no point can be placed. Load the areas first.")
        lon, lat = np.asarray(lon, float), np.asarray(lat, float)
        days = np.broadcast_to(np.asarray(reported_day), lon.shape)
        which = np.clip(np.searchsorted(self._begins, days, side="right") - 1, 0, None)
        nodes = np.zeros(len(lon), np.int64)
        how = np.empty(len(lon), object)
        ambiguous = crossing = 0
        for at in np.unique(which):
            mine = np.flatnonzero(which == at)
            tree_id = self._tree_ids[at]
            known = self._tree(tree_id)
            spots, first, back = _distinct(lon[mine], lat[mine])
            found, hits, many, further = self._descend(tree_id, known, spots)
            nodes[mine], times = found[back], np.bincount(back, minlength=len(first))
            ambiguous += int(times[many].sum())
            crossing += int(times[further].sum())
            there = np.isfinite(lon[mine]) & np.isfinite(lat[mine])
            how[mine] = np.where(hits[back], "point", np.where(there, "outside", "none"))
            if area_code is not None:
                for i in mine[~hits[back]]:
                    position = known.by_code.get(area_code[i] or "")
                    if position is not None:
                        nodes[i], how[i] = known.nums[position], "code"
        return Placed(node=nodes, placed=how.astype(str), ambiguous=ambiguous, crossing=crossing,
                      outside=int((how == "outside").sum()))

    def place_one(self, lon: float, lat: float, day: int, area_code: str = "") -> tuple[int, str]:
        """Return node and how it was found for one point, as `place` does for many and much sooner."""
        if not self._tree_ids:
            raise BoundaryError("No boundaries are loaded, so no point can be placed. Load the areas first.")
        tree_id = self._tree_ids[max(0, bisect_right(self._days, day) - 1)]
        known = self._tree(tree_id)
        there = math.isfinite(lon) and math.isfinite(lat)
        node_, hit = self._descend_one(tree_id, known, lon, lat) if there else (known.root, False)
        if hit:
            return node_, "point"
        position = known.by_code.get(area_code)
        return (int(known.nums[position]), "code") if position is not None else (node_, "outside" if there else "none")

    def _descend_one(self, tree_id: int, known: _Tree, x: float, y: float) -> tuple[int, bool]:
        spot = shapely.Point(x, y)
        chosen, at, hit = 0, known.root, bool(shapely.intersects_xy(known.geoms[0], x, y))
        further = self._further_of(tree_id)
        for level in sorted(known.index):
            positions, boxes = known.index[level]
            best: tuple[bool, int, int] | None = None
            for which in boxes.query(spot):
                position = int(positions[which])
                mark = int(known.parent[position]) != chosen, int(known.rank[position]), position
                if (best is None or mark < best) and shapely.intersects_xy(known.geoms[position], x, y):
                    best = mark
            if best is None:
                continue
            stranger, _, position = best
            if stranger or at != int(known.nums[chosen]):
                key = at, int(known.area_id[position])
                if key not in further:
                    # Seldom: the first case of all in this further node, which has to be written.
                    return int(self._descend(tree_id, known, np.array([[x, y]]))[0][0]), True
                at = further[key]
            else:
                at = int(known.nums[position])
            chosen, hit = position, True
        return at, hit

    def areas_of(self, nodes: np.ndarray) -> np.ndarray:
        """Return the area ids from the root down at each node: one row per node, one column per level.

        0 stands where there is no area on that level.
        """
        distinct, back = np.unique(np.asarray(nodes, np.int64), return_inverse=True)
        missing = [int(n) for n in distinct if int(n) not in self._lines]
        if missing:
            self._read_lines(missing)
        width = max(self._depth, 1)
        table = np.zeros((len(distinct), width), np.int64)
        for i, num in enumerate(distinct):
            line = self._lines[int(num)]
            table[i, :len(line)] = line
        return table[back]

    def _descend(
        self, tree_id: int, known: _Tree, spots: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return for distinct points: node, whether in any area, ambiguous, in a further node."""
        n = len(spots)
        x, y = spots[:, 0], spots[:, 1]
        points = shapely.points(x, y)
        chosen = np.zeros(n, np.int64)  # position of the area chosen so far
        at = np.full(n, known.nums[0])  # node; negative = not yet written
        many, hit = np.zeros(n, bool), shapely.intersects_xy(known.geoms[0], x, y)
        pending = _Pending(self._further_of(tree_id))
        for level in sorted(known.index):
            point, position = _containing(known, level, points, x, y)
            if len(point) == 0:
                continue
            child = known.parent[position] == chosen[point]
            order = np.lexsort((known.rank[position], ~child, point))
            point, position, child = point[order], position[order], child[order]
            first = np.r_[True, point[1:] != point[:-1]]
            rival = np.flatnonzero(~first)
            rival = rival[child[rival] == child[rival - 1]]
            best = child[np.flatnonzero(first)][np.cumsum(first) - 1]
            many[point[rival[child[rival] == best[rival]]]] = True
            point, position, child = point[first], position[first], child[first]
            main = child & (at[point] == known.nums[chosen[point]])
            at_next = known.nums[position].copy()
            for i in np.flatnonzero(~main):
                at_next[i] = pending.node(int(at[point[i]]), int(position[i]), known)
            at[point], chosen[point], hit[point] = at_next, position, True
        written = pending.write(self._connection, tree_id, known)
        late = at < 0
        at[late] = [written[int(temp)] for temp in at[late]]
        return at, hit, many, at != known.nums[chosen]

    def _tree(self, tree_id: int) -> _Tree:
        if tree_id not in self._trees:
            self._trees[tree_id] = _load(self._connection, tree_id)
        return self._trees[tree_id]

    def _further_of(self, tree_id: int) -> dict[tuple[int, int], int]:
        if tree_id not in self._further:
            rows = self._connection.execute(
                select(node.c.parent, node.c.area_id, node.c.num)
                .where(node.c.main.is_(False), node.c.tree_id == tree_id)
            )
            self._further[tree_id] = {(r.parent, r.area_id): r.num for r in rows}
        return self._further[tree_id]

    def _read_lines(self, missing: list[int]) -> None:
        """Read the lines of all nodes of the trees in which the missing ones stand."""
        trees: set[int] = set()
        for part in chunks(missing):
            trees |= set(self._connection.scalars(select(node.c.tree_id).where(node.c.num.in_(part)).distinct()))
            if len(trees) == len(self._tree_ids):
                break
        for part in chunks(sorted(trees)):
            rows = self._connection.execute(
                select(node.c.num, node.c.parent, node.c.level, node.c.area_id)
                .where(node.c.tree_id.in_(part)).order_by(node.c.level)
            )
            for num, parent, level, area_id in rows:
                above = self._lines[parent] if parent is not None else ()
                self._lines[num] = (*above, *(0,) * (level - len(above)), area_id)
                self._depth = max(self._depth, level + 1)


class _Pending:
    """Further nodes, known and wished for; the latter have negative numbers until they are written."""

    def __init__(self, known: dict[tuple[int, int], int]) -> None:
        self._known = known
        self._new: dict[int, tuple[int, int]] = {}  # temp -> (parent node or temp, position)
        self._keys: dict[tuple[int, int], int] = {}

    def node(self, parent: int, position: int, tree_: _Tree) -> int:
        """Return the further node of an area under a parent node."""
        key = (parent, int(tree_.area_id[position]))
        if key in self._known:
            return self._known[key]
        if key not in self._keys:
            temp = -1 - len(self._new)
            self._keys[key] = temp
            self._new[temp] = (parent, position)
        return self._keys[key]

    def write(self, connection: Connection, tree_id: int, tree_: _Tree) -> dict[int, int]:
        """Number the new nodes in pre-order, write them, and return {temp: num}."""
        if not self._new:
            return {}
        under: dict[int, list[int]] = {}
        for temp, (parent, _) in self._new.items():
            under.setdefault(parent, []).append(temp)
        # In the order of their parents, so that what lies under one place stays together.
        tops = sorted((t for t, (p, _) in self._new.items() if p >= 0), key=lambda t: self._new[t])
        first = fresh_nums(connection, len(self._new))
        order: list[int] = []
        last: dict[int, int] = {}

        def visit(temp: int) -> None:
            order.append(temp)
            for below in sorted(under.get(temp, ()), key=lambda t: self._new[t][1]):
                visit(below)
            last[temp] = first + len(order) - 1

        for temp in tops:
            visit(temp)
        nums = {temp: first + i for i, temp in enumerate(order)}
        rows = []
        for temp in order:
            parent, position = self._new[temp]
            up = nums.get(parent, parent)
            area_id = int(tree_.area_id[position])
            self._known[up, area_id] = nums[temp]
            rows.append((nums[temp], tree_id, area_id, int(tree_.level[position]), up, last[temp], False, None))
        bulk(connection, node, ("num", "tree_id", "area_id", "level", "parent", "last", "main", "dense"), rows)
        return nums


def _distinct(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct points, where each is first found, and which one each point is."""
    pairs = np.empty(len(lon), np.complex128)
    pairs.real, pairs.imag = lon, lat
    pairs[~(np.isfinite(lon) & np.isfinite(lat))] = complex(999.0, 999.0)  # lies in nothing
    spots, first, back = np.unique(pairs, return_index=True, return_inverse=True)
    return np.column_stack((spots.real, spots.imag)), first, back.reshape(-1)


def _containing(
    known: _Tree, level: int, points: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    positions, boxes = known.index[level]
    point, which = boxes.query(points)
    position = positions[which]
    # In the order of the areas, so that each one's prepared shape stays in the processor's cache.
    order = np.argsort(position, kind="stable")
    point, position = point[order], position[order]
    inside = shapely.intersects_xy(known.geoms[position], x[point], y[point])
    return point[inside], position[inside]


def _load(connection: Connection, tree_id: int) -> _Tree:
    rows = connection.execute(
        select(node.c.num, node.c.parent, node.c.level, node.c.area_id, area.c.area_m2, area.c.code, area.c.shape)
        .join(area, area.c.id == node.c.area_id)
        .where(node.c.tree_id == tree_id, node.c.main.is_(True)).order_by(node.c.num)
    ).all()
    nums = np.array([r.num for r in rows])
    level = np.array([r.level for r in rows])
    geoms = shapely.from_wkb([r.shape for r in rows])
    shapely.prepare(geoms)
    rank = np.empty(len(rows), np.int64)
    rank[sorted(range(len(rows)), key=lambda i: (rows[i].area_m2, rows[i].code))] = np.arange(len(rows))
    index = {}
    for one in range(1, int(level.max()) + 1):
        positions = np.flatnonzero(level == one)
        if len(positions):
            index[one] = (positions, shapely.STRtree(geoms[positions]))
    parents = np.array([nums[0] if r.parent is None else r.parent for r in rows])
    return _Tree(
        nums=nums, level=level, parent=np.searchsorted(nums, parents), area_id=np.array([r.area_id for r in rows]),
        rank=rank, geoms=geoms, index=index, by_code={r.code: i for i, r in enumerate(rows)},
    )
