"""Only a whole, real plate may accuse: nothing that is done to a paid passage or its list turns it into UNPAID."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.synth import formats
from roadside.core.confusions import typical
from roadside.core.extent import Doubt, doubts_of, joint_doubts
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.moments import PassageTime
from roadside.core.nearness import Relation, is_part, nearness_query, relation
from roadside.core.plates import fold, is_current, normalise, series_of
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.sightings import VerdictKind
from roadside.core.single_keys import wholes
from roadside.core.verdict import Policy
from roadside.core.vignettes import CandidateQuery, Exemption, RegistryAnswer, Vignette
from roadside.registry.judge import Judge

CONFUSIONS = typical()
END = 10**18


@dataclass(frozen=True)
class Everything:
    """A registry that answers every question with all that is valid then."""

    vignettes: tuple[Vignette, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    asked: tuple[str, ...] | None = None

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        del query
        valid = tuple(v for v in self.vignettes if passage.meets(v.valid_from_ns, v.valid_to_ns))
        return RegistryAnswer(valid, self.exemptions, asked=self.asked)


@dataclass(frozen=True)
class Clock:
    at_ns: int = 2**62

    def now_ns(self) -> int:
        return self.at_ns


def registry(*plates: str, country: str = "CZ") -> Everything:
    return Everything(tuple(Vignette(fold(p), country, "", 0, END) for p in plates))


def seen(text: str, country: str | None = "CZ", doubts: tuple[str, ...] | None = ()) -> FusedPlate:
    """A plate that three frames read for certain."""
    rows = np.full((len(text), len(ALPHABET)), 1e-9)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1 - 35e-9
    return FusedPlate(text, text, country, 0.995, rows.astype(np.float32), (), (), 3, doubts)


def said(plate: FusedPlate, held: Everything, policy: Policy | None = None, at_ns: int = 5) -> tuple[VerdictKind, str]:
    verdict = Judge(held, CONFUSIONS, policy or Policy(), Clock()).judge(plate, PassageTime.at(at_ns))
    return verdict.kind, verdict.rule


CZECH = st.from_regex(r"[1-9][ABCEHJKLMPSTUZ][ABCEHJK0-9][0-9]{4}", fullmatch=True)


def _drawn(country: str, seed: int) -> tuple[str, str]:
    """A plate of any format that `country` gives out, and the country."""
    return normalise(formats.of_country(np.random.default_rng(seed), country).text), country


PLATES = st.builds(_drawn, st.sampled_from(formats.COUNTRIES), st.integers(0, 2**32 - 1))


def test_a_whole_plate_that_nobody_paid_for_is_still_unpaid() -> None:
    assert said(seen("1AB2345"), registry("9ZZ9871")) == (VerdictKind.UNPAID, "no-paid-reading")


@settings(max_examples=60, deadline=None)
@given(PLATES, st.data())
def test_cutting_up_to_three_characters_of_a_paid_plate_never_accuses(
    plate: tuple[str, str], data: st.DataObject
) -> None:
    text, country = plate
    lost = data.draw(st.sets(st.integers(0, len(text) - 1), min_size=1, max_size=3))
    rest = "".join(c for place, c in enumerate(text) if place not in lost)
    doubts = data.draw(st.sampled_from([(), None]))
    kind, _ = said(seen(rest, country, doubts), registry(text, country=country))
    assert kind is not VerdictKind.UNPAID


@settings(max_examples=60, deadline=None)
@given(PLATES, st.sampled_from("ABX0123"), st.booleans())
def test_a_plate_read_one_character_along_never_accuses(plate: tuple[str, str], more: str, left: bool) -> None:  # noqa: FBT001 - drawn
    text, country = plate
    read = text[1:] + more if left else more + text[:-1]
    assert said(seen(read, country), registry(text))[0] is not VerdictKind.UNPAID
    if fold(read) != fold(text):
        assert relation(fold(read), fold(text)) is not None
        assert fold(text) in nearness_query(fold(read)).keys


@given(PLATES, st.data())
def test_two_wrong_characters_of_a_kind_never_accuse_where_the_pictures_were_not_examined(
    plate: tuple[str, str], data: st.DataObject
) -> None:
    text, country = plate
    places = data.draw(st.sets(st.integers(0, len(text) - 1), min_size=2, max_size=2))
    read = list(text)
    for place in places:
        others = [c for c in ALPHABET if c.isdigit() == text[place].isdigit() and c not in {text[place], *"OQI"}]
        read[place] = data.draw(st.sampled_from(others))
    kind, _ = said(seen("".join(read), country, None), registry(text, country=country))
    assert kind is not VerdictKind.UNPAID


@settings(max_examples=60, deadline=None)
@given(PLATES, st.sampled_from([*formats.COUNTRIES, None]), st.data())
def test_no_country_that_is_read_or_held_makes_a_misread_paid_plate_unpaid(
    plate: tuple[str, str], read_as: str | None, data: st.DataObject
) -> None:
    text, country = plate
    place = data.draw(st.integers(0, len(text) - 1))
    read = text[:place] + data.draw(st.sampled_from(ALPHABET)) + text[place + 1 :]
    kind, _ = said(seen(read, read_as), registry(text, country=country))
    assert kind is not VerdictKind.UNPAID


@settings(max_examples=60, deadline=None)
@given(PLATES, st.lists(PLATES, max_size=4), PLATES, st.sampled_from([(), None, ("plate-at-picture-edge",)]))
def test_another_vignette_or_exemption_never_leads_to_unpaid(
    plate: tuple[str, str], held: list[tuple[str, str]], added: tuple[str, str], doubts: tuple[str, ...] | None
) -> None:
    text, country = plate
    before = registry(*(t for t, _ in held))
    more = replace(before, vignettes=(*before.vignettes, Vignette(fold(added[0]), added[1], "", 0, END)))
    free = replace(before, exemptions=(Exemption(fold(added[0]), added[1], "electric", 0, END),))
    if said(seen(text, country, doubts), before)[0] is not VerdictKind.UNPAID:
        for after in (more, free):
            assert said(seen(text, country, doubts), after)[0] is not VerdictKind.UNPAID


@settings(max_examples=40, deadline=None)
@given(PLATES, st.integers(-(10**15), 10**15), st.integers(0, 10**9))
def test_no_clock_makes_a_passage_unpaid_that_was_paid_when_it_happened(
    plate: tuple[str, str], now_ns: int, at_ns: int
) -> None:
    text, country = plate
    judge = Judge(registry(text, country=country), CONFUSIONS, Policy(), Clock(now_ns), grace_s=60)
    assert judge.judge(seen(text, country), PassageTime.at(at_ns)).kind is VerdictKind.PAID


@pytest.mark.parametrize("doubt", Doubt)
def test_a_plate_that_was_not_seen_whole_accuses_nobody(doubt: Doubt) -> None:
    assert said(seen("1AB2345", doubts=(doubt.value,)), registry("9ZZ9871")) == (VerdictKind.REVIEW, doubt.value)
    assert said(seen("1AB2345", doubts=(doubt.value,)), registry("1AB2345"))[0] is VerdictKind.PAID


def test_a_registry_of_single_plates_cannot_clear_a_plate_whose_pictures_nobody_examined() -> None:
    policy = Policy(density=0.0)
    held = replace(registry("9ZZ9871"), asked=("1AB2345", *(wholes("1AB2345") or ())))
    assert said(seen("1AB2345"), held, policy)[0] is VerdictKind.UNPAID
    assert said(seen("1AB2345", doubts=None), held, policy) == (VerdictKind.REVIEW, "parts-not-searched")
    fewer = replace(held, asked=("1AB2345",))
    assert said(seen("1AB2345"), fewer, policy) == (VerdictKind.REVIEW, "parts-not-searched")


@pytest.mark.parametrize(
    ("read", "plate", "how"),
    [
        ("1AB2345", "1AB2345", None),
        ("1AB2345", "1AB23456", Relation.PART),
        ("1AB2345", "61A7B23845", Relation.PART),
        ("61A7B23845", "1AB2345", Relation.PART),
        ("1AB2345", "1AB2354", Relation.SWAPPED),
        ("DL27308", "K0L27308", Relation.STRETCH),
        ("1AB2345", "1A82346", None),
        ("1AB5345", "1A8S345", Relation.ALIKE),
        ("1AB2345", "1AB2399", Relation.TWO_ERRORS),
        ("1AB2345", "9XY2345", None),
        ("1AB2345", "B2345XY", Relation.SHIFTED),
        ("51ABC57", "ABC579", Relation.SHIFTED),
        ("51ABC5", "ABC579", Relation.SHIFTED),
        ("ABC579X", "12ABC579", Relation.SHIFTED),
        ("5ABC5", "BC579", None),
        ("1AB2345", "1AB234567890", None),
    ],
)
def test_how_plates_are_related(read: str, plate: str, how: Relation | None) -> None:
    assert relation(read, plate) is how


@given(CZECH, st.data())
def test_a_part_is_a_part_wherever_it_was_cut(text: str, data: st.DataObject) -> None:
    places = data.draw(st.sampled_from([*combinations(range(len(text)), 2)]))
    rest = "".join(c for place, c in enumerate(text) if place not in places)
    assert is_part(rest, text)
    assert not is_part(text, rest)


def test_what_is_asked_for_is_bounded() -> None:
    swapped_and_parts, shifted = 80, 4 * 33  # a folded plate has 33 characters, an added end one or two
    assert 60 + shifted < len(nearness_query("1AB2345").keys) < swapped_and_parts + shifted


# --- Exemptions of families -----------------------------------------------------------------------


def free(pattern: str, country: str) -> Everything:
    return Everything(exemptions=(Exemption(pattern, country, "foreign", 0, END),))


@pytest.mark.parametrize(
    ("text", "read_as", "country", "kind"),
    [
        ("AB123CD", "FR", "DE", VerdictKind.REVIEW),  # with a character less it is a German plate for export
        ("AB123CD", None, "DE", VerdictKind.REVIEW),
        ("AB12CDE", "UK", "DE", VerdictKind.UNPAID),
        ("MAB1234", "DE", "DE", VerdictKind.EXEMPT),
        ("MAB1234", "CZ", "DE", VerdictKind.REVIEW),
        ("1AB2345", "CZ", "DE", VerdictKind.REVIEW),  # a German plate may begin with an I
        ("1AB2345", "CZ", "CZ", VerdictKind.EXEMPT),
        ("1AB2345", "CZ", "*", VerdictKind.EXEMPT),
    ],
)
def test_the_exemption_of_a_whole_country_frees_its_plates_and_no_others(
    text: str, read_as: str | None, country: str, kind: VerdictKind
) -> None:
    for pattern in ("*", "?" * len(text)):
        assert said(seen(text, read_as), free(pattern, country))[0] is kind


def test_a_person_who_names_no_country_frees_no_plate_that_the_country_cannot_have() -> None:
    judge = Judge(free("*", "DE"), CONFUSIONS, Policy(), Clock())
    assert judge.settle("AB123CD", None, PassageTime.at(5), stated=False).kind is VerdictKind.UNPAID
    assert judge.settle("MAB1234", None, PassageTime.at(5), stated=False).kind is VerdictKind.EXEMPT


@pytest.mark.parametrize("pattern", ["EL*", "EL?????"])
@pytest.mark.parametrize("read", ["EL123AB", "L123AB", "E123AB", "EL123A", "1EL123AB", "EL12A"])
def test_no_piece_of_an_exempt_familys_plate_is_accused(pattern: str, read: str) -> None:
    assert said(seen(read, "CZ"), free(pattern, "CZ"))[0] is not VerdictKind.UNPAID


def test_a_plate_unlike_an_exempt_family_is_judged_as_before() -> None:
    assert said(seen("1AB2345"), free("EL*", "CZ")) == (VerdictKind.UNPAID, "no-paid-reading")


# --- What the pictures say ----------------------------------------------------------------------


def picture(
    cover: tuple[float, float] | None = None, shade: float | None = None, wide: int = 240, seen_px: int = 50
) -> Crop:
    """A drawn plate of `wide` x 50 pixels with a margin; part covered, one side in shadow, or its foot hidden."""
    image = np.full((110, wide + 80, 3), 70, np.uint8)
    image[30:80, 40 : 40 + wide] = 215
    for bar in range(7):
        left = 40 + round((0.12 + 0.12 * bar) * wide)
        cv2.rectangle(image, (left, 38), (left + round(0.06 * wide), 72), (20, 20, 20), 3)
    if cover is not None:
        image[31:79, 40 + round(cover[0] * wide) : 40 + round(cover[1] * wide)] = 215
    if shade is not None:
        image[:, : 40 + round(shade * wide)] //= 4
    image[30 + seen_px : 80] = 70
    foot = 30.0 + seen_px
    corners = ((40.0, 30.0), (40.0 + wide, 30.0), (40.0 + wide, foot), (40.0, foot))
    found = Detection(Box(340, 230, 340 + wide, 230 + seen_px), 0.9, tuple((x + 300, y + 200) for x, y in corners))  # type: ignore[arg-type]
    return Crop(CameraId("gate"), 0, 0, found, image, (300, 200), (1280, 720))


def test_a_whole_plate_raises_no_doubt() -> None:
    assert doubts_of(picture()) == frozenset()
    assert doubts_of(picture(seen_px=40)) == frozenset()  # seen from above


@pytest.mark.parametrize(
    ("crop", "doubt"),
    [
        (picture(cover=(0.45, 0.75)), Doubt.EMPTY),
        (picture(cover=(0.7, 1.0)), Doubt.EMPTY),
        (picture(shade=0.5), Doubt.LIGHT),
        (picture(wide=110), Doubt.SHORT),
        (picture(seen_px=36), Doubt.LOW),
        (replace(picture(), frame_size=(590, 720)), Doubt.EDGE),
        (replace(picture(), image=picture().image[:, :200]), Doubt.CUT),
        (replace(picture(), image=picture().image[:1]), Doubt.CUT),
    ],
)
def test_what_speaks_against_a_whole_plate_is_named(crop: Crop, doubt: Doubt) -> None:
    assert doubt in doubts_of(crop)


def lit(left: float, right: float, ground: int = 215, light: int = 255) -> Crop:
    """A drawn plate with a spot of light between two places along it."""
    crop = picture()
    image = np.where(crop.image == 215, ground, crop.image).astype(np.uint8)
    image[31:79, 40 + round(left * 240) : 40 + round(right * 240)] = light
    return replace(crop, image=image)


def test_a_spot_of_glare_is_no_gap() -> None:
    assert doubts_of(lit(0.31, 0.43)) == {Doubt.LIGHT}  # half of two characters
    assert doubts_of(lit(0.31, 0.43, light=215)) == frozenset()  # a gap, as bright as all
    assert doubts_of(lit(0.31, 0.43, ground=250)) == frozenset()  # a plate in the sun, and a gap
    assert doubts_of(lit(0.31, 0.43, ground=140, light=170)) == frozenset()  # a hologram


def test_two_frames_without_doubt_are_enough() -> None:
    bad, good = frozenset({Doubt.SHORT, Doubt.EDGE}), frozenset[Doubt]()
    assert joint_doubts([bad, good, bad, good]) == ()
    assert joint_doubts([bad, good, bad]) == (Doubt.EDGE.value, Doubt.SHORT.value)
    assert joint_doubts([good]) == ()


# --- What is a plate ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "country"),
    [("1AB2345", "CZ"), ("KAREL001", "CZ"), ("AB12CDE", "UK"), ("AB12345", "DK"), ("ABC12D", "SE"), ("1AB2345", None)],
)
def test_current_plates_of_their_country_are_known(text: str, country: str | None) -> None:
    assert is_current(text, country)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("KAUFLAND", "CZ"), ("SHOP", "DK"), ("BAUHAUS", "SE"), ("TAXI", "NO"), ("REKLAMA", "LV"), ("OPEN", None),
        ("AB2345", "CZ"), ("1AB234", "CZ"), ("AB12CDE", "CZ"),
    ],
)  # fmt: skip
def test_words_pieces_and_plates_of_another_country_are_not(text: str, country: str | None) -> None:
    assert not is_current(text, country)


@pytest.mark.parametrize(
    ("text", "country", "rule"),
    [("GATE01", "UK", "no-known-plate"), ("001CD01", "ES", "special-series-diplomatic")],
)
def test_camera_text_and_diplomats_of_another_country_than_was_read_accuse_nobody(
    text: str, country: str, rule: str
) -> None:
    assert said(seen(text, country), registry("9ZZ9871")) == (VerdictKind.REVIEW, rule)


def test_a_country_read_wrong_needs_pictures_of_a_whole_plate() -> None:
    for doubts, rule in (((), "no-paid-reading"), (None, "no-known-plate")):
        assert said(seen("LKD288", "PL", doubts), registry("9ZZ9871"))[1] == rule


def test_a_czech_plate_to_order_is_one_whatever_country_it_is_read_as_where_all_of_it_was_seen() -> None:
    for doubts, rule in (((), "no-paid-reading"), (None, "no-known-plate")):
        assert said(seen("KAREL001", "DE", doubts), registry("9ZZ9871"))[1] == rule
    for word in ("KAUFLAND", "OBCHODY", "BAUHOUSE"):
        assert said(seen(word, "DE"), registry("9ZZ9871"))[0] is VerdictKind.REVIEW


@pytest.mark.parametrize(
    ("text", "country", "series"),
    [
        ("001CD01", "CZ", "diplomatic"), ("1234567", "CZ", "army"), ("05V1234", "CZ", "veteran"),
        ("Y123456", "DE", "army"), ("B061234", "DE", "dealer"), ("W123456", "PL", "diplomatic"),
        ("101D234", "UK", "diplomatic"), ("AB12CD", "UK", "army"), ("KL1234", "NL", "army"),
        ("WW123AB", "FR", "temporary"),
        ("R1234BCD", "ES", "trailer"), ("CD123AB", "IT", "diplomatic"), ("CD123456", "HU", "diplomatic"),
        ("1QAB123", "BE", "trailer"), ("123456", "HR", "police"), ("BP1234", "AT", "police"),
    ],
)  # fmt: skip
def test_special_series_are_named_and_accuse_only_where_that_is_set(text: str, country: str, series: str) -> None:
    assert series_of(text, country) == series
    kind, rule = said(seen(text, country), registry("9ZZ9871"))
    assert (kind, rule) == (VerdictKind.REVIEW, f"special-series-{series}")
    assert said(seen(text, country), registry("9ZZ9871"), Policy(accuse_special=True))[1] != rule


def test_ordinary_plates_belong_to_no_special_series() -> None:
    for text, country in (
        ("1AB2345", "CZ"),
        ("MAB1234", "DE"),
        ("SPX16117", "PL"),
        ("AB12CDE", "UK"),
        ("12GBD3", "NL"),
    ):
        assert series_of(text, country) is None
