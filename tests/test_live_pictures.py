"""Live pictures through a link of ours: what a browser gets, what it never gets, and when it ends."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dashboard import create_app
from queries import cameras, live_video, loading
from queries.city.eyes import LIKE, GatewaySpec
from queries.clock import now, stamp
from queries.errors import NoPictureError, ScopeError
from queries.frame import EVERYTHING, Actor
from queries.live_video import Live, Parts, Seal
from queries.sensing.tables import camera_view
from queries.settings import Settings
from queries.store import Store
from queries.tables import camera
from tests.conftest import missing, serving
from tests.gateway import HUSH, PASSWORD, USER, encoded, serving_gateway
from tests.test_cameras import ASK
from tests.test_cameras import TABLE as CAMERAS
from tests.test_sensing import sensing_city
from tests.visitors import visit

TABLE = CAMERAS + 'gateway = "gateway"\nlive = "live"\n'
GATEWAYS = '''
demo = true
view_reasons = {{ bridge = {{ name = "桥梁巡检", name_en = "Bridge round" }} }}
[gateways.main]
address = "http://{at}/hls/{{stream}}.m3u8"
[gateways.go]
address = "http://{at}"
like = "go2rtc"
live = "page"
[gateways.mtx]
address = "http://{at}"
like = "mediamtx"
live = "page"
[gateways.page]
address = "https://gateway.example:8889"
like = "mediamtx"
live = "page"
[codes]
'''
BAD = {
    "H1": "page.m3u8", "H2": "never.m3u8", "H3": "endless.m3u8", "H4": "elsewhere.m3u8", "H5": "nosuch.m3u8",
    "M1": "page", "M2": "never", "M3": "endless", "M4": "elsewhere", "M5": "pagestream", "M6": "stops",
}


@pytest.fixture(scope="session")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with HLS as fragmented MP4."""
    folder = tmp_path_factory.mktemp("hls")
    try:
        encoded(folder, True)
    except Exception as bad:  # noqa: BLE001  (whatever the encoder lacks)
        missing(f"no H.264 encoder is installed ({type(bad).__name__})")
    return folder


