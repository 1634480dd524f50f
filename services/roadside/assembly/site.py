"""The cameras that the file of settings names, each with what is set of its picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from roadside.assembly.sections import parse_sections
from roadside.capture.config import CameraSection
from roadside.core.frames import CameraId
from roadside.core.view import View
from roadside.core.view_table import VIEW_KEYS, TableFault, nearest, parse_view, refuse_unknown_keys
from roadside.errors import SettingsError
from roadside.kit.config import TABLES, settings_file
from roadside.kit.toml_file import parse_toml, read_text
from roadside.kit.toml_lines import line_of
from roadside.notify.relays import RelayOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from roadside.core.speed import Section

OPENING = ("width", "height", "fps", "timeout_s", "rtsp_transport", "decoder", "snapshot_s", "recorded_at")
"""Settings of opening a camera that it may have for itself."""
OWN_KEYS = ("source", "enabled", "opens", *OPENING, *VIEW_KEYS)
LONGEST_NAME = 64
EVERYTHING = View()


@dataclass(frozen=True, slots=True)
class SiteCamera:
    """One camera of the site."""

    camera_id: CameraId
    source: SecretStr | None
    """As `roadside run` takes it; None for a camera of which only the view is set."""
    view: View = EVERYTHING
    enabled: bool = True
    opens: tuple[str, ...] = ()
    """Relays that it opens for known plates."""
    opening: Mapping[str, Any] = field(default_factory=dict)
    """Its own values of settings in `OPENING`."""


@dataclass(frozen=True, slots=True)
class Site:
    """All cameras of a file, in its order."""

    path: Path | None = None
    """None where there is no file."""
    cameras: Mapping[CameraId, SiteCamera] = field(default_factory=dict)

    relays: Mapping[str, RelayOptions] = field(default_factory=dict)
    """What can be opened, by its name."""
    sections: Mapping[str, Section] = field(default_factory=dict)
    """Stretches of road between two cameras, by their names."""
    base: View = EVERYTHING
    """That of a camera that the file does not name."""

    def view(self, camera_id: CameraId) -> View:
        """What is set of the picture of a camera."""
        camera = self.cameras.get(camera_id)
        return self.base if camera is None else camera.view

    def watched(self) -> tuple[SiteCamera, ...]:
        """The cameras that have a source and are not switched off."""
        return tuple(each for each in self.cameras.values() if each.enabled and each.source is not None)


def load_site(base: View = EVERYTHING) -> Site:
    """The site that the file of settings describes; what it does not say of a camera's view is as in `base`.

    Raises SettingsError, naming file, line, key and mend.
    """
    path = settings_file()
    return Site(base=base) if path is None else parse_site(read_text(path), path, base)


def parse_site(text: str, path: Path, base: View = EVERYTHING) -> Site:
    """The site of the text of the file at `path`. Raises SettingsError, naming file, line, key and mend."""
    content = parse_toml(text, path)
    tables = {key: content[key] if isinstance(content.get(key), dict) else {} for key in sorted(TABLES)}
    where: tuple[str, ...] = ("relay",)
    try:
        relays = {name: _relay(name, table) for name, table in tables["relay"].items()}
        where = ("camera",)
        cameras = {CameraId(name): _camera(name, table, base) for name, table in tables["camera"].items()}
        _check_opens(cameras, relays)
        where = ("section",)
        return Site(path, cameras, relays, parse_sections(tables["section"], cameras), base)
    except TableFault as fault:
        where = (*where, *fault.path)
        line = line_of(text, where)
        raise SettingsError(f"{path}: line {line}: {'.'.join(where)}: {fault.reason}") from None


class _Camera(BaseModel):
    """The part of a camera's table that is not of its picture; ranges as of the settings of the same names."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: str | None = None
    enabled: bool = True
    opens: list[str] = []


_RELAY: TypeAdapter[RelayOptions] = TypeAdapter(RelayOptions)


def _relay(name: str, table: object) -> RelayOptions:
    try:
        return _RELAY.validate_python(table)
    except ValidationError as error:
        fault = error.errors()[0]
        parts = [str(part) for part in fault["loc"] if part not in ("gpio", "http", "mqtt")]
        raise TableFault((name, *parts), fault["msg"].removeprefix("Value error, ").lower()) from None


def _check_opens(cameras: Mapping[CameraId, SiteCamera], relays: Mapping[str, RelayOptions]) -> None:
    for name, camera in cameras.items():
        for relay in camera.opens:
            if relay not in relays:
                raise TableFault((name, "opens"), f"there is no [relay.{relay}]; {nearest(relay, tuple(relays))}")


def _camera(name: str, table: object, base: View) -> SiteCamera:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise TableFault((name,), f"a camera's name has 1 to {LONGEST_NAME} characters")
    if not isinstance(table, dict):
        raise TableFault((name,), f'is a table: write [camera.{name}] and below it source = "..."')
    try:
        refuse_unknown_keys(table, OWN_KEYS)
        view = parse_view({key: value for key, value in table.items() if key in VIEW_KEYS}, base)
        own = _checked({key: table[key] for key in ("source", "enabled", "opens") if key in table})
        opening = {key: _opening(key, table[key]) for key in OPENING if key in table}
    except TableFault as fault:
        raise TableFault((name, *fault.path), fault.reason) from None
    source = None if own.source is None else SecretStr(own.source)
    return SiteCamera(CameraId(name), source, view, own.enabled, tuple(own.opens), opening)


def _checked(given: dict[str, Any]) -> _Camera:
    if given.get("source") == "":
        raise TableFault(("source",), "is empty; name an address, a device or a file")
    try:
        return _Camera(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        raise TableFault((str(fault["loc"][0]),), fault["msg"].lower()) from None


def _opening(key: str, value: object) -> object:
    """`value` as the setting of that name has it."""
    setting = CameraSection.model_fields[key]
    try:
        typed: TypeAdapter[Any] = TypeAdapter(Annotated[setting.annotation, setting])  # type: ignore[arg-type]  # made here
        return typed.validate_python(value)
    except ValidationError as error:
        raise TableFault((key,), error.errors()[0]["msg"].lower()) from None
