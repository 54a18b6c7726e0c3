"""The part of the command line that lets the demo city live: `simulate`, and beside the server by itself."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from dashboard.login import loopback
from queries.clock import now, stamp
from queries.demo.alive import Living
from queries.demo.caller import Caller
from queries.demo.sensing import Sensing
from queries.errors import GovError, SettingError
from queries.people import tokens
from queries.settings import Settings
from queries.store import Store, get_meta

log = structlog.get_logger("demo")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add `simulate` to the commands."""
    what = "let the demo city live: reports, steps and whistles, over HTTP, to the server on this machine"
    one = commands.add_parser("simulate", help=what, description=what)
    one.add_argument("--speed", type=float, choices=(1, 60), default=1,
                     help="how many times as fast as a city; deadlines stay the clock's, so at 60 only the late are late (1)")
    one.add_argument("--minutes", type=float, help="minutes to live (until it is interrupted)")
    one.add_argument("--burst", type=int, default=0, metavar="N", help="report N cases at once")
    one.add_argument("--seed", dest="life_seed", type=int, help="seed of all chance (another one each time)")
    one.add_argument("--url", help="the server (http://127.0.0.1 and the port of the settings)")


def run(given: argparse.Namespace, held: Settings, store: Store) -> int:
    """Live, and print what was done."""
    store.upgrade()
    if not is_demo(store):
        raise SettingError("The loaded city is no demo city; nothing may be made up in it. Use a data folder (GOV_DATA_DIR) with the demo city.")
    url = given.url or f"http://127.0.0.1:{held.port}"
    living, sensing = _living(url, store, given.life_seed, given.speed), _sensing(url, store, given.life_seed, given.speed)
    ended = threading.Event()
    thread = threading.Thread(target=sensing.run, args=(ended, given.minutes), name="demo-sensors", daemon=True)
    thread.start()
    try:
        living.run(threading.Event(), given.minutes, given.burst)
    finally:
        ended.set()
        thread.join(5)
        living.caller.close()
        print(f"readings {sensing.taken}, refused {sensing.refused}")
        print(f"reported {living.found}, steps {living.acted}, refused {living.refused}, calls {living.caller.calls}")
    return 0


#: Seconds after its start that a server has for its first screens, before what can wait begins.
QUIET_S = 15


@contextmanager
def beside(held: Settings, store: Store, still: bool) -> Iterator[None]:
    """Let the demo city live in real time while a server runs; another city, or one that strangers reach, stays as it is."""
    if still or not loopback(held.host) or not is_demo(store):
        yield
        return
    ended = threading.Event()
    url = f"http://{'[::1]' if held.host == '::1' else '127.0.0.1'}:{held.port}"
    threads = [threading.Thread(target=_live, args=(one, ended), name=name, daemon=True)
               for name, one in (("demo", _living(url, store, None, 1)), ("demo-sensors", _sensing(url, store, None, 1)))]
    for thread in threads:
        thread.start()
    log.info("the demo city lives; --still lets it rest")
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(5)


def is_demo(store: Store) -> bool:
    """Return whether the loaded city is made up."""
    with store.read() as connection:
        return bool((get_meta(connection, "city") or {}).get("demo"))


def _living(url: str, store: Store, seed: int | None, speed: float) -> Living:
    caller = Caller(url, token_of=lambda source: tokens.make(store, source, days=1))
    return Living(caller, stamp(now()) if seed is None else seed, speed)


def _sensing(url: str, store: Store, seed: int | None, speed: float) -> Sensing:
    caller = Caller(url, token_of=lambda source: tokens.make(store, source, days=1))
    return Sensing(caller, stamp(now()) if seed is None else seed, speed)


def _live(living: Living | Sensing, ended: threading.Event) -> None:
    if ended.wait(QUIET_S):
        return
    try:
        living.run(ended)
    except GovError as bad:
        log.warning("the demo city does not live", error=str(bad))
    except Exception:  # a thread beside the server: it ends with a word, and the server goes on
        log.exception("the demo city does not live any more")
    finally:
        living.caller.close()
