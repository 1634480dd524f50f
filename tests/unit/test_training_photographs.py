"""What a training is given: index.tsv and crops.tsv, or a folder annotated with labelImg."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.data.photographs import Label
from models.ocr import config as reader
from models.ocr.crops import held_out_groups, read_crops, weight
from models.ocr.dataset import Negatives, Plate, RealPlates, RenderedPlates, read_batch, write_batch
from models.ocr.placing import placements
from models.training.photographs import read_marked, read_split
from roadside.core.frames import Box
from roadside.core.rectify import box_corners
from roadside.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

COUNTRIES = reader.load().countries


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (240, 320, 3), np.uint8))


def voc(path: Path, name: str, boxes: list[tuple[str, int, int, int, int]]) -> None:
    things = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        "</bndbox></object>"
        for label, x1, y1, x2, y2 in boxes
    )
    path.write_text(f"<annotation><filename>{name}</filename>{things}</annotation>", encoding="utf-8")


def own_folder(folder: Path, count: int = 20) -> Path:
    for number in range(count):
        picture(folder / f"street{number}.png", number)
        voc(
            folder / f"street{number}.xml",
            f"street{number}.png",
            [("AB12 CDE", 11, 21, 110, 45), ("plate", 1, 1, 9, 9)],
        )
    return folder


def test_a_folder_of_labelimg_is_split_and_nothing_is_on_both_sides(tmp_path: Path) -> None:
    split = read_split(own_folder(tmp_path))
    train, held = ({one.path.name for one in part} for part in (split.train, split.held_out))
    assert len(train | held) == 20
    assert not train & held
    assert 1 <= len(held) <= 10
    assert split.train[0].texts == ("AB12CDE", "")
    assert split.train[0].boxes.tolist() == [[11, 21, 110, 45], [0, 0, 9, 9]]


def test_the_reader_learns_the_texts_that_boxes_are_named_by(tmp_path: Path) -> None:
    crops = read_crops(own_folder(tmp_path, 3), {}, COUNTRIES)
    assert [crop.text for crop in crops] == ["AB12CDE"] * 3
    assert crops[0].lines == 1


@pytest.mark.parametrize("box", [("plate", 50, 20, 50, 40), ("plate", 90, 20, 50, 40)])
def test_a_box_without_an_area_is_refused(tmp_path: Path, box: tuple[str, int, int, int, int]) -> None:
    picture(tmp_path / "a.png")
    x1 = box[1] + 2
    voc(tmp_path / "a.xml", "a.png", [(box[0], x1, *box[2:])])
    with pytest.raises(SourceError, match="without an area"):
        read_marked(tmp_path / "a.xml", tmp_path)


def test_a_missing_picture_and_a_folder_without_annotations_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="labelImg"):
        read_split(tmp_path)
    voc(tmp_path / "gone.xml", "gone.png", [("plate", 1, 1, 50, 20)])
    with pytest.raises(SourceError, match=r"gone\.png"):
        read_split(tmp_path)


def test_index_tsv_keeps_sources_without_a_licence_out_of_training(tmp_path: Path) -> None:
    head = "path\twidth\theight\tx1\ty1\tx2\ty2\ttext\tregion\tsource\tuse\topenimages\n"
    rows = [
        f"images/{source}/{n}.jpg\t320\t240\t10\t10\t90\t30\t\tXX\t{source}\t{use}\t\n"
        for source, use in (("oi_gplates", "train"), ("pl_gate", "dev"), ("pl_poznan", "train"))
        for n in range(30)
    ]
    (tmp_path / "index.tsv").write_text(head + "".join(rows), encoding="utf-8")
    split = read_split(tmp_path)
    assert {one.source for one in split.train} == {"oi_gplates"} == {one.source for one in split.held_out}
    assert {one.source for one in split.measured_only} == {"pl_gate"}
    assert len(split.train) + len(split.held_out) == 30


CROP_HEAD = "path\twidth\theight\tx1\ty1\tx2\ty2\ttext\tregion\tsource\tuse\tteacher\tteacher_confidence\n"


def crops_folder(folder: Path) -> Path:
    rows = []
    for number in range(40):
        picture(folder / f"c{number}.png", number)
        rows.append(f"c{number}.png\t320\t240\t20\t20\t200\t60\tAB{number}CDE\tUK\toi_gplates\ttrain\t\t\n")
    picture(folder / "eye.png")
    picture(folder / "sure.png")
    rows.append("eye.png\t320\t240\t20\t20\t80\t70\t\tXX\tcars433\ttrain\tX1\t0.5\n")
    rows.append("sure.png\t320\t240\t20\t20\t200\t60\t\tXX\tcars433\ttrain\tKL1234\t0.97\n")
    rows.append("c0.png\t320\t240\t20\t20\t200\t60\tPO12345\tPL\tpl_gate\tdev\t\t\n")
    (folder / "crops.tsv").write_text(CROP_HEAD + "".join(rows), encoding="utf-8")
    return folder


def test_texts_come_from_the_source_then_from_people_else_from_a_sure_teacher(tmp_path: Path) -> None:
    folder = crops_folder(tmp_path)
    unlabelled = {crop.path.name: crop for crop in read_crops(folder, {}, COUNTRIES)}
    assert unlabelled["sure.png"].text == "KL1234"
    assert "eye.png" not in unlabelled
    seen = {"eye.png": Label("KL01X9", 2, "DE", sure=False), "sure.png": Label("?", 1, "", sure=False)}
    labelled = {crop.path.name: crop for crop in read_crops(folder, seen, COUNTRIES)}
    assert (labelled["eye.png"].text, labelled["eye.png"].region, labelled["eye.png"].lines) == ("KL01X9", "DE", 2)
    assert (labelled["eye.png"].quality, labelled["sure.png"].quality, labelled["sure.png"].text) == (
        "guessed",
        "none",
        "",
    )


def test_what_is_measured_on_is_never_drawn(tmp_path: Path) -> None:
    crops = read_crops(crops_folder(tmp_path), {}, COUNTRIES)
    groups = held_out_groups(crops)
    assert set(groups) == {"UK", "PL gate"}
    assert 2 <= len(groups["UK"]) <= 20
    real = RealPlates(crops, reader.load().mix, COUNTRIES)
    rng = np.random.default_rng(0)
    drawn = {real.sample(rng, mild=True).text for _ in range(400)}
    assert len(drawn) > 10
    assert not drawn & {crop.text for group in groups.values() for crop in group}


def test_certain_uk_texts_weigh_most(tmp_path: Path) -> None:
    mix = reader.load().mix
    crops = {crop.path.name: crop for crop in read_crops(crops_folder(tmp_path), {}, COUNTRIES)}
    assert weight(crops["c1.png"], mix) > weight(crops["sure.png"], mix) > 0


def test_a_batch_of_rendered_plates_comes_back_as_it_went(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    plates = [
        Plate(rng.integers(0, 256, (20 + n, 60), np.uint8), rng.random((4, 2), np.float32), f"P{n}", n, 1 + n % 2, 0.5)
        for n in range(5)
    ]
    write_batch(tmp_path / "plates_0000.npz", plates)
    for mine, back in zip(plates, read_batch(tmp_path / "plates_0000.npz"), strict=True):
        assert np.array_equal(mine.grey, back.grey)
        assert np.array_equal(mine.corners, back.corners)
        assert (mine.text, mine.country, mine.lines) == (back.text, back.country, back.lines)
    pool = RenderedPlates(tmp_path)
    pool.refresh()
    pool.refresh()
    assert len(pool) == 5


def test_negatives_touch_no_plate(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, 10)
    negatives = Negatives(folder, reader.load().mix, np.random.default_rng(0))
    sample = negatives.sample(np.random.default_rng(1), mild=False)
    assert len(negatives) > 10
    assert (sample.text, sample.country, sample.strip.shape) == ("", -1, (48, 176))


class Corners:
    """A corner net that sees every plate in the middle half of the box it is given, or none at all."""

    def __init__(self, *, blind: bool = False) -> None:
        self.boxes: list[Box] = []
        self._blind = blind

    def find(self, image: np.ndarray, box: Box) -> tuple[tuple[float, float], ...] | None:
        assert image.ndim == 3
        self.boxes.append(box)
        if self._blind:
            return None
        x, y = box.width / 4, box.height / 4
        return (
            (box.x1 + x, box.y1 + y), (box.x2 - x, box.y1 + y), (box.x2 - x, box.y2 - y), (box.x1 + x, box.y2 - y),
        )  # fmt: skip


def test_placements_begin_at_the_box_and_go_on_a_little_off() -> None:
    grey, corners = np.zeros((100, 200), np.uint8), box_corners(50, 40, 150, 60)
    finder = Corners()
    found = placements(finder, grey, corners, 40, np.random.default_rng(0))  # type: ignore[arg-type]
    assert len(found) == len(finder.boxes) == 40
    assert finder.boxes[0] == Box(50, 40, 150, 60)
    assert found[0].tolist() == [[75, 45], [125, 45], [125, 55], [75, 55]]
    assert (found[0].shape, found[0].dtype) == ((4, 2), np.float32)
    off = np.array([[box.x1 - 50, box.y1 - 40, box.x2 - 150, box.y2 - 60] for box in finder.boxes[1:]])
    assert np.abs(off).max(0) == pytest.approx([10, 5, 10, 5], rel=0.6)
    assert (np.abs(off) > 0).all()


def test_a_plate_that_the_corner_net_does_not_see_is_cut_at_its_box(tmp_path: Path) -> None:
    finder = Corners(blind=True)
    assert placements(finder, np.zeros((9, 9), np.uint8), box_corners(1, 1, 8, 4), 3, np.random.default_rng(0)) == []  # type: ignore[arg-type]
    crops = read_crops(own_folder(tmp_path, 3), {}, COUNTRIES)
    without, blind = (RealPlates(crops, reader.load().mix, COUNTRIES, one) for one in (None, Corners(blind=True)))  # type: ignore[arg-type]
    drawn = [one.sample(np.random.default_rng(5), mild=True).strip for one in (without, blind)]
    assert np.array_equal(*drawn)


def test_copies_seen_aslant_are_drawn_as_often_as_the_settings_say(tmp_path: Path) -> None:
    """The picture of each copy is another one; a plain plate under this corner net is cut at its middle."""
    crops, mix = read_crops(own_folder(tmp_path, 3), {}, COUNTRIES), reader.load().mix
    plain = RealPlates(crops, mix.model_copy(update={"corner_placed": 1.0}), COUNTRIES, Corners())  # type: ignore[arg-type]
    changed = {"corner_placed": 1.0, "turned": 2, "turned_share": 0.5}
    both = RealPlates(crops, mix.model_copy(update=changed), COUNTRIES, Corners())  # type: ignore[arg-type]
    assert plain.turned == 0
    assert 0 < both.turned <= 2 * len(both)


def test_the_share_of_placed_plates_is_the_settings(tmp_path: Path) -> None:
    """A white plate whose middle half is black: cut where this corner net places it, a strip is black all over."""
    image = np.full((240, 320), 255, np.uint8)
    image[27:40, 36:86] = 0
    cv2.imwrite(str(tmp_path / "a.png"), image)
    voc(tmp_path / "a.xml", "a.png", [("AB12CDE", 12, 22, 110, 45)])
    crops, mix = read_crops(tmp_path, {}, COUNTRIES), reader.load().mix
    dark = {}
    for share in (0.0, 0.5, 1.0):
        changed = mix.model_copy(update={"corner_placed": share})
        plates = RealPlates(crops, changed, COUNTRIES, Corners())  # type: ignore[arg-type]
        strips = [plates.sample(np.random.default_rng(seed), mild=True).strip for seed in range(60)]
        dark[share] = np.mean([np.median(strip[12:36, 14:34]) < 125 for strip in strips])
    assert dark[0.0] < 0.2
    assert 0.25 < dark[0.5] < 0.75
    assert dark[1.0] > 0.8


def test_held_out_crops_are_cut_where_the_corner_net_places_them(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")
    from models.ocr.evaluate import load_groups  # noqa: PLC0415

    crops = read_crops(crops_folder(tmp_path), {}, COUNTRIES)
    finder = Corners()
    placed, plain = load_groups(crops, 0.03, finder), load_groups(crops, 0.03)  # type: ignore[arg-type]
    assert set(placed) == set(plain)
    assert len(finder.boxes) == sum(len(group.texts) for group in placed.values())
    for name, group in placed.items():
        assert group.texts == plain[name].texts
        assert group.strips.shape == plain[name].strips.shape
        assert not np.array_equal(group.strips, plain[name].strips)
