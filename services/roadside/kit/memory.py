"""Gives free memory back to the system now and then, so that a process that runs for months stays as large as it is.

A process that keeps nothing grows all the same. Pictures of different sizes leave holes in malloc's heap that the next
ones do not fit, and malloc gives back what is free at the heap's end alone. Measured with 150 kB pictures: 9 MB of
holes, which it took an hour of one vehicle in eight seconds to make.
"""

from __future__ import annotations

import ctypes
import time
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S = 60.0
BUFFER_BYTES = 64 << 10
"""Pictures are larger, rows and messages of gRPC smaller."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""See mallopt(3)."""


def give_back() -> None:
    """Give back what is free in malloc's heap, wherever it lies: 0.2 ms; nothing where malloc is not glibc's."""
    library = _malloc()
    if library is not None:
        library.malloc_trim(0)


def map_buffers() -> None:
    """Let each buffer of BUFFER_BYTES and more be pages of its own, gone when it is freed.

    For processes that hold pictures for a moment each: a fresh frame of 720p costs 0.7 ms so, too much for a detector.
    """
    library = _malloc()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, BUFFER_BYTES)


def share_heap() -> None:
    """Let all threads take from one heap; before any is started, and in processes that handle no frames.

    malloc_trim gives back the holes of every heap, but the end of the first one alone: fifteen threads with a heap each
    grew by 6 MB an hour and used 2 MB of the 7 MB they held. Threads that wait for one another's heap cost a detector,
    a reader and a camera together 5.5 % of their frames a second of processor time (seven runs each in turn).
    """
    library = _malloc()
    if library is not None:
        library.mallopt(_M_ARENA_MAX, 1)


class MemoryKeeper:
    """Calls `give_back` every EVERY_S where it is asked often enough; asking is cheap."""

    def __init__(self, give: Callable[[], None] = give_back, now_s: Callable[[], float] = time.monotonic) -> None:
        self._give = give
        self._now_s = now_s
        self._given_s = now_s()

    def look(self) -> None:
        """Give back what is free, if it is time."""
        now_s = self._now_s()
        if now_s - self._given_s >= EVERY_S:
            self._given_s = now_s
            self._give()


@cache
def _malloc() -> ctypes.CDLL | None:
    """The C library where it is glibc."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
