"""Whether a track is enough to speak of a vehicle: what its reads must show together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from roadside.core.company import has_company
from roadside.core.fusion import LEAST_CHARACTERS, Fusion, fuse
from roadside.core.motion import Motion
from roadside.core.plates import is_current, resolve
from roadside.core.sliding import slid

if TYPE_CHECKING:
    from roadside.core.reads import Track


class Reserve(StrEnum):
    """Why what was seen accuses nobody, though it is told: they stand before the doubts of the pictures."""

    STOOD = "never-moved"
    CARRIED = "camera-moves"
    DISAGREE = "reads-disagree"
    SLID = "slid-without-growing"
    COMPANY = "another-text-beside-it"


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
    least_exactness: float = 0.6
    """Share of the reads, weighed likewise, that say this plate exactly: with less it is told, and accuses nobody. No
    right accusation of 80 clean held-out vehicles had less, and two false ones of six that were spoilt further."""
    lone_confidence: float = 0.75
    """Of a plate that a single frame shows: with 0.85 two of 45 at 0.3 to 1 frame a second went untold."""
    least_width_px: float = 48.0
    """Of the plate where it is seen largest: under it characters are some five pixels wide, and reads that agree
    can agree on an error. A vehicle so far away is told of when it has come nearer."""
    least_score: float = 0.5
    """Of the best detection, in which the corner net says whether it is a plate: of 80 below it one was."""
    well_seen_frames: int = 3
    """A plate that moved, and was read in so many frames, is told of although they do not agree: a person can look."""
    of_vehicles: bool = True
    """Whether motion tells vehicles from lettering: not in single pictures."""
    of_courses: bool = True
    """Whether what goes like no vehicle is told so: not of one photograph that is moved about, which has no depth."""


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
    """The plate of `track`, with the reserves that it is told of; None where it is not evident, or is no plate."""
    if max(placed.crop.detection.box.width for placed in track.reads) < rule.least_width_px:
        return None
    if rule.of_vehicles and max(placed.crop.detection.score for placed in track.reads) < rule.least_score:
        return None
    fusion = fuse(track.reads)
    reserves = _of_motion(track.motion) if rule.of_vehicles else []
    if not is_evident(fusion, rule):
        if not _is_well_seen(track, fusion, rule):
            return None
        reserves.append(Reserve.DISAGREE)
    if not may_be_plate(fusion.plate.text, fusion.plate.country, moved=not rule.of_vehicles or not reserves):
        return None
    if rule.of_vehicles and fusion.exactness < rule.least_exactness and Reserve.DISAGREE not in reserves:
        reserves.append(Reserve.DISAGREE)
    if rule.of_vehicles and rule.of_courses:
        reserves += _of_surroundings(track)
    if not reserves:
        return fusion
    doubts = (*(reserve.value for reserve in reserves), *(fusion.plate.doubts or ()))
    return replace(fusion, plate=replace(fusion.plate, doubts=doubts))


def may_be_plate(text: str, country: str | None, *, moved: bool) -> bool:
    """Whether lettering may be a plate: a word is one where the country that was read allows it on plates.

    What is not known to have moved must be a usual plate of some country: else it is a camera's text or a sign.
    """
    if not any(character.isdigit() for character in text):
        return country is not None and any(meant == text and not form.series for meant, form in resolve(text, country))
    return moved or is_current(text, country) or is_current(text, None)


def is_fixture(track: Track, rule: EvidenceRule) -> bool:
    """Whether the plate never moved and was not seen to come and go, as signs, a camera's text and parked cars."""
    return rule.of_vehicles and track.motion is Motion.STOOD and not track.came_and_left


def _of_motion(motion: Motion) -> list[Reserve]:
    if motion is Motion.MOVED:
        return []
    return [Reserve.CARRIED if motion is Motion.CARRIED else Reserve.STOOD]


def _of_surroundings(track: Track) -> list[Reserve]:
    """What speaks against a vehicle that has this plate, of how it moved and of what moved with it."""
    found = [Reserve.SLID] if slid(track.reads) else []
    return [*found, Reserve.COMPANY] if has_company(track.reads) else found


def _is_well_seen(track: Track, fusion: Fusion, rule: EvidenceRule) -> bool:
    if not rule.of_vehicles or track.motion is not Motion.MOVED:
        return False
    frames = len({placed.crop.sequence for placed in track.reads})
    return frames >= rule.well_seen_frames and (rule.least_characters <= len(fusion.plate.text) <= rule.most_characters)
