"""Where the time of cases goes, and where they leave the standard way. From the events of the cases asked about.

A department's time counts while the case waits on it. What a source only implied by its dates is a step on the way;
how long a case stood where, and the rules of the standard way, ask only what we saw ourselves. Costs follow the cases read, so there is a
limit, and a screen reads this in the background. At a moment of the past only events that were known then are read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from queries import places
from queries import scope as rights
from queries.answers import by_day, stamped
from queries.clock import day_end, day_start
from queries.frame import Answer, Ask
from queries.intervals import inside
from queries.loop.mining import AT_ONCE, Log, Mined, cut, mine, without_loops
from queries.loop.steps import OVER, STATUS_WORDS, STEPS, WAITING, WAITING_WORDS
from queries.store import Store
from queries.summing import of_departments
from queries.tables import cases, category, department, event
from queries.today import city_now

Words = dict[str, str]
#: So many cases at most are read for a screen, the newest; the answer says when there were more.
LIMIT = 100_000
#: What is no step on the way.
BESIDE = ("noted", "told", "changed", "undone", "reminded", "supervised", "whistle_rated")
#: A case handed round so often is a loop of rework.
OFTEN = 3
OVER_WORDS = {"zh": "办结", "en": "over"}


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A stretch of the way: from one step (or whoever was waited on) to the next."""

    frm: str
    to: str
    frm_words: Words
    to_words: Words
    n: int
    mean_s: float
    median_s: float
    #: Of all the time of these cases, how much went here.
    share: float | None


@dataclass(frozen=True, kw_only=True)
class BrokenRule:
    """A rule of the standard way: how many of the cases to which it applies break it, and some of them."""

    id: str
    sentence: Words
    n: int
    of: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way through the process and how many cases took it."""

    steps: tuple[str, ...]
    words: tuple[Words, ...]
    n: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Everything about the way of the cases asked about."""

    cases: int
    events: int
    limited: bool
    legs: tuple[Leg, ...]
    stages: tuple[Leg, ...]
    hand_overs: tuple[Leg, ...]
    departments: tuple[Leg, ...]
    ways: tuple[Way, ...]
    ways_in_all: int
    loops: tuple[tuple[str, Words, int], ...]
    rules: tuple[BrokenRule, ...]
    case_median_s: float | None


def flow(store: Store, ask: Ask, limit: int = LIMIT) -> Answer[Flow]:
    """Return the one row of everything, of the cases reported in the period, at most `limit`, the newest; as it was known at the ask's moment."""
    at = None if ask.at is None else ask.present
    with store.read() as connection:
        chosen, span, limited = _chosen(connection, ask, limit)
        names = {f"d{r.id}": {"zh": r.name, "en": r.name_en or r.name} for r in connection.execute(select(department))}

    def read(log: Callable[[int, int, int | None], Select[Any]], lasting: bool = False) -> Mined:
        return mine(store, _only(log, chosen, at), span, _parts(span), lasting)

    steps, held = read(steps_log), read(stage_log)
    hand_overs, departments = read(party_log, lasting=True), read(department_log, lasting=True)
    rules = broken(store, span, chosen, at)
    step_words = {step.id: step.title for step in STEPS.values()} | STATUS_WORDS
    ways = [Way(steps=way, words=tuple(step_words.get(s, {"zh": s, "en": s}) for s in way), n=n, share=n / steps.cases) for way, n in steps.variants[:12]]
    row = Flow(
        cases=steps.cases, events=steps.events, limited=limited, legs=_legs(steps, step_words), stages=_by_first(held, STATUS_WORDS),
        hand_overs=_legs(hand_overs, WAITING_WORDS | {"over": OVER_WORDS}),
        departments=tuple(leg for leg in _by_first(departments, names) if leg.frm in names), ways=tuple(ways), ways_in_all=len(steps.variants),
        loops=tuple((s, step_words.get(s, {"zh": s, "en": s}), n) for s, n in sorted(steps.rework.items(), key=lambda kv: -kv[1])),
        rules=rules, case_median_s=steps.case_median_s,
    )
    with store.read() as connection:
        notes = ({"zh": f"只统计最新的 {limit:,} 件", "en": f"only the newest {limit:,} cases were read"},) if limited else ()
        return stamped(connection, (row,), ask=ask, notes=(*notes, *by_day(ask)))


