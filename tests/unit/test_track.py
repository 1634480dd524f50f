from __future__ import annotations

import math
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadside.core.continuing import TrackPolicy
from roadside.core.ctc import COLUMN, EMPTY, read_posterior
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.fusion import edit_distance, fuse, quality, sharpness, worth
from roadside.core.plates import fold
from roadside.core.poses import poses
from roadside.core.reads import ALPHABET, PlacedRead, Track
from roadside.core.showing import EvidenceRule, fuse_track
from roadside.core.track import TrackBuilder

if TYPE_CHECKING:
    import random

    from numpy.typing import NDArray

SECOND = 1_000_000_000
FRAME_NS = 40_000_000
GATE = CameraId("gate")
plates = st.text(ALPHABET, min_size=5, max_size=8)


def picture(seed: int = 0, blur: int = 0) -> NDArray[np.uint8]:
    columns = np.random.default_rng(seed).choice([30, 220], 40)
    image = np.repeat(np.repeat(columns, 4)[None, :], 40, 0).astype(np.uint8)
    for _ in range(blur):
        image = ((image.astype(int) + np.roll(image, 1, 1) + np.roll(image, -1, 1)) // 3).astype(np.uint8)
    return np.repeat(image[..., None], 3, 2)


def placed(
    text: str,
    sure: float = 0.95,
    frame: int = 0,
    *,
    x: float = 100,
    y: float = 100,
    width: float = 100,
    country: str = "UK",
    rivals: dict[int, str] | None = None,
    blur: int = 0,
) -> PlacedRead:
    """A read of `text`; in the slots of `rivals` another character has nearly all the rest of the probability."""
    posterior = np.full((len(text), 36), (1 - sure) / 35, np.float32)
    for place, character in enumerate(text):
        row = posterior[place]
        if rivals and place in rivals:
            row[:] = 0.001
            row[COLUMN[rivals[place]]] = 1 - sure
        row[COLUMN[character]] = sure
        row /= row.sum()
    read = read_posterior(posterior, text, 0.98, ((country, 0.9), ("XX", 0.1)))
    detection = Detection(Box(x, y, x + width, y + width / 4.5), 0.9)
    return PlacedRead(Crop(GATE, frame * FRAME_NS, frame, detection, picture(frame, blur)), read)


def drive(frames: list[list[PlacedRead]], policy: TrackPolicy | None = None, frame_ns: int = FRAME_NS) -> list[Track]:
    builder = TrackBuilder(GATE, policy)
    tracks = [t for i, reads in enumerate(frames) for t in builder.update(i * frame_ns, reads)]
    tracks += builder.flush()
    assert builder.open_tracks == 0
    return tracks


def text_of(track: Track) -> str | None:
    fusion = fuse_track(track, EvidenceRule())
    return fusion.plate.text if fusion else None


def test_a_car_that_drives_through_is_one_track_in_capture_order() -> None:
    frames = [[placed("AB12CDE", frame=i, x=50 + 30 * i)] for i in range(12)]
    (track,) = drive(frames)
    assert [r.crop.sequence for r in track.reads] == list(range(12))
    assert text_of(track) == "AB12CDE"


def test_flickering_text_stays_one_vehicle() -> None:
    texts = ["AB12CDE", "A812CDE", "AB12CE", "AB12CDE", "4B12COE", "AB12CDE", "8I2CDE"]
    (track,) = drive([[placed(t, 0.8, i, x=50 + 20 * i)] for i, t in enumerate(texts)])
    assert text_of(track) == "AB12CDE"


@pytest.mark.parametrize("missing", [{3}, {1}, {2, 5}, {4, 5}])
def test_dropouts_do_not_split_a_track(missing: set[int]) -> None:
    frames = [[] if i in missing else [placed("AB12CDE", frame=i, x=50 + 40 * i)] for i in range(9)]
    assert len(drive(frames)) == 1


def test_two_cars_in_one_frame_are_two_tracks() -> None:
    frames = [
        [placed("AB12CDE", frame=i, x=50 + 30 * i), placed("XY65ZZT", frame=i, x=500 - 30 * i, y=110)]
        for i in range(14)
    ]
    tracks = drive(frames)
    assert sorted(text_of(t) or "" for t in tracks) == ["AB12CDE", "XY65ZZT"]
    assert [len(t.reads) for t in tracks] == [14, 14]


def test_two_cars_of_one_plate_in_one_frame_are_not_joined() -> None:
    frames = [[placed("AB12CDE", frame=i), placed("AB12CDE", frame=i, y=400)] for i in range(4)]
    assert len(drive(frames)) == 2


def test_the_next_car_at_a_gate_is_another_vehicle() -> None:
    frames = [[placed("AB12CDE", frame=i)] for i in range(5)] + [[] for _ in range(10)]
    frames += [[placed("XY65ZZT", frame=i)] for i in range(15, 20)]
    assert [text_of(t) for t in drive(frames)] == ["AB12CDE", "XY65ZZT"]


def test_the_same_car_after_the_gap_is_seen_again() -> None:
    frames = [[placed("AB12CDE", 0.99)], *[[] for _ in range(60)], [placed("AB12CDE", 0.99, 61)]]
    tracks = drive(frames)
    assert [text_of(t) for t in tracks] == ["AB12CDE", "AB12CDE"]
    assert len({t.track_id for t in tracks}) == 2


def test_a_track_ends_when_its_time_is_over_and_not_before() -> None:
    builder = TrackBuilder(GATE, TrackPolicy(max_gap_s=1.0))
    builder.update(0, [placed("AB12CDE")])
    assert builder.update(SECOND, []) == ()
    (track,) = builder.update(SECOND + 1, [])
    assert len(track.reads) == 1
    assert builder.flush() == ()


def test_a_car_that_jumps_is_known_by_its_plate() -> None:
    frames = [[placed("AB12CDE", frame=0, x=50)], [placed("AB12CDE", frame=1, x=900, y=600)]]
    assert len(drive(frames)) == 1


def test_pieces_of_one_passage_are_joined_when_they_turn_out_to_be_one() -> None:
    frames = [[placed("JJJJJ", 0.2, 0, x=50)], [placed("AB12CDE", 0.95, 1, x=50 + 800)]]
    frames += [[placed("AB12CDE", 0.95, i, x=800 - 300 * (i % 2))] for i in range(2, 8)]
    tracks = drive(frames)
    assert [text_of(t) for t in tracks if text_of(t)] == ["AB12CDE"]


def test_the_name_of_a_track_is_the_same_when_it_is_gathered_again() -> None:
    frames = [[placed("AB12CDE", frame=i), placed("XY65ZZT", frame=i, y=300)] for i in range(4)]
    names = [t.track_id for t in drive(frames)]
    assert names == [t.track_id for t in drive(frames)]
    assert len(set(names)) == 2


def test_a_parked_car_neither_fills_the_memory_nor_waits_for_ever() -> None:
    builder = TrackBuilder(GATE, TrackPolicy(most_reads=8, max_length_s=4.0))
    done = [t for i in range(250) for t in builder.update(i * FRAME_NS, [placed("AB12CDE", frame=i)])]
    assert len(done) == 2
    assert all(len(t.reads) <= 8 for t in done)


def test_a_long_track_keeps_its_best_reads_and_names_the_others() -> None:
    reads = [placed("AB12CDE", 0.5 + 0.04 * (frame % 11), frame) for frame in range(30)]
    (track,) = drive([[read] for read in reads], TrackPolicy(most_reads=8))
    best = sorted(reads, key=lambda p: worth(quality(p), p.read), reverse=True)[:8]
    assert {p.crop.sequence for p in track.reads} == {p.crop.sequence for p in best}
    assert set(track.identities) == {p.crop.identity for p in reads}
    assert (track.first_seen_ns, track.last_seen_ns) == (0, 29 * FRAME_NS), "those that are not kept count as well"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(plates, st.floats(0.3, 0.99), st.floats(0, 900), st.floats(0, 500)), max_size=12))
