"""The demo's telephone: it reaches a running server on this machine over HTTP, as a post or with a source's token."""

from __future__ import annotations

import http.client
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from queries.errors import ScopeError, SettingError

TIMEOUT_S = 30.0


class AwayError(Exception):
    """Nobody answers: the server is not up, or went down."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server said."""

    status: int
    body: Any

    @property
    def taken(self) -> bool:
        """Return whether it was written, now or before."""
        return self.status in (200, 201)


def loopback(url: str) -> tuple[str, int]:
    """Return host and port of an address on this machine. Raises SettingError for any other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        parts, host, port, here = urlsplit(""), "", 0, False
    if not here or parts.scheme != "http" or parts.username is not None:
        raise SettingError(f"{url!r} is not this machine. The demo's life is for a server at http://127.0.0.1:PORT only.")
    return host, port


class Caller:
    """Talks to one server. `token_of` makes a token of a source; without it sources speak through the dispatcher's post."""

    def __init__(self, url: str, token_of: Callable[[str], str] | None = None) -> None:
        """Take the address; nobody is called yet."""
        self.host, self.port = loopback(url)
        self._token_of, self._tokens = token_of, dict[str, str]()
        self._line: http.client.HTTPConnection | None = None
        self.calls = 0

    def ask(self, post: str, path: str, **query: Any) -> Any:
        """Return what a post is told. Raises AwayError, ScopeError."""
        where = f"{path}?{urlencode(query)}" if query else path
        reply = self._call("GET", where, {"Cookie": f"gov_demo_post={post}"}, None)
        if not reply.taken:
            raise ScopeError(f"The server at {self.host}:{self.port} does not let the demo's posts in ({reply.status}). Is its city the demo city?")
        return reply.body

    def tell(self, who: str, path: str, message: Mapping[str, Any], key: str = "") -> Reply:
        """Hand something in as a post, or as `source:NAME`. Raises AwayError."""
        kind, _, source = who.partition(":")
        told = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        if kind != "source":
            return self._call("POST", path, {**told, "Cookie": f"gov_demo_post={quote(who)}"}, message)
        if self._token_of is None:
            return self._call("POST", path, {**told, "Cookie": "gov_demo_post=dispatcher"}, message)
        for _ in range(2):  # a token that has ended is made anew, once
            if source not in self._tokens:
                self._tokens[source] = self._token_of(source)
            reply = self._call("POST", path, {**told, "Authorization": f"Bearer {self._tokens[source]}"}, message)
            if reply.status != 401:
                return reply
            self._tokens.pop(source)
        return reply

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _call(self, method: str, path: str, headers: dict[str, str], message: Any) -> Reply:
        body = None if message is None else json.dumps(message, ensure_ascii=False).encode()
        self.calls += 1
        try:
            if self._line is None:
                self._line = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
            self._line.request(method, path, body, headers)
            answer = self._line.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as bad:
            self.close()
            raise AwayError(str(bad)) from None
        try:
            return Reply(status=answer.status, body=json.loads(text or b"null"))
        except ValueError:
            return Reply(status=answer.status, body=None)
