"""Where frames come from: pictures, folders, clips, network cameras, USB cameras and the Pi's own camera."""

from __future__ import annotations

import os
import random
import shutil
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.adapters.sources.cameras import PipeMjpeg
from roadside.adapters.sources.containers import clip_time
from roadside.adapters.sources.dating import Dating
from roadside.adapters.sources.decoding_child import Kind, Opening
from roadside.adapters.sources.decoding_process import DecodedSource
from roadside.adapters.sources.exif import photograph_time
from roadside.adapters.sources.pictures import decode_picture, is_picture, list_pictures, read_bytes
from roadside.core.frames import CameraId, Frame
from roadside.errors import DecoderDiedError, SourceError
from roadside.kit.addresses import address_fault, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from roadside.adapters.sources.cameras import Capture
    from roadside.core.moments import Stamp
    from roadside.ports.sources import FrameSource
    from roadside.ports.system import Clock

RPICAM_COMMANDS = ("rpicam-vid", "libcamera-vid")
"""The Raspberry Pi's camera program, by its new and its old name."""
STEADY_FRAMES = 1000
"""After so many the decoder's end is the first again: a stream that ends it at each start is tried ever more seldom."""


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
    longest_backoff_s: float = 30.0


class PictureSource:
    """Single pictures, one frame each. One that cannot be read is told of, and the others come."""

    live = False
    frames_per_s = 0.0

    def __init__(
        self,
        paths: tuple[Path, ...],
        camera_id: CameraId,
        clock: Clock,
        on_refused: Callable[[str], None] | None = None,
        dating: Dating | None = None,
    ) -> None:
        """`on_refused` is told, in one line, of a picture that cannot be read; without it such a picture raises."""
        self._dating = dating or Dating()
        self._paths = paths
        self._camera_id = camera_id
        self._clock = clock
        self._on_refused = on_refused
        self._closed = False

    @property
    def frame_count(self) -> int:
        """One a picture."""
        return len(self._paths)

    def frames(self) -> Iterator[Frame]:
        """The pictures in order. Raises SourceError for one that cannot be read, where nobody else is told."""
        for sequence, path in enumerate(self._paths):
            if self._closed:
                return
            try:
                data = read_bytes(path)
                image = decode_picture(data, str(path))
            except SourceError as error:
                if self._on_refused is None:
                    raise
                self._on_refused(str(error))
                continue
            now_ns = self._clock.now_ns()
            stamp = self._dating.first(photograph_time(data), now_ns)
            yield Frame(self._camera_id, now_ns, sequence, image, stamp)

    def close(self) -> None:
        """The next picture is the last."""
        self._closed = True


