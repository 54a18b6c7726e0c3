"""Collects what is wrong with the rows of one chunk, with reasons in both languages."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

Grade = Literal["refused", "doubted"]
#: Beyond so many refusals of a file the whole rows are not kept any more, only what was wrong.
RAW_KEPT = 50_000


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A row that was not loaded (refused), or one of whose fields is not trusted (doubted)."""

    row: int  # 1 = first row of data; 0 = the file as a whole
    field: str
    value: str
    grade: Grade
    reason: str
    reason_en: str
    raw: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A word that the city's own rules took in without knowing it: nothing is wrong with its `n` rows. `row` = the first."""

    field: str
    word: str
    n: int
    row: int
    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class _Found:
    at: pl.Series  # places in the chunk
    field: str
    values: list[Any]
    grade: Grade
    zh: str
    en: str


class Sieve:
    """The rows of one chunk: which are still good, and why others are not.

    A refused row is named once, for the first reason found; a kept row once for each doubted field.
    """

    def __init__(self, rows: pl.Series) -> None:
        """Begin with all rows good; `rows` are their numbers in the file."""
        self.rows = rows
        self.good = pl.Series([True]).new_from_index(0, len(rows))
        self._found: list[_Found] = []
        self._hints: list[tuple[pl.Series, str, pl.Series, str, str]] = []
        self._whole: list[Refusal] = []

    def refuse(self, mask: pl.Series, field: str, values: pl.Series | None, zh: str, en: str) -> None:
        """Take the marked rows out, but for those that are out already."""
        mask = mask.fill_null(False) & self.good
        if self._note(mask, field, values, "refused", zh, en):
            self.good = self.good & ~mask

    def doubt(self, mask: pl.Series, field: str, values: pl.Series | None, zh: str, en: str) -> None:
        """Keep the marked rows and say what is not trusted in them."""
        self._note(mask.fill_null(False) & self.good, field, values, "doubted", zh, en)

    def hint(self, mask: pl.Series, field: str, words: pl.Series, zh: str, en: str) -> None:
        """Name the words of the marked rows, which are as good as any other."""
        if mask.any():
            self._hints.append((mask.fill_null(False), field, words, zh, en))

    def hints(self) -> list[Hint]:
        """Return each word once, with how many rows that are kept have it."""
        out = []
        for mask, field, words, zh, en in self._hints:
            met = pl.DataFrame({"word": words, "row": self.rows}).filter(mask & self.good)
            counted = met.group_by("word", maintain_order=True).agg(n=pl.len(), row=pl.col("row").min())
            out += [Hint(field=field, word=word, n=n, row=row, zh=zh, en=en) for word, n, row in counted.iter_rows()]
        return out

    def drop(self, at: pl.Series) -> None:
        """Take rows out without a word: they say again what another row says."""
        if len(at):
            self.good = self.good.scatter(at, False)

    def whole(self, field: str, value: str, zh: str, en: str) -> None:
        """Say something of the file as a whole."""
        self._whole.append(Refusal(row=0, field=field, value=value, grade="doubted", reason=zh, reason_en=en))

    def _note(self, mask: pl.Series, field: str, values: pl.Series | None, grade: Grade, zh: str, en: str) -> bool:
        at = mask.arg_true()
        if not len(at):
            return False
        told = [""] * len(at) if values is None else values.gather(at).cast(pl.String).fill_null("").to_list()
        self._found.append(_Found(at=at, field=field, values=told, grade=grade, zh=zh, en=en))
        return True

    def refusals(self, raw: pl.DataFrame, keep: int = RAW_KEPT) -> list[Refusal]:
        """Return the refusals in row order; `raw` are the rows as they came, in the chunk's order."""
        out = list(self._whole)
        good = self.good.to_list() if self._found else []
        for found in self._found:
            rows = self.rows.gather(found.at)
            wholes = raw[found.at[: max(keep - len(out), 0)]].to_dicts()
            for n, (at, row, value) in enumerate(zip(found.at, rows, found.values, strict=True)):
                if found.grade == "doubted" and not good[at]:
                    continue  # refused later on: said there
                out.append(Refusal(
                    row=row, field=found.field, value=value[:200], grade=found.grade, reason=found.zh,
                    reason_en=found.en, raw=wholes[n] if n < len(wholes) else {},
                ))
        return sorted(out, key=lambda refusal: refusal.row)
