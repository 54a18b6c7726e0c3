"""The door: who is let in, what each one sees, and that nothing of one visitor is shown to another."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from dashboard import create_app
from dashboard.login_pages import own
from queries.people import accounts, tokens
from queries.people.tables import account, session
from queries.settings import Settings
from queries.store import Store
from tests.conftest import chromium, serving
from tests.visitors import GOOD, HERE, PLACES, RULES, people, signed_in, visit
from tests.waiting import shown as until


@pytest.fixture(scope="module")
def peopled(sqlite_city: Store) -> Iterator[Store]:
    """The demo city with accounts."""
    with people(sqlite_city):
        yield sqlite_city


@pytest.fixture(scope="module")
def app(peopled: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("tiles")), peopled).server


@pytest.fixture(scope="module")
def abroad(peopled: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same city where others reach it: without demo posts."""
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("tiles"), host="0.0.0.0", https=True), peopled).server


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Any]:
    """A server that is no demo, before anything is loaded."""
    made = Store(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    made.upgrade()
    yield create_app(Settings(data_dir=tmp_path), made).server
    made.close()


CLOSED = ("/api/v1/me", "/api/v1/cases", "/api/v1/cases.csv", "/api", "/openapi.json", "/map/values?layer=overdue", "/map/base/x",
          "/map/tiles/x/1/0/0/0.webp", "/map/shapes/x/1/-", "/_dash-layout", "/_dash-dependencies")


@pytest.mark.parametrize("path", CLOSED)
def test_nobody_gets_nothing_from_a_real_city(empty: Any, path: str) -> None:
    told = visit(empty).get(path)
    assert told.status_code == 401
    assert set(told.json()) == {"error", "message"}


@pytest.mark.parametrize("path", ["/", "/data?lang=en", "/street", "/nonsense"])
def test_a_page_leads_nobody_to_the_sign_in_page_and_back(empty: Any, path: str) -> None:
    told = visit(empty).get(path)
    assert told.status_code == 303
    way = urlsplit(told.headers["location"])
    assert way.path == "/login"
    assert visit(empty).get(told.headers["location"]).status_code == 200


def test_callbacks_and_sockets_are_closed_to_nobody(empty: Any) -> None:
    from starlette.websockets import WebSocketDisconnect

    one = visit(empty)
    assert one.post("/_dash-update-component", json={}).status_code == 401
    with pytest.raises(WebSocketDisconnect), one.websocket_connect("/_dash-ws-callback", headers={"origin": HERE}):
        pass


def test_what_needs_no_name_is_open(empty: Any, abroad: Any) -> None:
    one = visit(empty)
    assert one.get("/assets/60-login.css").status_code == 200
    assert one.get("/login").status_code == 200
    assert set(one.get("/healthz").json()) == {"boot", "loaded", "at", "sources"}
    told = visit(abroad, "https://brain.example").get("/healthz").json()
    assert all(set(source) == {"state"} for source in told["sources"])
    assert len(told["sources"]) == 8


@pytest.mark.parametrize("how", [
    {"client": "10.1.2.3"}, {"base": "http://brain.example"}, {"X-Forwarded-For": "10.1.2.3"}, {"Forwarded": "for=10.1.2.3"},
])
def test_demo_posts_are_for_this_machine_only(app: Any, how: dict[str, str]) -> None:
    assert visit(app).get("/api/v1/me").json()["name"] == "demo:viewer"
    one = visit(app, **how)
    assert one.get("/api/v1/me").status_code == 401
    assert one.get("/").status_code == 303


def test_a_demo_city_that_others_reach_needs_accounts(abroad: Any) -> None:
    one = visit(abroad)
    assert one.get("/api/v1/me").status_code == 401
    assert one.post("/demo-post/admin").status_code == 303  # to the sign-in page
    assert "gov_demo_post" not in one.cookies


@pytest.mark.parametrize(("post", "role", "areas"), [
    ("viewer", "viewer", None), ("dispatcher", "dispatcher", None), ("street", "street", ["990103001"]), ("department", "department", None),
    ("admin", "admin", None),
])
def test_a_demo_post_is_chosen_and_stands_on_what_is_done(app: Any, post: str, role: str, areas: list[str] | None) -> None:
    one = visit(app)
    gone = one.post(f"/demo-post/{post}", headers={"referer": f"{HERE}/data?place=990105&lang=en"})
    me = one.get("/api/v1/me").json()

    assert (me["name"], me["post"], me["areas"]) == (f"demo:{post}", role, areas)
    assert me["department"] == ("urban" if post == "department" else "")
    # A place that the post may not see is left; who answers for one area begins there.
    assert gone.headers["location"] == f"/data?place={'990103001' if post == 'street' else '990105'}&lang=en"


def test_an_unknown_demo_post_is_the_usual_one(app: Any) -> None:
    one = visit(app)
    assert one.post("/demo-post/mayor").status_code == 404
    one.cookies.set("gov_demo_post", "mayor")
    assert one.get("/api/v1/me").json()["name"] == "demo:viewer"


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(app: Any, abroad: Any) -> None:
    def cookie(one: TestClient) -> set[str]:
        given = one.post("/login", data={"name": "north", "password": GOOD}).headers["set-cookie"]
        assert re.fullmatch(r"gov_session=[\w-]{43}", given.split(";")[0])
        return {part.strip().lower() for part in given.split(";")[1:]}

    assert cookie(visit(app)) == {"httponly", "samesite=lax", "path=/"}
    assert cookie(visit(app, "https://127.0.0.1")) == {"httponly", "samesite=lax", "path=/", "secure"}
    assert cookie(visit(abroad, "https://brain.example")) == {"httponly", "samesite=lax", "path=/", "secure"}
    # Without a trusted proxy its word about https is only a word.
    assert "secure" not in cookie(visit(app, **{"X-Forwarded-Proto": "https"}))


def test_a_planted_session_is_not_taken_up(app: Any) -> None:
    victim = visit(app)
    victim.cookies.set("gov_session", "planted-by-somebody-who-waits")
    done = victim.post("/login", data={"name": "north", "password": GOOD})

    assert done.cookies["gov_session"] != "planted-by-somebody-who-waits"
    waiting = visit(app)
    waiting.cookies.set("gov_session", "planted-by-somebody-who-waits")
    assert waiting.get("/api/v1/me").json()["name"] == "demo:viewer"


def test_signing_in_again_ends_the_session_before(app: Any) -> None:
    one = signed_in(app, "north")
    old = one.cookies["gov_session"]
    one.post("/login", data={"name": "north", "password": GOOD})
    late = visit(app)
    late.cookies.set("gov_session", old)
    assert late.get("/api/v1/me").json()["name"] == "demo:viewer"


def test_signing_out_ends_the_session_and_not_only_the_cookie(app: Any) -> None:
    one = signed_in(app, "north")
    secret = one.cookies["gov_session"]
    assert one.get("/logout").status_code == 200
    assert one.get("/api/v1/me").json()["name"] == "north"
    assert one.post("/logout").headers["location"] == "/login"
    late = visit(app)
    late.cookies.set("gov_session", secret)
    assert late.get("/api/v1/me").json()["name"] == "demo:viewer"


@pytest.mark.parametrize(("lang", "words"), [("zh", "账号或密码不正确"), ("en", "do not open anything")])
def test_a_refused_sign_in_says_the_same_words_whatever_is_wrong(app: Any, lang: str, words: str) -> None:
    one = visit(app)
    pages = [one.post(f"/login?lang={lang}", data={"name": name, "password": "Wrong-Pond-1"}) for name in ("south", "nobody")]
    assert [page.status_code for page in pages] == [401, 401]
    assert words in pages[0].text
    assert pages[0].text.replace("south", "nobody") == pages[1].text
    signed_in(app, "south")  # forgets the wrong one


@pytest.mark.parametrize("sent", [b"", b"name=%ff&password=%ff", b"\xff\xfe", b"name=" + b"a" * 9000, b"&" * 90, b"name=a&password=" + b"b" * 3000])
def test_a_form_of_rubbish_is_a_refused_sign_in(app: Any, sent: bytes) -> None:
    assert visit(app).post("/login", content=sent).status_code == 401


def test_what_was_typed_comes_back_as_text_only(app: Any) -> None:
    page = visit(app).post("/login?next=%2F%22%3E%3Cscript%3E", data={"name": "\"><script>alert(1)</script>", "password": "x"})
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


FOREIGN = (
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1:9999"}, {"Origin": "http://127.0.0.1.evil.example"},
)


@pytest.mark.parametrize("path", ["/login", "/logout", "/password", "/demo-post/admin", "/_dash-update-component", "/api/v1/cases"])
def test_another_sites_page_changes_nothing(app: Any, path: str) -> None:
    for one in (visit(app), signed_in(app, "north")):
        before = dict(one.cookies), one.get("/api/v1/me").json()
        for headers in FOREIGN:
            told = one.post(path, data={"name": "boss", "password": GOOD}, headers=headers)
            assert told.status_code == 403, headers
        assert (dict(one.cookies), one.get("/api/v1/me").json()) == before


@pytest.mark.parametrize("headers", [{"Origin": HERE}, {"Sec-Fetch-Site": "same-origin", "Origin": HERE}, {}])
def test_our_own_pages_may(app: Any, headers: dict[str, str]) -> None:
    assert visit(app).post("/demo-post/admin", headers=headers).status_code == 303


@given(st.text(max_size=40) | st.text("/\\.:@?#%a\t\n ", max_size=12))
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("https://evil.example")
@example("javascript:alert(1)")
def test_a_sign_in_never_leads_to_another_site(path: str) -> None:
    # A browser drops tabs and line ends, and takes a backslash for a slash.
    way = re.sub(r"[\t\r\n]", "", own(path)).replace("\\", "/")
    assert way.startswith("/")
    assert urlsplit(urljoin("https://brain.example/login", way)).netloc == "brain.example"


def test_a_sign_in_leads_back_to_where_one_was(app: Any) -> None:
    def way(next_: str) -> str:
        return visit(app).post("/login", params={"next": next_}, data={"name": "boss", "password": GOOD}).headers["location"]

    assert way("/data?place=990103&lang=en") == "/data?place=990103&lang=en"
    assert way("https://evil.example/") == "/?lang=zh"
    assert visit(app).post("/login", data={"name": "north", "password": GOOD}).headers["location"] == "/?place=990103001&lang=zh"


def test_a_one_time_password_opens_nothing_but_its_replacement(app: Any, peopled: Store) -> None:
    once = accounts.make(peopled, "newcomer", "viewer", ["all"])
    one = visit(app)
    assert urlsplit(one.post("/login", data={"name": "newcomer", "password": once}).headers["location"]).path == "/password"
    assert urlsplit(one.get("/data").headers["location"]).path == "/password"
    assert one.get("/api/v1/cases").status_code == 403
    assert one.post("/_dash-update-component", json={}).status_code == 403
    assert "一次性密码" in one.get("/password").text

    wrong = {"old": once, "new": "Pond-Lotus-77", "again": "Pond-Lotus-78"}
    assert "不一致" in one.post("/password", data=wrong).text
    assert one.post("/password", data=wrong | {"new": "weak", "again": "weak"}).status_code == 400
    assert one.post("/password", data=wrong | {"old": "no", "again": "Pond-Lotus-77"}).status_code == 401
    before = one.cookies["gov_session"]
    done = one.post("/password", data=wrong | {"again": "Pond-Lotus-77"})

    assert done.headers["location"] == "/?lang=zh"
    assert one.cookies["gov_session"] != before
    assert one.get("/api/v1/me").json()["name"] == "newcomer"
    assert accounts.verify(peopled, "newcomer", "Pond-Lotus-77", RULES)


def test_a_source_brings_data_in_and_reads_nothing(app: Any, abroad: Any, peopled: Store) -> None:
    secret = tokens.make(peopled, "hotline")
    for one in (visit(app), visit(abroad, "https://brain.example", "10.1.2.3")):
        machine = {"Authorization": f"Bearer {secret}"}
        for path in ("/", "/api/v1/me", "/api/v1/cases", "/map/values", "/healthz"):
            assert one.get(path, headers=machine).status_code == 403
        assert one.post("/_dash-update-component", json={}, headers=machine).status_code == 403
        # Let through to the intake, which knows no such path; a token is no cookie, so its origin is no matter.
        assert one.post("/api/v1/nothing", headers=machine | {"Origin": "http://elsewhere"}).status_code in (404, 405)
        # A bad token is nobody, also beside a good cookie or where demo posts are lent.
        assert one.get("/api/v1/me", headers={"Authorization": "Bearer gov_guess"}).status_code == 401


def test_a_page_left_alone_does_not_keep_its_session(app: Any, peopled: Store) -> None:
    one = signed_in(app, "east")

    def seen() -> int:
        with peopled.read() as connection:
            return connection.scalar(select(session.c.seen_at).join(account, account.c.id == session.c.account_id).where(account.c.name == "east"))

    with peopled.aside() as connection:
        connection.execute(session.update().values(seen_at=session.c.seen_at - 300))
    then = seen()
    one.get("/healthz")
    one.get("/api/v1/me", headers={"X-Gov-Unattended": "1"})
    # A picture that a page asks for again and again says nothing of who sits before it.
    one.get("/camera/still/CM00001?key=x")
    one.get("/camera/live/CM00001?key=x")
    time.sleep(0.3)
    assert seen() == then
    one.get("/api/v1/me")
    end = time.monotonic() + 10
    while seen() == then and time.monotonic() < end:
        time.sleep(0.02)
    assert seen() > then + 250


@pytest.mark.browser
def test_two_browsers_of_two_posts_show_two_cities(app: Any, browser: Any) -> None:
    def enter(one: Any, name: str) -> None:
        one.get(f"{address}/?lang=en")
        until(one, "return location.pathname==='/' && document.querySelector('.who a[href^=\"/login\"]')")
        one.get(f"{address}/login?lang=en")
        one.execute_script("document.getElementById('name').value=arguments[0];document.getElementById('password').value=arguments[1];"
                           "document.querySelector('form').requestSubmit()", name, GOOD)
        until(one, "return location.pathname==='/' && document.querySelector('.who')")

    def seen(one: Any) -> dict[str, Any]:
        until(one, "return window.govMap && window.govMap.painted>0 && document.querySelector('.panel-case_list tbody.rows tr') && document.querySelector('.ranking tbody.rows tr')")
        export = one.execute_script("return document.querySelector('a[download]').getAttribute('href')")
        return one.execute_async_script("""
          const done=arguments[2], places=[...document.querySelectorAll('.ranking a[href*="place="], .panel-case_list a[href*="place="]')].map(a=>new URL(a.href).searchParams.get('place'));
          Promise.all([fetch(arguments[0]).then(r=>r.text()), fetch('/map/values?layer=open_cases&level=4').then(r=>r.json()),
                       fetch('/api/v1/me').then(r=>r.json())])
            .then(([table, values, me])=>done({places, table, n:[...window.govMap.column(values.values)].filter(v=>v===v).length, me, who:document.querySelector('.who').innerText, state:window.govMap.state()}))
        """, export, None)

    with serving(app) as address, chromium() as second:
        for one, name in ((browser, "north"), (second, "south")):
            enter(one, name)
        with ThreadPoolExecutor(2) as both:
            told = dict(zip(("north", "south"), both.map(seen, (browser, second)), strict=True))
        # One more time, now that everything of the other is in the caches of the server.
        for one, name in ((browser, "north"), (second, "south")):
            one.refresh()
            told[f"{name} again"] = seen(one)
        browser.delete_all_cookies()

    for name, shown in told.items():
        mine = PLACES[name.split()[0]][0]
        assert shown["me"]["name"] == name.split()[0]
        assert shown["places"]
        assert all(code.startswith(mine) for code in shown["places"])
        rows = list(csv.DictReader(io.StringIO(shown["table"].lstrip("\ufeff"))))
        assert rows
        assert all(row["area_code"].startswith(mine) for row in rows)
        assert shown["n"] > 0
        assert shown["state"]["place"] == mine
        assert name.split()[0] in shown["who"]
    assert told["north"]["table"] != told["south"]["table"]


@pytest.mark.browser
def test_a_session_that_is_over_leads_to_the_sign_in_page(abroad: Any, peopled: Store, browser: Any) -> None:
    plain = create_app(Settings(data_dir=Path(abroad.state.context.settings.data_dir), host="0.0.0.0"), peopled).server
    with serving(plain) as address:
        browser.get(f"{address}/?lang=en")
        assert "/login?next=" in browser.current_url
        browser.execute_script("document.getElementById('name').value='boss';document.getElementById('password').value=arguments[0];"
                               "document.querySelector('form').requestSubmit()", GOOD)
        wait_for(browser, lambda: browser.execute_script("return document.querySelectorAll('.tile').length>5"))
        wait_for(browser, lambda: browser.execute_script("return document.querySelector('.ranking tbody.rows a')"))
        with peopled.aside() as connection:
            connection.execute(delete(session))
        # What the page was still asking for may have met the end before the click does: then it has left already.
        browser.execute_script("document.querySelector('.ranking tbody.rows a')?.click()")
        wait_for(browser, lambda: "/login?next=%2F%3F" in browser.current_url)
        browser.delete_all_cookies()


def wait_for(browser: Any, true: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(browser.current_url)


