"""Runs what a page asks for beside the server's event loop, so that one slow answer holds nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def aside(act: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Return `act` as a coroutine function that runs it in a thread, with the visitor and Dash's context as they are.

    Dash's FastAPI backend runs a plain callback on the event loop itself: databases and locks would stop
    every other page meanwhile.
    """
    @wraps(act)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(act, *args, **kwargs)

    return run
