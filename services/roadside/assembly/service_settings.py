"""The settings of the services: flags, then ROADSIDE_* variables, then a TOML file, then defaults; checked at start."""

from __future__ import annotations

import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from roadside.assembly.settings import PREFIX, Settings, data_folder
from roadside.core.detect import Search
from roadside.errors import SettingsError
from roadside.kit.weights import weights_folder
from roadside.ocr.config import ReaderKind
from roadside.registry.config import VerdictSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER_VARIABLES = frozenset({"CONFIG", "DATA", "DEBUG"})
"""ROADSIDE_* variables that are no settings: the file of settings, test data, tracebacks."""


class Service(StrEnum):
    """What `roadside serve` can be."""

    CAPTURE = "capture"
    DETECTOR = "detector"
    OCR = "ocr"
    REGISTRY = "registry"
    PLATES = "plates"


_PORT_OFFSET = {service: offset for offset, service in enumerate(Service, start=1)}


class ServiceSettings(BaseSettings):
    """What every service needs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", protected_namespaces=(), validate_default=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; 0.0.0.0 for every interface")
    grpc_port: int = Field(0, ge=0, le=65535, description="port of gRPC; 0: 50051 for capture to 50055 for plates")
    health_port: int = Field(0, ge=0, le=65535, description="port of /live and /ready; 0: 8081 to 8085")
    metrics_port: int = Field(0, ge=0, le=65535, description="port of /metrics; 0: 9101 to 9105")
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="redis:// or rediss:// (TLS), with user and password where there are any",
    )
    redis_prefix: str = Field(
        "roadside", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="what the keys in Redis begin with"
    )
    redis_ca: Path | None = Field(None, description="certificate authority of Redis, for rediss://")
    redis_certificate: Path | None = Field(None, description="client certificate for Redis")
    redis_key: Path | None = Field(None, description="key of the client certificate for Redis")
    consumer: str = Field(
        "",
        max_length=128,
        description="this replica's name on the streams, the same after a restart; empty: the service and host name",
    )
    claim_after_s: float = Field(30.0, gt=0, le=3600, description="messages held longer than this are taken over")
    most_failures: int = Field(5, ge=1, le=100, description="failures after which a message is a dead letter")
    tls_certificate: Path | None = Field(None, description="certificate of the gRPC server; none: no TLS")
    tls_key: Path | None = Field(None, description="key of the gRPC server's certificate")
    tls_ca: Path | None = Field(
        None, description="authority of client certificates; where set, clients need one (mTLS)"
    )
    token: SecretStr | None = Field(None, min_length=16, description="bearer token that gRPC clients must send")
    token_file: Path | None = Field(None, description="file that holds the bearer token")
    threads_grpc: int = Field(8, ge=1, le=256, description="gRPC calls handled at the same time")
    log_format: Literal["json", "text"] = Field("json", description="json: one object a line; text: for a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe line to log")
    drain_s: float = Field(20.0, gt=0, le=600, description="longest time to finish work in hand after SIGTERM")

    @model_validator(mode="after")
    def _pairs(self) -> ServiceSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if self.tls_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_ca needs tls_certificate and tls_key")
        if self.token is not None and self.token_file is not None:
            raise ValueError("give token or token_file, not both")
        if not self.redis_url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("redis_url begins with redis:// or rediss://")
        for name in (
            "tls_certificate",
            "tls_key",
            "tls_ca",
            "token_file",
            "redis_ca",
            "redis_certificate",
            "redis_key",
        ):
            path = getattr(self, name)
            if path is not None and not os.access(path, os.R_OK):
                raise ValueError(f"{name}: {path} cannot be read")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As in the embedded mode."""
        named = os.environ.get(f"{PREFIX}CONFIG")
        if not named:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(named))


class CaptureSettings(ServiceSettings):
    """Settings of `roadside serve capture`."""

    cameras: str = Field(
        "",
        description="cameras as name=source, separated by semicolons; sources as for `roadside run`",
    )
    frames_limit: int = Field(
        40,
        ge=1,
        le=100_000,
        description="frames that may wait for detectors, all cameras together, before any is dropped",
    )
    publish_fps: float = Field(
        0, ge=0, le=240, description="most frames a second published of a camera; 0: all that it gives"
    )
    encoding: Literal["jpeg", "raw"] = Field("jpeg", description="how frames travel; raw is larger and costs less time")
    jpeg_quality: int = Field(90, ge=30, le=100, description="quality of the JPEG pictures made of frames")
    loops: int = Field(1, ge=0, description="how often a recording is played; 0: for ever")
    pace: bool = Field(True, description="play recordings at their own speed; otherwise as fast as detectors are")
    recording_lossless: bool = Field(
        True, description="a recording waits for slow detectors; otherwise it drops frames as a camera does"
    )
    width: int = Field(1280, ge=160, le=8192, description="pixels asked of USB and Pi cameras")
    height: int = Field(720, ge=120, le=8192, description="pixels asked of USB and Pi cameras")
    fps: int = Field(25, ge=1, le=240, description="frames a second asked of USB and Pi cameras")
    timeout_s: float = Field(10.0, gt=0, le=600, description="silence after which a camera counts as gone")
    motion_gate: bool = Field(True, description="skip a live camera's frames in which nothing moves")

    @field_validator("cameras")
    @classmethod
    def _parsable(cls, text: str) -> str:
        cameras_of(text)
        return text


