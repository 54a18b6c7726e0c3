"""Passwords: what is strong enough, how one is kept, and one-time ones. Never kept in plain."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from queries.errors import WeakPasswordError

SHORTEST, KINDS, LONGEST = 8, 3, 200
_HASHER = PasswordHasher()
#: Each check takes 64 MiB; so many at once, however many knock.
_SLOTS = threading.BoundedSemaphore(4)
#: Without characters that are taken for one another.
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def one_time() -> str:
    """Return a random password (93 bits) in four groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def check(password: str, name: str) -> None:
    """Raise WeakPasswordError when a password may not be chosen by an account."""
    plain = _plain(password)
    kinds = {"lower" if c.islower() else "upper" if c.isupper() else "digit" if c.isdigit() else "other" for c in plain}
    if len(plain) > LONGEST:
        raise WeakPasswordError({"zh": f"密码不能超过 {LONGEST} 个字符", "en": f"A password has at most {LONGEST} characters"})
    if len(plain) < SHORTEST or len(kinds) < KINDS:
        raise WeakPasswordError({
            "zh": f"密码至少 {SHORTEST} 个字符，并含小写字母、大写字母、数字、其他符号中的 {KINDS} 种",
            "en": f"A password needs at least {SHORTEST} characters of {KINDS} kinds: small letters, capitals, digits, others"})
    if name.casefold() in plain.casefold():
        raise WeakPasswordError({"zh": "密码不能包含账号名", "en": "A password may not hold the account's name"})


def check_differs(old: str, new: str) -> None:
    """Raise WeakPasswordError when the new password is the old one."""
    if _plain(old) == _plain(new):
        raise WeakPasswordError({"zh": "新密码不能与原密码相同", "en": "The new password may not be the old one"})


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    with _SLOTS:
        return _HASHER.hash(_plain(password))


def fits(kept: str, password: str) -> bool:
    """Return whether a password is the kept one. Takes as long when nothing is kept as when something is."""
    with _SLOTS:
        try:
            plain = _plain(password)
            return _HASHER.verify(kept or _nothing(), plain if len(plain) <= LONGEST else "") and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Return whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


@lru_cache(maxsize=1)
def _nothing() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def _plain(password: str) -> str:
    # The same characters come composed from one keyboard and decomposed from another.
    return unicodedata.normalize("NFC", password)
