"""Which reads are one vehicle's passage, and whether they are enough to speak of one."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.fusion import LEAST_CHARACTERS, Fusion, edit_distance, fuse, quality, worth
from roadside.core.geometry import iou, shift
from roadside.core.plates import fold
from roadside.core.reads import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.frames import Box, CameraId
    from roadside.core.reads import PlacedRead

NANOSECONDS = 1e-9


@dataclass(frozen=True, slots=True)
class TrackPolicy:
    """When a read continues a track, and when a track has ended."""

    max_gap_s: float = 1.5
    """A vehicle not seen for longer has passed."""
    max_length_s: float = 60.0
    """A vehicle that stays is told of after this time, and again after as much."""
    reach_widths: float = 0.9
    """How far, in plate widths, a plate may be from where its track expects it..."""
    speed_widths_per_s: float = 8.0
    """... and how much farther for each second since..."""
    first_speed_widths_per_s: float = 30.0
    """... the latter while the track has a single read, its motion unknown: 0.52 m x 30 a second is 56 km/h."""
    most_reach_widths: float = 4.0
    size_ratio: float = 2.2
    same_text: float = 0.75
    """Texts this alike (1 less edits a character, folded) are one plate wherever it is."""
    other_text: float = 0.45
    """Sure texts less alike than this are two plates, though they follow each other in one place."""
    sure: float = 0.6
    most_reads: int = 32
    """A track keeps its best reads: a parked car must not fill the memory."""


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """What a track must show to be a sighting; lettering and lamps give reads that do not agree."""

    least_characters: int = LEAST_CHARACTERS
    most_characters: int = 10
    least_confidence: float = 0.6
    """Of the fused plate, when at least `least_agreeing` frames agree."""
    least_agreeing: int = 2
    least_agreement: float = 0.4
    """Share of the reads with a text, by quality and confidence, that say the plate or are one character away."""
    lone_confidence: float = 0.85
    """Of a plate that a single frame shows."""
    least_width_px: float = 48.0
    """Of the plate where it is seen largest: under it characters are some five pixels wide, and reads that agree
    can agree on an error. A vehicle so far away is told of when it has come nearer."""


def is_evident(fusion: Fusion, rule: EvidenceRule) -> bool:
    """Whether a track is a sighting: several frames agree on a plate, or one frame is sure of it."""
    plate = fusion.plate
    if not rule.least_characters <= len(plate.text) <= rule.most_characters:
        return False
    if fusion.agreement < rule.least_agreement:
        return False
    if fusion.agreeing < rule.least_agreeing:
        return plate.confidence >= rule.lone_confidence
    return fusion.presence >= rule.least_confidence


def fuse_track(track: Track, rule: EvidenceRule) -> Fusion | None:
    """The plate of `track`; None where it is not evident."""
    if max(placed.crop.detection.box.width for placed in track.reads) < rule.least_width_px:
        return None
    fusion = fuse(track.reads)
    return fusion if is_evident(fusion, rule) else None


@dataclass(slots=True, eq=False)
class _Live:
    """A track that is still growing."""

    track_id: str
    reads: list[PlacedRead]
    weights: list[float]
    first_ns: int
    last_ns: int
    last_box: Box
    sequences: set[int]
    others: list[str] = field(default_factory=list)
    """Identities of the reads that are not kept."""
    velocity: tuple[float, float] | None = None
    """Pixels a second."""
    votes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Folded text: confidence behind it."""

    def text(self) -> tuple[str, float]:
        """The text that most speaks for, and the confidence behind it."""
        return max(((t, v) for t, v in self.votes.items()), key=lambda entry: (entry[1], entry[0]), default=("", 0.0))


