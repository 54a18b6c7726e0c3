"""The roles that an account can have, and what each may see where no area is named. Data, no decisions."""

from __future__ import annotations

from dataclasses import dataclass

Words = dict[str, str]

#: Written as an area by whoever means the whole city.
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role. Its id is the post in which an actor takes steps (queries/loop/steps.py)."""

    id: str
    title: Words
    what: Words
    #: No area named: the whole city is meant. Otherwise areas must be named.
    everywhere: bool = False
    #: May be given the whole city in so many words (ALL).
    may_all: bool = True
    #: Acts for one department, which must be named.
    department: bool = False
    #: Nobody sits before its screen: it is not signed out because nobody touches it, and stays for WALL_DAYS.
    stays: bool = False


ROLES: dict[str, Role] = {role.id: role for role in (
    Role(id="viewer", title={"zh": "查看", "en": "Viewer"},
         what={"zh": "查看所辖区域，不办理", "en": "looks at its areas and does not act"}),
    Role(id="wall", title={"zh": "大屏", "en": "Wall"}, stays=True,
         what={"zh": "大屏常显所辖区域，不办理，无人操作也不退出", "en": "shows its areas on a wall, does not act, stays signed in untouched"}),
    Role(id="street", title={"zh": "街道", "en": "Street officer"}, may_all=False,
         what={"zh": "办理所辖区域的案件", "en": "acts on the cases of its areas"}),
    Role(id="department", title={"zh": "部门", "en": "Department"}, everywhere=True, department=True,
         what={"zh": "办理派给本部门的案件", "en": "acts on what is dispatched to its department"}),
    Role(id="dispatcher", title={"zh": "派遣员", "en": "Dispatcher"}, everywhere=True,
         what={"zh": "派遣、督办、结案", "en": "dispatches, supervises and closes"}),
    Role(id="admin", title={"zh": "管理员", "en": "Administrator"}, everywhere=True,
         what={"zh": "管理账号与全部事项", "en": "keeps the accounts and may take every step"}),
)}
#: Days for which a session that stays lasts; locking its account or a new password ends it at once.
WALL_DAYS = 90
STAYING = tuple(role.id for role in ROLES.values() if role.stays)
#: A machine that brings data in; no account has this role.
SOURCE = Role(id="source", title={"zh": "数据源", "en": "Source"}, what={"zh": "只报送数据", "en": "brings data in, reads nothing"})