def _chosen(connection: Connection, ask: Ask, limit: int) -> tuple[Select[Any], tuple[int, int], bool]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    rights.check(connection, ask.scope, place)
    zone = city_now(connection).zone
    where: list[ColumnElement[bool]] = [
        cases.c.reported_at >= day_start(ask.since, zone), cases.c.reported_at < day_end(ask.until, zone),
        inside(cases.c.node, rights.node_ranges(connection, ask.scope, place)),
    ]
    if codes := ask.filters.categories:
        where.append(cases.c.category_id.in_(select(category.c.id).where(category.c.code.in_(codes))))
    if codes := ask.filters.departments:
        where.append(of_departments(codes))
    ids = select(cases.c.id).where(*where).order_by(cases.c.reported_at.desc(), cases.c.id.desc()).limit(limit + 1).subquery()
    lo, hi, n = connection.execute(select(func.min(ids.c.id), func.max(ids.c.id), func.count()).select_from(ids)).one()
    if n <= limit:
        return select(cases.c.id).where(*where), (1, 0) if lo is None else (lo, hi), False
    newest = select(cases.c.id).where(*where).order_by(cases.c.reported_at.desc(), cases.c.id.desc()).limit(limit)
    return newest, (lo, hi), True


def _parts(span: tuple[int, int]) -> int:
    # Two connections side by side pay only where there is much to read.
    return min(2, os.cpu_count() or 1) if span[1] - span[0] > 50_000 else 1