@pytest.fixture
def gateway(fragments: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a gateway, and what it is asked for."""
    with serving_gateway(fragments) as told:
        yield told


@pytest.fixture
def store(empty_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """One kind of database will do: what a gateway answers is no matter of it; views and their links are tested on both elsewhere."""
    made = Store(f"sqlite:///{shutil.copyfile(empty_sqlite, tmp_path / 'test.sqlite')}")
    yield made
    made.close()


def eyes_city(store: Store, tmp_path: Path, at: str) -> Store:
    """Load a demo city with cameras whose live pictures come from a gateway."""
    folder = tmp_path / "sensed"
    folder.mkdir(exist_ok=True)
    lines = ["code,name,lon,lat,state,class,still,stream,gateway,live",
             "G1,桥头,121.5,29.9,在线,重点公共区域,,live,main,", "P1,路口,121.5,29.9,在线,,,cross,page,", "N1,无网关,121.5,29.9,在线,,,,,",
             f"C1,带口令,121.5,29.9,在线,,,,,http://{USER}:{PASSWORD}@{at}/closed/live.m3u8", f"S1,总表,121.5,29.9,在线,,,,,http://{at}/master.m3u8",
             f"J1,广场,121.5,29.9,在线,重点行业,,,,http://{at}/mjpeg", f"J2,湖边,121.5,29.9,在线,,,,,http://{at}/plain", "X1,别处,121.5,29.9,在线,,,,,http://10.9.9.9/live.m3u8",
             *(f"{code},坏{code},121.5,29.9,在线,,,,,http://{at}/{way}" for code, way in BAD.items())]
    (folder / "cameras.csv").write_text("\n".join(lines) + "\n", "utf-8")
    sensing_city(store, tmp_path, TABLE)
    toml = (folder / "city.toml").read_text("utf-8")
    (folder / "city.toml").write_text(toml.replace("[codes]", GATEWAYS.format(at=at), 1), "utf-8")
    loading.load(folder, store, quiet=True)
    return store


@pytest.fixture
def asker(store: Store, tmp_path: Path, gateway: tuple[str, list[str]]) -> Iterator[Any]:
    """A client as the demo's dispatcher, a function that opens a view and returns its key, what the gateway was asked, the store."""
    at, asked = gateway
    server = create_app(Settings(data_dir=tmp_path, camera_hosts=at), eyes_city(store, tmp_path, at)).server
    with visit(server, Cookie="gov_demo_post=dispatcher") as client:
        actor = Actor(name=client.get("/api/v1/me").json()["name"], post="dispatcher", scope=EVERYTHING)

        def key(code: str) -> str:
            cameras.look(store, actor, ASK, code, "", cause="bridge")
            held = cameras.current(store, actor, ASK, code)
            assert held
            return cameras.signed(store, "", held)

        yield client, key, asked, store
    server.state.context.close()


def links(playlist: str) -> list[str]:
    found = [line for line in playlist.splitlines() if line and not line.startswith("#")]
    return found + [line.split('URI="')[1].split('"')[0] for line in playlist.splitlines() if 'URI="' in line]


def test_every_part_of_a_stream_goes_through_the_link_of_the_view(asker: Any, fragments: Path) -> None:
    client, key, _, _ = asker
    held = key("G1")
    told = client.get(f"/camera/live/G1?key={held}")
    assert (told.status_code, told.headers["content-type"], told.headers["cache-control"]) == (200, "application/vnd.apple.mpegurl", "no-store")
    parts = links(told.text)
    assert len(parts) >= 8
    assert all(one.startswith("/camera/live/G1/") and one.endswith(f"?key={held}") for one in parts)
    # Neither the gateway's address nor a name of its files is in what a browser reads.
    assert not any(word in told.text for word in ("127.0.0.1", "http", ".m4s", "init.mp4", "hush"))
    first = client.get(parts[0])
    assert (first.status_code, first.headers["content-type"]) == (200, "video/mp4")
    assert first.content in [file.read_bytes() for file in fragments.iterdir()]
    # The same address is the same text each time: a player knows a segment by it.
    assert links(client.get(f"/camera/live/G1?key={held}").text) == parts


def test_a_playlist_of_playlists_leads_to_the_same_end_and_its_tokens_stay_here(asker: Any) -> None:
    client, key, asked, _ = asker
    held = key("S1")
    told = client.get(f"/camera/live/S1?key={held}")
    assert "SERVER-CONTROL" not in told.text
    assert "hush" not in told.text
    (below,) = links(told.text)
    segments = links(client.get(below).text)
    assert client.get(segments[0]).headers["content-type"] == "video/mp4"
    assert "/hls/live.m3u8?session=hush-1" in asked


def test_a_cameras_password_is_used_here_and_told_to_nobody(asker: Any, caplog: pytest.LogCaptureFixture) -> None:
    client, key, _, _ = asker
    with caplog.at_level("DEBUG"):
        told = client.get(f"/camera/live/C1?key={key('C1')}")
        part = client.get(links(told.text)[0])
    assert (told.status_code, part.status_code) == (200, 200)
    assert PASSWORD not in told.text + str(told.headers) + str(part.headers)
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "hpack"))]
    assert not any(PASSWORD in r.getMessage() for r in ours)


@pytest.mark.parametrize("code", sorted(one for one in BAD if one.startswith("H")))
def test_a_gateway_that_gives_no_playlist_is_an_answer_that_says_so(asker: Any, code: str) -> None:
    client, key, _, _ = asker
    held, began = key(code), time.monotonic()
    told = client.get(f"/camera/live/{code}?key={held}")
    assert (told.status_code, told.json()["error"]) == (502, "NoPictureError")
    assert "hush" not in told.text
    assert "127.0.0.1" not in told.text
    assert time.monotonic() - began < 8.5


