"""What a load did, in numbers and reasons; kept as JSON, told as text in two languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from queries.city import Hint, Refusal


@dataclass
class SourceReport:
    """One source: rows read, what became of them, and why not."""

    id: str
    kind: str
    read: int = 0
    accepted: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    doubted: int = 0
    ambiguous: int = 0
    crossing: int = 0
    placed: dict[str, int] = field(default_factory=dict)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    #: Words that were taken in without being known; their rows are not doubted.
    hints: list[dict[str, Any]] = field(default_factory=list)
    failed: str = ""
    failed_zh: str = ""

    def note(self, refusals: Iterable[Refusal], file: str) -> None:
        """Count refusals by grade and reason, and remember where each reason was met first."""
        refusals = list(refusals)
        counted = Counter((r.grade, r.field, r.reason, r.reason_en) for r in refusals)
        first = {(r.grade, r.field, r.reason, r.reason_en): r for r in reversed(refusals)}
        held = {(r["grade"], r["field"], r["zh"], r["en"]): r for r in self.reasons}
        for (grade, name, zh, en), n in counted.items():
            if grade == "refused":
                self.refused += n
            else:
                self.doubted += n
            known = held.get((grade, name, zh, en))
            if known:
                known["n"] += n
            else:
                one = first[grade, name, zh, en]
                self.reasons.append({"grade": grade, "field": name, "zh": zh, "en": en, "n": n, "file": file,
                                     "row": one.row, "value": one.value})

    def hint(self, hints: Iterable[Hint], file: str) -> None:
        """Keep each word once, with its rows over all files and where it was met first."""
        for one in hints:
            known = next((h for h in self.hints if (h["field"], h["word"], h["en"]) == (one.field, one.word, one.en)), None)
            if known:
                known["n"] += one.n
            else:
                self.hints.append({"field": one.field, "word": one.word, "n": one.n, "zh": one.zh, "en": one.en, "file": file, "row": one.row})

    def add(self, other: SourceReport) -> None:
        """Add the counts and reasons of another part of the same source."""
        for name in ("new", "changed", "same", "refused", "doubted"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        held = {(r["grade"], r["field"], r["zh"], r["en"]): r for r in self.reasons}
        for reason in other.reasons:
            known = held.get((reason["grade"], reason["field"], reason["zh"], reason["en"]))
            if known:
                known["n"] += reason["n"]
            else:
                self.reasons.append(dict(reason))

    def place(self, how: dict[str, int], ambiguous: int, crossing: int) -> None:
        """Count how points found their area."""
        for key, n in how.items():
            self.placed[key] = self.placed.get(key, 0) + n
        self.ambiguous += ambiguous
        self.crossing += crossing


@dataclass
class Report:
    """A whole load (or check) of a city folder."""

    city: str
    folder: str
    city_en: str = ""
    language: str = "zh"
    checked_only: bool = False
    changed: bool = False
    #: The city that was taken out to make room, if another one was there.
    replaced: str = ""
    seconds: float = 0.0
    areas: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    topology: dict[str, Any] = field(default_factory=dict)
    sources: list[SourceReport] = field(default_factory=list)

    @property
    def failed(self) -> list[SourceReport]:
        """Return the sources that could not be read at all."""
        return [one for one in self.sources if one.failed]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    def text(self, language: str = "zh") -> str:
        """Return the report for a person."""
        zh = language == "zh"
        lines = [f"{self.city if zh else self.city_en or self.city} · {self.folder} · {self.seconds:.1f} s"]
        if self.checked_only:
            lines.append("仅检查，未写入任何内容" if zh else "Checked only, nothing was written")
        elif not self.changed:
            lines.append("没有变化" if zh else "Nothing changed")
        if self.replaced:
            lines.append(f"替换了原有城市：{self.replaced}" if zh else f"Takes the place of the city that was there: {self.replaced}")
        a = self.areas
        lines.append(
            f"区域 {a.get('areas', 0)}，新增 {a.get('areas_new', 0)}，撤销 {a.get('areas_gone', 0)}，重新定位 {a.get('moved', 0)}" if zh
            else f"Areas {a.get('areas', 0)}, new {a.get('areas_new', 0)}, gone {a.get('areas_gone', 0)}, placed again {a.get('moved', 0)}"
        )
        lines += _of_days(self.topology, zh)
        lines += _topology(self.topology.get("levels", []), zh)
        lines += _rules(self.rules, zh)
        for s in self.sources:
            lines += _told(s, zh)
        return "\n".join(lines)


def _rules(rules: dict[str, Any], zh: bool) -> list[str]:
    lines = []
    if rules.get("limits"):
        lines.append(f"时限 {rules['limits']} 条" if zh else f"Time limits {rules['limits']}")
    if (year := rules.get("known_until")) is not None:
        lines.append(f"节假日与调休已知至 {year} 年，之后按星期推算" if zh
                     else f"Days off and swapped workdays are known to the end of {year}, later ones are counted by the week")
    return lines


FINDINGS = {"overlaps": ("重叠", "overlaps"), "gaps": ("下级未覆盖", "not covered by areas below"),
            "outside_parent": ("超出上级", "outside the parent")}
#: How a row found its area, and the two doubts about it.
PLACED = {"point": ("按坐标", "by point"), "code": ("按编码", "by code"), "outside": ("在所有区域之外", "in no area"), "none": ("无位置", "without a place"),
          "ambiguous": ("多解", "ambiguous"), "crossing": ("跨界", "crossing")}
#: So many findings of a kind are named in the text; the stored report names more.
NAMED = 3
#: So many words of a hint are named.
WORDS = 12


def _of_days(topology: dict[str, Any], zh: bool) -> list[str]:
    """Say of which days' boundaries the findings speak, where there are others."""
    since, to, n = topology.get("since"), topology.get("to"), topology.get("versions", 1)
    if not (since or to):
        return []
    days = (f"{since or ''} 起" if not to else f"{since or ''} 至 {to} 之前") if zh else " ".join(
        part for part in (since and f"from {since} on", to and f"until before {to}") if part)
    more = (f"，共 {n} 个版本，只检查最新的" if zh else f", the newest of {n} versions; earlier ones are not checked") if n > 1 else ""
    return [f"  边界检查：{days}的边界{more}" if zh else f"  Checked: the boundaries {days}{more}"]


