"""A video file, opened where a damaged one can do no harm: see `decoding_child`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from roadside.adapters.sources.cameras import DECODING, check_frame_size
from roadside.adapters.sources.facts import FRAMES_PER_S, ClipFacts
from roadside.errors import SourceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_VIDEO = "is not a video that can be read; MP4, AVI, MKV or MOV can"
_PRINTABLE = frozenset((*range(0x20, 0x7F), *b"\t\r\n"))


class ClipCapture:
    """The pictures of a video file in order, turned as the file says, or `samples` of them from all over it."""

    def __init__(self, path: str, name: str, samples: int = 0) -> None:
        """`name` is how errors call it.

        Raises SourceError for what is no video, and for one of pictures larger than any camera's.
        """
        if _is_text(path):
            raise SourceError(f"{name}: {NO_VIDEO}")
        self._capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, list(DECODING))
        if not self._capture.isOpened():
            raise SourceError(f"{name}: {NO_VIDEO}")
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        check_frame_size(self._capture, name)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.facts = ClipFacts(
            max(0.0, self._capture.get(cv2.CAP_PROP_FPS)) or FRAMES_PER_S,
            count if count > 0 else None,
            int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360 != 0,
        )
        self._samples = samples
        self._taken = 0
        self.taken_at_ns = 0

    def read(self, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """The next picture, (H, W, 3) uint8, blue green red, in `into` where it has that size; None at the end."""
        if self._samples and not self._seek():
            return None
        whole, image = self._capture.read(into)
        self._taken += whole
        return image if whole else None  # type: ignore[return-value]

    @property
    def position_ms(self) -> float:
        """Where in the clip the picture is that was read last, as the file says; 0 where it does not."""
        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC))

    def close(self) -> None:
        """Let it go."""
        self._capture.release()

    def _seek(self) -> bool:
        """Go to the next sample; False after the last."""
        if self._taken == self._samples:
            return False
        if self.facts.frame_count is not None:
            place = self.facts.frame_count * (self._taken + 0.5) // self._samples
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, place)
        return True


def _is_text(path: str) -> bool:
    """Whether a file begins as text does: a playlist that is called a clip would have FFmpeg open other files."""
    with open(path, "rb") as file:  # noqa: PTH123 - FFmpeg's own name of it
        start = file.read(16)
    return not start.startswith(b"RIFF") and _PRINTABLE.issuperset(start)
