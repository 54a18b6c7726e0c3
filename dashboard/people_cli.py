"""The part of the command line that keeps accounts and tokens. A secret goes to standard output once, never to a log."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from queries.clock import moment, now, stamp
from queries.errors import SettingError
from queries.people import accounts, tokens
from queries.people.roles import ROLES
from queries.settings import Settings
from queries.store import Store


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """Add `account` and `token` to the commands."""
    one = commands.add_parser("account", help="who may sign in: add, change, lock, unlock, reset, list")
    acts = one.add_subparsers(dest="act", required=True)
    for name, what in (("add", "make an account and print its one-time password"), ("change", "change its role, areas or words")):
        act = acts.add_parser(name, help=what, description=what)
        act.add_argument("name")
        act.add_argument("--role", choices=tuple(ROLES), required=name == "add")
        act.add_argument("--areas", nargs="*", metavar="CODE", help="area codes; 'all' = the whole city")
        act.add_argument("--department", help="code of the department")
        act.add_argument("--shown", help="what a timeline shows: a post rather than a person")
    for name, what in (("lock", "let nobody in by it and end its sessions"), ("unlock", "open it again"),
                       ("reset", "print a new one-time password and end its sessions")):
        acts.add_parser(name, help=what, description=what).add_argument("name")
    acts.add_parser("list", help="print all accounts")
    two = commands.add_parser("token", help="which machines may bring data in: add, end, list")
    acts = two.add_subparsers(dest="act", required=True)
    act = acts.add_parser("add", help="make a token of a source and print it once")
    act.add_argument("source")
    act.add_argument("--days", type=int, help="days until it ends by itself")
    acts.add_parser("end", help="end all tokens of a source").add_argument("source")
    acts.add_parser("list", help="print all tokens, without their secrets")


def run(given: argparse.Namespace, store: Store) -> int:
    """Do what was asked and print what came of it."""
    store.upgrade()
    print(_account(given, store) if given.command == "account" else _token(given, store))
    return 0


def begin(settings: Settings, store: Store, loopback: bool) -> None:
    """Before serving: make the first account; refuse to be reached by others while nobody can sign in."""
    if not loopback and not accounts.ready(store):
        raise SettingError(
            f"The server was told to listen on {settings.host}, where others reach it, but nobody has an account yet. "
            "Make one: python app.py account add NAME --role admin. Or start it without --host, sign in as "
            f"{accounts.FIRST!r} with the password that it prints, and choose your own.")
    password = accounts.first(store)
    if password is not None:
        # To standard output and to no log: it is shown this once.
        print(f"\n管理员账号 {accounts.FIRST}，一次性密码（只显示这一次，首次登录须更换）\n"
              f"Account {accounts.FIRST}, one-time password (shown this once, replaced at the first sign-in):\n\n"
              f"    {password}\n", flush=True)


def _account(given: argparse.Namespace, store: Store) -> str:
    if given.act == "list":
        held = accounts.listed(store)
        return _table([("account", "shown", "role", "areas", "department", "state"),
                       *((a.name, a.shown, a.role, " ".join(a.areas) or "-", a.department or "-", _state(a)) for a in held)])
    if given.act == "add":
        password = accounts.make(store, given.name, given.role, given.areas or (), given.department or "", given.shown or "")
        return f"{given.name}: one-time password (shown this once): {password}"
    if given.act == "change":
        accounts.change(store, given.name, role=given.role, areas=given.areas, department_code=given.department, shown=given.shown)
        return f"{given.name}: changed; it holds from the next request on"
    if given.act == "reset":
        return f"{given.name}: one-time password (shown this once): {accounts.reset(store, given.name)}"
    accounts.set_active(store, given.name, given.act == "unlock")
    return f"{given.name}: {given.act}ed"


def _token(given: argparse.Namespace, store: Store) -> str:
    if given.act == "list":
        return _table([("source", "made", "ends", "state"), *(
            (t.source, _day(t.made_at), _day(t.ends_at), "open" if t.active and (t.ends_at or 1 << 40) > stamp(now()) else "ended")
            for t in tokens.listed(store))])
    if given.act == "add":
        return f"{given.source}: token (shown this once): {tokens.make(store, given.source, given.days)}"
    return f"{given.source}: {tokens.end(store, given.source)} token(s) ended"


def _state(held: accounts.Account) -> str:
    if not held.active:
        return "locked"
    if (held.locked_until or 0) > stamp(now()):
        return f"locked until {moment(held.locked_until or 0):%H:%M} UTC"
    return "must choose a password" if held.must_change else "open"


def _day(seconds: int | None) -> str:
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
