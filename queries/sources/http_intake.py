"""HTTP intake: the shapes of the messages that other systems and the pages send, and their checks.

What is not known is refused rather than passed over, and each refusal names its field in both languages.
The routes are in dashboard/doors.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError, from_json

from queries.errors import AskError
from queries.frame import EVERYTHING, Actor
from queries.loop.orders import Found, Order
from queries.loop.page import Page
from queries.sources._source import Source

M = TypeVar("M", bound=BaseModel)
#: Bytes of one message, and rows of one batch.
LARGEST, MOST = 5_000_000, 5_000
#: Bytes of the free details of a step.
DETAILS = 16_000
BEGIN, END = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
KEY = r"^[\x21-\x7e]{1,200}$"
ZH = {
    "missing": "缺少该字段", "extra_forbidden": "没有这个字段", "string_too_long": "文字过长", "string_too_short": "不能为空",
    "finite_number": "须为有限的数", "timezone_aware": "时间须带时区", "string_type": "须为文字", "float_type": "须为数",
    "float_parsing": "须为数", "int_parsing": "须为整数", "int_type": "须为整数", "bool_parsing": "须为 true 或 false",
    "bool_type": "须为 true 或 false", "dict_type": "须为对象", "model_type": "须为对象", "string_pattern_mismatch": "字符不合要求",
    "model_attributes_type": "须为对象",
}


def _clean(value: str) -> str:
    # PostgreSQL keeps no NUL, and a lone surrogate is no character in any encoding.
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise PydanticCustomError("not_text", "holds characters that are no text", {"zh": "含有不是文字的字符"})
    return value


def _span(value: datetime) -> datetime:
    if not BEGIN <= value < END:
        raise PydanticCustomError("out_of_span", "lies before 1990 or after 2099", {"zh": "时间早于 1990 年或晚于 2099 年"})
    return value


def _small(value: dict[str, Any]) -> dict[str, Any]:
    try:
        told = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if len(told.encode()) > DETAILS:
            raise PydanticCustomError("too_large", "is too large", {"zh": "内容过大"})
    except (ValueError, RecursionError, TypeError):
        raise PydanticCustomError("not_json", "holds numbers or characters that JSON has not", {"zh": "含有 JSON 不允许的数或字符"}) from None
    _clean(told)
    if "\\u0000" in told:
        raise PydanticCustomError("not_text", "holds characters that are no text", {"zh": "含有不是文字的字符"})
    return value


def _text(most: int, **more: Any) -> Any:
    return Annotated[str, Field(max_length=most, **more), AfterValidator(_clean)]


Word, Line, Long = _text(100), _text(300), _text(2000)
Moment = Annotated[AwareDatetime, AfterValidator(_span)]
Seen = Annotated[int, Field(ge=0, le=2**31 - 1, description="the case's last event that you had seen; another one since = 409")]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, str_strip_whitespace=False)


class CaseIn(_Message):
    """A new case."""

    category: Annotated[_text(100, min_length=1), Field(description="code of a category of this city")]
    no: Annotated[Word, Field(description="its number elsewhere; left out: it gets one")] = ""
    kind: Word = ""
    title: Line = ""
    address: Line = ""
    channel: Word = ""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-85, le=85)] | None = None
    area_code: Annotated[Word, Field(description="where, if there is no point")] = ""
    urgent: bool = False
    at: Annotated[Moment | None, Field(description="when it was found; left out: now")] = None
    contact: Annotated[_text(200), Field(description="of the reporter; shown to nobody without a right to it")] = ""
    text: Annotated[Long, Field(description="in the reporter's words")] = ""


class StepIn(_Message):
    """A step on a case."""

    step: Annotated[_text(40, min_length=1), Field(description="see /api/v1/steps")]
    department: Word = ""
    reason: Long = ""
    note: Long = ""
    until: Moment | None = None
    item: Annotated[Word, Field(description="code on the task list")] = ""
    into: Annotated[Word, Field(description="number of the case that it repeats")] = ""
    expected: Seen | None = None
    details: Annotated[dict[str, Any], AfterValidator(_small)] = {}
    at: Annotated[Moment | None, Field(description="when it was done; left out: now")] = None


class CaseRow(CaseIn):
    """A new case in a batch."""

    key: Annotated[str, Field(pattern=KEY, description="the same key again is the same message")] = ""


class StepRow(StepIn):
    """A step in a batch."""

    no: Annotated[_text(100, min_length=1), Field(description="number of the case")]
    key: Annotated[str, Field(pattern=KEY, description="the same key again is the same message")] = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a field."""

    field: str
    message: str
    zh: str
    value: str = ""


