"""Open311 both ways over real HTTP: our client against our own server, and against servers that misbehave."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from dashboard import create_app
from queries import loading
from queries.clock import now
from queries.errors import DoorError, GovError
from queries.loop.rebuild import rebuild
from queries.loop.tables import heard, reporter
from queries.loop.writer import Writer
from queries.people import tokens
from queries.settings import Settings
from queries.sources import _geo_report as wire
from queries.sources import open311
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn
from queries.store import Store
from queries.tables import cases, event, quarantine
from tests.conftest import serving
from tests.test_loop import CITY, STREETS, little, new, step, sums, to_handling, writer  # noqa: F401  (fixtures)

URL = "/open311/v2"


@pytest.fixture
def away(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Another city's database, which knows the same places."""
    made = Store(f"sqlite:///{tmp_path / 'away.sqlite'}") if store.dialect == "sqlite" else Store(request.getfixturevalue("postgres").database())
    folder = tmp_path / "away"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    loading.load(folder, made, quiet=True)
    yield made
    made.close()


@contextmanager
def ours(store: Store, tmp_path: Path, **more: Any) -> Iterator[str]:
    app = create_app(Settings(data_dir=tmp_path, **{"open311_public": True, **more}), store).server
    with serving(app) as address:
        yield address + URL
    app.state.context.close()


def fetch(address: str, form: dict[str, str] | None = None, token: str = "", **headers: str) -> tuple[int, str, bytes]:
    body = urllib.parse.urlencode(form).encode() if form is not None else None
    ask = urllib.request.Request(address, data=body, headers={**({"Authorization": f"Bearer {token}"} if token else {}), **headers})
    try:
        with urllib.request.urlopen(ask, timeout=20) as reply:
            return reply.status, reply.headers["content-type"], reply.read()
    except urllib.error.HTTPError as bad:
        return bad.code, bad.headers["content-type"], bad.read()


def told(address: str, form: dict[str, str] | None = None, token: str = "", **headers: str) -> tuple[int, Any]:
    code, _, body = fetch(address, form, token, **headers)
    return code, json.loads(body)


def look(store: Store, url: str, **more: Any) -> Told:
    """Let the client have one turn."""
    made = Writer(store)
    try:
        rules = Settings(open311_url=url, open311_categories={"*": "litter"}, **more)
        return open311.run(Turn(writer=Pen(made), settings=rules))
    finally:
        made.close()


