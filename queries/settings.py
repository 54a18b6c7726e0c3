"""The frozen settings and the only reader of the environment (`GOV_*`) and of the settings file."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from queries.errors import SettingError

PREFIX = "GOV_"
FILE_KEY = "GOV_SETTINGS"
HERE = Path(__file__).resolve().parent.parent
#: Never from a file: files are copied, shown and kept.
SECRET = ("webhook_secrets", "mqtt_password", "link_secret")


def _address(value: str) -> str:
    """Return an address that a door may call: http or https, a host, no name or password in it."""
    try:
        told = urlsplit(value)
        good = told.scheme in ("http", "https") and bool(told.hostname) and told.port != 0
    except ValueError:
        good = False
    if value and not good:
        raise ValueError("it needs an address that begins with http:// or https:// and names a host")
    if value and "@" in told.netloc:
        raise ValueError("an address with a name or password in it would be logged by others; leave them out")
    return value


class Receiver(BaseModel):
    """Another system that is told what happens. Its secret is in webhook_secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    #: Code of the department whose cases it is told of; empty = all.
    department: str = ""
    #: What it is told of cases that a file tells of for the first time: open = of those that were open then; all; none.
    imported: Literal["open", "all", "none"] = "open"

    _url = field_validator("url")(lambda value: _address(value))


class Settings(BaseModel):
    """Every setting, typed, with its meaning; the README's table is made from these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(HERE / "data", description="folder for the database, tiles and the demo city")
    database_url: str = Field("", description="SQLAlchemy URL; empty = SQLite file in data_dir")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8050, ge=0, le=65535, description="port to listen on")
    language: str = Field("", pattern="^(zh|en|)$", description="language of a link that names none (zh or en); empty = the city's own")
    tile_url: str = Field("", description="XYZ or WMTS template of a base map ({z} {x} {y}, or {TileMatrix} {TileCol} {TileRow}); empty = the bundled one")
    tile_label_url: str = Field("", description="XYZ or WMTS template of a label layer over tile_url")
    tile_crs: str = Field("WGS84", pattern="^(WGS84|GCJ02|BD09)$", description="datum of tile_url's pictures")
    tile_attribution: str = Field("", description="attribution shown for tile_url")
    map_approval: str = Field("", description="map approval number (审图号), shown at the map's lower left")
    public_list: bool = Field(False, description="true when everybody may read the published task list (/list) without signing in")
    https: bool = Field(False, description="true when people reach it by https: cookies are marked Secure")
    trusted_proxy: str = Field("", description="address of a reverse proxy whose X-Forwarded- headers are believed; empty = none")
    session_idle_min: int = Field(30, ge=1, le=1440, description="minutes without use after which one is signed out")
    session_hours: int = Field(12, ge=1, le=168, description="hours after which one is signed out in any case")
    lock_failures: int = Field(5, ge=3, le=10, description="wrong passwords in a row that lock an account")
    lock_minutes: int = Field(5, ge=1, le=1440, description="minutes for which it is locked then")
    demo_grids: int = Field(5000, ge=50, le=500_000, description="grids of the demo city")
    demo_seed: int = Field(7, ge=0, description="seed of the demo city")
    wall_width_m: float = Field(4.0, ge=0.2, le=100, description="width of the wall in metres; with the distance it gives the size of its type")
    wall_distance_m: float = Field(4.0, ge=0.2, le=100, description="distance in metres from which the wall is read; the smallest text is 20 arc minutes high there")
    writers: int = Field(2, ge=1, le=16, description="writers side by side on PostgreSQL; SQLite has one")
    drop_dir: str = Field("", description="folder into which other systems put table files of cases, readings and departments' figures; empty = none")
    open311_url: str = Field("", description="address of an Open311 GeoReport v2 server whose requests are taken in, such as https://HOST/open311/v2; empty = none")
    open311_jurisdiction: str = Field("", max_length=200, description="jurisdiction_id that it wants, if any")
    open311_categories: dict[str, str] = Field({}, description='category of each of its service codes (JSON, or a table of the file); "*" = of all others')
    open311_window: str = Field("requested", pattern="^(requested|updated)$", description="updated: the server knows updated_after and updated_before; requested: it is asked for new ones, and again for each open one")
    open311_every_s: int = Field(300, ge=10, le=86_400, description="seconds between two looks at it")
    open311_public: bool = Field(False, description="true: everybody may read cases over our own /open311/v2, without personal data")
    webhooks: dict[str, Receiver] = Field({}, description="receivers of what happens: name = { url, department, imported } (JSON, or a table of the file)")
    webhook_secrets: dict[str, SecretStr] = Field({}, repr=False, description="secrets by which messages to receivers are signed (JSON, name = secret); from the environment only")
    mqtt_url: str = Field("", description="address of an MQTT broker whose readings are taken in: mqtt://HOST:1883, or mqtts://HOST:8883; empty = none")
    mqtt_user: str = Field("", max_length=200, description="user name at the broker")
    mqtt_password: SecretStr = Field(SecretStr(""), repr=False, description="password at the broker; from the environment only")
    mqtt_ca: str = Field("", description="file with the certificate authority of the broker (mqtts); empty = those of the system")
    mqtt_client: str = Field("governance-brain", min_length=1, max_length=60, description="client id at the broker, under which it keeps our session; one process at a time listens, so all of them share it")
    mqtt_group: str = Field("", max_length=60, pattern="^[^/+#]*$", description="name of a shared subscription, for several listeners with client ids of their own; empty = none, which is safer: Mosquitto forgets shared ones when it restarts")
    mqtt_topic: str = Field("sensors/{sensor}/{metric}", max_length=200, description="topics of readings; {sensor} and {metric} are read from it, + is any word")
    mqtt_fields: dict[str, str] = Field({}, description='where a message has what (JSON): {"value": "data.val", "at": "ts"}; empty = as in the API')
    camera_gateway: str = Field("", description="address of the live picture at a video gateway, with {stream} and {key} (our signed, short-lived key); empty = stills only")
    camera_live: str = Field("page", pattern="^(page|mjpeg|hls)$", description="what that address gives: a page of the gateway (WebRTC and others), an MJPEG picture, or an HLS stream")
    camera_hosts: str = Field("", description="hosts of cameras and gateways whose pictures are fetched, HOST or HOST:PORT with commas between; others are never asked; empty = none")
    camera_probe_s: int = Field(600, ge=0, le=86_400, description="seconds between two rounds in which each camera of these hosts is asked for a picture, one at a time of each host; 0 = never")
    link_secret: SecretStr = Field(SecretStr(""), repr=False, description="secret by which links to pictures are signed; empty = one is made and kept in the database; from the environment only")
    operators: int = Field(1, ge=1, le=100, description="operator positions among which alarms are shared: a flood is more than ten in ten minutes for each")
    readings_days: int = Field(30, ge=0, le=36_500, description="days for which readings are kept as they came; 0 = for ever")
    minutes_days: int = Field(90, ge=0, le=36_500, description="days for which their sums by minute are kept; 0 = for ever")
    hours_days: int = Field(800, ge=0, le=36_500, description="days for which their sums by hour are kept; 0 = for ever. Sums by day stay")
    log_format: str = Field("text", pattern="^(text|json)$", description="log lines for people or machines")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level logged")

    _open311 = field_validator("open311_url")(lambda value: _address(value.rstrip("/")))

    @field_validator("mqtt_url")
    @classmethod
    def _broker(cls, value: str) -> str:
        """Return a broker's address: mqtt or mqtts, a host, no name or password in it."""
        if value:
            told = urlsplit(value)
            if told.scheme not in ("mqtt", "mqtts") or not told.hostname or told.path.strip("/"):
                raise ValueError("it needs an address such as mqtt://HOST:1883 or mqtts://HOST:8883")
            if "@" in told.netloc:
                raise ValueError("an address with a name or password in it would be logged by others; use mqtt_user and mqtt_password")
        return value

    @field_validator("mqtt_topic")
    @classmethod
    def _topic(cls, value: str) -> str:
        """Return a topic template: whole levels, a sensor among them or in the message."""
        for level in value.split("/"):
            if not level or (("{" in level or "+" in level) and level not in ("{sensor}", "{metric}", "+")) or "#" in level:
                raise ValueError(f"{level!r} is no level of a topic; write words, {{sensor}}, {{metric}} or +")
        return value

    @field_validator("open311_categories", "webhooks", "webhook_secrets", "mqtt_fields", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:
        """Read what an environment variable says of a table."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError:
            # What it said is not repeated: it may be a secret.
            raise ValueError("it is no JSON object") from None

    @field_validator("tile_url", "tile_label_url")
    @classmethod
    def _template(cls, value: str) -> str:
        """Bring a WMTS template to the words of XYZ; the map would stand still at a word that it does not know."""
        for theirs, ours in (("TileMatrix", "z"), ("TileRow", "y"), ("TileCol", "x")):
            value = re.sub(rf"\{{{theirs}\}}", f"{{{ours}}}", value, flags=re.IGNORECASE)
        found = set(re.findall(r"\{(.*?)\}", value))
        if not value or ({"z", "x"} <= found <= {"z", "x", "y", "-y", "s", "r"} and found & {"y", "-y"}):
            return value
        strange = ", ".join(sorted(f"{{{word}}}" for word in found - {"z", "x", "y", "-y", "s", "r"}))
        raise ValueError("it needs {z}, {x} and {y}" + (f", and {strange} must be filled in" if strange else ""))

    @property
    def database(self) -> str:
        """Return the database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'brain.sqlite'}"


