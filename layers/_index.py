"""Area layers of the governance index and its dimensions. Grades are quiet colours with words, never those of alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np

from layers._layer import AreaMark, AreaMarks, Layer
from queries import index
from queries.frame import Answer, Ask
from queries.governance import ScoreColumns, index_values
from queries.store import Store

#: A score at a border is in the better grade.
BREAKS = (70.0, 80.0, 90.0)
DEFINITION = {"zh": "1–100 分，越高越好；自算参考，非官方评分。点纹：自有数据权重不足 0.3，不排名",
              "en": "1 to 100, higher is better; computed here, not an official score. Dots: less than 0.3 of it is the area's own data, not ranked"}


def score(of: str) -> Callable[[Store, Ask, int], Answer[AreaMark]]:
    """Return the reader of one score."""

    def values(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
        answer = index_values(store, ask, of, level)
        held = cast(ScoreColumns, answer.rows)
        marks = AreaMarks(code=held.code, dense=held.dense, value=held.value, n=None, few=~np.isnan(held.value) & ~held.ranked)
        return replace(answer, rows=marks)  # type: ignore[arg-type,return-value]

    return values


def layer(id_: str, of: str, order: int) -> Layer:
    """Return the layer of the index ("index") or of a dimension."""
    title = {"zh": "治理指数", "en": "Governance index"} if of == "index" else index.found()[of].title
    return Layer(id=id_, title=title, definition=DEFINITION, kind="areas", unit="score", breaks=BREAKS, order=order, values=score(of))
