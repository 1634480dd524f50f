"""Where frames come from: pictures, folders, clips, network cameras, USB cameras and the Pi's own camera."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from roadside.adapters.sources.access import SCHEMES, is_playlist, is_recorded, is_stream
from roadside.adapters.sources.cameras import PipeMjpeg
from roadside.adapters.sources.dating import Dating
from roadside.adapters.sources.decoders import decoder_of
from roadside.adapters.sources.decoding_process import DecodedSource
from roadside.adapters.sources.exif import photograph_time
from roadside.adapters.sources.live import CameraSettings, LiveSource, Reopening
from roadside.adapters.sources.opening import Decoder, Kind, Opening
from roadside.adapters.sources.pictures import decode_picture, is_picture, list_pictures, read_bytes
from roadside.adapters.sources.recorded import ClipSource, RecordedSource
from roadside.adapters.sources.watched import WatchedFolder
from roadside.core.frames import CameraId, Frame
from roadside.errors import SourceError
from roadside.kit.addresses import address_fault, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roadside.adapters.sources.cameras import Capture
    from roadside.core.moments import Stamp
    from roadside.ports.sources import FrameSource
    from roadside.ports.system import Clock

STDIN = "-"
WATCH = "watch:"
"""Before the name of a folder that is watched."""
SOURCES = (
    "a picture, folder, watch:FOLDER or clip, rtsp://, rtmp://, srt:// or http:// address, /dev/videoN, rpicam "
    "or - (standard input)"
)
RPICAM_COMMANDS = ("rpicam-vid", "libcamera-vid")
"""The Raspberry Pi's camera program, by its new and its old name."""


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

    def path_of(self, sequence: int) -> Path:
        """The file of a frame."""
        return self._paths[sequence]

    def close(self) -> None:
        """The next picture is the last."""
        self._closed = True


def open_source(  # noqa: PLR0913 - four of them are whom to tell of what
    source: str,
    camera_id: CameraId,
    clock: Clock,
    settings: CameraSettings | None = None,
    *,
    on_drop: Callable[[str], None] | None = None,
    on_death: Callable[[], None] | None = None,
    on_refused: Callable[[str], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    dating: Dating | None = None,
    stamp: Callable[[], tuple[int, Stamp]] | None = None,
    acknowledged: bool = False,
) -> FrameSource:
    """What `source` names, as SOURCES lists it.

    In one line each, `on_drop` is told of a camera that is lost, `on_note` of what is not as it was asked for, and
    `on_refused` of a folder's picture that cannot be read, which otherwise raises at its turn. `on_death` is told each
    time that a camera ends its decoder. `dating` says when recordings were taken, and `stamp` the same of live cameras'
    frames, as they come. With `acknowledged` a watched folder is told by `WatchedFolder.done` what need not come again.

    Raises SourceError where it is none of them. Whether a live camera answers is seen when its frames are asked for.
    """
    settings = settings or CameraSettings()
    # FFmpeg and V4L2 write to stderr past Python; what is wrong is said once, in our own words.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.setLogLevel(0)
    if "://" in source and (fault := address_fault(source)):
        raise SourceError(f"{redact(source)}: {fault}")
    if is_recorded(source) or source == STDIN:
        return RecordedSource(_streamed(source, settings), None, camera_id, clock, dating, on_note)
    connect = _live_connection(source, settings, on_note)
    if connect is not None:
        return LiveSource(
            redact(source), connect, camera_id, clock, settings, reopening=Reopening(on_drop, on_death), stamp=stamp
        )
    if source.startswith(WATCH):
        return WatchedFolder(
            Path(source.removeprefix(WATCH)),
            camera_id,
            clock,
            memory=settings.memory,
            every_s=settings.snapshot_s,
            on_refused=on_refused,
            on_note=on_note,
            dating=dating,
            acknowledged=acknowledged,
        )
    path = Path(source)
    if not _is_there(path):
        raise SourceError(f"{redact(source)}: no such file or camera; give {SOURCES}")
    if path.is_dir():
        return PictureSource(list_pictures(path), camera_id, clock, on_refused, dating)
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: may not be read; check its permissions")
    if is_picture(path):
        return PictureSource((path,), camera_id, clock, dating=dating)
    return ClipSource(path, camera_id, clock, dating, decoder_of(settings.decoder), on_note)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _live_connection(
    source: str, settings: CameraSettings, on_note: Callable[[str], None] | None
) -> Callable[[], Capture] | None:
    """How to connect to a live source, None where `source` is no live source. Raises SourceError."""
    if source == "rpicam":
        return lambda: PipeMjpeg(rpicam_command(settings), "rpicam", settings.timeout_s)
    opening = _live_opening(source, settings)
    return None if opening is None else lambda: DecodedSource(opening, on_note=on_note)


def _live_opening(source: str, settings: CameraSettings) -> Opening | None:
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    if scheme in SCHEMES:
        # OpenCV reads RTSP, too; the others are PyAV's.
        decoder = decoder_of(settings.decoder, needed=not scheme.startswith("rtsp"), name=redact(source))
        kind = Kind.NETWORK
    elif scheme in ("http", "https"):
        decoder, kind = (
            decoder_of(settings.decoder, needed=is_playlist(source) or is_stream(source), name=redact(source)),
            Kind.WEB,
        )
    elif _is_device(source):
        asked = settings.decoder != "auto"
        decoder, kind = decoder_of(settings.decoder) if asked else Decoder.OPENCV, Kind.DEVICE
    else:
        return None
    return Opening(
        kind,
        source,
        source if kind is Kind.DEVICE else redact(source),
        timeout_s=settings.timeout_s,
        width_px=settings.width_px,
        height_px=settings.height_px,
        frames_per_s=settings.frames_per_s,
        decoder=decoder,
        transport=settings.transport,
        snapshot_s=settings.snapshot_s,
    )


def _streamed(source: str, settings: CameraSettings) -> Opening:
    """A recording on a server or at the standard input. Raises SourceError."""
    name = "standard input" if source == STDIN else redact(source)
    decoder = decoder_of(settings.decoder, needed=True, name=name)
    if source != STDIN:
        return Opening(Kind.CLIP, source, name, settings.timeout_s, decoder=decoder)
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError(
            f"{name}: nothing is piped into it; such as ffmpeg -i ... -c copy -f mpegts - | roadside run -"
        )
    return Opening(Kind.CLIP, "", name, settings.timeout_s, decoder=decoder, descriptor=os.dup(sys.stdin.fileno()))


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
