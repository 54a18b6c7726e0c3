"""The command line: serve (nothing said), load, check, rebuild, index, release, account, token, simulate. A mistake is one clear line and exit code 2."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from dashboard import demo_cli, index_cli, logs, people_cli
from layers import _idtiles
from queries import loading, settings
from queries.errors import GovError, SettingError
from queries.loop.rebuild import compare, rebuild
from queries.store import Store

log = structlog.get_logger("gov")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (0 = done, 1 = loaded with a failed source, 2 = refused)."""
    given = _parser().parse_args(argv)
    try:
        if given.command == "index":
            return index_cli.run(given)
        held = settings.read(
            host=getattr(given, "host", None), port=getattr(given, "port", None),
            demo_grids=getattr(given, "grids", None), demo_seed=getattr(given, "seed", None),
        )
        logs.begin(held)
        store = Store(held.database)
        if given.command in ("load", "check"):
            return _bring(given, held, store)
        if given.command == "rebuild":
            return _rebuild(store, given.check)
        if given.command in ("account", "token"):
            return people_cli.run(given, store)
        if given.command == "release":
            return index_cli.release(given, store)
        if given.command == "simulate":
            return demo_cli.run(given, held, store)
        return _serve(held, store, given.still)
    except GovError as bad:
        # Nothing is known yet of the city's language, so the terminal is told both.
        print(*dict.fromkeys((str(bad), bad.say("zh"))), sep="\n", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our report has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python app.py", description="社会治理大脑 · The Governance Brain. Without a command: open the city.")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8050)")
    parser.add_argument("--grids", type=int, help="grids of the demo city (5000)")
    parser.add_argument("--seed", type=int, help="seed of the demo city (7)")
    parser.add_argument("--still", action="store_true", help="let the demo city rest: nothing happens in it by itself")
    commands = parser.add_subparsers(dest="command")
    for name, what in (("load", "bring a city folder in: all of it, or nothing"),
                       ("check", "say what load would do and write nothing")):
        one = commands.add_parser(name, help=what, description=what)
        one.add_argument("folder", type=Path, help="folder with city.toml")
        one.add_argument("--data", type=Path, help="folder of the files that city.toml names, if another")
        one.add_argument("--replace", action="store_true", help="take out another city that the database holds")
        one.add_argument("--lang", choices=("zh", "en"), help="language of the report")
    what = "make the state of all cases and all sums anew from the events; readers see before or after"
    anew = commands.add_parser("rebuild", help=what, description=what)
    anew.add_argument("--check", action="store_true", help="say what would be mended and change nothing; 1 = something would")
    index_cli.add_parser(commands)
    people_cli.add_parsers(commands)
    demo_cli.add_parser(commands)
    return parser


def _rebuild(store: Store, check: bool) -> int:
    store.upgrade()
    began = time.perf_counter()
    done = (compare if check else rebuild)(store, quiet=not sys.stderr.isatty())
    wrong = f"{done.mended:,} 件状态有误 cases wrong, {done.differing:,} 行汇总有误 sums wrong" if check else f"{done.mended:,} 件状态有误已改正 mended"
    print(f"{done.cases:,} 件 cases, {done.events:,} 步 events, {wrong}, {time.perf_counter() - began:.1f} s")
    return int(check and bool(done.mended or done.differing))


def _bring(given: argparse.Namespace, held: settings.Settings, store: Store) -> int:
    act = loading.load if given.command == "load" else loading.check
    told = act(given.folder, store, given.data, quiet=not sys.stderr.isatty(), replace=given.replace)
    print(told.text(given.lang or held.language or told.language), flush=True)
    if given.command == "load" and told.changed:
        _idtiles.bake(_idtiles.Tiles(store, held))
    return 1 if told.failed else 0


def _serve(held: settings.Settings, store: Store, still: bool) -> int:
    import uvicorn

    from dashboard import create_app
    from dashboard.login import loopback

    listening = _listen(held)
    store.upgrade()
    people_cli.begin(held, store, loopback(held.host))
    have_a_city(held, store)
    app = create_app(held, store)
    context = app.server.state.context
    context.start()
    later = threading.Timer(demo_cli.QUIET_S, _bake, (context.tiles,))
    later.daemon = True
    later.start()
    log.info("open", url=f"http://{held.host}:{held.port}")
    # The server object runs here and now: app.run would import this program a second time.
    server = uvicorn.Server(uvicorn.Config(app.server, log_config=None, log_level="warning", access_log=False, ws_per_message_deflate=False,
                                           proxy_headers=bool(held.trusted_proxy), forwarded_allow_ips=held.trusted_proxy or None))
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal again when it has ended; by default the process would then be gone before the writer has.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with demo_cli.beside(held, store, still):
            server.run(sockets=[listening])
    finally:
        later.cancel()
        context.close()
    return 0


def _listen(held: settings.Settings) -> socket.socket:
    """Take the port before any work is done. Raises SettingError."""
    try:
        return socket.create_server((held.host, held.port), family=socket.AF_INET6 if ":" in held.host else socket.AF_INET)
    except OSError as bad:
        raise SettingError(
            f"Nothing can listen on {held.host}, port {held.port} ({bad.strerror}). Stop the program that is there "
            "or choose others with --host and --port."
        ) from None


def _bake(tiles: _idtiles.Tiles) -> None:
    try:
        log.debug("map tiles are ready", tiles=_idtiles.bake(tiles))
    except GovError as bad:
        # Each tile that is asked for is drawn then; a database that is away for a moment costs only the lead.
        log.warning("map tiles are not drawn ahead", error=str(bad))


def have_a_city(held: settings.Settings, store: Store) -> None:
    """Make the demo city if there is none, or if another one than the demo there is was asked for."""
    from queries import demo
    from queries.clock import now

    folder = held.data_dir / f"demo-{held.demo_seed}-{held.demo_grids}"
    there = loading.held_city(store)
    if there is not None:
        asked = held.model_fields_set & {"demo_grids", "demo_seed"}
        if not asked or there.folder == folder.name:
            return
        if not there.demo:
            log.warning("this database holds a real city; grids and seed are for the demo city", city=there.name)
            return
    log.info("making the demo city", grids=held.demo_grids, seed=held.demo_seed)
    demo.make(folder, grids=held.demo_grids, seed=held.demo_seed, moment=now())
    log.info("loading it")
    loading.load(folder, store, quiet=not sys.stderr.isatty())
    _bake(_idtiles.Tiles(store, held))
