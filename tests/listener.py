"""Listens to a broker in a process of its own, so that a test can end it hard: `python -m tests.listener DATABASE BROKER`."""

from __future__ import annotations

import sys

from queries.loop.writer import Writer
from queries.settings import Settings
from queries.sources import mqtt
from queries.sources._pen import Pen
from queries.sources._source import Turn
from queries.store import Store


def main() -> None:
    writer = Writer(Store(sys.argv[1]))
    while True:
        mqtt.run(Turn(writer=Pen(writer), settings=Settings(mqtt_url=sys.argv[2])))


main()
