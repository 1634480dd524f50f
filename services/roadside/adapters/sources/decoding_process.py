"""Clips and cameras decoded in a process of their own: what crashes a decoder costs that source alone, and is told.

What a stranger's clip or camera sends is parsed and decoded there alone, with a limit of memory; pixels come back
through a file in memory. Who watches neither crashes nor hangs with it, nor takes its memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import weakref
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from roadside.adapters.sources.decoding_child import END, FAULT, FRAME, MESSAGE, NOTE, OPENED, SLOT_BYTES
from roadside.adapters.sources.facts import ClipFacts
from roadside.adapters.sources.opening import Kind
from roadside.errors import DecoderDiedError, SourceError
from roadside.kit.child_process import DiedError, environment, module_command, read_exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roadside.adapters.sources.opening import Opening

CHILD = module_command("roadside.adapters.sources.decoding_child")
START_S = 60.0
"""Python, numpy and OpenCV from the card of a busy Pi."""
CLIP_S = 60.0
"""For one picture of a clip."""
KEPT_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(128 << 20)}
"""Of malloc: memory of a frame is used for the next one. Taking it from the kernel anew each time is 0.7 of the 4.7 ms
that PyAV takes for one of 720p."""
PIPE_S = 24 * 3600.0
"""For whoever writes to a pipe, who ends it or goes on."""
MOST_TEXT_BYTES = 1 << 16
GRACE_S = 5.0
"""Beyond the timeout of a camera, which its connection keeps by itself."""


_Message: TypeAlias = tuple[bytes, int, int, int, float, int]


class DecodedSource:
    """The pictures of one source, decoded by a process; meets `roadside.adapters.sources.cameras.Capture`."""

    def __init__(
        self,
        opening: Opening,
        command: tuple[str, ...] = CHILD,
        *,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        """`on_note` is told, in one line, what is not as it was asked for.

        Raises SourceError where the source cannot be opened, DecoderDiedError where it ends the process.
        """
        self._name = opening.name
        self._on_note = on_note
        self._wait_s = _patience_s(opening)
        self._closed = False
        self.position_ms = 0.0
        """Where in its clip the picture is that was read last; 0 where nobody knows."""
        self.taken_at_ns = 0
        self._frames = os.memfd_create("frames")
        self._process = _start(command, self._frames, opening)
        self._end = weakref.finalize(self, _end, self._process, self._frames)
        self._say(opening.line())
        kind, size, *_ = self._next(max(START_S + opening.timeout_s, self._wait_s))
        self.facts = ClipFacts(**json.loads(self._text(size))) if kind == OPENED else ClipFacts()
        if kind == FAULT:
            raise self._fault(size)

    def read(self) -> NDArray[np.uint8] | None:
        """The next picture, (H, W, 3) uint8, blue green red; None at the end. Raises SourceError, DecoderDiedError."""
        if self._closed:
            return None
        kind, height, width, place, self.position_ms, self.taken_at_ns = self._next(self._wait_s)
        if kind == END or self._closed:
            return None
        if kind == FAULT:
            raise self._fault(height)
        size_bytes = height * width * 3
        if kind != FRAME or not 0 < size_bytes <= SLOT_BYTES:
            raise self._died("it says what makes no sense")
        pixels = np.empty((height, width, 3), np.uint8)
        if os.preadv(self._frames, [pixels.data.cast("B")], place * SLOT_BYTES) != size_bytes:
            raise self._died("fewer pixels than it said")
        self._say(b".")
        return pixels

    def stop(self) -> None:
        """End the process; `read` gives nothing any more. May be called from another thread."""
        self._closed = True
        self._process.kill()

    def close(self) -> None:
        """End the process and let its files go, from the thread that reads."""
        self._closed = True
        self._end()

    def _next(self, timeout_s: float) -> _Message:
        """The next message that is no note."""
        while True:
            try:
                message: _Message = MESSAGE.unpack(read_exactly(self._process, MESSAGE.size, timeout_s))
            except DiedError as error:
                if self._closed:
                    return END, 0, 0, 0, 0.0, 0
                raise self._died(str(error)) from None
            if message[0] != NOTE:
                return message
            said = self._text(message[1])
            if said and self._on_note is not None:
                self._on_note(said)

    def _text(self, size: int) -> str:
        try:
            return read_exactly(self._process, min(size, MOST_TEXT_BYTES), GRACE_S).decode(errors="replace")
        except DiedError as error:
            raise self._died(str(error)) from None

    def _fault(self, size: int) -> SourceError:
        said = self._text(size)
        self.close()
        return SourceError(said)

    def _died(self, how: str) -> DecoderDiedError:
        self.close()
        return DecoderDiedError(
            f"{self._name}: what it holds or sends ended the process that decodes it ({how}): it is damaged or made to "
            "do harm; make the clip anew, or bring the camera's software up to date"
        )

    def _say(self, content: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 (a pipe was asked for)
        with contextlib.suppress(OSError):  # how it ended is told when it is listened to
            self._process.stdin.write(content)


def _patience_s(opening: Opening) -> float:
    """How long the next picture may take."""
    if opening.descriptor >= 0:
        return PIPE_S
    return CLIP_S if opening.kind is Kind.CLIP else opening.timeout_s + GRACE_S


def _start(command: tuple[str, ...], frames: int, opening: Opening) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [*command, str(frames)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment(), **KEPT_BLOCKS},
            pass_fds=(frames,) if opening.descriptor < 0 else (frames, opening.descriptor),
            bufsize=0,
        )
    except OSError as error:
        os.close(frames)
        raise SourceError(f"no process can be started to decode frames: {error.strerror}") from None


def _end(process: subprocess.Popen[bytes], frames: int) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    os.close(frames)
