"""The evaluation of the loop: three rates, and what else says whether it works. Reads sums only, and opens cases by event.

Call-backs are counted by the evaluation day (queries/loop/evaluation.py), everything else by the calendar's day
on which it happened. Nothing here is about a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, or_, select

from queries import places
from queries import scope as rights
from queries.answers import only_sums, remembered, stamped
from queries.clock import day_end, day_start
from queries.errors import NoSuchError
from queries.figures import FEW
from queries.frame import Answer, Ask
from queries.intervals import chunks, inside
from queries.loop.evaluation import Evaluation, read_evaluation
from queries.loop.rates import COMPOSITE, MEASURES, SATISFIED, Opens, Rate, Words
from queries.loop.tables import tally, whistle
from queries.masking import masked
from queries.periods import pieces, previous
from queries.store import Store
from queries.summing import conditions, narrowing, sums_of, when
from queries.tables import cases, department, event
from queries.today import city_now

#: A list that a number opens holds so many at most.
OPENED = 200
#: Each step that was taken here counts as one. Where none was, nobody recorded whistles, returns or call-backs
#: either: cases that were imported as rows tell of none, and that is not zero.
WATCHED = "steps"
Sums = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """One number with what it is made of. A rate is a share (0.878), never a percentage; None = nothing to divide by.

    `n` is what it rests on; few = less than 30. `against` = how many events count against it: those that
    `cases_of` opens.
    """

    id: str
    title: Words
    definition: Words
    value: float | None
    numerator: float | None
    denominator: int | None
    n: int
    few: bool
    previous: float | None
    good: Literal["up", "down"] | None
    against: int | None


@dataclass(frozen=True, kw_only=True)
class OpenedRow:
    """A case behind a number: which step counted, when."""

    no: str
    title: str
    step: str
    at: int
    reason: str
    department: str | None
    status: str


def evaluation(store: Store, ask: Ask) -> Answer[EvaluationRow]:
    """Return every number of the loop for a place and period, with the period before beside it."""
    with store.read() as connection:
        return remembered(connection, ("evaluation", ask), lambda: _evaluation(connection, ask))


def month(store: Store, ask: Ask) -> Answer[EvaluationRow]:
    """Return the three rates and the composite of the evaluation month in which the asked period ends."""
    with store.read() as connection:
        since, until = read_evaluation(connection).month_of(ask.until)
        asked = ask.but(since=since, until=until)
        answer = remembered(connection, ("evaluation", asked), lambda: _evaluation(connection, asked))
        note = {"zh": f"考核月：{since} 至 {until}", "en": f"evaluation month: {since} to {until}"}
        return replace(answer, rows=tuple(r for r in answer.rows if r.id in ("response", "solved", SATISFIED, COMPOSITE)),
                       notes=(note, *answer.notes))


@dataclass(frozen=True, kw_only=True)
class LoopStage:
    """One stage of the loop: how many in the period, a share that says how well, and how many ask for a look."""

    id: str
    title: Words
    n: int | None  # None = no step of that place and period was recorded here
    share: float | None = None
    share_title: Words | None = None
    bad: int = 0
    bad_title: Words | None = None


def loop_line(store: Store, ask: Ask) -> Answer[LoopStage]:
    """Return the stages of the closed loop in their order, each by the day on which it happened."""
    with store.read() as connection:
        return remembered(connection, ("loop_line", ask), lambda: _line(connection, ask))


def _line(connection: Connection, ask: Ask) -> Answer[LoopStage]:
    place = places.find(connection, ask.place, ask.until, ask.scope)
    areas = [part.area_id for part in rights.check(connection, ask.scope, place)]
    told = Rate(id="line", title={}, definition={}, top=(
        "cases.reported", "cases.filed", "cases.closed", "cases.due", "cases.due_on_time", "dispatched", "whistles", "arrived", "arrived_on_time",
        "checked", "failed"))
    held = sums(connection, areas, ask, (told,))

    def stage(id_: str, zh: str, en: str, count: str, top: str = "", under: str = "", words: tuple[str, str] = ("", ""), bad: int = 0) -> LoopStage:
        n = held.get(under, 0)
        known = held.get(WATCHED) or count.startswith("cases.")
        return LoopStage(id=id_, title={"zh": zh, "en": en}, n=int(held.get(count, 0)) if known else None, share=held.get(top, 0) / n if top and n else None,
                         share_title={"zh": words[0], "en": words[1]}, bad=bad, bad_title={"zh": "未按时报到", "en": "not in time"})

    late = int(held.get("whistles", 0) - held.get("arrived_on_time", 0))
    return stamped(connection, [
        stage("reported", "发现", "Found", "cases.reported"), stage("filed", "立案", "Filed", "cases.filed"),
        stage("whistled", "吹哨", "Whistles", "whistles"),
        stage("arrived", "报到", "Arrived", "arrived", "arrived_on_time", "whistles", ("按时", "in time"), late),
        stage("dispatched", "派遣", "Dispatched", "dispatched"),
        stage("checked", "核查", "Checked", "checked", "failed", "checked", ("返工", "sent back")),
        stage("closed", "结案", "Closed", "cases.closed", "cases.due_on_time", "cases.due", ("按期", "on time")),
    ], ask=ask, notes=only_sums(ask))


def _evaluation(connection: Connection, ask: Ask) -> Answer[EvaluationRow]:
    rules = read_evaluation(connection)
    place = places.find(connection, ask.place, ask.until, ask.scope)
    areas = [part.area_id for part in rights.check(connection, ask.scope, place)]
    before = previous(ask.since, ask.until)
    now_ = sums(connection, areas, ask, MEASURES.values())
    was = sums(connection, areas, ask.but(since=before.since, until=before.until), MEASURES.values())
    rows = [_row(rate, rules, now_, was) for rate in MEASURES.values()]
    return stamped(connection, rows, ask=ask, notes=(*only_sums(ask), *notes(rules)))


def notes(rules: Evaluation) -> tuple[Words, ...]:
    """Return what must be said beside numbers that follow the rules."""
    if rules.stale:
        return ({"zh": f"回访仍按 {rules.counted} 起算的考核日统计；改为 {rules.day_starts} 须运行 python app.py rebuild",
                 "en": f"call-backs are still counted by days from {rules.counted}; for {rules.day_starts} run: python app.py rebuild"},)
    if rules.day_starts != "00:00":
        return ({"zh": f"回访按考核日统计（前一日 {rules.day_starts} 起）", "en": f"call-backs by evaluation day (from {rules.day_starts} of the day before)"},)
    return ()


def _row(rate: Rate, rules: Evaluation, now_: Sums, was: Sums) -> EvaluationRow:
    value, top, under = valued(rate, rules, now_)
    if not recorded(rate, now_):
        value = top = None
    words = {"basic": f"{rules.basic:g}", **{k: f"{v:g}" for k, v in rules.weights.items()}}
    n = int(now_.get("valid", 0)) if rate.id == COMPOSITE else under if under is not None else int(top or 0)
    return EvaluationRow(
        id=rate.id, title=rate.title, definition={k: v.format(**words) for k, v in rate.definition.items()}, value=value,
        numerator=None if rate.id == COMPOSITE else top, denominator=under, n=n, few=bool(rate.under) and n < FEW,
        previous=valued(rate, rules, was)[0] if recorded(rate, was) else None, good=rate.good, against=_against(rate, now_),
    )


def recorded(rate: Rate, held: Sums) -> bool:
    """Return whether what a number counts was recorded at all, in the place and period of the sums."""
    return bool(held.get(WATCHED)) or all("." in name for name in (*rate.top, *rate.minus))


def valued(rate: Rate, rules: Evaluation, held: Sums) -> tuple[float | None, float | None, int | None]:
    """Return a number's value, numerator and denominator. All shares are of 1: nothing here is multiplied by 100."""
    if rate.id == COMPOSITE:
        parts = {name: valued(MEASURES[name], rules, held)[0] for name in rules.weights}
        if any(part is None for part in parts.values()):
            return None, None, int(held.get("valid", 0))
        return sum(rules.weights[name] * (part or 0.0) for name, part in parts.items()), None, int(held["valid"])
    top = sum(held.get(name, 0) * (rules.basic if name == "basic" else 1) for name in rate.top)
    top -= sum(held.get(name, 0) for name in rate.minus)
    if not rate.under:
        return top, top, None
    under = int(sum(held.get(name, 0) for name in rate.under))
    # More returned than dispatched: they are of dispatches before the period, which says nothing of this one.
    return (top / under if under and top >= 0 else None), top, under


