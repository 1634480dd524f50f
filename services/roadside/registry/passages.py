"""From the track of a vehicle to its sighting, with a verdict and the pictures that show it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2

from roadside._version import __version__
from roadside.core.frames import Box
from roadside.core.moments import time_seen
from roadside.core.showing import EvidenceRule, fuse_track, is_fixture
from roadside.core.sightings import Picture, PictureKind, Sighting, VerdictKind
from roadside.core.view import View
from roadside.core.witness import heard, needs_witness
from roadside.errors import InputError
from roadside.registry.film_strip import film_strip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roadside.core.frames import CameraId, Crop
    from roadside.core.fusion import Fusion
    from roadside.core.known import KnownMatch
    from roadside.core.moments import PassageTime
    from roadside.core.reads import FusedPlate, PlacedRead, Track
    from roadside.core.sightings import Facts, Verdict
    from roadside.ports.witness import Witness
    from roadside.registry.judge import Judge

    FindFrame = Callable[[PlacedRead], Picture | None]
    FindKnown = Callable[[FusedPlate, int], Sequence[KnownMatch]]

EVERYTHING = View()


@dataclass(frozen=True, slots=True)
class Passage:
    """A vehicle that passed, ready to be stored."""

    sighting: Sighting
    pictures: tuple[Picture, ...]
    """The crop of the best read and, where they were made, its frame and the film strip."""


class PassageBuilder:
    """Makes passages of tracks under one judge and one rule of evidence."""

    def __init__(  # noqa: PLR0913 - each is one thing that it needs
        self,
        judge: Judge,
        rule: EvidenceRule | None = None,
        witness: Witness | None = None,
        *,
        view_of: Callable[[CameraId], View] = lambda _: EVERYTHING,
        find_known: FindKnown = lambda *_: (),
        strips: bool = False,
    ) -> None:
        """Without a `witness`, no UNPAID leaves the house before a person agrees.

        `view_of` has the line of a camera, `find_known` tells which known plates a plate may be at a time. With
        `strips` the reads of a passage are kept as a film strip where its plate is kept.
        """
        self._view_of = view_of
        self._find_known = find_known
        self._strips = strips
        self._judge = judge
        self._rule = rule or EvidenceRule()
        self._witness = witness

    def fusion(self, track: Track) -> Fusion | None:
        """The plate that `track` shows; None where its reads do not make one."""
        return fuse_track(track, self._rule)

    def passage(self, track: Track, fusion: Fusion, frame_of: FindFrame) -> Passage | None:
        """The passage that `track` shows, whose reads together are `fusion`; None where it is no vehicle's.

        `frame_of` finds the frame of the best read. The same track gives the same sighting id. What never moved is
        told where it paid: an advert, a sign or a car that stands there for days accuses nobody, and asks nobody
        to look.
        """
        span_ns = (track.first_seen_ns, track.last_seen_ns)
        seen, slack_ns = time_seen(span_ns, [(p.crop.captured_at_ns, p.crop.stamp) for p in track.reads])
        best = track.reads[fusion.best_index]
        verdict = self._verdict(fusion.plate, best, seen.widened(slack_ns))
        if is_fixture(track, self._rule) and verdict.kind not in (VerdictKind.PAID, VerdictKind.EXEMPT):
            return None
        sighting = Sighting(
            sighting_id=sighting_id(track),
            camera_id=track.camera_id,
            track_id=track.track_id,
            first_seen_ns=seen.first_ns,
            last_seen_ns=seen.last_ns,
            plate=fusion.plate,
            verdict=verdict,
            direction=self._view_of(track.camera_id).direction(track),
            speed=self._view_of(track.camera_id).speed_of(track),
            known=tuple(self._find_known(fusion.plate, seen.last_ns)),
        )
        sighting = replace(sighting, provenance=provenance_of(track))
        frame = frame_of(best)
        pictures = (crop_picture(best.crop), *([frame] if frame is not None else []))
        if not self._strips or verdict.kind in (VerdictKind.PAID, VerdictKind.EXEMPT):
            return Passage(sighting, pictures)
        strip = film_strip(track.reads, fusion.best_index)
        if strip is None:
            return Passage(sighting, pictures)
        return Passage(replace(sighting, plate=replace(fusion.plate, shown=strip[1])), (*pictures, strip[0]))

    def _verdict(self, plate: FusedPlate, best: PlacedRead, passed: PassageTime) -> Verdict:
        """The judge's, and what the second reader makes of the evidence where somebody would be accused."""
        verdict = self._judge.judge(plate, passed)
        if self._witness is None or not needs_witness(verdict):
            return verdict
        return heard(verdict, self._witness.testify(best.crop, plate))


def provenance_of(track: Track) -> Facts:
    """The version of the program, and every net that found or read the plate of `track`."""
    found = dict.fromkeys(placed.crop.model for placed in track.reads if placed.crop.model)
    read = dict.fromkeys(placed.read.model for placed in track.reads if placed.read.model)
    frames = len({placed.crop.sequence for placed in track.reads})
    nets = (*(("model.detector", each) for each in found), *(("model.reader", each) for each in read))
    return (("software", f"roadside {__version__}"), *nets, ("frames", str(frames)))


def sighting_id(track: Track) -> str:
    """A name for the passage that is the same however often it is handled, and tells nothing of the plate."""
    digest = hashlib.sha256(f"{track.camera_id}\n{track.track_id}".encode()).hexdigest()
    return digest[:24]


def crop_picture(crop: Crop) -> Picture:
    """The plate's picture as evidence: PNG, so that no pixel changes. Raises InputError without pixels."""
    box, (left, top) = crop.detection.box, crop.origin
    inside = Box(box.x1 - left, box.y1 - top, box.x2 - left, box.y2 - top)
    if crop.image.size == 0:
        raise InputError("a picture without pixels is no evidence")
    encoded, data = cv2.imencode(".png", crop.image)
    if not encoded:
        raise InputError("the picture cannot be encoded")
    return Picture(PictureKind.CROP, "image/png", data.tobytes(), inside)
