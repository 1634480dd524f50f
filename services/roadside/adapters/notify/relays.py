"""Relays that known plates close: a pin of a Raspberry Pi, an address that is called, a message to a broker."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from roadside.adapters.http.deadline import within
from roadside.adapters.http.exchange import exchange
from roadside.adapters.notify.broker_faults import broker_fault, refusal, refuse_unreadable
from roadside.adapters.notify.secret import secret
from roadside.errors import SettingsError, UnavailableError
from roadside.kit.extras import install_command
from roadside.notify.relays import GpioRelay, HttpRelay, MqttRelay

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.adapters.notify.secret import Secrets
    from roadside.notify.relays import RelayOptions


class Relay(Protocol):
    """Something that opens."""

    def pulse(self) -> None:
        """Open it, and wait until that is done. Raises UnavailableError where it cannot be reached."""
        ...

    def close(self) -> None:
        """Let it go; it stays shut."""
        ...


class GpioPin:
    """A pin that is switched for a moment."""

    def __init__(self, name: str, options: GpioRelay) -> None:
        """Takes the pin, off. Raises SettingsError where there is none, or the package is missing."""
        try:
            from gpiozero import DigitalOutputDevice  # type: ignore[import-untyped] # noqa: PLC0415 - only where there is a pin
            from gpiozero.exc import GPIOZeroError  # type: ignore[import-untyped] # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"relay {name}: pins need a Python package ({error.name} is missing): {install_command('gpio')}"
            ) from error
        try:
            self._device: Any = DigitalOutputDevice(options.pin, active_high=not options.active_low)
        except (GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            raise SettingsError(
                f"relay {name}: pin {options.pin} cannot be used ({type(error).__name__}): is this a Raspberry Pi, and "
                "may this user use its pins?"
            ) from error
        self._pulse_s = options.pulse_s

    def pulse(self) -> None:
        """See `Relay`."""
        self._device.blink(on_time=self._pulse_s, off_time=0, n=1, background=False)

    def close(self) -> None:
        """See `Relay`."""
        self._device.close()


class HttpCall:
    """An address that is called once."""

    def __init__(self, name: str, options: HttpRelay, secrets: Secrets = secret) -> None:
        self._name = name
        self._options = options
        self._headers = {"User-Agent": "roadside"}
        if options.token_env:
            self._headers["Authorization"] = f"Bearer {secrets(options.token_env)}"

    def pulse(self) -> None:
        """See `Relay`: anything but a 2xx answer is a fault, a redirect too."""
        options = self._options
        try:
            address = urlsplit(options.url)
            kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
            connection = kind(address.hostname or "", address.port, timeout=options.timeout_s)
            target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
            body = options.body.encode() if options.body or options.method != "GET" else None
            with within(connection, options.timeout_s):
                status = exchange(connection, options.method, target, body=body, headers=self._headers).status
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise UnavailableError(f"relay {self._name}: {reason}") from error
        except ValueError as error:  # its text tells parts of the address, or the token
            raise UnavailableError(f"relay {self._name}: its address or its token cannot be sent") from error
        if not 200 <= status < 300:
            raise UnavailableError(f"relay {self._name}: HTTP {status}")

    def close(self) -> None:
        """See `Relay`: each call has a connection of its own."""


class MqttMessage:
    """A message that is published once."""

    def __init__(self, name: str, options: MqttRelay, secrets: Secrets = secret) -> None:
        """Raises SettingsError where the package is missing, or the certificates that it is to trust."""
        try:
            import paho.mqtt.client as paho  # noqa: PLC0415 - only where a broker is to be told
            from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"relay {name}: MQTT needs a Python package ({error.name} is missing): {install_command('mqtt')}"
            ) from error
        refuse_unreadable(f"relay {name}", tls_ca=options.tls_ca)
        self._make: Callable[[], Any] = lambda: paho.Client(CallbackAPIVersion.VERSION2)
        self._name = name
        self._options = options
        self._password = secrets(options.password_env) if options.password_env else None

    def pulse(self) -> None:
        """See `Relay`: done when the broker has acknowledged it."""
        options = self._options
        client = self._make()
        client.connect_timeout = options.timeout_s
        answered, answers = threading.Event(), list[Any]()

        def connected(_client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
            answers.append(reason)
            answered.set()

        client.on_connect = connected
        if options.username:
            client.username_pw_set(options.username, self._password)
        try:
            if options.tls:
                client.tls_set(str(options.tls_ca) if options.tls_ca else None)
            client.connect(options.host, options.port)
            client.loop_start()
            if answered.wait(options.timeout_s) and answers[0].is_failure:
                raise RuntimeError(refusal(answers[0]))  # noqa: TRY301 - told as its other faults are
            sent = client.publish(options.topic, options.payload, qos=1)
            sent.wait_for_publish(options.timeout_s)
            if not sent.is_published():
                raise TimeoutError("the broker did not acknowledge")
        except (OSError, ValueError, RuntimeError) as error:
            reason = broker_fault(error, options.host, options.port)
            raise UnavailableError(f"relay {self._name}: {reason}") from error
        finally:
            client.disconnect()
            client.loop_stop()

    def close(self) -> None:
        """See `Relay`: each message has a connection of its own."""


def open_relay(name: str, options: RelayOptions) -> Relay:
    """The relay that `options` describe. Raises SettingsError."""
    if isinstance(options, GpioRelay):
        return GpioPin(name, options)
    return HttpCall(name, options) if isinstance(options, HttpRelay) else MqttMessage(name, options)
