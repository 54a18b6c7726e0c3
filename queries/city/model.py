"""The whole of city.toml: the City, and its reader, which says where in the file a mistake is."""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from queries.city.evaluation import EvaluationSpec
from queries.city.eyes import REASONS, GatewaySpec
from queries.city.origins import Origin
from queries.city.sensing import STANDARD, AlarmRule, SensorKind
from queries.city.specs import (
    CAMERA_STATES,
    FIELDS,
    KINDS,
    REQUIRED,
    CalendarSpec,
    CodeRule,
    CodeType,
    LevelSpec,
    LimitSpec,
    Part,
    TableSpec,
    WordPair,
    Words,
    known_statuses,
    known_zone,
    unknown,
)
from queries.errors import CityFileError

__all__ = [
    "CAMERA_STATES", "FIELDS", "KINDS", "CalendarSpec", "City", "CodeRule", "CodeType", "LevelSpec", "LimitSpec",
    "TableSpec", "WordPair", "read_city",
]

NAME = "city.toml"


class City(Part):
    """A city as its folder describes it."""

    name: str
    name_en: str = ""
    code: str = Field(min_length=1)  # area code of the whole city
    timezone: str = "Asia/Shanghai"
    language: Literal["zh", "en"] = "zh"
    demo: bool = False
    #: GeoJSON (EPSG:4326) of water for the bundled base map, relative to the data folder.
    water: str | None = None
    #: West, south, east, north: where a point can be at all. None = as far as the boundaries reach.
    extent: tuple[float, float, float, float] | None = None
    categories: dict[str, WordPair] = {}
    #: True: a category word that matches nothing becomes a category of its own.
    automatic_categories: bool = False
    departments: dict[str, WordPair] = {}
    kinds: dict[str, str] = {}  # source word of a kind of case = English
    statuses: dict[str, str] = {}
    #: Who found a case, by words of its channel (grid, sensor, hotline, public), before the usual ones of queries/city/origins.py.
    origins: dict[Origin, Words] = {}
    camera_states: dict[str, str] = {}
    #: Video gateways by the id that the inventory of cameras names, and reasons to look above the standard ones.
    gateways: dict[str, GatewaySpec] = {}
    view_reasons: dict[str, WordPair] = {}
    codes: CodeRule = CodeRule()
    calendar: CalendarSpec = CalendarSpec()
    limits: list[LimitSpec] = []
    evaluation: EvaluationSpec = EvaluationSpec()
    levels: list[LevelSpec] = Field(min_length=1)
    sensor_kinds: dict[str, SensorKind] = {}  # above the standard ones
    alarms: list[AlarmRule] = []
    cases: list[TableSpec] = []
    sensors: list[TableSpec] = []
    readings: list[TableSpec] = []
    cameras: list[TableSpec] = []
    items: list[TableSpec] = []  # the task list, as published
    duty: list[TableSpec] = []  # which post answers for which area
    indicators: list[TableSpec] = []  # departments' figures for the index

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("statuses")
    @classmethod
    def _statuses(cls, value: dict[str, str]) -> dict[str, str]:
        return known_statuses(value)

    @field_validator("camera_states")
    @classmethod
    def _states(cls, value: dict[str, str]) -> dict[str, str]:
        for state in value.values():
            if state not in CAMERA_STATES:
                raise unknown(state, CAMERA_STATES, "camera state")
        return value

    @model_validator(mode="after")
    def _whole(self) -> City:
        seen: set[str] = set()
        for kind in KINDS:
            for at, spec in enumerate(self.tables(kind)):
                _check_fields(kind, f"{kind}[{at}]", spec)
                if spec.id in seen:
                    raise ValueError(f"{kind}[{at}].id: {spec.id!r} is used twice; each table needs its own.")
                seen.add(spec.id)
        ids = [level.id for level in self.levels]
        for at, level in enumerate(self.levels):
            if level.id in ids[:at]:
                raise ValueError(f"levels[{at}].id: {level.id!r} is used twice; each level needs its own.")
            if at and not (level.file and level.code):
                raise ValueError(f"levels[{at}] ({level.id}) needs both `file` and `code` (its column).")
        for type_ in self.codes.types:
            if type_.level not in ids:
                raise unknown(type_.level, ids, "level id (codes.types)")
        self._check_limits()
        self._check_alarms()
        return self

    def _check_alarms(self) -> None:
        ids: set[str] = set()
        for at, rule in enumerate(self.alarms):
            if rule.id in ids:
                raise ValueError(f"alarms[{at}].id: {rule.id!r} is used twice; each rule needs its own.")
            ids.add(rule.id)
            known = self.kinds_of_sensors
            if rule.sensor_kind and rule.sensor_kind not in known:
                raise ValueError(f"alarms[{at}].sensor_kind: {unknown(rule.sensor_kind, known, 'kind of sensor')}")
            if rule.metric and rule.sensor_kind and rule.metric not in known[rule.sensor_kind].metrics:
                raise ValueError(f"alarms[{at}].metric: {unknown(rule.metric, known[rule.sensor_kind].metrics, 'metric of ' + rule.sensor_kind)}")
            if rule.category and rule.category not in ("other", *self.categories):
                raise ValueError(f"alarms[{at}].category: {unknown(rule.category, ['other', *self.categories], 'category')}")

    def _check_limits(self) -> None:
        known = ["other", *self.categories]
        said: dict[tuple[object, ...], int] = {}
        for at, limit in enumerate(self.limits):
            if limit.category and limit.category not in known and not self.automatic_categories:
                raise ValueError(f"limits[{at}].category: {unknown(limit.category, known, 'category')}")
            key = (limit.stage, limit.category, limit.kind, limit.urgent, limit.valid_from)
            if (first := said.setdefault(key, at)) != at:
                raise ValueError(f"limits[{at}]: the same cases, stage and valid_from as limits[{first}]. Keep one, or give it another valid_from.")

    @property
    def kinds_of_sensors(self) -> dict[str, SensorKind]:
        """Return every kind of sensor by its code: the standard ones, and the city's own above them."""
        return {**STANDARD, **self.sensor_kinds}

    @property
    def reasons_to_look(self) -> dict[str, WordPair]:
        """Return every reason for which somebody may look through a camera, by its code; "other" is the last."""
        return {**{code: words for code, words in REASONS.items() if code != "other"}, **self.view_reasons, "other": self.view_reasons.get("other", REASONS["other"])}

    @property
    def zone(self) -> ZoneInfo:
        """Return the city's time zone."""
        return ZoneInfo(self.timezone)

    def tables(self, kind: str) -> list[TableSpec]:
        """Return the tables of one kind, such as 'cases'."""
        return getattr(self, kind)

    def parent_rule(self, level: int) -> str | None:
        """Return the parent column, 'prefix' or 'contains' of a level; None for the top."""
        if level == 0:
            return None
        return self.levels[level].parent or ("prefix" if self.codes.nested else "contains")


