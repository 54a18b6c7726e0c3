"""Which area hangs under which, on which days: by column, by code prefix, or by greatest overlap."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import shapely

from queries.boundaries.read import LevelRead
from queries.city.model import City

#: No more nodes than this are written for all tree versions together.
MOST_NODES = 3_000_000


@dataclass(frozen=True, kw_only=True)
class TreePlan:
    """One tree version: which rows of the areas stand in it and each one's parent (-1 = the city)."""

    valid_from: int
    valid_to: int | None
    rows: np.ndarray
    parent: np.ndarray


def plan(city: City, areas: pd.DataFrame, logs: list[LevelRead]) -> list[TreePlan]:
    """Return the tree versions, oldest first; orphans that nothing holds on any day are refused in `logs`."""
    areas_in = _Areas(city, areas, logs)
    trees: list[TreePlan] = []
    for since, to in _intervals(areas, logs):
        rows, parent = areas_in.tree(since)
        if len(rows) == 0:
            continue
        same = trees and np.array_equal(trees[-1].rows, rows) and np.array_equal(trees[-1].parent, parent)
        if same and trees[-1].valid_to == since:
            rows, parent = trees[-1].rows, trees[-1].parent
            since = trees.pop().valid_from
        trees.append(TreePlan(valid_from=since, valid_to=to, rows=rows, parent=parent))
    areas_in.tell_lost()
    return trees


