"""Live pictures: where a camera's comes from, and how it reaches a browser that never learns where from.

A browser gets links of ours only, each bound to one view: playlists are written anew, the addresses in them sealed, and
what comes back is passed on only when it is video. So a link stops with its view, and neither a gateway's address nor a
camera's password leaves this machine. Everything here has an end in bytes and in seconds.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import posixpath
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

import httpx2 as httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from queries.cameras import CameraRow, Eyes, gateway
from queries.city.eyes import Kind
from queries.errors import DoorError, NoPictureError, ScopeError
from queries.settings import Settings
from queries.stills import trust

#: Seconds for one playlist or segment, and between two frames; bytes of a playlist, a segment, a frame; frames a second.
PATIENCE_S, PLAYLIST, SEGMENT, FRAME, PACE_S = 6.0, 262_144, 16_000_000, 4_000_000, 1 / 12
#: Seconds between two looks whether a stream that goes on may go on, and streams of one process.
AGAIN_S, TOGETHER = 3.0, 48
BOUNDARY = "frame"
#: Tags that say something about plain segments. Those of low latency are left out: whole segments do as well.
_PLAIN = re.compile(
    r"#(EXTM3U|EXTINF:|EXT-X-(VERSION:|TARGETDURATION:|MEDIA-SEQUENCE:|DISCONTINUITY-SEQUENCE:|DISCONTINUITY$|ENDLIST$|PLAYLIST-TYPE:|INDEPENDENT-SEGMENTS$"
    r"|START:|PROGRAM-DATE-TIME:|GAP$|BITRATE:|STREAM-INF:|MAP:|MEDIA:))")
_URI = re.compile(r'URI="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Live:
    """A live picture. Its address may hold a password: it stays on the server."""

    kind: Kind
    address: str = field(repr=False)
    #: Hosts that may be asked for it, as GOV_CAMERA_HOSTS has them.
    hosts: str


def source(eyes: Eyes, settings: Settings, row: CameraRow, key: str = "") -> Live | None:
    """Return where a camera's live picture comes from: its own, its gateway's, or that of the gateway in the settings; None = nowhere.

    `key`: of the view, for a gateway whose address wants it.
    """
    if row.live:
        return Live(kind="hls" if urlsplit(row.live).path.endswith(".m3u8") else "mjpeg", address=row.live, hosts=settings.camera_hosts)
    if row.gateway in eyes.gateways:
        held = eyes.gateways[row.gateway]
        return Live(kind=held.live, address=gateway(held.template, row, key), hosts=settings.camera_hosts)
    if settings.camera_gateway:
        # Who runs this server named this host already.
        hosts = f"{settings.camera_hosts},{urlsplit(settings.camera_gateway).netloc}"
        return Live(kind=settings.camera_live, address=gateway(settings.camera_gateway, row, key), hosts=hosts)  # type: ignore[arg-type]
    return None


class Seal:
    """Makes addresses unreadable and unforgeable, each for one view: the same address always gives the same text."""

    def __init__(self, secret: bytes, code: str, view: int) -> None:
        """Seal for one view of one camera."""
        self._box = AESSIV(hashlib.sha512(b"live video\n" + secret).digest())
        self._about = [code.encode(), str(view).encode()]

    def put(self, address: str) -> str:
        """Return an address sealed."""
        return base64.urlsafe_b64encode(self._box.encrypt(address.encode(), self._about)).decode().rstrip("=")

    def take(self, text: str) -> str:
        """Return the address. Raises ScopeError for what this view did not get from us."""
        try:
            return self._box.decrypt(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), self._about).decode()
        except (InvalidTag, ValueError):
            raise ScopeError("This part belongs to no view of yours. Open the camera again.", zh="该片段不属于您的调看，请重新打开。") from None


def within(live: Live, address: str, at: str = "") -> str:
    """Return the whole address of what a playlist (that stands `at`) names. Raises NoPictureError: another host, or outside of the playlist's own folder.

    A playlist comes from a camera, and a camera must not send us to whatever else its gateway serves, such as its settings.
    """
    bad = NoPictureError("page", "The playlist names a place outside of its own.", "播放列表指向其自身目录之外的地址。")
    home = urlsplit(live.address)
    try:
        told = urlsplit(urljoin(at or live.address, address))
        port = told.port
    except ValueError:
        raise bad from None
    way = unquote(unquote(told.path))
    if (told.scheme, told.hostname, port or _usual(told.scheme)) != (home.scheme, home.hostname, home.port or _usual(home.scheme)):
        raise bad
    if "\\" in way or ".." in way.split("/") or not way.isprintable() or not posixpath.normpath(way).startswith(posixpath.dirname(posixpath.normpath(unquote(home.path))).rstrip("/") + "/"):
        raise bad
    # Its own name and password, whatever the playlist says.
    return urlunsplit((home.scheme, home.netloc, told.path, told.query, ""))


def _usual(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def rewritten(live: Live, at: str, text: str, link: Callable[[str], str]) -> str:
    """Return a playlist in which every address is `link` of it. Raises NoPictureError for one that cannot be passed on."""
    lines = text.splitlines()
    if not lines or not lines[0].lstrip("\ufeff").startswith("#EXTM3U") or len(lines) > 5000:
        raise NoPictureError("page", "What the gateway answers is no playlist.", "网关返回的不是播放列表。")
    out = ["#EXTM3U"]
    for one in (line.strip() for line in lines[1:]):
        if one.startswith(("#EXT-X-KEY:", "#EXT-X-SESSION-KEY:")) and "METHOD=NONE" not in one or one.startswith("#EXT-X-BYTERANGE") or "BYTERANGE=" in one:
            raise NoPictureError("stream", "The playlist is encrypted or has parts of files; let the gateway send plain segments.", "播放列表加密或按字节分段，请让网关输出普通分段。")
        if not one or one.startswith("#") and not _PLAIN.match(one):
            continue
        if one.startswith("#"):
            out.append(_URI.sub(lambda held: f'URI="{link(within(live, held[1], at))}"', one))
        else:
            out.append(link(within(live, one, at)))
    return "\n".join(out) + "\n"


def kind_of(body: bytes) -> str | None:
    """Return the media type of a segment by what is in it; None = it is no video or sound."""
    if body[4:8] in (b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"mdat"):
        return "video/mp4"
    if body[:1] == b"\x47" and (len(body) == 188 or body[188:189] == b"\x47"):
        return "video/mp2t"
    if body[:3] == b"ID3" or body[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "audio/aac"
    return "text/vtt" if body[:6] == b"WEBVTT" else None


async def part(live: Live, address: str, link: Callable[[str], str]) -> tuple[bytes, str]:
    """Return a playlist or segment as a browser may have it, and its media type. Raises NoPictureError, DoorError."""
    whole = within(live, address)
    body = await _got(whole, SEGMENT)
    if body[:7] == b"#EXTM3U" or body[3:10] == b"#EXTM3U":
        if len(body) > PLAYLIST:
            raise NoPictureError("endless", "The playlist is too long.", "播放列表过长。")
        try:
            return rewritten(live, whole, body.decode("utf-8-sig"), link).encode(), "application/vnd.apple.mpegurl"
        except UnicodeDecodeError:
            raise NoPictureError("page", "What the gateway answers is no playlist.", "网关返回的不是播放列表。") from None
    kind = kind_of(body)
    if kind is None:
        raise NoPictureError("page", "What the gateway answers is no video.", "网关返回的不是视频。")
    return body, kind


def _asker() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=PATIENCE_S, follow_redirects=False, verify=trust(), trust_env=False)


async def _got(address: str, most: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S), _asker() as by, \
                by.stream("GET", address, headers={"Accept-Encoding": "identity"}) as reply:
            _checked(reply.status_code)
            async for piece in reply.aiter_raw(65_536):
                body += piece
                if len(body) > most:
                    raise NoPictureError("endless", "A part of the picture is too large.", "视频片段过大。")
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as bad:
        raise _away(bad) from None
    return bytes(body)


def _checked(status: int) -> None:
    if status != 200:
        raise NoPictureError("status", f"The gateway answers {status}.", f"网关应答 {status}。")


def _away(bad: Exception) -> NoPictureError:
    # The error's own words would name the address.
    found = "refused" if isinstance(bad, httpx.ConnectError | httpx.ConnectTimeout) else "silent"
    return NoPictureError(found, f"The gateway does not answer ({type(bad).__name__}).", f"网关没有应答（{type(bad).__name__}）。")


class Parts:
    """Takes a multipart stream to pieces as it comes: one JPEG picture after the other."""

    def __init__(self, content_type: str) -> None:
        """Read the boundary. Raises NoPictureError when it is no such stream."""
        found = re.search(r"""multipart/x-mixed-replace\s*;.*?boundary="?-*([^\s";]{1,100})""", content_type, re.IGNORECASE)
        if found is None or not found[1].isascii():
            raise NoPictureError("page", "What the camera answers is no MJPEG picture.", "摄像机返回的不是 MJPEG 画面。")
        self._mark, self._held = found[1].encode(), b""

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the pictures that are whole now. Raises NoPictureError for what is none, or too large."""
        self._held += piece
        out: list[bytes] = []
        while True:
            start = self._held.find(self._mark)
            head = self._held.find(b"\r\n\r\n", max(start, 0))
            if start < 0 or head < 0:
                break
            said = re.search(rb"(?i)content-length:\s*(\d{1,8})", self._held[start:head])
            begin = head + 4
            if said:
                end = begin + int(said[1])
                if end - begin > FRAME or len(self._held) < end:
                    break
            else:
                end = self._held.find(self._mark, begin)
                if end < 0:
                    break
            picture = self._held[begin:end].rstrip(b"-\r\n") if not said else self._held[begin:end]
            self._held = self._held[end:]
            if picture[:2] != b"\xff\xd8":
                raise NoPictureError("page", "What the camera answers is no picture.", "摄像机返回的不是图像。")
            out.append(picture)
        if len(self._held) > FRAME + 65_536:
            raise NoPictureError("endless", "The camera's picture is too large.", "图像过大。")
        return out


