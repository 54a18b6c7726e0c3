"""Departments' figures over HTTP: batches of up to 5,000, each row with its own fate. The route is in dashboard/figures.py."""

from __future__ import annotations

from queries.sources._figures import read_one
from queries.sources._source import Source

SOURCE = Source(
    id="figures_http", title={"zh": "HTTP 部门指标接入", "en": "Departments' figures over HTTP"}, kind="listen", order=65, into="figures",
    sample={"indicator": "LAW06", "area_code": "9", "period": "2025-10", "numerator": 2, "denominator": "20", "source": "司法局"},
    means={"indicator": "LAW06", "area_code": "9", "first": 20362, "last": 20392, "numerator": 2.0, "denominator": 20.0, "said": "司法局"},
    rubbish={"indicator": "LAW06", "area_code": "9", "period": "2025-10", "numerator": 2, "denominator": 0}, read=read_one,
)
