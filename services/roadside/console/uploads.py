"""Lists that were uploaded and wait for somebody who has looked at them."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.console.web import RefusedError
from roadside.kit.scratch import ScratchFolder

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile

KEPT_S = 3600.0
"""How long an uploaded list waits for its import."""
MOST_KEPT = 8


@dataclass(slots=True)
class Uploads:
    """Lists that were uploaded and wait to be taken in, in a folder that ends with the process, however it ends."""

    _folder: ScratchFolder | None = None
    _kept: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def keep(self, upload: UploadFile, actor: str) -> str:
        """A name for the file, which this actor alone can use."""
        ticket = secrets.token_hex(16)
        with self._lock:
            self._tidy()
            if self._folder is None:
                self._folder = ScratchFolder("lists")
        with (self._folder.path / ticket).open("wb") as file:
            shutil.copyfileobj(upload.file, file)
        source = "".join(filter(str.isprintable, Path(upload.filename or "list.csv").name))[:200]
        with self._lock:
            self._kept[ticket] = (actor, source, time.monotonic())
        return ticket

    def find(self, ticket: str, actor: str) -> tuple[Path, str]:
        """The file and what its sender called it. Raises RefusedError."""
        whose, source, _ = self._kept.get(ticket, ("", "", 0.0))
        if whose != actor or self._folder is None:
            raise RefusedError(404, "this list is not here any more: upload it again")
        return self._folder.path / ticket, source

    def drop(self, ticket: str) -> None:
        """The file is not needed any more."""
        with self._lock:
            if self._kept.pop(ticket, None) is not None and self._folder is not None:
                (self._folder.path / ticket).unlink(missing_ok=True)

    def close(self) -> None:
        """Delete all."""
        self._kept.clear()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _tidy(self) -> None:
        oldest = sorted(self._kept, key=lambda ticket: self._kept[ticket][2])
        too_many = oldest[: max(0, len(oldest) - MOST_KEPT + 1)]
        old = [t for t in oldest if time.monotonic() - self._kept[t][2] > KEPT_S]
        for ticket in {*too_many, *old}:
            self.drop(ticket)
