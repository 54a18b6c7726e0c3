"""Generated requests against our own API description, of all kinds of senders: `python -m tests.fuzz`.

Never a 5xx, always a reason, never half a change: what is refused writes nothing, what is answered as written is there.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as begin_with
from schemathesis import GenerationMode
from sqlalchemy import func, select

from dashboard import create_app
from queries import loading
from queries.clock import now, stamp
from queries.frame import CLOCK
from queries.loop.desk import LISTS
from queries.loop.rebuild import compare
from queries.loop.steps import STATUSES, STEPS, legal
from queries.matrix import MEASURES
from queries.people import accounts, sessions, tokens
from queries.sensing.tables import DAY, alarm, reading_sum
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases, event
from tests.conftest import serving
from tests.test_loop import CITY, HERE, STREETS, listed

MOST_S = 20
OPEN311 = "/open311/"
#: What is told to everybody: whether the server lives, what can be reported, and that a number is its own token.
OPEN = ("GET /healthz", "GET /open311/v2/services", "GET /open311/v2/tokens")
CLASSES = ("2xx", "3xx", "4xx", "5xx")
#: Doors are asked more often than figures.
WEIGHT = {"post": 6, "get": 1}
#: Things of the town beside its cases, so that what asks for one of them finds it.
THINGS = """
[[sensors]]
id = "water"
file = "sensors.csv"
columns = { code = "code", name = "name", kind = "kind", lon = "lon", lat = "lat" }
[[cameras]]
id = "cameras"
file = "cameras.csv"
columns = { code = "code", name = "name", lon = "lon", lat = "lat", state = "state", class = "class" }
[[alarms]]
id = "high"
title = "水位超限"
title_en = "Water above limit"
kind = "threshold"
sensor_kind = "water_level"
metric = "water_level"
limits = { blue = 2.0, red = 5.0 }
action = "通知街道带班"
category = "flood"
"""
SENSORS, CAMERAS = ("W1", "W2"), ("C1", "C2")
#: Values that mean something in an address, by the name of the parameter.
QUERY: dict[str, tuple[str, ...]] = {
    "place": ("9", "91", "92"), "category": ("litter", "flood"), "department": ("urban", "water"), "status": STATUSES, "which": LISTS,
    "measure": MEASURES, "kind": ("water_level",), "metric": ("water_level",), "camera": CAMERAS, "indicator": ("SAF06", "LAW01"),
    "group": ("key_area", "key_trade"), "by": ("areas", "departments"), "state": ("open", "closed", "silent", "ok"), "level": ("street",), "bucket": ("online", "new_offline"),
    "service_code": ("litter", "flood"), "start_date": ("2026-01-01T00:00:00Z",), "page": ("1", "2"), "page_size": ("1", "50"),
    "against": ("previous", "last_year"), "mark": ("cases", "sensors", "cameras"), "zoom": ("9", "14"), "order": ("overdue", "newest"), "text": ("垃圾", "%", "W1"),
}
#: These stand in the way of an answer when they are nonsense, so most of the time they are left out.
RARE = ("at", "drill", "after", "from", "to", "day", "cases", "like", "jurisdiction_id", "end_date", "updated_after", "updated_before", "service_request_id")


@dataclass
class Findings:
    """What was answered, and what should not have been."""

    answered: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)
    replayed: int = 0
    took_s: float = 0.0

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return sum(counts.total() for counts in self.answered.values())

    def rows(self) -> Iterator[str]:
        """Yield the lines of the table."""
        yield f"{'operation':38}" + "".join(f"{name:>8}" for name in CLASSES)
        for label, counts in sorted(self.answered.items()):
            yield f"{label:38}" + "".join(f"{counts[name]:>8,}" for name in CLASSES)
        total = sum(self.answered.values(), Counter[str]())
        yield f"{f'{self.requests:,} requests, {self.took_s:.0f} s':38}" + "".join(f"{total[name]:>8,}" for name in CLASSES)
        yield f"{self.replayed:,} messages sent once more; {len(self.faults)} faults"
        yield from self.faults[:20]


@contextmanager
def town(where: Path) -> Iterator[tuple[str, Store, dict[str, dict[str, str]]]]:
    """Serve a small city; yields its address, its store, and the headers of each kind of sender."""
    folder = where / "town"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY + THINGS, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    (folder / "sensors.csv").write_text("code,name,kind,lon,lat\n" + "".join(f"{code},桥下 {code},water_level,110.05,20.05\n" for code in SENSORS), "utf-8")
    (folder / "cameras.csv").write_text("code,name,lon,lat,state,class\nC1,桥头,110.05,20.05,在线,重点公共区域\nC2,路口,110.15,20.05,离线,重点行业\n", "utf-8")
    rules = Settings(data_dir=where)
    store = Store(f"sqlite:///{where}/fuzz.sqlite")
    loading.load(folder, store, quiet=True)
    for code, department, category in (("C1", "urban", "litter"), ("C2", "water", "flood")):
        listed(store, code, department, category)
    secrets = {}
    for name, role, areas in (("root", "admin", []), ("north", "street", ["91"]), ("guest", "viewer", ["91"])):
        made = accounts.choose_password(store, name, accounts.make(store, name, role, areas), "Lotus-Pond-88", rules)
        secrets[name] = {"Cookie": f"gov_session={sessions.begin(store, made.id, rules)}"}
    heads = {**secrets, "source": {"Authorization": f"Bearer {tokens.make(store, 'hotline')}"},
             "forged": {"Authorization": "Bearer gov_forged"}, "stale": {"Cookie": "gov_session=forged"}, "nobody": {}}
    app = create_app(rules, store).server
    try:
        with serving(app) as address:
            yield address, store, heads
    finally:
        app.state.context.close()
        store.close()


class Fuzz:
    """Sends what is generated, changes some of it into something likely, and looks at each answer."""

    def __init__(self, address: str, store: Store, heads: dict[str, dict[str, str]], seed: int) -> None:
        self.address, self.store, self.heads = address, store, heads
        self.rng = random.Random(seed)
        self.found = Findings()
        self._numbers: list[str] = []
        self._token = heads["source"]["Authorization"].removeprefix("Bearer ")

    def send(self, case: schemathesis.Case) -> None:
        """Send one generated request."""
        told = dict(case.as_transport_kwargs(base_url=self.address))
        told["headers"] = {k: v for k, v in dict(told.get("headers") or {}).items() if k.lower() not in ("cookie", "authorization")}
        who = self.rng.choice(("root", "root", "root", "root", "north", "source", *self.heads))
        told["headers"] |= self.heads[who]
        told.pop("cookies", None)
        label = case.operation.label
        self._path(case, told)
        if case.method.lower() == "post":
            self._likely(told)
        elif told.get("params"):
            self._query(told["params"])
        before = self._counts()
        answer = self._asked(label, told)
        if answer is None:
            return
        self._look(label, who, told, answer, before)
        if case.method.lower() == "post" and answer.status_code < 300 and self.rng.random() < 0.3:
            self._again(label, told)

    def _path(self, case: schemathesis.Case, told: dict[str, Any]) -> None:
        """Let the address name something that is there, most of the time: chance never meets a number or a code."""
        known = {"no": self._numbers, "code": ("litter", "flood"), "sensor": SENSORS, "alarm": self._alarms(), "form": ("json", "xml")}
        drawn = {name: str(self.rng.choice(known[name])) for name in case.path_parameters or {} if known.get(name) and self.rng.random() < 0.8}
        if drawn:
            path = case.path
            for name, value in (case.path_parameters or {}).items():
                path = path.replace(f"{{{name}}}", quote(drawn.get(name, str(value)), safe=""))
            told["url"] = told["url"].replace(case.formatted_path, path)

    def _alarms(self) -> tuple[int, ...]:
        with self.store.read() as connection:
            return tuple(connection.execute(select(alarm.c.id).limit(50)).scalars())

    def _query(self, params: dict[str, Any]) -> None:
        for name in list(params):
            if name in QUERY and self.rng.random() < 0.7:
                params[name] = self.rng.choice(QUERY[name])
            elif name in RARE and self.rng.random() < 0.8:
                del params[name]

    def _asked(self, label: str, told: dict[str, Any]) -> requests.Response | None:
        try:
            # A connection of its own: one that is kept may have been closed while the next request was thought up.
            answer = requests.request(**told, timeout=30, allow_redirects=False)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
            return None  # no client can send it
        except requests.RequestException as bad:
            self.found.faults.append(f"{label}: no answer ({type(bad).__name__}) to {_short(told)}")
            return None
        self.found.answered[label][f"{answer.status_code // 100}xx"] += 1
        return answer

    def _likely(self, told: dict[str, Any]) -> None:
        rng = self.rng
        if OPEN311 in told["url"]:
            self._form(told)
            return
        if rng.random() < 0.3:
            told["headers"]["Idempotency-Key"] = f"k{rng.randrange(40)}"
        body = told.get("json")
        rows = body.get("rows") if isinstance(body, dict) else None
        for row in rows if isinstance(rows, list) else [body]:
            if isinstance(row, dict) and rng.random() < 0.7:
                self._better(row, told["url"].split("/")[-2])
        if rng.random() < 0.01:
            told.pop("json", None)
            told["data"] = rng.choice((b"{" * 20_000, b"\xff\xfe\x00", b" " * 5_000_001, b'{"rows":[' + b"{}," * 5_001 + b"{}]}"))

    def _form(self, told: dict[str, Any]) -> None:
        rng, said = self.rng, dict(told["data"]) if isinstance(told.get("data"), dict) else {}
        if rng.random() < 0.8:
            said |= {"api_key": self._token if rng.random() < 0.9 else "gov_forged", "service_code": rng.choice(("litter", "flood"))}
            said |= {"lat": "20.05", "long": "110.05"} if rng.random() < 0.7 else {}
            said.pop("jurisdiction_id", None)
        told["data"] = said

    def _better(self, row: dict[str, Any], number: str) -> None:
        rng = self.rng
        if "category" in row:
            row |= {"category": rng.choice(("litter", "flood", "other"))} | (HERE if rng.random() < 0.7 else {})
        if "sensor" in row:
            row |= {"sensor": rng.choice(SENSORS), "at": stamp(now()) - rng.randrange(7200), "value": rng.choice((0.5, 2.5, 5.5))}
            for name in ("metric", "unit"):
                if rng.random() < 0.8:
                    row.pop(name, None)
            return
        if "step" in row:
            if self._numbers:
                row["into"] = rng.choice(self._numbers)
                if "no" in row:
                    row["no"] = number = rng.choice(self._numbers)
            known = [step.id for step in legal(self._status(number))] if rng.random() < 0.7 else []
            row |= {"step": rng.choice(known or sorted(STEPS)), "department": rng.choice(("urban", "urban", "water", "")),
                    "reason": rng.choice(("x", "emergency", ""))}
        for name in ("at", "expected", "until"):
            if rng.random() < 0.7:
                row.pop(name, None)

    def _status(self, number: str) -> str:
        with self.store.read() as connection:
            return connection.scalar(select(cases.c.status).where(cases.c.no == number)) or ""

    def _look(self, label: str, who: str, told: dict[str, Any], answer: requests.Response, before: tuple[int, ...]) -> None:
        fault: Callable[[str], None] = lambda what: self.found.faults.append(f"{label} as {who}: {what}; {answer.status_code} to {_short(told)}")  # noqa: E731
        status, after = answer.status_code, self._counts()
        if status >= 500:
            fault("a 5xx")
        # An Open311 report carries its key in the form, whoever the connection belongs to.
        form = told.get("data")
        keyed = isinstance(form, dict) and form.get("api_key") == self._token
        if who in ("forged", "stale", "nobody") and not keyed and not label.startswith(OPEN) and status not in ((400, 401, 403, 404, 413, 422) if OPEN311 in label else (401, 403)):
            fault("answered to somebody who is not signed in")
        if status >= 400:
            if not _reason(answer):
                fault("no reason")
            if after != before:
                fault("refused, and yet something was written")
        elif label.endswith("/readings"):
            said = _json(answer)
            if (said["new"] > 0) != (after[2] > before[2]) and not said["changed"]:
                fault(f"{said['new']} told as written, {after[2] - before[2]} readings are there")
        elif OPEN311 in label:
            if answer.request.method == "POST" and (status != 201 or after[0] != before[0] + 1):
                fault("told as taken, and no case is there")
        elif answer.request.method == "POST":
            said = _json(answer)
            new = said["new"] if "rows" in said else int(status == 201)
            # A step may take others with it (a merge tells the other case), but never fewer.
            if after[1] - before[1] < new or (not new and after != before):
                fault(f"{new} told as written, {after[1] - before[1]} events are there")
            for receipt in [row.get("receipt") for row in said["rows"]] if "rows" in said else [said]:
                if receipt and len(self._numbers) < 400:
                    self._numbers.append(receipt["no"])

    def _again(self, label: str, told: dict[str, Any]) -> None:
        """Replay a message: under its key it is the same, without one a step that was taken is refused or taken openly."""
        keyed = "Idempotency-Key" in told["headers"] and "batch" not in label
        before = self._counts()
        answer = self._asked(label, told)
        self.found.replayed += 1
        if answer is not None and keyed and (answer.status_code != 200 or self._counts() != before):
            self.found.faults.append(f"{label}: a replayed message was not taken as the same: {answer.status_code} to {_short(told)}")

    def _counts(self) -> tuple[int, ...]:
        # The clock lets whistles climb meanwhile.
        by_somebody = select(func.count()).select_from(event).where(event.c.actor != CLOCK.name)
        with self.store.read() as connection:
            return tuple(connection.execute(select(
                select(func.count()).select_from(cases).scalar_subquery(), by_somebody.scalar_subquery(),
                # The sums of the days count each reading once.
                select(func.coalesce(func.sum(reading_sum.c.n), 0)).where(reading_sum.c.grain == DAY).scalar_subquery())).one())


def _reason(answer: requests.Response) -> bool:
    """Return whether a refusal says why, in the form of our own API or of Open311."""
    if answer.headers.get("content-type", "").startswith("text/xml"):
        return bool(ElementTree.fromstring(answer.content).findtext("error/description"))  # noqa: S314  (our own answer)
    said = _json(answer)
    if isinstance(said, list):
        return bool(said and said[0].get("description"))
    return bool(isinstance(said, dict) and (said.get("message") or said.get("detail")))


def run(where: Path, number: int, most_s: float = 1e9, seed: int = 1, only: str = "") -> Findings:
    """Send about so many requests (fewer when the time is up) and look at what is left in the database.

    `only` = part of the names of the operations that are asked.
    """
    warnings.simplefilter("ignore")
    with town(where) as (address, store, heads):
        fuzz = Fuzz(address, store, heads, seed)
        described = requests.get(f"{address}/openapi.json", headers=heads["root"], timeout=30).json()
        operations = [one.ok() for one in schemathesis.openapi.from_dict(described).get_all_operations() if only in one.ok().label]
        whole = sum(WEIGHT[one.method.lower()] for one in operations)
        began = time.perf_counter()
        # Doors first: what they bring in is there to be asked about.
        for one in sorted(operations, key=lambda one: (one.method.lower() != "post", one.label != "POST /api/v1/cases", one.label)):
            share = WEIGHT[one.method.lower()] / whole
            for mode in GenerationMode:
                _each(fuzz, one, mode, max(2, round(number * share / 2)), time.perf_counter() + most_s * share / 2, seed)
        fuzz.found.took_s = time.perf_counter() - began
        _left(store, fuzz.found)
        return fuzz.found


def _each(fuzz: Fuzz, operation: Any, mode: GenerationMode, number: int, end: float, seed: int) -> None:
    @begin_with(seed)
    @settings(max_examples=number, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: schemathesis.Case) -> None:
        if time.perf_counter() < end:
            fuzz.send(case)

    try:
        each()
    except Exception as bad:
        # An operation without a parameter has nothing that could be wrong.
        if mode is GenerationMode.POSITIVE or type(bad).__name__ not in ("SkipTest", "Unsatisfiable", "Skipped"):
            raise


def _left(store: Store, found: Findings) -> None:
    """Look at the database: every case has all events from the first to its last, and all sums are those of a rebuild."""
    with store.read() as connection:
        torn = connection.execute(
            select(cases.c.no).outerjoin(event, event.c.case_id == cases.c.id).group_by(cases.c.id)
            .having((func.count(event.c.id) != func.max(cases.c.seq)) | (func.max(event.c.seq) != func.max(cases.c.seq)))).scalars().all()
    found.faults += [f"case {no} is torn" for no in torn]
    done = compare(store, quiet=True)
    if done.mended or done.differing:
        found.faults += [f"a rebuild would mend {done.mended} cases and {done.differing} sums", *map(str, done.examples)]


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _short(told: dict[str, Any]) -> str:
    told = told | {"headers": {k: v for k, v in told["headers"].items() if k not in ("Cookie", "Authorization")}}
    return ascii({k: told.get(k) for k in ("method", "url", "params", "json", "headers") if told.get(k)})[:400]


def main() -> int:
    """Run it and print its table; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of the operations, such as POST")
    given_ = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        found = run(Path(where), given_.requests, seed=given_.seed, only=given_.only)
    for line in found.rows():
        print(line)
    return int(bool(found.faults))


if __name__ == "__main__":
    raise SystemExit(main())
