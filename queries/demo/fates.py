"""What becomes of a case of the demo city: who acts on it next, when, and what they do. Chance from a seed, nothing else.

Delays are seconds of the demo's own pace, but for those who come late: they are late by the server's clock.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

from queries.demo.words import CATEGORIES, DEPARTMENTS, GRID_ITEMS, SHARED

#: This department is notoriously late.
LATE = "works"
#: In its bad week everything of a district takes so much longer.
BAD = 2.7
#: Minutes that a whistle gives, by its reason; the city's limits say the same (queries/demo/words.py).
GIVEN = {"emergency": 1800.0, "joint": 6 * 3600.0, "demand": 6 * 3600.0}
_ON_SITE = {category for category, *_ in GRID_ITEMS}
_SECOND = {category: department for category, department, *_ in SHARED}


@dataclass
class Running:
    """A case that somebody will act on. `key` decides its fate, so that the same seed tells the same story."""

    no: str
    key: str
    category: str
    street: str  # area code; empty = in none
    status: str
    department: str = ""
    due_at: str | None = None
    hotline: bool = False
    bad_week: bool = False
    repeats: tuple[str, ...] = ()
    turns: int = 0
    done: set[str] = field(default_factory=set)

    @property
    def desk(self) -> str:
        """Return the post that answers for the place."""
        return f"street.{self.street}" if self.street else "dispatcher"


@dataclass(frozen=True, kw_only=True)
class Act:
    """One step that a post will take."""

    after_s: float
    who: str
    message: dict[str, Any]
    #: True: the delay is of the server's clock, however fast the demo lives.
    real: bool = False


def next_act(case: Running, seed: int) -> Act | None:
    """Return what happens to a case next; None = nothing more."""
    chance = random.Random(f"{seed}/{case.key}/{case.turns}")  # noqa: S311
    after = _AFTER.get(case.status)
    return None if after is None else after(case, chance)


def arrival(department: str, reason: str, chance: random.Random) -> Act | None:
    """Return when a called department reports in; None = it never does, and the whistle climbs."""
    given, p = GIVEN[reason], chance.random()
    message = {"step": "arrived"}
    if p < (0.12 if department == LATE else 0.02):
        return None
    if p < (0.65 if department == LATE else 0.12):
        return Act(after_s=given * chance.uniform(1.05, 2.5), who=f"department.{department}", message=message, real=True)
    return Act(after_s=given * chance.uniform(0.2, 0.9), who=f"department.{department}", message=message)


def _reported(case: Running, chance: random.Random) -> Act:
    wait, p = _soon(chance, 900, case), chance.random()
    if case.repeats and p < 0.7:
        return _act(wait, "dispatcher", "merged", into=case.repeats[0])
    if p < 0.015:
        return _act(wait, case.desk, "rejected", reason="经核实不属于受理范围")
    if p > 0.93 and case.category in _ON_SITE:
        return _act(wait, case.desk, "solved_on_site", note="随手可办，已现场处置")
    return _act(wait, case.desk, "filed")


def _filed(case: Running, chance: random.Random) -> Act:
    own, p = CATEGORIES[case.category][2], chance.random()
    if "whistled" not in case.done and case.street and p < (0.6 if case.category == "emergencies" else 0.025):
        second = _SECOND.get(case.category)
        reason = "emergency" if case.category == "emergencies" else "joint" if second else "demand"
        more = {"details": {"departments": [second]}} if second else {}
        return _act(_soon(chance, 240, case), case.desk, "whistled", reason=reason, department=own, **more)
    if "unlisted" not in case.done and p > 0.985:
        # Somebody tries to hand out what is on no list: refused, counted, then done as it should be.
        case.done.add("unlisted")
        wrong = chance.choice([d for d in DEPARTMENTS if d not in (own, _SECOND.get(case.category))])
        return _act(_soon(chance, 600, case), "dispatcher", "dispatched", department=wrong)
    if "returned" in case.done and case.category in _SECOND:
        return _act(_soon(chance, 600, case), "dispatcher", "dispatched", department=_SECOND[case.category])
    return _act(_soon(chance, 600, case), "dispatcher", "dispatched", department=own)


def _dispatched(case: Running, chance: random.Random) -> Act:
    who = f"department.{case.department}"
    if "returned" not in case.done and chance.random() < (0.08 if case.department == LATE else 0.035):
        return _act(_soon(chance, 2400, case), who, "returned", reason="不属于本部门职责，请核实权属")
    slow = 5 if case.department == LATE else 1
    return _act(chance.lognormvariate(math.log(1500), 0.8) * slow, who, "accepted")


def _handling(case: Running, chance: random.Random) -> Act:
    who, p = f"department.{case.department}", chance.random()
    if p < 0.006:
        return _act(_soon(chance, 7200, case), "dispatcher", "suspended", reason="等待权属单位进场")
    limit = CATEGORIES[case.category][3] * 3600
    took = limit * chance.lognormvariate(math.log(0.3), 0.6) * (2.4 if case.department == LATE else 1) * (BAD if case.bad_week else 1)
    return Act(after_s=took, who=who, message={"step": "fed_back", "note": "已处置，请核查"}, real=took > limit)


def _verifying(case: Running, chance: random.Random) -> Act:
    if "rework" not in case.done and chance.random() < (0.12 if case.department == LATE else 0.04):
        return _act(_soon(chance, 3600, case), case.desk, "rework", reason="现场仍未清理到位")
    return _act(_soon(chance, 3600, case), case.desk, "verified")


def _closed(case: Running, chance: random.Random) -> Act | None:
    if not case.hotline or "reopened" in case.done:
        return None
    if "called_back" in case.done:
        return _act(_soon(chance, 900, case), case.desk, "reopened", reason="回访不满意，重新办理") if "unhappy" in case.done else None
    unhappy = chance.random() < 0.12
    if unhappy:
        case.done.add("unhappy")
    told = {"valid": True, "contacted": True, "solved": not unhappy, "satisfied": not unhappy and chance.random() < 0.8}
    return _act(_soon(chance, 3600, case), case.desk, "called_back",
                details={**told, "basic": not unhappy and not told["satisfied"]})


_AFTER = {
    "reported": _reported, "filed": _filed, "dispatched": _dispatched, "handling": _handling, "verifying": _verifying,
    "verified": lambda case, chance: _act(_soon(chance, 1800, case), case.desk, "closed"),
    "suspended": lambda case, chance: _act(chance.uniform(3600, 5 * 3600), "dispatcher", "resumed"),
    "hung": lambda case, chance: _act(chance.uniform(1, 4) * 86400, f"department.{case.department}", "unhung"),
    "closed": _closed,
}


def _act(after_s: float, who: str, step: str, **more: Any) -> Act:
    return Act(after_s=after_s, who=who, message={"step": step, **more})


def _soon(chance: random.Random, mean_s: float, case: Running) -> float:
    return chance.gammavariate(2, mean_s / 2) * (0.3 if case.category == "emergencies" else 1)