async def frames(address: str) -> AsyncIterator[bytes]:
    """Yield the pictures of an MJPEG stream, no faster than we pass on. Raises NoPictureError when it stops or sends something else."""
    last = 0.0
    try:
        async with _asker() as by, by.stream("GET", address, headers={"Accept-Encoding": "identity"}) as reply:
            _checked(reply.status_code)
            parts, heard = Parts(reply.headers.get("content-type", "")), time.monotonic()
            async for piece in reply.aiter_raw():  # as it comes: whole blocks would wait for pictures to fill them
                for picture in parts.feed(piece):
                    heard = time.monotonic()
                    if heard - last >= PACE_S:
                        last = heard
                        yield picture
                if time.monotonic() - heard > PATIENCE_S:
                    raise NoPictureError("silent", "The camera sends no picture any more.", "摄像机不再发送图像。")
    except (httpx.HTTPError, httpx.InvalidURL) as bad:
        raise _away(bad) from None


async def there(address: str) -> None:
    """Return when a gateway's own page is there to be shown. Raises NoPictureError: no answer, an error, or no page.

    A frame tells nobody what became of it, so this is asked first. Who must sign in at the gateway may do so in the frame.
    """
    try:
        async with asyncio.timeout(PATIENCE_S), _asker() as by, by.stream("GET", urldefrag(address).url, headers={"Accept": "text/html", "Accept-Encoding": "identity"}) as reply:
            if reply.status_code not in (401, 403) and reply.status_code >= 400:
                _checked(reply.status_code)
            if reply.status_code == 200 and not reply.headers.get("content-type", "").lower().startswith(("text/html", "application/xhtml")):
                raise NoPictureError("page", "What the gateway answers is no page.", "网关返回的不是网页。")
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as bad:
        raise _away(bad) from None