def _topology(levels: list[dict[str, Any]], zh: bool) -> list[str]:
    lines = []
    for level in levels:
        for key, words in FINDINGS.items():
            found = level[key]
            if not found["n"]:
                continue
            worst = "; ".join(f"{' / '.join(one['codes'])} {one['m2']:,.0f} m²" for one in found["listed"][:NAMED])
            lines.append(f"  {level['id']}: {words[0 if zh else 1]} {found['n']}, {found['m2']:,.0f} m² ({worst}{' …' if found['n'] > NAMED else ''})")
    return lines


def _told(s: SourceReport, zh: bool) -> list[str]:
    if s.failed:
        return [f"{s.id} ({s.kind}): {f'失败: {s.failed_zh or s.failed}' if zh else f'failed: {s.failed}'}"]
    counts = {"read": ("读入", s.read), "new": ("新增", s.new), "changed": ("变更", s.changed), "same": ("相同", s.same),
              "refused": ("拒收", s.refused), "doubted": ("存疑", s.doubted)}
    if s.kind == "areas":
        counts = {key: counts[key] for key in ("read", "refused", "doubted")}
    lines = [f"{s.id} ({s.kind}): " + ", ".join(f"{word if zh else key} {n}" for key, (word, n) in counts.items())]
    if s.placed:
        counts = {**dict(sorted(s.placed.items())), "ambiguous": s.ambiguous, "crossing": s.crossing}
        told = [f"{PLACED[k][0 if zh else 1]} {n}" for k, n in counts.items()]
        lines.append("  " + ", ".join(told))
    for r in sorted(s.reasons, key=lambda r: -r["n"]):
        grade = ("拒收" if r["grade"] == "refused" else "存疑") if zh else r["grade"]
        lines.append(f"  {grade} {r['n']}: {r['zh'] if zh else r['en']} ({_where(r, zh)})")
    return [*lines, *hinted(s, zh)]


def hinted(s: SourceReport, zh: bool) -> list[str]:
    """Say each hint on one line, with its words, the most frequent first."""
    lines = []
    for text in dict.fromkeys(h["zh" if zh else "en"] for h in s.hints):
        words = sorted((h for h in s.hints if h["zh" if zh else "en"] == text), key=lambda h: (-h["n"], h["word"]))
        named = ", ".join(f"{h['word'][:60]!r} × {h['n']}" for h in words[:WORDS])
        lines.append(f"  {'提示' if zh else 'hint'}: {text}: {named}{' …' if len(words) > WORDS else ''}")
    return lines


def _where(r: dict[str, Any], zh: bool) -> str:
    """Say where a reason was met first: file, row, column and what stands there."""
    parts = [r["file"], (f"数据第 {r['row']} 行" if zh else f"data row {r['row']}") if r["row"] else "", r["field"]]
    value = f" = {r['value'][:60]!r}" if r["value"] else ""
    more = (" 等" if zh else " and others") if r["n"] > 1 else ""
    return " ".join(p for p in parts if p) + value + more