def test_no_read_is_lost_or_told_twice(rows: list[tuple[str, float, float, float]]) -> None:
    frames = [[placed(t, sure, i // 2, x=x + i, y=y)] for i, (t, sure, x, y) in enumerate(rows)]
    builder = TrackBuilder(GATE)
    tracks: list[Track] = []
    for i in range(0, len(frames), 2):
        reads = [r for frame in frames[i : i + 2] for r in frame]
        tracks += builder.update(i // 2 * FRAME_NS, reads)
    tracks += builder.flush()
    told = [identity for t in tracks for identity in t.identities]
    assert sorted(told) == sorted(r.crop.identity for frame in frames for r in frame)
    for track in tracks:
        sequences = [r.crop.sequence for r in track.reads]
        assert sequences == sorted(set(sequences))


def test_one_read_is_its_own_fusion() -> None:
    only = placed("AB12CDE", 0.9)
    fusion = fuse([only])
    assert fusion.plate.text == only.read.text
    assert fusion.plate.confidence == only.read.confidence
    assert np.array_equal(fusion.plate.posterior, only.read.posterior)
    assert (fusion.best_index, fusion.agreeing, fusion.agreement, fusion.plate.looks) == (0, 1, 1.0, 1)


def test_no_read_is_no_plate() -> None:
    with pytest.raises(ValueError, match="no read"):
        fuse([])


def test_fused_reads_are_right_where_each_single_one_is_wrong() -> None:
    """Three reads, each wrong in another slot: the vote has no winner, the sum has."""
    reads = [
        placed("A8I2CDF", 0.6, 0, rivals={1: "B", 6: "E"}),
        placed("AB12GDE", 0.6, 1, rivals={4: "C"}),
        placed("AB1ZCDE", 0.6, 2, rivals={3: "2"}),
    ]
    fusion = fuse(reads)
    assert fusion.plate.text == "AB12CDE"
    assert fusion.plate.country == "UK"


def test_agreement_makes_surer_but_not_sure() -> None:
    one, three = fuse([placed("AB12CDE", 0.9)]), fuse([placed("AB12CDE", 0.9, i) for i in range(3)])
    assert one.plate.confidence < three.plate.confidence < 1 - 1e-6


def test_a_missing_character_in_one_read_is_aligned_away() -> None:
    reads = [placed("AB12CDE", 0.9, i) for i in range(3)] + [placed("B12CDE", 0.9, 3), placed("AB12CDEE", 0.7, 4)]
    fusion = fuse(reads)
    assert fusion.plate.text == "AB12CDE"
    assert fusion.plate.posterior.shape == (7, 36)


def test_stumps_that_agree_do_not_cut_a_plate_short() -> None:
    stumps = [placed("B", 0.9, i) for i in range(3)] + [placed("B12", 0.9, 3)]
    assert fuse([*stumps, placed("AB12CDE", 0.6, 4)]).plate.text == "AB12CDE"
    assert fuse(stumps).plate.text == "B"


def test_sharp_and_large_reads_outweigh_blurred_and_small_ones() -> None:
    good = placed("AB12CDE", 0.9, 0, width=160)
    poor = [placed("AB12CDF", 0.9, i, width=25, blur=12) for i in (1, 2)]
    assert quality(good) > 3 * quality(poor[0])
    assert fuse([good, *poor]).plate.text == "AB12CDE"
    assert fuse([good, *poor]).best_index == 0


def test_a_strip_of_a_crop_takes_no_memory_to_be_weighed() -> None:
    strip = np.random.default_rng(0).integers(0, 255, (2, 30_000, 3), np.uint8)
    tracemalloc.start()
    assert 0 < sharpness(strip) <= 1
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_sharpness_falls_with_blur_whatever_the_contrast() -> None:
    sharp, blurred = picture(1), picture(1, blur=8)
    assert sharpness(sharp) > 1.5 * sharpness(blurred)
    assert sharpness((sharp // 2).astype(np.uint8)) == pytest.approx(sharpness(sharp), rel=0.05)
    assert sharpness(np.zeros((0, 0, 3), np.uint8)) == 0.5
    assert sharpness(np.full((20, 80, 3), 90, np.uint8)) == 0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(plates, st.floats(0.2, 0.999), st.integers(0, 6)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_frames_does_not_matter(rows: list[tuple[str, float, int]], rng: random.Random) -> None:
    reads = [placed(text, sure, i, blur=blur) for i, (text, sure, blur) in enumerate(rows)]
    shuffled = reads[:]
    rng.shuffle(shuffled)
    one, other = fuse(reads), fuse(shuffled)
    assert one.plate.text == other.plate.text
    assert one.plate.raw == other.plate.raw
    assert one.plate.country == other.plate.country
    assert one.plate.confidence == other.plate.confidence
    assert np.array_equal(one.plate.posterior, other.plate.posterior)
    assert one.plate.alternatives == other.plate.alternatives
    assert reads[one.best_index] is shuffled[other.best_index]
    assert (one.agreeing, one.agreement, one.plate.looks) == (other.agreeing, other.agreement, other.plate.looks)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(plates, st.floats(0.2, 0.999)), min_size=1, max_size=6))
def test_a_fused_plate_is_well_formed(rows: list[tuple[str, float]]) -> None:
    plate = fuse([placed(text, sure, i) for i, (text, sure) in enumerate(rows)]).plate
    assert plate.posterior.shape == (len(plate.text), 36)
    assert plate.posterior.sum(1) == pytest.approx(1, abs=1e-4)
    assert 0 <= plate.confidence <= 1
    assert plate.alternatives[0].text == plate.text
    assert sum(math.exp(a.log_p) for a in plate.alternatives) <= 1 + 1e-5
    assert 1 <= plate.looks <= len(rows)


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ([placed("AB12CDE", 0.99)], "AB12CDE"),
        ([placed("AB12CDE", 0.97)], "AB12CDE"),
        ([placed("AB12CDE", 0.9)], None),
        ([placed("AB12CDE", 0.9, 0), placed("AB12CDE", 0.9, 1, x=200)], "AB12CDE"),
        ([placed("TAXI123", 0.5, 0), placed("7BXH", 0.5, 1), placed("QLCE9", 0.5, 2)], None),
        ([placed("U", 0.99, i) for i in range(5)], None),
        ([placed("ABCDEFGHIJKLM", 0.99, i) for i in range(5)], None),
    ],
    ids=[
        "one sure",
        "one that is 0.81 sure",
        "one unsure",
        "two that agree",
        "three that do not",
        "too short",
        "too long",
    ],
)
def test_a_sighting_needs_evidence(reads: list[PlacedRead], expected: str | None) -> None:
    track = Track(GATE, "t", tuple(reads))
    assert text_of(track) == expected


def test_a_plate_that_was_too_far_to_be_read_at_first_is_not_doubted() -> None:
    far = [PlacedRead(placed("A", frame=i, width=30).crop, EMPTY) for i in range(20)]
    track = Track(GATE, "t", (*far, *(placed("AB12CDE", 0.95, i, x=60 * i) for i in range(20, 23))))
    fusion = fuse_track(track, EvidenceRule())
    assert fusion is not None
    assert (fusion.plate.text, fusion.plate.looks) == ("AB12CDE", 3)
    assert fusion.best_index >= 20


def test_a_look_that_read_something_else_does_not_count_as_one() -> None:
    reads = [placed("AB12CDE", 0.95, 0), placed("AB12CDE", 0.95, 1, x=200), placed("AB12CDF", 0.6, 2, x=300)]
    fusion = fuse(reads)
    assert (fusion.agreeing, fusion.plate.looks) == (3, 2)


def test_frames_of_one_pose_are_one_look_however_many() -> None:
    """A tilted G that is read as C is read so for as long as the vehicle stands."""
    standing = [placed("ABC2CDE", 0.98, i, x=100 + i % 3, width=100 + i % 2) for i in range(32)]
    one, many = fuse(standing[:1]).plate, fuse(standing).plate
    assert many.looks == 1
    assert many.confidence <= one.confidence + 0.02
    assert many.posterior[2].max() < 0.99


@pytest.mark.parametrize(("step_px", "growth", "looks"), [(55, 1.0, 4), (0, 1.11, 4), (10, 1.0, 1), (0, 1.03, 1)])
def test_a_look_is_new_where_place_or_size_have_changed(step_px: float, growth: float, looks: int) -> None:
    reads = [placed("AB12CDE", 0.9, i, x=100 + step_px * i - 50 * growth**i, width=100 * growth**i) for i in range(4)]
    assert fuse(reads).plate.looks == looks


def test_a_pose_that_comes_again_is_no_new_look() -> None:
    there, here = Box(0, 0, 100, 20), Box(300, 0, 400, 20)
    assert poses([there, here, there, here]) == (0, 1, 0, 1)
    assert poses([]) == ()


def test_poses_of_one_passage_are_less_than_looks_of_their_own() -> None:
    """They share light, dirt and what the reader cannot tell apart: a C that is read as G twice is no sure G."""
    moving = [placed("ABG2CDE", 0.8, i, x=300 * i, rivals={2: "C"}) for i in range(4)]
    slots = [fuse(moving[:count]).plate.posterior[2] for count in (1, 2, 4)]
    one, two, four = (slot[COLUMN["G"]] / slot[COLUMN["C"]] for slot in slots)
    assert two == pytest.approx(one**1.5, rel=0.05)
    assert four == pytest.approx(one**2, rel=0.05)
    assert fuse(moving).presence > fuse(moving).plate.confidence, "that a plate was there is surer than which one"


def test_many_frames_of_one_pose_weigh_no_more_than_one() -> None:
    """Twenty frames of a standing vehicle do not outvote three that see it from elsewhere."""
    standing = [placed("ABC2CDE", 0.9, i, rivals={2: "G"}) for i in range(20)]
    moving = [placed("ABG2CDE", 0.9, 20 + i, x=200 + 100 * i, rivals={2: "C"}) for i in range(3)]
    assert fuse([*standing, *moving]).plate.text == "ABG2CDE"


def test_empty_reads_are_no_sighting_and_agree_with_nothing() -> None:
    empty = placed("A", 0.9).read
    crop = placed("A").crop
    nothing = PlacedRead(crop, read_posterior(empty.posterior[:0], "", 1.0))
    fusion = fuse([nothing, nothing])
    assert (fusion.plate.text, fusion.agreeing, fusion.plate.confidence) == ("", 0, 0)
    assert fuse_track(Track(GATE, "t", (nothing,)), EvidenceRule()) is None


@given(plates, plates, plates)
def test_the_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    assert edit_distance(a, a) == 0
    assert edit_distance(a, b) == edit_distance(b, a)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
    assert edit_distance(fold(a), fold(b)) <= edit_distance(a, b)
