"""Writes what is set of a camera's picture into the file of settings, and leaves the rest of it as people wrote it."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from roadside.core.view_table import VIEW_KEYS, TableFault, parse_view, view_table
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.core.view import View

PRIVATE = 0o600
"""Cameras' addresses hold passwords."""


def write_view(path: Path, camera_id: str, view: View) -> str:
    """Set the view of a camera in the file at `path`, which is made where there is none; its new text.

    Raises SettingsError where the file cannot be changed.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        text = with_view(before, camera_id, view)
        _replace(path, text)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(f"{path}: {reason}; nothing was changed") from error
    return text


def with_view(text: str, camera_id: str, view: View) -> str:
    """The text of a file of settings with this view of a camera, and with everything else as it was.

    Raises TOMLKitError, SettingsError for a text in which `camera` is something else.
    """
    document = tomlkit.parse(text)
    cameras = document.setdefault("camera", tomlkit.table(is_super_table=True))
    if not isinstance(cameras, dict):
        raise SettingsError(
            'the file says camera = "...": name the camera in a table, [camera.NAME], to draw on its picture'
        )
    table = cameras.setdefault(camera_id, tomlkit.table())
    wanted = view_table(view)
    for key in VIEW_KEYS:
        if key in table and key not in wanted and not _says(table.unwrap(), key, {}):
            del table[key]
    for key, value in wanted.items():
        _set(table, key, value)
    made = tomlkit.dumps(document)
    assert tomllib.loads(made)["camera"][camera_id] == {**table.unwrap()}  # noqa: S101 - what is written is what is meant
    return made


def _set(table: Any, key: str, value: Any) -> None:  # noqa: ANN401 - of tomlkit's many kinds of tables
    """What says the same already stays as it was written; of a table inside, what says something else is changed."""
    if key not in table:
        table[key] = _item(key, value)
    elif not _says(table.unwrap(), key, {key: value}):
        if isinstance(value, dict) and isinstance(table[key], dict):
            _set_all(table[key], value, getattr(parse_view({key: value}), key))
        else:
            table[key] = _item(key, value)


def _set_all(table: Any, values: Mapping[str, Any], meant: object) -> None:  # noqa: ANN401 - as above
    """Write `values`; what else the table says of what is `meant` stays where it is true."""
    for key in [key for key in table if key not in values and table[key] != getattr(meant, key, None)]:
        del table[key]
    for key, value in values.items():
        if key not in table or table[key] != value:
            table[key] = value


def _says(written: Mapping[str, Any], key: str, wanted: Mapping[str, Any]) -> bool:
    """Whether what is written of a key already means what is wanted, which may be nothing."""
    try:
        return parse_view({key: written[key]}) == parse_view(wanted)
    except TableFault:
        return False


def _item(key: str, value: Any) -> Any:  # noqa: ANN401 - what tomlkit makes of it
    if isinstance(value, dict):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    item = tomlkit.item(value)
    if key in ("zones", "masks"):
        item.multiline(multiline=True)
    return item


def _replace(path: Path, text: str) -> None:
    """All or nothing, and with the permissions that the file has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # what a link leads to, not the link
    mode = target.stat().st_mode & 0o777 if target.exists() else PRIVATE
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        made.replace(target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