def test_a_camera_without_a_gateway_and_one_at_a_host_that_nobody_named_are_not_asked(asker: Any) -> None:
    client, key, asked, _ = asker
    for code in ("N1", "X1"):
        told = client.get(f"/camera/live/{code}?key={key(code)}")
        assert told.status_code == 400
    assert asked == []


def test_a_gateways_own_page_gets_a_signed_key_that_ends_with_the_view(asker: Any) -> None:
    client, key, _, _ = asker
    held = key("P1")
    told = client.get(f"/camera/live/P1?key={held}")
    assert (told.status_code, told.headers["location"]) == (302, f"https://gateway.example:8889/cross/?key={held}")


@pytest.mark.parametrize("told", [
    "http://127.0.0.1:9/x.mp4", "//127.0.0.2/x.mp4", "https://{at}/names/x.mp4", "../config", "/config", "a/../../config", "..%2fconfig", "%2e%2e/config", "%252e%252e/config",
    "..\\config", "file:///etc/passwd", "data:video/mp4;base64,AAAA", "http://[::1/x", "\u202econfig",
])
def test_a_playlist_that_names_another_place_is_not_passed_on(told: str, gateway: tuple[str, list[str]]) -> None:
    live = Live(kind="hls", address=f"http://{gateway[0]}/names/live.m3u8", hosts=gateway[0])
    with pytest.raises(NoPictureError):
        live_video.rewritten(live, live.address, f"#EXTM3U\n#EXTINF:1,\n{told.format(at=gateway[0])}\n", str)
    with pytest.raises(NoPictureError):
        live_video.rewritten(live, live.address, f'#EXTM3U\n#EXT-X-MAP:URI="{told.format(at=gateway[0])}"\n', str)


@pytest.mark.parametrize("line", ['#EXT-X-KEY:METHOD=AES-128,URI="key"', "#EXT-X-BYTERANGE:100@0", '#EXT-X-MAP:URI="a.mp4",BYTERANGE="10@0"'])
def test_a_playlist_that_cannot_be_passed_on_whole_says_so(line: str) -> None:
    with pytest.raises(NoPictureError, match="plain segments"):
        live_video.rewritten(Live(kind="hls", address="http://a/b/c.m3u8", hosts=""), "http://a/b/c.m3u8", f"#EXTM3U\n{line}\n#EXTINF:1,\na.mp4\n", str)


@given(st.text(max_size=300))
def test_no_playlist_crashes_and_none_keeps_an_address(text: str) -> None:
    live = Live(kind="hls", address="http://secret.example/b/c.m3u8", hosts="")
    try:
        told = live_video.rewritten(live, live.address, "#EXTM3U\n" + text, lambda _: "OURS")
    except NoPictureError:
        return
    assert all(line.startswith("#") or line == "OURS" for line in told.splitlines())
    assert "secret.example" not in told


def test_what_is_no_video_is_not_passed_on_whatever_it_calls_itself(asker: Any) -> None:
    client, key, _, store = asker
    held = key("G1")
    live_at = live_video.source
    with store.read() as connection:
        row = cameras.one(store, ASK, "G1").row
        live = live_at(cameras.eyes(connection), Settings(), row)
    assert live
    seal = Seal(cameras.secret(store, ""), "G1", int(held.split(".")[0]))
    for way in ("/config", "/hls/../config", "/hls/%2e%2e/config"):
        told = client.get(f"/camera/live/G1/{seal.put(live.address.replace('/hls/live.m3u8', way))}?key={held}")
        assert (told.status_code, HUSH.decode() in told.text) == (502, False)
    assert live_video.kind_of(HUSH) is None
    assert live_video.kind_of(b"GIF89a" + bytes(400)) is None


