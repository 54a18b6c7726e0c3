"""A video gateway for tests: a small real HTTP server with HLS and MJPEG that a real encoder made, with a player's page, and with all that is bad."""

from __future__ import annotations

import http.server
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

#: What a page, a settings file or a password of the gateway would be: none of it may reach a browser.
HUSH = b"<html>hush: rtsp://admin:hush@10.0.0.1/</html>"
#: A page that plays something green, as a gateway's WebRTC page does, and would fill the screen or lead it away if it could.
PLAYER = b"""<!doctype html><title>player</title><body style="margin:0;background:#14b428"><p id="told"></p><script>
document.getElementById("told").textContent = "plays " + location.search;
try { top.location = "about:blank"; } catch (no) { document.title = "kept in"; }
</script></body>"""
USER, PASSWORD = "viewer", "hush"


def encoded(folder: Path, fragments: bool, seconds: int = 8) -> None:
    """Write an HLS playlist with its segments: H.264, one-second segments, fragmented MP4 or MPEG-TS."""
    import av

    how = {"hls_time": "1", "hls_list_size": "0", "hls_flags": "independent_segments", "hls_playlist_type": "vod"}
    if fragments:
        how |= {"hls_segment_type": "fmp4", "hls_fmp4_init_filename": "init.mp4"}
    with av.open(str(folder / "live.m3u8"), "w", format="hls", options=how) as out:
        stream = out.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=10:scenecut=0"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for i in range(10 * seconds):
            picture = np.full((180, 320, 3), (20, 180, 40), np.uint8)
            picture[:, (i * 4) % 320] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def jpeg(colour: tuple[int, int, int] = (10, 200, 30)) -> bytes:
    """Return a picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (320, 180), colour).save(out, "JPEG")
    return out.getvalue()


class Gateway(http.server.BaseHTTPRequestHandler):
    """Answers by the first part of the path: hls/FILE, mjpeg, plain (MJPEG without lengths), and the bad ones."""

    folder: Path
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        way = self.path.split("?")[0].strip("/").split("/")
        getattr(self, f"_{way[0].removesuffix('.m3u8').replace('.', '_')}", self._nothing)("/".join(way[1:]))

    def _send(self, body: bytes, kind: str = "application/octet-stream", status: int = 200, **more: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _nothing(self, _: str) -> None:
        self._send(HUSH, "text/html", 404)

    def _hls(self, name: str) -> None:
        file = self.folder / name
        self._send(file.read_bytes()) if file.is_file() else self._nothing(name)

    def _closed(self, name: str) -> None:
        import base64

        if self.headers.get("Authorization") == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            self._hls(name)
        else:
            self._send(HUSH, "text/html", 401)

    def _master(self, _: str) -> None:
        self._send(b'#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-STREAM-INF:BANDWIDTH=200000,CODECS="avc1.42c00d"\nhls/live.m3u8?session=hush-1\n')

    def _mjpeg(self, _: str, lengths: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=--gate")
        self.send_header("Connection", "close")
        self.end_headers()
        picture = jpeg()
        try:
            while True:
                size = b"Content-Length: %d\r\n" % len(picture) if lengths else b""
                self.wfile.write(b"--gate\r\nContent-Type: image/jpeg\r\n" + size + b"\r\n" + picture + b"\r\n")
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def _plain(self, name: str) -> None:
        self._mjpeg(name, lengths=False)

    def _stops(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=gate")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"--gate\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg() + b"\r\n--gate\r\n")
        self.close_connection = True

    def _pagestream(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=gate")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"--gate\r\nContent-Type: text/html\r\n\r\n" + HUSH + b"\r\n--gate\r\n")
        self.close_connection = True

    def _page(self, _: str) -> None:
        self._send(HUSH, "application/vnd.apple.mpegurl")

    def _stream_html(self, _: str) -> None:
        """The player of go2rtc, which reads the stream from its address."""
        self._send(PLAYER, "text/html; charset=utf-8")

    def _cross(self, _: str) -> None:
        """The player of MediaMTX at the path of a stream."""
        self._send(PLAYER, "text/html; charset=utf-8")

    def _config(self, _: str) -> None:
        self._send(HUSH, "video/mp4")

    def _never(self, _: str) -> None:
        time.sleep(9)
        self.close_connection = True

    def _endless(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1_000_000))
        except OSError:
            self.close_connection = True

    def _elsewhere(self, _: str) -> None:
        self._send(b"", status=302, Location="/hls/live.m3u8")

    def _names(self, told: str) -> None:
        from urllib.parse import unquote

        self._send(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{unquote(told)}\n".encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving_gateway(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve; yields host:port, and the list of what is asked for."""
    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Gateway,), {"folder": folder, "asked": asked}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
