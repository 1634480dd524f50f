"""Run with a Python that has Home Assistant: whether its MQTT schemas take announcements, and refuse spoiled ones."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import voluptuous as vol

SPOILED = {"sensor": "state_topic", "event": "event_types", "image": "content_type", "binary_sensor": "state_topic"}


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    refused = 0
    for topic, payload in told:
        kind = topic.split("/")[1]
        schema: Any = importlib.import_module(f"homeassistant.components.mqtt.{kind}").DISCOVERY_SCHEMA
        schema(json.loads(payload))
        try:
            schema({**json.loads(payload), SPOILED[kind]: {"no": "topic"}})
        except vol.Invalid:
            refused += 1
    print(f"{len(told)} taken, {refused} spoiled ones refused")  # noqa: T201


if __name__ == "__main__":
    main()