def test_a_part_is_of_one_view_and_forged_ones_open_nothing(asker: Any) -> None:
    client, key, asked, store = asker
    held, other = key("G1"), key("S1")
    part = links(client.get(f"/camera/live/G1?key={held}").text)[0]
    n = len(asked)
    sealed = part.split("/")[-1].split("?")[0]
    again = key("G1")
    for way in (f"/camera/live/G1/{sealed[:-2]}AA?key={held}", f"/camera/live/S1/{sealed}?key={other}", f"/camera/live/G1/{sealed}?key={again}",
                f"/camera/live/G1/{'A' * 40}?key={held}", f"/camera/live/G1/{sealed}?key={held[:-1]}x", f"/camera/live/G1/{sealed}?key={other}"):
        assert client.get(way).status_code == 403
    assert "hush" not in client.get(f"/camera/live/G1/..%2f..%2fconfig?key={held}").text
    assert len(asked) == n
    assert client.get(part, headers={"Cookie": "gov_demo_post=street"}).status_code == 403
    actor = Actor(name=client.get("/api/v1/me").json()["name"], post="dispatcher", scope=EVERYTHING)
    assert cameras.close(store, actor, "G1") == 2
    assert client.get(part).status_code == 403
    assert client.get(f"/camera/live/G1?key={held}").status_code == 403


@given(st.text(max_size=80))
def test_a_seal_opens_what_it_closed_and_nothing_else(address: str) -> None:
    one, other = Seal(b"s", "C1", 1), Seal(b"s", "C1", 2)
    text = one.put(address or "x")
    assert one.take(text) == (address or "x")
    for made, told in ((other, text), (one, text[:-1]), (one, address)):
        with pytest.raises(ScopeError):
            made.take(told)


