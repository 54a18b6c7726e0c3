"""Who found a case, told from the channel by which it came: the grid, a sensor, a hotline or the public.

Only where a finding comes from, never who made it. A channel that no word here or in `[origins]` of city.toml
takes in is of unknown origin: such cases count in nothing that is made of origins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from queries.city.values import Matcher

Origin = Literal["grid", "sensor", "hotline", "public"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
#: Usual words of channels, whole or as beginnings and ends.
_USUAL: dict[Origin, tuple[str, ...]] = {
    "grid": ("网格*", "巡查*", "排查*", "采集员*", "监督员*", "巡检*", "patrol*", "inspection*", "grid*"),
    "sensor": ("传感*", "感知*", "物联*", "视频*", "监控*", "智能*", "*传感器", "*智能识别", "sensor*", "camera*", "video*"),
    "hotline": ("12345*", "110*", "热线*", "*热线", "*来电", "电话*", "hotline*", "*hotline", "*call"),
    "public": ("公众*", "市民*", "居民*", "群众*", "志愿*", "随手拍*", "微信*", "小程序*", "app", "open311", "citizen*", "resident*", "volunteer*"),
}


class Origins:
    """Tells the origin of a channel's word; the city's own words come before the usual ones."""

    def __init__(self, own: Mapping[str, Sequence[str]] | None = None) -> None:
        """Take the words of city.toml by origin."""
        self._match = (Matcher(own or {}), Matcher(_USUAL))
        self._known: dict[str, str] = {"": ""}

    def __call__(self, channel: str) -> str:
        """Return the origin of a channel; empty = not known."""
        if channel not in self._known:
            # Words are few, but whoever sends them is not ours: no more are kept than a city has channels.
            if len(self._known) > 10_000:
                self._known = {"": ""}
            self._known[channel] = next((found for match in self._match if (found := match(channel))), "")
        return self._known[channel]