class BadMessageError(AskError):
    """A message that cannot be used, with all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Tell the first fault, keep all."""
        first = faults[0]
        super().__init__(f"{first.field}: {first.message}.", zh=f"{first.field}：{first.zh}。")
        self.faults = tuple(faults)


def parsed(body: bytes) -> Any:
    """Return the JSON of a message. Raises BadMessageError."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as bad:
        raise BadMessageError([Fault(field="body", message=f"is no JSON: {bad}", zh=f"不是有效的 JSON：{bad}")]) from None


def checked(model: type[M], told: Any) -> M:
    """Return a message in its shape. Raises BadMessageError with each bad field."""
    try:
        return model.model_validate(told)
    except ValidationError as bad:
        raise BadMessageError([_fault(e) for e in bad.errors(include_url=False)][:20]) from None


def rows_of(told: Any) -> list[Any]:
    """Return the rows of a batch: {"rows": [...]}. Raises BadMessageError."""
    if not isinstance(told, dict) or set(told) != {"rows"} or not isinstance(told["rows"], list):
        raise BadMessageError([Fault(field="rows", message='a batch is {"rows": [...]} and nothing else', zh="批量消息须为 {\"rows\": [...]}")])
    if not 1 <= len(told["rows"]) <= MOST:
        raise BadMessageError([Fault(field="rows", message=f"a batch holds 1 to {MOST} rows", zh=f"每批 1 至 {MOST} 行")])
    return told["rows"]


def _fault(e: Any) -> Fault:
    path = ".".join(str(part)[:60].encode("utf-8", "replace").decode() for part in e["loc"]) or "body"
    zh = (e.get("ctx") or {}).get("zh") or ZH.get(e["type"], "取值不合要求")
    value = "" if path.split(".")[0] in ("contact", "text") else ascii(e.get("input"))[:100]
    return Fault(field=path, message=e["msg"], zh=zh, value=value)


def found_in(message: CaseIn, actor: Actor, source: str, key: str) -> Found:
    """Return a message as a new case."""
    told = dict(message.__dict__)
    own = told.pop("key", "")
    return Found(actor=actor, source=source, key=key or own, **told)


def order_in(message: StepIn, actor: Actor, source: str, key: str, no: str) -> Order:
    """Return a message as a step that is wanted."""
    told = dict(message.__dict__)
    own, number = told.pop("key", ""), told.pop("no", "")
    return Order(actor=actor, source=source, key=key or own, no=number or no, **told)


#: In whose name the sample of the contract tests comes in; the routes know the real sender.
SOURCES_OWN = Actor(name="http_intake", post="source", scope=EVERYTHING)
SOURCE = Source(
    id="http_intake", title={"zh": "HTTP 接入", "en": "HTTP intake"}, kind="listen", order=10,
    sample={"category": "other", "title": "路面塌陷", "lon": 121.5, "lat": 29.9, "at": "2026-11-23T08:30:00+08:00"},
    means={"category": "other", "title": "路面塌陷", "lon": 121.5, "at": datetime(2026, 11, 23, 0, 30, tzinfo=UTC)},
    rubbish={"category": "other", "lon": 999, "colour": "red"},
    read=lambda told: checked(CaseIn, told),
    bring=lambda message, key: partial(Page.report, found=found_in(message, SOURCES_OWN, "http_intake", key)),
)
