"""The frame that becomes evidence is that of the read which the fusion calls its best."""

from __future__ import annotations

import dataclasses

import numpy as np

from roadside.core.blurring import hide
from roadside.core.events import EncodedPicture, PictureEncoding, PixelPicture
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import PlacedRead, Read
from roadside.registry.evidence import KEPT_S, UNENCODED_KEPT_BYTES, EvidenceFrames
from roadside.wire.pictures import decode_picture

GATE = CameraId("gate")
SECOND = 1_000_000_000
TEXTURE = np.random.default_rng(5).integers(0, 255, (40, 160, 3), np.uint8)


def look(text: str, confidence: float, sequence: int, at_s: float = 0.0) -> PlacedRead:
    crop = Crop(GATE, round(at_s * SECOND) + sequence, sequence, Detection(Box(0, 0, 120, 30), 0.9), TEXTURE)
    return PlacedRead(crop, Read(text, text, "UK", confidence, (), np.zeros((len(text), 36), np.float32)))


def frame(value: int) -> PixelPicture:
    return PixelPicture(np.full((48, 64, 3), value, np.uint8))


def test_the_best_look_at_a_text_keeps_its_frame() -> None:
    frames = EvidenceFrames()
    worse, best = look("AB12CDE", 0.7, 1), look("AB12CDE", 0.9, 2)
    frames.offer(best, frame(200))
    frames.offer(worse, frame(10))
    assert frames.take(worse) is None
    taken = frames.take(best)
    assert taken is not None
    assert taken.data == frame(200).jpeg().data


def test_of_equal_looks_the_earliest_wins_in_whatever_order_they_come() -> None:
    looks = [look("AB12CDE", 0.9, sequence) for sequence in range(4)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        frames = EvidenceFrames()
        for place in order:
            frames.offer(looks[place], frame(place))
        assert frames.take(looks[0]) is not None


def test_a_plate_that_comes_back_has_a_frame_of_its_own() -> None:
    """Though it is seen less well than the first time, half a minute before."""
    frames = EvidenceFrames()
    first, again = look("AB12CDE", 0.99, 1), look("AB12CDE", 0.7, 9, at_s=30)
    frames.offer(first, frame(1))
    assert frames.take(first) is not None
    frames.offer(again, frame(9))
    assert frames.take(again) is not None


def test_a_plate_that_passes_again_before_it_was_told_of_has_both_frames() -> None:
    """After an outage the reads of minutes come at once; seen better the second time, it took the first one's frame."""
    frames = EvidenceFrames()
    first, again = look("AB12CDE", 0.7, 1), look("AB12CDE", 0.99, 9, at_s=30)
    frames.offer(first, frame(1))
    frames.offer(again, frame(9))
    for seen, value in ((first, 1), (again, 9)):
        taken = frames.take(seen)
        assert taken is not None
        assert taken.data == frame(value).jpeg().data


def test_what_no_track_can_ask_for_is_dropped() -> None:
    frames = EvidenceFrames()
    old = look("AB12CDE", 0.9, 1)
    frames.offer(old, frame(1))
    frames.forget_before(round((KEPT_S + 1) * SECOND))
    assert frames.take(old) is None


def test_frames_beyond_a_few_are_kept_as_jpeg() -> None:
    frames = EvidenceFrames()
    kept = UNENCODED_KEPT_BYTES // (1280 * 720 * 3)
    pictures = [frame(value) for value in range(kept + 3)]
    for sequence, picture in enumerate(pictures):
        frames.offer(look(f"AB{sequence:02}CDE", 0.9, sequence), picture)
    unencoded = [kept for kept in frames._kept.values() if kept.picture is not None]  # noqa: SLF001 - memory is the point
    assert len(unencoded) == kept == 8
    assert frames.take(look("AB00CDE", 0.9, 0)) is not None


def test_large_frames_are_kept_as_jpeg_sooner() -> None:
    frames = EvidenceFrames()
    for sequence in range(3):
        seen = look(f"AB{sequence:02}CDE", 0.9, sequence)
        crop = dataclasses.replace(seen.crop, frame_size=(3840, 2160))
        frames.offer(PlacedRead(crop, seen.read), frame(sequence))
    assert all(kept.picture is None for kept in frames._kept.values())  # noqa: SLF001 - memory is the point


def _striped(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Light and dark stripes: what can be told apart can be read."""
    picture = np.full((height, width, 3), 230, np.uint8)
    picture[:, (np.arange(width) // 6) % 2 == 0] = 20
    return picture


MINE, OTHER, NEXT_TO_MINE = Box(40, 40, 160, 70), Box(300, 100, 420, 130), Box(150, 45, 270, 75)


def _spread(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], box: Box) -> float:
    """How far the middle of a box is from one colour."""
    inside = picture[int(box.y1) + 4 : int(box.y2) - 4, int(box.x1) + 14 : int(box.x2) - 14]
    return float(inside.std(axis=1).mean())


def test_other_plates_in_the_frame_are_unreadable_and_the_accused_one_is_not() -> None:
    street = PixelPicture(_striped(640, 240))
    seen = look("AB12CDE", 0.9, 1)
    crop = dataclasses.replace(seen.crop, detection=Detection(MINE, 0.9), others=(OTHER, NEXT_TO_MINE))
    frames = EvidenceFrames()
    placed = PlacedRead(crop, seen.read)
    frames.offer(placed, street)
    taken = frames.take(placed)
    assert taken is not None
    shown = decode_picture(EncodedPicture(PictureEncoding.JPEG, taken.data))
    plain = decode_picture(street.jpeg())
    assert _spread(plain, OTHER) > 80
    assert _spread(shown, OTHER) < 20
    assert _spread(shown, Box(170, 45, 270, 75)) < 45, "of one that touches the accused plate, the rest"
    assert np.abs(shown[40:70, 40:160].astype(int) - plain[40:70, 40:160]).mean() < 8


def test_a_frame_without_other_plates_keeps_its_bytes() -> None:
    seen = look("AB12CDE", 0.9, 1)
    frames, street = EvidenceFrames(), PixelPicture(_striped(640, 240))
    frames.offer(seen, street)
    taken = frames.take(seen)
    assert taken is not None
    assert taken.data == street.jpeg().data


def test_a_plate_found_twice_is_never_hidden() -> None:
    picture = _striped(640, 240)
    twin = Box(MINE.x1 - 2, MINE.y1, MINE.x2 + 2, MINE.y2 + 1)
    assert np.array_equal(hide(picture, [twin], [MINE])[40:70, 40:160], picture[40:70, 40:160])


def test_boxes_beyond_the_picture_are_cut() -> None:
    picture = _striped(64, 48)
    beyond = [Box(-50, -50, 10, 10), Box(60, 40, 400, 300), Box(500, 500, 600, 600), Box(-900, -900, -800, -800)]
    assert hide(picture, beyond).shape == picture.shape
