"""Departments' figures of the demo city, as they would hand them over once a month. Made up, and each row says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

FIGURE_COLUMNS = {"indicator": "指标", "area_code": "区划编码", "period": "时期", "numerator": "分子", "denominator": "分母", "value": "数值", "weight": "权重", "source": "来源"}
MONTHS = 6
#: Brought by streets each month: indicator, department, usual rate, usual denominator, how much streets differ.
MONTHLY = (
    ("LAW06", "市司法局", 0.16, 24, 0.05), ("INT02", "市公安局", 0.965, 120, 0.012),
    ("INT06", "市数据局", 0.71, 60, 0.08), ("INT08", "网格化中心", 0.97, 40, 0.015), ("RSK01", "市应急局", 0.93, 30, 0.03), ("RSK07", "市应急局", 0.13, 26, 0.04),
    ("BUR02", "减负办", 0.19, 900, 0.04),
)
#: Not brought any more: its last figures grow old on screen.
STOPPED = ("INT06", 4)
DEMO = "演示"


def write_figures(folder: Path, rng: np.random.Generator, streets: list[str], districts: list[str], now: datetime) -> None:
    """Write the figures of streets (monthly) and districts (a bare value with the people that it speaks of)."""
    pl.DataFrame(list(_rows(rng, streets, districts, now.date())), schema=dict.fromkeys(FIGURE_COLUMNS.values(), pl.String), orient="row").write_csv(folder / "indicators.csv")


def _rows(rng: np.random.Generator, streets: list[str], districts: list[str], today: date) -> Iterator[tuple[str | None, ...]]:
    months = []
    first = today.replace(day=1)
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(f"{first:%Y-%m}")
    for id_, who, rate, usual, differ in MONTHLY:
        own = np.clip(rate + rng.normal(0, differ, len(streets)), 0.01, 0.999)
        for back, month in enumerate(months):
            under = 1 + rng.poisson(usual, len(streets))
            top = rng.binomial(under, own)
            for i, code in enumerate(streets):
                late = back == 0 and i % 23 == 11  # one street in some does not deliver its last month
                if not late and not (id_ == STOPPED[0] and back < STOPPED[1]):
                    yield id_, code, month, str(top[i]), str(under[i]), None, None, f"{DEMO} · {who}"
    for month in months:
        people, forms = 40 + rng.poisson(12, len(streets)), rng.normal(58, 14, len(streets)).clip(8)
        for code, n, each in zip(streets, people, forms, strict=True):
            yield "BUR01", code, month, str(int(n * each)), str(n), None, None, f"{DEMO} · 减负办"
        for code, systems, n in zip(districts, rng.normal(8.5, 1.5, len(districts)).clip(2), 400 + rng.poisson(120, len(districts)), strict=True):
            yield "BUR05", code, month, None, None, f"{systems:.1f}", str(n), f"{DEMO} · 减负办"
