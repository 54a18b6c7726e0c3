"""What the loop costs those at the front line, from the logs alone: nobody fills in a form for it. Never by person.

What cannot be told from our logs is said so and not guessed: time spent on forms outside the platform, chat
groups, apps per person.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case, func, select

from queries import places
from queries import scope as rights
from queries.answers import by_day, only_sums, remembered, stamped
from queries.clock import day_end, day_start
from queries.clocks import read_calendar
from queries.figures import FEW
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.loop.evaluate import WATCHED, sums
from queries.loop.rates import Rate, Words
from queries.loop.steps import STEPS
from queries.periods import previous
from queries.store import Store
from queries.tables import cases, event
from queries.today import city_now

#: So many prompts at most are followed to their answers, the newest.
FOLLOWED = 5_000
#: What asks somebody to act, and what answers it.
ANSWERS: dict[str, tuple[str, ...]] = {
    "dispatched": ("accepted", "returned"), "reassigned": ("accepted", "returned"), "rework": ("fed_back", "returned"),
    "accepted": ("fed_back", "returned"), "fed_back": ("verified", "rework"), "whistled": ("arrived",),
}
TASKS: dict[str, Words] = {
    "dispatched": {"zh": "受理派单", "en": "Take up a dispatch"}, "reassigned": {"zh": "受理改派", "en": "Take up a re-assignment"},
    "rework": {"zh": "返工", "en": "Do it again"}, "accepted": {"zh": "处置", "en": "Handle"}, "fed_back": {"zh": "核查", "en": "Check"},
    "whistled": {"zh": "报到", "en": "Report in"},
}
UNKNOWN = {"zh": "日志中看不到的不作估计：平台外的填表时间、工作群数、人均应用数",
           "en": "not told by logs, so not guessed: time on forms elsewhere, chat groups, apps per person"}
_COUNTS = Rate(id="burden", title={}, definition={}, top=("steps", "closed", "prompts", "prompts_off", "refused", "merged"))


@dataclass(frozen=True, kw_only=True)
class BurdenRow:
    """One measure of burden. `value` None = nothing to divide by, or no step was recorded here; unit: x (per case), % (a share), n, min."""

    id: str
    title: Words
    definition: Words
    unit: str
    value: float | None
    numerator: int
    denominator: int | None
    n: int
    few: bool
    previous: float | None = None


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """Working minutes between a prompt and its answer: a distribution over tasks of a kind, never of a person."""

    id: str
    title: Words
    n: int
    few: bool
    p25_min: float
    median_min: float
    p90_min: float
    #: Prompts of the period that have no answer yet; they are not in the distribution.
    waiting: int


def per(top: float, under: float) -> float | None:
    """Return how many of one there are for each of another; None when there is nothing to divide by."""
    return top / under if under else None


def burden(store: Store, ask: Ask) -> Answer[BurdenRow]:
    """Return the measures of burden of a place and period, with the period before."""
    with store.read() as connection:
        return remembered(connection, ("burden", ask), lambda: _burden(connection, ask))


def _burden(connection: Connection, ask: Ask) -> Answer[BurdenRow]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    areas = [part.area_id for part in rights.check(connection, ask.scope, place)]
    before = previous(ask.since, ask.until)
    held = sums(connection, areas, ask, (_COUNTS,))
    was = sums(connection, areas, ask.but(since=before.since, until=before.until), (_COUNTS,))
    told, again = _told_again(connection, ask, rights.node_ranges(connection, ask.scope, place))
    rows = [
        _row("steps", "x", held, was, "steps", "closed", ("每案操作步数", "Steps per case"), ("操作步数 ÷ 结案数", "steps taken ÷ closes")),
        _row("off_hours", "%", held, was, "prompts_off", "prompts", ("非工作时段催派", "Prompts off hours"),
             ("非工作时段的非紧急派单、催办 ÷ 全部派单、催办", "not urgent prompts outside working hours ÷ all prompts")),
        _row("refused", "n", held, was, "refused", "", ("清单外事项", "Work not on the list"),
             ("试图派遣清单外事项而被退回的次数", "times that unlisted work was refused")),
        _row("repeats", "n", held, was, "merged", "", ("重复上报", "Repeat reports"),
             ("并入已有案件的上报数", "reports that were merged into a case already there")),
        BurdenRow(
            id="asked_again", title={"zh": "重复采集字段", "en": "Fields asked again"}, unit="%", value=per(again, told), numerator=again,
            denominator=told, n=told, few=told < FEW,
            definition={"zh": "重复上报中，原案件已有且相同的字段 ÷ 重复上报所填字段（类别、小类、标题、地址、位置）",
                        "en": "fields of repeat reports that the case had already, with the same value ÷ fields that they told (category, kind, title, address, point)"}),
    ]
    return stamped(connection, rows, ask=ask, notes=(*by_day(ask), *only_sums(ask), UNKNOWN))


def _row(id_: str, unit: str, held: dict[str, float], was: dict[str, float], top: str, under: str, title: tuple[str, str],
         definition: tuple[str, str]) -> BurdenRow:
    def value(of: dict[str, float]) -> float | None:
        if not of.get(WATCHED):
            return None
        return per(of.get(top, 0), of.get(under, 0)) if under else of.get(top, 0)

    n = int(held.get(under or top, 0))
    return BurdenRow(id=id_, title={"zh": title[0], "en": title[1]}, definition={"zh": definition[0], "en": definition[1]}, unit=unit,
                     value=value(held), numerator=int(held.get(top, 0)), denominator=n if under else None, n=n, few=bool(under) and n < FEW,
                     previous=value(was))


def _told_again(connection: Connection, ask: Ask, ranges: list[tuple[int, int]]) -> tuple[int, int]:
    """Return how many fields the repeats merged in the period told, and how many of them their case had already."""
    first = cases.alias("first")
    parts = [(cases.c.category_id.is_not(None), cases.c.category_id == first.c.category_id), (cases.c.cell.is_not(None), cases.c.cell == first.c.cell)]
    parts += [(cases.c[name] != "", cases.c[name] == first.c[name]) for name in ("kind", "title", "address")]
    row = connection.execute(
        select(*(func.sum(case((said, 1), else_=0)) for said, _ in parts), *(func.sum(case((and_(said, same), 1), else_=0)) for said, same in parts))
        .select_from(event).join(cases, cases.c.id == event.c.case_id).join(first, first.c.id == cases.c.merged_into)
        .where(*_in_period(connection, ask, ("merged",)), inside(cases.c.node, ranges))).one()
    half = len(parts)
    return int(sum(n or 0 for n in row[:half])), int(sum(n or 0 for n in row[half:]))


def _in_period(connection: Connection, ask: Ask, steps: tuple[str, ...]) -> list[Any]:
    zone = city_now(connection).zone
    return [event.c.derived.is_(False), event.c.step.in_(steps), event.c.at >= day_start(ask.since, zone), event.c.at < day_end(ask.until, zone), *_known(ask, event)]


def _known(ask: Ask, table: Any) -> list[Any]:
    """Return the condition that an event was known at a moment of the past."""
    return [] if ask.at is None else [table.c.seen_at <= ask.present]


def minutes(store: Store, ask: Ask) -> Answer[TaskRow]:
    """Return the working minutes between prompts and their answers, by kind of task."""
    with store.read() as connection:
        return remembered(connection, ("minutes", ask), lambda: _minutes(connection, ask))


def _minutes(connection: Connection, ask: Ask) -> Answer[TaskRow]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    rights.check(connection, ask.scope, place)
    then = event.alias("then")
    answered = [select(func.min(then.c.at)).where(then.c.case_id == event.c.case_id, then.c.seq > event.c.seq, then.c.step.in_(answers), *_known(ask, then))
                .scalar_subquery() for answers in ANSWERS.values()]
    by_step = case(*((event.c.step == step, at) for step, at in zip(ANSWERS, answered, strict=True)))
    rows = connection.execute(
        select(event.c.step, event.c.at, by_step.label("answer")).join(cases, cases.c.id == event.c.case_id)
        .where(*_in_period(connection, ask, tuple(ANSWERS)), inside(cases.c.node, rights.node_ranges(connection, ask.scope, place)))
        .order_by(event.c.at.desc()).limit(FOLLOWED + 1)).all()
    calendar = read_calendar(connection)
    took: dict[str, list[float]] = defaultdict(list)
    waiting: dict[str, int] = defaultdict(int)
    for r in rows[:FOLLOWED]:
        if r.answer is None:
            waiting[r.step] += 1
        else:
            took[r.step].append(max(0, calendar.left(r.at, r.answer, "work_hour")) / 60)
    tasks = [_task(step, sorted(took[step]), waiting[step]) for step in ANSWERS if took[step]]
    notes = ({"zh": f"只跟踪最新的 {FOLLOWED:,} 次", "en": f"only the newest {FOLLOWED:,} prompts were followed"},) if len(rows) > FOLLOWED else ()
    return stamped(connection, tasks, ask=ask, notes=notes)


def _task(step: str, took: list[float], waiting: int) -> TaskRow:
    def share(of: float) -> float:
        return took[min(len(took) - 1, int(of * len(took)))]

    return TaskRow(id=step, title=TASKS.get(step, STEPS[step].title), n=len(took), few=len(took) < FEW, p25_min=share(0.25),
                   median_min=share(0.5), p90_min=share(0.9), waiting=waiting)