def read(environ: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read settings: given > environment > file named by GOV_SETTINGS > defaults.

    Raises SettingError naming the bad setting, and the nearest known name of an unknown one.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    if path := environ.get(FILE_KEY):
        values |= _from_file(Path(path))
    for key, value in environ.items():
        if key.startswith(PREFIX) and key != FILE_KEY:
            values[_known(key.removeprefix(PREFIX).lower(), f"environment variable {key}", PREFIX)] = value
    values |= {k: v for k, v in given.items() if v is not None}
    try:
        return Settings(**values)
    except ValidationError as bad:
        first = bad.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        # The value itself is not repeated: a database URL holds a password.
        raise SettingError(
            f"Setting {name} ({PREFIX}{name.upper()}): {first['msg'].removeprefix('Value error, ')}. See the README's settings table."
        ) from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as bad:
        raise SettingError(f"Settings file {path} cannot be read ({bad.strerror}). Check {FILE_KEY}.") from bad
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as bad:
        raise SettingError(f"Settings file {path} is not valid TOML: {bad}.") from bad
    values = {_known(key.lower(), f"{key} in {path}"): value for key, value in table.items()}
    for name in SECRET:
        if name in values:
            raise SettingError(f"{name} is in {path}. Secrets are read from the environment only: set {PREFIX}{name.upper()}.")
    return values


def _known(name: str, where: str, prefix: str = "") -> str:
    if name in Settings.model_fields:
        return name
    near = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.0)[0]
    shown = f"{prefix}{near.upper()}" if prefix else near
    raise SettingError(f"Unknown setting: {where}. The nearest known one is {shown}.")
