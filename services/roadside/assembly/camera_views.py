"""What is set of the cameras' pictures: read from the file of settings, changed in it, obeyed at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from roadside.adapters.site_file import write_view
from roadside.assembly.site import load_site, parse_site
from roadside.assembly.watching import base_view
from roadside.core.frames import CameraId
from roadside.kit.config import settings_file, usual_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from roadside.assembly.settings import Settings
    from roadside.core.view import View

OWN_FOLDER = 1
"""Of the usual places of the file, the one of the user who runs the program."""


class CameraViews:
    """The views of the cameras of one run. Safe to share between threads."""

    def __init__(self, settings: Settings, obey: Callable[[CameraId, View], None]) -> None:
        """`obey` is told of a view that was changed, in whatever thread changed it."""
        self._base = base_view(settings)
        self._obey = obey
        self._lock = threading.Lock()
        self._file = settings_file()
        """Fixed at the start: a change of directory must not change whose file is written."""
        if self._file is not None:
            self._file = self._file.absolute()

    @property
    def path(self) -> Path:
        """Where a view is written."""
        return self._file or usual_files()[OWN_FOLDER]

    def view(self, camera_id: str) -> View:
        """As the file has it. Raises SettingsError."""
        if self._file is None:
            return load_site(self._base).view(CameraId(camera_id))
        return parse_site(self._file.read_text(encoding="utf-8"), self._file, self._base).view(CameraId(camera_id))

    def save(self, camera_id: str, view: View) -> None:
        """Write it, and obey it from the next frame on. Raises SettingsError; then nothing has changed."""
        with self._lock:
            path = self.path
            parse_site(write_view(path, camera_id, view), path, self._base)
            self._file = path
        self._obey(CameraId(camera_id), view)