class ClipSource:
    """A video file: every frame, as fast as they are asked for.

    A frame's place in time is when the clip was opened plus its place in the clip; its stamp says when it was taken.
    Pictures that the file says are to be turned, as those of telephones are, come turned.
    """

    live = False
    turned_over = False
    """Whether frames are turned by 180 degrees beyond what the file says: some programs note the opposite turn."""

    def __init__(self, path: Path, camera_id: CameraId, clock: Clock, dating: Dating | None = None) -> None:
        if not path.is_file():
            raise SourceError(f"{path}: is no file but a pipe or a device; save the clip as a file first")
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: is empty (0 bytes); copy it again")
        self._capture = DecodedSource(Opening(Kind.CLIP, str(path.absolute()), str(path)))
        facts = self._capture.facts
        self.has_turn = facts.has_turn
        """Whether the file says that its pictures are to be turned."""
        self._path = path
        self._camera_id = camera_id
        self._start_ns = clock.now_ns()
        self._first = (dating or Dating()).first(clip_time(path), self._start_ns)
        self._closed = False
        self.frames_per_s = facts.frames_per_s
        self.frame_count = facts.frame_count

    def frames(self) -> Iterator[Frame]:
        """All frames. Raises SourceError where the clip holds none, DecoderDiedError where it ends its decoder."""
        sequence = 0
        with closing(self._capture) as capture:
            while not self._closed and (image := capture.read()) is not None:
                position_ms = capture.position_ms
                at_s = position_ms / 1000 if position_ms > 0 else sequence / self.frames_per_s
                if self.turned_over:
                    image = np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8)
                place_ns = round(at_s * 1e9)
                stamp = None if self._first is None else replace(self._first, at_ns=self._first.at_ns + place_ns)
                yield Frame(self._camera_id, self._start_ns + place_ns, sequence, image, stamp)
                sequence += 1
        if not sequence and not self._closed:
            raise SourceError(f"{self._path}: holds no frame that can be read; copy it again")

    def samples(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """Up to `count` pictures from all over the clip, (H, W, 3) uint8 BGR, turned as the file says."""
        opening = Opening(Kind.CLIP, str(self._path.absolute()), str(self._path), samples=count)
        with closing(DecodedSource(opening)) as capture:
            while (image := capture.read()) is not None:
                yield image

    def close(self) -> None:
        """The frame in hand is the last."""
        self._closed = True
        self._capture.stop()


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
        self._closed = False
        self.frames_per_s = float(settings.frames_per_s)

    def frames(self) -> Iterator[Frame]:
        """Frames until closed. Raises SourceError where the camera never answered."""
        sequence = 0
        failures = deaths = 0
        while not self._closed:
            first = sequence
            try:
                for image in self._images():
                    at_ns, stamp = (self._clock.now_ns(), None) if self._stamp is None else self._stamp()
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
        """The frame in hand is the last; whoever iterates `frames` lets the camera go, within the timeout."""
        self._closed = True

    def _images(self) -> Iterator[NDArray[np.uint8]]:
        with closing(self._connect()) as capture:
            while not self._closed and (image := capture.read()) is not None:
                yield image

    def _tell_death(self) -> None:
        if self._reopening.on_death is not None:
            self._reopening.on_death()

    def _pause(self, failures: int, fault: str) -> None:
        pause_s = min(self._settings.backoff_s * 2 ** min(failures - 1, 16), self._settings.longest_backoff_s)
        if self._reopening.on_drop is not None:
            self._reopening.on_drop(f"{fault}; trying again in {pause_s:.1f} s")
        self._reopening.wait(pause_s * (1 + self._reopening.rng.random() / 2))


def open_source(  # noqa: PLR0913 - three of them are whom to tell of what
    source: str,
    camera_id: CameraId,
    clock: Clock,
    settings: CameraSettings | None = None,
    *,
    on_drop: Callable[[str], None] | None = None,
    on_death: Callable[[], None] | None = None,
    on_refused: Callable[[str], None] | None = None,
    dating: Dating | None = None,
    stamp: Callable[[], tuple[int, Stamp]] | None = None,
) -> FrameSource:
    """What `source` names: a picture, folder or clip, rtsp://, http://, /dev/videoN, or `rpicam`.

    In one line each, `on_drop` is told of a camera that is lost, and `on_refused` of a folder's picture that cannot be
    read, which otherwise raises at its turn. `on_death` is told each time that a camera ends its decoder. `dating` says
    when recordings were taken, and `stamp` the same of live cameras' frames, as they come.

    Raises SourceError where it is none of them. Whether a live camera answers is seen when its frames are asked for.
    """
    settings = settings or CameraSettings()
    # FFmpeg and V4L2 write to stderr past Python; what is wrong is said once, in our own words.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.setLogLevel(0)
    connect = _live_connection(source, settings)
    if connect is not None and (fault := address_fault(source)):
        raise SourceError(f"{redact(source)}: {fault}")
    if connect is not None:
        return LiveSource(
            redact(source), connect, camera_id, clock, settings, reopening=Reopening(on_drop, on_death), stamp=stamp
        )
    path = Path(source)
    if not _is_there(path):
        raise SourceError(
            f"{redact(source)}: no such file or camera; give a picture, folder, clip, rtsp:// or http:// address, "
            "/dev/videoN or rpicam"
        )
    if path.is_dir():
        return PictureSource(list_pictures(path), camera_id, clock, on_refused, dating)
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: may not be read; check its permissions")
    if is_picture(path):
        return PictureSource((path,), camera_id, clock, dating=dating)
    return ClipSource(path, camera_id, clock, dating)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _live_connection(source: str, settings: CameraSettings) -> Callable[[], Capture] | None:
    """How to connect to a live source, None where `source` is no live source."""
    if source.startswith(("rtsp://", "rtsps://")):
        opening = Opening(Kind.NETWORK, source, redact(source), settings.timeout_s)
    elif source.startswith(("http://", "https://")):
        opening = Opening(Kind.MJPEG, source, redact(source), settings.timeout_s)
    elif _is_device(source):
        asked = (settings.width_px, settings.height_px, settings.frames_per_s)
        opening = Opening(Kind.DEVICE, source, source, settings.timeout_s, *asked)
    elif source == "rpicam":
        return lambda: PipeMjpeg(rpicam_command(settings), "rpicam", settings.timeout_s)
    else:
        return None
    return lambda: DecodedSource(opening)


def _is_device(source: str) -> bool:
    """Whether it names a device, one that is not plugged in too; /dev/shm holds files, in memory."""
    path = Path(source)
    return source.startswith("/dev/") and not path.is_file() and not path.is_dir()


def rpicam_command(settings: CameraSettings) -> list[str]:
    """The Pi camera's program, told to write MJPEG to its standard output for ever.

    Raises SourceError where neither of its names is installed.
    """
    program = next((found for name in RPICAM_COMMANDS if (found := shutil.which(name))), None)
    if program is None:
        raise SourceError("rpicam: rpicam-vid is not installed; on Raspberry Pi OS: sudo apt install rpicam-apps")
    return [
        *(program, "--codec", "mjpeg", "--timeout", "0", "--nopreview", "--output", "-"),
        *("--width", str(settings.width_px), "--height", str(settings.height_px)),
        *("--framerate", str(settings.frames_per_s)),
    ]
