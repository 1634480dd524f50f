"""Decodes pictures from outside in a process of its own: a picture that crashes a decoder costs that picture alone.

Headers and limits are checked before, in Python; what is left to crash is the decoders' own code. The process is
started by executing Python anew (no fork of a process with threads), has a memory limit, and is killed when it takes
too long.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.picture_header import PictureFault, check_limits, read_header
from roadside.errors import UnavailableError
from roadside.kit.child_process import DiedError, environment, module_command, read_exactly
from roadside.kit.decoding_child import ANSWER, READY, REQUEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roadside.core.picture_header import PictureLimits

CHILD = module_command("roadside.kit.decoding_child")
START_S = 60.0
"""Python, numpy and OpenCV from the card of a busy Pi."""
MOST_TRIES = 2
"""A process may be killed for another's greed; one that dies twice of the same picture dies of it."""
MEMORY_BYTES = 400 << 20
"""For what services are sent: 8.4 buffered megapixels take 110 MB, 16 others 100."""
PHOTOGRAPH_BYTES = 700 << 20
"""For photographs: 64 megapixels take up to 366 MB, and their two copies in files of memory 256 more."""
KEPT_BYTES = 32 << 20
"""Of the files in memory; larger ones are given back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    taken: int
    """Files in memory, by their descriptors: bytes to it, pixels from it."""
    given: int

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        os.close(self.taken)
        os.close(self.given)


class DecodingProcess:
    """Meets `roadside.wire.pictures.Decoder`. Threads may share it, they take turns; started when first needed."""

    def __init__(
        self, timeout_s: float = 20.0, command: tuple[str, ...] = CHILD, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        """`timeout_s` is for one picture: 16 megapixels take a Pi 4 about one second."""
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._command = command
        self._turn = threading.Lock()
        self._child: _Child | None = None
        self._closed = False
        self.deaths = 0
        """How often the process ended by itself or was too slow."""

    def start(self) -> None:
        """Start the process now rather than at the first picture. Raises UnavailableError where it cannot be."""
        with self._turn:
            self._running()

    def __call__(self, data: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
        """See `roadside.wire.decoding.decode`. Raises UnavailableError where no process can be started."""
        check_limits(read_header(data), len(data), limits)
        with self._turn:
            for _ in range(MOST_TRIES):
                try:
                    return self._ask(self._running(), data, limits)
                except DiedError as error:
                    self.deaths += 1
                    _log.warning("the decoding process ended: %s", error)
                    self._end()
        raise PictureFault("ended its decoder twice")

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._closed = True
            self._end()

    def _end(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None

    def _running(self) -> _Child:
        if self._closed:
            raise UnavailableError("pictures are decoded no more: the service is ending")
        if self._child is None:
            self._child = _start(self._command, self._memory_bytes)
            try:
                read_exactly(self._child.process, len(READY), START_S)
            except DiedError as error:
                self._end()
                raise UnavailableError(f"the process that decodes pictures does not start ({error})") from None
        return self._child

    def _ask(self, child: _Child, data: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
        os.pwrite(child.taken, data, 0)
        request = REQUEST.pack(len(data), limits.size_bytes, limits.pixels, limits.buffered_pixels)
        assert child.process.stdin is not None  # noqa: S101 (a pipe was asked for)
        try:
            child.process.stdin.write(request)
            child.process.stdin.flush()
        except OSError as error:
            raise DiedError(str(error)) from None
        height, width, text_bytes = ANSWER.unpack(read_exactly(child.process, ANSWER.size, self._timeout_s))
        if not height:
            raise PictureFault(read_exactly(child.process, text_bytes, self._timeout_s).decode())
        pixels = np.empty((height, width, 3), np.uint8)
        if os.preadv(child.given, [pixels.data.cast("B")], 0) != pixels.nbytes:
            raise DiedError("fewer pixels than it said")
        if max(len(data), pixels.nbytes) > KEPT_BYTES:
            os.ftruncate(child.taken, 0)
            os.ftruncate(child.given, 0)
        return pixels


def _start(command: tuple[str, ...], memory_bytes: int) -> _Child:
    taken, given = os.memfd_create("picture"), os.memfd_create("pixels")
    try:
        process = subprocess.Popen(
            [*command, str(taken), str(given), str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            pass_fds=(taken, given),
            bufsize=0,
        )
    except OSError as error:
        os.close(taken)
        os.close(given)
        raise UnavailableError(f"no process can be started to decode pictures: {error.strerror}") from None
    return _Child(process, taken, given)
