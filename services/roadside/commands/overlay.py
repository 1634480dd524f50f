"""The annotated video: a second pass over a recording, when every verdict is known, or a live one."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from roadside.adapters.annotate import PICTURES, Mark, PictureWriter, draw
from roadside.adapters.films import VideoWriter
from roadside.adapters.sources.video import PictureSource
from roadside.assembly.watching import bare
from roadside.core.blurring import hide
from roadside.core.frames import Box
from roadside.core.fusion import edit_distance
from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from roadside.assembly.embedded import FrameReport
    from roadside.core.events import SightingEvent
    from roadside.core.frames import Frame
    from roadside.core.sightings import Sighting
    from roadside.ports.bus import Conclusion
    from roadside.ports.sources import FrameSource

LONGEST_GAP_FRAMES = 15
"""Between two frames in which a plate was read, its box is drawn where it must have been."""
SAME_PLATE_EDITS = 2
MOST_SEEN = 20_000
"""Reads that are remembered until their vehicle has passed, the newest: minutes of dense traffic, 5 MB."""


@dataclass(frozen=True, slots=True)
class _Seen:
    identity: str
    sequence: int
    box: Box
    text: str


@dataclass(frozen=True, slots=True)
class _Path:
    """Where one vehicle's plate was, and what is written beside it: all that the second pass needs of a sighting."""

    text: str
    country: str | None
    verdict: VerdictKind
    sequences: NDArray[np.int64]
    """Frame numbers, rising."""
    boxes: NDArray[np.float32]
    """(n, 4): x1, y1, x2, y2 in each of them."""

    def at(self, sequence: int) -> Box | None:
        """The plate's box in a frame, between two frames a mean of both; None where it was not in view."""
        after = int(np.searchsorted(self.sequences, sequence))
        if after == len(self.sequences):
            return None
        if self.sequences[after] == sequence:
            return Box(*map(float, self.boxes[after]))
        gap = int(self.sequences[after] - self.sequences[after - 1])
        if after == 0 or gap > LONGEST_GAP_FRAMES:
            return None
        share = (sequence - int(self.sequences[after - 1])) / gap
        before, behind = self.boxes[after - 1], self.boxes[after]
        return Box(*map(float, before + (behind - before) * share))


@dataclass(slots=True)
class _Found:
    """Where any plate was found, 24 bytes each: an hour of video may hold a million."""

    sequences: array[int] = field(default_factory=lambda: array("q"))
    """Frame numbers, as they came: rising."""
    sides: array[float] = field(default_factory=lambda: array("f"))

    def add(self, sequence: int, boxes: Iterable[Box]) -> None:
        for box in boxes:
            self.sequences.append(sequence)
            self.sides.extend((box.x1, box.y1, box.x2, box.y2))

    def at(self, sequence: int) -> list[Box]:
        first, last = bisect_left(self.sequences, sequence), bisect_right(self.sequences, sequence)
        return [Box(*self.sides[4 * place : 4 * place + 4]) for place in range(first, last)]


