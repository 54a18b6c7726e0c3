"""Reads moments in any of the usual ways of writing them, as UTC seconds; many at once where it can."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl

#: Ways of writing that polars reads by itself; none of them leaves day and month open.
ZONED = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S%.f%z")
LOCAL = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y年%m月%d日 %H时%M分",
    "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H时%M分%S秒", "%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
)
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d", "%d.%m.%Y")
#: With the order of day and month settled, these can be read at once too.
_ORDERED = ("%A/%B/%Y %H:%M:%S", "%A/%B/%Y %H:%M", "%A/%B/%Y %I:%M:%S %p", "%A/%B/%Y %I:%M %p", "%A/%B/%Y",
            "%A-%B-%Y %H:%M:%S", "%A-%B-%Y %H:%M", "%A-%B-%Y")
_MANY = 2000
_SAMPLE = 400
_YEARS = (1000, 2999)

_MONTHS = {name: n for n, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}
_CLOCK = (
    r"(?:[\sT,]*(?P<half1>上午|下午|晚上|凌晨|中午)?\s*(?P<h>\d{1,2})(?:[:.时点](?P<mi>\d{1,2}))?"
    r"[:.分]?(?:(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?:分|秒|时|点)?\s*(?P<half2>[aApP]\.?[mM]\.?)?"
    r"\s*(?P<tz>Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}})\s*[-/.年\s]\s*(?P<m>\d{{1,2}})\s*[-/.月\s]\s*(?P<d>\d{{1,2}})日?{_CLOCK}$")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})(?P<sep>[/.\-])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}|\d{{2}}){_CLOCK}$")
_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?:(?P<d1>\d{1,2})[\s-]+(?P<n1>[A-Za-z]{3,9})\.?|(?P<n2>[A-Za-z]{3,9})\.?\s+(?P<d2>\d{1,2})),?"
    rf"[\s-]+(?P<y>\d{{4}}){_CLOCK}$"
)
_DIGITS = re.compile(r"\d+(\.\d+)?$")


@dataclass
class DayOrder:
    """What a column has shown so far about 3/4/2024: is it 3 April or 4 March?"""

    declared: bool | None = None
    usual: bool = True  # what to guess when the column shows nothing
    day_first: int = 0
    month_first: int = 0

    def learn(self, values: list[str]) -> None:
        """Count the values that can be read in one way only."""
        for value in values:
            if found := _YEAR_LAST.match(value):
                a, b = int(found["a"]), int(found["b"])
                self.day_first += found["sep"] == "." or (a > 12 >= b)
                self.month_first += found["sep"] != "." and b > 12 >= a

    def learn_many(self, values: pl.Series) -> tuple[str, ...]:
        """Count like `learn`, for a whole column; return the formats that are settled by it."""
        parts = values.str.extract_groups(r"^(\d{1,2})[/\-](\d{1,2})[/\-]\d{4}").struct.unnest().cast(pl.Int32)
        a, b = parts.get_columns()
        self.day_first += int(((a > 12) & (b <= 12)).sum())
        self.month_first += int(((b > 12) & (a <= 12)).sum())
        first, sure = self.decide(1, 2, "/")
        pair = ("%d", "%m") if first else ("%m", "%d")
        return tuple(form.replace("%A", pair[0]).replace("%B", pair[1]) for form in _ORDERED) if sure else ()

    def decide(self, a: int, b: int, sep: str) -> tuple[bool, bool]:
        """Return (day comes first, sure)."""
        if sep == "." or a > 12 or a == b:
            return True, True
        if b > 12:
            return False, True
        if self.declared is not None:
            return self.declared, True
        if bool(self.day_first) != bool(self.month_first):
            return bool(self.day_first), True
        return self.usual, False


@dataclass(frozen=True, kw_only=True)
class Moments:
    """UTC seconds (null = blank or unreadable), and which values were unreadable or only guessed."""

    seconds: pl.Series
    unread: pl.Series
    guessed: pl.Series


@dataclass
class DateReader:
    """Reads one column of dates, chunk after chunk, and remembers what it learned of it."""

    zone: ZoneInfo
    formats: tuple[str, ...] = ()
    order: DayOrder = field(default_factory=DayOrder)

    def read(self, column: pl.Series) -> Moments:
        """Return the moments of a cleaned text column (blank cells are null)."""
        seconds = pl.Series(column.name, [None], pl.Int64).new_from_index(0, len(column))
        guessed = pl.Series([False]).new_from_index(0, len(column))
        seconds, gone = self._at_once(column, seconds, (*self.formats, *ZONED, *LOCAL, *DAYS))
        guessed = guessed | gone
        seconds = pl.select(pl.coalesce(seconds, _counted(column))).to_series()
        left = (column.is_not_null() & seconds.is_null()).arg_true()
        if len(left) > _MANY and (forms := self.order.learn_many(column.gather(left))):
            seconds, gone = self._at_once(column, seconds, forms)
            guessed = guessed | gone
        left = (column.is_not_null() & seconds.is_null()).arg_true()
        if len(left):
            values = [_ascii(value) for value in column.gather(left)]
            self.order.learn(values)
            read = {value: self._one(value) for value in set(values)}
            found = [read[value] for value in values]
            seconds = seconds.scatter(left, [one[0] for one in found])
            guessed = guessed.scatter(left, [one[1] for one in found])
        return Moments(seconds=seconds, unread=column.is_not_null() & seconds.is_null(), guessed=guessed)

    def _at_once(self, column: pl.Series, seconds: pl.Series, forms: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
        gone = pl.Series([False]).new_from_index(0, len(column))
        for form in forms:
            todo = column.is_not_null() & seconds.is_null()
            left = todo.arg_true()
            if not len(left):
                break
            step = max(len(left) // _SAMPLE, 1)
            if not len(left) or not _parse(column.gather(left[::step]), form).count():
                continue
            text = column if len(left) == len(column) else pl.select(pl.when(todo).then(column)).to_series()
            moments = _parse(text, form)
            if form not in ZONED and "%z" not in form:
                local = moments
                moments = local.dt.replace_time_zone(str(self.zone), ambiguous="earliest", non_existent="null")
                lost = (local.is_not_null() & moments.is_null()).arg_true()
                moments = moments.dt.epoch("s")
                if len(lost):  # the hour that the clock skips in spring
                    moments = moments.scatter(lost, [_local(value, self.zone)[0] for value in local.gather(lost)])
                    gone = gone.scatter(lost, True)
            else:
                moments = moments.dt.epoch("s")
            seconds = pl.select(pl.coalesce(seconds, moments)).to_series()
        return seconds, gone

    def _one(self, text: str) -> tuple[int | None, bool]:
        """Return (UTC seconds or None, only guessed) of one value."""
        try:
            return self._any(text)
        except (ValueError, OverflowError):
            return None, False

    def _any(self, text: str) -> tuple[int | None, bool]:
        if _DIGITS.match(text):
            return self._digits(text)
        if found := _YEAR_FIRST.match(text):
            return self._put(found, int(found["m"]), int(found["d"]), True)
        if found := _YEAR_LAST.match(text):
            a, b = int(found["a"]), int(found["b"])
            first, sure = self.order.decide(a, b, found["sep"])
            return self._put(found, b if first else a, a if first else b, sure)
        if found := _NAMED.match(text):
            name = (found["n1"] or found["n2"]).lower()
            month = _MONTHS.get(name[:3])
            return self._put(found, month, int(found["d1"] or found["d2"]), True) if month else (None, False)
        return None, False

    def _digits(self, text: str) -> tuple[int | None, bool]:
        whole = text.partition(".")[0]
        n = len(whole)
        if n in (8, 10, 12, 14) and whole[:2] in ("19", "20") and "." not in text:
            try:
                return _local(datetime.strptime(whole, "%Y%m%d%H%M%S"[: n - 2]), self.zone)
            except ValueError:
                pass
        if n in (10, 9):
            return int(float(text)), False
        if n in (13, 16):
            return int(whole) // (1000 if n == 13 else 1_000_000), False
        if n == 5 and 20_000 <= int(whole) < 80_000:  # an Excel serial: days since 30 December 1899
            seconds = round(float(text) * 86400)
            return _local(datetime(1899, 12, 30) + timedelta(seconds=seconds), self.zone)
        return None, False

    def _put(self, found: re.Match[str], month: int, day: int, sure: bool) -> tuple[int | None, bool]:
        year = int(found["y"])
        year += (2000 if year < 70 else 1900) if len(found["y"]) == 2 else 0
        hour, minute, second = (int(found[part] or 0) for part in ("h", "mi", "s"))
        half = (found["half1"] or found["half2"] or "").lower().replace(".", "")
        if half in ("pm", "下午", "晚上") and hour < 12:
            hour += 12
        elif half in ("am", "上午", "凌晨") and hour == 12:
            hour = 0
        extra = 0
        if hour == 24 and minute == second == 0:
            hour, extra = 0, 1
        moment = datetime(year, month, day, hour, minute, min(second, 59)) + timedelta(days=extra)
        if zone := found["tz"]:
            offset = _offset(zone)
            return int(moment.replace(tzinfo=offset).timestamp()), not sure
        seconds, guessed = _local(moment, self.zone)
        return seconds, guessed or not sure


def _counted(column: pl.Series) -> pl.Series:
    """Return what is surely a count of seconds, milliseconds or microseconds since 1970, as `_digits` reads it."""
    text, n = pl.lit(column), pl.lit(column).str.len_bytes()
    # Ten digits that begin with 19 or 20 may also be a day and an hour.
    sure = text.str.contains(r"^[0-9]+$") & (n.is_in([9, 13, 16]) | (n == 10) & ~text.str.contains("^(19|20)"))
    whole = pl.when(sure).then(text).cast(pl.Int64, strict=False)
    return pl.select(pl.when(n == 13).then(whole // 1000).when(n == 16).then(whole // 1_000_000).otherwise(whole)).to_series()


def _parse(text: pl.Series, form: str) -> pl.Series:
    if form in ZONED:
        text = text.str.replace(r"[Zz]$", "+00:00")
    try:
        if form.endswith(("%d", "%d日", "%Y")):
            moments = text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
        else:
            moments = text.str.to_datetime(form, strict=False, time_unit="us")
    except pl.exceptions.PolarsError:
        return pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(text))
    return pl.select(pl.when(moments.dt.year().is_between(*_YEARS)).then(moments)).to_series()


def _local(moment: datetime, zone: ZoneInfo) -> tuple[int, bool]:
    """Return the UTC seconds of a local time; a time that the clock skipped moves on, and counts as guessed."""
    aware = moment.replace(tzinfo=zone)
    back = aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return int(aware.timestamp()), back != moment


def _offset(word: str) -> timezone:
    if word.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = word[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if word[0] == "-" else span)


def _ascii(text: str) -> str:
    """Return a value with full-width digits and signs made plain."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()
