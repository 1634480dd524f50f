"""Which reads are one vehicle's passage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from roadside.core.continuing import NANOSECONDS, LiveTrack, TrackPolicy, absorb, centre, likeness, one_passage
from roadside.core.duplicates import one_each
from roadside.core.fusion import quality, worth
from roadside.core.motion import FramePace
from roadside.core.passed import RESTED_S
from roadside.core.plates import fold
from roadside.core.reads import Track
from roadside.core.standing import Standing
from roadside.core.steady import SteadyTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.duplicates import OnePlate
    from roadside.core.frames import CameraId
    from roadside.core.reads import PlacedRead


class TrackBuilder:
    """Gathers the placed reads of one camera into tracks; a pure state machine that is told the time.

    Frames come in capture order, `update` once for each, with no reads too: that is how time passes. A time that falls
    is one of a clock that was set back, and holds nothing up.
    """

    def __init__(self, camera_id: CameraId, policy: TrackPolicy | None = None) -> None:
        self._camera_id = camera_id
        self._policy = policy or TrackPolicy()
        self._live: list[LiveTrack] = []
        self._steady = SteadyTime()
        self._taken = FramePace()
        self._looked_at = FramePace()
        self._frames_looked_at = 0
        self._since_ns: int | None = None

    @property
    def open_tracks(self) -> int:
        """How many tracks are still growing."""
        return len(self._live)

    @property
    def gap_s(self) -> float:
        """A vehicle not seen for longer has passed."""
        policy = self._policy
        interval_s = max(self._taken.interval_s, self._looked_at.interval_s)
        return min(
            max(policy.max_gap_s, policy.max_gap_frames * interval_s), max(policy.longest_gap_s, policy.max_gap_s)
        )

    def taken(self, captured_at_ns: int, sequence: int) -> None:
        """The camera took a picture then, its reads may come later: for the pace of the camera."""
        self._taken.note(captured_at_ns, sequence)

    def looked_at(self, captured_at_ns: int) -> None:
        """The next picture that is looked at was taken then: for the pace of whoever looks, where it is known."""
        self._frames_looked_at += 1
        self._looked_at.note(captured_at_ns, self._frames_looked_at)
        self._watched(captured_at_ns)

    def growing(self) -> tuple[Track, ...]:
        """What is known of the vehicles in view, oldest first; their tracks go on."""
        return tuple(self._close(live, left=False) for live in sorted(self._live, key=_by_age) if live.reads)

    def standing(self) -> tuple[Standing, ...]:
        """What stands in view now, of tracks that go on."""
        return tuple(
            Standing(live.course.rests_at, live.text()[0], live.course.rests_since_ns, live.last_ns)
            for live in self._live
            if live.course.rests_at is not None
            and (live.last_ns - live.course.rests_since_ns) * NANOSECONDS >= RESTED_S
        )

    def update(self, captured_at_ns: int, reads: Sequence[PlacedRead]) -> tuple[Track, ...]:
        """Takes the reads of the frame of `captured_at_ns`; the tracks that ended before it, oldest first."""
        told_ns = captured_at_ns
        if reads:
            captured_at_ns = self._steady.of(told_ns, reads[0].crop.sequence)
            self.taken(captured_at_ns, reads[0].crop.sequence)
        else:
            captured_at_ns = self._steady.waited(told_ns)
        self._watched(captured_at_ns)
        finished = self._retire(captured_at_ns)
        plates = one_each(reads)
        free = set(range(len(plates)))
        taken: set[int] = set()
        pairs = [
            (score, t, r)
            for t, live in enumerate(self._live)
            for r, plate in enumerate(plates)
            if (score := likeness(live, plate.placed, captured_at_ns, self._policy)) is not None
        ]
        for _, t, r in sorted(pairs, key=lambda entry: (-entry[0], entry[1], entry[2])):
            if r in free and t not in taken:
                free.discard(r)
                taken.add(t)
                self._extend(self._live[t], plates[r], captured_at_ns)
        self._live.extend(self._begin(plates[r], captured_at_ns) for r in sorted(free))
        return finished

    def expire(self, now_ns: int) -> tuple[Track, ...]:
        """Ends the tracks that are over at `now_ns`, though no picture came, oldest first: the camera may be gone."""
        return self._retire(self._steady.waited(now_ns))

    def flush(self) -> tuple[Track, ...]:
        """Ends every track, oldest first: the source is over."""
        return self._retire(None)

    def _watched(self, at_ns: int) -> None:
        if self._since_ns is None:
            self._since_ns = at_ns

    def _retire(self, now_ns: int | None) -> tuple[Track, ...]:
        """Takes out the tracks that are over at `now_ns` (None: all); pieces of one passage become one track."""
        gap_s = self.gap_s
        over = [live for live in self._live if now_ns is None or (now_ns - live.last_ns) * NANOSECONDS > gap_s]
        self._live = [live for live in self._live if live not in over]
        finished: list[LiveTrack] = []
        for live in sorted(over, key=_by_age):
            host = next((h for h in (*finished, *self._live) if one_passage(h, live, gap_s, self._policy)), None)
            if host is None:
                finished.append(live)
            else:
                absorb(host, live)
        tracks = [self._close(live, left=now_ns is not None) for live in finished if live.reads]
        if now_ns is not None:
            tracks += self._interim(now_ns)
        return tuple(tracks)

    def _interim(self, now_ns: int) -> list[Track]:
        """What is known of the vehicles that stay, whose tracks go on without it."""
        longest_s = self._policy.max_length_s
        tracks = []
        for live in sorted(self._live, key=_by_age):
            if live.reads and (now_ns - live.first_ns) * NANOSECONDS > longest_s:
                tracks.append(self._close(live, left=False))
                live.reads, live.weights, live.others = [], [], []
                live.first_ns, live.first_box = live.last_ns, live.last_box
                live.sequences = {max(live.sequences)}
                text, behind = live.text()
                live.votes.clear()
                live.votes[text] = behind
        return tracks

    def _begin(self, plate: OnePlate, now_ns: int) -> LiveTrack:
        box = plate.placed.crop.detection.box
        name = f"{self._camera_id}-{now_ns}-{round(box.x1)}x{round(box.y1)}"
        since_ns = now_ns if self._since_ns is None else self._since_ns
        attended = (now_ns - since_ns) * NANOSECONDS >= self._policy.attended_s
        live = LiveTrack(name, [], [], now_ns, now_ns, box, box, attended)
        self._add(live, plate)
        return live

    def _extend(self, live: LiveTrack, plate: OnePlate, now_ns: int) -> None:
        box, elapsed = plate.placed.crop.detection.box, (now_ns - live.last_ns) * NANOSECONDS
        if elapsed > 0:
            (x, y), (last_x, last_y) = centre(box), centre(live.last_box)
            now = ((x - last_x) / elapsed, (y - last_y) / elapsed)
            before = live.velocity or now
            live.velocity = ((before[0] + now[0]) / 2, (before[1] + now[1]) / 2)
            grown = math.log(max(1.0, box.width) / max(1.0, live.last_box.width)) / elapsed
            live.growth = (live.growth + grown) / 2
        live.last_ns, live.last_box = max(live.last_ns, now_ns), box
        self._add(live, plate)

    def _add(self, live: LiveTrack, plate: OnePlate) -> None:
        placed = plate.placed
        live.reads.append(placed)
        live.weights.append(quality(placed))
        live.others += plate.others
        live.sequences.add(placed.crop.sequence)
        live.course.add(placed.crop.detection.box, placed.crop.captured_at_ns, placed.crop.background)
        live.votes[fold(placed.read.text)] += placed.read.confidence
        self._keep_the_best(live)

    def _close(self, live: LiveTrack, *, left: bool) -> Track:
        self._keep_the_best(live)
        reads = sorted(live.reads, key=capture_order)
        return Track(
            self._camera_id,
            live.track_id,
            tuple(reads),
            tuple(live.others),
            (live.first_ns, live.last_ns),
            live.course.motion((live.last_ns - live.first_ns) * NANOSECONDS),
            live.attended and left and not live.course.was_carried,
            (live.last_ns - live.course.rests_since_ns) * NANOSECONDS,
            (live.first_box, live.last_box),
        )

    def _keep_the_best(self, live: LiveTrack) -> None:
        while len(live.reads) > self._policy.most_reads:
            worths = [worth(weight, placed.read) for weight, placed in zip(live.weights, live.reads, strict=True)]
            worst = worths.index(min(worths))
            live.others.append(live.reads[worst].crop.identity)
            del live.reads[worst], live.weights[worst]


def _by_age(live: LiveTrack) -> tuple[int, str]:
    return live.first_ns, live.track_id


def capture_order(placed: PlacedRead) -> tuple[int, int, float, float]:
    """Sorts reads by time, and those of one frame by their place: the same order however they came."""
    box = placed.crop.detection.box
    return placed.crop.captured_at_ns, placed.crop.sequence, box.x1, box.y1
