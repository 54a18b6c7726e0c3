"""Webhook out: departments' own systems are told what happens, in order, signed, and once more until they say yes.

Each receiver has its place in the event log, kept in the database, so that nothing is lost over a restart.
A message may come twice (its events have numbers); none is left out. Each receiver is told by a thread of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import structlog
from pydantic import SecretStr
from sqlalchemy import Connection, and_, exists, func, or_, select, text

from queries.clock import moment, now, stamp
from queries.errors import AskError, StoreError
from queries.loop.steps import OVER, WAITING
from queries.masking import masked
from queries.settings import Receiver, Settings
from queries.sources import _http, _kept
from queries.sources._source import Source, Told, Turn
from queries.store import Store
from queries.tables import area, cases, category, department, event, node

log = structlog.get_logger("webhook")
#: Events of one message; seconds between two looks; seconds of one turn; the longest pause after failures.
AT_ONCE, LOOK_S, TURN_S, LONGEST_S = 100, 0.5, 10.0, 600.0
#: Seconds that a receiver has for its answer.
ANSWER_S = 10.0
#: Events over which one look goes, to find those of a department.
SCANNED = 5_000
#: Transactions that may still write an event with a number below the newest: they hold a lock on the table of cases.
_WRITERS = text("SELECT virtualtransaction FROM pg_locks WHERE relation = 'cases'::regclass AND mode <> 'AccessShareLock' AND pid <> pg_backend_pid()")
PLACE = _kept.PLACE + "webhook:"
#: What is told of a source's later word, before and after; the others are words and places, which the event has as they are now.
_PLAIN, _TIMES = ("status", "urgent", "rework"), ("reported_at", "filed_at", "due_at", "closed_at")


@dataclass
class _Fate:
    """How it goes with one receiver."""

    told: int = 0
    trouble: dict[str, str] | None = None
    #: It waits for an answer: the others go on meanwhile.
    busy: bool = False


def sign(secret: str, at: int, body: bytes) -> str:
    """Return the signature of a message: HMAC-SHA256 over time, a full stop and body."""
    return "v1=" + hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()


def run(turn: Turn) -> Told:
    """Tell all receivers for a while, each at its own pace."""
    fates: dict[str, _Fate] = {name: _Fate() for name in turn.settings.webhooks}
    until = time.monotonic() + TURN_S
    threads = [threading.Thread(target=_serve, args=(turn, name, one, until, fates), name=f"webhook-{name}", daemon=True)
               for name, one in turn.settings.webhooks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trouble = [fate.trouble for fate in fates.values() if fate.trouble]
    whole = {lang: "；".join(t[lang] for t in trouble) if lang == "zh" else "; ".join(t[lang] for t in trouble) for lang in ("zh", "en")} if trouble else None
    return Told(taken=sum(fate.told for fate in fates.values()), trouble=whole, as_of=stamp(now()) if not trouble else None)


def _serve(turn: Turn, name: str, receiver: Receiver, until: float, fates: Mapping[str, _Fate]) -> None:
    """Tell one receiver until the turn is over, which lasts as long as any of them has yet to answer."""
    fate = fates[name]
    secret: SecretStr | None = turn.settings.webhook_secrets.get(name)
    if secret is None or not secret.get_secret_value():
        fate.trouble = {"zh": f"{name}：没有密钥，请设置 GOV_WEBHOOK_SECRETS", "en": f"{name}: has no secret; set GOV_WEBHOOK_SECRETS"}
        return
    store = turn.writer.store
    try:
        if receiver.department and receiver.department not in _codes(store):
            fate.trouble = {"zh": f"{name}：没有代码为 {receiver.department} 的部门，请核对 GOV_WEBHOOKS", "en": f"{name}: no department has the code {receiver.department!r}; correct GOV_WEBHOOKS"}
            return
        place = _where(store, name)
        with _http.client(ANSWER_S) as by:
            while not turn.ended() and (time.monotonic() < until or (time.monotonic() < until + 2 * ANSWER_S and any(one.busy for one in fates.values()))):
                if place["again_at"] > time.time():
                    fate.trouble = place["trouble"]
                    time.sleep(min(LOOK_S, max(0.01, place["again_at"] - time.time())))
                elif not _one(turn, by, name, receiver, secret, place, fate):
                    time.sleep(LOOK_S)
    except StoreError as bad:
        fate.trouble = {"zh": f"{name}：{bad.say('zh')}", "en": f"{name}: {bad}"}
    except Exception as bad:  # noqa: BLE001  (one receiver must not take the others with it)
        log.error("a receiver cannot be served", receiver=name, error=type(bad).__name__)
        fate.trouble = {"zh": f"{name}：内部错误（{type(bad).__name__}）", "en": f"{name}: failed inside ({type(bad).__name__})"}


def _codes(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(select(department.c.code)).scalars())


def _last(store: Store) -> int:
    with store.read() as connection:
        return int(connection.scalar(select(func.coalesce(func.max(event.c.id), 0))) or 0)


def _where(store: Store, name: str) -> dict[str, Any]:
    """Return how far a receiver was told; begin with what happens from now on when it is new, or when another city took the place of its own."""
    place = _kept.recall(store, PLACE + name)
    return place if place and place["after"] <= _last(store) else _begin(store, name)


def _begin(store: Store, name: str) -> dict[str, Any]:
    """Begin with what happens from now on: a new receiver is not told the whole history."""
    last = _last(store)
    place = {"after": last, "kept": last, "failures": 0, "again_at": 0.0, "trouble": None}
    _kept.keep(store, PLACE + name, place)
    return place


def _one(turn: Turn, by: httpx.Client, name: str, receiver: Receiver, secret: SecretStr, place: dict[str, Any], fate: _Fate) -> bool:
    """Send the next message if there is one; return whether there may be more at once."""
    store = turn.writer.store
    events, after = _next(store, place["after"], receiver, turn.ended)
    if events:
        fate.busy = True
        try:
            trouble = _sent(by, name, receiver, secret, events)
        finally:
            fate.busy = False
        if trouble is not None:
            place["failures"] += 1
            place["again_at"] = time.time() + min(LONGEST_S, 2.0 ** min(place["failures"], 12)) * random.uniform(0.8, 1.2)  # noqa: S311
            place["trouble"] = fate.trouble = trouble
            _kept.keep(store, PLACE + name, place)
            return False
        fate.told += len(events)
    if after == place["after"]:
        return False
    fate.trouble = None
    mended = bool(place["failures"])
    place.update(after=after, failures=0, again_at=0.0, trouble=None)
    # Only what the receiver has said yes to is behind it; what does not concern it may be read again after a restart.
    if events or mended or after - place["kept"] >= SCANNED:
        place["kept"] = after
        _kept.keep(store, PLACE + name, place)
    return True


def _sent(by: httpx.Client, name: str, receiver: Receiver, secret: SecretStr, events: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    body = message(name, events)
    at = stamp(now())
    headers = {"Content-Type": "application/json", "X-Gov-Timestamp": str(at), "X-Gov-Delivery": f"{name}-{events[0]['id']}-{events[-1]['id']}",
               "X-Gov-Signature": sign(secret.get_secret_value(), at, body)}
    host = urlsplit(receiver.url).hostname
    try:
        with _http.posted(by, receiver.url, body, headers) as reply:
            if 200 <= reply.status_code < 300:
                return None
            return {"zh": f"{name}：{host} 应答 {reply.status_code}", "en": f"{name}: {host} answers {reply.status_code}"}
    except httpx.HTTPError as bad:
        return {"zh": f"{name}：{host} 没有应答（{type(bad).__name__}）", "en": f"{name}: {host} does not answer ({type(bad).__name__})"}


def message(name: str, events: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the body of a message. Raises AskError when it has nothing to say."""
    if not isinstance(events, Sequence) or not events or not all(isinstance(e, Mapping) and isinstance(e.get("id"), int) for e in events):
        raise AskError("A message holds events with their numbers.", zh="消息须含有带编号的事件。", field="events")
    return json.dumps({"receiver": name, "events": list(events)}, ensure_ascii=False).encode()


