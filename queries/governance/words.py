"""Words of the index: its name, why there is no score, its grades, and the notes below every answer."""

from __future__ import annotations

from queries.frame import Ask
from queries.index import VERSION
from queries.index._dimension import Words

INDEX: Words = {"zh": "治理指数", "en": "Governance index"}
#: Why a place or an indicator has no score.
NO_SCORE: dict[str, Words] = {
    "not_connected": {"zh": "没有数据来源", "en": "nothing here tells of it"}, "rare": {"zh": "本级多数区域没有记录", "en": "most areas of this level have no records"},
    "few": {"zh": "件数太少（全级不足 20）", "en": "too few: less than 20 on the whole level"}, "stale": {"zh": "数据过旧", "en": "the last figure is too old"},
    "borrowed": {"zh": "自有数据不足三成，不排名", "en": "less than 0.3 of it is its own data: no rank"},
    "no_data": {"zh": "本处期内没有记录", "en": "no records of this place and period"}, "coverage": {"zh": "数据不足（低于 60%）", "en": "too little data (under 60 %)"},
    "before": {"zh": "早于最早的记录", "en": "before the first record"}, "beside": {"zh": "只知现状，不计入总分", "en": "present state only; beside the index"}, "part": {"zh": "只能看到该处的一部分", "en": "you see only a part of this place"}}
#: Words of the grades; a score at a border is in the better one.
GRADES: tuple[tuple[float, Words], ...] = ((90, {"zh": "优", "en": "very good"}), (80, {"zh": "良", "en": "good"}), (70, {"zh": "中", "en": "fair"}), (0, {"zh": "待改进", "en": "to improve"}))


def grade(score: float | None) -> Words | None:
    """Return the word of a score's grade; None without a score."""
    return None if score is None else next(word for least, word in GRADES if score >= least)


def notes(ask: Ask) -> tuple[Words, ...]:
    """Return what stands below every answer of the index: its days, that it is not official, and what it does not follow."""
    said: tuple[Words, ...] = ({"zh": f"计 {ask.since} 至 {ask.until}，未完的一天不计", "en": f"counts {ask.since} to {ask.until}; a day that is not over does not count"},
                               {"zh": f"自算参考，非官方评分；目录 {VERSION}", "en": f"computed here, not an official score; catalogue {VERSION}"})
    if ask.weights:
        said += ({"zh": f"试算：维度权重 {'/'.join(map(str, ask.weights))}，不影响任何发布", "en": f"what if: weights {'/'.join(map(str, ask.weights))}; no release is touched"},)
    if ask.filters.categories or ask.filters.departments:
        said += ({"zh": "指数不随筛选变化", "en": "the index follows no filters"},)
    return said