class TrackBuilder:
    """Gathers the placed reads of one camera into tracks; a pure state machine that is told the time.

    Frames come in capture order, `update` once for each, with no reads too: that is how time passes.
    """

    def __init__(self, camera_id: CameraId, policy: TrackPolicy | None = None) -> None:
        self._camera_id = camera_id
        self._policy = policy or TrackPolicy()
        self._live: list[_Live] = []

    @property
    def open_tracks(self) -> int:
        """How many tracks are still growing."""
        return len(self._live)

    def update(self, captured_at_ns: int, reads: Sequence[PlacedRead]) -> tuple[Track, ...]:
        """Takes the reads of the frame of `captured_at_ns`; the tracks that ended before it, oldest first."""
        finished = self._retire(captured_at_ns)
        free = set(range(len(reads)))
        taken: set[int] = set()
        pairs = [
            (score, t, r)
            for t, live in enumerate(self._live)
            for r, placed in enumerate(reads)
            if (score := _likeness(live, placed, captured_at_ns, self._policy)) is not None
        ]
        for _, t, r in sorted(pairs, key=lambda entry: (-entry[0], entry[1], entry[2])):
            if r in free and t not in taken:
                free.discard(r)
                taken.add(t)
                self._extend(self._live[t], reads[r], captured_at_ns)
        self._live.extend(self._begin(reads[r], captured_at_ns) for r in sorted(free))
        return finished

    def flush(self) -> tuple[Track, ...]:
        """Ends every track, oldest first: the source is over."""
        return self._retire(None)

    def _retire(self, now_ns: int | None) -> tuple[Track, ...]:
        """Takes out the tracks that are over at `now_ns` (None: all); pieces of one passage become one track."""
        policy = self._policy
        over = [
            live
            for live in self._live
            if now_ns is None
            or (now_ns - live.last_ns) * NANOSECONDS > policy.max_gap_s
            or (now_ns - live.first_ns) * NANOSECONDS > policy.max_length_s
        ]
        self._live = [live for live in self._live if live not in over]
        finished: list[_Live] = []
        for live in sorted(over, key=lambda entry: (entry.first_ns, entry.track_id)):
            host = next((h for h in (*finished, *self._live) if _one_passage(h, live, policy)), None)
            if host is None:
                finished.append(live)
            else:
                _absorb(host, live)
        return tuple(self._close(live) for live in finished)

    def _begin(self, placed: PlacedRead, now_ns: int) -> _Live:
        box = placed.crop.detection.box
        name = f"{self._camera_id}-{now_ns}-{round(box.x1)}x{round(box.y1)}"
        live = _Live(name, [], [], now_ns, now_ns, box, set())
        self._add(live, placed)
        return live

    def _extend(self, live: _Live, placed: PlacedRead, now_ns: int) -> None:
        box, elapsed = placed.crop.detection.box, (now_ns - live.last_ns) * NANOSECONDS
        if elapsed > 0:
            (x, y), (last_x, last_y) = _centre(box), _centre(live.last_box)
            now = ((x - last_x) / elapsed, (y - last_y) / elapsed)
            before = live.velocity or now
            live.velocity = ((before[0] + now[0]) / 2, (before[1] + now[1]) / 2)
        live.last_ns, live.last_box = max(live.last_ns, now_ns), box
        self._add(live, placed)

    def _add(self, live: _Live, placed: PlacedRead) -> None:
        weight = quality(placed)
        live.reads.append(placed)
        live.weights.append(weight)
        live.sequences.add(placed.crop.sequence)
        live.votes[fold(placed.read.text)] += placed.read.confidence
        self._keep_the_best(live)

    def _close(self, live: _Live) -> Track:
        self._keep_the_best(live)
        reads = sorted(live.reads, key=capture_order)
        span_ns = (live.first_ns, live.last_ns)
        return Track(self._camera_id, live.track_id, tuple(reads), tuple(live.others), span_ns)

    def _keep_the_best(self, live: _Live) -> None:
        while len(live.reads) > self._policy.most_reads:
            worths = [worth(weight, placed.read) for weight, placed in zip(live.weights, live.reads, strict=True)]
            worst = worths.index(min(worths))
            live.others.append(live.reads[worst].crop.identity)
            del live.reads[worst], live.weights[worst]


def _likeness(live: _Live, placed: PlacedRead, now_ns: int, policy: TrackPolicy) -> float | None:
    """How well a read continues a track, higher is better; None where it does not."""
    box, elapsed = placed.crop.detection.box, max(0.0, (now_ns - live.last_ns) * NANOSECONDS)
    if placed.crop.sequence in live.sequences:
        return None
    text, behind = live.text()
    same = _alike(text, fold(placed.read.text))
    velocity = live.velocity or (0.0, 0.0)
    lead = min(elapsed, 0.5)
    expected = shift(live.last_box, velocity[0] * lead, velocity[1] * lead)
    distance = math.dist(_centre(expected), _centre(box)) / max(expected.width, box.width, 1.0)
    speed = policy.first_speed_widths_per_s if live.velocity is None else policy.speed_widths_per_s
    reach = min(policy.most_reach_widths, policy.reach_widths + speed * elapsed)
    ratio = max(expected.width, box.width) / max(1.0, min(expected.width, box.width))
    both_sure = min(behind, placed.read.confidence) >= policy.sure
    if distance <= reach and ratio <= policy.size_ratio:
        if both_sure and same < policy.other_text and not (iou(expected, box) > 0.5 and elapsed < 0.15):
            return None
        return 1 - distance / reach + same
    weakest = min(behind, placed.read.confidence)
    return same if same >= policy.same_text and weakest >= policy.sure / 2 else None


def _one_passage(host: _Live, live: _Live, policy: TrackPolicy) -> bool:
    """Whether two tracks say the same plate and were never in one frame together."""
    if host.sequences & live.sequences:
        return False
    gap = max(host.first_ns - live.last_ns, live.first_ns - host.last_ns) * NANOSECONDS
    if gap > policy.max_gap_s:
        return False
    (mine, my_weight), (theirs, their_weight) = host.text(), live.text()
    return _alike(mine, theirs) >= policy.same_text and min(my_weight, their_weight) >= policy.sure / 2


def _absorb(host: _Live, live: _Live) -> None:
    host.reads += live.reads
    host.weights += live.weights
    host.others += live.others
    host.sequences |= live.sequences
    for text, behind in live.votes.items():
        host.votes[text] += behind
    if live.first_ns < host.first_ns:
        host.first_ns, host.track_id = live.first_ns, live.track_id
    if live.last_ns > host.last_ns:
        host.last_ns, host.last_box, host.velocity = live.last_ns, live.last_box, live.velocity


def capture_order(placed: PlacedRead) -> tuple[int, int, float, float]:
    """Sorts reads by time, and those of one frame by their place: the same order however they came."""
    box = placed.crop.detection.box
    return placed.crop.captured_at_ns, placed.crop.sequence, box.x1, box.y1


def _alike(a: str, b: str) -> float:
    return 1 - edit_distance(a, b) / max(len(a), len(b)) if a and b else 0.5


def _centre(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
