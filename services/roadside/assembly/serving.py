"""Runs a service whose settings are known."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from roadside.assembly.context import ServiceContext, open_bus
from roadside.kit.decoding_process import DecodingProcess
from roadside.kit.health import Health
from roadside.kit.host import ServiceHost
from roadside.kit.lifecycle import Lifecycle
from roadside.kit.logs import set_up
from roadside.kit.memory import map_buffers, share_heap
from roadside.kit.prometheus import PrometheusMeter

if TYPE_CHECKING:
    from roadside.assembly.services import ServiceDescriptor
    from roadside.kit.config import ServiceSettingsT
    from roadside.kit.host import Work


def run(service: ServiceDescriptor[ServiceSettingsT], settings: ServiceSettingsT) -> int:
    """Run until SIGTERM; exit code 0 where all in hand was finished."""
    set_up(service.name, style=settings.log_format, level=settings.log_level)
    if not service.handles_frames:
        share_heap()
        map_buffers()
    lifecycle = Lifecycle()
    lifecycle.listen()
    health = Health(service.needs, time.monotonic)
    meter = PrometheusMeter(service.name, service.metrics, CollectorRegistry())

    with closing(DecodingProcess()) as decoder:

        def prepare() -> Work:
            bus = open_bus(service.name, settings, decoder)
            return service.build(ServiceContext(service.name, settings, bus, meter, health, lifecycle, decoder))

        return ServiceHost(service.name, service.number, settings, health, meter, lifecycle).run(prepare)
