"""The contract of a door: what it is called, what it needs, and what it does when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from queries.loop.writer import Writer
from queries.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a source is handed when it is its turn. Changes go through the writer and nothing else."""

    writer: Writer
    settings: Settings
    #: True once the turn took too long or the server goes down: stop at the next chance.
    ended: Callable[[], bool] = lambda: False


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a turn brought. `as_of` = the newest moment that was spoken of, UTC seconds."""

    taken: int = 0
    refused: int = 0
    as_of: int | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """One door. `listen` is called from outside; `poll` and `drop` ask or look by themselves; `out` tells others."""

    id: str
    title: dict[str, str]
    kind: Literal["listen", "poll", "drop", "out"]
    #: Settings that must not be empty before it is ever called.
    needs: tuple[str, ...] = ()
    #: One good message as it comes in, and what it means to us: tried by the contract tests.
    sample: Any = None
    read: Callable[[Any], Any] | None = None
    #: What it does on its turn; None = it only listens.
    run: Callable[[Turn], Told] | None = None
    every_s: Callable[[Settings], float] = field(default=lambda settings: 60.0)
    timeout_s: float = 60.0
    order: int = 100

    def is_on(self, settings: Settings) -> bool:
        """Return whether all that it needs is set."""
        return all(bool(getattr(settings, name)) for name in self.needs)
