"""Columns of numbers that go to the browser are the same there: by the functions of the page itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dashboard.columns import distinct

NUMBERS = st.floats(allow_nan=True, allow_infinity=False, width=32)


def read(told: dict[str, Any]) -> np.ndarray:
    import base64

    at = np.frombuffer(base64.b64decode(told["at"]), f"<u{told['bits'] // 8}")
    return np.array([np.nan if v is None else v for v in told["values"]], float)[at] if len(at) else np.zeros(0)


@given(arrays.arrays(np.float64, st.integers(0, 400), elements=NUMBERS))
def test_a_column_comes_back_as_it_was(column: np.ndarray) -> None:
    told = json.loads(json.dumps(distinct(column), allow_nan=False))
    assert np.array_equal(read(told), column, equal_nan=True)


@pytest.mark.parametrize(("n", "bits"), [(256, 8), (257, 16), (65_536, 16), (65_537, 32)])
def test_it_takes_as_many_bits_as_it_has_different_values(n: int, bits: int) -> None:
    told = distinct(np.arange(n) / 4)
    assert told["bits"] == bits
    assert np.array_equal(read(told), np.arange(n) / 4)


@pytest.mark.browser
def test_the_page_reads_it_as_it_was(server: str, browser: Any) -> None:
    browser.get(f"{server}/?lang=en")
    for n in (5, 300, 70_000):
        column = np.where(np.arange(n) % 7 == 3, np.nan, np.arange(n) / 8)
        seen = browser.execute_script("return [...window.govMap.column(arguments[0])].map(v => v === v ? v : null)", distinct(column))
        assert np.array_equal(np.array(seen, float), column, equal_nan=True)
