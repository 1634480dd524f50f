"""Live cameras: opened, opened again when they drop, each frame with its time."""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from roadside.adapters.frame_clock import steady_ns
from roadside.core.frames import Frame
from roadside.errors import DecoderDiedError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roadside.adapters.sources.cameras import Capture
    from roadside.core.frames import CameraId
    from roadside.core.moments import Stamp
    from roadside.ports.system import Clock

STEADY_FRAMES = 1000
"""After so many the decoder's end is the first again: a stream that ends it at each start is tried ever more seldom."""
DecoderChoice: TypeAlias = Literal["auto", "pyav", "opencv", "v4l2m2m"]
Transport: TypeAlias = Literal["auto", "tcp", "udp"]


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """How live cameras are opened."""

    width_px: int = 1280
    """Asked of USB and Pi cameras; network cameras decide themselves."""
    height_px: int = 720
    frames_per_s: int = 25
    timeout_s: float = 10.0
    """After which a camera that sends nothing counts as gone."""
    first_attempts: int = 1
    """Attempts before a camera that never answered is given up; 0 for ever."""
    backoff_s: float = 0.5
    """First pause before a camera is reopened; it doubles each time, with up to half of it added at random."""
    longest_backoff_s: float = 5.0
    """Longest such pause: what drives past until then is not seen, and a camera bears being asked this often."""
    decoder: DecoderChoice = "auto"
    """`auto`: PyAV where it is installed, else OpenCV; see `Decoder` for the others."""
    transport: Transport = "auto"
    """Of RTSP: TCP, and UDP where a camera has no TCP."""
    snapshot_s: float = 1.0
    """Between two questions for a camera's single picture, and two looks into a watched folder."""
    memory: Path | None = None
    """A folder in which is remembered what was read of watched folders; None: nothing is."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """What happens between two attempts to open a camera."""

    on_drop: Callable[[str], None] | None = None
    """Is told why the camera dropped, and when it is tried again."""
    on_death: Callable[[], None] | None = None
    """Is told when the camera ended the process that decodes it."""
    wait: Callable[[float], object] = time.sleep
    rng: random.Random = field(default_factory=random.Random)
    """Spreads the attempts of several cameras that dropped together."""


class LiveSource:
    """A camera that is reopened when it drops, with a growing, jittered pause."""

    live = True
    frame_count = None

    def __init__(  # noqa: PLR0913 - each is one thing that a camera is opened with
        self,
        name: str,
        connect: Callable[[], Capture],
        camera_id: CameraId,
        clock: Clock,
        settings: CameraSettings,
        *,
        reopening: Reopening,
        stamp: Callable[[], tuple[int, Stamp]] | None = None,
    ) -> None:
        """`stamp` tells of each frame its order in nanoseconds and its stamp; without it the clock does."""
        self._stamp = stamp
        self._name = name
        self._connect = connect
        self._camera_id = camera_id
        self._clock = clock
        self._settings = settings
        self._reopening = reopening
        self._capture: Capture | None = None
        self._closed = False
        self.frames_per_s = float(settings.frames_per_s)

    def frames(self) -> Iterator[Frame]:
        """Frames until closed. Raises SourceError where the camera never answered."""
        sequence = 0
        failures = deaths = 0
        while not self._closed:
            first = sequence
            try:
                for image, taken_at_ns in self._images():
                    at_ns, stamp = self._moment(taken_at_ns)
                    yield Frame(self._camera_id, at_ns, sequence, image, stamp)
                    sequence += 1
                    failures = 0
                fault = f"{self._name}: the camera stopped sending"
            except SourceError as error:
                fault = str(error)
                if isinstance(error, DecoderDiedError):
                    deaths = 1 if sequence - first >= STEADY_FRAMES else deaths + 1
                    self._tell_death()
            if self._closed:
                return
            failures += 1
            if not sequence and 0 < self._settings.first_attempts <= failures:
                raise SourceError(fault)
            self._pause(max(failures, deaths), fault)

    def close(self) -> None:
        """The frame in hand is the last; whoever iterates `frames` lets the camera go."""
        self._closed = True
        if (capture := self._capture) is not None:
            capture.stop()

    def _images(self) -> Iterator[tuple[NDArray[np.uint8], int]]:
        with closing(self._connect()) as capture:
            self._capture = capture
            while not self._closed and (image := capture.read()) is not None:
                yield image, capture.taken_at_ns
        self._capture = None

    def _moment(self, taken_at_ns: int) -> tuple[int, Stamp | None]:
        """The order of a picture that is here now, and its stamp, both of when it was taken."""
        at_ns, stamp = (self._clock.now_ns(), None) if self._stamp is None else self._stamp()
        age_ns = max(0, steady_ns() - taken_at_ns) if taken_at_ns else 0
        return at_ns - age_ns, None if stamp is None else replace(stamp, at_ns=stamp.at_ns - age_ns)

    def _tell_death(self) -> None:
        if self._reopening.on_death is not None:
            self._reopening.on_death()

    def _pause(self, failures: int, fault: str) -> None:
        pause_s = min(self._settings.backoff_s * 2 ** min(failures - 1, 16), self._settings.longest_backoff_s)
        if self._reopening.on_drop is not None:
            self._reopening.on_drop(f"{fault}; trying again in {pause_s:.1f} s")
        self._reopening.wait(pause_s * (1 + self._reopening.rng.random() / 2))
