"""The command line: serve (nothing said), load, check, rebuild. A mistake is one clear line and exit code 2."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from dashboard import logs
from queries import loading, settings
from queries.errors import GovError
from queries.loop.rebuild import rebuild
from queries.store import Store

log = structlog.get_logger("gov")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (0 = done, 1 = loaded with a failed source, 2 = refused)."""
    given = _parser().parse_args(argv)
    try:
        held = settings.read(
            host=getattr(given, "host", None), port=getattr(given, "port", None),
            demo_grids=getattr(given, "grids", None), demo_seed=getattr(given, "seed", None),
        )
        logs.begin(held)
        store = Store(held.database)
        if given.command in ("load", "check"):
            return _bring(given, held, store)
        if given.command == "rebuild":
            return _rebuild(store)
        return _serve(held, store)
    except GovError as bad:
        print(f"{type(bad).__name__}: {bad}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python app.py", description="社会治理大脑 · The Governance Brain. Without a command: open the city.")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8050)")
    parser.add_argument("--grids", type=int, help="grids of the demo city (5000)")
    parser.add_argument("--seed", type=int, help="seed of the demo city (7)")
    commands = parser.add_subparsers(dest="command")
    for name, what in (("load", "bring a city folder in: all of it, or nothing"),
                       ("check", "say what load would do and write nothing")):
        one = commands.add_parser(name, help=what, description=what)
        one.add_argument("folder", type=Path, help="folder with city.toml")
        one.add_argument("--data", type=Path, help="folder of the files that city.toml names, if another")
        one.add_argument("--lang", choices=("zh", "en"), help="language of the report")
    what = "make the state of all cases and all sums anew from the events; readers see before or after"
    commands.add_parser("rebuild", help=what, description=what)
    return parser


def _rebuild(store: Store) -> int:
    store.upgrade()
    began = time.perf_counter()
    done = rebuild(store, quiet=not sys.stderr.isatty())
    print(f"{done.cases:,} 件 cases, {done.events:,} 步 events, {done.mended:,} 件状态有误已改正 mended, {time.perf_counter() - began:.1f} s")
    return 0


def _bring(given: argparse.Namespace, held: settings.Settings, store: Store) -> int:
    act = loading.load if given.command == "load" else loading.check
    told = act(given.folder, store, given.data, quiet=not sys.stderr.isatty())
    print(told.text(given.lang or held.language))
    return 1 if any(source.state == "failed" for source in told.sources) else 0


def _serve(held: settings.Settings, store: Store) -> int:
    import uvicorn

    from dashboard import create_app

    store.upgrade()
    if not _loaded(store):
        _make_demo(held, store)
    app = create_app(held, store)
    context = app.server.state.context
    _ = context.loop  # from now on the clock runs
    log.info("open", url=f"http://{held.host}:{held.port}")
    # The server object runs here and now: app.run would import this program a second time.
    try:
        uvicorn.run(app.server, host=held.host, port=held.port, log_level="warning", access_log=False)
    finally:
        context.close()
    return 0


def _loaded(store: Store) -> bool:
    from queries.store import get_meta

    with store.read() as connection:
        return get_meta(connection, "city") is not None


def _make_demo(held: settings.Settings, store: Store) -> None:
    from queries import demo
    from queries.clock import now

    folder = held.data_dir / f"demo-{held.demo_seed}-{held.demo_grids}"
    log.info("making the demo city", grids=held.demo_grids, seed=held.demo_seed)
    demo.make(folder, grids=held.demo_grids, seed=held.demo_seed, moment=now())
    log.info("loading it")
    loading.load(folder, store, quiet=not sys.stderr.isatty())
