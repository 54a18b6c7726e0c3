"""Accounts: make, change, lock, list, and who a name and password belong to. Keeps no password in plain."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, case, not_, null, or_, select
from sqlalchemy.exc import IntegrityError

from queries import places
from queries.clock import now, stamp
from queries.errors import AskError, SignInError
from queries.people import passwords
from queries.people.roles import ALL, ROLES
from queries.people.tables import account, session
from queries.settings import Settings
from queries.store import Store
from queries.tables import department

FIRST = "admin"
#: No colon and no space: `demo:…` and the names of sources are nobody's account.
_NAME = re.compile(r"[\w.@-]{2,40}")
_RESERVED = ("clock", "import", "system", "source")


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account as it may be shown: everything but the hash."""

    id: int
    name: str
    shown: str
    role: str
    areas: tuple[str, ...]
    department: str
    must_change: bool
    active: bool
    locked_until: int | None


def make(
    store: Store, name: str, role: str, areas: Sequence[str] = (), department_code: str = "", shown: str = ""
) -> str:
    """Make an account and return its one-time password, which is shown nowhere again."""
    if not _NAME.fullmatch(name) or name.casefold() in _RESERVED:
        raise AskError(f"{name!r} cannot name an account. Use 2 to 40 letters, digits and . _ @ -, without spaces.")
    password = passwords.one_time()
    kept = passwords.hashed(password)
    try:
        with store.aside() as connection:
            given = _rights(connection, role, areas, department_code)
            connection.execute(account.insert().values(
                name=name.casefold(), shown=shown.strip() or name, hash=kept, made_at=stamp(now()), **given))
    except IntegrityError:
        raise AskError(f"There is an account {name!r} already. Choose another name, or change that one.") from None
    return password


def first(store: Store) -> str | None:
    """Make the first account when there is none at all, and return its one-time password."""
    with store.read() as connection:
        if connection.scalar(select(account.c.id).limit(1)) is not None:
            return None
    return make(store, FIRST, "admin")


def ready(store: Store) -> bool:
    """Return whether somebody can sign in: an account other than the first one as it was made."""
    untouched = and_(account.c.name == FIRST, account.c.must_change)
    with store.read() as connection:
        return connection.scalar(select(account.c.id).where(account.c.active, not_(untouched)).limit(1)) is not None


def change(
    store: Store, name: str, *, role: str | None = None, areas: Sequence[str] | None = None,
    department_code: str | None = None, shown: str | None = None,
) -> None:
    """Change what an account may do; what is None stays. It holds from the next request on."""
    with store.aside() as connection:
        held = _find(connection, name)
        given = _rights(
            connection, role or held.role, held.areas if areas is None else areas,
            held.department if department_code is None else department_code)
        connection.execute(account.update().where(account.c.id == held.id).values(shown=shown or held.shown, **given))


def set_active(store: Store, name: str, active: bool) -> None:
    """Lock an account for good and end its sessions, or open it again."""
    with store.aside() as connection:
        held = _find(connection, name)
        connection.execute(account.update().where(account.c.id == held.id)
                           .values(active=active, failures=0, locked_until=None))
        if not active:
            connection.execute(session.delete().where(session.c.account_id == held.id))


def reset(store: Store, name: str) -> str:
    """Give an account a new one-time password, end its sessions, and return the password."""
    password = passwords.one_time()
    kept = passwords.hashed(password)
    with store.aside() as connection:
        held = _find(connection, name)
        connection.execute(account.update().where(account.c.id == held.id)
                           .values(hash=kept, must_change=True, failures=0, locked_until=None))
        connection.execute(session.delete().where(session.c.account_id == held.id))
    return password


def listed(store: Store) -> list[Account]:
    """Return all accounts by name."""
    with store.read() as connection:
        return [of_row(r) for r in connection.execute(select(account).order_by(account.c.name))]


