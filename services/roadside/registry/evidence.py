"""The frame that proves a read: of each text that is being read, the best one so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.fusion import quality
from roadside.registry.passages import frame_picture

if TYPE_CHECKING:
    from roadside.core.frames import Frame
    from roadside.core.reads import PlacedRead
    from roadside.core.sightings import Picture

RAW_KEPT = 8
"""Frames kept undecided, 2.8 MB each in 720p; further ones are encoded, 5 ms and 0.2 MB each."""
KEPT_S = 90.0
"""Longer than the longest track."""


@dataclass(slots=True)
class _Keepsake:
    worth: float
    frame: Frame | None
    placed: PlacedRead
    picture: Picture | None = None

    def encode(self) -> Picture:
        if self.picture is None:
            assert self.frame is not None  # noqa: S101 (one of the two is always there)
            self.picture = frame_picture(self.frame.image, self.placed.crop.detection.box)
            self.frame = None
        return self.picture


class EvidenceKeeper:
    """Keeps frames by the worth that fusion gives their reads, so that its best read finds its frame here."""

    def __init__(self) -> None:
        self._kept: dict[str, _Keepsake] = {}

    def offer(self, frame: Frame, placed: PlacedRead) -> None:
        """Keep `frame` where it shows the text of `placed` better than what is kept of it."""
        text = placed.read.text
        worth = quality(placed) * placed.read.confidence
        kept = self._kept.pop(text, None)
        if kept is None or worth > kept.worth:
            kept = _Keepsake(worth, frame, placed)
        self._kept[text] = kept  # now the newest
        raw = [k for k in self._kept.values() if k.frame is not None]
        for oldest in raw[:-RAW_KEPT]:
            oldest.encode()

    def frame_of(self, placed: PlacedRead) -> Picture | None:
        """The frame in which `placed` was read, None where a better one of the same text took its place."""
        kept = self._kept.get(placed.read.text)
        if kept is None or kept.placed.crop.sequence != placed.crop.sequence:
            return None
        return kept.encode()

    def forget_before(self, now_ns: int) -> None:
        """Drop what no track can ask for any more."""
        oldest_ns = now_ns - round(KEPT_S * 1e9)
        self._kept = {t: k for t, k in self._kept.items() if k.placed.crop.captured_at_ns >= oldest_ns}
