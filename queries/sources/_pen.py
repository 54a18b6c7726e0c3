"""The writer as one source sees it: it cannot flood the queue of the others, and writes no more once its turn is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from queries.errors import BusyError
from queries.loop.page import Page
from queries.loop.writer import Hand, Writer
from queries.store import Store

T = TypeVar("T")
#: Acts of one source that may wait to be written; beyond, it waits itself.
IN_FLIGHT = 200


class Pen(Hand):
    """Lends the writer for one turn."""

    def __init__(self, writer: Writer, ended: Callable[[], bool] = lambda: False) -> None:
        """Write by `writer` until `ended`."""
        self._writer, self._ended = writer, ended
        self._out: deque[Future[Any]] = deque()

    @property
    def store(self) -> Store:
        """Return the store, for reading."""
        return self._writer.store

    def submit(self, act: Callable[[Page], T]) -> Future[T]:
        """Hand in an act. Raises BusyError once the turn is over."""
        if self._ended():
            raise BusyError("The turn of this source is over.", zh="该来源本轮已结束。")
        while self._out and (self._out[0].done() or len(self._out) >= IN_FLIGHT):
            wait([self._out.popleft()])
        done = self._writer.submit(act)
        self._out.append(done)
        return done
