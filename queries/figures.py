"""The rows that answers about numbers are made of, and what each figure means, in words.

A rate always carries its numerator and denominator, so that rates of parts can be added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from queries.frame import Filters
from queries.places import Place

Words = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure: how it is made of the additive measures, and its words."""

    id: str
    title: Words
    unit: Literal["n", "%", "h"]
    definition: Words
    numerator: str
    denominator: str | None = None
    good: Literal["up", "down"] | None = None
    opens: Filters | None = None


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One figure of a place and period. A rate's value is a share (0.9372), not a percentage.

    None = not known (nothing to divide by, or no data of that time), which is never zero.
    `previous` is the value of the period just before (环比), `last_year` of the same days a year ago (同比).
    """

    id: str
    title: Words
    value: float | None
    unit: Literal["n", "%", "h"]
    numerator: int | None
    denominator: int | None
    definition: Words
    previous: float | None = None
    last_year: float | None = None
    good: Literal["up", "down"] | None = None
    opens: Filters | None = None


@dataclass(frozen=True, kw_only=True)
class ChildRow:
    """A child of the place. `n` is what the ranked measure rests on; few = less than 30 of them.

    Rank 1 is the worst; rank None = the measure is not known here. `values` holds every measure by id.
    """

    place: Place
    values: dict[str, float | None]
    numerator: int | None
    denominator: int | None
    n: int
    few: bool
    rank: int | None


@dataclass(frozen=True, kw_only=True)
class AreaValue:
    """One area's value of a measure, with its number in the id tiles."""

    area_id: int
    code: str
    dense: int
    value: float | None
    numerator: int | None
    denominator: int | None
    n: int


@dataclass(frozen=True, kw_only=True)
class TrendRow:
    """One day (or month, named by its first day). None = no data of that day. `open` is at its end."""

    day: date
    reported: int | None
    closed: int | None
    due: int | None
    due_closed: int | None
    due_on_time: int | None
    open: int | None


@dataclass(frozen=True, kw_only=True)
class MixRow:
    """How many cases carry one status or category."""

    id: str
    title: Words
    n: int
    share: float | None


@dataclass(frozen=True, kw_only=True)
class AgeRow:
    """How many cases that are open now were reported so many days before the end of the period."""

    id: str
    title: Words
    days_from: int
    days_to: int | None  # inside; None = and older
    n: int


def _measure(name: str, zh: str, en: str, unit: str, what_zh: str, what_en: str, **more: object) -> Measure:
    return Measure(id=name, title={"zh": zh, "en": en}, unit=unit,  # type: ignore[arg-type]
                   definition={"zh": what_zh, "en": what_en}, **more)  # type: ignore[arg-type]


OPEN = Filters(open_only=True)
OVERDUE = Filters(open_only=True, overdue=True)

#: Every figure, in the order in which it is shown.
FIGURES: dict[str, Measure] = {m.id: m for m in (
    _measure("reported", "上报数", "Reported", "n", "期内上报的案件数", "Cases reported in the period",
             numerator="reported", opens=Filters()),
    _measure("filed", "立案数", "Filed", "n", "期内立案的案件数", "Cases filed in the period", numerator="filed"),
    _measure("should_close", "应结案数", "Should close", "n", "期限落在期内的案件数（不含作废）",
             "Cases whose deadline falls in the period (without cancelled ones)", numerator="due"),
    _measure("closed", "结案数", "Closed", "n",
             "期内结束的案件数（含作废）；结案早于上报或无结案时间的，计在上报日",
             "Cases ended in the period (cancelled ones too); one closed before it was reported, or without a closing time, counts on its reported day",
             numerator="closed"),
    _measure("closure_rate", "结案率", "Closure rate", "%", "应结案中已结案的 ÷ 应结案数",
             "Closed of those that should close ÷ should close", numerator="due_closed", denominator="due", good="up"),
    _measure("on_time_rate", "按期结案率", "On-time rate", "%", "应结案中按期结案的 ÷ 应结案数",
             "Closed on time of those that should close ÷ should close", numerator="due_on_time",
             denominator="due", good="up"),
    _measure("overdue", "超期未结", "Overdue", "n", "目前未结、期限在期末（或此刻）前已过的案件数",
             "Cases still open whose deadline had passed by the end of the period (or by now)",
             numerator="overdue", good="down", opens=OVERDUE),
    _measure("open", "未结数", "Open", "n", "期末未结的案件数：累计上报 − 累计结案",
             "Cases open at the end of the period: all reported − all closed up to then",
             numerator="open", good="down", opens=OPEN),
    _measure("rework_rate", "返工率", "Rework rate", "%", "期内结案中返工过的 ÷ 期内结案数",
             "Closed in the period after being sent back ÷ closed in the period",
             numerator="rework", denominator="closed", good="down"),
    _measure("handling_median_h", "处置时长中位数", "Median handling time", "h",
             "期内结案案件从上报到结案的小时数，中位数，相对误差不超过 6%（不含作废、结案早于上报的）",
             "Hours from report to closing of cases closed in the period, median, within 6 % (without cancelled ones and those closed before reported)",
             numerator="handled_n", good="down"),
    _measure("handling_p90_h", "处置时长 P90", "P90 handling time", "h",
             "期内结案案件处置小时数的九成位，相对误差不超过 6%",
             "Hours within which nine in ten cases closed in the period were handled, within 6 %",
             numerator="handled_n", good="down"),
)}

#: Less than so many cases say little about a place.
FEW = 30
