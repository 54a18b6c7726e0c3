"""What is wrong with the boundaries as areas: overlaps, gaps, children outside parents, in m2."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import shapely

from queries import places
from queries.boundaries.areas import AreasRead
from queries.boundaries.shapes import square_metres

#: Smaller differences come from rounded coordinates and are not counted.
LEAST_M2 = 1.0
#: So many findings of a kind are listed, the largest first; all are counted.
LISTED = 100


@dataclass(kw_only=True)
class Findings:
    """Findings of one kind on one level: how many, how large together, the largest ones."""

    n: int = 0
    m2: float = 0.0
    listed: list[dict[str, Any]] = field(default_factory=list)

    def fill(self, codes: list[tuple[str, ...]], sizes: np.ndarray) -> None:
        """Keep the findings that are larger than what rounding makes."""
        large = np.flatnonzero(sizes >= LEAST_M2)
        self.n, self.m2 = len(large), round(float(sizes[large].sum()), 1)
        for i in large[np.argsort(-sizes[large], kind="stable")][:LISTED]:
            self.listed.append({"codes": list(codes[i]), "m2": round(float(sizes[i]), 1)})


@dataclass(kw_only=True)
class LevelTopology:
    """The findings of one level."""

    level: int
    id: str
    areas: int
    m2: float
    overlaps: Findings = field(default_factory=Findings)
    gaps: Findings = field(default_factory=Findings)
    outside_parent: Findings = field(default_factory=Findings)


@dataclass(kw_only=True)
class Topology:
    """The report on the newest tree version: it holds from `since` until before `to` (days; null = open), and is one of `versions`."""

    levels: list[LevelTopology]
    since: str | None = None
    to: str | None = None
    versions: int = 1

    @property
    def totals(self) -> dict[str, dict[str, float]]:
        """Return counts and square metres of each kind over all levels."""
        return {
            kind: {
                "n": sum(getattr(one, kind).n for one in self.levels),
                "m2": round(sum(getattr(one, kind).m2 for one in self.levels), 1),
            }
            for kind in ("overlaps", "gaps", "outside_parent")
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the report in plain values, ready for JSON."""
        return {**asdict(self), "totals": self.totals}


def topology_report(read: AreasRead) -> Topology:
    """Return overlaps, gaps and children outside their parents of the tree in force."""
    tree = read.trees[-1]
    table = read.areas
    level = table["level"].to_numpy(int)
    code = table["code"].to_numpy(object)
    geoms = table["geometry"].to_numpy()
    root = read.root_shape
    if not read.root_given:
        # A city that is the union of its parts has no gap but the holes in it.
        root = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(root)])
    parent = dict(zip(tree.rows.tolist(), tree.parent.tolist(), strict=True))
    found = []
    for log in read.levels[1:]:
        rows = tree.rows[level[tree.rows] == log.level]
        one = LevelTopology(level=log.level, id=log.id, areas=len(rows), m2=round(float(square_metres(geoms[rows]).sum()), 1))
        found.append(one)
        if len(rows) == 0:
            continue
        mixed = _overlaps(one, geoms[rows], code[rows])
        above = np.array([parent[int(r)] for r in rows])
        uppers = np.array([root if p == -1 else geoms[p] for p in above], object)
        names = np.array([read.city.code if p == -1 else code[p] for p in above], object)
        out = _outside(one, geoms[rows], code[rows], uppers, names)
        _gaps(one, geoms[rows], above, uppers, names, mixed, out)
    since, to = (places.day(number) for number in (tree.valid_from, tree.valid_to))
    return Topology(levels=found, since=since and since.isoformat(), to=to and to.isoformat(), versions=len(read.trees))


def _overlaps(one: LevelTopology, geoms: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Note overlapping pairs; return which areas do not fit their neighbours edge to edge."""
    edges = shapely.coverage_invalid_edges(geoms)
    unfit = ~shapely.is_empty(edges)
    suspects = np.flatnonzero(unfit)
    if len(suspects) == 0:
        return unfit
    a, b = shapely.STRtree(geoms).query(geoms[suspects], predicate="intersects")
    a = suspects[a]
    pair = np.unique(np.sort(np.column_stack((a[a != b], b[a != b])), axis=1), axis=0)
    if len(pair):
        sizes = square_metres(shapely.intersection(geoms[pair[:, 0]], geoms[pair[:, 1]]))
        one.overlaps.fill([tuple(sorted((code[i], code[j]))) for i, j in pair], sizes)
    return unfit


def _outside(
    one: LevelTopology, geoms: np.ndarray, code: np.ndarray, uppers: np.ndarray, names: np.ndarray
) -> np.ndarray:
    """Note children that reach out of their parents; return by how many square metres each."""
    shapely.prepare(uppers)
    sizes = np.zeros(len(geoms))
    loose = np.flatnonzero(~shapely.covers(uppers, geoms))
    if len(loose):
        sizes[loose] = square_metres(shapely.difference(geoms[loose], uppers[loose]))
        one.outside_parent.fill([(code[i], names[i]) for i in range(len(code))], sizes)
    return sizes


def _one(shape: shapely.Geometry) -> float:
    return float(square_metres(np.array([shape], object))[0])


def _gaps(
    one: LevelTopology, geoms: np.ndarray, above: np.ndarray, uppers: np.ndarray, names: np.ndarray,
    unfit: np.ndarray, out: np.ndarray,
) -> None:
    """Note parents that their children do not fill."""
    sizes: list[float] = []
    codes: list[tuple[str, ...]] = []
    for parent in np.unique(above):
        mine = np.flatnonzero(above == parent)
        upper = uppers[mine[0]]
        if unfit[mine].any() or out[mine].any():
            size = _one(shapely.difference(upper, shapely.union_all(geoms[mine])))
        else:
            # Nothing overlaps and nothing sticks out, so the areas alone tell.
            share = 1.0 - shapely.area(geoms[mine]).sum() / upper.area
            size = _one(upper) * share
        sizes.append(max(size, 0.0))
        codes.append((names[mine[0]],))
    one.gaps.fill(codes, np.array(sizes))