class DetectorSettings(ServiceSettings):
    """Settings of `roadside serve detector`."""

    modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "detector",
        description="folder with the detector's detect.tflite and labelmap.txt",
    )
    threads: int = Field(1, ge=1, le=64, description="threads of the model")
    runtime: str | None = Field(None, description="litert or tflite-runtime; the first installed one if not given")
    search: Search = Field(Search.FAST, description="looking for small plates: fast, tiles, or auto")
    score: float = Field(0.3, ge=0, le=1, description="least score of a detected plate")
    frame_max_age_s: float = Field(
        5.0, gt=0, description="a live camera's frame older than this is dropped: the present matters more"
    )


class OcrSettings(ServiceSettings):
    """Settings of `roadside serve ocr`."""

    reader: ReaderKind = Field(ReaderKind.TFLITE, description="tflite, tesseract, or article (the baseline)")
    reader_modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "reader",
        description="folder with the reader's read.tflite and reader.json",
    )
    tessdata: Path = Field(
        default_factory=lambda: weights_folder() / "tesseract", description="folder with gb.traineddata"
    )
    threads: int = Field(1, ge=1, le=64, description="threads of the model")
    runtime: str | None = Field(None, description="litert or tflite-runtime; the first installed one if not given")
    confidence: float = Field(0.05, ge=0, le=1, description="least confidence of a read; below it, nothing was read")


class StoringSettings(ServiceSettings, VerdictSettings):
    """What the services with a database need."""

    model_config = ServiceSettings.model_config

    database_url: SecretStr = Field(
        default_factory=lambda: SecretStr(f"sqlite:///{data_folder() / 'roadside.db'}"),
        description="sqlite:///path or postgresql://user:password@host/name",
    )


class RegistrySettings(StoringSettings):
    """Settings of `roadside serve registry`."""

    camera_silence_s: float = Field(
        10.0, gt=0, description="a live camera silent for so long has no vehicle before it any more"
    )


class PlatesSettings(StoringSettings):
    """Settings of `roadside serve plates`."""

    most_watchers: int = Field(64, ge=1, le=10_000, description="live watches at the same time")
    recheck_every_s: float = Field(
        60.0, gt=0, description="how often the registry is asked again about sightings with the verdict UNKNOWN"
    )
    purge_every_s: float = Field(
        3600.0, gt=0, description="how often sightings and pictures older than their retention are deleted"
    )


SETTINGS: Mapping[Service, type[ServiceSettings]] = {
    Service.CAPTURE: CaptureSettings,
    Service.DETECTOR: DetectorSettings,
    Service.OCR: OcrSettings,
    Service.REGISTRY: RegistrySettings,
    Service.PLATES: PlatesSettings,
}


def cameras_of(text: str) -> tuple[tuple[str, str], ...]:
    """Names and sources of `name=source; name=source`. Raises ValueError for anything else."""
    cameras = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, equals, source = part.partition("=")
        if not equals or not name.strip() or not source.strip():
            raise ValueError("a camera is name=source, and semicolons stand between cameras")
        cameras.append((name.strip(), source.strip()))
    if len({name for name, _ in cameras}) != len(cameras):
        raise ValueError("two cameras have the same name")
    return tuple(cameras)


def grpc_port(service: Service, settings: ServiceSettings) -> int:
    """The port of gRPC."""
    return settings.grpc_port or 50050 + _PORT_OFFSET[service]


def health_port(service: Service, settings: ServiceSettings) -> int:
    """The port of /live and /ready."""
    return settings.health_port or 8080 + _PORT_OFFSET[service]


def metrics_port(service: Service, settings: ServiceSettings) -> int:
    """The port of /metrics."""
    return settings.metrics_port or 9100 + _PORT_OFFSET[service]


def consumer_name(service: Service, settings: ServiceSettings) -> str:
    """This replica's name on the streams."""
    return settings.consumer or f"{service.value}-{socket.gethostname()}"


def token_of(settings: ServiceSettings) -> str | None:
    """The bearer token that clients must send, None where there is none. Raises SettingsError."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    if settings.token_file is None:
        return None
    token = settings.token_file.read_text(encoding="utf-8").strip()
    if len(token) < 16:  # as for `token`
        raise SettingsError(f"token_file {settings.token_file}: a token has at least 16 characters")
    return token


def load_service_settings(
    service: Service, flags: Mapping[str, Any], environment: Mapping[str, str]
) -> ServiceSettings:
    """The settings of a service. Raises SettingsError, naming the setting and the mend."""
    named = environment.get(f"{PREFIX}CONFIG")
    if named and not Path(named).is_file():
        raise SettingsError(f"{PREFIX}CONFIG={named}: no such file; name a TOML file or unset it")
    refuse_unknown(environment)
    model = SETTINGS[service]
    try:
        return model(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        name = "_".join(str(part) for part in fault["loc"])
        fields = model.model_fields
        mend = f" ({fields[name].description})" if name in fields else ""
        reason = fault["msg"].removeprefix("Value error, ").lower()
        raise SettingsError(f"setting {name}: {reason}{mend}" if name else f"settings: {reason}") from None
    except ValueError as error:  # TOML that does not parse
        raise SettingsError(f"{named}: {str(error).splitlines()[0]}; correct the file") from None


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """Raises SettingsError for a ROADSIDE_* variable that no service and no command knows."""
    models: tuple[type[BaseSettings], ...] = (*SETTINGS.values(), Settings)
    known = {name.upper() for model in models for name in model.model_fields}
    known |= OTHER_VARIABLES
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}; `roadside settings` lists all of them")
