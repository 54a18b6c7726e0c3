"""Still pictures of cameras: asked for in limited time, by few at once, watermarked with who looks.

A camera that answers with a page, with nothing, or never is a picture that says so; nobody waits for it longer
than a few seconds, and no page waits for it at all.
"""

from __future__ import annotations

import functools
import io
import ssl
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
from PIL import Image, ImageDraw, ImageFont

from queries import stream_still
from queries.cameras import CameraRow
from queries.errors import DoorError, NoPictureError

#: Seconds for one picture, for which one is good, its largest size in bytes and pixels, and how many are asked for at once.
PATIENCE_S, FRESH_S, LARGEST, WIDEST, TOGETHER, KEPT = 6.0, 3.0, 8_000_000, 1280, 4, 64
ROOT = Path(__file__).parents[1]
#: What a camera does instead of giving a picture.
FOUND_WORDS = {
    "refused": {"zh": "无法连接", "en": "cannot be reached"}, "silent": {"zh": "连接后无应答", "en": "never answers"},
    "status": {"zh": "应答错误码或跳转", "en": "answers with an error or sends us elsewhere"}, "page": {"zh": "返回的不是图像", "en": "answers with something that is no picture"},
    "endless": {"zh": "数据过大或无休止", "en": "sends too much, or without end"}, "stream": {"zh": "视频流无法读取", "en": "its stream cannot be read"},
    "address": {"zh": "地址类型无法识别", "en": "its address is of no known kind"},
}
#: Of these it is said that nothing of the camera is there; in all other cases something answers and shows nothing.
AWAY = ("refused", "silent")
_pool = ThreadPoolExecutor(TOGETHER, "still")
_lock = threading.Lock()
_kept: OrderedDict[str, Still] = OrderedDict()
_waiting: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Still:
    """A picture and when it was taken (UTC seconds)."""

    picture: Image.Image
    at: float


def still(row: CameraRow, hosts: str = "") -> Still:
    """Return a camera's picture, at most some seconds old; only `hosts` (HOST or HOST:PORT, commas between) are asked.

    Raises DoorError: none is known, it stands elsewhere, or none came in time.
    """
    if not row.still:
        raise DoorError("This camera has no still picture.", zh="该摄像机没有静态图像地址。")
    allowed(row.still, hosts)
    key = f"{row.code} {row.still}"
    with _lock:
        held = _kept.get(key)
        if held is not None and time.time() - held.at < FRESH_S:
            return held
        if key in _waiting or len(_waiting) >= 4 * TOGETHER:
            if held is not None:
                return held
            raise DoorError("Its picture is being asked for, or too many are. Look again in a moment.", zh="正在取图或取图过多，请稍后再看。")
        _waiting.add(key)
    future = _pool.submit(_taken, row, key)
    try:
        return future.result(PATIENCE_S + 1)
    except LateError:
        if held is not None:
            return held
        raise DoorError("The camera does not answer in time.", zh="摄像机未在限定时间内应答。") from None


def _taken(row: CameraRow, key: str) -> Still:
    try:
        scheme = urlsplit(row.still).scheme
        if scheme == "demo":
            # A camera of the demo city that is said to have no picture has none.
            if row.state in ("offline", "no_picture"):
                raise DoorError("The demo's camera gives no picture: it is " + row.state.replace("_", " ") + ".", zh="演示摄像机没有图像：" + ("离线。" if row.state == "offline" else "在线但无图像。"))
            picture = _drawn(row)
        else:
            picture = fetched(row.still)
        made = Still(picture=picture, at=time.time())
        with _lock:
            _kept[key] = made
            _kept.move_to_end(key)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        return made
    finally:
        with _lock:
            _waiting.discard(key)


def fetched(address: str) -> Image.Image:
    """Return the picture that an address gives, within seconds. Raises NoPictureError; never says the address."""
    scheme = urlsplit(address).scheme
    if scheme in ("rtsp", "rtsps"):
        return _from_stream(address)
    if scheme in ("http", "https"):
        return _from_web(address)
    raise NoPictureError("address", "The address of its picture is of no kind that is known.", "图像地址类型无法识别。")


def allowed(address: str, hosts: str) -> None:
    """Raise DoorError for an address whose host nobody named: a list of cameras must not send us to any machine it likes."""
    try:
        told = urlsplit(address)
        host, port = (told.hostname or "").lower(), told.port
    except ValueError:
        host, port, told = "", None, urlsplit("")
    if told.scheme == "demo":
        return
    named = {one.strip().lower() for one in hosts.split(",") if one.strip()}
    if not host or not {host, f"{host}:{port or {'http': 80, 'https': 443, 'rtsp': 554, 'rtsps': 322}.get(told.scheme)}"} & named:
        raise DoorError("This camera stands at a host that is not among GOV_CAMERA_HOSTS.", zh="该摄像机所在主机未列入 GOV_CAMERA_HOSTS。")