@dataclass(slots=True)
class Overlay:
    """What is to be drawn on which frame, and what is to be made unreadable."""

    show_plates: bool = False
    """Whether the plates of vehicles that are not accused stay as they are, and are written beside them."""
    gap_frames: int = LONGEST_GAP_FRAMES
    """0 for single pictures, which tell nothing of one another."""
    last_sequence: int = -1
    _seen: deque[_Seen] = field(default_factory=lambda: deque(maxlen=MOST_SEEN))
    _paths: list[_Path] = field(default_factory=list)
    _found: _Found = field(default_factory=_Found)

    def note(self, report: FrameReport) -> None:
        """Remember where plates were read in a frame, without its picture."""
        self.last_sequence = report.frame.sequence
        for placed in report.reads:
            crop = placed.crop
            self._seen.append(_Seen(crop.identity, crop.sequence, crop.detection.box, placed.read.text))
        if not self.show_plates:
            self._found.add(report.frame.sequence, _plates_in(report))

    def conclude(self, conclusion: Conclusion[SightingEvent]) -> None:
        """A vehicle has passed: the boxes of its track and the like reads around them become its path."""
        members = frozenset(conclusion.identities)
        known = {seen.sequence: seen.box for seen in self._seen if seen.identity in members}
        for event in conclusion.outputs if known else ():
            self._add_path(event.sighting, known)

    def _add_path(self, sighting: Sighting, known: dict[int, Box]) -> None:
        plate = sighting.plate
        if plate is None:
            return
        boxes = dict(known)
        first, last = min(known) - self.gap_frames, max(known) + self.gap_frames
        for seen in self._seen:
            alike = (
                seen.sequence not in known
                and first <= seen.sequence <= last
                and edit_distance(seen.text, plate.text) <= SAME_PLATE_EDITS
            )
            if alike:
                boxes.setdefault(seen.sequence, seen.box)
        ordered = sorted(boxes)
        sides = np.array([(b.x1, b.y1, b.x2, b.y2) for b in (boxes[s] for s in ordered)], np.float32)
        verdict = sighting.verdict.kind
        self._paths.append(_Path(plate.text, plate.country, verdict, np.array(ordered, np.int64), sides))

    def marks(self, sequence: int) -> list[Mark]:
        """What to draw on a frame."""
        found = ((path, path.at(sequence)) for path in self._paths)
        return [
            Mark(box, path.text, path.country, path.verdict, hidden=self._hides(path.verdict))
            for path, box in found
            if box is not None
        ]

    def drawn(self, sequence: int, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of a frame with what is known of it."""
        marks = self.marks(sequence)
        hidden = [*self._found.at(sequence), *(mark.box for mark in marks if mark.hidden)]
        if hidden:
            image = hide(image, hidden, [mark.box for mark in marks if not mark.hidden])
        return draw(image, marks)

    def _hides(self, verdict: VerdictKind) -> bool:
        return not self.show_plates and verdict not in (VerdictKind.UNPAID, VerdictKind.NONE)


class LiveOverlay:
    """A live camera's video: each frame with what was read in it; verdicts come after the vehicle is gone."""

    def __init__(self, path: Path, frames_per_s: float, *, show_plates: bool) -> None:
        """Unless `show_plates`, all plates are made unreadable: nobody is accused before they are gone."""
        self._video = VideoWriter(path, frames_per_s)
        self._show_plates = show_plates

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._video.__exit__(kind, error, trace)

    def write(self, report: FrameReport) -> None:
        """Append a frame."""
        hidden = not self._show_plates
        image = hide(report.frame.image, _plates_in(report)) if hidden else report.frame.image
        marks = [Mark(p.crop.detection.box, p.read.text, p.read.country, hidden=hidden) for p in report.reads]
        self._video.write(draw(image, marks), report.frame.captured_at_ns)


def _plates_in(report: FrameReport) -> set[Box]:
    """Where plates were found in a frame, those that could not be read too where another could."""
    crops = [placed.crop for placed in report.reads]
    return {box for crop in crops for box in (crop.detection.box, *crop.others)}


def annotate_again(source: FrameSource, out: Path, overlay: Overlay) -> None:
    """Write the recording once more with `overlay` drawn in, up to the last frame that was looked at.

    Raises InputError where `out` cannot be written.
    """
    with ExitStack() as stack:
        stack.enter_context(closing(source))
        if source.frames_per_s == 0:
            pictures, single = PictureWriter(out), out.suffix.lower() in PICTURES
            for frame in _frames(source, overlay):
                original = _original(source, frame)
                name = "" if single else _name(original, frame)
                pictures.write(overlay.drawn(frame.sequence, frame.image), name, original)
            return
        video = stack.enter_context(VideoWriter(out, source.frames_per_s))
        for frame in _frames(source, overlay):
            video.write(overlay.drawn(frame.sequence, frame.image), frame.captured_at_ns)


def _original(source: FrameSource, frame: Frame) -> Path | None:
    """The file of a frame of single pictures."""
    pictures = bare(source)
    return pictures.path_of(frame.sequence) if isinstance(pictures, PictureSource) else None


def _name(original: Path | None, frame: Frame) -> str:
    """That of the original; a kind that is not written here gets another ending behind its own."""
    if original is None:
        return f"{frame.sequence:05d}.jpg"
    return original.name if original.suffix.lower() in PICTURES else f"{original.name}.jpg"


def _frames(source: FrameSource, overlay: Overlay) -> Iterator[Frame]:
    for frame in source.frames():
        if frame.sequence > overlay.last_sequence:
            return
        yield frame
