"""Video files that are written: H.264 through PyAV where it is there, else what OpenCV has; each frame at its time."""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, Self

import cv2
import numpy as np

from roadside.errors import InputError
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

H264 = (".mp4", ".mov", ".mkv")
"""Endings of files that hold it."""
WRITERS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v", ".mov": "mp4v", ".webm": "VP80"}
"""What OpenCV writes into each kind of file; its wheels have no encoder of H.264."""
MILLISECOND = Fraction(1, 1000)
LONGEST_STILL_S = 2.0
"""For which OpenCV, which writes frames at one rate alone, repeats the last one."""


def film_note(path: Path) -> str:
    """What is to be told of a film at `path`, in one line; empty for nothing."""
    if path.suffix.lower() not in H264 or find_spec("av") is not None:
        return ""
    return f"{path}: is MPEG-4, which browsers do not play; for H.264: {install_command('video')}"


class _Film(Protocol):
    def write(self, image: NDArray[np.uint8], at_ms: int) -> None:
        """Append a frame of the film's size."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class VideoWriter:
    """Writes frames to one video file, opened at the first frame."""

    def __init__(self, path: Path, frames_per_s: float) -> None:
        """`frames_per_s` is about their rate. Raises InputError for a name that is no video's."""
        if path.suffix.lower() not in WRITERS:
            raise InputError(f"{path}: cannot write such a video; --out takes {', '.join(WRITERS)}")
        self._path = path
        self._frames_per_s = frames_per_s if frames_per_s > 0 else 25.0
        self._film: _Film | None = None
        self._size = (0, 0)
        self._first_ns = 0
        self._last_ms = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._film is not None:
            self._film.close()

    def write(self, image: NDArray[np.uint8], at_ns: int) -> None:
        """Append a frame that was taken at `at_ns`, by any clock, scaled to the size of the first.

        Raises InputError where the file cannot be written.
        """
        if self._film is None:
            # Colours are stored for two pixels together, both ways.
            self._size = (image.shape[1] & ~1, image.shape[0] & ~1)
            self._film, self._first_ns = self._open(), at_ns
        self._last_ms = max(self._last_ms + 1, (at_ns - self._first_ns) // 1_000_000)
        width, height = self._size
        if abs(image.shape[1] - width) + abs(image.shape[0] - height) > 2:
            image = np.asarray(cv2.resize(image, self._size), np.uint8)
        self._film.write(np.ascontiguousarray(image[:height, :width]), self._last_ms)

    def _open(self) -> _Film:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror}); choose another --out") from None
        if self._path.suffix.lower() in H264 and find_spec("av") is not None:
            from roadside.adapters.h264 import H264Film  # noqa: PLC0415 - an optional package

            return H264Film(self._path, self._size, self._frames_per_s)
        return _OpenCvFilm(self._path, self._size, self._frames_per_s)


class _OpenCvFilm:
    """A film of one rate: frames are repeated or left out, so that it lasts as long as what it shows."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: float) -> None:
        code = cv2.VideoWriter.fourcc(*WRITERS[path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(path), code, frames_per_s, size)
        if not self._writer.isOpened():
            raise InputError(f"{path}: this OpenCV cannot write such a video; try .mp4 or .avi")
        self._frames_per_s = frames_per_s
        self._written = 0
        self._skipped = 0

    def write(self, image: NDArray[np.uint8], at_ms: int) -> None:
        """Append it as often as its time wants."""
        behind = round(at_ms / 1000 * self._frames_per_s) + 1 - self._skipped - self._written
        most = round(LONGEST_STILL_S * self._frames_per_s) + 1
        self._skipped += max(0, behind - most)
        for _ in range(min(behind, most)):
            self._writer.write(image)
            self._written += 1

    def close(self) -> None:
        """Write what is left."""
        self._writer.release()
