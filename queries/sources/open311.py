"""Open311 in: another city system is asked by windows of time, and what differs from what is known becomes history.

The standard tells only how a request stands, open or closed, so the history is made here. A server that
cuts its answers off without pages is asked for shorter windows until it tells all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any

import httpx2 as httpx
from sqlalchemy import select

from queries.clock import moment, now, stamp
from queries.errors import DoorError, GovError
from queries.loop.page import Page
from queries.loop.word import Said
from queries.sources import _geo_report as wire
from queries.sources import _http, _kept
from queries.sources._quarantine import Bad, keep
from queries.sources._source import Source, Told, Turn
from queries.tables import cases

ID = "open311"
#: Numbers of requests get this before them, so that they meet no number of ours.
PREFIX = "O311-"
#: The first look goes back so far; windows overlap by so much, for servers whose clocks or lists run behind.
BACK_S, OVERLAP_S = 90 * 86_400, 900
#: The standard lets a server refuse longer windows.
WINDOW_S = 30 * 86_400
#: An answer without pages that holds so many may have been cut off; so long is the shortest window.
CUT, SHORTEST_S = 50, 60
PAGES, TOGETHER = 500, 50
#: Messages of which is remembered that they were refused.
REMEMBERED = 1000
#: Open requests that are asked again in one turn, and in one question.
AGAIN, AT_ONCE = 500, 50


def order_of(told: wire.Request, key: str = "", words: Mapping[str, str] | None = None) -> Callable[[Page], str]:
    """Return the act that takes a request in. `words` = category of each service code."""
    return lambda page: page.hear(said(told, page, words or {}))


def said(told: wire.Request, page: Page, words: Mapping[str, str]) -> Said:
    """Return what a request says of its case."""
    zone, known = page.book.city.zone, page.book.categories
    code = told.service_code
    category = words.get(code) or (code if code in known else words.get("*", "other"))
    if category not in known:
        raise DoorError(f"Service code {code!r} leads to category {category!r}, which the city does not have. Correct open311_categories.",
                        zh=f"服务代码 {code} 对应的类别 {category} 不存在，请修改 open311_categories。", field="service_code")
    reported = wire.moment_of(told.requested_datetime, zone, "requested_datetime")
    changed = wire.moment_of(told.updated_datetime, zone, "updated_datetime")
    closed = told.status.lower() == "closed"
    assert reported is not None
    kind = told.service_name or code
    return Said(
        source=ID, no=PREFIX + told.service_request_id, hash=blake2b(told.model_dump_json().encode(), digest_size=8).hexdigest(), category=category,
        reported_at=min(reported, page.seen), status="closed" if closed else "reported", kind=kind, title=told.description or kind, address=told.address,
        channel="Open311", due_at=wire.moment_of(told.expected_datetime, zone, "expected_datetime"), at=changed if changed is not None else reported,
        closed_at=min(max(reported, changed or reported), page.seen) if closed else None, lon=told.long, lat=told.lat, two_words=True, asked=True)


def run(turn: Turn) -> Told:
    """Ask for what is new and for what changed; go on at the next turn where this one ended."""
    store, rules = turn.writer.store, turn.settings
    present = stamp(now())
    place = _kept.recall(store, _kept.PLACE + ID) or {}
    if place.get("url") != rules.open311_url:
        place = {"url": rules.open311_url, "until": present - BACK_S, "bad": []}
    total = Told()
    with _http.client() as by:
        asker = _Asker(by, turn)
        begin = place["until"] - OVERLAP_S
        while begin < present and not turn.ended():
            end = min(begin + WINDOW_S, present + 1)
            total = _sum(total, _take(turn, place, asker.window(begin, end)))
            place["until"] = begin = min(end, present)
            _kept.keep(store, _kept.PLACE + ID, place)
        if rules.open311_window == "requested" and not turn.ended():
            numbers, place["again"] = _open(turn, place.get("again", 0))
            total = _sum(total, _take(turn, place, asker.again(numbers)))
            _kept.keep(store, _kept.PLACE + ID, place)
    return total


class _Asker:
    """Puts the questions of one turn."""

    def __init__(self, by: httpx.Client, turn: Turn) -> None:
        self._by, self._turn = by, turn
        rules = turn.settings
        self._url = f"{rules.open311_url}/requests.json"
        self._base = {"jurisdiction_id": rules.open311_jurisdiction} if rules.open311_jurisdiction else {}
        self._words = ("updated_after", "updated_before") if rules.open311_window == "updated" else ("start_date", "end_date")

    def ask(self, **params: str) -> list[Any]:
        got = _http.get(self._by, self._url, {**self._base, **params}, self._turn.ended, none=404 if "service_request_id" in params else 0)
        return wire.rows(got.body, got.type)

    def window(self, begin: int, end: int) -> Iterator[Any]:
        """Yield the requests of a window, page by page; of shorter windows where the server has no pages."""
        since, until = (moment(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (begin, end))
        between = dict(zip(self._words, (since, until), strict=True))
        first = self.ask(**between)
        seen = {_id(row) for row in first}
        if len(first) < CUT:
            yield from first
            return
        second = self.ask(**between, page="2")
        if second and all(_id(row) in seen for row in second):
            # It does not know pages.
            if end - begin > SHORTEST_S:
                middle = (begin + end) // 2
                yield from self.window(begin, middle)
                yield from self.window(middle, end)
                return
            second = []
        yield from first
        number = 2
        while fresh := [row for row in second if _id(row) not in seen]:
            yield from fresh
            seen |= {_id(row) for row in fresh}
            number += 1
            if number > PAGES:
                raise DoorError(f"The server tells more than {PAGES} pages of one window.", zh=f"对方在一个时段内给出超过 {PAGES} 页。")
            second = self.ask(**between, page=str(number))

    def again(self, numbers: list[str]) -> Iterator[Any]:
        """Yield requests by their numbers."""
        for i in range(0, len(numbers), AT_ONCE):
            yield from self._some(numbers[i:i + AT_ONCE])

    def _some(self, numbers: list[str]) -> Iterator[Any]:
        rows = self.ask(service_request_id=",".join(numbers))
        if rows or len(numbers) == 1:
            yield from rows
            return
        # Some servers know none of them when they do not know one.
        middle = len(numbers) // 2
        yield from self._some(numbers[:middle])
        yield from self._some(numbers[middle:])


def _take(turn: Turn, place: dict[str, Any], told: Iterator[Any]) -> Told:
    """Write rows, some at once; what cannot be used is kept in quarantine with its reason."""
    total = Told()
    while part := list(islice(told, TOGETHER)):
        if turn.ended():
            break
        done, bad = turn.writer.run(partial(_written, part=part, words=turn.settings.open311_categories, known=frozenset(place["bad"])))
        total, place["bad"] = _sum(total, done), [*place["bad"], *bad][-REMEMBERED:]
    return total


def _written(page: Page, part: list[Any], words: Mapping[str, str], known: frozenset[str]) -> tuple[Told, list[str]]:
    taken, newest = 0, None
    refused: dict[str, Bad] = {}
    for n, row in enumerate(part, 1):
        try:
            read = wire.request(row)
            taken += order_of(read, words=words)(page) in ("new", "changed")
            at = wire.moment_of(read.updated_datetime or read.requested_datetime, page.book.city.zone)
            newest = max(m for m in (newest, at) if m is not None)
        except GovError as bad:
            mark = blake2b(repr(row).encode("utf-8", "replace"), digest_size=6).hexdigest()
            refused[mark] = Bad(source=ID, file=_id(row)[:100], row=n, field=bad.field, value="", reason=bad.say("zh"), reason_en=str(bad), raw=_seemly(row))
    # A window is asked for more than once: the same rubbish is kept and counted once.
    fresh = {mark: bad for mark, bad in refused.items() if mark not in known}
    keep(page, list(fresh.values()))
    return Told(taken=taken, refused=len(fresh), as_of=None if newest is None else min(newest, page.seen)), list(fresh)


def _seemly(row: Any) -> Any:
    """Return a row without what it says of people."""
    return {k: v for k, v in row.items() if k in wire.Request.model_fields} if isinstance(row, dict) else row


def _open(turn: Turn, after: int) -> tuple[list[str], int]:
    """Return numbers of open cases of this source, the next ones in turn, and where to go on."""
    wanted = select(cases.c.id, cases.c.no).where(cases.c.is_open, cases.c.source == ID).order_by(cases.c.id).limit(AGAIN)
    with turn.writer.store.read() as connection:
        rows = connection.execute(wanted.where(cases.c.id > after)).all()
    return [r.no.removeprefix(PREFIX) for r in rows], rows[-1].id if len(rows) == AGAIN else 0


def _id(row: Any) -> str:
    return str(row.get("service_request_id")) if isinstance(row, dict) else repr(row)


def _sum(a: Told, b: Told) -> Told:
    return Told(taken=a.taken + b.taken, refused=a.refused + b.refused, as_of=max((m for m in (a.as_of, b.as_of) if m is not None), default=None))


SOURCE = Source(
    id=ID, title={"zh": "Open311 接入", "en": "Open311, taken in"}, kind="poll", order=20, needs=("open311_url",),
    sample={"service_request_id": "638344", "status": "closed", "service_code": "other", "service_name": "Pothole", "description": "路面坑洼",
            "requested_datetime": "2026-04-14T06:37:38-08:00", "updated_datetime": "2026-04-14T09:02:00-08:00", "address": "8th AVE and JUDAH ST",
            "lat": "37.7", "long": "-122.4", "first_name": "never read"},
    means={"service_request_id": "638344", "status": "closed", "lat": 37.7, "description": "路面坑洼"},
    rubbish={"service_request_id": "1", "status": "half", "requested_datetime": "yesterday"},
    read=wire.request, bring=order_of, run=run, every_s=lambda rules: float(rules.open311_every_s), timeout_s=300.0,
)
