"""How our doors call other systems: in limited time and size, a few times, and nowhere but where they were told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2 as httpx

from queries.errors import DoorError

#: Bytes of one answer, seconds for all of it, and how often a question is put.
LARGEST, WHOLE_S, TRIES = 20_000_000, 60.0, 3
#: Who asks us to wait longer than this is asked again at the next turn.
PATIENCE_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Got:
    """An answer that said yes."""

    body: bytes
    type: str


def client(read_s: float = 20.0) -> httpx.Client:
    """Return a client. A redirect is not followed: where it leads was not in the settings."""
    return httpx.Client(timeout=httpx.Timeout(read_s, connect=5.0), follow_redirects=False, headers={"User-Agent": "governance-brain/1"})


def get(by: httpx.Client, url: str, params: Mapping[str, str], ended: Callable[[], bool], none: int = 0) -> Got:
    """Ask, and ask again after what may pass (429, 5xx, no answer); the status `none` means an empty list. Raises DoorError."""
    host = urlsplit(url).hostname or ""
    for attempt in range(1, TRIES + 1):
        wait = 0.5 * 2**attempt
        try:
            with by.stream("GET", url, params=dict(params)) as reply:
                if reply.status_code == 200:
                    return Got(body=_body(reply, host), type=reply.headers.get("content-type", ""))
                if reply.status_code == none:
                    return Got(body=b"[]", type="application/json")
                bad = _refused(host, reply)
                if reply.status_code != 429 and reply.status_code < 500:
                    raise bad
                wait = _retry_after(reply, wait)
        except httpx.HTTPError as broken:
            bad = DoorError(f"{host} does not answer ({type(broken).__name__}).", zh=f"{host} 没有应答（{type(broken).__name__}）。")
        if attempt == TRIES or wait > PATIENCE_S:
            break
        rest(wait, ended)
    raise bad


def rest(seconds: float, ended: Callable[[], bool]) -> None:
    """Wait, but not beyond the end of the turn. Raises DoorError at that end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if ended():
            raise DoorError("The turn is over.", zh="本轮已结束。")
        time.sleep(min(0.2, max(0.0, until - time.monotonic())))


def posted(by: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> AbstractContextManager[httpx.Response]:
    """Send a message; the answer's body is left unread, since only its status matters."""
    return by.stream("POST", url, content=body, headers=dict(headers))


def _body(reply: httpx.Response, host: str) -> bytes:
    parts, size, until = [], 0, time.monotonic() + WHOLE_S
    for part in reply.iter_bytes():
        size += len(part)
        if size > LARGEST:
            raise DoorError(f"{host} answers with more than {LARGEST // 1_000_000} MB. Ask for shorter windows.", zh=f"{host} 的应答超过 {LARGEST // 1_000_000} MB。")
        if time.monotonic() > until:
            raise DoorError(f"{host} does not finish its answer within {WHOLE_S:.0f} s.", zh=f"{host} 在 {WHOLE_S:.0f} 秒内没有答完。")
        parts.append(part)
    return b"".join(parts)


def _refused(host: str, reply: httpx.Response) -> DoorError:
    code = reply.status_code
    if 300 <= code < 400:
        return DoorError(f"{host} sends us elsewhere ({code}). Put the address that holds into the settings.", zh=f"{host} 要求转到别处（{code}），请在设置中改用有效地址。")
    return DoorError(f"{host} answers {code}.", zh=f"{host} 应答 {code}。")


def _retry_after(reply: httpx.Response, otherwise: float) -> float:
    try:
        return max(0.0, float(reply.headers.get("retry-after", "")))
    except ValueError:
        return otherwise
