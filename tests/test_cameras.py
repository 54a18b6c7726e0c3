"""Cameras: buckets and targets, no picture before the view is written down, and dead ones that hold nobody up."""

from __future__ import annotations

import http.server
import io
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from dashboard import create_app
from queries import cameras, loading, near, stills
from queries.clock import now, stamp
from queries.errors import AskError, DoorError, NoSuchError, PostError, ScopeError
from queries.frame import EVERYTHING, NOTHING, Actor, Ask
from queries.sensing.tables import camera_state, camera_view
from queries.settings import Settings
from queries.store import Store
from queries.tables import camera
from tests.conftest import missing
from tests.test_sensing import sensing_city
from tests.visitors import visit

ASK = Ask(scope=EVERYTHING, since=date.today(), until=date.today())
LEAD = Actor(name="zhang", post="dispatcher", scope=EVERYTHING, shown="派遣员")
TABLE = '''
[[cameras]]
id = "cameras"
file = "cameras.csv"
[cameras.columns]
code = "code"
name = "name"
lon = "lon"
lat = "lat"
state = "state"
class = "class"
still = "still"
stream = "stream"
'''


asked: list[str] = []


class Odd(http.server.BaseHTTPRequestHandler):
    """A camera that gives a picture, a page, or nothing for a long time."""

    def do_GET(self) -> None:
        if self.path == "/never":
            time.sleep(9)
            return
        asked.append(self.path)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        if self.path == "/endless":
            try:
                while True:
                    self.wfile.write(bytes(1_000_000))
            except OSError:
                return
        if self.path == "/page":
            self.wfile.write(b"<html>please log in</html>")
        else:
            out = io.BytesIO()
            Image.new("RGB", (640, 360), (10, 200, 30)).save(out, "JPEG")
            self.wfile.write(out.getvalue())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def city(store: Store, tmp_path: Path) -> Iterator[Store]:
    """A little city with cameras of all kinds."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    folder = tmp_path / "sensed"
    folder.mkdir()
    (folder / "cameras.csv").write_text(
        "code,name,lon,lat,state,class,still,stream\n"
        f"C1,桥头,121.5,29.9,在线,重点公共区域,{at}/good,bridge\nC2,路口,121.5,29.9,在线,重点公共区域,{at}/page,\nC3,广场,121.5,29.9,离线,重点行业,{at}/never,\n"
        f"C4,公园,121.5,29.9,黑屏,,demo:C4,\nC10,湖边,121.5,29.9,在线,,demo:C10,\nC6,站前,121.5,29.9,在线,,{at}/elsewhere,\nC7,东门,121.5,29.9,在线,,{at}/endless,\nC8,西门,121.5,29.9,在线,,ftp://127.0.0.1/x,\nC9,南门,121.5,29.9,在线,,gov:x,\nC5,河边,121.5,29.9,在线,,rtsp://127.0.0.1:9/x,\n", "utf-8")
    yield sensing_city(store, tmp_path, TABLE)
    server.shutdown()


@pytest.mark.parametrize(("online", "total", "group", "meets", "share"), [(979, 1000, "key_area", False, 0.979), (980, 1000, "key_area", True, 0.98), (950, 1000, "key_trade", True, 0.95)])
def test_f8_targets_are_those_published(online: int, total: int, group: str, meets: bool, share: float) -> None:
    made = cameras.summed(group, {**dict.fromkeys(cameras.BUCKETS, 0), "online": online, "long_offline": total - online})
    assert (made.meets, made.intact) == (meets, share)


def test_cameras_stand_in_buckets_by_how_long_they_are_away(city: Store) -> None:
    with city.write() as connection:
        connection.execute(camera.update().where(camera.c.code == "C3").values(since_at=stamp(now()) - 4 * 86_400))
    told = {row.group: row for row in cameras.health(city, ASK).rows}
    assert told["key_area"].buckets["online"] == 2
    assert (told["key_trade"].buckets["long_offline"], told["key_trade"].meets) == (1, False)
    assert (told[""].buckets["no_picture"], told[""].meets) == (1, None)
    assert cameras.bucket("offline", stamp(now()) - 3600, stamp(now())) == "new_offline"


def test_a_view_is_written_down_first_with_reason_and_end(city: Store) -> None:
    with pytest.raises(PostError):
        cameras.look(city, Actor(name="v", post="viewer", scope=EVERYTHING), ASK, "C1", "看看")
    for reason, minutes in (("", 10), ("核实积水", 0), ("核实积水", 31)):
        with pytest.raises(AskError):
            cameras.look(city, LEAD, ASK, "C1", reason, minutes)
    with pytest.raises(NoSuchError):
        cameras.look(city, LEAD, ASK.but(scope=NOTHING), "C1", "核实积水")
    assert cameras.current(city, LEAD, ASK, "C1") is None
    cameras.look(city, LEAD, ASK, "C1", "核实积水", 10, "alarm-1")
    held = cameras.current(city, LEAD, ASK, "C1")
    assert held is not None
    assert (held.reason, held.by, held.about) == ("核实积水", "zhang", "alarm-1")
    with city.read() as connection:
        assert len(connection.execute(select(camera_view)).all()) == 1


def test_a_key_opens_its_own_camera_for_its_own_person_until_it_ends(city: Store) -> None:
    cameras.look(city, LEAD, ASK, "C1", "核实积水", 10)
    held = cameras.current(city, LEAD, ASK, "C1")
    assert held
    key = cameras.signed(city, "", held)
    assert cameras.opened(city, "", LEAD, "C1", key)[0].code == "C1"
    other = Actor(name="li", post="dispatcher", scope=EVERYTHING)
    for actor, code, told in ((other, "C1", key), (LEAD, "C2", key), (LEAD, "C1", key[:-1] + "x"), (LEAD, "C1", ""), (LEAD, "C1", "1.2.3")):
        with pytest.raises(ScopeError):
            cameras.opened(city, "", actor, code, told)
    with city.aside() as connection:
        connection.execute(camera_view.update().values(until=stamp(now()) - 1))
    assert cameras.current(city, LEAD, ASK, "C1") is None


def test_a_reason_of_the_list_says_why_and_what_is_typed_beside_it_is_kept_too(city: Store) -> None:
    known = cameras.reasons(city)
    assert list(known)[-1] == "other"
    assert all(words["zh"] and words["en"] for words in known.values())
    for cause, reason in (("other", ""), ("nosuch", "核实积水")):
        with pytest.raises(AskError):
            cameras.look(city, LEAD, ASK, "C1", reason, cause=cause)
    cameras.look(city, LEAD, ASK, "C1", " 三号 \n 桥墩 ", cause="flood")
    held = cameras.current(city, LEAD, ASK, "C1")
    assert held
    assert (held.cause, held.reason, held.why("zh"), held.why("en")) == ("flood", "三号 桥墩", "防汛排涝 · 三号 桥墩", "Flood watch · 三号 桥墩")


def test_several_views_are_written_down_together_or_not_at_all(city: Store) -> None:
    for codes in (("C1", "NOSUCH"), (), tuple(f"X{i}" for i in range(cameras.TOGETHER + 1))):
        with pytest.raises(AskError):
            cameras.look_all(city, LEAD, ASK, codes, "", cause="patrol")
    assert cameras.current(city, LEAD, ASK, "C1") is None
    assert len(cameras.look_all(city, LEAD, ASK, ("C1", "C2", "C1"), "", cause="patrol")) == 2
    assert cameras.current(city, LEAD, ASK, "C2")


def test_a_view_that_is_closed_early_opens_nothing_and_keeps_its_planned_end(city: Store) -> None:
    cameras.look(city, LEAD, ASK, "C1", "核实积水", 10)
    held = cameras.current(city, LEAD, ASK, "C1")
    assert held
    key = cameras.signed(city, "", held)
    assert cameras.close(city, Actor(name="li", post="dispatcher", scope=EVERYTHING), "C1") == 0
    assert cameras.close(city, LEAD, "C1") == 1
    assert cameras.current(city, LEAD, ASK, "C1") is None
    with pytest.raises(ScopeError):
        cameras.opened(city, "", LEAD, "C1", key)
    (row,) = cameras.views(city, Actor(name="boss", post="admin", scope=EVERYTHING)).rows
    assert row.ended_at
    assert (row.until, row.ended_at < row.until) == (held.until, True)


def test_an_administrator_of_no_area_sees_no_views(city: Store) -> None:
    cameras.look(city, LEAD, ASK, "C1", "核实积水", 10)
    assert len(cameras.views(city, Actor(name="boss", post="admin", scope=EVERYTHING)).rows) == 1
    assert cameras.views(city, Actor(name="boss", post="admin", scope=NOTHING)).rows == ()


@pytest.mark.parametrize(("east", "north", "bearing", "word"), [(0, 1, 0, "北"), (1, 1, 45, "东北"), (1, 0, 90, "东"), (0, -1, 180, "南"), (-1, 0, 270, "西"), (-1, 1, 315, "西北")])
def test_what_is_near_says_in_which_direction(city: Store, east: int, north: int, bearing: int, word: str) -> None:
    with city.aside() as connection:
        connection.execute(camera.update().where(camera.c.code == "C1").values(lon=121.5 + east * 0.001 / 0.8669, lat=29.9 + north * 0.001))
    with city.read() as connection:
        found = {one.code: one for one in near.nearest(connection, "camera", [(0, 10**9)], 121.5, 29.9, 20)}
    assert abs((found["C1"].bearing or 0) - bearing) <= 1
    assert near.compass(found["C1"].bearing or 0)[0]["zh"] == word
    # What stands at the place itself lies in no direction.
    assert (found["C2"].metres, found["C2"].bearing) == (0, None)


@pytest.fixture
def browser_of(city: Store, tmp_path: Path) -> Iterator[Any]:
    """A client as the demo's dispatcher, and the key of a view that it has opened."""
    folder = tmp_path / "sensed"
    toml = (folder / "city.toml").read_text("utf-8")
    (folder / "city.toml").write_text(toml.replace("[codes]", "demo = true\n[codes]", 1), "utf-8")
    loading.load(folder, city, quiet=True)
    server = create_app(Settings(data_dir=tmp_path, camera_hosts="127.0.0.1", camera_gateway="http://127.0.0.1:9/page?src={stream}&key={key}"), city).server
    with visit(server, Cookie="gov_demo_post=dispatcher") as client:
        name = client.get("/api/v1/me").json()["name"]
        actor = Actor(name=name, post="dispatcher", scope=EVERYTHING)

        def key(code: str) -> str:
            cameras.look(city, actor, ASK, code, "核实积水", 10)
            held = cameras.current(city, actor, ASK, code)
            assert held
            return cameras.signed(city, "", held)

        yield client, key
    server.state.context.close()


