"""Films in H.264, which browsers play, through PyAV; imported only where the package is there."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error

from roadside.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

MILLISECOND = Fraction(1, 1000)
CODING = {"preset": "veryfast", "crf": "23"}
STREAMABLE = {"movflags": "+faststart"}
"""The index first, so that a browser plays it while it comes."""


class H264Film:
    """A film whose frames have the times that they are given."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: float) -> None:
        """`size` is even both ways. Raises InputError where the file cannot be written."""
        self._path = path
        try:
            self._container = av.open(str(path), "w", options={} if path.suffix.lower() == ".mkv" else STREAMABLE)
        except av.error.FFmpegError as error:
            raise self._fault(error) from None
        self._stream = self._container.add_stream("libx264", rate=max(1, round(frames_per_s)), options=CODING)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = MILLISECOND

    def write(self, image: NDArray[np.uint8], at_ms: int) -> None:
        """Append a frame. Raises InputError where the file cannot be written."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = at_ms, MILLISECOND
        try:
            self._container.mux(self._stream.encode(frame))
        except av.error.FFmpegError as error:
            raise self._fault(error) from None

    def close(self) -> None:
        """Write what is left. Raises InputError where that cannot be."""
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
        except av.error.FFmpegError as error:
            raise self._fault(error) from None

    def _fault(self, error: av.error.FFmpegError) -> InputError:
        return InputError(f"{self._path}: cannot be written ({error.strerror}); choose another --out")
