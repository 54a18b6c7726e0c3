"""Numbers a planned tree in pre-order and says by a hash what makes an area, and a tree, the same."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from queries.boundaries import shapes
from queries.boundaries.areas import AreasRead
from queries.boundaries.parents import TreePlan

ROOT = "root"
_RUNS = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One tree version in pre-order; position 0 is the city. Positions become nums when written."""

    valid_from: int
    valid_to: int | None
    hash: str
    keys: list[str]  # the area's hash at each position
    level: list[int]
    parent: list[int]  # position; -1 for the root
    last: list[int]
    dense: list[int]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """All tree versions and all areas that stand in them, as rows of the area table by hash."""

    trees: list[Drawn]
    areas: dict[str, dict[str, Any]]


def draw(read: AreasRead) -> Drawing:
    """Return what the tables should hold."""
    digests = shapes.digest_bytes(read.areas["geometry"].to_numpy())
    rows = _Rows(read, digests)
    trees = [_drawn(read, tree, rows) for tree in read.trees]
    return Drawing(trees=trees, areas=rows.finish())


def _drawn(read: AreasRead, tree: TreePlan, rows: _Rows) -> Drawn:
    level, code = rows.level, rows.code
    under: dict[int, list[int]] = {}
    for row, parent in zip(tree.rows.tolist(), tree.parent.tolist(), strict=True):
        under.setdefault(parent, []).append(row)
    for siblings in under.values():
        siblings.sort(key=lambda row: (level[row], code[row]))
    order, above = [-1], [-1]
    last: list[int] = []
    stack = [(row, 0) for row in reversed(under.get(-1, []))]
    while stack:
        row, parent = stack.pop()
        order.append(row)
        above.append(parent)
        here = len(order) - 1
        stack.extend((child, here) for child in reversed(under.get(row, ())))
    last = list(range(len(order)))
    for position in range(len(order) - 1, 0, -1):
        last[above[position]] = max(last[above[position]], last[position])
    keys = [ROOT] + [rows.key(row, -1 if up == 0 else order[up]) for row, up in zip(order[1:], above[1:], strict=True)]
    levels = [0] + [level[row] for row in order[1:]]
    counts: dict[int, int] = {}
    dense = []
    for one in levels:
        counts[one] = counts.get(one, 0) + 1
        dense.append(counts[one])
    digest = hashlib.sha256("\n".join([rows.root_key, *keys]).encode()).hexdigest()[:16]
    return Drawn(valid_from=tree.valid_from, valid_to=tree.valid_to, hash=digest, keys=keys, level=levels,
                 parent=above, last=last, dense=dense)


class _Rows:
    """The area rows, made once for each area."""

    def __init__(self, read: AreasRead, digests: np.ndarray) -> None:
        table = read.areas
        self.read = read
        self.level: list[int] = table["level"].astype(int).tolist()
        self.code: list[str] = table["code"].tolist()
        self._table = {name: table[name].tolist() for name in
                       ("name", "name_en", "residents", "valid_from", "valid_to")}
        self._digests = digests
        self._made: dict[int, tuple[int, str]] = {}
        city = read.city
        self.root_key = _hash(city.code, city.name, shapes.digest_bytes(np.array([read.root_shape]))[0])

    def key(self, row: int, parent: int) -> str:
        """Return the hash of an area, of which `parent` (-1 = the city) is its parent in some tree.

        An area that another parent gets later, as when the one above it is split, stays the same area with all of its
        cases: the parent of the oldest tree is part of the hash, those of later ones are not.
        """
        if row not in self._made:
            t = self._table
            self._made[row] = parent, _hash(
                self.level[row], self.code[row], self.parent_code(parent), t["name"][row],
                t["valid_from"][row], t["valid_to"][row], self._digests[row],
            )
        return self._made[row][1]

    def parent_code(self, parent: int) -> str:
        return self.read.city.code if parent == -1 else self.code[parent]

    def finish(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the area table by hash, the city's among them."""
        table, city = self.read.areas, self.read.city
        used = sorted(self._made)
        geoms = np.array([self.read.root_shape, *table["geometry"].to_numpy()[used]], dtype=object)
        measures = _measured(geoms)
        at = {row: i + 1 for i, row in enumerate(used)}
        given = table[table["level"] == 0]
        residents = [r for r in given["residents"].tolist() if r is not None and r == r]
        made = {ROOT: {
            "code": city.code, "level": 0, "parent_code": None, "valid_to": None,
            "valid_from": min(tree.valid_from for tree in self.read.trees),
            "residents": int(residents[-1]) if residents else None, "hash": ROOT,
            **_named(city.name, city.name_en, city.code), **measures[0],
        }}
        for row, (parent, key) in self._made.items():
            t = self._table
            people = t["residents"][row]
            made[key] = {
                "code": self.code[row], "level": self.level[row], "parent_code": self.parent_code(parent),
                "valid_from": t["valid_from"][row],
                "valid_to": None if t["valid_to"][row] is None else int(t["valid_to"][row]),
                "residents": None if people is None or people != people else int(people), "hash": key,
                **_named(t["name"][row], t["name_en"][row], self.code[row]), **measures[at[row]],
            }
        return made


def _measured(geoms: np.ndarray) -> list[dict[str, Any]]:
    boxes = shapely.bounds(geoms)
    sizes = shapes.square_metres(geoms)
    points = shapes.label_points(geoms)
    wkb = shapely.to_wkb(geoms, byte_order=1, output_dimension=2)
    return [
        {"lon": float(p[0]), "lat": float(p[1]), "west": float(b[0]), "south": float(b[1]),
         "east": float(b[2]), "north": float(b[3]), "area_m2": float(size), "shape": shape}
        for p, b, size, shape in zip(points, boxes, sizes, wkb, strict=True)
    ]


def _named(name: str, name_en: str, code: str) -> dict[str, str]:
    """Return names with what a search by sound needs; a missing name is the other one, or the code."""
    shown = name or name_en or code
    sound, initials = _sound(shown)
    return {"name": shown, "name_en": name_en or shown, "pinyin": sound, "initials": initials}


def _sound(name: str) -> tuple[str, str]:
    if name.isascii():
        words = name.lower().replace("-", " ").split()
        return "".join(name.lower().split()), "".join(word[0] for word in words)
    # Digits and Latin letters sound as they are written; grids share all the rest of their names.
    heard = [(run, run) if run.isascii() else _heard(run) for run in _RUNS.findall(name)]
    return tuple("".join("".join(part).lower().split()) for part in zip(*heard, strict=True))  # type: ignore[return-value]


@lru_cache(maxsize=65_536)
def _heard(run: str) -> tuple[str, str]:
    # Its dictionary takes a third of a second to open, which a start without loading need not spend.
    from pypinyin import lazy_pinyin

    words = lazy_pinyin(run)
    return "".join(words), "".join(word[0] if word.isascii() else word for word in words)


def _hash(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:24]
