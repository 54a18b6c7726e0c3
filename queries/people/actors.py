"""From an account to the one who acts: its post and the branches of the tree that it may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from queries import places
from queries.frame import EVERYTHING, NOTHING, Actor, Scope
from queries.people.accounts import Account
from queries.people.roles import ALL, ROLES
from queries.places import Place


def scope_of(role: str, areas: Sequence[str]) -> Scope:
    """Return what a role with some areas may see."""
    if role not in ROLES:
        return NOTHING
    if ALL in areas or not areas and ROLES[role].everywhere:
        return EVERYTHING
    return Scope(areas=frozenset(areas))


def of_account(held: Account) -> Actor:
    """Return an account as the one who acts."""
    return Actor(name=held.name, post=held.role, scope=scope_of(held.role, held.areas), department=held.department,
                 shown=held.shown)


def areas_of(connection: Connection, actor: Actor, on: date) -> list[Place]:
    """Return the areas that an actor's scope names, as they are on a day; none = the whole city, or nothing."""
    ids = [id_ for code in sorted(actor.scope.areas or ()) for id_ in places.versions(connection, code)]
    return places.at(connection, ids, places.tree_on(connection, on).tree_id) if ids else []
