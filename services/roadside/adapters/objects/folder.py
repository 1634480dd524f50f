"""Encrypted pictures as files of a folder, in subfolders by the first two digits of their names."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from roadside.errors import NotFoundError, StoreUnavailableError

if TYPE_CHECKING:
    from pathlib import Path


class FolderPictures:
    """The PictureStore of a folder, which is made when the first picture comes."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        """See `PictureStore`."""
        path = self._path(name)
        draft = path.with_name(f".{name}.{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):  # where nothing can be written, nothing may be removable either
                draft.unlink(missing_ok=True)
            raise StoreUnavailableError(f"{self._folder}: {error.strerror}") from error

    def get(self, name: str) -> bytes:
        """See `PictureStore`."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"the picture {name[:12]} is not on the volume") from None
        except OSError as error:
            raise StoreUnavailableError(f"{self._folder}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """See `PictureStore`."""
        self._path(name).unlink(missing_ok=True)

    def names(self, older_than_ns: int) -> set[str]:
        """See `PictureStore`."""
        return {
            path.name
            for path in self._folder.glob("??/*")
            if not path.name.startswith(".") and path.stat().st_mtime_ns < older_than_ns
        }

    def holds_any(self) -> bool:
        """See `PictureStore`."""
        return next(self._folder.glob("??/*"), None) is not None

    def free_bytes(self) -> int | None:
        """See `PictureStore`: that of the disk."""
        there = next(path for path in (self._folder, *self._folder.resolve().parents) if path.exists())
        return shutil.disk_usage(there).free

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name
