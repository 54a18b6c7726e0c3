"""Fixtures: a fresh database of each kind, a small city, the demo city, a running server, a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from queries import demo, loading
from queries.settings import Settings
from queries.store import Store
from tests.pg import Postgres, program

HOME = Path(__file__).resolve().parent.parent
#: tests/setup installed everything: what is missing now is a failure, not a reason to skip.
NEED_ALL = os.environ.get("TESTS_NEED_ALL", "") == "1"
MOMENT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def missing(what: str) -> None:
    """Skip where a program is not installed; fail where tests/setup should have installed it."""
    if NEED_ALL:
        pytest.fail(what)
    pytest.skip(what)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their number: packed ones carry the second they were made in, and each worker collects for itself."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Let nobody be who a test of another file was: cookies belong to the machine, whatever the port of its server."""
    used = getattr(item, "funcargs", {}).get("browser")
    if used is not None and (nextitem is None or nextitem.path != item.path):
        with suppress(Exception):  # a browser that died is another test's failure
            used.execute_cdp_cmd("Network.clearBrowserCookies", {})


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL of our own on a socket in a temporary folder."""
    if program("initdb") is None or program("pg_ctl") is None:
        missing("PostgreSQL's server programs are not installed")
    made = Postgres()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def empty_postgres(postgres: Postgres) -> str:
    """The name of an upgraded, empty database: others are copied from it, which takes half the time of making them."""
    url = postgres.database()
    made = Store(url)
    made.upgrade()
    made.close()
    return str(make_url(url).database)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an upgraded, empty database."""
    file = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    made = Store(f"sqlite:///{file}")
    made.upgrade()
    made.close()
    return file


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new, upgraded, empty database of each kind."""
    if request.param == "sqlite":
        file = shutil.copyfile(request.getfixturevalue("empty_sqlite"), tmp_path / "test.sqlite")
        made = Store(f"sqlite:///{file}")
    else:
        like = request.getfixturevalue("empty_postgres")
        made = Store(request.getfixturevalue("postgres").database(like))
    yield made
    made.close()


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city, small and of a fixed moment."""
    return demo.make(tmp_path_factory.mktemp("city") / "demo", grids=400, seed=7, moment=MOMENT)


@pytest.fixture(scope="session")
def demo_copy(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Store]:
    """Makes a SQLite database with the small demo city in it: it is loaded once and copied."""
    file = tmp_path_factory.mktemp("loaded") / "city.sqlite"
    first = Store(f"sqlite:///{file}")
    loading.load(demo_folder, first, quiet=True)
    first.close()

    def copy(url: str) -> Store:
        to = Path(url.removeprefix("sqlite:///"))
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
        return Store(url)

    return copy


@pytest.fixture(scope="session")
def sqlite_city(demo_copy: Callable[[str], Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The small demo city in SQLite: for what does not depend on the database."""
    made = demo_copy(f"sqlite:///{tmp_path_factory.mktemp('db') / 'city.sqlite'}")
    yield made
    made.close()


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def city(request: pytest.FixtureRequest, demo_folder: Path) -> Iterator[Store]:
    """The small demo city, loaded once into each kind of database; only to be read."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_city")
        return
    made = Store(request.getfixturevalue("postgres").database())
    loading.load(demo_folder, made, quiet=True)
    yield made
    made.close()


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free loopback port; yields its address."""
    import uvicorn

    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    runner = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=False))
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [free]}, daemon=True)
    thread.start()
    while not runner.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{free.getsockname()[1]}"
    finally:
        runner.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def server(demo_copy: Callable[[str], Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application with the small demo city on a free loopback port; yields its address."""
    from dashboard import create_app

    settings = Settings(data_dir=tmp_path_factory.mktemp("server"))
    made = demo_copy(settings.database)
    with serving(create_app(settings, made).server) as address:
        yield address
    made.close()


@pytest.fixture(scope="module")
def lively(demo_copy: Callable[[str], Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store]]:
    """A server and its store with a small demo city to be acted on: nobody else sees what is done in it."""
    from dashboard import create_app

    settings = Settings(data_dir=tmp_path_factory.mktemp("lively"))
    made = demo_copy(settings.database)
    app = create_app(settings, made).server
    with serving(app) as address:
        yield address, made
    app.state.context.close()
    made.close()


@contextmanager
def chromium() -> Iterator[Any]:
    """Open a Chromium without a screen, 1920x1080, with a profile of its own, that calls nobody but us."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver):
        missing("Chromium and its driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    profile = tempfile.mkdtemp(prefix="gov-browser-")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--window-size=1920,1080", f"--user-data-dir={profile}",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    made.set_page_load_timeout(60)
    try:
        yield made
    finally:
        made.quit()
        shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real browser."""
    with chromium() as made:
        yield made
