"""Work that is too long for a page's first paint: begun when somebody looks, kept for a while, one at a time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

#: What was found is shown for so many seconds before it is looked for again.
FRESH_S = 600
KEPT = 24


class Jobs:
    """Runs and remembers. Threads may call it at once."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._pool = ThreadPoolExecutor(1, "job")
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[float, Future[Any]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any | None:
        """Return what `make` returned, or None while it runs; the first who asks starts it. Raises what it raised."""
        with self._lock:
            held = self._held.get(key)
            if held is None or time.monotonic() - held[0] > FRESH_S:
                held = (time.monotonic(), self._pool.submit(make))
                self._held[key] = held
                while len(self._held) > KEPT:
                    self._held.popitem(last=False)[1][1].cancel()
            future = held[1]
        if not future.done():
            return None
        if future.cancelled() or future.exception() is not None:
            with self._lock:  # the next look tries again
                self._held.pop(key, None)
        return future.result()

    def close(self) -> None:
        """Let what runs end, and begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
