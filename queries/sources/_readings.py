"""Messages of readings: one shape for every door that brings them.

A reading is {"sensor": "W1", "at": "2026-11-23T08:30:00+08:00", "value": 1.25, "metric": "water_level", "unit": "m"}.
`at` may be seconds (or milliseconds) since 1970; `metric` may be left out where the sensor has only one, `unit` always.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from queries.errors import AskError
from queries.sensing.judge import Read

FIELDS = ("sensor", "at", "value", "metric", "unit")
LONGEST = 200
#: UTC seconds between which a moment can lie: 1990 to 2100.
FIRST, LAST = 631_152_000, 4_102_444_800


class BadReadingError(AskError):
    """A reading that cannot be read at all; `why` is a key of queries/sensing/judge.py REASONS."""

    why = "message"


def bad(field: str, en: str, zh: str) -> BadReadingError:
    """Return the refusal of a message."""
    return BadReadingError(f"{field}: {en}.", zh=f"{field}：{zh}。", field=field)


def read_row(told: Any) -> Read:
    """Return a message as a reading. Raises BadReadingError naming the field."""
    if not isinstance(told, Mapping):
        raise bad("body", "a reading is an object", "读数须为对象")
    for name in told:
        if name not in FIELDS:
            raise bad(str(name)[:60], "there is no such field", "没有这个字段")
    return Read(word(told, "sensor", True), moment_of(told.get("at")), number(told.get("value")), word(told, "metric"), word(told, "unit"))


def word(told: Mapping[Any, Any], name: str, needed: bool = False) -> str:
    """Return a field of text."""
    value = told.get(name, "")
    value = "" if value is None else str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise bad(name, f"is a text of up to {LONGEST} characters", f"须为不超过 {LONGEST} 字的文字")
    if needed and not value:
        raise bad(name, "is missing", "缺少该字段")
    return value


def number(value: Any) -> float:
    """Return a value; what a device writes for "no number" becomes NaN and is refused as such later."""
    if isinstance(value, bool) or value is None:
        raise bad("value", "is no number", "须为数")
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    try:
        return float(str(value)[:50])
    except ValueError:
        raise bad("value", "is no number", "须为数") from None


def moment_of(value: Any) -> int:
    """Return UTC seconds of a moment."""
    if isinstance(value, str):
        try:
            told = datetime.fromisoformat(value)
        except ValueError:
            told = None
        if told is None or told.tzinfo is None:
            raise bad("at", "is a time with its zone (2026-11-23T08:30:00+08:00) or seconds since 1970", "须为带时区的时间或 1970 年起的秒数")
        value = told.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad("at", "is missing or no time", "缺少时间或无法识别")
    if value > 10 * LAST:
        value /= 1000
    if not FIRST <= value < LAST:
        raise bad("at", "lies before 1990 or after 2099", "早于 1990 年或晚于 2099 年")
    return int(value)
