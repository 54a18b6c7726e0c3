"""Whether the alarm's sound was tried in this shift, by whom: told by a person who heard it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from queries.alarms.acts import POSTS
from queries.alarms.desk import shift_begins
from queries.clock import moment, now, stamp
from queries.errors import PostError
from queries.frame import Actor
from queries.store import Store, get_meta, put_meta
from queries.today import city_now

KEY = "alarm_sound"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """When somebody last heard it."""

    at: datetime
    by: str


def tried(store: Store) -> Tried | None:
    """Return who tried the sound in this shift (8 to 20, 20 to 8 local); None = nobody yet."""
    with store.read() as connection:
        told = get_meta(connection, KEY)
        zone = city_now(connection).zone
    begun = shift_begins(now().astimezone(zone))
    return Tried(at=moment(told["at"]), by=told["by"]) if told and moment(told["at"]) >= begun else None


def heard(store: Store, actor: Actor) -> None:
    """Keep that somebody heard it now. Raises PostError."""
    if actor.post not in POSTS:
        raise PostError("Trying the sound is for those who act on alarms.", zh="当前岗位不负责报警声自检。")
    with store.write() as connection:
        put_meta(connection, KEY, {"at": stamp(now()), "by": actor.shown or actor.name})
