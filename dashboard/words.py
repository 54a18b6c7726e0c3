"""Words on screen: picks zh or en, writes numbers, dates, ages. Missing is said in words, never as zero."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from queries.clock import now

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "words"
MISSING = "—"


@cache
def table(lang: str) -> dict[str, str]:
    """Return all words of a language by key."""
    return json.loads((FOLDER / f"{lang}.json").read_text("utf-8"))


class Words:
    """The words of one language, with the city's zone for times."""

    def __init__(self, lang: str, zone: ZoneInfo | None = None, at: datetime | None = None, drill: bool = False) -> None:
        self.lang = lang if lang in ("zh", "en") else "zh"
        self.zone = zone or ZoneInfo("UTC")
        #: The moment of the past that the screen shows, and whether it is that of a drill; None = live.
        self.at, self.drill = at, drill

    def __call__(self, key: str, **parts: Any) -> str:
        """Return the word of a key with its parts filled in."""
        return table(self.lang)[key].format(**parts)

    @property
    def present(self) -> datetime:
        """Return the moment from which ages and deadlines are told."""
        return self.at or now()

    @property
    def when(self) -> str:
        """Return in shape and word whether this is live, played back or a drill, and which moment."""
        if self.at is None:
            return f"● {self('when.live')}"
        return f"◷ {self('when.drill' if self.drill else 'when.past', at=self.moment(self.at, seconds=bool(self.at.second)))}"

    def pick(self, both: Mapping[str, str] | None) -> str:
        """Return the words of this language from a {zh, en} pair."""
        if not both:
            return MISSING
        return both.get(self.lang) or both.get("zh") or both.get("en") or MISSING

    def pair(self, both: tuple[str, str]) -> str:
        """Return the words of this language from a (zh, en) pair, as the head of a column."""
        word = both[self.lang == "en"]
        return word[:1].upper() + word[1:]

    def name(self, thing: Any) -> str:
        """Return the name of a place, level, category or city."""
        return (thing.name_en if self.lang == "en" and thing.name_en else thing.name) or MISSING

    def cases(self, n: int) -> str:
        """Return how many cases."""
        return self("case.one" if n == 1 else "case.total", n=self.n(n))

    def n(self, value: float | None) -> str:
        """Return a count."""
        return MISSING if value is None else f"{value:,.0f}"

    def share(self, value: float | None, digits: int = 1) -> str:
        """Return a share (0.937) as a percentage."""
        return MISSING if value is None else f"{value * 100:.{digits}f}%"

    def value(self, value: float | None, unit: str) -> str:
        """Return a figure in its unit: n, % (a share) or h (hours)."""
        if value is None:
            return MISSING
        if unit == "%":
            return self.share(value)
        if unit == "h":
            return self("unit.days", n=f"{value / 24:.1f}") if value >= 72 else self("unit.hours", n=f"{value:.1f}")
        return self.n(value)

    def day(self, day: date | None) -> str:
        """Return a calendar day."""
        return MISSING if day is None else day.isoformat()

    def moment(self, at: datetime | None, seconds: bool = False) -> str:
        """Return a moment in the city's own time."""
        if at is None:
            return MISSING
        return f"{at.astimezone(self.zone):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}}"

    def short(self, at: datetime | None) -> str:
        """Return a moment without its year."""
        return MISSING if at is None else f"{at.astimezone(self.zone):%m-%d %H:%M}"

    def length(self, seconds: float) -> str:
        """Return a length of time in its largest fitting unit."""
        if seconds < 60:
            return self("unit.seconds", n=f"{max(seconds, 0):.0f}")
        if seconds < 3600:
            return self("unit.minutes", n=f"{seconds / 60:.0f}")
        if seconds < 72 * 3600:
            return self("unit.hours", n=f"{seconds / 3600:.1f}")
        return self("unit.days", n=f"{seconds / 86400:,.0f}")

    def age(self, at: datetime | None) -> str:
        """Return how long ago a moment was."""
        return self("never") if at is None else self("ago", length=self.length((self.present - at).total_seconds()))
