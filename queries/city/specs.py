"""The parts of city.toml, typed: levels, tables, words. Opens none of the files that they name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from queries.city.doors import is_known
from queries.clocks import CLOCKS, STAGES, WHISTLES
from queries.clocks.calendar import DAY_CLOCKS, HOURS, LIBRARIES, MOST, WEEK, read_hours
from queries.loop.steps import STATUSES

#: Which target holds for a camera: 98 % intact in key public areas, 95 % in key trades.
CAMERA_CLASSES = ("key_area", "key_trade")
CAMERA_STATES = ("online", "offline", "no_picture", "unknown")

#: Which of our fields each kind of table can fill; the first are those without which a row is refused.
REQUIRED = {
    "cases": ("no", "reported_at"),
    "sensors": ("code",),
    "readings": ("sensor", "at"),
    "cameras": ("code",),
    "items": ("code", "title", "department", "basis"),
    "duty": ("area_code", "post", "shown"),
    "indicators": ("indicator", "area_code", "period"),
}
FIELDS = {
    "cases": (
        "no", "reported_at", "category", "kind", "title", "address", "channel", "department", "status",
        "urgent", "filed_at", "due_at", "closed_at", "updated_at", "rework", "lon", "lat", "area_code",
    ),
    "sensors": ("code", "name", "kind", "lon", "lat", "area_code", "every_s"),
    "readings": ("sensor", "at", "metric", "value", "unit"),
    "cameras": ("code", "name", "kind", "lon", "lat", "area_code", "state", "seen_at", "class", "stream", "still", "gateway", "live"),
    "items": ("code", "title", "department", "basis", "title_en", "category", "to", "content", "temporary", "valid_from", "valid_to"),
    "duty": ("area_code", "post", "shown", "phone"),
    "indicators": ("indicator", "area_code", "period", "grain", "numerator", "denominator", "value", "weight", "source"),
}
KINDS = tuple(FIELDS)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


#: One word or a list of words; always a list once read.
Words = Annotated[list[str], BeforeValidator(_listed)]


def unknown(word: str, known: Any, what: str) -> ValueError:
    """Return the error for a word that is not among the known ones, naming the nearest."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    return ValueError(f"{word!r} is no {what}. The nearest known one is {near[0] if near else '(none)'!r}.")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WordPair(Part):
    """A thing with a name in both languages and the source words that mean it."""

    name: str
    name_en: str = ""
    #: Source words, whole; one that ends in * is a beginning, one that begins with * an end. No regard to case or width.
    match: Words = []

    def word(self, language: str) -> str:
        """Return the name in a language ('zh' or 'en'), or the other one if it is missing."""
        return (self.name_en or self.name) if language == "en" else (self.name or self.name_en)


class CodeType(Part):
    """What a range of digits inside an area code means, such as 001-099 = street."""

    level: str
    digits: tuple[int, int]  # first and last digit, counted from 1
    first: int
    last: int
    name: str
    name_en: str = ""


class CodeRule(Part):
    """How area codes are built."""

    #: A child's code begins with its parent's code.
    nested: bool = False
    types: list[CodeType] = []


class LevelSpec(Part):
    """One level of the boundary tree, from the top (the whole city) downwards."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    name: str
    name_en: str = ""
    #: Boundary file, relative to the data folder. The top level may have none (the union of the next).
    file: str | None = None
    layer: str | None = None
    #: Column of the area's code; may be missing for the top level, whose code is the city's.
    code: str | None = None
    #: Column of the parent's code, or 'prefix' (of the code) or 'contains' (by geometry).
    parent: str | None = None
    name_column: str | None = None
    name_en_column: str | None = None
    residents: str | None = None
    valid_from: str | None = None  # column, or a date such as 2024-01-01
    valid_to: str | None = None  # column or date: the first day on which the area no longer holds
    crs: str | None = None  # None = as the file itself declares
    code_length: int | None = Field(None, ge=1)
    encoding: str | None = None

    @field_validator("valid_from", "valid_to", mode="before")
    @classmethod
    def _dates_as_text(cls, value: Any) -> Any:
        return value.isoformat()[:10] if hasattr(value, "isoformat") else value

    _crs = field_validator("crs")(lambda value: known_crs(value))


class TableSpec(Part):
    """One table (of cases, sensors, the task list ...): where it is and which column is which field."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str = ""
    title_en: str = ""
    licence: str = ""
    file: Words = Field(min_length=1)  # names or patterns such as cases-*.csv.gz
    sheet: str | None = None  # of an Excel file; None = the first
    header_row: int = Field(1, ge=1)  # the line (or sheet row) that holds the column names
    delimiter: str | None = Field(None, min_length=1, max_length=1)  # None = found out
    encoding: str | None = None  # None = found out, line by line if need be
    #: Our field -> their column, or several columns of which the first that is not blank counts.
    columns: dict[str, Words] = {}
    #: Our field -> one value for all rows (where there is no column, or the column is blank).
    constants: dict[str, str] = {}
    #: For readings with one column per metric: metric -> column.
    metrics: dict[str, str] = {}
    crs: str = "EPSG:4326"
    #: 'auto', or formats such as '%d.%m.%Y %H:%M' that are tried first.
    time_format: Words = ["auto"]
    day_first: bool | None = None  # 3/4/2024: True = 3 April; None = decided by the column's other values
    time_zone: str | None = None  # None = the city's
    no_prefix: str = ""  # put before each case number (or code), so that two sources do not collide
    blank: Words = []  # words that mean "nothing", besides empty and blank cells
    statuses: dict[str, str] = {}  # this table's own status words, before the city's
    every_s: int | None = Field(None, ge=1)  # promised seconds between deliveries (sensors: readings)

    _crs = field_validator("crs")(lambda value: known_crs(value))

    @field_validator("constants", mode="before")
    @classmethod
    def _constants_as_text(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()}

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)

    @field_validator("statuses")
    @classmethod
    def _statuses(cls, value: dict[str, str]) -> dict[str, str]:
        return known_statuses(value)


