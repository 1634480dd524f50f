"""Runs a service whose settings are known."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from roadside.assembly.service_settings import Service, ServiceSettings
from roadside.assembly.serving_bus import open_bus
from roadside.kit.health import Health
from roadside.kit.host import ServiceHost
from roadside.kit.lifecycle import Lifecycle
from roadside.kit.logs import set_up
from roadside.kit.metrics import PrometheusMeter
from roadside.kit.retry import BUS

if TYPE_CHECKING:
    from roadside.kit.host import Work

PARTS = {
    Service.CAPTURE: (BUS,),
    Service.DETECTOR: (BUS, "model"),
    Service.OCR: (BUS, "model"),
    Service.REGISTRY: (BUS, "store"),
    Service.PLATES: (BUS, "store"),
}
"""What each service needs to be ready."""


def run(service: Service, settings: ServiceSettings) -> int:
    """Run until SIGTERM; exit code 0 where all in hand was finished."""
    set_up(service.value, style=settings.log_format, level=settings.log_level)
    lifecycle = Lifecycle()
    lifecycle.listen()
    health = Health(PARTS[service], time.monotonic)
    host = ServiceHost(service, settings, health, PrometheusMeter(service, CollectorRegistry()), lifecycle)
    rng = random.Random()  # noqa: S311 - jitter, not a secret
    return host.run(lambda: _work(host, rng))


def _work(host: ServiceHost, rng: random.Random) -> Work:
    """What the service does. Only its own imports are made: a detector needs no database, a registry no camera."""
    bus = open_bus(host.service, host.settings)
    if host.service in {Service.REGISTRY, Service.PLATES}:
        from roadside.assembly import serving_records  # noqa: PLC0415

        records = serving_records.registry if host.service is Service.REGISTRY else serving_records.plates
        return records(host, bus, rng)
    from roadside.assembly import serving_models  # noqa: PLC0415

    match host.service:
        case Service.CAPTURE:
            return serving_models.capture(host, bus)
        case Service.DETECTOR:
            return serving_models.detector(host, bus, rng)
        case _:
            return serving_models.ocr(host, bus, rng)
