"""Opens the database, upgrades it, and lends connections. Knows no question and no answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from alembic import command
from alembic.config import Config
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from queries.errors import StoreError
from queries.tables import meta

MIGRATIONS = Path(__file__).with_name("migrations")
#: Asked with each request and each commit, so it is put together once.
_VALUE = select(meta.c.value).where(meta.c.key == bindparam("named"))
#: Under this name stands which load wrote the boundaries and words that are in force.
PLACED = "placed"
#: Whom PostgreSQL tells that something changed (queries/changes.py).
CHANNEL = "gov_changes"
_BUMP = meta.update().where(meta.c.key == "version").values(value=cast(cast(meta.c.value, BigInteger) + 1, Text))


#: How many values an INSERT of SQLite takes at once; more of them made it slower again.
MARKS = 180
#: How many rows are turned into Python's objects at once.
PART = 50_000


class Store:
    """One database: SQLite or PostgreSQL, the same statements on both."""

    def __init__(self, url: str) -> None:
        """Open `url` (nothing is read or written yet). Raises StoreError."""
        try:
            # A connection that was lent before is tried first: the database may have been away meanwhile.
            self.engine: Engine = create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=not url.startswith("sqlite"))
        except (SQLAlchemyError, ModuleNotFoundError) as bad:
            raise StoreError(
                f"The database cannot be opened ({type(bad).__name__}). Check GOV_DATABASE_URL: "
                "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or empty for the SQLite file."
            ) from None
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _sqlite_manners)

    @property
    def dialect(self) -> str:
        """Return 'sqlite' or 'postgresql'."""
        return self.engine.dialect.name

    @property
    def is_made(self) -> bool:
        """Return whether the database has our tables. Asking makes no file."""
        file = self._file
        try:
            return (file is None or file.is_file()) and inspect(self.engine).has_table("cases")
        except SQLAlchemyError as bad:
            raise StoreError(
                f"The database cannot be read: {str(bad.__cause__ or bad).splitlines()[0]}. "
                "Check that it is reachable, and GOV_DATABASE_URL."
            ) from None

    @property
    def _file(self) -> Path | None:
        name = self.engine.url.database
        return Path(name) if self.dialect == "sqlite" and name and name != ":memory:" else None

    def upgrade(self) -> None:
        """Bring the schema to the newest revision; a new database is created."""
        from queries.schema import metadata

        self._make_folder()
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        try:
            with self.engine.begin() as connection:
                config.attributes["connection"] = connection
                if inspect(connection).has_table("alembic_version"):
                    command.upgrade(config, "head")
                else:  # a new database is made as it should be; only older ones take the steps
                    metadata.create_all(connection)
                    command.stamp(config, "head")
                if get_meta(connection, "rebuild"):
                    self._rebuild(connection)
        except SQLAlchemyError as bad:
            raise StoreError(
                f"The database cannot be upgraded: {str(bad.__cause__ or bad).splitlines()[0]}. "
                "Check that it is reachable and that its user may create tables."
            ) from None

    def _make_folder(self) -> None:
        if (file := self._file) is None:
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as bad:
            raise StoreError(
                f"The folder {file.parent} of the database cannot be made ({bad.strerror}). Check GOV_DATA_DIR."
            ) from None

    def _rebuild(self, connection: Connection) -> None:
        # An upgrade that changed what is counted leaves the sums empty: the newest code makes them, not the old step.
        from queries.loop.book import Book
        from queries.loop.origins import tell_anew
        from queries.loop.rebuild import from_events

        bump(connection)
        tell_anew(connection, (get_meta(connection, "toml") or {}).get("origins"))
        from_events(connection, Book().open(connection))
        connection.execute(meta.delete().where(meta.c.key == "rebuild"))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend a connection that sees one consistent state. Raises StoreError when the database is away."""
        with told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Lend the writing transaction: all of it is committed, or nothing. Raises StoreError when the database is away."""
        with told(), self.engine.begin() as connection:
            yield connection
            bump(connection)

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """Lend a writing transaction for what no answer depends on, such as sessions: caches stay.

        Raises StoreError when another writer holds the database for too long, or it is away.
        """
        with told(), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextmanager
def told() -> Iterator[None]:
    """Say it in our words when the database is away, or held by somebody else for too long. Raises StoreError."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as bad:
        if isinstance(bad, OperationalError | PoolTimeoutError) or bad.connection_invalidated:
            raise StoreError(f"The database does not answer now ({type(bad).__name__}), or somebody else writes it. Try again in a moment.",
                             zh="数据库暂时没有应答，或正在写入，请稍后再试。") from bad
        raise


