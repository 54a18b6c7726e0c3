"""Waiting for what comes about in a while: in a store, at a server, on a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(check: Callable[[], Any], seconds: float = 40.0, what: str = "it did not come about") -> Any:
    """Return the first true answer; fail with words when the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := check():
            return got
        time.sleep(0.05)
    raise AssertionError(what)


def shown(browser: Any, script: str, seconds: float = 40.0) -> Any:
    """Return the first true value of a script of a page; fail with what the page's log says."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := browser.execute_script(script):
            return found
        time.sleep(0.05)
    raise AssertionError(f"never came true: {script}\n" + "\n".join(line["message"] for line in browser.get_log("browser")))


def never(check: Callable[[], Any], seconds: float) -> bool:
    """Return whether it did not come about in all of the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return False
        time.sleep(0.05)
    return True
