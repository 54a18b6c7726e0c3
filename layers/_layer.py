"""The Layer value, what a painted layer holds, and the registry made from the folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from queries.errors import AskError
from queries.frame import Answer, Ask
from queries.store import Store

Words = dict[str, str]
Bbox = tuple[float, float, float, float]

#: Words of the units in which a layer speaks.
UNITS: dict[str, Words] = {
    "n": {"zh": "件", "en": "cases"}, "%": {"zh": "%", "en": "%"}, "h": {"zh": "小时", "en": "h"},
    "per_km2": {"zh": "件/平方公里", "en": "cases per km²"}, "people": {"zh": "人", "en": "people"},
    "things": {"zh": "个", "en": "items"}, "score": {"zh": "分", "en": "points"}, "": {"zh": "", "en": ""},
}


@dataclass(frozen=True, kw_only=True)
class AreaMark:
    """One area as a layer shows it. `value` None = not known; `few` = rests on little."""

    code: str
    dense: int
    value: float | None
    n: int | None
    few: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaMarks(Sequence[AreaMark]):
    """Marks of many areas in columns. NaN = not known; `n` None = rests on no count."""

    code: np.ndarray
    dense: np.ndarray
    value: np.ndarray
    n: np.ndarray | None
    few: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[AreaMark]) -> AreaMarks:
        """Return any marks in columns."""
        if isinstance(rows, cls):
            return rows
        return cls(
            code=np.array([r.code for r in rows], object), dense=np.array([r.dense for r in rows], np.int64),
            value=np.array([r.value for r in rows], float), few=np.array([r.few for r in rows], bool),
            n=None if any(r.n is None for r in rows) else np.array([r.n for r in rows], np.int64),
        )

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        value = float(self.value[i])
        return AreaMark(code=self.code[i], dense=int(self.dense[i]), value=None if np.isnan(value) else value,
                        n=None if self.n is None else int(self.n[i]), few=bool(self.few[i]))


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of the map. An area layer has `values`, a point layer has `points`."""

    id: str
    title: Words
    definition: Words
    kind: Literal["areas", "points"]
    unit: str
    #: Which direction needs action: "up" = high is bad, "down" = low is bad, None = neither.
    bad: Literal["up", "down"] | None = None
    #: The figure of queries/figures.py that it shows, if it shows one: that figure's tile opens it.
    figure: str = ""
    #: Fixed class borders; empty = even steps of what is shown, and what stands out among it.
    breaks: tuple[float, ...] = ()
    order: int = 100
    values: Callable[[Store, Ask, int], Answer[AreaMark]] | None = None
    points: Callable[[Store, Ask, Bbox, int], Answer[Any]] | None = None
    #: For points that are no cases: how each status looks (colour, shape) and what it is called, the most urgent first.
    looks: dict[str, tuple[str, str, Words]] = field(default_factory=dict)
    #: What of the address a single mark opens: case, or thing with this word before its code.
    opens: str = ""
    #: There may be none of them at all, which is good news.
    may_be_empty: bool = False
    #: It can show a moment of the past. One that cannot is left out there: what holds now must not pass for what held then.
    then: bool = False
    #: All areas in one quiet colour: it has no values.
    plain: bool = False


@dataclass(frozen=True, kw_only=True)
class Painted:
    """An area layer in classes: for each dense number its class; 0 = not shown."""

    layer: Layer
    classes: tuple[Any, ...]
    numbers: np.ndarray  # uint8 by dense number
    answer: Answer[AreaMark]
    marks: AreaMarks
    #: By which rule a class calls for action, in words.
    note: Words = field(default_factory=dict)


@lru_cache(maxsize=1)
def found() -> dict[str, Layer]:
    """Return every layer of the folder by id, in the order in which they are offered."""
    from queries.plugins import discover

    return discover(sys.modules["layers"], "LAYER", Layer)


def paint(layer: Layer, store: Store, ask: Ask, level: int) -> Painted:
    """Return an area layer's classes for all areas of a level at or under the asked place."""
    from layers._classes import alike, classify

    if layer.values is None:
        raise ValueError(f"Layer {layer.id!r} shows points; it has no areas to paint.")
    if ask.at is not None and not layer.then:
        raise AskError(f"The layer {layer.id!r} shows only what holds now; it is left out of the past. Choose another one.",
                       zh=f"图层“{layer.title['zh']}”只反映当前情况，回放时不显示，请选择其他图层。", field="layer")
    answer = layer.values(store, ask, level)
    marks = AreaMarks.of(answer.rows)
    made = alike(len(marks)) if layer.plain else classify(marks.value, marks.few, layer.bad, layer.unit, layer.breaks)
    numbers = np.zeros(int(marks.dense.max(initial=0)) + 1, np.uint8)
    numbers[marks.dense] = made.chosen
    return Painted(layer=layer, classes=made.classes, numbers=numbers, answer=answer, note=made.note, marks=marks)
