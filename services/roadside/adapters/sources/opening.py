"""What a decoding process is to open, and how it does: by PyAV where it is asked for, else by OpenCV."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from roadside.adapters.sources.access import is_playlist, is_stream
from roadside.adapters.sources.cameras import HttpMjpeg, OpenCvCapture
from roadside.adapters.sources.clips import ClipCapture
from roadside.adapters.sources.snapshots import SnapshotCapture
from roadside.adapters.sources.web import WebCamera
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from roadside.adapters.sources.facts import ClipFacts

PLAYLISTS = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")
"""Media types of HLS; RFC 8216, 10."""


class Decoder(StrEnum):
    """What decodes video."""

    OPENCV = "opencv"
    PYAV = "pyav"
    V4L2M2M = "v4l2m2m"
    """PyAV with the hardware of a Raspberry Pi, and without where that cannot be used."""

    @property
    def hardware(self) -> str:
        """How the names of the hardware's decoders end; empty for none."""
        return self.value if self is Decoder.V4L2M2M else ""


class Kind(StrEnum):
    """What is opened."""

    CLIP = "clip"
    NETWORK = "network"
    """RTSP, RTMP, SRT, MPEG-TS over UDP, HLS."""
    WEB = "web"
    """Whatever pictures an address of HTTP gives: motion JPEG, single ones, HLS, a stream."""
    DEVICE = "device"
    """V4L2."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the process is to open."""

    kind: Kind
    source: str
    """A path or an address, which may hold a password: it goes by a pipe, for arguments are everybody's to read."""
    name: str
    """The source as it may be shown."""
    timeout_s: float = 10.0
    width_px: int = 0
    """Asked of a device, as are the height and the rate."""
    height_px: int = 0
    frames_per_s: int = 0
    samples: int = 0
    """Of a clip: so many pictures from all over it, not all of them."""
    decoder: Decoder = Decoder.OPENCV
    transport: str = "auto"
    """Of RTSP."""
    snapshot_s: float = 1.0
    """Between two questions for a camera's single picture."""
    descriptor: int = -1
    """Of a clip: the open file that it is read from instead of `source`."""

    def line(self) -> bytes:
        """One line that `parse` takes."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Opening:
        """What another process has written."""
        said = json.loads(line)
        return cls(**{**said, "kind": Kind(said["kind"]), "decoder": Decoder(said["decoder"])})


class OpenSource(Protocol):
    """An open source, as its own process reads it."""

    @property
    def facts(self) -> ClipFacts:
        """What is known of it."""
        ...

    @property
    def position_ms(self) -> float:
        """Where in a clip the picture is that was read last; 0 where nobody knows."""
        ...

    @property
    def taken_at_ns(self) -> int:
        """As that of `Capture`."""
        ...

    def read(self, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """As that of `Capture`; `into` may be used where it has the picture's size."""
        ...


def opened(opening: Opening, tell: Callable[[str], None]) -> OpenSource:
    """An open source. Raises SourceError.

    `tell` is told, in one line, what is not as it was asked for, and nothing when there is nothing new to see.
    """
    by_opencv = opening.decoder is Decoder.OPENCV
    match opening.kind:
        case Kind.CLIP if by_opencv:
            return ClipCapture(opening.source, opening.name, opening.samples)
        case Kind.CLIP:
            return _clip(opening, tell)
        case Kind.NETWORK if by_opencv:
            return OpenCvCapture.network(opening.source, opening.name, opening.timeout_s, opening.transport)
        case Kind.NETWORK:
            return _live(opening, tell)
        case Kind.WEB:
            return _web(opening, tell)
        case Kind.DEVICE:
            return _device(opening, tell)


def _clip(opening: Opening, tell: Callable[[str], None]) -> OpenSource:
    from roadside.adapters.sources.pyav_capture import open_clip  # noqa: PLC0415 - an optional package

    source = opening.source if opening.descriptor < 0 else f"pipe:{opening.descriptor}"
    return open_clip(source, opening, tell)


def _device(opening: Opening, tell: Callable[[str], None]) -> OpenSource:
    if opening.decoder is Decoder.OPENCV:
        return OpenCvCapture.device(opening.source, (opening.width_px, opening.height_px), opening.frames_per_s)
    from roadside.adapters.sources.pyav_capture import open_device  # noqa: PLC0415 - an optional package

    return open_device(opening, tell)


def _live(opening: Opening, tell: Callable[[str], None], *, playlist: bool = False) -> OpenSource:
    from roadside.adapters.sources.pyav_capture import open_live  # noqa: PLC0415 - an optional package

    return open_live(opening, tell, playlist=playlist)


def _web(opening: Opening, tell: Callable[[str], None]) -> OpenSource:
    """What an address gives, by what it calls it."""
    if is_playlist(opening.source) or is_stream(opening.source):
        return _live(opening, tell, playlist=is_playlist(opening.source))
    camera = WebCamera(opening.source, opening.name, opening.timeout_s)
    answer = camera.get()
    kind = "nothing" if answer is None else answer.headers.get_content_type()
    if answer is not None and kind.startswith("multipart/"):
        return HttpMjpeg(answer)
    if answer is not None and kind in ("image/jpeg", "image/jpg"):
        return SnapshotCapture(camera, answer, opening.name, opening.snapshot_s, lambda: tell(""))
    if answer is not None:
        answer.close()
    if kind in PLAYLISTS or kind.startswith("video/") or kind == "application/octet-stream":
        return _live(opening, tell, playlist=kind in PLAYLISTS)
    raise SourceError(
        f"{opening.name}: sends {kind}, not motion JPEG or single JPEG pictures, HLS or MPEG-TS; look for the camera's "
        "address of one of them"
    )
