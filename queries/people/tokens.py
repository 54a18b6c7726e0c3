"""Tokens of machines that bring data in: one source each, the secret shown once and kept as SHA-256."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from queries.clock import now, stamp
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor
from queries.people.roles import SOURCE
from queries.people.sessions import digest
from queries.people.tables import token
from queries.store import Store

_SOURCE = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token as it may be shown: everything but its secret."""

    source: str
    made_at: int
    ends_at: int | None
    active: bool


def make(store: Store, source: str, days: int | None = None) -> str:
    """Make a token of a source and return its secret. A source may have two while one replaces the other."""
    if not _SOURCE.fullmatch(source):
        raise AskError(f"{source!r} cannot name a source. Use letters, digits and . _ -, without spaces.")
    secret = f"gov_{secrets.token_urlsafe(32)}"
    present = stamp(now())
    with store.aside() as connection:
        connection.execute(token.insert().values(
            source=source, hash=digest(secret), made_at=present, ends_at=None if days is None else present + 86_400 * days))
    return secret


def find(connection: Connection, secret: str) -> Actor | None:
    """Return the source of a secret as the one who acts; None when it opens nothing (any more)."""
    holds = or_(token.c.ends_at.is_(None), token.c.ends_at > stamp(now()))
    source = connection.scalar(select(token.c.source).where(token.c.hash == digest(secret), token.c.active, holds))
    return None if source is None else Actor(name=source, post=SOURCE.id, scope=EVERYTHING, shown=source)


def end(store: Store, source: str) -> int:
    """End all tokens of a source and return how many there were."""
    with store.aside() as connection:
        return connection.execute(token.update().where(token.c.source == source, token.c.active).values(active=False)).rowcount


def listed(store: Store) -> list[Token]:
    """Return all tokens by source, oldest first."""
    with store.read() as connection:
        return [Token(source=r.source, made_at=r.made_at, ends_at=r.ends_at, active=r.active)
                for r in connection.execute(select(token).order_by(token.c.source, token.c.id))]