@functools.cache
def trust() -> ssl.SSLContext:
    """Return the authorities that are believed. Reading them anew for each picture would take longer than the picture."""
    return ssl.create_default_context()


def _from_web(address: str) -> Image.Image:
    until, parts, size = time.monotonic() + PATIENCE_S, [], 0
    try:
        with httpx.Client(timeout=PATIENCE_S / 2, follow_redirects=False, verify=trust(), trust_env=False) as by, by.stream("GET", address, headers={"Accept-Encoding": "identity"}) as reply:
            if reply.status_code != 200:
                raise NoPictureError("status", f"The camera answers {reply.status_code}.", f"摄像机应答 {reply.status_code}。")
            for part in reply.iter_raw(65_536):  # as sent: a packed answer could be a thousand times its size
                parts.append(part)
                size += len(part)
                if size > LARGEST or time.monotonic() > until:
                    raise NoPictureError("endless", "The camera's picture is too large or too slow.", "图像过大或过慢。")
    except (httpx.HTTPError, httpx.InvalidURL) as bad:
        found = "refused" if isinstance(bad, httpx.ConnectError | httpx.ConnectTimeout) else "silent" if isinstance(bad, httpx.TransportError) else "address"
        raise NoPictureError(found, f"The camera does not answer ({type(bad).__name__}).", f"摄像机没有应答（{type(bad).__name__}）。") from None
    return _opened(b"".join(parts))


def _opened(body: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(body), formats=("JPEG", "PNG", "WEBP"))
        picture.draft("RGB", (WIDEST, WIDEST))
        picture.thumbnail((WIDEST, WIDEST))
        return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NoPictureError("page", "What the camera answers is no picture.", "摄像机返回的不是图像。") from None


def _from_stream(address: str) -> Image.Image:
    """Return a stream's first picture, read by a process of its own: what hangs or crashes there takes nobody along."""
    try:
        # The address is told by its input: a list of processes shows arguments, and there may be a password in it.
        done = subprocess.run([sys.executable, "-m", "queries.stream_still"], input=address.encode(), cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise NoPictureError("silent", "The camera's stream gives no picture in time.", "视频流未在限定时间内给出图像。") from None
    if done.returncode or not done.stdout:
        found = {stream_still.AWAY: "refused", stream_still.LATE: "silent"}.get(done.returncode, "stream")
        raise NoPictureError(found, "The camera's stream cannot be read.", "视频流无法读取。")
    return _opened(done.stdout)


def _drawn(row: CameraRow) -> Image.Image:
    """Draw a street that nobody has seen: for the demo city, and it says so."""
    seed = sum(ord(c) for c in row.code)
    picture = Image.new("RGB", (960, 540), (38, 47, 54))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 960, 210), fill=(74, 92, 106))
    for i in range(9):
        high = 60 + (seed * (i + 3) * 37) % 130
        draw.rectangle((i * 110, 210 - high, i * 110 + 92, 210), fill=(52 + i * 3, 64 + i * 2, 74))
    draw.polygon([(410, 210), (550, 210), (900, 540), (60, 540)], fill=(58, 62, 66))
    for k in range(6):
        top = 225 + k * k * 11
        draw.polygon([(477, top), (483, top), (487, top + 10 + 4 * k), (473, top + 10 + 4 * k)], fill=(190, 190, 180))
    at = (int(time.time()) * 7 + seed) % 300
    draw.rectangle((430 - at // 3, 230 + at, 470 - at // 3 + at // 6, 250 + at + at // 8), fill=(120, 140, 150))
    words = "演示画面：生成的图像，并非实拍   DEMO: generated, not a camera"
    draw.rectangle((0, 0, 960, 40), fill=(20, 24, 28))
    draw.text((16, 6), words, font=_font(22), fill=(245, 217, 74))
    return picture


def marked(picture: Image.Image, words: str) -> bytes:
    """Return a picture as JPEG with words over all of it: whoever passes it on passes on who looked."""
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw, font = ImageDraw.Draw(layer), _font(max(14, picture.width // 48))
    for y in range(picture.height // 6, picture.height, max(60, picture.height // 4)):
        for x in range(-picture.width // 4 + y % 160, picture.width, max(240, picture.width // 2)):
            draw.text((x, y), words, font=font, fill=(255, 255, 255, 76), stroke_width=1, stroke_fill=(0, 0, 0, 50))
    out = io.BytesIO()
    Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB").save(out, "JPEG", quality=82)
    return out.getvalue()


def said(words: str) -> bytes:
    """Return a picture of words: that there is none, and why."""
    picture = Image.new("RGB", (960, 540), (22, 29, 35))
    ImageDraw.Draw(picture).text((40, 250), words, font=_font(26), fill=(230, 236, 240))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "msyh.ttc", "DejaVuSans.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
