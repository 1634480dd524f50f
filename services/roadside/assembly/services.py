"""The services that there are, a row each: what `roadside serve` can be."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Generic

from roadside.assembly.settings import (
    CaptureSettings,
    ConsoleSettings,
    DetectorSettings,
    NotifySettings,
    OcrSettings,
    PlatesSettings,
    RegistrySettings,
)
from roadside.capture.metrics import SPECS as CAPTURE_SPECS
from roadside.console.metrics import SPECS as CONSOLE_SPECS
from roadside.detector.metrics import SPECS as DETECTOR_SPECS
from roadside.kit.config import ServiceSettingsT
from roadside.notify.metrics import SPECS as NOTIFY_SPECS
from roadside.ocr.metrics import SPECS as OCR_SPECS
from roadside.plates.metrics import SPECS as PLATES_SPECS
from roadside.registry.metrics import SPECS as REGISTRY_SPECS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from roadside.assembly.context import ServiceContext
    from roadside.kit.host import Work
    from roadside.kit.metrics import Spec


@dataclass(frozen=True, slots=True)
class ServiceDescriptor(Generic[ServiceSettingsT]):
    """Everything by which one service differs from another."""

    name: str
    number: int
    """Its ports follow from it: 50050, 8080 and 9100 and this number."""
    summary: str
    settings: type[ServiceSettingsT]
    needs: tuple[str, ...]
    """The parts without which it is not ready from the start: bus, model, store, channels, frames."""
    metrics: tuple[Spec, ...]
    module: str
    """Has `build(context)`; imported when the service starts, so that an image needs no other service's packages."""
    handles_frames: bool = False
    """Whether it has every frame of a camera in hand, and so wants the memory of the last one again at once."""

    def build(self, context: ServiceContext[ServiceSettingsT]) -> Work:
        """What the service does. Raises RoadsideError where it cannot be put together."""
        builder: Callable[[ServiceContext[ServiceSettingsT]], Work] = import_module(self.module).build
        return builder(context)


SERVICES: tuple[ServiceDescriptor[Any], ...] = (
    ServiceDescriptor(
        name="capture",
        number=1,
        summary="take frames from cameras and publish them",
        settings=CaptureSettings,
        needs=("bus", "frames"),
        metrics=CAPTURE_SPECS,
        module="roadside.assembly.capture",
        handles_frames=True,
    ),
    ServiceDescriptor(
        name="detector",
        number=2,
        summary="find plates in frames",
        settings=DetectorSettings,
        needs=("bus", "model"),
        metrics=DETECTOR_SPECS,
        module="roadside.assembly.detector",
        handles_frames=True,
    ),
    ServiceDescriptor(
        name="ocr",
        number=3,
        summary="read the characters of plates",
        settings=OcrSettings,
        needs=("bus", "model"),
        metrics=OCR_SPECS,
        module="roadside.assembly.ocr",
        handles_frames=True,
    ),
    ServiceDescriptor(
        name="registry",
        number=4,
        summary="gather reads into vehicles and give verdicts; answer who paid",
        settings=RegistrySettings,
        needs=("bus", "store"),
        metrics=REGISTRY_SPECS,
        module="roadside.assembly.registry",
    ),
    ServiceDescriptor(
        name="plates",
        number=5,
        summary="store sightings and answer for them",
        settings=PlatesSettings,
        needs=("bus", "store"),
        metrics=PLATES_SPECS,
        module="roadside.assembly.plates",
    ),
    ServiceDescriptor(
        name="notify",
        number=6,
        summary="tell webhooks and MQTT brokers of verdicts",
        settings=NotifySettings,
        needs=("store", "channels"),
        metrics=NOTIFY_SPECS,
        module="roadside.assembly.notify",
    ),
    ServiceDescriptor(
        name="console",
        number=7,
        summary="serve the web pages, asking the other services",
        settings=ConsoleSettings,
        needs=("store",),
        metrics=CONSOLE_SPECS,
        module="roadside.assembly.console_service",
    ),
)


def service_named(name: str) -> ServiceDescriptor[Any]:
    """The service called `name`. Raises KeyError where there is none."""
    for service in SERVICES:
        if service.name == name:
            return service
    raise KeyError(name)
