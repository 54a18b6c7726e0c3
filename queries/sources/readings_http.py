"""Readings over HTTP: batches of up to 5,000, each row with its own fate. The route is in dashboard/readings.py."""

from __future__ import annotations

from typing import Any

from queries.sensing.judge import Read
from queries.sources._readings import read_row
from queries.sources._source import Source


def read(told: Any) -> list[Read]:
    """Return one row as a reading. Raises BadReadingError."""
    return [read_row(told)]


SOURCE = Source(
    id="readings_http", title={"zh": "HTTP 读数接入", "en": "Readings over HTTP"}, kind="listen", order=60, into="readings",
    sample={"sensor": "W1", "at": 1_760_000_000, "value": 1.25, "unit": "m"}, means={"sensor": "W1", "at": 1_760_000_000, "value": 1.25},
    rubbish={"sensor": "W1", "at": "yesterday", "value": 1.25}, read=read,
)
