"""Reads the days that a figure speaks of: a day, a month, a quarter, a half-year or a year, in the usual ways of writing them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

ONE = timedelta(days=1)
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_FORMS = tuple(re.compile(form + "$", re.IGNORECASE) for form in (
    rf"{_YEAR}\s*年?度?(?:\.0)?",
    rf"{_YEAR}\s*[-/.年]?\s*(?:(?:第?\s*(?P<q>[1-4一二三四])\s*季度?)|(?:q(?P<q2>[1-4])))",
    rf"{_YEAR}\s*[-/.年]?\s*(?:(?P<h>[上下])半年|h(?P<h2>[12]))",
    rf"{_YEAR}\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*(?P<d>\d{{1,2}})\s*日?(?:[ T]0?0:00(?::00(?:\.0+)?)?)?",
    rf"{_YEAR}\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*月?(?:份)?",
    rf"{_YEAR}(?P<m>\d\d)(?P<d>\d\d)", rf"{_YEAR}(?P<m>\d\d)"))
_COUNT = {"一": 1, "二": 2, "三": 3, "四": 4}
#: How long a figure is whose table says so, in months; a day has none.
GRAINS = {"day": 0, "month": 1, "quarter": 3, "half": 6, "year": 12}


def read_span(text: str, grain: str = "") -> tuple[date, date] | None:
    """Return the first and last day that a text names; None if it names none. `grain`: a day stands for the month (quarter …) that it lies in."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = next((hit for form in _FORMS if (hit := form.match(plain))), None)
    if found is None:
        return None
    held = found.groupdict()
    year, quarter, half = int(held["y"]), held.get("q") or held.get("q2"), held.get("h") or held.get("h2")
    try:
        if quarter:
            first, months = date(year, 3 * (_COUNT.get(quarter) or int(quarter)) - 2, 1), 3
        elif half:
            first, months = date(year, 1 if half in "上1" else 7, 1), 6
        elif held.get("d"):
            first, months = date(year, int(held["m"]), int(held["d"])), 0
        else:
            first, months = (date(year, int(held["m"]), 1), 1) if held.get("m") else (date(year, 1, 1), 12)
    except ValueError:
        return None
    wanted = GRAINS.get(grain, months)
    if wanted > months:
        first, months = date(first.year, (first.month - 1) // wanted * wanted + 1, 1), wanted
    return first, _end(first, months)


def _end(first: date, months: int) -> date:
    if not months:
        return first
    after = first.month - 1 + months
    return date(first.year + after // 12, after % 12 + 1, 1) - ONE
