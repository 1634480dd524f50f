from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.data.checking import Fault, check, fix
from models.data.fingerprints import SAME_BITS, alike, clusters, fingerprint
from models.data.formats import Annotated
from models.data.grouping import split
from roadside.adapters.voc import LabelledBox, annotation_of, voc_of, write_voc
from roadside.core.frames import Box
from roadside.errors import SourceError


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> NDArray[np.uint8]:
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)


def save(path: Path, image: NDArray[np.uint8], **options: object) -> None:
    Image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).save(path, **options)


def faults(folder: Path) -> dict[str, set[Fault]]:
    found: dict[str, set[Fault]] = {}
    for finding in check(folder).findings:
        found.setdefault(finding.path.name, set()).add(finding.fault)
    return found


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    save(tmp_path / "good.jpg", scene(0))
    save(tmp_path / "png_inside.jpg", scene(1), format="PNG")
    save(tmp_path / "web.webp", scene(2))
    save(tmp_path / "turned.jpg", scene(3), exif=turned())
    save(tmp_path / "tiny.png", scene(4, (40, 30)))
    save(tmp_path / "copy.jpg", scene(0, (160, 120)), quality=60)
    (tmp_path / "page.jpg").write_text("<html>404</html>", encoding="utf-8")
    whole = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(scene(5)).convert("CMYK").save(tmp_path / "print.jpg")
    (tmp_path / "empty.jpg").write_bytes(b"")
    return tmp_path


def test_every_fault_is_found_by_content(mixed: Path) -> None:
    assert faults(mixed) == {
        "png_inside.jpg": {Fault.WRONG_NAME},
        "web.webp": {Fault.OTHER_FORMAT},
        "turned.jpg": {Fault.TURNED},
        "tiny.png": {Fault.TOO_SMALL},
        "copy.jpg": {Fault.COPY},
        "page.jpg": {Fault.NO_PICTURE},
        "cut.jpg": {Fault.DAMAGED},
        "print.jpg": {Fault.COLOURS},
        "empty.jpg": {Fault.NO_PICTURE},
    }


def test_fix_leaves_nothing_wrong_and_deletes_nothing(mixed: Path) -> None:
    before = {p.read_bytes() for p in mixed.iterdir()}
    fix(mixed, check(mixed))
    assert faults(mixed) == {}
    assert sorted(p.name for p in mixed.iterdir() if p.is_file()) == [
        "good.jpg", "png_inside.png", "print.jpg", "turned.jpg", "web.jpg",
    ]  # fmt: skip
    assert before <= {p.read_bytes() for p in mixed.rglob("*") if p.is_file()}
    with Image.open(mixed / "turned.jpg") as upright:
        assert upright.size == (240, 320)
        assert 0x0112 not in upright.getexif()


def test_a_renamed_picture_does_not_overwrite_another(tmp_path: Path) -> None:
    save(tmp_path / "a.png", scene(1))
    save(tmp_path / "a.jpg", scene(2), format="PNG")
    fix(tmp_path, check(tmp_path))
    assert faults(tmp_path) == {}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "a_jpg.png"]


def test_an_annotation_of_the_turned_picture_is_told_of_and_not_touched(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", scene(3), exif=turned())
    boxes = [LabelledBox("plate", Box(10, 10, 60, 30))]
    write_voc(annotation_of(tmp_path / "a.jpg", 320, 240, boxes), tmp_path / "a.xml", tmp_path / "a.jpg")
    before = (tmp_path / "a.jpg").read_bytes()
    report = check(tmp_path)
    assert {f.fault for f in report.findings} == {Fault.TURNED, Fault.ANNOTATION}
    assert fix(tmp_path, report) == []
    assert (tmp_path / "a.jpg").read_bytes() == before


def test_the_annotated_one_of_two_copies_is_kept(tmp_path: Path) -> None:
    save(tmp_path / "large.jpg", scene(0, (640, 480)))
    save(tmp_path / "small.jpg", scene(0))
    boxes = [LabelledBox("plate", Box(10, 10, 60, 30))]
    write_voc(annotation_of(tmp_path / "small.jpg", 320, 240, boxes), tmp_path / "small.xml", tmp_path / "small.jpg")
    assert faults(tmp_path) == {"large.jpg": {Fault.COPY}}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no pictures"):
        check(tmp_path)


def test_copies_are_alike_and_other_scenes_are_not() -> None:
    prints = [fingerprint(scene(i)) for i in range(30)]
    again = [fingerprint(scene(i, (200, 170))) for i in range(30)]
    assert all(alike([a, b], SAME_BITS) == [(0, 1)] for a, b in zip(prints, again, strict=True))
    assert alike(prints, SAME_BITS) == []


def test_clusters_join_over_several_steps() -> None:
    assert clusters(6, [(4, 5), (1, 2), (2, 4)]) == [0, 1, 1, 3, 1, 1]


def annotated(folder: Path, name: str, image: NDArray[np.uint8], label: str = "plate") -> Annotated:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, image)
    size = image.shape[1], image.shape[0]
    return Annotated(path, annotation_of(path, *size, [LabelledBox(label, Box(10, 10, 60, 30))]))


def test_one_plate_one_place_and_twins_stay_on_one_side(tmp_path: Path) -> None:
    pictures = [annotated(tmp_path, f"single_{i}.jpg", scene(i)) for i in range(20)]
    plate = [annotated(tmp_path, f"plate_{i}.jpg", scene(100 + i), "AB12 CDE") for i in range(3)]
    place = [annotated(tmp_path, f"gate/gate_{i}.jpg", scene(200 + i)) for i in range(3)]
    noise = np.random.default_rng(9).integers(-6, 7, scene(300).shape)
    twin = np.clip(scene(300).astype(int) + noise, 0, 255).astype(np.uint8)
    twins = [annotated(tmp_path, "twin_0.jpg", scene(300)), annotated(tmp_path, "twin_1.jpg", twin)]
    everything = [*pictures, *plate, *place, *twins]
    for share in (0.1, 0.2, 0.35, 0.5):
        parts = split(everything, tmp_path, share)
        assert len(parts.train) + len(parts.test) == len(everything)
        assert abs(len(parts.test) - share * len(everything)) <= 2
        test = {a.picture for a in parts.test}
        for group in (plate, place, twins):
            assert len({a.picture in test for a in group}) == 1
    assert parts.groups == 23


def test_a_split_repeats_itself_whatever_the_order(tmp_path: Path) -> None:
    pictures = [annotated(tmp_path, f"{i}.jpg", scene(i)) for i in range(20)]
    first = {a.picture for a in split(pictures, tmp_path).test}
    assert {a.picture for a in split(pictures[::-1], tmp_path).test} == first
    assert voc_of(pictures[0].picture).suffix == ".xml"
