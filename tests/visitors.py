"""People at the demo city's door: accounts, and clients that come from this machine or from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete
from starlette.testclient import TestClient

from queries.people import accounts
from queries.people.tables import account, session, token
from queries.settings import Settings
from queries.store import Store
from tests.conftest import MOMENT

HERE = "http://127.0.0.1"
GOOD = "Lotus-Pond-88"
RULES = Settings()
LAST = MOMENT.date()
PERIOD = f"from={LAST.replace(day=1)}&to={LAST}"
#: One street in each of two districts, and a district.
PLACES = {"north": ["990103001"], "south": ["990101001"], "east": ["990102"]}


@contextmanager
def people(store: Store) -> Iterator[None]:
    """Open accounts in a city; they leave again, since the city is lent."""
    for name, areas in PLACES.items():
        open_account(store, name, "street", areas)
    open_account(store, "boss", "admin", [])
    yield
    with store.aside() as connection:
        for table in (account, session, token):
            connection.execute(delete(table))


def open_account(store: Store, name: str, role: str, areas: list[str], department: str = "") -> None:
    accounts.choose_password(store, name, accounts.make(store, name, role, areas, department), GOOD, RULES)


def visit(app: Any, base: str = HERE, client: str = "127.0.0.1", **headers: str) -> TestClient:
    return TestClient(app, base, client=(client, 50000), follow_redirects=False, headers=headers)


def signed_in(app: Any, name: str, base: str = HERE) -> TestClient:
    one = visit(app, base)
    done = one.post("/login", data={"name": name, "password": GOOD})
    assert done.status_code == 303, done.text
    return one
