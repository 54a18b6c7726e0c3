"""Open311 out and in: our cases as GeoReport v2 tells them, and reports that come by it. The routes are in dashboard/open311.py.

Nothing about a reporter is ever read here; text is masked as on every screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

from queries import cases as cases_
from queries import places
from queries import scope as rights
from queries.clock import moment, now, stamp
from queries.errors import AskError, DoorError, NoSuchError
from queries.frame import EVERYTHING, Actor, Scope
from queries.intervals import inside
from queries.loop.page import Page
from queries.loop.steps import OVER, STATUS_WORDS
from queries.masking import masked
from queries.sources import _geo_report as wire
from queries.sources import http_intake
from queries.sources._source import Source
from queries.store import Store, get_meta
from queries.tables import cases, category, event
from queries.today import city_now

#: The standard's own bounds: the newest 90 days or 1,000 requests unless asked otherwise.
DAYS_S, MOST = 90 * 86_400, 1000
#: Numbers in one question.
NUMBERS = 200
#: Writers side by side may number events a little out of the order of their time.
SLACK_S = 120


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a client asks for. Times are text as it came; empty = not narrowed."""

    numbers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    updated_after: str = ""
    updated_before: str = ""
    page: int = 1
    page_size: int = MOST
    #: Only what this source brought itself.
    source: str = ""


def jurisdiction(store: Store, told: str) -> None:
    """Accept our own jurisdiction (the city's area code), or none. Raises NoSuchError."""
    with store.read() as connection:
        ours = (get_meta(connection, "city") or {}).get("code", "")
    if told and told != ours:
        raise NoSuchError(f"No jurisdiction {told[:100]!r} here; ours is {ours!r}, and it may be left out.", field="jurisdiction_id")


def services(store: Store) -> list[dict[str, Any]]:
    """Return the kinds of reports that can be made: the city's categories."""
    with store.read() as connection:
        city = city_now(connection)
    return [{"service_code": c.code, "service_name": _word(city.language, c.name, c.name_en), "description": c.name_en if city.language == "zh" else c.name,
             "metadata": False, "type": "realtime", "keywords": "", "group": ""} for c in city.categories]


def service(store: Store, code: str) -> dict[str, Any]:
    """Return the definition of one kind; none of ours asks more than the standard's own fields. Raises NoSuchError."""
    if code not in {s["service_code"] for s in services(store)}:
        raise NoSuchError(f"No service has the code {code[:100]!r}. See services.", field="service_code")
    return {"service_code": code, "attributes": []}


def requests(store: Store, scope: Scope, wanted: Wanted) -> list[dict[str, Any]]:
    """Return cases as requests, the newest first. Raises AskError."""
    with store.read() as connection:
        city = city_now(connection)
        conditions = _conditions(connection, scope, wanted, city.zone)
        changed = select(event.c.seen_at).where(event.c.case_id == cases.c.id, event.c.seq == cases.c.seq).correlate(cases).scalar_subquery()
        statement = cases_.selected().add_columns(changed.label("changed_at"), cases.c.address).where(*conditions)
        rows = connection.execute(statement.order_by(cases.c.reported_at.desc(), cases.c.id.desc())
                                  .limit(wanted.page_size).offset((wanted.page - 1) * wanted.page_size)).all()
    return [_request(r, city.zone, city.language) for r in rows]


