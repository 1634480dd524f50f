"""The settings of the embedded mode: flags, then ROADSIDE_* variables, then a TOML file, then defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from roadside.core.detect import Search
from roadside.errors import SettingsError
from roadside.kit.weights import weights_folder
from roadside.ocr.config import ReaderKind
from roadside.registry.config import VerdictSettings

PREFIX = "ROADSIDE_"


def data_folder() -> Path:
    """Where a user's data belongs by the XDG base directory specification."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "roadside"


class Settings(VerdictSettings):
    """Everything that can be set; each has a flag of the same name, but for what a list of processes must not show."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", protected_namespaces=(), validate_default=True
    )

    camera: str = Field("camera", min_length=1, max_length=64, description="name of the camera in what is stored")
    modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "detector",
        description="folder with the detector's detect.tflite and labelmap.txt",
    )
    reader: ReaderKind = Field(ReaderKind.TFLITE, description="tflite, tesseract, or article (the baseline)")
    reader_modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "reader",
        description="folder with the reader's read.tflite and reader.json",
    )
    tessdata: Path = Field(
        default_factory=lambda: weights_folder() / "tesseract",
        description="folder with gb.traineddata",
    )
    runtime: str | None = Field(None, description="litert or tflite-runtime; the first installed one if not given")
    threads: int = Field(1, ge=1, le=64, description="threads of the detector and of the reader")
    search: Search = Field(Search.AUTO, description="looking for small plates: fast, tiles, or auto")
    score: float = Field(0.3, ge=0, le=1, description="least score of a detected plate")
    confidence: float = Field(0.2, ge=0, le=1, description="least confidence of a read; below it, nothing was read")
    db: Path = Field(
        default_factory=lambda: data_folder() / "roadside.db",
        description="SQLite file of sightings, and of the registry unless it has its own",
    )
    database_url: SecretStr | None = Field(
        None, description="database of the services, sqlite:///path or postgresql://..., instead of db (no flag)"
    )
    width: int = Field(1280, ge=160, le=8192, description="pixels asked of USB and Pi cameras")
    height: int = Field(720, ge=120, le=8192, description="pixels asked of USB and Pi cameras")
    fps: int = Field(25, ge=1, le=240, description="frames a second asked of USB and Pi cameras")
    timeout_s: float = Field(10.0, gt=0, le=600, description="silence after which a camera counts as gone")
    motion_gate: bool = Field(True, description="skip a live camera's frames in which nothing moves")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags come as arguments; a file is read only where ROADSIDE_CONFIG names one."""
        named = os.environ.get("ROADSIDE_CONFIG")
        if not named:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(named))


def load_settings(flags: dict[str, Any]) -> Settings:
    """The settings of this run. Raises SettingsError, naming the setting and the mend."""
    named = os.environ.get("ROADSIDE_CONFIG")
    if named and not Path(named).is_file():
        raise SettingsError(f"ROADSIDE_CONFIG={named}: no such file; name a TOML file or unset it")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        name = "_".join(str(part) for part in fault["loc"]) or "settings"
        known = name in Settings.model_fields
        mend = Settings.model_fields[name].description if known else f"settings are {', '.join(Settings.model_fields)}"
        raise SettingsError(f"setting {name} = {fault['input']!r}: {fault['msg'].lower()} ({mend})") from None
    except ValueError as error:  # TOML that does not parse
        raise SettingsError(f"{named}: {str(error).splitlines()[0]}; correct the file") from None
