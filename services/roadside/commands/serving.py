"""Runs a service whose settings are known."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from roadside.commands import serving_models, serving_records
from roadside.commands.serving_bus import open_bus
from roadside.runtime.health import Health
from roadside.runtime.lifecycle import Lifecycle
from roadside.runtime.logs import set_up
from roadside.runtime.metrics import PrometheusMeter
from roadside.runtime.patience import BUS
from roadside.runtime.service_host import ServiceHost
from roadside.runtime.service_settings import Service, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.runtime.service_host import Work

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
    prepare: dict[Service, Callable[[], Work]] = {
        Service.CAPTURE: lambda: serving_models.capture(host, open_bus(service, settings)),
        Service.DETECTOR: lambda: serving_models.detector(host, open_bus(service, settings), rng),
        Service.OCR: lambda: serving_models.ocr(host, open_bus(service, settings), rng),
        Service.REGISTRY: lambda: serving_records.registry(host, open_bus(service, settings), rng),
        Service.PLATES: lambda: serving_records.plates(host, open_bus(service, settings), rng),
    }
    return host.run(prepare[service])
