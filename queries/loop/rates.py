"""What each number of the evaluation means: which counts over which, in words, and which events open its cases.

Counts with a dot are of the cases' roll-up (`cases.filed`), the others are tallies of what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Words = dict[str, str]
#: Weights of the composite and of "basically satisfied" are the city's own; these names stand for them.
COMPOSITE, SATISFIED = "composite", "satisfied"


@dataclass(frozen=True, kw_only=True)
class Opens:
    """How the cases behind a number are found: the steps that count against it, and what their data must not hold."""

    steps: tuple[str, ...]
    #: Call-backs: only valid ones of which one of these is not true.
    lacking: tuple[str, ...] = ()
    #: Only steps on a case that had not been transferred before.
    first: bool = False
    #: Only whistles that were answered late or not at all.
    late: bool = False


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One number. `top` over `under`; `minus` is taken from the numerator. No `under` = a plain count."""

    id: str
    title: Words
    definition: Words
    top: tuple[str, ...]
    under: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    good: Literal["up", "down"] | None = None
    opens: Opens | None = None


def _rate(id_: str, zh: str, en: str, what_zh: str, what_en: str, top: str, under: str = "", good: Literal["up", "down"] | None = "down",
          opens: Opens | None = None, minus: str = "") -> Rate:
    return Rate(id=id_, title={"zh": zh, "en": en}, definition={"zh": what_zh, "en": what_en}, top=tuple(top.split()),
                under=tuple(under.split()), minus=tuple(minus.split()), good=good, opens=opens)


def _called(*lacking: str) -> Opens:
    return Opens(steps=("called_back",), lacking=lacking)


MEASURES: dict[str, Rate] = {rate.id: rate for rate in (
    _rate("response", "响应率", "Response rate", "已联系来电人的 ÷ 有效回访数", "Reporters who were contacted ÷ valid call-backs",
          "contacted", "valid", "up", _called("contacted")),
    _rate("solved", "解决率", "Solved rate", "诉求已解决的 ÷ 有效回访数", "Solved, as the reporter says ÷ valid call-backs",
          "solved", "valid", "up", _called("solved")),
    _rate(SATISFIED, "满意率", "Satisfaction rate", "（满意 + {basic} × 基本满意）÷ 有效回访数",
          "(satisfied + {basic} × basically satisfied) ÷ valid call-backs", "satisfied basic", "valid", "up", _called("satisfied")),
    _rate(COMPOSITE, "综合得分率", "Composite", "{response} × 响应率 + {solved} × 解决率 + {satisfied} × 满意率",
          "{response} × response + {solved} × solved + {satisfied} × satisfaction", "contacted solved satisfied basic", "valid", "up",
          _called("contacted", "solved", "satisfied")),
    _rate("first_dispatch", "首派准确率", "First dispatch accuracy", "1 − 首派被退回数 ÷ 首次派遣数，按发生之日计",
          "1 − first dispatches returned ÷ first dispatches, each on the day on which it happened", "first_dispatched",
          "first_dispatched", "up", Opens(steps=("returned",), first=True), minus="first_returned"),
    _rate("return", "退回率", "Return rate", "退回数 ÷（派遣数 + 改派数）", "Returned ÷ (dispatched + re-assigned)", "returned",
          "dispatched reassigned", opens=Opens(steps=("returned",))),
    _rate("rework", "返工率（核查）", "Rework rate (checks)", "核查未通过数 ÷ 核查数", "Failed checks ÷ checks", "failed", "checked",
          opens=Opens(steps=("rework",))),
    _rate("reopen", "重新办理率", "Reopen rate", "重新办理数 ÷ 结案操作数", "Reopened ÷ closes", "reopened", "closed",
          opens=Opens(steps=("reopened",))),
    _rate("extension", "延期率", "Extension rate", "延期数 ÷ 立案数", "Extensions ÷ filed", "extended", "cases.filed",
          opens=Opens(steps=("extended",))),
    _rate("forced", "强制结案占比", "Forced closes", "强制结案数 ÷ 结案操作数", "Forced closes ÷ closes", "forced", "closed",
          opens=Opens(steps=("force_closed",))),
    _rate("repeat", "重复占比", "Repeats", "并案数 ÷ 上报数", "Merged as repeats ÷ reported", "merged", "cases.reported", None,
          Opens(steps=("merged",))),
    _rate("arrival", "按时报到率", "Arrivals in time", "按时报到数 ÷ 哨数（按吹哨之日计；尚未报到的不算按时）",
          "Arrived in time ÷ whistles (on the whistle's day; who has not come yet is not in time)", "arrived_on_time", "whistles", "up",
          Opens(steps=("whistled",), late=True)),
    _rate("escalated", "升级数", "Escalated", "期内升级的次数", "Times that a case was escalated in the period", "escalated",
          opens=Opens(steps=("escalated",))),
    _rate("refused", "清单外被拒派遣", "Refused: not on the list", "期内试图派遣清单外事项而被拒绝的次数",
          "Times that somebody tried to dispatch work that is not on the list, and was refused", "refused"),
)}

#: Numbers of which areas and departments can be compared like with like, and how each is made of sums.
LIKE: dict[str, Rate] = {rate.id: rate for rate in (
    _rate("on_time", "按期结案率", "On-time rate", "应结案中按期结案的 ÷ 应结案数", "Closed on time of those that should close ÷ should close",
          "cases.due_on_time", "cases.due", "up"),
    _rate("closure", "结案率", "Closure rate", "应结案中已结案的 ÷ 应结案数", "Closed of those that should close ÷ should close",
          "cases.due_closed", "cases.due", "up"),
    _rate("reworked", "返工率", "Rework rate", "期内结案中返工过的 ÷ 期内结案数", "Closed in the period after being sent back ÷ closed",
          "cases.rework", "cases.closed", "down"),
    *(MEASURES[name] for name in ("solved", "return", "rework", "arrival")),
)}