def _intervals(areas: pd.DataFrame, logs: list[LevelRead]) -> list[tuple[int, int | None]]:
    days = sorted({*areas["valid_from"], *(d for d in areas["valid_to"] if d is not None)})
    if not days:
        return []
    fits = max(1, MOST_NODES // max(1, len(areas)))
    for step, zh, en in ((30, "月", "month"), (91, "季", "quarter"), (365, "年", "year"), (3650, "十年", "ten years")):
        if len(days) <= fits:
            break
        days = _thinned(days, step)
        logs[0].say(
            0, "valid_from", len(days), "doubted", f"边界变更日期过多，已按{zh}合并",
            f"too many days on which boundaries change: changes count from the end of their {en}",
        )
    return [*pairwise(days), (days[-1], None)]


def _thinned(days: list[int], step: int) -> list[int]:
    """Keep the last day of each step, and the first day of all."""
    last = {day // step: day for day in days}
    return sorted({days[0], *last.values()})


class _Areas:
    def __init__(self, city: City, areas: pd.DataFrame, logs: list[LevelRead]) -> None:
        self.city, self.logs = city, logs
        self.level = areas["level"].to_numpy(int)
        self.code = areas["raw_code"].to_numpy(object)
        self.said_parent = areas["parent"].to_numpy(object)
        self.row = areas["row"].to_numpy(int)
        self.since = areas["valid_from"].to_numpy(float)
        self.to = np.array([np.inf if d is None else d for d in areas["valid_to"]], float)
        self.geoms = areas["geometry"].to_numpy()
        self._overlaps: dict[tuple[int, int], dict[int, list[tuple[float, int]]]] = {}
        self._told: set[tuple[int, str]] = set()
        self._lost: dict[int, tuple[str, str]] = {}  # rows that on some day nothing holds, and why
        self._held: set[int] = set()

    def tree(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that hold on a day and each one's parent row."""
        active = (self.since <= day) & (self.to > day)
        parent = np.full(len(self.level), -1)
        by_code: list[dict[str, int]] = [{} for _ in self.city.levels]
        for level in range(1, len(self.city.levels)):
            for i in np.flatnonzero(active & (self.level == level)):
                found = self._parent(int(i), level, by_code, active)
                if found is None:
                    active[i] = False
                else:
                    parent[i] = found
                    self._held.add(int(i))
            for i in np.flatnonzero(active & (self.level == level)):
                by_code[level][self.code[i]] = int(i)
        rows = np.flatnonzero(active & (self.level > 0))
        return rows, parent[rows]

    def _parent(self, i: int, level: int, by_code: list[dict[str, int]], active: np.ndarray) -> int | None:
        rule = self.city.parent_rule(level)
        if rule == "contains":
            found = self._by_overlap(i, level, active)
            if found is None:
                self._lost.setdefault(i, ("没有任何上级区域包含它", "lies in no area above it"))
            return found
        if not any(by_code[1:level]):
            return -1
        if rule == "prefix":
            found = self._by_prefix(self.code[i], level, by_code)
        else:
            found = self._by_column(self.said_parent[i], level, by_code)
        if found is not None:
            self._check_nested(i, found)
            return found
        found = self._by_overlap(i, level, active)
        # A parent that begins later or ended is another mistake than a code that nobody has.
        other = rule != "prefix" and self._known_on_other_days(self.said_parent[i], level)
        zh, en = ("上级在部分日期无效（见 valid_from、valid_to）", "its parent does not hold on all of its days (valid_from, valid_to)") if other else ("上级编码未知", "its parent is unknown")
        if found is None:
            self._lost.setdefault(i, (f"{zh}，也不在任何上级区域内", f"{en} and it lies in no area above it"))
            return None
        where = self.city.code if found == -1 else self.code[found]
        self._tell(i, "doubted", "parent", f"{zh}，按位置归入 {where}", f"{en}: put under {where}, where it lies")
        return found

    def tell_lost(self) -> None:
        """Tell of the areas that nothing holds: refused if that is so on all of their days, else left out on the others."""
        for i, (zh, en) in self._lost.items():
            if i in self._held:
                self._tell(i, "doubted", "parent", f"在其部分有效日期内{zh}，当时不计入", f"on some of its days: {en}; it is left out on these")
            else:
                self._tell(i, "refused", "parent", zh, en)

    def _known_on_other_days(self, said: str, level: int) -> bool:
        return bool(((self.code == said) & (self.level > 0) & (self.level < level)).any())

    def _by_column(self, said: str, level: int, by_code: list[dict[str, int]]) -> int | None:
        for upper in range(level - 1, 0, -1):
            if said in by_code[upper]:
                return by_code[upper][said]
        return -1 if said == self.city.code else None

    def _by_prefix(self, code: str, level: int, by_code: list[dict[str, int]]) -> int | None:
        for upper in range(level - 1, 0, -1):
            known = by_code[upper]
            for end in range(len(code) - 1, 0, -1):
                if code[:end] in known:
                    return known[code[:end]]
            # Codes padded with zeros to one length: 110101000000 holds 110101001000.
            for end in range(len(code) - 1, 1, -1):
                filled = code[:end].ljust(len(code), "0")
                if filled != code and filled in known:
                    return known[filled]
        return -1 if code.startswith(stem(self.city.code)) else None

    def _by_overlap(self, i: int, level: int, active: np.ndarray) -> int | None:
        for upper in range(level - 1, 0, -1):
            for _, j in self._shared(level, upper).get(i, ()):
                if active[j]:
                    return j
        tops = self.geoms[(self.level == 0)]
        if len(tops) == 0:
            # Without a boundary of the whole city, its parts are the city.
            return -1 if level == 1 or not (active & (self.level > 0) & (self.level < level)).any() else None
        return -1 if shapely.intersects(tops, self.geoms[i]).any() else None

    def _shared(self, level: int, upper: int) -> dict[int, list[tuple[float, int]]]:
        """Return for each area of a level the upper areas that it overlaps, greatest overlap first."""
        if (level, upper) not in self._overlaps:
            low, high = np.flatnonzero(self.level == level), np.flatnonzero(self.level == upper)
            found: dict[int, list[tuple[float, int]]] = {}
            if len(low) and len(high):
                a, b = shapely.STRtree(self.geoms[high]).query(self.geoms[low], predicate="intersects")
                sizes = shapely.area(shapely.intersection(self.geoms[low[a]], self.geoms[high[b]]))
                for i, j, size in zip(low[a], high[b], sizes, strict=True):
                    if size > 0:
                        found.setdefault(int(i), []).append((-float(size), int(j)))
            for options in found.values():
                options.sort(key=lambda one: (one[0], self.code[one[1]]))
            self._overlaps[level, upper] = found
        return self._overlaps[level, upper]

    def _check_nested(self, i: int, parent: int) -> None:
        above = self.city.code if parent == -1 else self.code[parent]
        if self.city.codes.nested and not self.code[i].startswith(stem(above)):
            self._tell(i, "doubted", "code", f"编码不以上级编码 {above} 开头", f"its code does not begin with its parent's, {above}")

    def _tell(self, i: int, grade: str, column: str, zh: str, en: str) -> None:
        if (i, en) not in self._told:
            self._told.add((i, en))
            self.logs[self.level[i]].say(int(self.row[i]), column, self.code[i], grade, zh, en)  # type: ignore[arg-type]


def stem(code: str) -> str:
    """Return what the codes under a code share: 110101000 -> 110101, 110000 -> 11."""
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    while len(code) in (4, 6) and code.endswith("00") and code.isdigit():
        code = code[:-2]
    return code


def check_types(city: City, areas: pd.DataFrame, logs: list[LevelRead]) -> None:
    """Note codes whose digits say another kind of area than their level."""
    for number, level in enumerate(city.levels):
        rules = [rule for rule in city.codes.types if rule.level == level.id]
        if not rules:
            continue
        for code, row in areas.loc[areas["level"] == number, ["raw_code", "row"]].itertuples(index=False):
            parts = [(code[r.digits[0] - 1:r.digits[1]], r) for r in rules]
            if not any(part.isdigit() and r.first <= int(part) <= r.last for part, r in parts):
                logs[number].say(
                    row, level.code or "code", code, "doubted",
                    f"编码段不属于“{level.name}”的取值范围", f"its digits are outside the range for {level.name_en or level.id}",
                )