def _conditions(connection: Connection, scope: Scope, wanted: Wanted, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [cases.c.source == wanted.source] if wanted.source else []
    if scope.areas is not None:
        root = places.root(connection, now().date())
        rights.check(connection, scope, root)
        found.append(inside(cases.c.node, rights.node_ranges(connection, scope, root)))
    if wanted.numbers:
        # The standard: numbers override everything else.
        if len(wanted.numbers) > NUMBERS:
            raise AskError(f"At most {NUMBERS} numbers at once.", field="service_request_id")
        return [*found, cases.c.no.in_(wanted.numbers)]
    if bad := [status for status in wanted.statuses if status not in ("open", "closed")]:
        raise AskError(f"Status {bad[0][:40]!r} is neither open nor closed.", field="status")
    if wanted.services:
        found.append(cases.c.category_id.in_(select(category.c.id).where(category.c.code.in_(wanted.services))))
    if wanted.statuses == ("open",):
        found.append(cases.c.is_open)
    elif wanted.statuses == ("closed",):
        found.append(cases.c.status.in_(OVER))
    if wanted.updated_after or wanted.updated_before:
        return [*found, _changed(connection, *_span(wanted.updated_after, wanted.updated_before, zone, "updated_after"))]
    since, until = _span(wanted.start, wanted.end, zone, "start_date")
    return [*found, cases.c.reported_at.between(since, until)]


def _span(start: str, end: str, zone: ZoneInfo, field: str) -> tuple[int, int]:
    try:
        since, until = wire.moment_of(start, zone, field), wire.moment_of(end, zone, field.replace("start", "end").replace("after", "before"))
    except DoorError as bad:
        raise AskError(str(bad), zh=bad.zh, field=bad.field) from None
    if until is None:
        until = stamp(now()) if since is None else min(since + DAYS_S, stamp(now()))
    since = until - DAYS_S if since is None else since
    # The standard lets a server bound the span; the newer end is kept.
    return max(since, until - DAYS_S), until


def _changed(connection: Connection, since: int, until: int) -> ColumnElement[bool]:
    """Return the condition of cases of which we learned something in a span; the log is entered by its own order, not scanned."""
    low, high = connection.execute(select(func.min(event.c.id), func.max(event.c.id))).one()
    while low is not None and low < high:
        middle = (low + high) // 2
        at = connection.scalar(select(event.c.seen_at).where(event.c.id > middle).order_by(event.c.id).limit(1))
        low, high = (middle + 1, high) if at is not None and at < since - SLACK_S else (low, middle)
    return cases.c.id.in_(select(event.c.case_id).where(event.c.id >= (low or 0), event.c.seen_at.between(since, until)))


def _request(r: Any, zone: ZoneInfo, language: str) -> dict[str, Any]:
    row = cases_.as_row(r)

    def iso(at: int | None) -> str | None:
        return None if at is None else moment(at).astimezone(zone).isoformat()

    return {
        "service_request_id": row.no, "status": "open" if row.is_open else "closed", "status_notes": STATUS_WORDS[row.status][language],
        "service_name": row.category_name[language], "service_code": row.category, "description": row.title_words[language],
        "agency_responsible": (row.department_name or {}).get(language), "service_notice": None, "requested_datetime": iso(r.reported_at),
        "updated_datetime": iso(r.changed_at), "expected_datetime": iso(r.due_at), "address": masked(r.address) or None, "address_id": None,
        "zipcode": None, "lat": row.lat, "long": row.lon, "media_url": None,
    }


def _word(language: str, zh: str, en: str) -> str:
    return en or zh if language == "en" else zh or en


def report(told: Mapping[str, str]) -> http_intake.CaseIn:
    """Return a report that came by a form. Raises http_intake.BadMessageError, with the form's own names of the fields."""
    point = bool(told.get("lat") and told.get("long"))
    faults = [http_intake.Fault(field=name, message="is missing", zh="缺少该字段") for name in ("service_code",) if not told.get(name)]
    if not (point or told.get("address_string") or told.get("address_id")):
        faults.append(http_intake.Fault(field="lat", message="and long, or address_string, are missing", zh="缺少坐标或地址"))
    if faults:
        raise http_intake.BadMessageError(faults)
    words = [told.get("description", ""), *(f"{name}: {told[name]}" for name in ("media_url",) if told.get(name))]
    people = [" ".join(filter(None, (told.get("first_name"), told.get("last_name")))), told.get("phone", ""), told.get("email", "")]
    message: dict[str, Any] = {
        "category": told["service_code"], "title": told.get("description", "")[:300], "address": (told.get("address_string") or told.get("address_id") or "")[:300],
        "channel": "Open311", "contact": "; ".join(filter(None, people))[:200], "text": "\n".join(filter(None, words))[:2000],
    }
    if point:
        message |= {"lon": _degree(told["long"], "long"), "lat": _degree(told["lat"], "lat")}
    return http_intake.checked(http_intake.CaseIn, message)


def _degree(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise http_intake.BadMessageError([http_intake.Fault(field=field, message=f"{text[:40]!r} is no number", zh="须为数")]) from None


def faults(bad: Exception, code: int) -> Sequence[dict[str, Any]]:
    """Return an error as the standard tells it."""
    if isinstance(bad, http_intake.BadMessageError):
        return [{"code": code, "description": f"{f.field}: {f.message}"} for f in bad.faults]
    return [{"code": code, "description": str(bad)}]


#: In whose name the sample of the contract tests comes in; the routes know the real sender.
OWN = Actor(name="open311_server", post="source", scope=EVERYTHING)
SOURCE = Source(
    id="open311_server", title={"zh": "Open311 服务", "en": "Open311, offered"}, kind="listen", order=30,
    sample={"service_code": "other", "lat": "29.9", "long": "121.5", "description": "路灯不亮", "first_name": "某", "phone": "13800000000"},
    means={"category": "other", "title": "路灯不亮", "lon": 121.5, "contact": "某; 13800000000"},
    rubbish={"service_code": "other", "lat": "north", "long": "121.5"},
    read=report, bring=lambda message, key: partial(Page.report, found=http_intake.found_in(message, OWN, "open311_server", key)),
)
