"""The attribute columns of a boundary file: codes, names, residents, days of validity."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from queries.city.model import LevelSpec
from queries.clock import day_bucket
from queries.errors import BoundaryError

if TYPE_CHECKING:
    from queries.boundaries.read import LevelRead

_DATE = re.compile(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T ].*)?$")


def nearest(name: str, known: list[str]) -> str:
    """Return the known name that is most like another."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return near[0] if near else ""


def codes(column: pd.Series | None, n: int, default: str | None) -> list[str]:
    """Return codes as text: 110101.0 and 110101 and ' 110101 ' are the same; blank is ''."""
    if column is None:
        return [default or ""] * n
    return [_code(value) for value in column]


def _code(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    text = str(value).replace("\0", "").strip()
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text


def padded(found: pd.Series, spec: LevelSpec, frame: pd.DataFrame, log: LevelRead) -> list[str]:
    """Return codes with the leading zeros that a number column lost; note other lengths."""
    length = spec.code_length or 0
    numbers = spec.code is not None and pd.api.types.is_numeric_dtype(frame[spec.code])
    out = [c.zfill(length) if numbers and c.isdigit() else c for c in found]
    for row, code in enumerate(out, start=1):
        if code and len(code) != length:
            log.say(
                row, spec.code or "code", code, "doubted",
                f"编码有 {len(code)} 位，应为 {length} 位", f"the code has {len(code)} places, not {length}",
            )
    return out


def words(column: pd.Series | None, n: int) -> list[str]:
    """Return names as text; '' where there is none."""
    if column is None:
        return [""] * n
    return ["" if pd.isna(v) else " ".join(str(v).replace("\0", "").split()) for v in column]


def residents(column: pd.Series | None, n: int, log: LevelRead) -> list[int | None]:
    """Return counts of residents; None where nothing is known, which is never 0."""
    if column is None:
        return [None] * n
    out: list[int | None] = []
    for row, value in enumerate(column, start=1):
        blank = pd.isna(value) or (isinstance(value, str) and not value.strip())
        number = None if blank else pd.to_numeric(value, errors="coerce")
        if number is not None and (not np.isfinite(number) or number < 0 or number > 2_000_000_000):
            log.say(row, "residents", value, "doubted", "人口不是有效数字", "residents is not a usable number")
            number = None
        out.append(None if number is None else round(float(number)))
    return out


def days(
    source: pd.Series | str | None, n: int, default: int | None, log: LevelRead, key: str, spec: LevelSpec
) -> pd.Series:
    """Return days since 1970 from a column or one date; `default` where nothing is given."""
    if source is None:
        return pd.Series([default] * n, dtype=object)
    if isinstance(source, str):
        one = day(source)
        if one is None:
            raise BoundaryError(
                f"levels.{spec.id}.{key}: {source!r} is neither a column of {spec.file} nor a date "
                "such as 2024-01-01.",
                zh=f"levels.{spec.id}.{key}：{source!r} 既不是 {spec.file} 的列，也不是 2024-01-01 这样的日期。",
            )
        return pd.Series([one] * n, dtype=object)
    out: list[int | None] = []
    for row, value in enumerate(source, start=1):
        if pd.isna(value) or (isinstance(value, str) and not value.strip()):
            out.append(default)
            continue
        number = day(value)
        if number is None:
            log.say(row, key, value, "doubted", "日期无法识别，按长期有效处理", "not a date: taken as without limit")
        elif number >= day_bucket(date(9000, 1, 1)):  # 9999-12-31 is how tables say "for ever"
            number = None
        out.append(default if number is None else number)
    return pd.Series(out, dtype=object)


def day(value: Any) -> int | None:
    """Return the day of a date in any usual spelling; None if it is none."""
    if isinstance(value, datetime):
        return day_bucket(value.date())
    if isinstance(value, date):
        return day_bucket(value)
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    match = _DATE.match(str(value).strip())
    if not match:
        return None
    try:
        return day_bucket(date(*(int(part) for part in match.groups())))
    except ValueError:
        return None


def overlap(one: pd.Series, other: pd.Series) -> bool:
    """Return whether two areas hold on a common day."""
    def before(a: pd.Series, b: pd.Series) -> bool:
        return a["valid_to"] is not None and a["valid_to"] <= b["valid_from"]

    return not before(one, other) and not before(other, one)
