"""Open311 GeoReport v2 on the wire: its requests, read from JSON or XML, and its answers, written as either.

http://wiki.open311.org/GeoReport_v2: only open and closed, times in W3C format, errors as a list of code and description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any
from xml.etree import ElementTree as Tree

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json

from queries.errors import DoorError

BEGIN, END = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _text(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    # What no database keeps as text is not worth the loss of the report around it.
    return value.replace("\x00", " ").encode("utf-8", "replace").decode().strip() if isinstance(value, str) else value


def _number(value: Any) -> Any:
    return None if value in ("", None) else value


def _shortened(most: int) -> Any:
    return BeforeValidator(lambda value: text[:most] if isinstance(text := _text(value), str) else text)


Id = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=150)]
Word = Annotated[str, _shortened(100)]
Line = Annotated[str, _shortened(300)]
Lat = Annotated[Annotated[float, Field(ge=-85, le=85)] | None, BeforeValidator(_number)]
Lon = Annotated[Annotated[float, Field(ge=-180, le=180)] | None, BeforeValidator(_number)]
When = Annotated[str, BeforeValidator(_text), Field(max_length=60)]


class Request(BaseModel):
    """One service request as a server tells it. Fields about people are not even read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    service_request_id: Id
    status: Annotated[str, BeforeValidator(_text)]
    requested_datetime: When
    service_code: Word = ""
    service_name: Word = ""
    description: Line = ""
    updated_datetime: When = ""
    expected_datetime: When = ""
    address: Line = ""
    lat: Lat = None
    long: Lon = None


def request(told: Any) -> Request:
    """Return a request. Raises DoorError with the first bad field."""
    try:
        read = Request.model_validate(told)
    except ValidationError as bad:
        first = bad.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "request"
        raise DoorError(f"{field}: {first['msg']}", zh=f"{field}：取值不合要求", field=field) from None
    if read.status.lower() not in ("open", "closed"):
        raise DoorError(f"status: {read.status[:40]!r} is neither open nor closed", zh=f"status：{read.status[:40]} 既不是 open 也不是 closed", field="status")
    for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
        moment_of(getattr(read, name), UTC, name)
    if not read.requested_datetime:
        raise DoorError("requested_datetime is missing", zh="缺少 requested_datetime", field="requested_datetime")
    return read


def moment_of(text: str, zone: tzinfo, field: str = "") -> int | None:
    """Return UTC seconds of a time as the standard writes it; in the city's zone where it names none. Raises DoorError."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        if not BEGIN <= at < END:
            raise ValueError
    except (ValueError, OverflowError):
        raise DoorError(f"{field}: {text[:40]!r} is no time between 1990 and 2099", zh=f"{field}：{text[:40]} 不是 1990 至 2099 年间的时间", field=field) from None
    return int(at.timestamp())


def rows(body: bytes, type_: str, name: str = "request") -> list[Any]:
    """Return the rows of an answer, JSON or XML. Raises DoorError for what is neither."""
    if "xml" in type_.lower() or body.lstrip()[:1] == b"<":
        return _xml_rows(body, name)
    try:
        told = from_json(body, allow_inf_nan=False)
    except ValueError as bad:
        raise DoorError(f"The answer is no JSON: {bad}", zh=f"应答不是有效的 JSON：{bad}") from None
    if isinstance(told, dict) and len(told) == 1:
        # Some servers wrap the list, as the XML does.
        told = next(iter(told.values()))
    if not isinstance(told, list):
        raise DoorError("The answer is no list of requests.", zh="应答不是诉求列表。")
    return told


def _xml_rows(body: bytes, name: str) -> list[Any]:
    # No answer of the standard needs a document type; one could hold entities that grow without end.
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise DoorError("The answer's XML declares a document type; that is not read.", zh="应答的 XML 含有文档类型声明，不予读取。")
    try:
        root = Tree.fromstring(body)  # noqa: S314
    except (Tree.ParseError, ValueError, LookupError) as bad:
        raise DoorError(f"The answer is no XML: {bad}", zh=f"应答不是有效的 XML：{bad}") from None
    return [{part.tag: part.text or "" for part in one} for one in root.iter(name)]


#: What the parts of a list are called in XML.
PARTS = {"services": "service", "service_requests": "request", "errors": "error", "attributes": "attribute", "endpoints": "endpoint",
         "formats": "format", "service_definitions": "service_definition"}


def written(name: str, told: Sequence[Mapping[str, Any]] | Mapping[str, Any], form: str) -> bytes:
    """Return an answer in JSON or XML. `name` = the XML's outermost word."""
    if form == "json":
        return to_json(told)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + Tree.tostring(_element(name, told), encoding="utf-8")


def _element(name: str, told: Any) -> Tree.Element:
    made = Tree.Element(name)
    if isinstance(told, Mapping):
        made.extend(_element(key, value) for key, value in told.items())
    elif isinstance(told, list | tuple):
        made.extend(_element(PARTS.get(name, "value"), value) for value in told)
    elif told is not None:
        made.text = _plain(str(told).lower() if isinstance(told, bool) else str(told))
    return made


def _plain(text: str) -> str:
    # XML 1.0 has no control characters, not even escaped.
    return "".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff")
