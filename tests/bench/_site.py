"""For the benchmarks of pages: a city on disk, a server of its own, a browser with an empty cache, counted bytes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from queries import demo, loading
from queries.settings import Settings
from queries.store import Store

HOME = Path(__file__).resolve().parents[2]


def city(where: Path, grids: int) -> Path:
    """Return a data folder that holds the demo city of so many grids; made once."""
    data = where / f"data-{grids}"
    if not (data / "brain.sqlite").exists():
        store = Store(Settings(data_dir=data / "part").database)
        loading.load(demo.make(where / f"city-{grids}", grids=grids, seed=7), store, quiet=True)
        store.close()
        for part in (data / "part").iterdir():
            part.rename(data / part.name)
    return data


def histories(grids: int, sizes: Iterable[int]) -> Iterator[tuple[int, Store]]:
    """Yield the demo city with so many cases each, loaded into SQLite; gone when the next one is asked for."""
    with tempfile.TemporaryDirectory() as where:
        folder = demo.make(Path(where) / "city", grids=grids, seed=3)
        base = pl.read_parquet(folder / "cases.parquet")
        for size in sorted(sizes):
            grown(base, size).write_parquet(folder / "cases.parquet")
            store = Store(f"sqlite:///{where}/{size}.sqlite")
            loading.load(folder, store, quiet=True)
            yield size, store
            store.close()


def grown(base: pl.DataFrame, size: int) -> pl.DataFrame:
    """Return about `size` cases over three years: the demo's ninety days whole, and again and again further back, there as thin as it must be.

    Each size has the same years, so that each is asked for as many comparisons.
    """
    times = [c for c in base.columns if c in ("上报时间", "立案时间", "期限", "结案时间")]
    # What is past is closed, as in any city: only the newest ninety days hold open cases.
    closed, rounds = base.filter(pl.col("结案时间").is_not_null()), max(12, -(-size // len(base)))
    share = min(1.0, max(0, size - len(base)) / (len(closed) * (rounds - 1)))
    parts = [base]
    for i in range(1, rounds):
        part = closed.gather_every(max(1, round(1 / share)), i % 7) if share else closed.head(0)
        parts.append(part.with_columns(pl.col(c) - 90 * 86400 * (i % 12) for c in times).with_columns(案件号=pl.col("案件号") + f"-{i}"))
    return pl.concat(parts).head(size)


@contextmanager
def serve(data: Path, *command: str, wait: bool = True) -> Iterator[str]:
    """Run `python app.py` (or another command that takes --port) on a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    env = {k: v for k, v in os.environ.items() if not k.startswith("GOV_")} | {"GOV_DATA_DIR": str(data)}
    run = subprocess.Popen([sys.executable, *(command or ("app.py",)), "--port", port], cwd=HOME, env=env,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if wait:
            ready(f"http://127.0.0.1:{port}", run)
        yield f"http://127.0.0.1:{port}"
    finally:
        run.terminate()
        run.wait(20)


def ready(url: str, run: subprocess.Popen[bytes] | None = None, seconds: float = 600) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if run is not None and run.poll() is not None:
            raise RuntimeError(f"the server ended with code {run.returncode}")
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=20).read()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


@contextmanager
def browser(*scripts: str, flags: Iterable[str] = (), logs: bool = True) -> Iterator[Any]:
    """Lend a Chromium without a screen and with an empty cache; scripts run before those of any page.

    `logs`: it writes down what it fetches, and keeps up to 100 MB of it in the page's process.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    profile = tempfile.mkdtemp(prefix="gov-bench-")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--window-size=1920,1080", f"--user-data-dir={profile}",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", *flags):
        options.add_argument(flag)
    if logs:
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        made.set_page_load_timeout(300)
        made.set_script_timeout(300)
        made.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1920, "height": 1080, "deviceScaleFactor": 1, "mobile": False})
        for script in scripts:
            made.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        yield made
    finally:
        made.quit()
        shutil.rmtree(profile, ignore_errors=True)


def until(page: Any, script: str, seconds: float) -> Any:
    """Return the first true value of an expression; None when the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := page.execute_script("return " + script):
            return found
        time.sleep(0.05)
    return None


def transferred(page: Any, *parts: str) -> int:
    """Return the bytes on the wire, headers too, of what was fetched since last asked (whose address holds a part)."""
    urls: dict[str, str] = {}
    total = 0
    for line in page.get_log("performance"):
        message = json.loads(line["message"])["message"]
        held = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent":
            urls[held["requestId"]] = held["request"]["url"]
        elif message["method"] == "Network.loadingFinished":
            url = urls.get(held["requestId"], "")
            if url.startswith("http") and (not parts or any(part in url for part in parts)):
                total += int(held["encodedDataLength"])
    return total
