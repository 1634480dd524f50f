"""Whether a read continues a track, and whether two tracks are of one passage."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.duplicates import alike
from roadside.core.geometry import iou, shift
from roadside.core.motion import Course, Place
from roadside.core.plates import fold

if TYPE_CHECKING:
    from roadside.core.frames import Box
    from roadside.core.reads import PlacedRead

NANOSECONDS = 1e-9


@dataclass(frozen=True, slots=True)
class TrackPolicy:
    """When a read continues a track, and when a track has ended."""

    max_gap_s: float = 1.5
    """A vehicle not seen for longer has passed, ..."""
    max_gap_frames: float = 3.0
    """... if it was not seen for longer than so many frames take, too, ..."""
    longest_gap_s: float = 15.0
    """... or in any case for so long."""
    max_length_s: float = 60.0
    """What is known of a vehicle that stays is concluded after this time, and again after as much: reads must not be
    held for as long as it stands. All of them have one name."""
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
    surely_read: float = 0.9
    """Confidence of two different texts from which they are of two plates, unless motion shows that they are of one:"""
    followed_s: float = 0.5
    """what is near after so short a time is the same vehicle, ..."""
    foreseen_s: float = 1.0
    """... and what went on as it went before, after so long."""
    attended_s: float = 5.0
    """A camera that sees for so long before a plate is there has seen it come."""
    most_reads: int = 32
    """A track keeps its best reads: a parked car must not fill the memory."""


@dataclass(slots=True, eq=False)
class LiveTrack:
    """A track that is still growing."""

    track_id: str
    reads: list[PlacedRead]
    weights: list[float]
    first_ns: int
    last_ns: int
    first_box: Box
    last_box: Box
    attended: bool
    """Whether the camera was watched for a while before it came."""
    sequences: set[int] = field(default_factory=set)
    others: list[str] = field(default_factory=list)
    """Identities of the reads that are not kept."""
    course: Course = field(default_factory=Course)
    velocity: tuple[float, float] | None = None
    """Pixels a second."""
    growth: float = 0.0
    """Natural logarithm of the plate's width, a second."""
    votes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Folded text: confidence behind it."""

    def text(self) -> tuple[str, float]:
        """The text that most speaks for, and the confidence behind it."""
        return max(((t, v) for t, v in self.votes.items()), key=lambda entry: (entry[1], entry[0]), default=("", 0.0))


def likeness(live: LiveTrack, placed: PlacedRead, now_ns: int, policy: TrackPolicy) -> float | None:
    """How well a read continues a track, higher is better; None where it does not."""
    box, elapsed = placed.crop.detection.box, max(0.0, (now_ns - live.last_ns) * NANOSECONDS)
    if placed.crop.sequence in live.sequences:
        return None
    text, behind = live.text()
    same = alike(text, fold(placed.read.text))
    velocity = live.velocity or (0.0, 0.0)
    lead = min(elapsed, 0.5)
    expected = shift(live.last_box, velocity[0] * lead, velocity[1] * lead)
    distance = math.dist(centre(expected), centre(box)) / max(expected.width, box.width, 1.0)
    speed = policy.first_speed_widths_per_s if live.velocity is None else policy.speed_widths_per_s
    reach = min(policy.most_reach_widths, policy.reach_widths + speed * elapsed)
    ratio = max(expected.width, box.width) / max(1.0, min(expected.width, box.width))
    weakest = min(behind, placed.read.confidence)
    two_plates = same < 1 and weakest >= policy.surely_read
    if same < policy.other_text and elapsed > policy.followed_s:
        return None
    if two_plates and elapsed > policy.followed_s and not (elapsed <= policy.foreseen_s and goes_on(live, box)):
        return None
    if distance <= reach and ratio <= policy.size_ratio:
        if weakest >= policy.sure and same < policy.other_text and not (iou(expected, box) > 0.5 and elapsed < 0.15):
            return None
        return 1 - distance / reach + same
    return same if not two_plates and same >= policy.same_text and weakest >= policy.sure / 2 else None


def goes_on(live: LiveTrack, box: Box) -> bool:
    """Whether a plate at `box` is where the vehicle can have got to: further on, or where it stood."""
    last, here = Place.of(live.last_box), Place.of(box)
    if last.is_at(here):
        return True
    if live.velocity is None:
        return False
    ahead = (here.x - last.x) * live.velocity[0] + (here.y - last.y) * live.velocity[1]
    return ahead > 0 and math.log(here.width / last.width) * live.growth >= 0


def one_passage(host: LiveTrack, live: LiveTrack, gap_s: float, policy: TrackPolicy) -> bool:
    """Whether two tracks say the same plate and were never in one frame together."""
    if host.sequences & live.sequences:
        return False
    gap = max(host.first_ns - live.last_ns, live.first_ns - host.last_ns) * NANOSECONDS
    if gap > gap_s:
        return False
    (mine, my_weight), (theirs, their_weight) = host.text(), live.text()
    weakest, same = min(my_weight, their_weight), alike(mine, theirs)
    if same < 1 and weakest >= policy.surely_read:
        return False
    return same >= policy.same_text and weakest >= policy.sure / 2


def absorb(host: LiveTrack, live: LiveTrack) -> None:
    """Make `live` a part of `host`: they are of one passage."""
    host.reads += live.reads
    host.weights += live.weights
    host.others += live.others
    host.sequences |= live.sequences
    host.course.join(live.course)
    for text, behind in live.votes.items():
        host.votes[text] += behind
    if live.first_ns < host.first_ns:
        host.first_ns, host.first_box, host.track_id = live.first_ns, live.first_box, live.track_id
    if live.last_ns > host.last_ns:
        host.last_ns, host.last_box, host.velocity = live.last_ns, live.last_box, live.velocity


def centre(box: Box) -> tuple[float, float]:
    """The middle of a box."""
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