def _check_fields(kind: str, where: str, spec: TableSpec) -> None:
    given_ = {*spec.columns, *spec.constants}
    for part in ("columns", "constants"):
        for field in getattr(spec, part):
            if field not in FIELDS[kind]:
                raise ValueError(f"{where}.{part}: {unknown(field, FIELDS[kind], f'field of {kind}')}")
    if kind == "indicators" and not {"numerator", "denominator"} <= given_ and "value" not in given_:
        raise ValueError(f"{where}.columns lacks what to count: say which columns hold numerator and denominator, or which holds the value.")
    if spec.metrics and kind != "readings":
        raise ValueError(f"{where}.metrics is only for readings.")
    given = {*spec.columns, *spec.constants} | ({"metric", "value"} if spec.metrics else set())
    # Which metric it is may be left out where the sensor has only one, as at the other doors.
    needed = (*REQUIRED[kind], "value") if kind == "readings" else REQUIRED[kind]
    for field in needed:
        if field not in given:
            raise ValueError(f"{where}.columns lacks {field!r}: say which column holds it.")


def read_city(folder: Path) -> City:
    """Return the city that `folder`/city.toml describes. Raises CityFileError."""
    folder = Path(folder)
    path = folder if folder.suffix == ".toml" else folder / NAME
    try:
        text = path.read_text("utf-8-sig")
        return City(**tomllib.loads(text))
    except OSError as bad:
        raise CityFileError(
            f"{path} cannot be read ({bad.strerror}). A city folder needs a file named {NAME}."
        ) from bad
    except UnicodeDecodeError as bad:
        raise CityFileError(f"{path} is not UTF-8 text (byte {bad.start}). Save it as UTF-8.") from bad
    except tomllib.TOMLDecodeError as bad:
        raise CityFileError(f"{path} is not valid TOML: {bad}.") from bad
    except ValidationError as bad:
        raise CityFileError(_told(path, text, bad)) from None


