"""Publishes notices to an MQTT broker, and announces cameras to Home Assistant."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from roadside.adapters.notify.secret import secret
from roadside.errors import UnavailableError

if TYPE_CHECKING:
    from roadside.adapters.notify.secret import Secrets
    from roadside.notify.options import MqttOptions

_AT_LEAST_ONCE = 1


class MqttChannel:
    """One broker; connects at the first notice, and again after a fault."""

    def __init__(self, options: MqttOptions, secrets: Secrets = secret) -> None:
        self._options = options
        self._password = secrets(options.password_env) if options.password_env else None
        self._client: paho.Client | None = None
        self._announced: set[str] = set()

    def send(self, body: str) -> None:
        """Publish `body` to TOPIC/CAMERA/VERDICT, acknowledged by the broker. Raises UnavailableError."""
        notice = json.loads(body)
        camera, verdict = topic_level(notice["camera"]), notice["verdict"].lower()
        try:
            self._connected()
            if self._options.home_assistant and camera not in self._announced:
                topic, payload = discovery(self._options.topic, notice["camera"])
                self._publish(topic, payload, retain=True)
                self._announced.add(camera)
            self._publish(f"{self._options.topic}/{camera}/{verdict}", body, retain=False)
            if self._options.home_assistant:
                self._publish(f"{self._options.topic}/{camera}/state", body, retain=False)
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            raise UnavailableError(f"mqtt {self._options.name}: {error or type(error).__name__}") from error

    def close(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
        self._client = None
        self._announced.clear()

    def _publish(self, topic: str, payload: str, *, retain: bool) -> None:
        sent = self._connected().publish(topic, payload, qos=_AT_LEAST_ONCE, retain=retain)
        sent.wait_for_publish(self._options.timeout_s)
        if not sent.is_published():
            raise TimeoutError("the broker did not acknowledge")

    def _connected(self) -> paho.Client:
        if self._client is not None and self._client.is_connected():
            return self._client
        self.close()
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = self._options.timeout_s
        # The client comes back by itself to a broker that may have forgotten what was announced.
        client.on_disconnect = lambda *_: self._announced.clear()
        if self._options.username:
            client.username_pw_set(self._options.username, self._password)
        if self._options.tls:
            client.tls_set(ca_certs=str(self._options.tls_ca) if self._options.tls_ca else None)
        if client.connect(self._options.host, self._options.port) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise OSError("the broker refused")
        client.loop_start()
        self._client = client
        return client


def topic_level(name: str) -> str:
    """`name` as one level of a topic: `/`, `+`, `#` and spaces would mean something else."""
    return re.sub(r"[^0-9A-Za-z_-]", "_", name)


def discovery(topic: str, camera: str) -> tuple[str, str]:
    """Topic and retained payload that make Home Assistant show the last verdict of a camera as a sensor."""
    level = topic_level(camera)
    payload = {
        "name": "Last verdict",
        "unique_id": f"roadside_{level}_verdict",
        "state_topic": f"{topic}/{level}/state",
        "value_template": "{{ value_json.verdict }}",
        "json_attributes_topic": f"{topic}/{level}/state",
        "icon": "mdi:car-info",
        "device": {"identifiers": [f"roadside_{level}"], "name": f"Roadside {camera}", "manufacturer": "Roadside"},
    }
    return f"homeassistant/sensor/roadside_{level}/verdict/config", json.dumps(payload)
