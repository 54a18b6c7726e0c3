"""The demo city lives: posts and sources that call a running server, as anybody would.

It has no way to the database. It goes on from now: what it missed while it was off stays missing, and
the screen's as-of says so. Cases that a visitor reports by hand are left to the visitor.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from queries.clock import now
from queries.demo.caller import AwayError, Caller, Reply
from queries.demo.fates import Act, Running, arrival, next_act
from queries.demo.life import BAD_DISTRICT, HOURS, WEEK
from queries.demo.words import CATEGORIES, DISTRICTS

ZONE = ZoneInfo("Asia/Shanghai")
#: Who reports, how often, through which source.
SOURCES = (("demo-terminal", "网格员上报", 0.55), ("demo-hotline", "12345 热线", 0.2), ("demo-hotline", "公众上报", 0.12),
           ("demo-sensing", "视频发现", 0.09), ("demo-sensing", "传感器", 0.04))
#: The source of the cases that the demo city was made with.
MADE = "grid-cases"
#: Of the calls, so many are about what was reported a short while ago.
REPEATS = 0.04
#: Never more at once, however much is due.
PER_SECOND = 40.0


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A place where something can be found."""

    lon: float
    lat: float
    street: str
    address: str


class Living:
    """The life of one running demo city."""

    def __init__(self, caller: Caller, seed: int = 7, speed: float = 1.0, begun: datetime | None = None) -> None:
        """Call through `caller`; `begun` (now unless given) names the run and says how late in the week it is."""
        self.caller, self.seed, self.speed = caller, seed, speed
        self.begun = (begun or now()).astimezone(ZONE)
        self.chance = random.Random(f"{seed}")  # noqa: S311
        self.found = self.acted = self.refused = 0
        self._n, self._order = 0, itertools.count()
        self._due: list[tuple[float, int, Running, Act]] = []
        self._below: dict[str | None, list[dict[str, Any]]] = {}
        self._last: list[dict[str, Any]] = []
        self._said: tuple[dict[str, Any], str, Spot] | None = None
        self._bad = DISTRICTS[(BAD_DISTRICT + self.begun.isocalendar().week) % len(DISTRICTS)]
        self._size = 0.0

    def run(self, ended: threading.Event, minutes: float | None = None, burst: int = 0) -> None:
        """Live until ended, or for some minutes; begin with a burst of reports. A server that is away is waited for."""
        until = None if minutes is None else time.monotonic() + 60 * minutes
        if minutes != 0:
            self._patient(ended, self.adopt)
        for _ in range(burst):
            if not ended.is_set():
                self._patient(ended, self.find)
        following = self._patient(ended, self._gap) or 0.0
        next_find = time.monotonic() + following
        while not ended.is_set() and (until is None or time.monotonic() < until):
            if time.monotonic() >= next_find:
                self._patient(ended, self.find)
                next_find += self._gap()
            elif self._due and self._due[0][0] <= time.monotonic():
                self._patient(ended, self.act)
            soonest = min(next_find, self._due[0][0] if self._due else next_find)
            ended.wait(max(1 / PER_SECOND, min(1.0, soonest - time.monotonic())))

    def adopt(self) -> int:
        """Take up the open cases that nobody else will act on; return how many."""
        after: str | None = ""
        taken = 0
        while after is not None:
            told = self.caller.ask("dispatcher", "/api/v1/cases", open="true", limit=1000, after=after)
            for row in told["rows"]:
                if row["source"] == MADE or row["source"] in {source for source, *_ in SOURCES}:
                    self._follow(self._adopted(row))
                    taken += 1
            after = told["after"]
        return taken

    def find(self) -> Reply:
        """Let somebody find something and report it."""
        # Said until it was heard, with the same key: a reply that was lost makes no second case.
        self._said = self._said or self._report()
        message, source, spot = self._said
        reply = self.caller.tell(f"source:{source}", "/api/v1/cases", message, key=self._key(f"{self._n + 1}"))
        self._n, self._said = self._n + 1, None
        self.found += reply.taken
        self.refused += not reply.taken
        if reply.taken:
            self._last = [*self._last[-20:], {**message, "spot": spot}]
            body = reply.body
            self._follow(Running(
                no=body["no"], key=f"{self._n}", category=message["category"], street=spot.street, status=body["status"], hotline=source == "demo-hotline",
                bad_week=self._is_bad(spot.street), repeats=tuple(body["likely_repeats"])))
        return reply

    def act(self) -> Reply | None:
        """Take the step that is due first."""
        if not self._due:
            return None
        _, order, case, act = self._due[0]
        reply = self.caller.tell(act.who, f"/api/v1/cases/{case.no}/steps", act.message, key=self._key(f"{case.key}-{order}"))
        heapq.heappop(self._due)
        self.acted += reply.taken
        self.refused += not reply.taken
        step = act.message["step"]
        if step in ("arrived", "whistle_ended", "whistle_rated"):
            self._after_whistle(case, act, reply)
        elif reply.taken:
            self._took(case, act, reply)
        elif reply.status in (404, 409, 422) and case.turns < 40:
            # Somebody else was faster, or it may not be done: look again and go on from there.
            self._look_again(case)
        return reply

    def _took(self, case: Running, act: Act, reply: Reply) -> None:
        step = act.message["step"]
        case.turns += 1
        case.done.add(step)
        case.status = reply.body["status"]
        case.department = act.message.get("department", case.department) if step in ("dispatched", "reassigned") else case.department
        if step == "whistled":
            for department in [act.message["department"], *act.message.get("details", {}).get("departments", [])]:
                come = arrival(department, act.message["reason"], random.Random(f"{self.seed}/{case.key}/{department}"))  # noqa: S311
                if come is not None:
                    self._put(case, come)
        self._follow(case)

    def _after_whistle(self, case: Running, act: Act, reply: Reply) -> None:
        chance = random.Random(f"{self.seed}/{case.key}/{act.who}/{act.message['step']}")  # noqa: S311
        if act.message["step"] != "arrived" or not reply.taken:
            return
        late = act.real
        stars = chance.choice((2, 3)) if late else chance.choice((4, 5, 5))
        department = act.who.partition(".")[2]
        self._put(case, Act(after_s=chance.uniform(3600, 3 * 3600), who=case.desk,
                            message={"step": "whistle_rated", "department": department, "details": {"stars": stars}}))
        if "ending" not in case.done:
            case.done.add("ending")
            self._put(case, Act(after_s=4 * 3600, who=case.desk, message={"step": "whistle_ended"}))

    def _look_again(self, case: Running) -> None:
        reply = self.caller.ask("dispatcher", f"/api/v1/cases/{case.no}")["case"]["case"]
        case.turns += 1
        case.status, case.department = reply["status"], reply["department"] or case.department
        self._follow(case)

    def _follow(self, case: Running) -> None:
        act = next_act(case, self.seed)
        if act is not None:
            self._put(case, act)

    def _put(self, case: Running, act: Act) -> None:
        wait = act.after_s if act.real else act.after_s / self.speed
        heapq.heappush(self._due, (time.monotonic() + wait, next(self._order), case, act))

    def _key(self, what: str) -> str:
        return f"{self.begun:%Y%m%d%H%M%S}-{self.seed}-{what}"

    def _adopted(self, row: dict[str, Any]) -> Running:
        code = row["area_code"]
        street = code[:9] if len(code) >= 9 else ""
        category = row["category"] if row["category"] in CATEGORIES else "appearance"
        return Running(no=row["no"], key=row["no"], category=category, street=street, status=row["status"],
                       department=row["department"] or CATEGORIES[category][2], bad_week=self._is_bad(street))

    def _is_bad(self, street: str) -> bool:
        district = next((d for d in self._children(None) if street.startswith(d["code"])), None)
        return bool(district and street and self._bad in district["name"])

    def _report(self) -> tuple[dict[str, Any], str, Spot]:
        chance = self.chance
        source, channel, _ = chance.choices(SOURCES, [s[2] for s in SOURCES])[0]
        if source == "demo-hotline" and self._last and chance.random() < REPEATS / 0.2:
            before = chance.choice(self._last)
            message = {k: v for k, v in before.items() if k != "spot"}
            return {**message, "channel": channel, "text": "又有市民来电反映同一问题"}, source, before["spot"]
        category = chance.choices(list(CATEGORIES), [words[4] for words in CATEGORIES.values()])[0]
        kind, spot = chance.choice(CATEGORIES[category][5]), self._spot()
        text = {"text": f"市民来电反映{kind}，请尽快处理"} if source == "demo-hotline" else {}
        return {"category": category, "kind": kind, "title": kind, "address": spot.address, "channel": channel, "lon": spot.lon, "lat": spot.lat,
                "urgent": category == "emergencies", **text}, source, spot

    def _spot(self) -> Spot:
        """Return a place: down the tree, more often where more people live."""
        line: list[dict[str, Any]] = []
        code: str | None = None
        while below := self._children(code):
            line.append(self.chance.choices(below, [1 + (place["residents"] or 0) for place in below])[0])
            code = line[-1]["code"]
        west, south, east, north = line[-1]["bbox"]
        lon = min(east, max(west, line[-1]["lon"] + self.chance.gauss(0, (east - west) / 10)))
        lat = min(north, max(south, line[-1]["lat"] + self.chance.gauss(0, (north - south) / 10)))
        village = line[-2]["name"].removesuffix("社区")
        return Spot(lon=round(lon, 6), lat=round(lat, 6), street=line[1]["code"],
                    address=f"{line[1]['name']}{village}路 {self.chance.randint(1, 400)} 号")

    def _children(self, code: str | None) -> list[dict[str, Any]]:
        if code not in self._below:
            told = self.caller.ask("dispatcher", "/api/v1/areas", **({"place": code} if code else {}))
            self._below[code] = told["children"]
            if code is None:
                self._size = 0.78 * (told["place"]["last"] - told["place"]["num"])
        return self._below[code]

    def _gap(self) -> float:
        """Return the real seconds until the next find, by hour and weekday of the demo's own time."""
        self._children(None)
        at = self.begun + timedelta(seconds=self.speed * (now() - self.begun).total_seconds())
        per_day = 1500 * (self._size / 5000) ** 0.5 * float(WEEK[at.weekday()])
        per_second = per_day * float(HOURS[at.hour] / HOURS.sum()) / 3600
        return min(self.chance.expovariate(per_second), 3 / per_second) / self.speed

    def _patient(self, ended: threading.Event, what: Any) -> Any:
        """Do something; while the server is away, wait for it, a little longer each time."""
        wait = 0.5
        while not ended.is_set():
            try:
                return what()
            except AwayError:
                ended.wait(wait)
                wait = min(30.0, 2 * wait)
        return None