def _told(path: Path, text: str, bad: ValidationError) -> str:
    # A mistyped key is often why another one is missing: it is told first.
    first = min(bad.errors(), key=lambda error: error["type"] != "extra_forbidden")
    loc = tuple(part for part in first["loc"] if part != "[key]")
    key = _path(loc)
    message = first["msg"].removeprefix("Value error, ")
    if not loc and (found := re.match(r"(\w+)\[(\d+)\](?:\.(\w+))?", message)):
        loc = (found[1], int(found[2]), *([found[3]] if found[3] else []))
    line = _line(text, loc)
    where = f"{path}, line {line}" if line else f"{path}"
    more = f" ({len(bad.errors()) - 1} more mistakes follow.)" if len(bad.errors()) > 1 else ""
    if first["type"] == "extra_forbidden":
        names = sorted(_fields_at(City, loc[:-1]))
        near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.0)
        return f"{where}: unknown key {key}. The nearest known one is {near[0] if near else NAME!r}.{more}"
    if first["type"] == "missing":
        return f"{where}: {key} is missing. Add it.{more}"
    return f"{where}: {key}: {message}{more}" if key else f"{where}: {message}{more}"


def _path(loc: tuple[Any, ...]) -> str:
    key = ""
    for part in loc:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key


def _fields_at(kind: Any, loc: tuple[Any, ...]) -> set[str]:
    """Return the keys that are known at a place of the model."""
    for part in loc:
        kind = _bare(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[part].annotation
        else:
            kind = typing.get_args(kind)[-1]
    kind = _bare(kind)
    return set(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else set()


def _bare(kind: Any) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(arg for arg in typing.get_args(kind) if arg is not type(None))
    return kind


def _line(text: str, loc: tuple[Any, ...]) -> int | None:
    """Return the line of a key as far as it can be found by reading on from its tables' headers."""
    lines = text.splitlines()
    at = -1
    found = None
    for place, part in enumerate(loc):
        if isinstance(part, int):
            header = re.compile(rf"^\s*\[\[\s*{re.escape(str(loc[place - 1]))}\s*\]\]")
            starts = [n for n, line in enumerate(lines) if header.match(line)]
            if part < len(starts):
                at = found = starts[part]
                # A key that this entry lacks is not to be found in the next one.
                lines = lines[:starts[part + 1]] if part + 1 < len(starts) else lines
            continue
        word = re.escape(str(part))
        pattern = re.compile(rf"^\s*(\[+.*\b)?[\"']?{word}[\"']?\s*[=\]]|[{{,]\s*[\"']?{word}[\"']?\s*=")
        for n in range(max(at, 0), len(lines)):
            if pattern.search(lines[n]):
                at = found = n
                break
    return None if found is None else found + 1
