"""Which city the database holds, and whether another one may take its place."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from queries.boundaries import HIGH
from queries.city import City
from queries.errors import CityFileError
from queries.schema import metadata
from queries.store import Store, get_meta
from queries.tables import load, meta


@dataclass(frozen=True, kw_only=True)
class HeldCity:
    """The city that was loaded last, and from which folder."""

    name: str
    code: str
    demo: bool
    folder: str


def held_city(store: Store) -> HeldCity | None:
    """Return the city that a database holds; None before the first load."""
    with store.read() as connection:
        return _held(connection)


def _held(connection: Connection) -> HeldCity | None:
    told = get_meta(connection, "city")
    if told is None:
        return None
    folder = connection.scalar(select(load.c.folder).order_by(load.c.id.desc()).limit(1))
    return HeldCity(name=told["name"], code=told["code"], demo=bool(told["demo"]), folder=folder or "")


def make_room(connection: Connection, city: City, folder: str, replace: bool) -> str:
    """Take another city out; return its name, or nothing. Raises CityFileError if it has to stay.

    A demo city makes room by itself; two demo cities are told apart by their folders.
    """
    held = _held(connection)
    if held is None or (held.code == city.code and not (held.demo and held.folder != folder)):
        return ""
    if not (held.demo or replace):
        raise CityFileError(
            f"The database holds another city, {held.name} ({held.code}); the code of {city.name} is {city.code}. One "
            "database holds one city: set GOV_DATA_DIR (or GOV_DATABASE_URL) to another one, or take the old city out "
            "with --replace."
        )
    for table in reversed(metadata.sorted_tables):
        # These two only grow: caches go by the version, and a node's number is never used twice.
        stays = meta.c.key.in_(("version", HIGH))
        connection.execute(delete(table).where(~stays) if table is meta else delete(table))
    return f"{held.name} ({held.code})"
