"""The rows and words of answers about alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from queries.near import Near

Words = dict[str, str]

#: Number -> id, word, shape. Colour is the screen's own; blue is the lowest alert here and never a good grade.
LEVEL_IDS = {1: "red", 2: "orange", 3: "yellow", 4: "blue"}
LEVEL_WORDS: dict[str, Words] = {
    "red": {"zh": "Ⅰ级·红色", "en": "Level I red"}, "orange": {"zh": "Ⅱ级·橙色", "en": "Level II orange"},
    "yellow": {"zh": "Ⅲ级·黄色", "en": "Level III yellow"}, "blue": {"zh": "Ⅳ级·蓝色", "en": "Level IV blue"},
}
#: Where an alarm stands with people: nobody has seen it, somebody has, it is over but not settled, off the list for a while.
STATE_WORDS: dict[str, Words] = {
    "unacked": {"zh": "未确认", "en": "not acknowledged"}, "acked": {"zh": "已确认", "en": "acknowledged"},
    "cleared": {"zh": "已恢复，待了结", "en": "back to normal, to be settled"}, "shelved": {"zh": "已搁置", "en": "shelved"},
    "closed": {"zh": "已了结", "en": "settled"},
}
KIND_WORDS: dict[str, Words] = {
    "threshold": {"zh": "超限", "en": "limit"}, "rate": {"zh": "变化过快", "en": "rate of change"}, "sum": {"zh": "累计", "en": "amount"},
    "silence": {"zh": "失联", "en": "silence"}, "statistics": {"zh": "统计异常", "en": "statistics"},
}
OUTCOME_WORDS: dict[str, Words] = {
    "": {"zh": "未了结", "en": "open"}, "case": {"zh": "已转案件", "en": "made a case"}, "real": {"zh": "属实", "en": "real"}, "false": {"zh": "误报", "en": "false"},
}
EVENT_WORDS: dict[str, Words] = {
    "raised": {"zh": "发生", "en": "raised"}, "again": {"zh": "再次发生", "en": "raised again"}, "up": {"zh": "升级", "en": "more severe"},
    "down": {"zh": "降级", "en": "less severe"}, "cleared": {"zh": "恢复", "en": "back to normal"}, "acked": {"zh": "确认", "en": "acknowledged"},
    "shelved": {"zh": "搁置", "en": "shelved"}, "unshelved": {"zh": "取消搁置", "en": "back on the list"}, "case": {"zh": "转案件", "en": "made a case"},
    "real": {"zh": "判为属实", "en": "settled as real"}, "false": {"zh": "判为误报", "en": "settled as false"},
}


@dataclass(frozen=True, kw_only=True)
class Post:
    """Who is on duty: the post's name, never a person's."""

    post: str
    shown: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class AlarmRow:
    """One alarm. Values are in `unit`; `group` = how many open alarms of its neighbourhood it stands for."""

    id: int
    rule: str
    kind: str
    title: Words
    level: str
    state: str
    subject: Words
    sensor: str  # code; empty = not of a sensor
    metric: str
    unit: str
    digits: int
    value: float | None
    peak: float | None
    bound: float | None
    began_at: datetime
    seen_at: datetime
    again_at: datetime
    times: int
    is_active: bool
    chattering: bool
    group_id: int
    group: int
    area_code: str
    area_name: Words
    street_name: Words
    #: None = it is not known who was on duty at that moment of the past.
    duty: tuple[Post, ...] | None
    action: Words
    item: str
    item_title: str
    category: str
    acked_at: datetime | None
    acked_by: str
    shelved_until: datetime | None
    outcome: str
    reason: str
    case_no: str
    lon: float | None
    lat: float | None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AlarmEvent:
    """One line of an alarm's history."""

    at: datetime
    what: str
    level: str
    by: str
    note: str
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Shelved:
    """What is off the list, by whom, why, until when."""

    id: int
    alarm_id: int
    title: Words
    subject: Words
    at: datetime
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast alarms come, per operator's position. A flood: more than ten in ten minutes."""

    positions: int
    ten_minutes: int
    hour: int
    day: int
    flood: bool
    #: Settled alarms of the last 30 days that were real, and all that were settled.
    real: int
    settled: int

    @property
    def rate(self) -> float:
        """Return alarms per ten minutes and position."""
        return self.ten_minutes / self.positions


@dataclass(frozen=True, kw_only=True)
class Serious:
    """A serious alarm as the wall needs it: with its case and what is near."""

    alarm: AlarmRow
    bbox: tuple[float, float, float, float] | None
    cameras: tuple[Near, ...]
    sensors: tuple[Near, ...]
