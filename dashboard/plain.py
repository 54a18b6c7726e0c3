"""Answers as plain values that JSON knows."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import Any

from queries.frame import Answer


def plain(value: Any) -> Any:
    """Return values that JSON knows; dates become ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(part) for key, part in asdict(value).items()}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def honesty(answer: Answer[Any]) -> dict[str, Any]:
    """Return as of when, from where and what was left out."""
    return {"as_of": plain(answer.as_of), "due": plain(answer.due), "source": list(answer.source),
            "dropped": plain(answer.dropped), "notes": list(answer.notes)}
