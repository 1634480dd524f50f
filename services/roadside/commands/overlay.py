"""The annotated video: a second pass over a recording, when every verdict is known, or a live one."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from roadside.adapters.annotate import PICTURES, Mark, PictureWriter, VideoWriter, draw
from roadside.core.frames import Box
from roadside.core.fusion import edit_distance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from roadside.assembly.embedded import FrameReport
    from roadside.core.events import SightingEvent
    from roadside.core.sightings import Sighting
    from roadside.ports.bus import Conclusion
    from roadside.ports.sources import FrameSource

LONGEST_GAP_FRAMES = 15
"""Between two frames in which a plate was read, its box is drawn where it must have been."""
SAME_PLATE_EDITS = 2


@dataclass(frozen=True, slots=True)
class _Seen:
    identity: str
    sequence: int
    box: Box
    text: str


@dataclass(frozen=True, slots=True)
class _Path:
    """Where one vehicle's plate was: frame numbers, rising, with a box each."""

    sighting: Sighting
    sequences: tuple[int, ...]
    boxes: tuple[Box, ...]

    def at(self, sequence: int) -> Box | None:
        """The plate's box in a frame, between two frames a mean of both; None where it was not in view."""
        after = bisect_left(self.sequences, sequence)
        if after == len(self.sequences):
            return None
        if self.sequences[after] == sequence:
            return self.boxes[after]
        gap = self.sequences[after] - self.sequences[after - 1]
        if after == 0 or gap > LONGEST_GAP_FRAMES:
            return None
        share = (sequence - self.sequences[after - 1]) / gap
        a, b = self.boxes[after - 1], self.boxes[after]
        ends = ((a.x1, b.x1), (a.y1, b.y1), (a.x2, b.x2), (a.y2, b.y2))
        return Box(*(start + (end - start) * share for start, end in ends))


@dataclass(slots=True)
class Overlay:
    """What is to be drawn on which frame."""

    gap_frames: int = LONGEST_GAP_FRAMES
    """0 for single pictures, which tell nothing of one another."""
    last_sequence: int = -1
    _seen: list[_Seen] = field(default_factory=list)
    _paths: list[_Path] = field(default_factory=list)

    def note(self, report: FrameReport) -> None:
        """Remember where plates were read in a frame, without its picture."""
        self.last_sequence = report.frame.sequence
        for placed in report.reads:
            crop = placed.crop
            self._seen.append(_Seen(crop.identity, crop.sequence, crop.detection.box, placed.read.text))

    def conclude(self, conclusion: Conclusion[SightingEvent]) -> None:
        """A vehicle has passed: the boxes of its track and the like reads around them become its path."""
        members = frozenset(conclusion.identities)
        known = {seen.sequence: seen.box for seen in self._seen if seen.identity in members}
        for event in conclusion.outputs:
            self._add_path(event.sighting, known)

    def _add_path(self, sighting: Sighting, known: dict[int, Box]) -> None:
        text = sighting.plate.text if sighting.plate is not None else ""
        boxes = dict(known)
        first, last = min(known) - self.gap_frames, max(known) + self.gap_frames
        for seen in self._seen:
            alike = (
                seen.sequence not in known
                and first <= seen.sequence <= last
                and edit_distance(seen.text, text) <= SAME_PLATE_EDITS
            )
            if alike:
                boxes.setdefault(seen.sequence, seen.box)
        ordered = sorted(boxes)
        self._paths.append(_Path(sighting, tuple(ordered), tuple(boxes[s] for s in ordered)))

    def marks(self, sequence: int) -> list[Mark]:
        """What to draw on a frame."""
        found = []
        for path in self._paths:
            box, plate = path.at(sequence), path.sighting.plate
            if box is not None and plate is not None:
                found.append(Mark(box, plate.text, plate.country, path.sighting.verdict.kind))
        return found


class LiveOverlay:
    """A live camera's video: each frame with what was read in it; verdicts come after the vehicle is gone."""

    def __init__(self, path: Path, frames_per_s: float) -> None:
        self._video = VideoWriter(path, frames_per_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._video.__exit__(kind, error, trace)

    def write(self, report: FrameReport) -> None:
        """Append a frame."""
        marks = [Mark(p.crop.detection.box, p.read.text, p.read.country) for p in report.reads]
        self._video.write(draw(report.frame.image, marks))


def annotate_again(source: FrameSource, out: Path, overlay: Overlay) -> None:
    """Write the recording once more with `overlay` drawn in, up to the last frame that was looked at.

    Raises InputError where `out` cannot be written.
    """
    with ExitStack() as stack:
        stack.enter_context(closing(source))
        if source.frames_per_s == 0:
            pictures, single = PictureWriter(out), out.suffix.lower() in PICTURES
            for sequence, image in _frames(source, overlay):
                pictures.write(draw(image, overlay.marks(sequence)), "" if single else f"{sequence:05d}.jpg")
            return
        video = stack.enter_context(VideoWriter(out, source.frames_per_s))
        for sequence, image in _frames(source, overlay):
            video.write(draw(image, overlay.marks(sequence)))


def _frames(source: FrameSource, overlay: Overlay) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for frame in source.frames():
        if frame.sequence > overlay.last_sequence:
            return
        yield frame.sequence, frame.image
