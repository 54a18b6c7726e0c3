"""Video gateways of a city, and the reasons for which somebody may look through a camera. Data; asks nobody."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import ValidationInfo, field_validator, model_validator

from queries.city.specs import Part, WordPair, unknown

Kind = Literal["hls", "mjpeg", "page"]
#: Where known gateways keep a live picture, behind their address. A GB/T 28181 platform: as ZLMediaKit serves what is
#: invited (WVP and others); {stream} is then DEVICE_CHANNEL. Its page is WVP's share player, which is told where ZLMediaKit
#: answers a WebRTC offer; our key stands in that address, where ZLMediaKit's on_play hook reads it.
LIKE: dict[str, dict[str, str]] = {
    "go2rtc": {"hls": "/api/stream.m3u8?src={stream}&mp4", "mjpeg": "/api/stream.mjpeg?src={stream}", "page": "/stream.html?src={stream}&mode=webrtc&key={key}"},
    "mediamtx": {"hls": "/{stream}/index.m3u8", "page": "/{stream}/?key={key}"},
    "gb28181": {"hls": "/rtp/{stream}/hls.m3u8", "page": "/index/api/webrtc?app=rtp&stream={stream}&type=play&key={key}"},
}
#: Standard reasons; a city adds its own, and says nothing less. "other" must be told in words of one's own.
REASONS: dict[str, WordPair] = {
    "case": WordPair(name="核实案件", name_en="Check a case"), "alarm": WordPair(name="核实报警", name_en="Check an alarm"),
    "emergency": WordPair(name="应急处置", name_en="Emergency"), "flood": WordPair(name="防汛排涝", name_en="Flood watch"),
    "event": WordPair(name="活动保障", name_en="Public event"), "patrol": WordPair(name="视频巡查", name_en="Round by video"),
    "equipment": WordPair(name="设备检修", name_en="Check the camera itself"), "other": WordPair(name="其他（须写明）", name_en="Other (say which)"),
}


class GatewaySpec(Part):
    """A video gateway: `address` is its scheme and host where it is `like` a known one, else the whole template with {stream}.

    `player` = the scheme and host of the platform whose page plays what `address` serves, for a page that is like gb28181.
    """

    address: str
    like: str = ""
    live: Kind = "hls"
    player: str = ""

    @field_validator("address", "player")
    @classmethod
    def _address(cls, value: str, info: ValidationInfo) -> str:
        if info.field_name == "player" and not value:
            return value
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
        if (self.like, self.live) == ("gb28181", "page") and not self.player:
            raise ValueError("player: a page that is like gb28181 is that of its platform (WVP); give the platform's scheme and host, http://HOST:18080.")
        if self.player and (self.like, self.live) != ("gb28181", "page"):
            raise ValueError("player: only a page that is like gb28181 is played by another address; leave it out.")
        if not self.like and "{stream}" not in self.address:
            raise ValueError("address: say where {stream} stands, or what the gateway is like (" + ", ".join(LIKE) + ").")
        return self

    @property
    def template(self) -> str:
        """Return the address of a live picture with {stream}, and {key} where it is a page."""
        if not self.like:
            return self.address
        whole = self.address.rstrip("/") + LIKE[self.like][self.live]
        return f"{self.player.rstrip('/')}/#/play/share?type=1&url={quote(whole, safe='{}')}" if self.player else whole
