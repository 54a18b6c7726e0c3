"""Video gateways of a city, and the reasons for which somebody may look through a camera. Data; asks nobody."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from queries.city.specs import Part, WordPair, unknown

Kind = Literal["hls", "mjpeg", "page"]
#: Where known gateways keep a live picture, behind their address. A GB/T 28181 platform: as ZLMediaKit serves what is
#: invited (WVP and others); {stream} is then DEVICE_CHANNEL.
LIKE: dict[str, dict[str, str]] = {
    "go2rtc": {"hls": "/api/stream.m3u8?src={stream}&mp4", "mjpeg": "/api/stream.mjpeg?src={stream}", "page": "/stream.html?src={stream}&mode=webrtc&key={key}"},
    "mediamtx": {"hls": "/{stream}/index.m3u8", "page": "/{stream}/?key={key}"},
    "gb28181": {"hls": "/rtp/{stream}/hls.m3u8"},
}
#: Standard reasons; a city adds its own, and says nothing less. "other" must be told in words of one's own.
REASONS: dict[str, WordPair] = {
    "case": WordPair(name="核实案件", name_en="Check a case"), "alarm": WordPair(name="核实报警", name_en="Check an alarm"),
    "emergency": WordPair(name="应急处置", name_en="Emergency"), "flood": WordPair(name="防汛排涝", name_en="Flood watch"),
    "event": WordPair(name="活动保障", name_en="Public event"), "patrol": WordPair(name="视频巡查", name_en="Round by video"),
    "equipment": WordPair(name="设备检修", name_en="Check the camera itself"), "other": WordPair(name="其他（须写明）", name_en="Other (say which)"),
}


class GatewaySpec(Part):
    """A video gateway: `address` is its scheme and host where it is `like` a known one, else the whole template with {stream}."""

    address: str
    like: str = ""
    live: Kind = "hls"

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            told = urlsplit(value)
            good = told.scheme in ("http", "https") and bool(told.hostname) and told.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("it needs an address that begins with http:// or https:// and names a host")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.like and self.like not in LIKE:
            raise unknown(self.like, LIKE, "known gateway")
        if self.like and self.live not in LIKE[self.like]:
            raise ValueError(f"live: {self.like} gives {', '.join(LIKE[self.like])}, not {self.live}.")
        if not self.like and "{stream}" not in self.address:
            raise ValueError("address: say where {stream} stands, or what the gateway is like (" + ", ".join(LIKE) + ").")
        return self

    @property
    def template(self) -> str:
        """Return the address of a live picture with {stream}, and {key} where it is a page."""
        return self.address.rstrip("/") + LIKE[self.like][self.live] if self.like else self.address