def version(connection: Connection) -> int:
    """Return the number that grows with each commit: the key of every cache of answers."""
    value = connection.scalar(_VALUE, {"named": "version"})
    return int(value) if value else 0


def bump(connection: Connection) -> None:
    """Tell every cache that something changed."""
    if connection.execute(_BUMP).rowcount == 0:
        connection.execute(meta.insert().values(key="version", value="1"))
    if connection.dialect.name == "postgresql":
        # Heard when this transaction is committed, once for however many bumps it has.
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


def get_meta(connection: Connection, key: str, default: Any = None) -> Any:
    """Return a stored JSON value."""
    value = connection.scalar(_VALUE, {"named": key})
    return default if value is None else json.loads(value)


def put_meta(connection: Connection, key: str, value: Any) -> None:
    """Store a JSON value under a key."""
    packed = json.dumps(value, ensure_ascii=False)
    if connection.execute(meta.update().where(meta.c.key == key).values(value=packed)).rowcount == 0:
        connection.execute(meta.insert().values(key=key, value=packed))


def alone(connection: Connection, table: Table) -> None:
    """Let nobody else write a table until this transaction ends. On SQLite a writer is alone anyhow."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


@contextmanager
def later(connection: Connection, table: Table) -> Iterator[None]:
    """Fill a table first and make its indexes afterwards, each in one go. All in the caller's transaction."""
    indexes = sorted((i for i in table.indexes if not i.unique), key=lambda i: str(i.name))
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def numbers_follow(connection: Connection, table: Table) -> None:
    """Let new ids go on behind those that a load gave itself; PostgreSQL's sequences do not see them."""
    if connection.dialect.name == "postgresql":
        highest = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest, False)))


def bulk(connection: Connection, table: Table, columns: Sequence[str], rows: pl.DataFrame | Iterable[Sequence[Any]], suffix: str = "") -> int:
    """Insert many positional rows (a frame's `columns`, or any rows) by the driver itself; return how many.

    This is the ORM-free road: three to five times as fast as an insert of dictionaries.
    `suffix` is appended to the statement (an ON CONFLICT clause, the same in both dialects).
    """
    sqlite = connection.dialect.name == "sqlite"
    line = f"({', '.join(['?' if sqlite else '%s'] * len(columns))})"
    # SQLite spends as much on a statement as on the row in it; PostgreSQL's driver sends many at once itself.
    # OR FAIL: what went before a row that is refused stays until the transaction goes, as with single rows.
    # Without it SQLite copies each page that it touches, to be able to take one statement back; a `suffix` makes it do so anyway.
    many = sqlite and not suffix
    verb, at_once = ("INSERT OR FAIL", max(1, MARKS // len(columns))) if many else ("INSERT", 1)
    n = 0
    for part in _columns_of(columns, rows):
        here, cut = len(part[0]), len(part[0]) // at_once * at_once
        for lines, first, last in ((at_once, 0, cut), (1, cut, here)):
            if last > first:
                connection.exec_driver_sql(
                    f"{verb} INTO {table.name} ({', '.join(columns)}) VALUES {', '.join([line] * lines)} {suffix}",
                    list(zip(*(column[first + k:last:lines] for k in range(lines) for column in part), strict=True)))
        n += here
    return n


def _columns_of(columns: Sequence[str], rows: pl.DataFrame | Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    # Values by column, a part at a time: rows of Python objects are made of them faster than row by row.
    if isinstance(rows, pl.DataFrame):
        for part in rows.select(columns).iter_slices(PART):
            if len(part):
                yield [series.to_list() for series in part.get_columns()]
        return
    given = iter(rows)
    while some := list(islice(given, PART)):
        yield list(zip(*some, strict=True))


def _sqlite_manners(raw: Any, _record: Any) -> None:
    cursor = raw.cursor()
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=20000",
        "cache_size=-65536", "temp_store=MEMORY", "mmap_size=1073741824",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
