"""Hides personal data in case text. Nobody has a purpose yet that would allow to see it."""

from __future__ import annotations

import re

_IDENTITY = re.compile(r"(?<!\d)(\d{6})(\d{8})(\d{3}[\dXx])(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[- ](\d{3,4})(\d{4})(?!\d)")
_AMERICAN = re.compile(r"(?<!\d)\(?(\d{3})\)?[-. ](\d{3})[-. ](\d{4})(?!\d)")
_MAIL = re.compile(r"\b[\w.+-]+@([\w-]+\.[\w.-]+)")
#: 张某 is left; a full name is hidden only where the text itself says that a name follows.
_NAMED = re.compile(r"((?:姓名|联系人|当事人|投诉人|报案人)[:\uff1a\s]*)([\u4e00-\u9fff])[\u4e00-\u9fff]{1,3}")


def masked(text: str) -> str:
    """Return text with telephone and identity numbers, mail addresses and told names made unreadable."""
    text = _IDENTITY.sub(r"\1********\3", text)
    text = _IDENTITY_TAIL.sub(r"\1****", text)
    text = _MOBILE.sub(r"\1****\3", text)
    text = _LANDLINE.sub(r"\1-****\3", text)
    text = _AMERICAN.sub(r"\1-***-**\3", text)
    text = _MAIL.sub(r"***@\1", text)
    return _NAMED.sub(r"\1\2某", text)


_IDENTITY_TAIL = re.compile(r"(?<=\*{8})()\d{3}[\dXx]")
