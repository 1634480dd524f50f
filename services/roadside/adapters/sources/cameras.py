"""Connections to live cameras: each opens, gives pictures until the camera is gone, and closes."""

from __future__ import annotations

import http.client
import os
import selectors
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

import cv2

from roadside.adapters.sources.facts import ClipFacts
from roadside.adapters.sources.mjpeg import JpegSplitter
from roadside.core.picture_header import CAMERA_LIMITS, MOST_SIDE_PX, PictureFault
from roadside.errors import SourceError
from roadside.kit.addresses import MEND
from roadside.wire.decoding import decode_jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

CHUNK_BYTES = 64 * 1024
DECODING = (cv2.CAP_PROP_N_THREADS, min(os.cpu_count() or 1, 4))
"""Each of FFmpeg's threads holds frames of its own, and four decode faster than anything is detected."""
MOST_BROKEN = 50
"""Pictures in a row that cannot be decoded before a camera counts as gone: it sends nothing else."""


class Capture(Protocol):
    """An open camera."""

    @property
    def taken_at_ns(self) -> int:
        """When the picture was taken that was read last, by `steady_ns`; 0 where nobody knows better than who reads."""
        ...

    def read(self) -> NDArray[np.uint8] | None:
        """The next picture, (H, W, 3) uint8, blue green red; None once the camera is gone."""
        ...

    def stop(self) -> None:
        """`read` gives nothing any more. May be called from another thread."""
        ...

    def close(self) -> None:
        """Let it go, from the thread that reads."""
        ...


def check_frame_size(capture: cv2.VideoCapture, name: str) -> None:
    """Raises SourceError, and lets go of `capture`, where its frames are larger than any camera's."""
    width, height = (int(capture.get(what)) for what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    try:
        check_pixels(width, height, name)
    except SourceError:
        capture.release()
        raise


def check_pixels(width: int, height: int, name: str) -> None:
    """Raises SourceError where frames of this size are larger than any camera's."""
    if is_too_large(width, height):
        most = CAMERA_LIMITS.pixels // 1_000_000
        raise SourceError(f"{name}: frames of {width} x {height} pixels; scale them below {most} megapixels")


def is_too_large(width: int, height: int) -> bool:
    """Whether no camera has frames of this size."""
    return width * height > CAMERA_LIMITS.pixels or max(width, height) > MOST_SIDE_PX


class OpenCvCapture:
    """RTSP through FFmpeg, or a USB camera through V4L2."""

    facts = ClipFacts()
    position_ms = 0.0
    taken_at_ns = 0

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    @classmethod
    def network(cls, address: str, name: str, timeout_s: float, transport: str = "auto") -> OpenCvCapture:
        """`transport` is that of RTSP, "tcp" or "udp"; "auto" is "tcp".

        Raises SourceError where nothing answers in time.
        """
        if transport == "udp":
            os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;udp"
        timeout_ms = round(timeout_s * 1000)
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, [*options, *DECODING])
        if not capture.isOpened():
            raise SourceError(
                f"{name}: no camera answers there; check the address, the password and the network; {MEND}"
            )
        check_frame_size(capture, name)
        return cls(capture)

    @classmethod
    def device(cls, path: str, size: tuple[int, int], frames_per_s: int) -> OpenCvCapture:
        """Raises SourceError where there is no such camera."""
        capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        if not capture.isOpened():
            raise SourceError(f"{path}: no camera there; `ls /dev/video*` lists them, and group `video` may use them")
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_FPS, frames_per_s)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return cls(capture)

    def read(self, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """The next picture, written to `into` where it has that size."""
        whole, image = self._capture.read(into)
        return image if whole else None  # type: ignore[return-value]

    def close(self) -> None:
        """Let it go."""
        self._capture.release()


class _MjpegCapture:
    """Pictures out of chunks of motion JPEG."""

    facts = ClipFacts()
    position_ms = 0.0
    taken_at_ns = 0

    def __init__(self) -> None:
        self._splitter = JpegSplitter()
        self._ready: deque[bytes] = deque()
        self._broken = 0

    def chunk(self) -> bytes:
        """The next bytes of the stream; empty once it has ended."""
        raise NotImplementedError

    def read(self, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """The next picture that can be decoded, in memory of its own; broken ones are passed over.

        Raises SourceError where many in a row are broken or too large.
        """
        del into
        while True:
            while self._ready:
                try:
                    image = decode_jpeg(self._ready.popleft(), CAMERA_LIMITS)
                except PictureFault as fault:
                    self._pass_over(fault)
                else:
                    self._broken = 0
                    return image
            chunk = self.chunk()
            if not chunk:
                return None
            self._ready.extend(self._splitter.feed(chunk))

    def _pass_over(self, fault: PictureFault) -> None:
        self._broken += 1
        if self._broken >= MOST_BROKEN:
            raise SourceError(f"the camera sends pictures that cannot be used: each {fault}")


class HttpMjpeg(_MjpegCapture):
    """A camera that answers a GET with multipart/x-mixed-replace."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        super().__init__()
        self._response = response

    def chunk(self) -> bytes:
        """What has arrived, without waiting for more than there is."""
        try:
            chunk: bytes = self._response.read1(CHUNK_BYTES)
        except (OSError, http.client.HTTPException):
            return b""  # timed out or dropped: the camera is gone
        return chunk

    def close(self) -> None:
        """Hang up."""
        self._response.close()


class PipeMjpeg(_MjpegCapture):
    """A program that writes motion JPEG to its standard output, as rpicam-vid does."""

    def __init__(self, command: Sequence[str], name: str, timeout_s: float) -> None:
        super().__init__()
        self._name = name
        self._timeout_s = timeout_s
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self._complaint: deque[bytes] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None  # noqa: S101 (asked for above)
        self._stdout = self._process.stdout
        self._selector.register(self._stdout, selectors.EVENT_READ)

    def chunk(self) -> bytes:
        """What the program has written. Raises SourceError where it ended with a fault of its own."""
        if not self._selector.select(self._timeout_s):
            return b""
        chunk: bytes = self._stdout.read(CHUNK_BYTES) or b""
        if not chunk and self._process.wait(self._timeout_s):
            self._listener.join(1)
            said = b" ".join(self._complaint).decode(errors="replace").strip()[-200:]
            raise SourceError(f"{self._name}: {said or 'the camera program ended'}; check the camera's cable")
        return chunk

    def stop(self) -> None:
        """End the program; what it has written ends, too."""
        self._process.terminate()

    def close(self) -> None:
        """End the program."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._listener.join(1)
        self._selector.close()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 (asked for above)
        for line in self._process.stderr:
            self._complaint.append(line.strip())
