"""A passage is told once, and what is no passage is not told: the registry's stage before synthetic reads."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadside.adapters.system_clock import SystemClock
from roadside.core.confusions import typical
from roadside.core.ctc import COLUMN, read_posterior
from roadside.core.events import ReadEvent
from roadside.core.frames import END_OF_TIME_NS, Box, CameraId, Crop, Detection
from roadside.core.motion import Course, Motion
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.core.view import View
from roadside.core.vignettes import RegistryAnswer, Vignette
from roadside.registry.judge import Judge
from roadside.registry.passages import PassageBuilder
from roadside.registry.stage import GatherStage
from tests.unit.test_gather import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.sightings import Sighting
    from roadside.core.vignettes import CandidateQuery

GATE = CameraId("gate")
START_NS = 1_800_000_000_000_000_000
TEXTURE = np.repeat(np.random.default_rng(3).choice([30, 220], (1, 220)), 40, 0).astype(np.uint8)
PICTURE = np.repeat(TEXTURE[..., None], 3, 2)


@dataclass(frozen=True)
class Look:
    """Where a plate is at a moment, and what is read there."""

    text: str
    x: float
    y: float
    width: float = 110.0
    sure: float = 0.999


Scene = "Callable[[float], Iterable[Look]]"


class Paid:
    """A registry of vignettes without end."""

    def __init__(self, *plates: str) -> None:
        self._plates = plates

    def search(self, query: CandidateQuery, at_ns: int) -> RegistryAnswer:
        del query, at_ns
        return RegistryAnswer(tuple(Vignette(fold(p), "UK", "car", 0, END_OF_TIME_NS) for p in self._plates), ())


def event(look: Look, at_s: float, sequence: int) -> ReadEvent:
    posterior = np.full((len(look.text), 36), (1 - look.sure) / 35, np.float32)
    for slot, character in enumerate(look.text):
        posterior[slot, COLUMN[character]] = look.sure
    read = read_posterior(posterior, look.text, 0.995, (("UK", 0.95), ("XX", 0.05)))
    box = Box(look.x, look.y, look.x + look.width, look.y + look.width / 4.7)
    crop = Crop(GATE, START_NS + round(at_s * 1e9), sequence, Detection(box, 0.78), PICTURE, (0, 0))
    return ReadEvent(crop, None, read)


def gathering(*paid: str, view: View | None = None) -> GatherStage:
    judge = Judge(Paid(*paid), typical(), Policy(), SystemClock())
    return GatherStage(PassageBuilder(judge, view_of=lambda _: view or View()), Counts())


@dataclass(frozen=True)
class Told:
    sighting: Sighting
    at_s: float
    """When it was told."""

    @property
    def text(self) -> str:
        assert self.sighting.plate is not None
        return self.sighting.plate.text

    @property
    def kind(self) -> VerdictKind:
        return self.sighting.verdict.kind


def watch(scene: Scene, seconds: float, fps: float, *paid: str, restart_s: Sequence[float] = ()) -> list[Told]:
    """What is told of `scene` by a camera that takes `fps` frames a second; the gathering dies at `restart_s`."""
    stage = gathering(*paid)
    held: dict[str, ReadEvent] = {}
    told: list[Told] = []
    restarts = list(restart_s)
    for sequence in range(round(seconds * fps)):
        at_s = sequence / fps
        if restarts and at_s >= restarts[0]:
            restarts.pop(0)
            remembered, stage = stage.memory(GATE), gathering(*paid)
            stage.recall(GATE, remembered)
            for one in held.values():
                stage.take(one)
        for look in scene(at_s):
            one = event(look, at_s, sequence)
            held[one.identity] = one
            stage.take(one)
        stage.looked_at(GATE, START_NS + round(at_s * 1e9))
        told += _advanced(stage, at_s, held)
    stage_end = stage.advance(GATE, END_OF_TIME_NS)
    return told + [Told(given.sighting, seconds) for one in stage_end for given in one.outputs]


def _advanced(stage: GatherStage, at_s: float, held: dict[str, ReadEvent]) -> list[Told]:
    told = []
    for conclusion in stage.advance(GATE, START_NS + round(at_s * 1e9)):
        for identity in conclusion.identities:
            del held[identity]
        told += [Told(given.sighting, at_s) for given in conclusion.outputs]
    return told


def passing(text: str, begins_s: float, lasts_s: float, *, sure: float = 0.999) -> Scene:
    """A vehicle that comes nearer: 40 to 150 px of plate in `lasts_s` seconds."""

    def at(now_s: float) -> list[Look]:
        share = (now_s - begins_s) / lasts_s
        if not 0 <= share <= 1:
            return []
        width = 50 * 3**share
        return [Look(text, 600 - 500 * (width / 150) ** 2, 200 + 400 * (width / 150) ** 2, width, sure)]

    return at


def together(*scenes: Scene) -> Scene:
    return lambda at_s: [look for scene in scenes for look in scene(at_s)]


def standing(text: str, x: float, y: float, begins_s: float = 0.0, ends_s: float = math.inf) -> Scene:
    """What keeps its place, boxed as a detector boxes it."""

    def at(now_s: float) -> list[Look]:
        if not begins_s <= now_s <= ends_s:
            return []
        wobble = math.sin(now_s * 7.3)
        return [Look(text, x + 2 * wobble, y + wobble, 110 + 3 * wobble)]

    return at


def parking(text: str, arrives_s: float, leaves_s: float = math.inf, *, hidden: tuple[float, float] = (0, 0)) -> Scene:
    """A vehicle that comes for 4 s, stands, and drives away for 4 s."""
    coming, going = passing(text, arrives_s, 4), passing(text, leaves_s - 4, 8)

    def at(now_s: float) -> list[Look]:
        if hidden[0] <= now_s < hidden[1] or not arrives_s <= now_s:
            return []
        if now_s < arrives_s + 2:
            return coming(now_s)
        looks = coming(arrives_s + 2) if now_s < leaves_s else going(now_s)
        return [replace(look, x=look.x + math.sin(now_s * 5)) for look in looks]

    return at


@pytest.mark.parametrize("fps", [10, 5, 2, 1, 0.7])
def test_a_passage_is_told_once_at_any_pace(fps: float) -> None:
    street = together(*(passing(f"AB{n}2CDE", 14.0 * n, 8) for n in range(1, 8)))
    told = watch(street, 130, fps)
    assert [one.text for one in told] == [f"AB{n}2CDE" for n in range(1, 8)]
    ends_s = [14.0 * n + 8 for n in range(1, 8)]
    late = [one.at_s - end for one, end in zip(told, ends_s, strict=True)]
    assert max(late) <= max(2.0, 4 / fps + 0.01)


@pytest.mark.parametrize("fps", [10, 2, 1])
def test_the_same_plate_comes_again_and_again(fps: float) -> None:
    street = together(*(passing("AB12CDE", 12.4 * lap, 8) for lap in range(6)))
    assert len(watch(street, 80, fps)) == 6, "a street that is played in a loop"


@pytest.mark.parametrize("fps", [5, 1, 0.3])
def test_a_parked_vehicle_is_told_once(fps: float) -> None:
    told = watch(parking("AB12CDE", 10), 20 * 60, fps, "AB12CDE")
    assert [(one.text, one.kind) for one in told] == [("AB12CDE", VerdictKind.PAID)]
    assert told[0].at_s < 90


@pytest.mark.parametrize("fps", [10, 2])
def test_a_vehicle_that_stops_at_a_gate_and_goes_on_is_one_passage(fps: float) -> None:
    assert len(watch(parking("AB12CDE", 10, 190), 240, fps)) == 1


def test_a_vehicle_that_left_and_came_back_is_told_again() -> None:
    told = watch(together(parking("AB12CDE", 10, 100), parking("AB12CDE", 700, 800)), 900, 2)
    assert len(told) == 2


def test_two_vehicles_of_one_plate_half_an_hour_apart_are_two() -> None:
    street = together(passing("AB12CDE", 5, 6), passing("AB12CDE", 1805, 6))
    assert len(watch(street, 1830, 2)) == 2


@pytest.mark.parametrize("hidden_s", [2.0, 5.0, 15.0])
@pytest.mark.parametrize("fps", [10, 2])
def test_a_vehicle_that_is_hidden_is_one_passage(fps: float, hidden_s: float) -> None:
    slow = passing("AB12CDE", 1, 40)
    behind = watch(lambda s: [] if 12 <= s < 12 + hidden_s else slow(s), 60, fps)
    assert [one.text for one in behind] == ["AB12CDE"]
    standing_still = parking("AB12CDE", 1, 60, hidden=(20, 20 + hidden_s))
    assert len(watch(standing_still, 90, fps)) == 1


def test_a_camera_that_drops_for_twenty_seconds_tells_at_once_when_it_is_back() -> None:
    street = together(passing("AB12CDE", 2, 6), passing("XY65ZZT", 40, 6))

    def dropped(at_s: float) -> list[Look]:
        return [] if 6 <= at_s < 26 else list(street(at_s))

    assert [one.text for one in watch(dropped, 60, 5)] == ["AB12CDE", "XY65ZZT"]


def test_time_that_passes_without_a_frame_ends_a_track() -> None:
    stage = gathering()
    street = passing("AB12CDE", 0, 3)
    for sequence in range(30):
        for look in street(sequence / 10):
            stage.take(event(look, sequence / 10, sequence))
        assert not stage.advance(GATE, START_NS + sequence * 100_000_000)
    assert not stage.advance(GATE, START_NS + 4_300_000_000)
    (told,) = stage.advance(GATE, START_NS + 4_500_000_000)
    assert len(told.outputs) == 1


@pytest.mark.parametrize("boxes", [(30.0, 0.0), (0.0, 20.0), (80.0, 6.0)])
def test_a_plate_that_is_boxed_twice_is_one_vehicle(boxes: tuple[float, float]) -> None:
    street = passing("AB12CDE", 1, 5)

    def twice(at_s: float) -> list[Look]:
        looks = street(at_s)
        odd = int(at_s * 10) % 3 == 0
        return [*looks, *(replace(k, x=k.x + boxes[0] * k.width / 110, y=k.y + boxes[1]) for k in looks if odd)]

    assert [one.text for one in watch(twice, 12, 10)] == ["AB12CDE"]


@pytest.mark.parametrize("paid", [(), ("AB12CAR",)])
@pytest.mark.parametrize("text", ["AB12CAR", "26112026", "GATE01", "CAM1", "TAXI", "HOTEL24"])
@pytest.mark.parametrize("fps", [10, 1])
def test_what_never_moves_accuses_nobody_and_is_no_sighting(text: str, fps: float, paid: tuple[str, ...]) -> None:
    street = together(standing(text, 40, 650), passing("LM43XPF", 3, 6))
    told = [one for one in watch(street, 130, fps, *paid) if one.text != "LM43XPF"]
    assert {one.kind for one in told} <= ({VerdictKind.PAID} if text in paid else set())
    assert len(told) <= 1


@pytest.mark.parametrize("fps", [25, 10, 5])
@pytest.mark.parametrize("stays_s", [1.0, 3.0])
def test_a_caption_that_changes_its_place_accuses_nobody(fps: float, stays_s: float) -> None:
    places = ((100.0, 100.0), (600.0, 400.0), (300.0, 600.0), (900.0, 120.0))
    captions = (standing("AB12CDE", x, y, i * stays_s, (i + 1) * stays_s) for i, (x, y) in enumerate(places))
    told = watch(together(*captions), len(places) * stays_s + 5, fps)
    assert all("never-moved" in (one.sighting.plate.doubts or ()) for one in told if one.sighting.plate is not None)


@pytest.mark.parametrize("step", [0.17, 0.36])
@pytest.mark.parametrize("unrest", [1.0, 1.08])
def test_a_caption_that_jumps_by_less_than_its_width_accuses_nobody(step: float, unrest: float) -> None:
    """Boxes of lettering are now and then wider by some percent, even in the frame before a jump."""

    def caption(at_s: float) -> list[Look]:
        place, frame = divmod(round(at_s * 10), 10)
        width = 110 * unrest if frame == 8 else 110.0
        return [Look("AB12CDE", 100 + 110 * step * place, 60, width)] if place < 8 else []

    told = watch(caption, 14, 10)
    assert all("never-moved" in (one.sighting.plate.doubts or ()) for one in told if one.sighting.plate is not None)


def test_a_vehicle_that_was_seen_standing_alone_waits_for_a_person() -> None:
    """A camera that takes a picture a second, before a barrier: nobody saw it move, and it came and left."""
    (told,) = watch(standing("AB12CDE", 300, 400, 20, 40), 60, 1)
    assert told.kind is VerdictKind.REVIEW
    assert told.sighting.plate is not None
    assert "never-moved" in (told.sighting.plate.doubts or ())


def test_a_parked_vehicle_in_the_background_is_told_once_while_others_pass() -> None:
    others = [passing(f"XY{n}5ZZT", 20.0 * n, 8) for n in range(1, 9)]
    told = watch(together(parking("AB12CDE", 3), *others), 200, 5, "AB12CDE")
    assert sorted(one.text for one in told) == sorted(["AB12CDE", *(f"XY{n}5ZZT" for n in range(1, 9))])


def test_words_on_a_vehicle_are_no_plates() -> None:
    assert watch(passing("EXPRESS", 2, 6), 20, 10) == []


def test_a_vehicle_that_was_seen_well_and_not_read_waits_for_a_person() -> None:
    texts = ["AB12CDE", "XK77PQR", "LM43XPF", "GT19HHN"]

    def street(at_s: float) -> list[Look]:
        return [replace(look, text=texts[int(at_s * 5) % 4], sure=0.8) for look in passing("", 2, 6)(at_s)]

    told = watch(street, 20, 5)
    assert told
    assert {one.kind for one in told} == {VerdictKind.REVIEW}


def changed(plate: str, slot: int, by: int) -> str:
    pool = "0123456789" if plate[slot].isdigit() else "ABCDEFGHJKLMNPRSTUVWXY"
    place = pool.index(plate[slot])
    return plate[:slot] + pool[(place + by) % len(pool)] + plate[slot + 1 :]


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 6), st.integers(1, 9), st.sampled_from([10, 5, 2, 1]), st.floats(3, 19))
def test_two_vehicles_one_character_apart_stay_two(slot: int, by: int, fps: float, after_s: float) -> None:
    first, second = "AB12CDE", changed("AB12CDE", slot, by)
    told = watch(together(passing(first, 1, 8), passing(second, 1 + after_s, 8)), 40, fps, first, second)
    assert [one.text for one in told if fold(first) != fold(second)] == [first, second][
        : 2 * (fold(first) != fold(second))
    ]


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 6), st.integers(1, 9), st.sampled_from([10, 2, 1]))
def test_at_a_gate_the_next_vehicle_is_another_though_one_character_differs(slot: int, by: int, fps: float) -> None:
    first, second = "AB12CDE", changed("AB12CDE", slot, by)
    queue = together(standing(first, 300, 400, 10, 20), standing(second, 300, 400, 23, 33))
    told = watch(queue, 50, fps, first, second)
    assert [one.text for one in told] == [first, second]


@pytest.mark.parametrize("restart_s", [5.0, 9.5, 30.0, 75.0, 130.0])
def test_a_restart_tells_nothing_twice_and_loses_nothing(restart_s: float) -> None:
    others = [passing(f"XY{n}5ZZT", 15.0 * n, 8) for n in range(1, 9)]
    street = together(parking("AB12CDE", 3), *others)
    calm = sorted((one.text, one.sighting.sighting_id) for one in watch(street, 200, 2, "AB12CDE"))
    shaken = watch(street, 200, 2, "AB12CDE", restart_s=[restart_s, restart_s + 40])
    assert sorted((one.text, one.sighting.sighting_id) for one in shaken) == calm
    assert len(calm) == 9


@pytest.mark.parametrize("fps", [10, 2, 1])
@pytest.mark.parametrize("lasts_s", [0.3, 3.0])
@pytest.mark.parametrize("begins_s", [3.0, 20.0, 70.0])
def test_a_sign_that_is_half_hidden_for_a_while_is_no_sighting(fps: float, lasts_s: float, begins_s: float) -> None:
    """A bus stops before a half of it: a part of the text is read, and then the whole of it again."""
    sign = standing("AB12CDE", 300, 200)

    def street(at_s: float) -> list[Look]:
        hidden = begins_s <= at_s < begins_s + lasts_s
        return [replace(k, text="2CDE", x=k.x + 55, width=k.width / 2) if hidden else k for k in sign(at_s)]

    assert watch(street, 100, fps) == []


def test_a_vehicle_that_rests_where_a_sign_stands_is_told() -> None:
    """It comes before the sign, stands there for a while and goes on: another text, as wide as the sign and wider."""
    vehicle = parking("LM43XPF", 30, 60)
    there = vehicle(40.0)[0]
    sign = standing("AB12CDE", there.x, there.y)

    def street(at_s: float) -> list[Look]:
        return vehicle(at_s) or sign(at_s)

    assert "LM43XPF" in [one.text for one in watch(street, 100, 5)]


def test_what_drove_away_has_moved_though_it_comes_back_to_where_it_stood() -> None:
    """A vehicle that reverses, not a sign: beyond the place where it rested no part of it can be boxed."""
    course = Course()
    ways = [0.0] * 20 + [12.0 * step for step in range(20)] + [1.5] * 20
    for frame, way in enumerate(ways):
        course.add(Box(300 + way, 200 + way / 3, 410 + way, 230 + way / 3), START_NS + frame * 100_000_000)
        if frame >= 39:
            assert course.motion(frame / 10) is Motion.MOVED
