"""A folder into which a camera puts pictures: each is read once, as soon as it is whole."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.sources.dating import Dating
from roadside.adapters.sources.exif import photograph_time
from roadside.adapters.sources.pictures import PICTURE_SUFFIXES, decode_picture, read_bytes
from roadside.core.frames import Frame
from roadside.errors import SourceError, UnavailableError
from roadside.kit.decoding_process import PHOTOGRAPH_BYTES, DecodingProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roadside.core.frames import CameraId
    from roadside.ports.system import Clock

PATIENCE_S = 30.0
"""For the rest of a picture that is cut short and does not grow: uploads stall."""
SETTLED_S = 5.0
"""After which a picture that was handed on has surely been looked at."""
AHEAD = 8
"""Pictures that may be on their way to whoever looks at them; more than are decoded ahead."""


@dataclass(frozen=True, slots=True)
class _File:
    """A picture as it lies there; one that is written over is another."""

    name: str
    size: int
    changed_ns: int

    def line(self) -> str:
        return f"{self.size} {self.changed_ns} {os.fsencode(self.name).hex()}\n"


class DoneFiles:
    """Which pictures of a folder were read, in a file of their own, or for this run alone."""

    def __init__(self, memory: Path | None) -> None:
        self._path = memory
        self._lines: set[str] = set()
        if memory is not None and memory.exists():
            self._lines = set(memory.read_text(encoding="ascii").splitlines(keepends=True))

    def __contains__(self, file: object) -> bool:
        return isinstance(file, _File) and file.line() in self._lines

    def add(self, file: _File) -> None:
        """Remember one."""
        self._lines.add(file.line())
        if self._path is not None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii") as memory:
                memory.write(file.line())

    def keep(self, there: set[_File]) -> None:
        """Forget those that are not there any more."""
        left = {file.line() for file in there} & self._lines
        if self._path is not None and len(left) < len(self._lines):
            part = self._path.with_suffix(".part")
            part.write_text("".join(sorted(left)), encoding="ascii")
            part.replace(self._path)
        self._lines = left


class WatchedFolder:
    """The pictures of a folder and those below it, oldest first, and then each new one until closed.

    Who may put pictures there is unknown: they are decoded in a process of their own, which one of them may end.
    A picture is taken once it has not changed between two looks. What ended without being closed reads its last few
    pictures again, rather than not at all.
    """

    live = False
    frame_count = None
    frames_per_s = 0.0

    def __init__(  # noqa: PLR0913 - each is one thing that it is watched with
        self,
        folder: Path,
        camera_id: CameraId,
        clock: Clock,
        *,
        memory: Path | None = None,
        every_s: float = 1.0,
        on_refused: Callable[[str], None] | None = None,
        on_note: Callable[[str], None] | None = None,
        dating: Dating | None = None,
        patience_s: float = PATIENCE_S,
        acknowledged: bool = False,
        decoder: DecodingProcess | None = None,
    ) -> None:
        """`memory` is a folder for what was read. `on_refused` is told of a picture that cannot be read.

        With `acknowledged` a picture counts as read once `done` says so, otherwise some seconds after it was handed on.

        Raises SourceError where there is no such folder, and where `memory` cannot be written.
        """
        if not folder.is_dir():
            raise SourceError(f"{folder}: is no folder to be watched; make it first")
        if memory is not None:
            _check_writable(folder, memory)
        self._folder = folder
        self._camera_id = camera_id
        self._clock = clock
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
        self._done = DoneFiles(None if memory is None else memory / name)
        self._every_s = every_s
        self._on_refused = on_refused or (lambda _: None)
        self._on_note = on_note or (lambda _: None)
        self._dating = dating or Dating()
        self._patience_s = patience_s
        self._closing = threading.Event()
        self._pending: deque[tuple[float, _File]] = deque()
        self._acknowledged = acknowledged
        self._handed: dict[int, _File] = {}
        self._lock = threading.Lock()
        self._first_cut_s: dict[_File, float] = {}
        self._decoder = decoder or DecodingProcess(memory_bytes=PHOTOGRAPH_BYTES)

    def frames(self) -> Iterator[Frame]:
        """One a picture, until closed."""
        with closing(self._decoder):
            yield from self._frames()

    def _frames(self) -> Iterator[Frame]:
        sequence = 0
        seen: set[_File] = set()
        gone = False
        while not self._closing.is_set():
            there = self._look()
            if there is None:
                if not gone:
                    self._on_note(f"{self._folder}: is not there any more; waiting for it")
                gone = True
            else:
                gone = False
                if not there & seen:
                    with self._lock:
                        self._done.keep(there)
                for file in sorted(there & seen, key=lambda each: (each.changed_ns, each.name)):
                    if self._closing.is_set():
                        return
                    if self._was_handed_on(file):
                        continue
                    if (frame := self._frame(file, sequence)) is not None:
                        yield frame
                        sequence += 1
                seen = there
            self._settle()
            self._closing.wait(self._every_s)

    def close(self) -> None:
        """The picture in hand is the last."""
        self._closing.set()

    def done(self, sequence: int) -> None:
        """The picture of this frame need not be read again. May be called from another thread."""
        with self._lock:
            if (file := self._handed.pop(sequence, None)) is not None:
                self._done.add(file)

    def _was_handed_on(self, file: _File) -> bool:
        with self._lock:
            known = file in self._done or file in self._handed.values()
        return known or any(file == other for _, other in self._pending)

    def _look(self) -> set[_File] | None:
        """The pictures that lie there; None where the folder itself is gone."""
        if not self._folder.is_dir():
            return None
        found = set()
        for root, _, names in os.walk(self._folder):
            for name in names:
                path = Path(root, name)
                if path.suffix.lower() not in PICTURE_SUFFIXES or name.startswith(".") or path.is_symlink():
                    continue
                try:
                    told = path.stat()
                except OSError:
                    continue
                found.add(_File(str(path.relative_to(self._folder)), told.st_size, told.st_mtime_ns))
        return found

    def _frame(self, file: _File, sequence: int) -> Frame | None:
        """The frame of a picture; None where it is to be waited for, or cannot be read and that was told."""
        path = self._folder / file.name
        try:
            data = read_bytes(path)
            image = decode_picture(data, str(path), self._decoder)
        except UnavailableError as error:  # it lies there for when there is memory again
            self._on_note(f"{self._folder}: {error}")
            return None
        except SourceError as error:
            now_s = time.monotonic()
            if now_s - self._first_cut_s.setdefault(file, now_s) >= self._patience_s:
                with self._lock:
                    self._done.add(file)
                del self._first_cut_s[file]
                self._on_refused(str(error))
            return None
        self._first_cut_s.pop(file, None)
        if self._acknowledged:
            with self._lock:
                self._handed[sequence] = file
        else:
            self._pending.append((time.monotonic(), file))
        while len(self._pending) > AHEAD:
            self._done.add(self._pending.popleft()[1])
        now_ns = self._clock.now_ns()
        return Frame(self._camera_id, now_ns, sequence, image, self._dating.first(photograph_time(data), now_ns))

    def _settle(self) -> None:
        while self._pending and time.monotonic() - self._pending[0][0] >= SETTLED_S:
            self._done.add(self._pending.popleft()[1])


def _check_writable(folder: Path, memory: Path) -> None:
    """Raises SourceError where what was read could not be remembered."""
    try:
        memory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "cannot be made").lower()
    else:
        if os.access(memory, os.W_OK):
            return
        reason = "may not be written"
    raise SourceError(
        f"{folder}: what was read of it is remembered in {memory}, which cannot be ({reason}); give it a volume "
        "there, or set XDG_DATA_HOME"
    )
