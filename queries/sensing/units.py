"""Units of readings: what can be brought to a metric's own unit is brought, everything else is refused."""

from __future__ import annotations

#: Unit -> (what it measures, factor and offset to the base unit of it).
_BASE: dict[str, tuple[str, float, float]] = {
    "m": ("length", 1, 0), "cm": ("length", 0.01, 0), "mm": ("length", 0.001, 0), "in": ("length", 0.0254, 0), "ft": ("length", 0.3048, 0),
    "°C": ("heat", 1, 0), "°F": ("heat", 5 / 9, -160 / 9), "K": ("heat", 1, -273.15),
    "µg/m³": ("dust", 1, 0), "mg/m³": ("dust", 1000, 0),
    "%": ("share", 1, 0), "%LEL": ("lel", 1, 0), "dB(A)": ("sound", 1, 0), "dB": ("sound", 1, 0), "°": ("angle", 1, 0), "rad": ("angle", 57.29577951308232, 0),
}
_SAME = {"ug/m3": "µg/m³", "μg/m³": "µg/m³", "ug/m³": "µg/m³", "mg/m3": "mg/m³", "C": "°C", "F": "°F", "℃": "°C", "℉": "°F", "米": "m", "厘米": "cm",
         "毫米": "mm", "inch": "in", "inches": "in", "deg": "°", "度": "°", "dBA": "dB(A)", "LEL%": "%LEL"}


def convert(value: float, unit: str, own: str) -> float | None:
    """Return a value in the metric's own unit; None when the two measure different things or are not known."""
    unit, own = _SAME.get(unit, unit), _SAME.get(own, own)
    if unit == own:
        return value
    if unit not in _BASE or own not in _BASE or _BASE[unit][0] != _BASE[own][0]:
        return None
    _, factor, offset = _BASE[unit]
    _, back, start = _BASE[own]
    return (value * factor + offset - start) / back