@given(st.integers(1, 20), st.booleans(), st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_pictures_come_whole_out_of_a_stream_however_it_is_cut(n: int, lengths: bool, cuts: list[int]) -> None:
    made = [b"\xff\xd8" + bytes([i]) * (3 + 7 * i) + b"\xff\xd9" for i in range(n)]
    whole = b"".join(b"--edge\r\nContent-Type: image/jpeg\r\n" + (b"Content-Length: %d\r\n" % len(one) if lengths else b"") + b"\r\n" + one + b"\r\n" for one in made) + b"--edge\r\n"
    parts, got = Parts('multipart/x-mixed-replace; boundary="--edge"'), []
    for size in itertools.cycle(cuts):
        got += parts.feed(whole[:size])
        whole = whole[size:]
        if not whole:
            break
    assert got == made


@pytest.mark.parametrize("code", ["J1", "J2", *sorted(one for one in BAD if one.startswith("M"))])
def test_an_mjpeg_stream_is_pictures_and_ends_with_words_when_it_has_none(asker: Any, code: str) -> None:
    client, key, asked, store = asker
    held = key(code)
    ending = threading.Thread(target=_over, args=(store, asked))
    ending.start()
    told = client.get(f"/camera/live/{code}?key={held}")
    assert told.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    assert b"hush" not in told.content
    pictures = Parts(told.headers["content-type"]).feed(told.content)
    seen = [Image.open(io.BytesIO(one)).size for one in pictures]
    assert seen[-1] == (960, 540)  # of words
    assert ((320, 180) in seen) == (code in ("J1", "J2", "M6"))
    assert client.get("/healthz").status_code == 200


def _over(store: Store, asked: list[str]) -> None:
    while not asked:
        time.sleep(0.05)
    time.sleep(2)
    with store.aside() as connection:
        connection.execute(camera_view.update().values(until=stamp(now()) - 1))


def test_dead_streams_hold_no_page_up(store: Store, tmp_path: Path, gateway: tuple[str, list[str]]) -> None:
    at, asked = gateway
    server = create_app(Settings(data_dir=tmp_path, camera_hosts=at), eyes_city(store, tmp_path, at)).server
    with serving(server) as address, httpx.Client(base_url=address, headers={"Cookie": "gov_demo_post=dispatcher"}, timeout=30) as client:
        actor = Actor(name=client.get("/api/v1/me").json()["name"], post="dispatcher", scope=EVERYTHING)
        cameras.look(store, actor, ASK, "M2", "", cause="bridge")
        view = cameras.current(store, actor, ASK, "M2")
        assert view
        way = f"{address}/camera/live/M2?key={cameras.signed(store, '', view)}"
        waiting = [threading.Thread(target=lambda: httpx.get(way, headers={"Cookie": "gov_demo_post=dispatcher"}, timeout=30)) for _ in range(45)]
        for one in waiting:
            one.start()
        while len(asked) < len(waiting):
            time.sleep(0.05)
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/v1/cameras/health").status_code == 200
        # They wait for the camera still, more than a server has threads; who asked for something else did not wait for them.
        assert any(one.is_alive() for one in waiting)
        for one in waiting:
            one.join()
    server.state.context.close()


@pytest.mark.parametrize("like", LIKE)
def test_known_gateways_need_an_address_and_no_template(like: str) -> None:
    for live, way in LIKE[like].items():
        if (like, live) == ("gb28181", "page"):
            continue
        spec = GatewaySpec(address="http://10.0.0.5:8888/", like=like, live=live)  # type: ignore[arg-type]
        assert spec.template == "http://10.0.0.5:8888" + way
        assert "{stream}" in way


def test_the_page_of_a_gb28181_platform_is_told_where_the_stream_is_offered() -> None:
    spec = GatewaySpec(address="https://zlm.example:8443", like="gb28181", live="page", player="https://wvp.example/")
    whole = spec.template.replace("{stream}", "34020000001110000001_34020000001320000001").replace("{key}", "7.9.ab")
    page, _, told = whole.partition("&url=")
    assert page == "https://wvp.example/#/play/share?type=1"
    assert unquote(told) == "https://zlm.example:8443/index/api/webrtc?app=rtp&stream=34020000001110000001_34020000001320000001&type=play&key=7.9.ab"


@pytest.mark.parametrize("way", ["never", "nosuch", "config", "closed"])
def test_a_page_that_is_not_there_is_said_in_the_frame(asker: Any, way: str) -> None:
    client, key, asked, store = asker
    with store.write() as connection:
        connection.execute(camera.update().where(camera.c.code == "N1").values(gateway="mtx", stream=way))
    held = key("N1")
    told = client.get(f"/camera/live/N1?key={held}")
    assert asked == [f"/{way}/?key={held}"]
    if way == "closed":
        # Who must sign in there does so in the frame.
        assert told.status_code == 302
        return
    assert (told.status_code, told.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert 'data-gov="none"' in told.text
    assert "网关" in told.text
    assert "hush" not in told.text


def test_whether_a_page_may_go_on_is_answered_until_its_view_ends(asker: Any) -> None:
    client, key, _, store = asker
    held = key("P1")
    assert client.get(f"/camera/held/P1?key={held}").status_code == 204
    assert client.get(f"/camera/held/G1?key={held}").status_code == 403
    with store.write() as connection:
        connection.execute(camera_view.update().values(ended_at=stamp(now())))
    assert client.get(f"/camera/held/P1?key={held}").status_code == 403


@pytest.mark.parametrize(("told", "why"), [
    ({"address": "http://a", "like": "gb28181", "live": "page"}, "player"), ({"address": "http://a", "like": "go2rtc", "live": "page", "player": "http://b"}, "player"),
    ({"address": "10.0.0.5"}, "http://"), ({"address": "http://a/x"}, "{stream}"), ({"address": "http://a", "like": "go2rtx"}, "go2rtc"), ({"address": "http://a", "like": "mediamtx", "live": "mjpeg"}, "mediamtx gives"),
])
def test_a_gateway_that_cannot_be_meant_is_refused_with_what_to_do(told: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("{", r"\{")):
        GatewaySpec(**told)  # type: ignore[arg-type]


def test_no_answer_of_the_api_tells_a_cameras_address(asker: Any) -> None:
    client, _, _, _ = asker
    for way in ("health", "unwell?bucket=online", "unwell.csv?bucket=online"):
        told = client.get(f"/api/v1/cameras/{way}")
        assert told.status_code == 200
        assert PASSWORD not in told.text
        assert "127.0.0.1" not in told.text
    assert json.dumps(repr(cameras.one(client.app.state.context.store, ASK, "C1").row)).find(PASSWORD) < 0