async def alive(address: str) -> None:
    """Return when a camera's own live picture gives something: a playlist, or a first picture. Raises NoPictureError."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            if urlsplit(address).path.endswith(".m3u8"):
                if not (await _got(address, PLAYLIST)).removeprefix(b"\xef\xbb\xbf").startswith(b"#EXTM3U"):
                    raise NoPictureError("page", "What the gateway answers is no playlist.", "网关返回的不是播放列表。")
                return
            async for _ in frames(address):
                return
    except TimeoutError:
        raise NoPictureError("silent", "The camera does not answer in time.", "摄像机未在限定时间内应答。") from None
    raise NoPictureError("silent", "The camera sends no picture.", "摄像机没有发送图像。")


_running = 0


async def stream(live: Live, may: Callable[[], Awaitable[bool]], last: Callable[[str], bytes]) -> AsyncIterator[bytes]:
    """Yield an MJPEG stream of ours while `may` says so; its last picture is words (`last`), so that none of the camera's stays."""
    global _running
    if _running >= TOGETHER:
        yield framed(last("too many"))
        return
    _running += 1
    try:
        yield f"--{BOUNDARY}\r\n".encode()
        looked, said = 0.0, "over"
        try:
            source_ = frames(live.address)
            async for picture in source_:
                if time.monotonic() - looked > AGAIN_S:
                    if not await may():
                        break
                    looked = time.monotonic()
                yield framed(picture)
            else:
                said = "silent"
        except DoorError as bad:
            said = bad.say("zh")
        yield framed(last(said))
    finally:
        _running -= 1


def framed(picture: bytes) -> bytes:
    """Return a picture as a part; the boundary behind it lets a browser show it at once."""
    return b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n--%s\r\n" % (len(picture), picture, BOUNDARY.encode())