def _next(store: Store, after: int, receiver: Receiver, ended: Callable[[], bool]) -> tuple[list[dict[str, Any]], int]:
    """Return the next events for a receiver, and up to which number the log was read for them."""
    with store.read() as connection:
        ids = _ids(connection, after, ended)
        if not ids:
            return [], after
        rows = connection.execute(_told().where(event.c.id > after, event.c.id <= ids[-1]).order_by(event.c.id)).all()
        words = _Words(*({r.id: r.code for r in connection.execute(select(table.c.id, table.c.code))} for table in (department, category)))
    wanted = [r for r in rows if _is_news(r, receiver.imported) and (not receiver.department or _concerns(r, receiver.department, words))]
    if len(wanted) <= AT_ONCE:
        return [_event(r, words) for r in wanted], ids[-1]
    return [_event(r, words) for r in wanted[:AT_ONCE]], wanted[AT_ONCE - 1].id


def _is_news(r: Any, imported: str) -> bool:
    """Return whether a receiver wants an event. What the dates of a row imply happened elsewhere: of a case that was over when we met it, it is history."""
    return not r.derived or imported == "all" or (imported == "open" and not r.history)


def _ids(connection: Connection, after: int, ended: Callable[[], bool]) -> list[int]:
    """Return the numbers that follow, as far as no other one below them can still come."""
    statement = select(event.c.id).where(event.c.id > after).order_by(event.c.id).limit(SCANNED)
    ids = list(connection.execute(statement).scalars())
    if connection.dialect.name != "postgresql" or not ids or ids[-1] - after == len(ids):
        return ids
    # Numbers are drawn before they are committed: a missing one may be with a writer that is not done.
    writers = set(connection.execute(_WRITERS).scalars())
    until = time.monotonic() + 5
    while writers and time.monotonic() < until and not ended():
        time.sleep(0.02)
        writers &= set(connection.execute(_WRITERS).scalars())
    last = ids[-1]
    ids = list(connection.execute(statement.where(event.c.id <= last)).scalars())
    if not writers:
        return ids
    whole = next((i for i, number in enumerate(ids) if number != after + 1 + i), len(ids))
    return ids[:whole]


