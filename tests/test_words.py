"""Chinese and English are both complete, and no word is asked for that does not exist."""

from __future__ import annotations

import re
import string
from pathlib import Path

from dashboard.words import table

HOME = Path(__file__).resolve().parent.parent


def test_both_languages_have_the_same_words_with_the_same_parts() -> None:
    zh, en = table("zh"), table("en")
    assert set(zh) == set(en)

    def parts(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, word in zh.items():
        assert word.strip(), key
        assert en[key].strip(), key
        assert parts(word) == parts(en[key]), key


def test_every_word_that_the_code_asks_for_exists() -> None:
    asked: set[str] = set()
    for file in (HOME / "dashboard").rglob("*.py"):
        asked |= set(re.findall(r"""\bw\(f?["']([a-z_]+(?:\.[a-z0-9_]+)*)["']""", file.read_text("utf-8")))
    assert len(asked) > 40
    assert not asked - set(table("zh"))
