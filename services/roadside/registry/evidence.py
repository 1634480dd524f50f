"""The frame that proves a read: of each text that is being read, the best one of each passage so far."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from roadside.core.blurring import hide
from roadside.core.events import EVIDENCE_QUALITY, PictureEncoding, encode_jpeg
from roadside.core.fusion import quality, worth
from roadside.core.sightings import Picture, PictureKind
from roadside.errors import PoisonError
from roadside.wire.pictures import decode_picture

if TYPE_CHECKING:
    from roadside.core.events import EncodedPicture, FramePicture
    from roadside.core.frames import Crop
    from roadside.core.reads import PlacedRead

UNENCODED_KEPT_BYTES = 24_000_000
"""Of frames kept as they came, 2.8 MB each in 720p; further ones are kept as JPEG, 5 ms and 0.2 MB each in 720p."""
SUPPOSED_FRAME = (1280, 720)
"""Width and height of a frame that did not say its own."""
KEPT_S = 120.0
"""Longer than the longest track."""
APART_NS = 10 * 10**9
"""A vehicle may pass again before its first passage is told of, as after an outage: each has its frame."""


@dataclass(slots=True)
class _Candidate:
    """The best look at one text so far."""

    worth: float
    placed: PlacedRead
    picture: FramePicture | None
    """None once it is kept as JPEG."""
    jpeg: EncodedPicture | None = None

    def encode(self) -> EncodedPicture:
        if self.jpeg is None:
            assert self.picture is not None  # noqa: S101 - one of the two is always there
            self.jpeg, self.picture = self.picture.jpeg(), None
        return self.jpeg


class EvidenceFrames:
    """The frames of one camera that may become evidence, by the text that is read in them.

    Looks are ranked by what they are worth to the fusion, so that the fusion's best read finds its frame here.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], _Candidate] = {}

    def offer(self, placed: PlacedRead, frame: FramePicture) -> None:
        """Keep `frame` where it shows the text of `placed` better than what is kept of it; of equals the earliest."""
        key = _key(placed)
        known = self._kept.pop(key, None)
        offered = _Candidate(worth(quality(placed), placed.read), placed, frame)
        self._kept[key] = offered if known is None or _rank(offered) > _rank(known) else known  # now the newest
        unencoded = [candidate for candidate in self._kept.values() if candidate.picture is not None]
        sizes = accumulate(_size_bytes(candidate) for candidate in reversed(unencoded))
        kept = sum(size <= UNENCODED_KEPT_BYTES for size in sizes)
        for oldest in unencoded[: len(unencoded) - kept]:
            oldest.encode()

    def take(self, placed: PlacedRead) -> Picture | None:
        """The frame in which `placed` was read, kept no longer; None where another one of its text took its place."""
        kept = self._kept.get(_key(placed))
        if kept is None or kept.placed.crop.sequence != placed.crop.sequence:
            return None
        del self._kept[_key(placed)]
        jpeg = kept.encode()
        if jpeg.encoding is not PictureEncoding.JPEG:
            return None
        try:
            shown = _of_one_vehicle(jpeg, placed.crop)
        except PoisonError:
            return None  # what cannot be made unreadable is not shown
        return Picture(PictureKind.FRAME, "image/jpeg", shown.data, placed.crop.detection.box)

    def forget_before(self, at_ns: int) -> None:
        """Drop what no track can ask for any more at `at_ns` (UTC nanoseconds since 1970)."""
        oldest_ns = at_ns - round(KEPT_S * 1e9)
        self._kept = {key: c for key, c in self._kept.items() if c.placed.crop.captured_at_ns >= oldest_ns}


def _of_one_vehicle(jpeg: EncodedPicture, crop: Crop) -> EncodedPicture:
    """The frame with all plates but this one made unreadable; unchanged where there is no other.

    Raises PoisonError where its bytes are no picture.
    """
    if not crop.others:
        return jpeg
    pixels = hide(decode_picture(jpeg), crop.others, (crop.detection.box,))
    return encode_jpeg(pixels, EVIDENCE_QUALITY)


def _size_bytes(candidate: _Candidate) -> int:
    """Of its frame as pixels."""
    width, height = candidate.placed.crop.frame_size or SUPPOSED_FRAME
    return width * height * 3


def _key(placed: PlacedRead) -> tuple[str, int]:
    return placed.read.text, placed.crop.captured_at_ns // APART_NS


def _rank(candidate: _Candidate) -> tuple[float, int, int]:
    crop = candidate.placed.crop
    return candidate.worth, -crop.captured_at_ns, -crop.sequence
