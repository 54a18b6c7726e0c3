"""What somebody wants done, and what they are told: the values that doors and pages hand to the recorder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from queries.frame import Actor


@dataclass(frozen=True, kw_only=True)
class Found:
    """A new case, as a door or a person reports it. `at` aware; empty words are "not said"."""

    actor: Actor
    category: str
    no: str = ""
    kind: str = ""
    title: str = ""
    address: str = ""
    channel: str = ""
    lon: float | None = None
    lat: float | None = None
    area_code: str = ""
    urgent: bool = False
    at: datetime | None = None
    contact: str = ""
    text: str = ""
    source: str = ""
    #: The same key of the same source again is the same message.
    key: str = ""
    expected: int | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """A step on a case that somebody wants taken. `expected` = the case's last event that they had seen."""

    actor: Actor
    no: str
    step: str
    at: datetime | None = None
    department: str = ""
    reason: str = ""
    note: str = ""
    until: datetime | None = None
    item: str = ""
    into: str = ""
    expected: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was written: the case after it, and its last event. `again` = the same message had come before."""

    no: str
    case_id: int
    seq: int
    event_id: int
    status: str
    waiting: str
    due_at: int | None
    stage_due_at: int | None
    again: bool = False
    #: What a person may want to do next; nothing of it happens by itself.
    proposals: tuple[dict[str, str], ...] = ()
    likely_repeats: tuple[str, ...] = ()


def digest(what: Found | Order) -> str:
    """Return the fingerprint of a message, so that a key that comes again with other words is noticed."""
    told = {k: v for k, v in what.__dict__.items() if k not in ("actor", "expected")}
    return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()[:32]