class CalendarSpec(Part):
    """When the city works; see queries/clocks/calendar.py."""

    #: "china", or "" for none; None = as the city's time zone suggests.
    library: str | None = None
    hours: Words = list(HOURS)
    weekend: Words = ["sat", "sun"]
    #: The city's own days, above the library's.
    workdays: list[date] = []
    holidays: list[date] = []
    #: Years whose days off these lists name in full, so that their deadlines are sure without the library.
    years: list[int] = []

    _library = field_validator("library")(lambda value: value if value is None else _one(value, LIBRARIES, "library of days off"))
    _weekend = field_validator("weekend")(lambda value: [_one(word, WEEK, "day of the week") for word in value])

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: list[str]) -> list[str]:
        read_hours(value)
        return value

    @field_validator("weekend")
    @classmethod
    def _some_work(cls, value: list[str]) -> list[str]:
        if set(value) == set(WEEK):
            raise ValueError("all seven days are days off, so no working day would ever come. Leave one out.")
        return value

    @model_validator(mode="after")
    def _apart(self) -> CalendarSpec:
        if both := sorted({*self.workdays} & {*self.holidays}):
            raise ValueError(f"{both[0]} is both in workdays and in holidays. Keep one.")
        return self


class LimitSpec(Part):
    """One time limit: of which cases, for which stage, how much of which clock, by what right."""

    stage: str
    amount: float = Field(gt=0, le=MOST)
    clock: str
    basis: str = ""  # law, standard or decision, with its date
    category: str = ""  # code; empty = any
    kind: str = ""  # the source's own word; for stage arrive: the reason of the whistle
    urgent: bool | None = None  # None = either
    valid_from: date | None = None  # cases from this day on; None = all
    valid_to: date | None = None  # the first day on which it no longer holds

    _stage = field_validator("stage")(lambda value: _one(value, STAGES, "stage"))
    _clock = field_validator("clock")(lambda value: _one(value, CLOCKS, "clock"))

    @model_validator(mode="after")
    def _whole(self) -> LimitSpec:
        if self.clock in DAY_CLOCKS and self.amount != int(self.amount):
            raise ValueError(f"amount {self.amount:g}: {self.clock} counts whole days. Give a whole number, or a clock of hours.")
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is not after valid_from {self.valid_from}. It is the first day without the limit.")
        if self.stage == "arrive" and self.kind:
            _one(self.kind, WHISTLES, "reason of a whistle (kind, for stage arrive)")
        return self


def _one(word: str, known: Sequence[str], what: str) -> str:
    if word not in known:
        raise unknown(word, known, what)
    return word


def known_zone(value: str) -> str:
    """Return a time zone's name if it is one. Raises ValueError with the nearest."""
    if value not in (zones := available_timezones()):
        raise unknown(value, sorted(zones), "time zone")
    return value


def known_crs(value: str | None) -> str | None:
    """Return a coordinate system's name if there is a door for it. Raises ValueError."""
    if value is not None and not is_known(value):
        raise ValueError(f"{value!r} is no coordinate system we know. Give EPSG:4326, EPSG:4490, GCJ-02, BD-09 or another EPSG code.")
    return value


def known_statuses(value: dict[str, str]) -> dict[str, str]:
    """Return status words if all lead to standard ones. Raises ValueError with the nearest."""
    for source, status in value.items():
        if status not in STATUSES:
            raise ValueError(f"{source!r}: {unknown(status, STATUSES, 'standard status word')}")
    return value
