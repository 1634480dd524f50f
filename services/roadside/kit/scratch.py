"""Folders for what is needed a while: for their owner alone, and deleted whatever ends the process that made them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

_LOCK = ".in-use"
_OURS = "roadside-"


class ScratchFolder:
    """A folder under the system's own for such things, held by a lock: what nobody holds, the next one deletes."""

    def __init__(self, purpose: str) -> None:
        """Also deletes the folders of processes that were killed. Raises OSError."""
        _sweep()
        self.path, self._lock = _made(purpose)

    def close(self) -> None:
        """Delete it with all that is in it. May be called twice."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _made(purpose: str) -> tuple[Path, int | None]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{_OURS}{purpose}-"))
        lock = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (path / _LOCK).stat().st_ino == os.fstat(lock).st_ino:
                return path, lock
        os.close(lock)  # between these lines another process took it for left behind, and deleted it


def _sweep() -> None:
    """Delete the folders that nobody holds any more."""
    for path in Path(tempfile.gettempdir()).glob(f"{_OURS}*"):
        with suppress(OSError):  # held by its owner, of another user, or just gone
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not path.is_symlink() and path.stat().st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
