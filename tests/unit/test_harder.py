"""Held-out plates made harder, and lettering that is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.evaluate import harder
from models.evaluate.harder import Said, alarm_cell, cell, far, held_out_sets, lettering, read_set, rendered, spoilt
from roadside.core.ctc import EMPTY
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import PlacedRead

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.core.frames import Corners
    from roadside.core.reads import Read

CROP = np.random.default_rng(0).integers(60, 200, (90, 240, 3), np.uint8)
PLATE = Box(40, 30, 200, 64)
HEAD = "path\tx1\ty1\tx2\ty2\ttext\tregion\tsource\tuse\tteacher\tteacher_confidence\n"


def a_set(folder: Path) -> Path:
    cv2.imwrite(str(folder / "a.png"), CROP)
    rows = [
        "a.png\t40\t30\t200\t64\t1AB2345\tCZ\tcz_pulpan\tdev\t\t0",
        "a.png\t40\t10\t120\t80\t2CD3456\tCZ\tcz_pulpan\tdev\t\t0",
        "a.png\t40\t30\t200\t64\t\tCZ\tcz_pulpan\tdev\t\t0",
    ]
    (folder / "crops.tsv").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return folder


class Corners:
    def find(self, image: np.ndarray, box: Box) -> Corners | None:
        assert image.ndim == 3
        return None if box.width < 5 else ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))


class Says:
    """A reader that says one text of all."""

    def read(self, crop: Crop) -> Read:
        assert crop.image.size
        return replace(EMPTY, text="1AB2345", confidence=0.95)


def test_sets_are_the_same_in_every_run_and_two_lines_are_apart(tmp_path: Path) -> None:
    sets, again = held_out_sets(a_set(tmp_path)), held_out_sets(tmp_path)
    assert [crop.text for crop, _ in sets["two lines"]] == ["2CD3456"]
    real = {"two lines", "far", "tilt", "shadow edge", "blur", "motion", "dark", "JPEG 12"}
    assert set(sets) == real | {"2 lines, rendered", "3 lines, rendered"}
    for name, members in sets.items():
        if name in real - {"two lines"}:
            assert [crop.text for crop, _ in members] == ["1AB2345"]
        for (_, one), (_, other) in zip(members, again[name], strict=True):
            assert np.array_equal(one[0], other[0])
            assert one[1] == other[1]


def test_a_turned_plate_is_whole_though_its_crop_has_no_room(tmp_path: Path) -> None:
    folder = a_set(tmp_path)
    cv2.imwrite(str(folder / "a.png"), CROP[20:70, 30:210])
    head, one = (folder / "crops.tsv").read_text().splitlines()[:2]
    (folder / "crops.tsv").write_text("\n".join((head, one.replace("40\t30\t200\t64", "2\t2\t178\t48"))) + "\n")
    ((_, (image, box)),) = held_out_sets(folder)["tilt"]
    assert min(box.x1, box.y1) >= 0
    assert box.x2 <= image.shape[1]
    assert box.y2 <= image.shape[0]


def test_rendered_plates_are_of_every_country_and_of_so_many_lines() -> None:
    members = rendered(3, 60)
    assert len({crop.region for crop, _ in members}) > 15
    assert np.mean([crop.box.width / crop.box.height for crop, _ in members]) < 1.1


def test_a_read_counts_by_its_folded_text(tmp_path: Path) -> None:
    sets = held_out_sets(a_set(tmp_path))
    assert cell(read_set(sets["far"], Says(), Corners())) == "1 / 0"
    assert cell(read_set(sets["two lines"], Says(), Corners())) == "0 / 1"


def test_the_box_follows_a_turned_plate() -> None:
    image = np.full((120, 240, 3), 40, np.uint8)
    image[50:70, 80:160] = 250
    turned, box = spoilt("rotation", image, Box(80, 50, 160, 70), 7, np.random.default_rng(3))
    ys, xs = np.nonzero(turned[..., 0] > 150)
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == pytest.approx((box.x1, box.y1, box.x2, box.y2), abs=2.5)
    assert box.height > 26


def test_far_is_small_and_never_larger_than_it_was() -> None:
    small, box = far(CROP, PLATE, np.random.default_rng(0))
    assert 25 <= box.width <= 43
    assert small.shape[1] == pytest.approx(240 * box.width / 160, abs=1)
    assert far(small, box, np.random.default_rng(1))[1].width <= box.width


def test_only_reads_in_lettering_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "s.png"), np.full((200, 300, 3), 120, np.uint8))

    class Split:
        held_out = (type("M", (), {"path": tmp_path / "s.png", "boxes": np.zeros((0, 4), np.float32)})(),)

    class Everywhere:
        """It reads something in every twentieth pixel."""

        def read(self, image: np.ndarray) -> object:
            boxes = [Box(x, y, x + 8, y + 4) for x in range(0, 292, 20) for y in range(0, 196, 20)]
            reads = [
                PlacedRead(
                    Crop(CameraId("x"), 0, 0, Detection(box, 0.5), image, (0, 0)),
                    replace(EMPTY, text="AB", confidence=0.6),
                )
                for box in boxes
            ]
            return type("P", (), {"plates": reads})()

    monkeypatch.setattr(harder, "read_split", lambda _: Split)
    said = lettering(tmp_path, Everywhere())  # type: ignore[arg-type]  # what it uses of a PhotographReader
    assert 0 < len(said) < 80
    assert alarm_cell([*said[:1], Said(False, 0.95)]) == "2 / 2 / 1"