def _known(at: int | None) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that an event was known at a moment, as queries/loop/then.py has it: none is known without those before it."""
    if at is None:
        return ()
    before = event.alias("before")
    unknown = exists().where(before.c.case_id == event.c.case_id, before.c.seq <= event.c.seq, before.c.derived.is_(False), before.c.seen_at > at)
    return (or_(event.c.derived.is_(False), event.c.at <= at), ~unknown)


def _only(log: Callable[[int, int, int | None], Select[Any]], chosen: Select[Any], at: int | None) -> Log:
    def narrowed(lo: int, hi: int) -> Select[Any]:
        inner = log(lo, hi, at).subquery()
        return select(inner).where(inner.c.case_id.in_(chosen))

    return narrowed


def steps_log(lo: int, hi: int, at: int | None = None) -> Select[Any]:
    """Return the log of steps of the cases numbered from lo to hi; `at` = as it was known at a moment."""
    return select(event.c.case_id, event.c.step.label("activity"), event.c.at, event.c.seq.label("ord")).where(
        event.c.case_id.between(lo, hi), event.c.step.not_in(BESIDE), *_known(at))


def stage_log(lo: int, hi: int, at: int | None = None) -> Select[Any]:
    """Return the log of statuses: how long a case stands in each."""
    return select(event.c.case_id, event.c.status.label("activity"), event.c.at, event.c.seq.label("ord")).where(
        event.c.case_id.between(lo, hi), event.c.status != "", event.c.derived.is_(False), *_known(at))


def party_log(lo: int, hi: int, at: int | None = None) -> Select[Any]:
    """Return the log of whoever is waited on: street, dispatcher, department, or nobody any more."""
    return select(event.c.case_id, _party(event.c.status).label("activity"), event.c.at, event.c.seq.label("ord")).where(
        event.c.case_id.between(lo, hi), event.c.status != "", event.c.derived.is_(False), *_known(at))


def department_log(lo: int, hi: int, at: int | None = None) -> Select[Any]:
    """Return the log of whoever is waited on, departments by their number ("d7")."""
    named = func.count(event.c.department_id).over(partition_by=event.c.case_id, order_by=event.c.seq)
    told = select(event.c.case_id, event.c.status, event.c.at, event.c.seq, event.c.department_id, event.c.derived, named.label("named")).where(
        event.c.case_id.between(lo, hi), *_known(at)).subquery()
    own = func.max(told.c.department_id).over(partition_by=(told.c.case_id, told.c.named))
    party = _party(told.c.status)
    activity = case((and_(party == "department", own.is_not(None)), literal("d") + cast(own, Text)), else_=party)
    every = select(told.c.case_id, activity.label("activity"), told.c.at, told.c.seq.label("ord"), told.c.status, told.c.derived).subquery()
    return select(every.c.case_id, every.c.activity, every.c.at, every.c.ord).where(every.c.status != "", every.c.derived.is_(False))


def _party(status: Any) -> Any:
    who: dict[str, list[str]] = {}
    for name, party in WAITING.items():
        who.setdefault(party, []).append(name)
    return case(*((status.in_(names), party) for party, names in who.items()), else_="over")


def _legs(told: Mined, words: dict[str, Words]) -> tuple[Leg, ...]:
    whole = sum(e.n * e.mean_s for e in told.edges)
    legs = [Leg(frm=e.a, to=e.b, frm_words=words.get(e.a, {"zh": e.a, "en": e.a}), to_words=words.get(e.b, {"zh": e.b, "en": e.b}), n=e.n,
                mean_s=e.mean_s, median_s=e.median_s, share=e.n * e.mean_s / whole if whole else None) for e in told.edges]
    return tuple(sorted(legs, key=lambda leg: -(leg.share or 0)))


def _by_first(told: Mined, words: dict[str, Words]) -> tuple[Leg, ...]:
    """Return what lasted how long, whatever came after it; the median is that of the most frequent way out."""
    found: dict[str, list[Any]] = {}
    for edge in told.edges:
        if edge.a not in OVER:
            found.setdefault(edge.a, []).append(edge)
    whole = sum(e.n * e.mean_s for edges in found.values() for e in edges)
    legs = []
    for name, edges in found.items():
        n, total = sum(e.n for e in edges), sum(e.n * e.mean_s for e in edges)
        most = max(edges, key=lambda e: e.n)
        legs.append(Leg(frm=name, to=most.b, frm_words=words.get(name, {"zh": name, "en": name}), to_words=words.get(most.b, {"zh": most.b, "en": most.b}),
                        n=n, mean_s=total / n, median_s=most.median_s, share=total / whole if whole else None))
    return tuple(sorted(legs, key=lambda leg: -(leg.share or 0)))


def broken(store: Store, span: tuple[int, int], chosen: Select[Any] | None = None, at: int | None = None) -> tuple[BrokenRule, ...]:
    """Return every rule of the standard way with how many cases break it, by one reading of their events."""
    with ThreadPoolExecutor(_parts(span)) as pool:
        told = list(pool.map(lambda part: _broken(store, part, chosen, at), cut(span, AT_ONCE) or [span]))
    rules = _rules(_facts(span, chosen).subquery().c)
    with store.read() as connection:
        ids = {row[f"{id_}_{which}"] for row in told for id_ in rules for which in ("first", "last")} - {None}
        numbers = {r.id: r.no for r in connection.execute(select(cases.c.id, cases.c.no).where(cases.c.id.in_(ids)))}
    out = []
    for id_, (_, _, sentence) in rules.items():
        shown = sorted({row[f"{id_}_{which}"] for row in told for which in ("first", "last")} & numbers.keys())
        ends = [shown[-1], shown[0]] if shown else []
        out.append(BrokenRule(id=id_, sentence=sentence, n=sum(int(row[f"{id_}_n"] or 0) for row in told), of=sum(int(row[f"{id_}_of"] or 0) for row in told),
                              examples=tuple(numbers[one] for one in dict.fromkeys(ends))))
    return tuple(sorted(out, key=lambda rule: -rule.n))


def _broken(store: Store, span: tuple[int, int], chosen: Select[Any] | None, at: int | None) -> Mapping[str, Any]:
    told = _facts(span, chosen, at).subquery()
    columns = []
    for id_, (applies, breaks, _) in _rules(told.c).items():
        both = and_(applies, breaks)
        columns += [func.sum(case((applies, 1), else_=0)).label(f"{id_}_of"), func.sum(case((both, 1), else_=0)).label(f"{id_}_n"),
                    func.min(case((both, told.c.case_id))).label(f"{id_}_first"), func.max(case((both, told.c.case_id))).label(f"{id_}_last")]
    with store.read() as connection:
        without_loops(connection)
        return connection.execute(select(*columns)).one()._mapping


def _facts(span: tuple[int, int], chosen: Select[Any] | None, at: int | None = None) -> Select[Any]:
    """Return what the rules ask of each case, of events that we saw happen."""
    step, seq = event.c.step, event.c.seq

    def first(*names: str) -> ColumnElement[Any]:
        return func.min(case((step.in_(names), seq)))

    def last(*names: str) -> ColumnElement[Any]:
        return func.max(case((step.in_(names), seq)))

    def times(*names: str) -> ColumnElement[Any]:
        return func.sum(case((step.in_(names), 1), else_=0))

    where = [event.c.case_id.between(*span), event.c.derived.is_(False), *_known(at)]
    if chosen is not None:
        where.append(event.c.case_id.in_(chosen))
    fed, checked = (func.max(case((step == name, event.c.actor))) for name in ("fed_back", "verified"))
    return select(
        event.c.case_id, first("filed").label("filed"), first("dispatched").label("dispatched"), first("accepted").label("accepted"),
        last("verified", "solved_on_site").label("verified"), last("closed").label("closed"), last("force_closed").label("forced"),
        times("rework").label("reworks"), times("returned", "reassigned").label("transfers"), times("whistled").label("whistled"),
        times("arrived").label("arrived"), first("reported").label("reported"), last("called_back").label("called_back"),
        func.max(case((and_(step.in_(("closed", "force_closed")), event.c.at > 0), event.c.at))).label("closed_at"),
        func.max(event.c.due_at).label("due_at"), case((fed == checked, 1), else_=0).label("same"),
    ).where(*where).group_by(event.c.case_id)


def _rules(c: Any) -> dict[str, tuple[ColumnElement[bool], ColumnElement[bool], Words]]:
    """Return for each rule: to which cases it applies, what breaks it, and its sentence."""
    closed, over, seen = c.closed.is_not(None), or_(c.closed.is_not(None), c.forced.is_not(None)), c.reported.is_not(None)
    return {
        "filed_first": (and_(seen, c.dispatched.is_not(None)), or_(c.filed.is_(None), c.filed > c.dispatched),
                        {"zh": "先立案，后派遣", "en": "A case is filed before it is dispatched"}),
        "accepted": (and_(seen, closed, c.dispatched.is_not(None)), c.accepted.is_(None), {"zh": "派遣后须由部门受理", "en": "A dispatched case is accepted by its department"}),
        "checked": (closed, or_(c.verified.is_(None), c.verified > c.closed), {"zh": "结案前须核查通过", "en": "A case is verified before it is closed"}),
        "not_forced": (over, c.forced.is_not(None), {"zh": "案件不应强制结案", "en": "A case is not closed by force"}),
        "right_first": (c.dispatched.is_not(None), c.transfers > 0, {"zh": "首次派遣即到位，不退回、不改派", "en": "The first dispatch is right: no return, no re-assignment"}),
        "no_round": (c.dispatched.is_not(None), c.transfers + c.reworks >= OFTEN,
                     {"zh": f"返工、转派合计少于 {OFTEN} 次", "en": f"Fewer than {OFTEN} redos and transfers"}),
        "passed_first": (or_(c.verified.is_not(None), c.reworks > 0), c.reworks > 0, {"zh": "核查一次通过，不返工", "en": "The first check passes: nothing is sent back"}),
        "in_time": (and_(over, c.due_at > 0), c.closed_at > c.due_at, {"zh": "在期限内结案", "en": "A case is closed within its limit"}),
        "came": (c.whistled > 0, c.arrived < c.whistled, {"zh": "吹哨后部门须报到", "en": "Who is whistled for reports in"}),
        "two_accounts": (and_(c.verified.is_not(None), closed), c.same == 1, {"zh": "处置与核查不是同一账号", "en": "Handling and checking are done by different accounts"}),
    }