def verify(store: Store, name: str, password: str, settings: Settings) -> Account:
    """Return the account that a name and password belong to.

    Raises the same SignInError whatever is wrong: the name, the password, a lock.
    """
    with store.aside() as connection:
        row = connection.execute(select(account).where(account.c.name == name.casefold())).one_or_none()
        may = row is not None and row.active and _counted(connection, row.id, settings)
    right = passwords.fits(row.hash if row is not None and may else "", password)
    if row is None or not right:
        raise SignInError("This name and password do not open anything, or the account is locked. "
                          "After several wrong passwords wait some minutes, or ask an administrator.")
    fresh: dict[str, Any] = {"hash": passwords.hashed(password)} if passwords.outdated(row.hash) else {}
    with store.aside() as connection:
        connection.execute(account.update().where(account.c.id == row.id)
                           .values(failures=0, locked_until=None, **fresh))
    return of_row(row)


def choose_password(store: Store, name: str, old: str, new: str, settings: Settings) -> Account:
    """Replace an account's password by one that its owner chose; all its sessions end."""
    held = verify(store, name, old, settings)
    passwords.check(new, held.name)
    passwords.check_differs(old, new)
    kept = passwords.hashed(new)
    with store.aside() as connection:
        connection.execute(account.update().where(account.c.id == held.id).values(hash=kept, must_change=False))
        connection.execute(session.delete().where(session.c.account_id == held.id))
    return replace(held, must_change=False)


def of_row(r: Row[Any]) -> Account:
    """Return the account of a stored row."""
    return Account(id=r.id, name=r.name, shown=r.shown, role=r.role, areas=tuple(json.loads(r.areas)),
                   department=r.department, must_change=r.must_change, active=r.active, locked_until=r.locked_until)


def _counted(connection: Connection, id_: int, settings: Settings) -> bool:
    """Count a try before it is made, so that many at once cannot slip past the lock; False = locked."""
    present = stamp(now())
    mine, over = account.c.id == id_, account.c.locked_until <= present
    connection.execute(account.update().where(mine, over).values(failures=0, locked_until=None))
    open_ = or_(account.c.locked_until.is_(None), over)
    last = case((account.c.failures + 1 >= settings.lock_failures, present + 60 * settings.lock_minutes), else_=null())
    done = connection.execute(account.update().where(mine, open_)
                              .values(failures=account.c.failures + 1, locked_until=last))
    return done.rowcount == 1


def _find(connection: Connection, name: str) -> Account:
    row = connection.execute(select(account).where(account.c.name == name.casefold())).one_or_none()
    if row is None:
        raise AskError(f"There is no account {name!r}. See: python app.py account list.")
    return of_row(row)


def _rights(connection: Connection, role: str, areas: Sequence[str], department_code: str) -> dict[str, str]:
    """Return the columns of what an account may do, after checking each word of it."""
    if role not in ROLES:
        raise AskError(f"There is no role {role!r}. Known: {', '.join(ROLES)}.")
    what = ROLES[role]
    if not areas and not what.everywhere:
        also = f", or {ALL!r}" if what.may_all else ""
        raise AskError(f"Role {role!r} needs its areas. Name their codes{also}.")
    if ALL in areas and not what.may_all:
        raise AskError(f"Role {role!r} answers for named areas, not for the whole city. Name their codes.")
    unknown = [code for code in areas if code != ALL and not places.versions(connection, code)]
    if unknown:
        raise AskError(f"No area has the code {unknown[0]!r}. Load the city first, or search for the place by its name on the page.")
    if what.department != bool(department_code):
        raise AskError(f"Role {role!r} {'needs its department' if what.department else 'belongs to no department'}.")
    if department_code:
        known = list(connection.scalars(select(department.c.code).order_by(department.c.code)))
        if department_code not in known:
            raise AskError(f"No department has the code {department_code!r}. Known: {', '.join(known) or 'none'}.")
    return {"role": role, "areas": json.dumps(list(dict.fromkeys(areas))), "department": department_code}
