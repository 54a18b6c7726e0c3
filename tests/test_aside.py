"""No answer holds another one: what pages ask for runs beside the event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from pathlib import Path
from urllib.request import urlopen

from dashboard import create_app
from dashboard.aside import aside
from dashboard.context import Visitor, _visitor, visited
from queries.frame import EVERYTHING, Actor
from queries.settings import Settings
from queries.store import Store
from tests.conftest import serving


def test_a_slow_answer_lets_others_be_given_meanwhile() -> None:
    ready = threading.Event()

    async def both() -> list[bool | None]:
        # On the event loop itself the first would wait for the second for ever.
        return await asyncio.gather(aside(lambda: ready.wait(10))(), aside(ready.set)())

    assert asyncio.run(both())[0] is True


def test_who_asks_is_known_in_the_thread_too() -> None:
    one = Visitor(actor=Actor(name="a", post="viewer", scope=EVERYTHING), by="session")

    async def ask() -> str:
        with visited(one):
            return await aside(lambda: _visitor.get().actor.name)()

    assert asyncio.run(ask()) == "a"


def test_every_callback_of_the_pages_runs_aside(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite'}")
    store.upgrade()
    app = create_app(Settings(data_dir=tmp_path), store)
    app._setup_server()
    ours = [c["callback"].__wrapped__ for c in app.callback_map.values() if "callback" in c]
    assert len(ours) > 5
    assert all(inspect.iscoroutinefunction(one) for one in ours)
    store.close()


def test_the_first_page_that_anybody_asks_for_has_its_styles_whichever_it_is(sqlite_city: Store, tmp_path: Path) -> None:
    # Dash looks its assets up when "/" is first asked for; a bookmark of another page may come before.
    with serving(create_app(Settings(data_dir=tmp_path), sqlite_city).server) as address, urlopen(f"{address}/street", timeout=30) as answer:
        page = answer.read().decode()
    assert "/assets/20-shell.css" in page
    assert "/assets/60-pulse.js" in page
