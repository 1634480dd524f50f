import numpy as np
import pytest

from models.synth.flat import draw_plate
from models.synth.formats import Registration, of_country, registration
from models.synth.glyphs import FACES, glyph
from models.synth.plates import Options, render_sample


def test_a_seed_gives_the_same_pictures() -> None:
    first, second = ([render_sample(np.random.default_rng(seed)) for seed in range(5)] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.corners, other.corners)
        assert one.text == other.text


def test_the_plate_lies_inside_with_a_margin() -> None:
    rng = np.random.default_rng(5)
    for _ in range(150):
        drawn = render_sample(rng)
        height, width = drawn.image.shape[:2]
        low, high = drawn.corners.min(axis=0), drawn.corners.max(axis=0)
        assert drawn.image.dtype == np.uint8
        assert drawn.corners.dtype == np.float32
        assert (low > 0).all()
        assert high[0] < width
        assert high[1] < height
        assert 30 < high[0] - low[0] < 260
        assert drawn.corners[0, 0] < drawn.corners[1, 0]
        assert drawn.corners[0, 1] < drawn.corners[3, 1]


def test_two_lines_are_told_with_their_split() -> None:
    rng = np.random.default_rng(6)
    drawn = [render_sample(rng, Options(weights={"CZ": 1}, two_line_share=1.0)) for _ in range(10)]
    assert all(one.lines == 2 and one.row_split == pytest.approx(0.5) for one in drawn)
    single = Registration("ABC123", ("ABC123",), "XX", "random", ())
    one_line = render_sample(rng, Options(two_line_share=1.0), registration=single)
    assert (one_line.lines, one_line.row_split, one_line.text) == (1, None, "ABC123")


@pytest.mark.parametrize(
    ("spelled", "country"),
    [("AB12 CDE", "UK"), ("12-AB-34", "PT"), ("ABC123", "XX"), ("B 1", "DE"), ("1AB*2345", "CZ")],
)
def test_every_registration_fits_on_three_lines(spelled: str, country: str) -> None:
    rng, one = np.random.default_rng(9), registration(spelled, country)
    drawn = draw_plate(rng, one, lines=3)
    width, height = drawn.outline[2] - drawn.outline[0]
    assert drawn.lines == (3 if len(one.text) > 2 else 2)
    assert drawn.row_split == (None if drawn.lines == 3 else 0.5)
    if drawn.lines == 3:
        assert width / height < 1.3, "as narrow as the reader wants it for a third line"


def test_rendered_plates_tell_their_three_lines() -> None:
    drawn = render_sample(np.random.default_rng(10), Options(two_line_share=0.0, three_line_share=1.0))
    assert (drawn.lines, drawn.row_split) == (3, None)


def test_a_backdrop_is_used() -> None:
    rng = np.random.default_rng(7)
    green = np.zeros((300, 400, 3), np.uint8)
    green[..., 1] = 200
    options = Options(weights={"UK": 1}, hardness=0.0)
    images = [render_sample(rng, options, backgrounds=[green]).image for _ in range(20)]
    greenish = [image[0, 0, 1] > 60 and int(image[0, 0, 2]) < 60 for image in images]
    assert any(greenish)
    assert not all(greenish)


def test_ink_stands_where_the_outline_says() -> None:
    plate = draw_plate(np.random.default_rng(8), of_country(np.random.default_rng(8), "UK"), aged=False)
    height, width = plate.image.shape[:2]
    assert plate.outline.tolist() == [[0, 0], [width, 0], [width, height], [0, height]]


@pytest.mark.parametrize("face", FACES)
def test_every_face_draws_every_character(face: str) -> None:
    masks = {c: glyph(face, 0, c, 48) for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}
    for character, mask in masks.items():
        assert mask.shape[0] == 48, character
        assert 0.12 < mask.mean() / 255 <= 1.0, character
        assert mask[:12].max() > 200, character
        assert mask[-12:].max() > 200, character
    assert masks["I"].shape[1] < masks["W"].shape[1]


def test_british_letters_have_the_prescribed_proportions() -> None:
    widths = [glyph("uk", variant, "H", 79).shape[1] for variant in range(12)]
    assert np.mean(widths) == pytest.approx(50, abs=2)