def rows(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        return {r.no: r for r in connection.execute(select(cases))}


def steps(store: Store, no: str) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [(r.step, r.status) for r in connection.execute(
            select(event.c.step, event.c.status).join(cases, cases.c.id == event.c.case_id).where(cases.c.no == no).order_by(event.c.seq))]


def counts(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return {r.what: r.n for r in connection.execute(select(heard).where(heard.c.source == open311.ID))}


@pytest.mark.parametrize("window", ["requested", "updated"])
def test_our_client_takes_over_from_our_server_and_builds_the_history(writer: Writer, away: Store, tmp_path: Path, window: str) -> None:  # noqa: F811
    first, second = new(writer), to_handling(writer)
    with ours(writer.store, tmp_path) as url:
        assert look(away, url, open311_window=window).taken == 2
        held = rows(away)
        assert {no: r.status for no, r in held.items()} == {f"O311-{first}": "reported", f"O311-{second}": "reported"}
        assert held[f"O311-{first}"].lon == pytest.approx(110.05)
        assert look(away, url, open311_window=window).taken == 0
        assert steps(away, f"O311-{first}") == [("reported", "reported")]

        step(writer, first, "rejected", reason="不属本辖区")
        assert look(away, url, open311_window=window).taken == 1

    assert steps(away, f"O311-{first}") == [("reported", "reported"), ("changed", "closed")]
    done = rows(away)[f"O311-{first}"]
    assert (done.is_open, done.closed_at is not None) == (False, True)
    before = sums(away)
    assert rebuild(away, quiet=True).mended == 0
    assert sums(away) == before


def test_our_server_tells_services_and_requests_as_the_standard_says(writer: Writer, tmp_path: Path) -> None:  # noqa: F811
    no = new(writer, title="联系人张三丰 13812345678", contact="13812345678", text="李四说")
    with ours(writer.store, tmp_path) as url:
        code, services = told(f"{url}/services.json")
        assert (code, {s["service_code"] for s in services}) == (200, {"litter", "flood", "other"})
        assert told(f"{url}/services/litter.json") == (200, {"service_code": "litter", "attributes": []})
        code, found = told(f"{url}/requests/{no}.json?jurisdiction_id=9")
        assert (code, found[0]["status"], found[0]["service_code"]) == (200, "open", "litter")
        for path in ("requests", f"requests/{no}"):
            _, _, body = fetch(f"{url}/{path}.json")
            assert b"13812345678" not in body
            assert "张三丰" not in body.decode()
            assert "李四" not in body.decode()
        assert told(f"{url}/requests.json?status=closed") == (200, [])
        assert len(told(f"{url}/requests.json?status=open&service_code=litter,flood")[1]) == 1
        assert told(f"{url}/requests.json?service_code=flood") == (200, [])
        soon = urllib.parse.quote((now() + timedelta(hours=1)).isoformat())
        assert told(f"{url}/requests.json?start_date={soon}") == (200, [])
        assert len(told(f"{url}/requests.json?end_date={soon}")[1]) == 1
        assert told(f"{url}/requests.json?updated_after={soon}") == (200, [])
        assert told(f"{url}/requests.json?page=2") == (200, [])
        assert told(f"{url}/tokens/{no}.json") == (200, [{"service_request_id": no, "token": no}])
        assert told(url.replace("/v2", "/discovery.json"))[1]["endpoints"][0]["url"].endswith(URL)


def test_every_answer_is_well_formed_xml_too(writer: Writer, tmp_path: Path) -> None:  # noqa: F811
    new(writer, title="a\x01<b>&\"'")
    with ours(writer.store, tmp_path) as url:
        for path in ("services.xml", "requests.xml", "services/litter.xml", "../discovery.xml", "requests/nowhere.xml", "services/nowhere.xml", "requests.xml?status=x"):
            code, kind, body = fetch(f"{url}/{path}".replace("/v2/..", ""))
            root = Tree.fromstring(body)
            assert kind.startswith("text/xml"), path
            assert (root.tag == "errors") == (code != 200), path
            if path == "requests.xml":
                assert root.tag == "service_requests"
                assert root[0].findtext("service_code") == "litter"


def test_an_error_is_a_list_of_code_and_description(writer: Writer, tmp_path: Path) -> None:  # noqa: F811
    with ours(writer.store, tmp_path) as url:
        for path, code in (("requests/nowhere.json", 404), ("requests/no/where.json", 404), ("nothing", 404), ("services/nowhere.json", 404), ("requests.json?status=half", 400), ("requests.yaml", 404),
                           ("requests.json?start_date=yesterday", 400), ("requests.json?page=0", 400), ("services.json?jurisdiction_id=elsewhere", 404)):
            status, said = told(f"{url}/{path}")
            assert status == code, path
            assert [set(one) for one in said] == [{"code", "description"}], path
            assert said[0]["code"] == code


def test_a_report_needs_a_key_and_comes_in_once_with_its_reporter_hidden(writer: Writer, tmp_path: Path) -> None:  # noqa: F811
    key = tokens.make(writer.store, "app")
    form = {"service_code": "litter", "lat": "20.05", "long": "110.05", "description": "路灯不亮", "first_name": "三", "phone": "13812345678"}
    with ours(writer.store, tmp_path, open311_public=False) as url:
        assert told(f"{url}/requests.json", form)[0] == 403
        assert told(f"{url}/requests.json", form | {"api_key": "gov_wrong"})[0] == 403
        assert told(f"{url}/requests.json?api_key={key}", form)[0] == 403, "a secret in an address is logged by others"
        code, said = told(f"{url}/requests.json", form | {"api_key": key}, **{"Idempotency-Key": "k"})
        assert code == 201
        assert told(f"{url}/requests.json", form | {"api_key": key}, **{"Idempotency-Key": "k"})[1] == said
        code, kind, body = fetch(f"{url}/requests.xml", form | {"api_key": key})
        assert (code, kind.split(";")[0]) == (201, "text/xml")
        assert Tree.fromstring(body)[0].findtext("service_request_id")
        # Nobody reads without a right; a source reads what it brought itself.
        assert told(f"{url}/requests.json")[0] == 403
        other = new(writer)
        nos = {r["service_request_id"] for r in told(f"{url}/requests.json", token=key)[1]}
        assert said[0]["service_request_id"] in nos
        assert other not in nos
        for bad, field in (({"service_code": "nothing"}, "category"), ({"lat": "north"}, "lat"), ({"lat": "", "address_string": ""}, "lat")):
            code, why = told(f"{url}/requests.json", form | {"api_key": key} | bad)
            assert code == 400
            assert field in why[0]["description"]
    with writer.store.read() as connection:
        assert connection.scalar(select(reporter.c.contact).order_by(reporter.c.id).limit(1)) == "三; 13812345678"
        kept = connection.execute(select(quarantine.c.source, quarantine.c.raw)).all()
        assert len(kept) == 3
        assert all(r.source == "app" and key not in r.raw for r in kept)


class Other:
    """Another city's server, as it is told to behave."""

    def __init__(self) -> None:
        self.held: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        #: What to do with a request before anything else; returns True when it has answered.
        self.mood: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False
        self.cap, self.pages, self.form = 1000, True, "json"

    def answer(self, q: dict[str, str]) -> list[dict[str, Any]]:
        found = self.held
        if "service_request_id" in q:
            return [r for r in found if r.get("service_request_id") in q["service_request_id"].split(",")]
        if "start_date" in q:
            found = [r for r in found if q["start_date"] <= r["requested_datetime"] <= q["end_date"]]
        start = (int(q.get("page", 1)) - 1) * self.cap if self.pages else 0
        return found[start:start + self.cap]


@pytest.fixture
def other() -> Iterator[tuple[str, Other]]:
    it = Other()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            it.asked.append(q)
            if it.mood(self):
                return
            body = wire.written("service_requests", it.answer(q), it.form)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}", it
    made.shutdown()
    made.server_close()


def one(number: int, days: float = 1.0, **more: Any) -> dict[str, Any]:
    at = (now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"service_request_id": str(number), "status": "open", "requested_datetime": at, "updated_datetime": at, "service_name": "Pothole",
            "service_code": "P1", "lat": 20.05, "long": 110.05, **more}


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("pages", [True, False])
def test_all_requests_come_in_though_the_server_cuts_its_answers_off(away: Store, other: tuple[str, Other], pages: bool, form: str) -> None:
    url, it = other
    it.held = [one(i, days=0.02 + i * 0.01) for i in range(230)]
    it.cap, it.pages, it.form = 60, pages, form
    assert look(away, url).taken == 230
    assert len(rows(away)) == 230


def test_rubbish_is_kept_with_its_reason_once_and_the_rest_comes_in(away: Store, other: tuple[str, Other]) -> None:
    url, it = other
    it.held = [one(1), one(2, status="half", first_name="secret"), one(3, lat=999), one(4, service_code="\x00a", description="x" * 5000), {"requested_datetime": one(1)["requested_datetime"]}]
    done = look(away, url)
    assert (done.taken, done.refused) == (2, 3)
    assert look(away, url).refused == 0
    with away.read() as connection:
        kept = connection.execute(select(quarantine).where(quarantine.c.source == open311.ID)).all()
    assert len(kept) == 3
    assert all(r.reason and r.reason_en for r in kept)
    assert not any("secret" in r.raw for r in kept)
    assert counts(away)["refused"] == 3


def test_an_older_word_that_comes_later_changes_nothing_and_is_counted(away: Store, other: tuple[str, Other]) -> None:
    url, it = other
    late = (now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ahead = (now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    it.held = [one(1, status="closed", updated_datetime=late), one(2)]
    look(away, url, open311_window="updated")
    it.held = [one(1, status="open"), one(2, updated_datetime=ahead, description="more")]
    look(away, url, open311_window="updated")
    look(away, url, open311_window="updated")
    assert not rows(away)["O311-1"].is_open
    said = counts(away)
    assert (said["disordered"], said["late"], said["ahead"]) == (2, 2, 1)
    assert "again" not in said, "we asked again; it is not the source that repeats itself"


def test_what_was_closed_here_stays_closed_and_what_its_source_closed_it_may_open(away: Store, other: tuple[str, Other]) -> None:
    url, it = other
    it.held = [one(1), one(2, status="closed")]
    look(away, url)
    made = Writer(away)
    step(made, "O311-1", "rejected", reason="不属本辖区")
    made.close()
    later = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    it.held = [one(1, description="new words", updated_datetime=later), one(2, updated_datetime=later, description="again")]
    rules = {"open311_window": "updated"}
    look(away, url, **rules)
    held = rows(away)
    assert (held["O311-1"].status, held["O311-2"].status) == ("cancelled", "handling")
    assert held["O311-1"].title == "new words"


def redirects(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "file:///etc/passwd")
    handler.end_headers()
    return True


def bombs(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'<!DOCTYPE a [<!ENTITY b "c">]><service_requests>&b;</service_requests>')
    return True


def pages(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<html><p>down for maintenance")
    return True


def refuses(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_error(401)
    return True


@pytest.mark.parametrize(("mood", "why"), [(redirects, "elsewhere"), (bombs, "document type"), (pages, "no XML"), (refuses, "401")])
def test_a_server_that_answers_otherwise_is_an_error_in_both_languages(away: Store, other: tuple[str, Other], mood: Any, why: str) -> None:
    url, it = other
    it.mood = mood
    with pytest.raises(DoorError, match=why) as bad:
        look(away, url)
    assert bad.value.zh


def test_a_server_that_is_busy_is_asked_again(away: Store, other: tuple[str, Other]) -> None:
    url, it = other
    it.held, left = [one(1)], [2]

    def busy(handler: BaseHTTPRequestHandler) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        handler.send_response(503)
        handler.send_header("Retry-After", "0")
        handler.end_headers()
        return True

    it.mood = busy
    assert look(away, url).taken == 1


def test_an_endless_answer_is_broken_off(away: Store, other: tuple[str, Other], monkeypatch: pytest.MonkeyPatch) -> None:
    url, it = other
    monkeypatch.setattr("queries.sources._http.LARGEST", 100_000)

    def floods(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * 10_000)
        except OSError:
            return True

    it.mood = floods
    began = time.monotonic()
    with pytest.raises(DoorError, match="more than"):
        look(away, url)
    assert time.monotonic() - began < 20


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*wire.Request.model_fields, "x"]), inner, max_size=6), max_leaves=12))
def test_whatever_a_server_says_of_a_request_is_read_or_refused(row: Any) -> None:
    refused: list[GovError] = []
    try:
        read = wire.request(row)
    except GovError as bad:
        refused.append(bad)
    assert all(bad.zh for bad in refused)
    assert refused or read.status.lower() in ("open", "closed")


def test_no_case_was_lost_or_doubled_by_a_client_that_looks_twice_at_once(away: Store, other: tuple[str, Other]) -> None:
    url, it = other
    it.held = [one(i, days=0.1 * (i + 1)) for i in range(40)]
    both = [threading.Thread(target=look, args=(away, url)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    with away.read() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 40
