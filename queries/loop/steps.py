"""The transition table: which step is legal from which status, who may take it, and what it must say.

The table is data; queries/loop/record.py takes steps, and nobody else does. A step from a status in
which it is not listed is refused and the legal ones are named.
"""

from __future__ import annotations

from dataclasses import dataclass

Words = dict[str, str]

#: Statuses in which a case is open, in the order of the standard's flow, and who is waited on.
WAITING = {
    "reported": "street", "filed": "dispatcher", "dispatched": "department", "handling": "department",
    "verifying": "street", "verified": "dispatcher", "suspended": "dispatcher", "hung": "department",
}
OVER = ("closed", "cancelled")
STATUSES = (*WAITING, *OVER)
#: The stage whose limit runs in a status: from time_limit.
STAGE = {
    "reported": "file", "filed": "dispatch", "dispatched": "accept", "handling": "handle",
    "verifying": "verify", "verified": "close",
}
STATUS_WORDS: dict[str, Words] = {
    "reported": {"zh": "采集", "en": "Reported"}, "filed": {"zh": "立案", "en": "Filed"},
    "dispatched": {"zh": "派遣", "en": "Dispatched"}, "handling": {"zh": "处置", "en": "Handling"},
    "verifying": {"zh": "核查", "en": "Verifying"}, "verified": {"zh": "待结案", "en": "Verified"},
    "suspended": {"zh": "挂起", "en": "Suspended"}, "hung": {"zh": "挂账", "en": "On account"},
    "closed": {"zh": "结案", "en": "Closed"}, "cancelled": {"zh": "作废", "en": "Cancelled"},
}
WAITING_WORDS: dict[str, Words] = {
    "street": {"zh": "街道", "en": "the street"}, "dispatcher": {"zh": "派遣员", "en": "the dispatcher"},
    "department": {"zh": "部门", "en": "the department"},
}
#: Posts (roles) that may act; see queries/people/roles.py. "clock" is time itself: it may only remind and escalate.
STREET, DISPATCHER, DEPARTMENT, ADMIN, SOURCE, CLOCK = "street", "dispatcher", "department", "admin", "source", "clock"
DESK = (STREET, DISPATCHER, ADMIN)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One kind of step. `to` None = the status stays; "" = decided by the step itself (resume, undo)."""

    id: str
    title: Words
    frm: tuple[str, ...]
    to: str | None
    posts: tuple[str, ...]
    #: Which of reason, department, until, due, into must be given.
    needs: tuple[str, ...] = ()
    #: A step that a person may take back within minutes, if nothing followed.
    undo: bool = True


_OPEN = tuple(WAITING)
_WORKED = ("dispatched", "handling")


def _step(id_: str, zh: str, en: str, frm: tuple[str, ...], to: str | None, posts: tuple[str, ...],
          needs: tuple[str, ...] = (), undo: bool = True) -> Step:
    return Step(id=id_, title={"zh": zh, "en": en}, frm=frm, to=to, posts=posts, needs=needs, undo=undo)


STEPS: dict[str, Step] = {step.id: step for step in (
    _step("reported", "采集", "Reported", (), "reported", (SOURCE, *DESK, DEPARTMENT), undo=False),
    _step("filed", "立案", "File", ("reported",), "filed", DESK),
    _step("rejected", "不予立案", "Do not file", ("reported",), "cancelled", DESK, ("reason",)),
    _step("dispatched", "派遣", "Dispatch", ("filed",), "dispatched", DESK, ("department",)),
    _step("accepted", "受理", "Accept", ("dispatched",), "handling", (DEPARTMENT, ADMIN)),
    _step("returned", "退回", "Return", _WORKED, "filed", (DEPARTMENT, ADMIN), ("reason",)),
    _step("reassigned", "改派", "Re-assign", _WORKED, "dispatched", (DISPATCHER, ADMIN), ("reason", "department")),
    _step("extended", "延期", "Extend", _WORKED, None, (DISPATCHER, ADMIN), ("reason", "until")),
    _step("suspended", "挂起", "Suspend", ("filed", *_WORKED, "verifying"), "suspended", (DISPATCHER, ADMIN), ("reason",)),
    _step("resumed", "恢复", "Resume", ("suspended",), "", (DISPATCHER, ADMIN, CLOCK)),
    _step("hung", "挂账", "Put on account", ("filed", *_WORKED), "hung", (DISPATCHER, ADMIN), ("reason",)),
    _step("unhung", "销账", "Take off account", ("hung",), "handling", (DISPATCHER, DEPARTMENT, ADMIN)),
    _step("fed_back", "处置反馈", "Feed back", ("handling",), "verifying", (DEPARTMENT, ADMIN)),
    _step("verified", "核查通过", "Verify", ("verifying",), "verified", DESK),
    _step("rework", "返工", "Send back", ("verifying", "verified"), "handling", DESK, ("reason",)),
    _step("closed", "结案", "Close", ("verified",), "closed", DESK),
    _step("solved_on_site", "自行处置", "Solved on the spot", ("reported", "filed"), "verified", DESK),
    _step("force_closed", "强制结案", "Force-close", _OPEN, "closed", (DISPATCHER, ADMIN), ("reason",)),
    _step("cancelled", "作废", "Cancel", ("reported", "filed"), "cancelled", (DISPATCHER, ADMIN), ("reason",)),
    _step("merged", "并案", "Merge a repeat", ("reported", "filed", *_WORKED), "cancelled", DESK, ("into",)),
    _step("reopened", "重新办理", "Reopen", ("closed",), "handling", DESK, ("reason",)),
    _step("called_back", "回访", "Call back", ("closed",), None, DESK, undo=False),
    _step("supervised", "督办", "Supervise", _OPEN, None, (DISPATCHER, ADMIN), ("reason",)),
    _step("escalated", "升级", "Escalate", _OPEN, None, (*DESK, CLOCK), ("reason",), undo=False),
    _step("reminded", "催办", "Remind", _OPEN, None, (*DESK, CLOCK), undo=False),
    _step("whistled", "吹哨", "Whistle", _OPEN, None, (*DESK, DEPARTMENT), ("reason", "department"), undo=False),
    _step("arrived", "报到", "Report in", (*_OPEN, *OVER), None, (DEPARTMENT, STREET, ADMIN), undo=False),
    _step("whistle_ended", "哨响解除", "End a whistle", (*_OPEN, *OVER), None, (*DESK, DEPARTMENT), undo=False),
    _step("whistle_rated", "双向评价", "Rate a whistle", (*_OPEN, *OVER), None, (*DESK, DEPARTMENT), undo=False),
    _step("noted", "备注", "Note", STATUSES, None, (*DESK, DEPARTMENT, SOURCE), ("reason",), undo=False),
    _step("undone", "撤回", "Take back", STATUSES, "", (*DESK, DEPARTMENT), undo=False),
    # Not taken by anybody: what a source's later word changed, and what an imported row's dates imply.
    _step("told", "来源告知", "As its source says", STATUSES, "", (SOURCE,), undo=False),
    _step("changed", "来源更新", "Changed by its source", STATUSES, "", (SOURCE,), undo=False),
)}
STEP_WORDS: dict[str, Words] = {
    **STATUS_WORDS, **{step.id: step.title for step in STEPS.values()},
    "due": {"zh": "办结期限", "en": "Deadline"},
}


def legal(status: str, post: str | None = None) -> list[Step]:
    """Return the steps that may be taken from a status, by a post if one is named."""
    return [s for s in STEPS.values() if status in s.frm and s.id not in ("changed", "told") and (post is None or post in s.posts)]
