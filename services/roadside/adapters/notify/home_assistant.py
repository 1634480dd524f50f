"""What Home Assistant is told of a camera, so that it shows it as a device: messages of its MQTT discovery.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside._version import __version__
from roadside.adapters.notify.media import MEDIA_TYPES
from roadside.core.sightings import PictureKind, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.notify.options import MqttOptions

KNOWN_S = 30
"""For how long a known plate is shown."""
_PLAIN = re.compile(r"[0-9A-Za-z_ /+#.-]+")
ONLINE, OFFLINE = "online", "offline"


@dataclass(frozen=True, slots=True)
class Topics:
    """Where what is known of one camera goes."""

    prefix: str
    level: str
    """The camera, as one level of a topic."""

    @property
    def state(self) -> str:
        """The newest passage, a JSON object; retained."""
        return f"{self.prefix}/{self.level}/state"

    @property
    def event(self) -> str:
        """Each passage as it is told, with its `event_type`."""
        return f"{self.prefix}/{self.level}/event"

    @property
    def online(self) -> str:
        """ON while the camera gives pictures, else OFF; retained."""
        return f"{self.prefix}/{self.level}/online"

    def passages(self, kind: str) -> str:
        """Each passage of one `event_type`."""
        return f"{self.prefix}/{self.level}/{kind}"

    def picture(self, kind: PictureKind) -> str:
        """The newest picture, as a file; retained."""
        return f"{self.prefix}/{self.level}/{kind.value}"


def topic_level(name: str) -> str:
    """`name` as one level of a topic and as an id of Home Assistant's: letters and digits of ASCII, `_` and `-`.

    `/`, `+`, `#`, `.` and spaces become `_`. A name with other characters also gets the beginning of its SHA-256: two
    gates that are called in another script would be one device else.
    """
    level = re.sub(r"[^0-9A-Za-z_-]", "_", name)
    if _PLAIN.fullmatch(name):
        return level
    return f"{level}_{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:6]}"


def event_type(verdict: str | None) -> str:
    """What kind of passage it was: `unpaid`, `review`...; `seen` where nobody asked whether it has paid."""
    return "seen" if verdict is None else verdict.lower()


def status_topic(prefix: str) -> str:
    """Where the broker is told `online`, and tells `offline` when nobody is there any more."""
    return f"{prefix}/status"


def announcements(options: MqttOptions, camera: str, *, watched: bool) -> Iterator[tuple[str, str]]:
    """Topic and payload of each entity of `camera`, all to be retained.

    `watched` where this process knows whether the camera gives pictures.
    """
    topics = Topics(options.topic, topic_level(camera))
    device = {
        "identifiers": [f"roadside_{topics.level}"],
        "name": f"Roadside {camera}",
        "manufacturer": "Roadside",
        "model": "Number plate reader",
        "sw_version": __version__,
    }
    for component, name, entity in _entities(options, topics, watched=watched):
        payload = {
            **entity,
            "unique_id": f"roadside_{topics.level}_{name}",
            "availability_topic": status_topic(options.topic),
            "device": device,
            "origin": {"name": "Roadside", "sw_version": __version__},
        }
        yield f"{options.discovery_prefix}/{component}/roadside_{topics.level}/{name}/config", json.dumps(payload)


def known_plate(topics: Topics) -> dict[str, object]:
    """On for a while when a plate of a list passes. From the event: what is retained happened some time ago."""
    return {
        "state_topic": topics.event,
        "value_template": "{{ 'ON' if value_json.known is defined else 'OFF' }}",
        "json_attributes_topic": topics.event,
        "off_delay": KNOWN_S,
    }


def _entities(options: MqttOptions, topics: Topics, *, watched: bool) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Kind, name and own keys of each."""
    state = {"state_topic": topics.state}
    attributes = {"json_attributes_topic": topics.state}
    verdict = {"name": "Last verdict", "icon": "mdi:car-info", "value_template": "{{ value_json.verdict or 'SEEN' }}"}
    yield "sensor", "verdict", {**state, **attributes, **verdict}
    if options.with_plate:
        # "None" means unknown to Home Assistant: of a vehicle that has paid no plate is kept.
        plate = {"name": "Last plate", "icon": "mdi:car", "value_template": "{{ value_json.plate | default(none) }}"}
        yield "sensor", "plate", {**state, **attributes, **plate}
    seen = {"name": "Last seen", "device_class": "timestamp", "value_template": "{{ value_json.seen_at }}"}
    yield "sensor", "seen", {**state, **seen}
    # All of them: an alert of a known plate is told whatever its verdict is.
    types = [event_type(None if kind is VerdictKind.NONE else kind.value) for kind in VerdictKind]
    yield "event", "passage", {"name": "Passage", "state_topic": topics.event, "event_types": types}
    for kind in options.pictures:
        names = {
            PictureKind.CROP: "Last plate picture",
            PictureKind.FRAME: "Last frame",
            PictureKind.STRIP: "Last film strip",
        }
        picture = {"name": names[kind], "image_topic": topics.picture(kind), "content_type": MEDIA_TYPES[kind]}
        yield "image", kind.value, {**picture}
    yield "binary_sensor", "known", {"name": "Known plate", "icon": "mdi:car-key", **known_plate(topics)}
    if watched:
        connectivity = {"name": "Camera", "device_class": "connectivity", "entity_category": "diagnostic"}
        yield "binary_sensor", "online", {"state_topic": topics.online, **connectivity}
