"""The Dimension value: one part of the governance index, with its indicators as data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

Words = dict[str, str]
#: Grows when an indicator, a goalpost or a weight changes; stands on every score and in every export.
VERSION = "2026.4"
#: What a figure is: a share of 1 (so many of so many), a rate (things over people or places), a ratio of two amounts, or a bare value.
Kind = Literal["share", "rate", "ratio", "value"]


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One indicator. Its value is Σ top − Σ minus over Σ under, a share of 1, or what is imported of its `kind`.

    Counts are of the roll-ups (`cases.due`, with categories `cases.due@fire,buildings`), tallies of steps (`whistles`), or things
    (`cameras.online`, `alarms.confirmed`, `sources.fresh`). A factor before a count multiplies it (`0.9*basic`). No `top` = nothing here tells of it: it is `imported`
    (a department's figures, by `[[indicators]]` of city.toml), or cannot be; `lacks` says what is missing. With a `top` and `imported`:
    a department's figures count in periods in which our own counts rest on less than `least` (queries/index/_own.py).
    """

    id: str
    title: Words
    formula: Words
    floor: float = 0.0
    target: float = 1.0
    top: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    weight: float = 1.0
    lacks: Words | None = None
    basis: str = ""
    #: Since when the basis holds, as far as it says; empty = the day of the catalogue.
    basis_date: str = ""
    #: It counts on a level whose areas together rest on so many at least.
    least: int = 20
    kind: Kind = "share"
    imported: bool = False
    #: Adjusted for the mix of categories (queries/index/_mix.py): what of `under` is not in `top` is set against what is to be expected of it.
    mix: bool = False
    #: The categories of `cases.called` are those that the city's own patrols and sensors find too (queries/index/_mix.py).
    alike: bool = False
    #: The number of the evaluation or the figure whose cases stand behind it.
    opens: str = ""

    @property
    def now_only(self) -> bool:
        """Return whether it is made of the present state of things, of which no past is kept."""
        return any(name.startswith(("cameras.", "sensors.", "sources.")) for name in self.under)

    @property
    def direction(self) -> int:
        """Return 1 when higher is better, −1 when lower is."""
        return 1 if self.target > self.floor else -1


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A part of the index. `weight` is relative; 0 = shown beside the index and not in it."""

    id: str
    title: Words
    order: int
    weight: float
    basis: str
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything that scores are made by beside the counts: what a release keeps, so that a later version recomputes it by the rules of then."""

    version: str
    dimensions: tuple[Dimension, ...]

    @property
    def computed(self) -> tuple[Indicator, ...]:
        """Return the indicators that can have a value, of our own counts or imported, in order: the columns of inputs."""
        return tuple(i for d in self.dimensions for i in d.indicators if i.top or i.imported)

    def packed(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def unpacked(cls, told: str) -> Catalogue:
        """Return what was packed; fields that came later have their usual values."""
        held = json.loads(told)
        known = {f.name for f in fields(Indicator)}

        def indicator(one: dict[str, Any]) -> Indicator:
            return Indicator(**{name: tuple(value) if isinstance(value, list) else value for name, value in one.items() if name in known})
        return cls(version=held["version"], dimensions=tuple(
            Dimension(**{**one, "indicators": tuple(indicator(i) for i in one["indicators"])}) for one in held["dimensions"]))


def made(id_: str, zh: str, en: str, what_zh: str, what_en: str, floor: float, target: float, top: str, under: str, minus: str = "",
         basis: str = "", basis_date: str = "", opens: str = "", mix: bool = False) -> Indicator:
    """Return an indicator that is computed here; counts are words with spaces between."""
    if mix:
        what_zh, what_en = f"{what_zh}，按类别难度折算", f"{what_en}, by how hard the categories are"
    return Indicator(id=id_, title={"zh": zh, "en": en}, formula={"zh": what_zh, "en": what_en}, floor=floor, target=target,
                     top=tuple(top.split()), under=tuple(under.split()), minus=tuple(minus.split()), basis=basis, basis_date=basis_date, opens=opens, mix=mix)


def either(one: Indicator, needs_zh: str, needs_en: str, alike: bool = False, least: int = 20) -> Indicator:
    """Return a computed indicator that a department's figures stand in for where nothing here tells of it; `needs` = what our own counts need."""
    lacks = {"zh": f"本期本系统计数不足（需要{needs_zh}），也可导入部门数据：{one.formula['zh']}",
             "en": f"too little was counted here (it takes {needs_en}); or import a department's figures: {one.formula['en']}"}
    return replace(one, imported=True, lacks=lacks, alike=alike, least=least)


def lacking(id_: str, zh: str, en: str, why_zh: str, why_en: str) -> Indicator:
    """Return an indicator of the catalogue that cannot be computed here, and what it lacks."""
    return Indicator(id=id_, title={"zh": zh, "en": en}, formula={"zh": "", "en": ""}, lacks={"zh": why_zh, "en": why_en})


def fed(id_: str, zh: str, en: str, what_zh: str, what_en: str, floor: float, target: float, kind: Kind = "share", basis: str = "",
        basis_date: str = "", why: tuple[str, str] = ("本系统无此数据", "nothing here tells of it")) -> Indicator:
    """Return an indicator of which nothing here tells (`why`: what is missing): a department's figures are imported for it."""
    lacks = {"zh": f"{why[0]}，须导入部门数据：{what_zh}", "en": f"{why[1]}; import a department's figures: {what_en}"}
    return Indicator(id=id_, title={"zh": zh, "en": en}, formula={"zh": what_zh, "en": what_en}, floor=floor, target=target, kind=kind, imported=True,
                     lacks=lacks, basis=basis, basis_date=basis_date)


#: Why a count of what was reported is no score.
VOLUME = ("上报数量本身不计分：计数量会惩罚上报", "reported volume is never a score: that would punish reporting")
