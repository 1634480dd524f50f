"""Publishes notices to an MQTT broker, with what Home Assistant needs to show cameras as devices."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.adapters.notify.broker_faults import broker_fault, refuse_unreadable
from roadside.adapters.notify.home_assistant import Topics, announcements, event_type, topic_level
from roadside.adapters.notify.mqtt_link import MqttLink
from roadside.adapters.notify.secret import secret
from roadside.adapters.system_clock import SystemClock
from roadside.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.adapters.notify.secret import Secrets
    from roadside.notify.options import MqttOptions
    from roadside.ports.notify import PictureOf
    from roadside.ports.system import Clock


MOST_HEARD = 1024
"""Cameras whose states are remembered of what others publish."""
MOST_STATE_BYTES = 1 << 16
AHEAD_S = 60.0
"""How far another clock may be ahead of ours. A state of later than that is of a clock that was wrong, or a stranger's:
it would keep every passage to come from being told."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The passage that a camera's retained state tells of."""

    sighting_id: str
    seen_at: str


class MqttChannel:
    """One broker; connects at the first notice, and again after a fault."""

    def __init__(
        self,
        options: MqttOptions,
        secrets: Secrets = secret,
        picture_of: PictureOf | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Without `clock` the computer's own. Raises SettingsError where a secret or a file of its TLS is missing."""
        files = {"tls_ca": options.tls_ca, "tls_certificate": options.tls_certificate, "tls_key": options.tls_key}
        refuse_unreadable(f"channel {options.name}", **files)
        self._options = options
        self._clock = clock or SystemClock()
        self._picture_of = picture_of
        password = secrets(options.password_env) if options.password_env else None
        states = Topics(options.topic, "+").state
        self._state = re.compile(re.escape(options.topic) + "/([^/]+)/state")
        self._link = MqttLink(options, password, [states], self._hear, self._forget)
        self._announced: set[tuple[str, bool]] = set()
        self._online: dict[str, bool] = {}
        self._shown: dict[str, _Shown] = {}

    def send(self, body: str) -> None:
        """Publish `body` to TOPIC/CAMERA/VERDICT, acknowledged by the broker. Raises UnavailableError.

        With Home Assistant also as the camera's state, unless that tells of a later passage, and as an event. What was
        withdrawn only changes a state that tells of it.
        """
        notice = json.loads(body)
        with self._told():
            self._link.connect()
            self._announce(notice["camera"], watched=notice["camera"] in self._online)
            topics = Topics(self._options.topic, topic_level(notice["camera"]))
            if "withdrawn" not in notice:
                self._link.publish(topics.passages(event_type(notice["verdict"])), body)
            if self._options.home_assistant:
                self._show(topics, notice, body)
            elif "withdrawn" not in notice:
                self._send_pictures(topics, notice["sighting_id"])

    def camera(self, camera_id: str, *, online: bool) -> None:
        """Tell whether a camera gives pictures, where that is not told yet. Raises UnavailableError."""
        with self._told():
            self._link.connect()
            self._announce(camera_id, watched=True)
            if self._online.get(camera_id) != online:
                topics = Topics(self._options.topic, topic_level(camera_id))
                self._link.publish(topics.online, "ON" if online else "OFF", retain=True)
                self._online[camera_id] = online

    def close(self) -> None:
        """Leave the broker."""
        self._link.close()
        self._forget()

    def _announce(self, camera: str, *, watched: bool) -> None:
        if not self._options.home_assistant or (camera, watched) in self._announced:
            return
        for topic, payload in announcements(self._options, camera, watched=watched):
            self._link.publish(topic, payload, retain=True)
        self._announced.add((camera, watched))

    def _show(self, topics: Topics, notice: dict[str, str], body: str) -> None:
        told, shown = _Shown(notice["sighting_id"], notice["seen_at"]), self._shown.get(topics.level)
        withdrawn = "withdrawn" in notice
        later = shown is not None and self._latest() >= shown.seen_at > told.seen_at
        if (shown is None or shown.sighting_id != told.sighting_id) if withdrawn else later:
            return
        self._link.publish(topics.state, body, retain=self._options.retain)
        self._shown[topics.level] = told
        self._send_pictures(topics, notice["sighting_id"], none=withdrawn)
        if not withdrawn:
            # Last: what an automation sends on when it happens is there already.
            event = json.dumps({"event_type": event_type(notice["verdict"]), **notice})
            self._link.publish(topics.event, event)

    def _send_pictures(self, topics: Topics, sighting_id: str, *, none: bool = False) -> None:
        """An empty message takes the place of a picture that there is none of: it would show another vehicle."""
        for kind in self._options.pictures:
            found = None if none or self._picture_of is None else self._picture_of(sighting_id, kind)
            self._link.publish(topics.picture(kind), found or b"", retain=self._options.retain)

    def _hear(self, topic: str, payload: bytes) -> None:
        """What the broker keeps of before, or another process has told."""
        match = self._state.fullmatch(topic)
        if match is None or len(payload) > MOST_STATE_BYTES:
            return
        try:
            told = json.loads(payload)
            shown = _Shown(str(told["sighting_id"]), str(told["seen_at"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if match[1] in self._shown or len(self._shown) < MOST_HEARD:
            self._shown[match[1]] = shown

    def _latest(self) -> str:
        """The latest time of a passage that can have been, as notices write it."""
        latest = datetime.fromtimestamp(self._clock.now_ns() / 1e9 + AHEAD_S, UTC)
        return latest.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _forget(self) -> None:
        """The broker may have forgotten what it was told."""
        self._announced.clear()
        self._online.clear()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            options = self._options
            raise UnavailableError(f"mqtt {options.name}: {broker_fault(error, options.host, options.port)}") from error