def _against(rate: Rate, held: Sums) -> int | None:
    if rate.opens is None or rate.id == COMPOSITE:
        return None
    if rate.id == SATISFIED:
        return int(held.get("valid", 0) - held.get("satisfied", 0))
    if rate.minus:
        return int(sum(held.get(name, 0) for name in rate.minus))
    if rate.good == "up":
        return int(sum(held.get(name, 0) for name in rate.under) - sum(held.get(name, 0) for name in rate.top))
    return int(sum(held.get(name, 0) for name in rate.top))


def sums(connection: Connection, areas: Sequence[int], ask: Ask, rates: Iterable[Rate], by: str = "") -> Any:
    """Return {count: n} of some areas together; with `by` a key column's name: {key: {category id: {count: n}}}.

    `by` is area_id or department_id.
    """
    names = {WATCHED, *(name for rate in rates for name in (*rate.top, *rate.under, *rate.minus))}
    spans = pieces(ask.since, ask.until)
    plain: dict[str, float] = {}
    keyed: dict[int, dict[int, dict[str, float]]] = {}

    def put(key: Sequence[Any], name: str, n: Any) -> None:
        held = keyed.setdefault(key[0], {}).setdefault(key[1], {}) if by else plain
        held[name] = held.get(name, 0) + int(n or 0)

    told = sorted(name for name in names if "." not in name)
    facts = sorted(name.partition(".")[2] for name in names if "." in name)
    for part in chunks(areas):
        keys = [tally.c[by], tally.c.category_id] if by else []
        if told:
            statement = select(*keys, tally.c.measure, func.sum(tally.c.n)).where(
                tally.c.area_id.in_(part), when(tally, spans), tally.c.measure.in_(told), *conditions(tally, ask)).group_by(*keys, tally.c.measure)
            for *key, name, n in connection.execute(statement):
                put(key, name, n)
        for row in sums_of(connection, (by, "category_id") if by else (), tuple(facts), part, spans, narrowing(ask)) if facts else ():
            key = row[:len(row) - len(facts)]
            for name, n in zip(facts, row[len(key):], strict=True):
                put(key, f"cases.{name}", n)
    return keyed if by else plain


