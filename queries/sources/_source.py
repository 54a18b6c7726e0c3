"""The contract of a door: what it is called, what it needs, and what it does when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from queries.errors import GovError
from queries.loop.page import Page
from queries.settings import Settings
from queries.sources._pen import Pen
from queries.sources._quarantine import Bad, keep


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a source is handed when it is its turn. Changes go through the writer and nothing else."""

    writer: Pen
    settings: Settings
    #: True once the turn took too long or the server goes down: stop at the next chance.
    ended: Callable[[], bool] = lambda: False


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a turn brought. `as_of` = the newest moment that was spoken of, UTC seconds."""

    taken: int = 0
    refused: int = 0
    as_of: int | None = None
    #: What went wrong though the turn as a whole was done, in both languages.
    trouble: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """One door. `listen` is called from outside; `poll` and `drop` ask or look by themselves; `out` tells others."""

    id: str
    title: dict[str, str]
    kind: Literal["listen", "poll", "drop", "out"]
    #: What it brings. A message of readings is read into a list of queries/sensing/judge.py Read, and the scribe writes them;
    #: one of departments' figures into a queries/sources/_figures.py Figure.
    into: Literal["cases", "readings", "figures"] = "cases"
    #: Settings that must not be empty before it is ever called.
    needs: tuple[str, ...] = ()
    #: One good message as it comes in, what it means to us (fields of what `read` returns), and one that must be refused.
    sample: Any = None
    means: dict[str, Any] = field(default_factory=dict)
    rubbish: Any = None
    #: Turn a message into what it means. Raises GovError.
    read: Callable[[Any], Any] | None = None
    #: Turn what was read into an act on a page, under a key that makes the same message twice one.
    bring: Callable[[Any, str], Callable[[Page], Any]] | None = None
    #: What it does on its turn; None = it only listens.
    run: Callable[[Turn], Told] | None = None
    every_s: Callable[[Settings], float] = field(default=lambda settings: 60.0)
    timeout_s: float = 60.0
    order: int = 100

    def is_on(self, settings: Settings) -> bool:
        """Return whether all that it needs is set."""
        return all(bool(getattr(settings, name)) for name in self.needs)


def admit(page: Page, source: Source, message: Any, key: str = "", *, file: str = "", row: int = 1) -> Any | None:
    """Bring one message of a source in; what cannot be used goes to quarantine with its reason, and None comes back."""
    try:
        assert source.read
        assert source.bring
        return source.bring(source.read(message), key)(page)
    except GovError as bad:
        keep(page, [Bad(source=source.id, file=file, row=row, field=bad.field, value="", reason=bad.say("zh"), reason_en=str(bad), raw=message)])
        return None
