"""Which sections of settings each process has: one list for the commands of one process, one for each service."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from roadside.capture.config import CameraSection, PublishingSection
from roadside.console.config import AskedServicesSection, ConsoleSection
from roadside.detector.config import DetectionSection, FrameAgeSection
from roadside.kit.config import Section, ServiceSection, load, refuse_unknown
from roadside.notify.config import NotifySection
from roadside.ocr.config import ReadingSection
from roadside.registry.config import (
    KeepingSection,
    KnownSection,
    ReviewSection,
    StorageSection,
    StripSection,
    VerdictSection,
    ZoneSection,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.kit.config import SettingsT


class Settings(
    DetectionSection,
    ReadingSection,
    CameraSection,
    KnownSection,
    StripSection,
    VerdictSection,
    KeepingSection,
    NotifySection,
    ConsoleSection,
):
    """Those of `roadside run`, `read` and the commands that look after what is kept."""

    camera: str = Field("camera", min_length=1, max_length=64, description="name of the camera in what is stored")
    source: SecretStr | None = Field(
        None,
        description="what `roadside run` watches where it is given no SOURCE; a password in it is not seen by `ps`",
    )


class CaptureSettings(ServiceSection, CameraSection, PublishingSection):
    """Those of `roadside serve capture`."""


class DetectorSettings(ServiceSection, DetectionSection, FrameAgeSection):
    """Those of `roadside serve detector`."""


class OcrSettings(ServiceSection, ReadingSection):
    """Those of `roadside serve ocr`."""


class RegistrySettings(ServiceSection, VerdictSection, KnownSection, StripSection, StorageSection):
    """Those of `roadside serve registry`."""

    camera_silence_s: float = Field(
        10.0, gt=0, description="a live camera silent for so long has no vehicle before it any more"
    )
    ocr_address: str = Field(
        "",
        description="host:port of the ocr service, whose second reader confirms each UNPAID before anybody outside is "
        "told; empty: a person does",
    )
    ocr_ca: Path | None = Field(None, description="authority of the ocr service's certificate; none: no TLS")


class PlatesSettings(ServiceSection, VerdictSection, KeepingSection):
    """Those of `roadside serve plates`."""

    most_watchers: int = Field(64, ge=1, le=10_000, description="live watches at the same time")
    recheck_every_s: float = Field(
        60.0, gt=0, description="how often the registry is asked again about sightings with the verdict UNKNOWN"
    )
    purge_every_s: float = Field(
        3600.0, gt=0, description="how often sightings and pictures older than their retention are deleted"
    )
    keep_dead_letters_days: float = Field(
        7.0, ge=0, description="days after which messages that no service could handle are deleted"
    )


class NotifySettings(ServiceSection, StorageSection, NotifySection):
    """Those of `roadside serve notify`."""


class ConsoleSettings(ServiceSection, StorageSection, ZoneSection, ReviewSection, ConsoleSection, AskedServicesSection):
    """Those of `roadside serve console`; its database holds the accounts alone."""


PROCESSES: tuple[type[Section], ...] = (
    Settings,
    CaptureSettings,
    DetectorSettings,
    OcrSettings,
    RegistrySettings,
    PlatesSettings,
    NotifySettings,
    ConsoleSettings,
)
"""Together they have every setting that there is."""


def known_settings() -> frozenset[str]:
    """The names of all settings."""
    return frozenset(name for model in PROCESSES for name in model.model_fields)


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of a command. Raises SettingsError, naming the setting and the mend."""
    refuse_unknown(known_settings(), os.environ, variables=False)
    return load(Settings, flags)


def load_service_settings(
    model: type[SettingsT], flags: Mapping[str, Any], environment: Mapping[str, str]
) -> SettingsT:
    """The settings of a service. Raises SettingsError, naming the setting and the mend."""
    refuse_unknown(known_settings(), environment, variables=True)
    return load(model, flags)
