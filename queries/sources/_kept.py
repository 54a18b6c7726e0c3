"""What a door remembers over restarts: how far it has come, how it fares, and which process runs the doors.

None of it is part of an answer about the city, so it is written aside and no cache has to learn of it.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from queries.clock import now, stamp
from queries.store import Store, bulk, get_meta
from queries.tables import meta

STATE, PLACE, LEASE = "door:", "door-place:", "door-lease"


def recall(store: Store, key: str) -> Any:
    """Return what was kept under a key; None = nothing."""
    with store.read() as connection:
        return get_meta(connection, key)


def keep(store: Store, key: str, value: Any) -> None:
    """Keep a JSON value. Raises StoreError when the database is held by somebody else for too long."""
    with store.aside() as connection:
        bulk(connection, meta, ("key", "value"), [(key, json.dumps(value, ensure_ascii=False))],
             "ON CONFLICT (key) DO UPDATE SET value = excluded.value")


def states(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return how each door fares, by id."""
    rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key >= STATE, meta.c.key < STATE[:-1] + ";"))
    return {r.key.removeprefix(STATE): json.loads(r.value) for r in rows}


def name_of_process() -> str:
    """Return a name for who holds the doors: no two are the same, and from it others on this machine see whether it still lives."""
    return f"{_world()}/{os.getpid()}/{_began(os.getpid())}/{uuid.uuid4().hex}"


def _world() -> str:
    """Return what is the same for all processes whose numbers mean the same; empty where that cannot be known."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text('ascii').strip()}:{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Return when a process began, in the kernel's own count; empty = there is none."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rsplit(") ", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if told[0] in "ZX" else told[19]


def _is_gone(holder: str) -> bool:
    """Return whether a holder is known to be dead. One of another machine, or of another container, is not known."""
    world, _, rest = holder.partition("/")
    pid, _, rest = rest.partition("/")
    return bool(world) and world == _world() and pid.isdecimal() and _began(int(pid)) != rest.partition("/")[0]


def hold(store: Store, me: str, seconds: int, lease: str = LEASE) -> bool:
    """Take or keep the right to run the doors (or what else has a lease) for some seconds; False = another process has it."""
    present = stamp(now())
    mine = json.dumps(f"{present + seconds:012d} {me}")
    with store.aside() as connection:
        # One statement decides: the lease is mine, or it has run out. Its text begins with the time in fixed width.
        free = (meta.c.value < json.dumps(f"{present:012d}")[:-1]) | meta.c.value.endswith(f' {me}"', autoescape=True)
        held = connection.scalar(select(meta.c.value).where(meta.c.key == lease))
        if held is not None and _is_gone(str(json.loads(held)).partition(" ")[2]):
            # Whoever held them was killed on this machine: nobody need wait for its lease to run out.
            free |= meta.c.value == held
        if connection.execute(meta.update().where(meta.c.key == lease, free).values(value=mine)).rowcount:
            return True
        bulk(connection, meta, ("key", "value"), [(lease, mine)], "ON CONFLICT (key) DO NOTHING")
        return connection.scalar(select(meta.c.value).where(meta.c.key == lease)) == mine


def release(store: Store, me: str, lease: str = LEASE) -> None:
    """Give the right back, so that another process need not wait for its end."""
    with store.aside() as connection:
        connection.execute(meta.delete().where(meta.c.key == lease, meta.c.value.endswith(f' {me}"', autoescape=True)))
