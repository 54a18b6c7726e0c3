"""A Mosquitto of our own, on a free loopback port, with its session store on disk; it can be ended hard and begun again."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

CONF = """user {user}
listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes false
max_inflight_messages 0
max_queued_messages 0
max_packet_size 2000000
{more}
"""


def program() -> str | None:
    """Return where the broker is."""
    return shutil.which("mosquitto") or ("/usr/sbin/mosquitto" if Path("/usr/sbin/mosquitto").exists() else None)


class Broker:
    """One broker."""

    def __init__(self, folder: Path, more: str = "", anonymous: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(CONF.format(user=getpass.getuser(), port=self.port, folder=folder, more=more, anonymous=str(anonymous).lower()), "utf-8")
        self._conf.chmod(0o644)
        self._program: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Return its address as a setting."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin, and wait until it listens."""
        where = program()
        assert where
        self._program = subprocess.Popen([where, "-c", str(self._conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("the broker does not begin to listen")

    def stop(self, hard: bool = False) -> None:
        """End it: by a signal that lets it save, or not."""
        if self._program is not None:
            (self._program.kill if hard else self._program.terminate)()
            self._program.wait(10)
            self._program = None
