"""A server of our own in a process of its own, and a lean HTTP client, for benchmarks and kills."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

#: A server that does not answer by then does not come; a busy machine takes its time.
STARTS_S = 120.0
HOME = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """`python app.py` on a loopback port; the demo city does nothing by itself."""

    def __init__(self, data: Path, database: str = "", port: int = 0, **more: str) -> None:
        self.port = port or free_port()
        keep = {k: v for k, v in os.environ.items() if not k.startswith("GOV_")}
        self._env = {**keep, "GOV_DATA_DIR": str(data), "GOV_DATABASE_URL": database, "GOV_LOG_LEVEL": "WARNING", **more}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the number of the running process."""
        assert self._process
        return self._process.pid

    def start(self) -> Server:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen([sys.executable, "app.py", "--still", "--port", str(self.port)], cwd=HOME, env=self._env, stdout=subprocess.DEVNULL)
        end = time.monotonic() + STARTS_S
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).read()
                return self
            except OSError:
                assert self._process.poll() is None, "the server ended by itself"
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        """Kill it at once: nothing is written, nothing is said."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def halt(self) -> None:
        """Let it stand still: its connections stay open and nobody answers."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it as one should."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None


class Line:
    """One kept-alive connection; a request at a time."""

    def __init__(self, port: int, headers: str = "") -> None:
        self._port, self._headers = port, headers
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, told: Any, key: str = "", headers: str = "") -> tuple[int, Any]:
        """Send a message; return status and answer. Raises OSError when the connection breaks."""
        body = json.dumps(told).encode()
        return await self._say(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                               f"{self._headers}{headers}{f'Idempotency-Key: {key}' + chr(13) + chr(10) if key else ''}\r\n", body)

    async def get(self, path: str) -> tuple[int, Any]:
        """Ask; return status and answer. Raises OSError when the connection breaks."""
        return await self._say(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{self._headers}\r\n", b"")

    async def _say(self, head: str, body: bytes) -> tuple[int, Any]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader
        try:
            self._writer.write(head.encode() + body)
            told_head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            size = int(told_head.split("content-length:")[1].split("\r\n")[0])
            answer = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as bad:
            self.close()
            raise ConnectionError(str(bad)) from bad
        except asyncio.CancelledError:
            self.close()
            raise
        return int(told_head.split(" ")[1]), json.loads(answer)

    def close(self) -> None:
        """Close it; the next message opens a new one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def together(port: int, lines: int, work: Callable[[Line, int], Awaitable[None]], headers: str = "") -> float:
    """Let many connections work at once; return the seconds that it took."""
    held = [Line(port, headers) for _ in range(lines)]
    began = time.perf_counter()
    await asyncio.gather(*(work(line, i) for i, line in enumerate(held)))
    took = time.perf_counter() - began
    for line in held:
        line.close()
    return took
