"""Sessions: who is signed in. The table keeps the SHA-256 of a cookie's secret, so it opens nothing by itself."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from queries.clock import now, stamp
from queries.people.accounts import Account, of_row
from queries.people.roles import STAYING, WALL_DAYS
from queries.people.tables import account, session
from queries.settings import Settings
from queries.store import Store

#: A session's last use is written down when it is so many seconds newer than the one kept.
GRAIN = 60


@dataclass(frozen=True, kw_only=True)
class Session:
    """One session that holds now, and its account."""

    id: str
    account: Account
    seen_at: int


def begin(store: Store, account_id: int, settings: Settings) -> str:
    """Begin a session and return its secret: 256 random bits that only the browser keeps."""
    secret = secrets.token_urlsafe(32)
    present = stamp(now())
    with store.aside() as connection:
        staying = select(account.c.id).where(account.c.role.in_(STAYING))
        connection.execute(session.delete().where((session.c.ends_at <= present) | (
            (session.c.seen_at <= present - 60 * settings.session_idle_min) & session.c.account_id.not_in(staying))))
        stays = connection.scalar(select(account.c.role).where(account.c.id == account_id)) in STAYING
        connection.execute(session.insert().values(
            id=digest(secret), account_id=account_id, made_at=present, seen_at=present,
            ends_at=present + (86_400 * WALL_DAYS if stays else 3600 * settings.session_hours)))
    return secret


def find(connection: Connection, secret: str, settings: Settings) -> Session | None:
    """Return the session of a secret; None when it is unknown, over, idle for too long, or its account is locked."""
    present = stamp(now())
    row = connection.execute(
        select(session.c.id.label("session_id"), session.c.seen_at, account)
        .join(account, account.c.id == session.c.account_id)
        .where(session.c.id == digest(secret), session.c.ends_at > present, account.c.active)
        .where((session.c.seen_at > present - 60 * settings.session_idle_min) | account.c.role.in_(STAYING))
    ).one_or_none()
    return None if row is None else Session(id=row.session_id, seen_at=row.seen_at, account=of_row(row))


def touch(store: Store, session_id: str) -> None:
    """Write down that a session was used just now."""
    with store.aside() as connection:
        connection.execute(session.update().where(session.c.id == session_id).values(seen_at=stamp(now())))


def end(store: Store, secret: str) -> None:
    """End a session; one that is over already is no mistake."""
    with store.aside() as connection:
        connection.execute(session.delete().where(session.c.id == digest(secret)))


def digest(secret: str) -> str:
    """Return what is kept of a secret of 256 random bits; slow hashing is for what people can guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
