"""The connection to one MQTT broker: made when it is needed, and told of when it ends, by whatever end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from roadside.adapters.notify.broker_faults import refusal
from roadside.adapters.notify.home_assistant import OFFLINE, ONLINE, status_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from paho.mqtt.reasoncodes import ReasonCode

    from roadside.notify.options import MqttOptions

AT_LEAST_ONCE = 1


class MqttLink:
    """Says `online` on TOPIC/status, retained, for as long as it holds; its last will says `offline`."""

    def __init__(
        self,
        options: MqttOptions,
        password: str | None,
        listens_to: Sequence[str],
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None],
    ) -> None:
        """Not connected yet.

        `on_message` is told of what comes on the topics `listens_to`, `on_connect` of each new connection before
        anything is sent on it; both by a thread of the link's own.
        """
        self._options = options
        self._password = password
        self._status = status_topic(options.topic)
        self._listens_to = (self._status, *listens_to)
        self._on_message = on_message
        self._on_connect = on_connect
        self._answered = threading.Event()
        self._refusal = ""
        self._client: paho.Client | None = None

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Send, and wait until the broker has it. Raises OSError, ValueError or RuntimeError where it has not."""
        sent = self._connected().publish(topic, payload, qos=AT_LEAST_ONCE, retain=retain)
        sent.wait_for_publish(self._options.timeout_s)
        if not sent.is_published():
            raise TimeoutError("the broker did not acknowledge")

    def connect(self) -> None:
        """Connect where it is not. Raises OSError, ValueError."""
        self._connected()

    def close(self) -> None:
        """Say `offline` and leave."""
        client, self._client = self._client, None
        if client is None:
            return
        if client.is_connected():
            left = client.publish(self._status, OFFLINE, qos=AT_LEAST_ONCE, retain=True)
            left.wait_for_publish(self._options.timeout_s)
        client.disconnect()
        client.loop_stop()

    def _connected(self) -> paho.Client:
        if self._client is not None and self._client.is_connected():
            return self._client
        self._drop()
        self._client = client = self._make()
        if client.connect(self._options.host, self._options.port) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise OSError("the broker refused")
        client.loop_start()
        if not self._answered.wait(self._options.timeout_s):
            raise TimeoutError("the broker did not answer")
        if self._refusal:
            raise OSError(refusal(self._refusal))
        return client

    def _drop(self) -> None:
        """Let go of a connection that is none."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
        self._client = None
        self._answered.clear()

    def _make(self) -> paho.Client:
        options = self._options
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = options.timeout_s
        client.will_set(self._status, OFFLINE, qos=AT_LEAST_ONCE, retain=True)
        client.on_connect = self._welcomed
        client.on_message = self._told
        if options.username:
            client.username_pw_set(options.username, self._password)
        if options.tls:
            client.tls_set(_text(options.tls_ca), _text(options.tls_certificate), _text(options.tls_key))
        return client

    def _welcomed(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        """The broker answered, now or after the connection was lost: it may have forgotten everything."""
        self._refusal = str(reason) if reason.is_failure else ""
        if not self._refusal:
            self._on_connect()
            client.subscribe([(topic, AT_LEAST_ONCE) for topic in self._listens_to])
            client.publish(self._status, ONLINE, qos=AT_LEAST_ONCE, retain=True)
        self._answered.set()

    def _told(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # no broker passes it on, and no topic of ours is so
            return
        if topic != self._status:
            self._on_message(topic, bytes(message.payload))
        elif message.payload == OFFLINE.encode() and client is self._client:
            # Another process that shares the topic has ended; this one is still here, unless it is just leaving.
            client.publish(self._status, ONLINE, qos=AT_LEAST_ONCE, retain=True)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
