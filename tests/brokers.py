"""A real mosquitto, and one that hears everything that it is told."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.ports import reserved_port
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Broker:
    """A mosquitto that can be killed and started again; it forgets everything in between."""

    folder: Path
    options: str = "allow_anonymous true"
    """Lines of its file of settings; those of the listener first."""
    port: int = field(default_factory=reserved_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        assert found is not None, "mosquitto is missing: see packages.txt"
        settings = self.folder / "mosquitto.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\n{self.options}\npersistence false\nuser root\n")
        self.process = subprocess.Popen(
            [found, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.answers, "mosquitto")

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PLENTY_S)


@dataclass
class Listener:
    """Everything that a broker has to tell, topic by topic."""

    messages: list[paho.MQTTMessage] = field(default_factory=list)
    client: paho.Client = field(default_factory=lambda: paho.Client(CallbackAPIVersion.VERSION2))

    @property
    def got(self) -> dict[str, str]:
        """The last of each topic, where it is a text."""
        return {message.topic: message.payload.decode(errors="replace") for message in list(self.messages)}

    def all_of(self, topic: str) -> list[str]:
        """Everything of one topic, in order."""
        return [message.payload.decode() for message in list(self.messages) if message.topic == topic]

    def listen(self, broker: Broker, topics: str = "#") -> None:
        subscribed = threading.Event()
        self.client.on_message = lambda _client, _data, message: self.messages.append(message)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe(topics, 1)
        assert subscribed.wait(PLENTY_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
