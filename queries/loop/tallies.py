"""What each step adds to the tallies: the additive counts from which rates of the loop are made."""

from __future__ import annotations

from queries.loop.course import Course

Words = dict[str, str]

#: measure: (zh, en). Kept by area, day, category and department; a rate is always one of these over another.
MEASURES: dict[str, Words] = {name: {"zh": zh, "en": en} for name, zh, en in (
    ("steps", "操作步数", "steps taken"), ("dispatched", "派遣数", "dispatched"),
    ("first_dispatched", "首次派遣数", "first dispatches"), ("first_returned", "首派被退回数", "first dispatches returned"),
    ("returned", "退回数", "returned"), ("reassigned", "改派数", "re-assigned"), ("extended", "延期数", "extended"),
    ("suspended", "挂起数", "suspended"), ("hung", "挂账数", "put on account"), ("checked", "核查数", "checked"),
    ("passed", "核查通过数", "passed the check"), ("failed", "核查未通过数", "failed the check"), ("closed", "结案操作数", "closes"),
    ("forced", "强制结案数", "forced closes"), ("on_site", "自行处置数", "solved on the spot"), ("reopened", "重新办理数", "reopened"),
    ("merged", "并案数", "merged"), ("supervised", "督办数", "supervised"), ("escalated", "升级数", "escalated"),
    ("valid", "有效回访", "valid call-backs"), ("contacted", "已响应", "contacted"), ("solved", "已解决", "solved"),
    ("satisfied", "满意", "satisfied"), ("basic", "基本满意", "basically satisfied"),
    ("whistles", "哨数", "whistles"), ("arrived", "报到数", "arrivals"), ("arrived_on_time", "按时报到数", "arrivals in time"),
    ("refused", "清单外被拒派遣", "refused: not on the list"),
    ("prompts", "派单与催办", "prompts"), ("prompts_off", "非工作时段非紧急派单与催办", "prompts off hours, not urgent"),
)}

_PLAIN = {
    "reassigned": "reassigned", "extended": "extended", "suspended": "suspended", "hung": "hung", "reopened": "reopened",
    "merged": "merged", "supervised": "supervised", "escalated": "escalated", "solved_on_site": "on_site",
}
#: Steps that ask somebody at the front line or in a department to do something.
PROMPTS = frozenset({"dispatched", "reassigned", "rework", "reminded", "whistled", "reopened"})
CALL_BACK = ("contacted", "solved", "satisfied", "basic")


def told_by(step: str, before: Course, details: dict[str, object], working: bool) -> list[str]:
    """Return the measures that a step adds one to. `working` = it fell inside working hours."""
    found = ["steps"]
    if step in _PLAIN:
        found.append(_PLAIN[step])
    if step in PROMPTS:
        found.append("prompts")
        if not working and not before.urgent:
            found.append("prompts_off")
    if step == "dispatched":
        found += ["dispatched", *(["first_dispatched"] if before.transfers == 0 else [])]
    elif step == "returned":
        found += ["returned", *(["first_returned"] if before.transfers == 0 else [])]
    elif step == "verified":
        found += ["checked", "passed"]
    elif step == "rework":
        found += ["checked", "failed"]
    elif step in ("closed", "force_closed"):
        found += ["closed", *(["forced"] if step == "force_closed" else [])]
    elif step == "called_back" and details.get("valid"):
        found += ["valid", *(name for name in CALL_BACK if details.get(name))]
    return found