def cases_of(store: Store, ask: Ask, measure: str, limit: int = OPENED) -> Answer[OpenedRow]:
    """Return the cases that count against a number in the asked place and period, the newest first.

    Found in the event table by kind and moment. Steps that were taken back do not count. Raises AskError.
    """
    opens = MEASURES[measure].opens if measure in MEASURES else None
    if opens is None:
        known = ", ".join(name for name, rate in MEASURES.items() if rate.opens)
        raise NoSuchError(f"No number that opens cases is called {measure!r}. Known: {known}.")
    limit = max(1, min(limit, 1000))
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        rights.check(connection, ask.scope, place)
        ranges = rights.node_ranges(connection, ask.scope, place)
        shift = read_evaluation(connection).shift_s if opens.steps == ("called_back",) else 0
        zone = city_now(connection).zone
        undone = event.alias("undone")
        statement = (
            select(cases.c.no, cases.c.title, cases.c.kind, cases.c.status, event.c.step, event.c.at, event.c.reason, department.c.code)
            .join(cases, cases.c.id == event.c.case_id).outerjoin(department, department.c.id == cases.c.department_id)
            .where(event.c.derived.is_(False), event.c.step.in_(opens.steps), inside(cases.c.node, ranges),
                   event.c.at >= day_start(ask.since, zone) - shift, event.c.at < day_end(ask.until, zone) - shift,
                   *_held_against(opens), *conditions(cases, ask),
                   ~select(undone.c.id).where(undone.c.case_id == event.c.case_id, undone.c.seq == event.c.seq + 1,
                                              undone.c.step == "undone").exists())
            .order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
        )
        rows = [OpenedRow(no=r.no, title=masked(r.title or r.kind), step=r.step, at=r.at, reason=masked(r.reason), department=r.code,
                          status=r.status) for r in connection.execute(statement)]
        return stamped(connection, rows, ask=ask)


def _held_against(opens: Opens) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if opens.lacking:
        found.append(event.c.data.contains('"valid": true'))
        found.append(or_(*(event.c.data.contains(f'"{name}": false') for name in opens.lacking)))
    if opens.first:
        earlier = event.alias("earlier")
        found.append(~select(earlier.c.id).where(earlier.c.case_id == event.c.case_id, earlier.c.seq < event.c.seq,
                                                 earlier.c.step.in_(("returned", "reassigned"))).exists())
    if opens.late:
        called = department.alias("called")
        late = select(whistle.c.id).join(called, called.c.id == whistle.c.department_id).where(
            whistle.c.case_id == event.c.case_id, whistle.c.blown_at == event.c.at, event.c.data.contains('"' + called.c.code + '"'),
            or_(whistle.c.arrived_at > whistle.c.due_at, whistle.c.arrived_at.is_(None)))
        found.append(late.exists())
    return found


def month_of(store: Store, day: date) -> tuple[date, date]:
    """Return the first and last day of the evaluation month of a day."""
    with store.read() as connection:
        return read_evaluation(connection).month_of(day)