def test_no_log_row_no_frame_and_the_frame_bears_a_mark(browser_of: Any) -> None:
    client, key = browser_of
    assert client.get("/camera/still/C1?key=1.99999999999.00").status_code == 403
    told = client.get(f"/camera/still/C1?key={key('C1')}")
    assert (told.status_code, told.headers["content-type"], told.headers["cache-control"]) == (200, "image/jpeg", "no-store")
    picture = Image.open(io.BytesIO(told.content)).convert("RGB")
    assert picture.size == (640, 360)
    # The camera gives one plain colour; whatever differs from it is the mark.
    assert len({picture.getpixel((x, y))[0] // 32 for x in range(0, 640, 3) for y in range(0, 360, 3)}) > 2
    assert client.get(f"/camera/still/C10?key={key('C10')}").headers["x-still"] != "none"
    # The demo's camera that is said to have no picture has none.
    assert client.get(f"/camera/still/C4?key={key('C4')}").headers["x-still"] == "none"


def test_the_way_to_the_gateway_is_signed_and_short_lived(browser_of: Any) -> None:
    client, key = browser_of
    held = key("C1")
    told = client.get(f"/camera/live/C1?key={held}")
    # Nobody is there, which is said in the frame; where it leads when somebody is: tests/test_gateway_page.py.
    assert told.status_code == 502
    assert "location" not in told.headers
    assert client.get("/camera/live/C1?key=x").status_code == 403


@pytest.mark.parametrize("code", ["C2", "C3", "C5", "C6", "C7", "C8", "C9"])
def test_a_camera_that_answers_with_a_page_or_never_is_a_picture_that_says_so(browser_of: Any, code: str) -> None:
    client, key = browser_of
    held, began = key(code), time.monotonic()
    told = client.get(f"/camera/still/{code}?key={held}")
    assert (told.status_code, told.headers["x-still"]) == (200, "none")
    assert time.monotonic() - began < 8.5
    assert client.get("/healthz").status_code == 200


def held(store: Store, code: str) -> cameras.CameraRow:
    return cameras.one(store, ASK, code).row


@pytest.mark.parametrize("hosts", ["", "10.0.0.1", "127.0.0.1:1", "127.0.0.1.example"])
def test_only_hosts_that_were_named_are_asked(city: Store, hosts: str) -> None:
    asked.clear()
    with pytest.raises(DoorError, match="GOV_CAMERA_HOSTS"):
        stills.still(held(city, "C1"), hosts)
    assert asked == []


def test_a_camera_that_sends_us_elsewhere_is_not_followed(city: Store) -> None:
    asked.clear()
    with pytest.raises(DoorError, match="302"):
        stills.still(held(city, "C6"), "127.0.0.1")
    assert asked == ["/elsewhere"]


def test_a_picture_without_end_is_cut_off(city: Store) -> None:
    with pytest.raises(DoorError, match="too large"):
        stills.still(held(city, "C7"), "127.0.0.1")


def test_a_key_opens_in_no_other_session_and_not_for_a_right_that_was_taken_away(city: Store) -> None:
    cameras.look(city, LEAD, ASK, "C1", "核实积水", 10, "", "one")
    view = cameras.current(city, LEAD, ASK, "C1", "one")
    assert view
    assert cameras.current(city, LEAD, ASK, "C1", "two") is None
    key = cameras.signed(city, "", view)
    assert cameras.opened(city, "", LEAD, "C1", key, "one")[1].id == view.id
    narrowed = Actor(name="zhang", post="dispatcher", scope=NOTHING)
    lowered = Actor(name="zhang", post="viewer", scope=EVERYTHING)
    for actor, session in ((LEAD, "two"), (LEAD, ""), (narrowed, "one"), (lowered, "one")):
        with pytest.raises(ScopeError):
            cameras.opened(city, "", actor, "C1", key, session)


def test_an_over_key_shows_nothing(browser_of: Any, city: Store) -> None:
    client, key = browser_of
    told = key("C1")
    view = int(told.split(".")[0])
    assert client.get(f"/camera/still/C1?key={told}").status_code == 200
    actor = Actor(name=client.get("/api/v1/me").json()["name"], post="dispatcher", scope=EVERYTHING)
    with city.aside() as connection:
        connection.execute(camera_view.update().where(camera_view.c.id == view).values(until=stamp(now()) - 1))
        r = connection.execute(select(camera_view).where(camera_view.c.id == view)).one()
    over = cameras.signed(city, "", cameras.ViewRow(id=view, code="C1", name="", at=now(), until=cameras.moment(r.until), by=actor.name, post="dispatcher", reason="", about=""))
    # Its signature holds; it is its end that closes it, and the row's end counts as much as the key's.
    for one in (over, told):
        assert client.get(f"/camera/still/C1?key={one}").status_code == 403


def test_what_a_camera_was_is_kept_once_for_each_change(city: Store, tmp_path: Path) -> None:
    def kept(code: str) -> list[str]:
        with city.read() as connection:
            return list(connection.execute(select(camera_state.c.state).join(camera, camera.c.id == camera_state.c.camera_id).where(camera.c.code == code).order_by(camera_state.c.id)).scalars())

    assert (kept("C1"), kept("C3"), kept("C4")) == (["online"], ["offline"], ["no_picture"])
    table = tmp_path / "sensed" / "cameras.csv"
    table.write_text(table.read_text("utf-8").replace("桥头,121.5,29.9,在线", "桥头,121.5,29.9,离线").replace("C3,广场", "C3,大广场"), "utf-8")
    loading.load(tmp_path / "sensed", city, quiet=True)
    loading.load(tmp_path / "sensed", city, quiet=True)
    assert (kept("C1"), kept("C3")) == (["online", "offline"], ["offline"])



def test_the_list_of_views_is_for_administrators_and_can_be_taken_away(browser_of: Any) -> None:
    client, key = browser_of
    key("C1")
    for path in ("/api/v1/cameras/views", "/api/v1/cameras/views.csv"):
        told = client.get(path)
        assert (told.status_code, "administrators" in told.text, "C1" in told.text) == (400, True, False)
    as_admin = {"Cookie": "gov_demo_post=admin"}
    told = client.get("/api/v1/cameras/views.csv", headers=as_admin)
    assert told.status_code == 200
    head, row = told.text.lstrip("\ufeff").splitlines()
    assert head == "id,at,until,code,name,by,post,cause,reason,about,ended_at,as_known_at"
    assert row.split(",")[3:5] == ["C1", "桥头"]
    assert "核实积水" in row
    assert client.get("/api/v1/cameras/views", headers=as_admin).json()["rows"][0]["code"] == "C1"


RTSP = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer, GLib
Gst.init(None)
server = GstRtspServer.RTSPServer(service=sys.argv[1], address="127.0.0.1")
made = GstRtspServer.RTSPMediaFactory()
made.set_launch("( videotestsrc is-live=true pattern=green ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! jpegenc ! rtpjpegpay name=pay0 pt=26 )")
server.get_mount_points().add_factory("/live", made)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


@pytest.fixture
def rtsp() -> Iterator[str]:
    """The address of a real RTSP server with a green picture."""
    seen = subprocess.run(["/usr/bin/python3", "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"], capture_output=True, check=False)
    if seen.returncode:
        missing("no RTSP server is installed: gir1.2-gst-rtsp-server-1.0 and python3-gi")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["/usr/bin/python3", "-c", RTSP, str(port)], stdout=subprocess.PIPE)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    yield f"rtsp://127.0.0.1:{port}/live"
    server.kill()
    server.wait()


def test_a_still_comes_from_a_real_stream(city: Store, rtsp: str) -> None:
    with city.aside() as connection:
        connection.execute(camera.update().where(camera.c.code == "C5").values(still=rtsp))
    taken = stills.still(held(city, "C5"), "127.0.0.1")
    red, green, blue = taken.picture.getpixel((160, 120))
    assert taken.picture.size == (320, 240)
    assert green > 200 > max(red, blue)


def test_a_stream_that_accepts_and_never_speaks_is_given_up(city: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with city.aside() as connection:
            connection.execute(camera.update().where(camera.c.code == "C5").values(still=f"rtsp://user:hush@127.0.0.1:{silent.getsockname()[1]}/x"))
        with pytest.raises(DoorError) as told:
            stills.still(held(city, "C5"), "127.0.0.1")
    assert "hush" not in told.value.say("en") + told.value.say("zh")
