"""What a person may be offered: the legal steps of their post on a case, and the departments that a step may name.

Nothing here decides: whoever takes a step is checked again by the writer. An offer saves a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from queries.answers import stamped
from queries.clock import now, stamp
from queries.frame import Actor, Answer
from queries.loop.acts import OWN_WORK
from queries.loop.steps import Step, legal
from queries.loop.tables import list_item
from queries.loop.task_list import in_force
from queries.store import Store
from queries.tables import department

Words = dict[str, str]
UNLISTED: Words = {"zh": "现行事项清单内无此类事项", "en": "nothing of this kind is on its task list"}
#: Steps that speak of a whistle need one that is out.
_CALLED = frozenset({"arrived", "whistle_ended", "whistle_rated"})


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A department that a dispatch could name: under which item of the list, or why not."""

    code: str
    name: Words
    item: str
    why_not: Words | None


def steps(actor: Actor, status: str, department_code: str | None, called: int = 0, missing: int = 0) -> tuple[Step, ...]:
    """Return the steps that an actor may take on a case, in the order of the flow."""
    own = actor.post != "department" or actor.department == department_code
    return tuple(
        step for step in legal(status, actor.post)
        if step.id != "undone" and (own or step.id not in OWN_WORK)
        and (step.id not in _CALLED or called) and (step.id != "arrived" or missing))


def departments(store: Store, category_code: str) -> Answer[Choice]:
    """Return all departments, those whose list holds a category's work now first."""
    present = stamp(now())
    item = (
        select(list_item.c.department_id, func.min(list_item.c.code).label("code"))
        .where(and_(in_force(present), list_item.c.category == category_code)).group_by(list_item.c.department_id).subquery()
    )
    statement = (
        select(department.c.code, department.c.name, department.c.name_en, item.c.code.label("item"))
        .outerjoin(item, item.c.department_id == department.c.id).order_by(item.c.code.is_(None), department.c.code)
    )
    with store.read() as connection:
        return stamped(connection, [
            Choice(code=r.code, name={"zh": r.name, "en": r.name_en or r.name}, item=r.item or "",
                   why_not=None if r.item else UNLISTED)
            for r in connection.execute(statement)])


def every_department(store: Store) -> Answer[Choice]:
    """Return all departments: any of them may be called by a whistle."""
    with store.read() as connection:
        return stamped(connection, [
            Choice(code=r.code, name={"zh": r.name, "en": r.name_en or r.name}, item="", why_not=None)
            for r in connection.execute(select(department).order_by(department.c.code))])
