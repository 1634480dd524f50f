"""Frames taken in a thread of their own, so that decoding overlaps with detecting and reading."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from roadside.core.frames import Frame
    from roadside.ports.sources import FrameSource

RECORDED_AHEAD = 3
"""Frames of a recording decoded in advance; 8 MB of 720p."""
JOIN_S = 3.0


class FrameFeed:
    """Iterates over a source's frames; the next are decoded while one is worked on.

    Of a live source only the newest frame waits: a slow consumer sees the present and `dropped` counts what it missed.
    Of a recording every frame comes, in order.
    """

    def __init__(
        self,
        source: FrameSource,
        stop: Callable[[], bool] = lambda: False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Iteration also ends, after the frame in hand, once `stop` says so.

        `on_change` is called, from the thread that takes frames, when one has come and when there will be no more.
        """
        self._on_change = on_change
        self._source = source
        self._stop = stop
        self._waiting: deque[Frame] = deque()
        self._capacity = 1 if source.live else RECORDED_AHEAD
        self._changed = threading.Condition()
        self._ended = False
        self._stopped = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._take, name="capture", daemon=True)
        self.dropped = 0
        """Frames of a live source that were replaced by a newer one."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Begin to take frames."""
        self._thread.start()

    def leave(self) -> None:
        """Take no more; the source is closed without waiting for it."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._source.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
        self._thread.join(JOIN_S)

    def __iter__(self) -> Iterator[Frame]:
        """Frames until the source ends. Raises what the source raised, after the frames before it."""
        for frame in self.with_silence(math.inf):
            if frame is not None:
                yield frame

    def with_silence(self, silence_s: float) -> Iterator[Frame | None]:
        """The same, and None each time that none has come for another `silence_s`."""
        while not self._stop():
            frame = self._next(silence_s)
            if frame is not None:
                yield frame
            elif self._stop() or self._ended:
                if not self._waiting:
                    return
            else:
                yield None

    def take(self) -> Frame | None:
        """A frame that waits; None where none does."""
        with self._changed:
            if not self._waiting:
                return None
            frame = self._waiting.popleft()
            self._changed.notify_all()
            return frame

    @property
    def is_over(self) -> bool:
        """Whether there will be no more frames, and none waits."""
        with self._changed:
            return self._ended and not self._waiting

    @property
    def failure(self) -> BaseException | None:
        """What the source raised, once it is over."""
        return self._failure

    def _next(self, silence_s: float) -> Frame | None:
        """The next frame; None where none came in time, and where there will be none."""
        until_s = time.monotonic() + silence_s
        with self._changed:
            while not self._waiting and not self._ended and not self._stop() and time.monotonic() < until_s:
                self._changed.wait(min(0.2, silence_s))
            if self._stop():
                return None
            if self._waiting:
                frame = self._waiting.popleft()
                self._changed.notify_all()
                return frame
            if self._failure is not None:
                raise self._failure
            return None

    def _take(self) -> None:
        frames = self._source.frames()
        try:
            for frame in frames:
                if not self._put(frame):
                    break
        except BaseException as error:  # noqa: BLE001 (handed to the thread that iterates)
            self._failure = error
        finally:
            close = getattr(frames, "close", None)
            if close is not None:
                close()  # a generator lets its camera go here, in the thread that reads it
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._on_change()

    def _put(self, frame: Frame) -> bool:
        with self._changed:
            if self._source.live:
                if self._waiting:
                    self._waiting.clear()
                    self.dropped += 1
            else:
                while len(self._waiting) >= self._capacity and not self._stopped:
                    self._changed.wait(0.5)
            self._waiting.append(frame)
            self._changed.notify_all()
            stopped = self._stopped
        self._on_change()
        return not stopped
