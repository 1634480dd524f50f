"""What PyAV opens: clips, cameras and servers on the network, and pipes. Imported only where the package is there."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av
import av.error

from roadside.adapters.frame_clock import steady_ns
from roadside.adapters.sources.access import CLIPS, HLS, THREADS, access_of
from roadside.adapters.sources.facts import FRAMES_PER_S, ClipFacts
from roadside.adapters.sources.pyav_frames import PictureDecoder, open_decoder, video_of
from roadside.adapters.sources.srt import SrtPipe
from roadside.core.arrival import ArrivalClock
from roadside.errors import SourceError
from roadside.kit.addresses import MEND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from av.container import InputContainer
    from numpy.typing import NDArray

    from roadside.adapters.sources.access import Access
    from roadside.adapters.sources.opening import Opening
    from roadside.adapters.sources.pyav_frames import Picture

REASONS = {
    (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError): "the camera refuses the user or the password; "
    + MEND,
    (av.error.HTTPNotFoundError,): "the camera has nothing at this path (404); its manual tells its paths",
    (av.error.ConnectionRefusedError,): "no camera answers there (nobody listens at this port); check the address",
}
NO_NAME = "the network knows no camera of this name; check it, or give its address in numbers"
NO_CAMERA = (errno.EINVAL, errno.ENOTTY, errno.ENODEV)
"""What V4L2 answers of something else, and of a camera that gives none of what it is asked for."""
LAST_ERRNO = 200
"""Of Linux; FFmpeg's own are far beyond."""
REMOTE = ("http://", "https://", "pipe:")
BURST_PACE = 4
"""Pictures that come so many times as fast as they were taken have waited somewhere."""
MOST_BURST = 250
"""Ten seconds of pictures."""
LATE_S = 1.0
"""A stream that is so far behind its own pace was waited for: its pace begins anew."""
OWN_CLOCK_OFF = "the camera's own clock is {:+.1f} s off this computer's, so its times are not used: let it ask NTP"