def _told() -> Any:
    # Whose a case was at the time: the last event before that handed it to somebody or took it away.
    before, met, now_ = event.alias("before"), event.alias("met"), department.alias("now_")
    own = select(before.c.department_id).where(
        before.c.case_id == event.c.case_id, before.c.seq <= event.c.seq,
        or_(before.c.department_id.is_not(None), before.c.step.in_(("returned", "changed", "undone")))).order_by(before.c.seq.desc()).limit(1).correlate(event).scalar_subquery()
    over = exists().where(met.c.case_id == event.c.case_id, met.c.derived, met.c.status.in_(OVER)).correlate(event)
    return (
        select(event, cases.c.no, cases.c.kind, cases.c.title, cases.c.address, cases.c.lon, cases.c.lat, category.c.code.label("category"),
               department.c.code.label("department"), area.c.code.label("area"), cases.c.status.label("stands"), cases.c.due_at.label("due_now"),
               cases.c.stage_due_at.label("stage_due_now"), now_.c.code.label("department_now"), and_(event.c.derived, over).label("history"))
        .join(cases, cases.c.id == event.c.case_id).join(category, category.c.id == cases.c.category_id)
        .outerjoin(department, department.c.id == func.coalesce(own, cases.c.department_id)).outerjoin(now_, now_.c.id == cases.c.department_id)
        .outerjoin(node, node.c.num == cases.c.node).outerjoin(area, area.c.id == node.c.area_id)
    )


@dataclass(frozen=True)
class _Words:
    """Codes by id."""

    departments: dict[int, str]
    categories: dict[int, str]


def _concerns(r: Any, code: str, words: _Words) -> bool:
    """Return whether an event is about a department: its case, one that leaves it, or a whistle that calls it."""
    if r.department == code:
        return True
    details = json.loads(r.data) if r.data else {}
    was = (_changes(details, words).get("department") or [None])[0] if r.step == "changed" else details.get("from")
    return code in (was, details.get("department")) or code in (details.get("departments") or ())


def _changes(details: Mapping[str, Any], words: _Words) -> dict[str, list[Any]]:
    """Return what a source's later word changed, before and after, in the words of a message."""
    told = details.get("told")
    if not isinstance(told, dict):
        return {}
    said = {name: told[name] for name in _PLAIN if name in told}
    said |= {name: [_iso(at) for at in told[name]] for name in _TIMES if name in told}
    for name, codes in (("department", words.departments), ("category", words.categories)):
        if f"{name}_id" in told:
            said[name] = [codes.get(id_) for id_ in told[f"{name}_id"]]
    return said


def _iso(at: int | None) -> str | None:
    return moment(at).isoformat() if at else None


def _event(r: Any, words: _Words) -> dict[str, Any]:
    """Return an event as others may know it: no reporter, no account, text masked. `now` = where the case stands when the message is made."""
    details = json.loads(r.data) if r.data else {}
    told: dict[str, Any] = {
        "id": r.id, "case": r.no, "seq": r.seq, "step": r.step, "status": r.status or None, "at": _iso(r.at), "seen_at": _iso(r.seen_at),
        "post": r.post, "department": r.department, "category": r.category, "kind": r.kind, "title": masked(r.title), "reason": masked(r.reason), "note": masked(r.note),
        "due_at": _iso(r.due_at), "lon": r.lon, "lat": r.lat, "area": r.area, "address": masked(r.address), "source": r.source, "derived": bool(r.derived),
        "now": {"status": r.stands, "waiting": WAITING.get(r.stands), "department": r.department_now, "due_at": _iso(r.due_now), "stage_due_at": _iso(r.stage_due_now)},
    }
    if r.step == "changed":
        told["changed"] = _changes(details, words)
    if called := details.get("departments") or ([details["department"]] if details.get("department") else []):
        told["called"] = called
    return told


def every(_: Settings) -> float:
    """Return the seconds between two turns: one follows the other."""
    return 0.0


SOURCE = Source(
    id="webhook", title={"zh": "事件推送", "en": "Webhook, told to others"}, kind="out", order=50, needs=("webhooks",),
    sample=[{"id": 7, "case": "A-1", "step": "filed"}], rubbish=[{"case": "no number"}],
    read=lambda told: message("sample", told), run=run, every_s=every, timeout_s=TURN_S + 6 * ANSWER_S,
)
