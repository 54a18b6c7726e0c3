"""The demo city's sensors talk: believable curves, and now and then a story that an alarm tells.

A pump fails under a bridge while it rains, a gas joint leaks, a square is loud at night, a device falls silent,
another one flutters at its limit. All of it goes through the door that every sensor uses.
"""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from queries.clock import now
from queries.demo.caller import AwayError, Caller

#: Kind -> usual value, daily swing, noise.
USUAL: dict[str, tuple[float, float, float]] = {
    "water_level": (2.1, 0.15, 0.02), "smoke": (0.02, 0.005, 0.003), "tilt": (1.2, 0.1, 0.05), "pm25": (38.0, 12.0, 3.0),
    "rain": (0.0, 0.0, 0.0), "gas": (1.2, 0.3, 0.2), "noise": (52.0, 8.0, 1.8),
}
EVERY_S = {"water_level": 300, "smoke": 300, "tilt": 3600, "pm25": 600, "rain": 300, "gas": 60, "noise": 60}
SOURCE, TICK_S, FIRST_S, GAP_S = "source:demo-sensors", 10.0, 40.0, (500.0, 1100.0)
#: Seconds for which a device says again what was not heard.
KEPT_S = 600.0
STORIES = ("flood", "gas", "noise", "silent", "flutter")


@dataclass
class Story:
    """Something that happens to some sensors from `begun` on, for `lasts` seconds."""

    what: str
    begun: float
    lasts: float
    codes: dict[str, float] = field(default_factory=dict)  # sensor -> how strongly

    def adds(self, code: str, at: float, chance: random.Random) -> float | None:
        """Return what it adds to a value; None = the sensor says nothing."""
        part = (at - self.begun) / self.lasts
        if code not in self.codes or not 0 <= part <= 1:
            return 0.0
        if self.what == "silent":
            return None
        strong = self.codes[code]
        if self.what == "flutter":
            return strong + chance.gauss(0, 0.22)
        rise = min(1.0, part / 0.25) if part < 0.6 else max(0.0, 1 - (part - 0.6) / 0.4)
        return strong * rise


class Sensing:
    """Speaks for all sensors of one running demo city."""

    def __init__(self, caller: Caller, seed: int = 7, speed: float = 1.0) -> None:
        """Speak through `caller`; at a higher speed the stories come sooner, the clock stays the clock."""
        self.caller, self.speed = caller, speed
        self.chance = random.Random(f"sensing-{seed}")  # noqa: S311
        self.taken = self.refused = 0
        self.sensors: list[dict[str, Any]] = []
        self.stories: list[Story] = []
        self._next: dict[str, float] = {}
        self._story_at = 0.0
        self._told = 0
        self._unheard: list[tuple[float, dict[str, Any]]] = []

    def run(self, ended: threading.Event, minutes: float | None = None) -> None:
        """Speak until ended; a server that is away is waited for."""
        until = None if minutes is None else time.monotonic() + 60 * minutes
        while not ended.is_set() and (until is None or time.monotonic() < until):
            try:
                if not self.sensors:
                    self.meet()
                self.tick(time.time())
            except AwayError:
                self.caller.close()
            ended.wait(TICK_S)

    def meet(self) -> None:
        """Learn which sensors there are."""
        for kind in USUAL:
            self.sensors += self.caller.ask("dispatcher", "/api/v1/sensors", kind=kind, limit=1000)["rows"]
        present = time.time()
        self._next = {one["code"]: present + self.chance.uniform(0, min(60, EVERY_S[one["kind"]])) for one in self.sensors}
        self._story_at = present + FIRST_S / self.speed

    def tick(self, present: float) -> None:
        """Send what is due."""
        if self.sensors and present >= self._story_at:
            self._begin(present)
        self.stories = [story for story in self.stories if present < story.begun + story.lasts]
        rows = []
        for one in self.sensors:
            code, kind = one["code"], one["kind"]
            if present < self._next[code]:
                continue
            busy = any(code in story.codes for story in self.stories)
            # A device that notices something sends more often; so do the real ones.
            self._next[code] = present + (min(30, EVERY_S[kind]) if busy else EVERY_S[kind]) * self.chance.uniform(0.95, 1.05)
            value = self._value(code, kind, present)
            if value is not None:
                rows.append({"sensor": code, "at": now().isoformat(timespec="seconds"), "metric": kind, "value": value})
        # As devices do: what was not heard is said again for a while, and the same twice counts once.
        self._unheard = [(at, row) for at, row in self._unheard if present - at < KEPT_S] + [(present, row) for row in rows]
        while self._unheard:
            part = self._unheard[:2000]
            reply = self.caller.tell(SOURCE, "/api/v1/readings", {"rows": [row for _, row in part]})
            if not reply.taken:
                break
            self.taken += reply.body["new"] + reply.body["changed"]
            self.refused += reply.body["refused"]
            self._unheard = self._unheard[2000:]
        # A line that rests until the next tick would be dropped by the server meanwhile.
        self.caller.close()

    def _value(self, code: str, kind: str, present: float) -> float | None:
        mean, swing, noise = USUAL[kind]
        own = random.Random(code).uniform(0.9, 1.1)  # noqa: S311
        day = math.sin((present / 86_400 + own) * 2 * math.pi)
        value = mean * own + swing * day + self.chance.gauss(0, noise)
        for story in self.stories:
            more = story.adds(code, present, self.chance)
            if more is None:
                return None
            value += more
        return round(max(0.0, value), 3) if kind != "noise" else round(min(135.0, max(25.0, value)), 1)

    def _begin(self, present: float) -> None:
        what = STORIES[self._told % len(STORIES)] if self._told < len(STORIES) else self.chance.choice(STORIES)
        self._told += 1
        self._story_at = present + self.chance.uniform(*GAP_S) / self.speed
        lasts = self.chance.uniform(900, 1800)
        codes: dict[str, float] = {}
        if what == "flood":
            first = self._one("water_level")
            if first:
                near = sorted((one for one in self.sensors if one["kind"] in ("water_level", "rain") and one["lon"] is not None),
                              key=lambda one: (one["lon"] - first["lon"]) ** 2 + (one["lat"] - first["lat"]) ** 2)[:5]
                for i, one in enumerate(near):
                    codes[one["code"]] = self.chance.uniform(6, 11) if one["kind"] == "rain" else max(0.4, self.chance.uniform(1.7, 2.2) - 0.35 * i)
        elif what in ("gas", "noise"):
            one = self._one(what)
            if one:
                codes[one["code"]] = self.chance.uniform(22, 40) if what == "gas" else self.chance.uniform(24, 34)
        elif what == "silent":
            one = self._one("gas") or self._one("noise")
            if one:
                codes[one["code"]] = 0.0
        else:
            one = self._one("water_level")
            if one:
                own = random.Random(one["code"]).uniform(0.9, 1.1)  # noqa: S311
                codes[one["code"]] = 3.0 - USUAL["water_level"][0] * own
        if codes:
            self.stories.append(Story(what, present, lasts, codes))
            for code in codes:
                self._next[code] = present

    def _one(self, kind: str) -> dict[str, Any] | None:
        taken = {code for story in self.stories for code in story.codes}
        free = [one for one in self.sensors if one["kind"] == kind and one["code"] not in taken and one["lon"] is not None]
        return self.chance.choice(free) if free else None