class PyAvCapture:
    """The pictures of an open container; meets `roadside.adapters.sources.cameras.Capture`."""

    def __init__(
        self, container: InputContainer, name: str, hardware: str = "", tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """`tell` is told, in one line, what is not as it was asked for. Raises SourceError where it holds no video."""
        self._container = container
        self._stream = video_of(container, name)
        decoder, fault = open_decoder(self._stream, hardware, THREADS)
        if fault:
            tell(f"{name}: {fault}")
        self._name = name
        self._tell = tell
        self._decoder = PictureDecoder(container, self._stream, decoder)
        self._pictures = self._decoder.pictures()
        self.facts = ClipFacts()
        self.position_ms = 0.0
        self.taken_at_ns = 0

    def read(self, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """The next picture, (H, W, 3) uint8, blue green red, in memory of its own; None at the end."""
        del into
        try:
            picture = self._next()
        except av.error.FFmpegError:  # it broke off
            return None
        return None if picture is None else picture.image

    def close(self) -> None:
        """Let it go."""
        self._container.close()

    def _next(self) -> Picture | None:
        return next(self._pictures, None)


class PyAvClip(PyAvCapture):
    """A recording: every picture in order, or `samples` of them from all over it."""

    def __init__(
        self,
        container: InputContainer,
        name: str,
        samples: int = 0,
        hardware: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """As that of `PyAvCapture`. The first picture is decoded, for it says how pictures are turned."""
        super().__init__(container, name, hardware, tell)
        stream = self._stream
        base = float(stream.time_base or 0)
        duration_s = stream.duration * base if stream.duration else (container.duration or 0) / av.time_base
        rate = float(stream.average_rate or 0) or FRAMES_PER_S
        count = stream.frames or round(duration_s * rate)
        self._first = None if samples else self._begun()
        self._origin_s = stream.start_time * base if stream.start_time is not None else None
        self._duration_s = duration_s
        self._targets = self._samples(samples) if samples else None
        self.facts = ClipFacts(rate, count or None, bool(self._first and self._first.turn))

    def _begun(self) -> Picture | None:
        """The first picture; None where there is none that can be read."""
        try:
            return super()._next()
        except av.error.FFmpegError:
            return None

    def _next(self) -> Picture | None:
        if self._targets is not None:
            return next(self._targets, None)
        picture, self._first = (self._first, None) if self._first is not None else (super()._next(), None)
        if picture is not None and picture.place_s is not None:
            self._origin_s = picture.place_s if self._origin_s is None else self._origin_s
            self.position_ms = (picture.place_s - self._origin_s) * 1000
        return picture

    def _samples(self, count: int) -> Iterator[Picture]:
        for taken in range(count):
            place_s = (self._origin_s or 0) + self._duration_s * (taken + 0.5) / count
            if self._duration_s:
                self._container.seek(round(place_s * av.time_base))
                self._pictures = self._decoder.pictures()
            found = None
            for found in self._pictures:
                if found.place_s is None or found.place_s >= place_s:
                    break
            if found is not None:
                yield found


class PyAvLive(PyAvCapture):
    """A camera or a server on the network: pictures as they come, each with the time at which it was taken."""

    def __init__(
        self,
        container: InputContainer,
        name: str,
        hardware: str = "",
        tell: Callable[[str], None] = lambda _: None,
        *,
        paced: bool = False,
    ) -> None:
        """`paced`: pictures come in bursts, a file at a time, and are handed on as fast as they were taken."""
        super().__init__(container, name, hardware, tell)
        self._arrivals = ArrivalClock()
        self._pace = _Pace() if paced else None
        self._burst = _Burst(is_over=paced)
        self._told = False

    def _next(self) -> Picture | None:
        picture = super()._next()
        while picture is not None and self._burst.goes_on(picture.place_s):
            picture = super()._next()
        if picture is None:
            return None
        if self._pace is not None and picture.place_s is not None:
            self._pace.keep(picture.place_s)
            return picture
        place_ns = None if picture.place_s is None else round(picture.place_s * 1e9)
        age_ns = None if picture.wall_ns is None else time.time_ns() - picture.wall_ns
        self.taken_at_ns = self._arrivals.taken_ns(place_ns, steady_ns(), age_ns)
        if self._arrivals.own_clock_off_ns and not self._told:
            self._told = True
            self._tell(f"{self._name}: {OWN_CLOCK_OFF.format(-self._arrivals.own_clock_off_ns / 1e9)}")
        return picture


class _Burst:
    """What a server, and FFmpeg itself, has kept until somebody looks: it comes at once, and is of the past."""

    def __init__(self, *, is_over: bool) -> None:
        self._is_over = is_over
        self._place_s: float | None = None
        self._came_s = 0.0
        self._left = MOST_BURST

    def goes_on(self, place_s: float | None) -> bool:
        """Whether a picture at this place of the stream, which is here now, belongs to it."""
        if self._is_over or place_s is None:
            return False
        now_s, before_s = time.monotonic(), self._place_s
        waited_s, self._came_s, self._place_s = now_s - self._came_s, now_s, place_s
        self._left -= 1
        self._is_over = self._left <= 0 or (before_s is not None and waited_s * BURST_PACE > place_s - before_s)
        return not self._is_over


class _Pace:
    """Waits until each picture's turn."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def keep(self, place_s: float) -> None:
        """Return when a picture at this place of the stream is due."""
        now_s = time.monotonic()
        wait_s = 0.0 if self._ahead_s is None else place_s + self._ahead_s - now_s
        if self._ahead_s is None or not -LATE_S <= wait_s <= LATE_S * 10:
            self._ahead_s = now_s - place_s
            return
        time.sleep(max(0.0, wait_s))


def open_clip(source: str, opening: Opening, tell: Callable[[str], None]) -> PyAvClip:
    """The video file `source`, one on a server, or one that comes through a pipe (`pipe:3`). Raises SourceError."""
    access = access_of(source, recorded=True) if source.startswith(REMOTE) else CLIPS
    container = _opened(source, opening.name, access, opening.timeout_s)
    return PyAvClip(container, opening.name, opening.samples, opening.decoder.hardware, tell)


def open_live(opening: Opening, tell: Callable[[str], None], *, playlist: bool = False) -> PyAvLive:
    """A camera or a server on the network; `playlist`: its address is one of HLS. Raises SourceError."""
    if opening.source.lower().startswith("srt:"):
        return _open_srt(opening, tell)
    access = HLS if playlist else access_of(opening.source, opening.transport)
    container = _opened(opening.source, opening.name, access, opening.timeout_s)
    return PyAvLive(container, opening.name, opening.decoder.hardware, tell, paced=access.paced)


def open_device(opening: Opening, tell: Callable[[str], None]) -> PyAvLive:
    """A camera of this computer, through V4L2: motion JPEG, or what it has where it has none. Raises SourceError."""
    for options in device_options(opening):
        try:
            container = av.open(opening.source, "r", format="v4l2", options=options, timeout=opening.timeout_s)
        except av.error.ArgumentError as error:  # it has no such format
            fault: av.error.FFmpegError = error
        except av.error.FFmpegError as error:
            fault = error
            break
        else:
            return PyAvLive(container, opening.name, opening.decoder.hardware, tell)
    raise SourceError(f"{opening.name}: {device_fault(fault)}")


def device_options(opening: Opening) -> Sequence[dict[str, str]]:
    """What V4L2 is asked for, one after the other until it has it: 720p is motion JPEG with most USB cameras."""
    asked = {"video_size": f"{opening.width_px}x{opening.height_px}", "framerate": str(opening.frames_per_s)}
    return {"input_format": "mjpeg", **asked}, asked, {}


def device_fault(error: av.error.FFmpegError) -> str:
    """What is said of a device that cannot be opened."""
    if isinstance(error, av.error.PermissionError):
        return "may not be opened: add this user to the group `video`, and log in again"
    if error.errno == errno.EBUSY:
        return "is used by another program; end that, or give this one another camera"
    if error.errno in NO_CAMERA:
        return "is no camera, or gives no picture: `v4l2-ctl --list-formats-ext` tells what it has"
    return "no camera there; `ls /dev/video*` lists them, and group `video` may use them"


def _open_srt(opening: Opening, tell: Callable[[str], None]) -> PyAvLive:
    pipe = SrtPipe(opening.source, opening.name, opening.timeout_s)
    try:
        container = av.open(pipe, "r", format="mpegts", container_options=dict(access_of("pipe:").options))
        return PyAvLive(container, opening.name, opening.decoder.hardware, tell)
    except (av.error.FFmpegError, SourceError):
        raise pipe.fault() from None


def _opened(source: str, name: str, access: Access, timeout_s: float) -> InputContainer:
    options = {**access.options, "protocol_whitelist": access.protocols, "format_whitelist": access.formats}
    path = f"file:{source}" if access is CLIPS else source
    try:
        return av.open(path, container_options=options, timeout=(timeout_s, timeout_s))
    except av.error.FFmpegError as error:
        if error.errno == errno.EIO and not _is_known(source):
            raise SourceError(f"{name}: {NO_NAME}") from None
        raise SourceError(f"{name}: {_reason(error, access, timeout_s)}") from None


def _is_known(address: str) -> bool:
    """Whether the network knows the address's host; FFmpeg says of one that it does not that it cannot read."""
    try:
        host = urlsplit(address).hostname
        return host is None or bool(socket.getaddrinfo(host, None))
    except (OSError, ValueError):  # ValueError: a name that no host can have
        return False


def _reason(error: av.error.FFmpegError, access: Access, timeout_s: float) -> str:
    if access is CLIPS:
        return "is not a video that can be read; MP4, AVI, MKV or MOV can"
    if isinstance(error, av.error.ExitError):
        return f"no camera answers there within {timeout_s:g} s; check the address and the network"
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return f"sends what is no video that can be read here; {access.hint}"
    for kinds, said in REASONS.items():
        if isinstance(error, kinds):
            return said
    number = error.errno or 0
    said = os.strerror(number).lower() if 0 < number < LAST_ERRNO else "the connection was not made"
    return f"no camera answers there ({said}); check the address, the password and the network; {MEND}"
