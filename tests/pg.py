"""A PostgreSQL of our own on a socket in a temporary folder: started, killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any


def program(name: str) -> Path | None:
    """Return where one of PostgreSQL's server programs is."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    where = shutil.which(name)
    return found[-1] if found else Path(where) if where else None


class Postgres:
    """One server. `safe` = commits wait for the disk, as in earnest."""

    def __init__(self, safe: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gov-pg-"))
        # The server refuses to run as root.
        user = next((name for name in ("postgres", "nobody") if _is_user(name)), "nobody") if os.geteuid() == 0 else None
        if user:
            shutil.chown(self.folder, user)
        self._as: dict[str, Any] = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        self._safe = safe
        self._act("initdb", "-D", self.folder / "data", "-U", "gov", "-A", "trust", "-E", "UTF8", *([] if safe else ["--no-sync"]))
        self.start()

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL with a place for the database's name."""
        return f"postgresql+psycopg://gov@/{{name}}?host={self.folder}"

    def start(self) -> None:
        """Start it, or start it again after it was killed."""
        told = f"-k {self.folder} -c listen_addresses='' -c max_connections=60" + ("" if self._safe else " -c fsync=off")
        self._act("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", told, "start")

    def kill(self) -> None:
        """Kill -9 the server and all of its processes at once."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        below = subprocess.run(["pgrep", "-P", str(first)], capture_output=True, text=True, check=False).stdout.split()
        for pid in (first, *map(int, below)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        while any(_runs(pid) for pid in (first, *map(int, below))):
            time.sleep(0.01)
        # Where nobody reaps the dead, their number looks alive to the next server.
        for lock in (self.folder / "data" / "postmaster.pid", *self.folder.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._act("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, like: str = "") -> str:
        """Make a new database, empty or like another one that nobody uses just then, and return its URL."""
        import psycopg

        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(f"host={self.folder} user=gov dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {like} STRATEGY FILE_COPY" if like else ""))
        return self.url.format(name=name)

    def _act(self, name: str, *words: object) -> None:
        done = subprocess.run([str(program(name)), *(str(w) for w in words)], cwd=self.folder, stdout=subprocess.PIPE if name == "initdb" else subprocess.DEVNULL,
                              stderr=subprocess.STDOUT if name == "initdb" else subprocess.DEVNULL, text=True,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, **self._as)
        assert done.returncode == 0, done.stdout or (self.folder / "log").read_text()[-2000:]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def _is_user(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False
