"""Who answers for an indicator of a place: the post whose step it counts, and, where sums tell, the department with most that counts against it. Never a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from queries.errors import AskError
from queries.frame import Ask, Filters
from queries.governance.levels import finished
from queries.index._dimension import Words
from queries.index._inputs import computed
from queries.index._own import counted_here
from queries.index._tables import index_figure
from queries.index_records import indicator
from queries.matrix import Cell, matrix
from queries.store import Store
from queries.summing import UNNAMED

#: By what an indicator opens: the post that answers for it.
POSTS: dict[str, Words] = {
    "overdue": {"zh": "承办部门", "en": "handling department"}, "rework": {"zh": "承办部门", "en": "handling department"},
    "satisfied": {"zh": "承办部门", "en": "handling department"}, "solved": {"zh": "承办部门", "en": "handling department"},
    "response": {"zh": "承办部门", "en": "handling department"}, "arrival": {"zh": "被吹哨部门", "en": "department called by whistle"},
    "first_dispatch": {"zh": "派遣员", "en": "dispatcher"}, "forced": {"zh": "派遣员", "en": "dispatcher"}, "repeat": {"zh": "派遣员", "en": "dispatcher"},
}
#: The others: what is done in the grid itself.
STREET: Words = {"zh": "属地街道", "en": "street office"}
#: An imported figure: who hands it over, by their own words. Devices: who keeps them.
REPORTS: Words = {"zh": "填报部门", "en": "department that reports it"}
DEVICES: Words = {"zh": "设备管护单位", "en": "who keeps the devices"}
DISPATCHER = POSTS["forced"]
#: Counts of steps that no number of the evaluation opens, and whose they are.
STEPS: dict[str, Words] = {"refused": DISPATCHER, "prompts_off": DISPATCHER}
#: For what sums are kept by department: the figure, and how many of a cell count against it.
COUNTED: dict[str, tuple[str, Callable[[Cell], float]]] = {
    "overdue": ("on_time_rate", lambda cell: (cell.denominator or 0) - (cell.numerator or 0)), "rework": ("rework_rate", lambda cell: float(cell.numerator or 0)),
}


@dataclass(frozen=True, kw_only=True)
class Answerable:
    """`department` None = neither sums nor figures tell which. `against`: how many cases of the period count against it there, `of` all in the place."""

    post: Words
    department: Words | None = None
    against: int = 0
    of: int = 0


def answerable(store: Store, ask: Ask, id_: str) -> Answerable:
    """Return who answers for an indicator of the asked place and period. Raises AskError."""
    one = indicator(id_)
    if one.imported and id_ not in _counted_here(store, ask):
        return Answerable(post=REPORTS, department=_said(store, id_))
    post = DEVICES if one.now_only else POSTS.get(one.opens) or STEPS.get(one.top[0] if one.top else "", STREET)
    if one.opens not in COUNTED:
        return Answerable(post=post)
    measure, against = COUNTED[one.opens]
    categories = tuple(code for code in one.under[0].partition("@")[2].split(",") if code)
    try:
        held = matrix(store, ask.but(filters=Filters(categories=categories)), measure).row
    except AskError:
        return Answerable(post=post)
    lines = [(against(line.total), line) for line in held.lines if line.code != UNNAMED]
    n, worst = max(lines, key=lambda pair: pair[0], default=(0, None))
    if worst is None or n <= 0:
        return Answerable(post=post)
    return Answerable(post=post, department=worst.name, against=int(n), of=int(against(held.corner)))


def _counted_here(store: Store, ask: Ask) -> frozenset[str]:
    with store.read() as connection:
        return counted_here(connection, finished(connection, ask), computed())


def _said(store: Store, id_: str) -> Words | None:
    """Return who hands over an imported figure, as the newest one says."""
    f = index_figure.c
    with store.read() as connection:
        said = connection.scalar(select(f.said).where(f.indicator == id_, f.said != "", f.known_to.is_(None)).order_by(f.last.desc(), f.id.desc()).limit(1))
    return {"zh": said, "en": said} if said else None
