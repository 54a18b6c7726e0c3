"""Words can be read: contrast is computed from the colours that the style sheet names."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from layers._palette import STATUS, lightness

ASSETS = Path(__file__).resolve().parent.parent / "assets"
TOKENS = dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\s*;", (ASSETS / "10-tokens.css").read_text("utf-8")))
GROUNDS = ("ground", "sunk", "panel", "raised", "chosen")


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours."""
    high, low = sorted((lightness(one), lightness(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("word", "ground"), list(product(("text", "quiet", "link", "watch", "act", "good"), GROUNDS)))
def test_words_stand_out_from_every_ground(word: str, ground: str) -> None:
    assert contrast(TOKENS[word], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize(("line", "ground"), list(product(("edge", "focus", "bar", "mark"), ("ground", "sunk", "panel"))))
def test_edges_of_what_can_be_used_stand_out(line: str, ground: str) -> None:
    assert contrast(TOKENS[line], TOKENS[ground]) >= 3


def test_the_words_of_an_alarm_bar_can_be_read() -> None:
    assert contrast(TOKENS["on-watch"], TOKENS["watch"]) >= 4.5


@pytest.mark.parametrize("code", STATUS)
def test_a_status_has_one_colour_on_the_map_and_beside_it(code: str) -> None:
    assert TOKENS[f"status-{code}"] == STATUS[code][0]
    assert contrast(STATUS[code][0], TOKENS["panel"]) >= 3


@pytest.mark.parametrize("sheet", sorted(ASSETS.glob("*.css")), ids=lambda file: file.name)
def test_a_style_sheet_is_written_to_be_read(sheet: Path) -> None:
    text = sheet.read_text("utf-8")

    assert max(map(len, text.splitlines())) <= 260
    assert not re.search(r"font-size:[^;]*\dpx", text.replace("html { font-size: 16px; }", "").replace("clamp(13px", "").replace("40px)", ""))


def test_no_colour_of_words_is_named_outside_the_tokens() -> None:
    for sheet in ASSETS.glob("*.css"):
        if sheet.name != "10-tokens.css":
            own = re.findall(r"(?<![-\w])color:\s*(#[0-9a-f]+)", sheet.read_text("utf-8"))
            assert set(own) <= {"#f4f7f9"}, sheet.name


def test_every_status_has_a_shape_of_its_own_on_the_map_and_beside_it() -> None:
    from queries.case_rows import STATUS_WORDS

    shapes = [STATUS[code][1] for code in STATUS_WORDS]
    drawn = (ASSETS / "33-map-marks.js").read_text("utf-8")
    parts = (ASSETS / "11-parts.css").read_text("utf-8")

    assert len(set(shapes)) == len(shapes)
    assert all(re.search(rf"\b{shape}: \"M", drawn) for shape in shapes)
    assert all(f".status-{code} {{" in parts for code in STATUS_WORDS)
