import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.__main__ import main
from models.data.export import export_parts, one_class
from models.data.formats import Annotated, Format, read_folder, recognise, write_folder
from roadside.adapters.voc import LabelledBox, annotation_of, read_voc, voc_of, write_voc
from roadside.core.frames import Box
from roadside.errors import SourceError
from tests.tfrecords import read_records

LABELIMG = """<annotation>
\t<folder>photos</folder>
\t<filename>IMG_0001.jpg</filename>
\t<path>C:\\photos\\IMG_0001.jpg</path>
\t<source>
\t\t<database>Unknown</database>
\t</source>
\t<size>
\t\t<width>64</width>
\t\t<height>48</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>plate</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>1</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>1</xmin>
\t\t\t<ymin>12</ymin>
\t\t\t<xmax>40</xmax>
\t\t\t<ymax>22</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""


def make_picture(path: Path, seed: int = 0, size: tuple[int, int] = (96, 72)) -> Path:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 8, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(small, size, interpolation=cv2.INTER_CUBIC))
    return path


def make_annotated(folder: Path, count: int = 3, label: str = "plate") -> tuple[Annotated, ...]:
    made = []
    for i in range(count):
        picture = make_picture(folder / f"p{i}.jpg", seed=i)
        boxes = [LabelledBox(label, Box(5 + i, 6, 30 + i, 16)), LabelledBox("truck", Box(0, 0, 64, 40))]
        made.append(Annotated(picture, annotation_of(picture, 96, 72, boxes[: 1 + i % 2])))
    return tuple(made)


def test_a_file_of_labelimg_is_read(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.xml"
    path.write_text(LABELIMG, encoding="utf-8")
    annotation = read_voc(path)
    assert (annotation.filename, annotation.width, annotation.height) == ("IMG_0001.jpg", 64, 48)
    assert annotation.boxes == (LabelledBox("plate", Box(0, 12, 40, 22), truncated=True),)


def test_what_is_written_is_what_labelimg_writes(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.xml"
    path.write_text(LABELIMG, encoding="utf-8")
    again = tmp_path / "photos"
    again.mkdir()
    write_voc(read_voc(path), again / "IMG_0001.xml", again / "IMG_0001.jpg")
    expected = LABELIMG.replace("C:\\photos\\IMG_0001.jpg", str((again / "IMG_0001.jpg").resolve()))
    assert (again / "IMG_0001.xml").read_text(encoding="utf-8") == expected


@settings(max_examples=60, deadline=None)
@given(
    edges=st.tuples(st.integers(0, 600), st.integers(0, 400), st.integers(2, 39), st.integers(2, 79)),
    label=st.text("ab<&>' é", min_size=1),
)
def test_whole_pixels_survive_voc(
    tmp_path_factory: pytest.TempPathFactory, edges: tuple[int, int, int, int], label: str
) -> None:
    x, y, w, h = edges
    folder = tmp_path_factory.mktemp("voc")
    box = LabelledBox(label.strip() or "plate", Box(x if x != 1 else 2, y if y != 1 else 2, x + w, y + h))
    written = annotation_of(folder / "a.jpg", 640, 480, [box])
    write_voc(written, folder / "a.xml", folder / "a.jpg")
    assert read_voc(folder / "a.xml") == written


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no XML"),
        ("<annotation>", "no XML"),
        ("<html></html>", "no Pascal VOC"),
        (LABELIMG.replace(">40<", ">1<"), "without an area"),
        (LABELIMG.replace(">40<", ">forty<"), "no number"),
        (LABELIMG.replace("<xmax>40</xmax>", ""), "without an area"),
    ],
)
def test_a_broken_annotation_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        read_voc(path)


@pytest.mark.parametrize("kind", list(Format))
def test_boxes_survive_every_format(tmp_path: Path, kind: Format) -> None:
    (tmp_path / "in").mkdir()
    annotated = make_annotated(tmp_path / "in")
    write_folder(annotated, tmp_path / "out", kind)
    assert recognise(tmp_path / "out") is kind
    back = read_folder(tmp_path / "out")
    assert [b.picture.name for b in back] == [a.picture.name for a in annotated]
    for one, other in zip(annotated, back, strict=True):
        assert (one.annotation.width, one.annotation.height) == (other.annotation.width, other.annotation.height)
        assert [b.label for b in one.annotation.boxes] == [b.label for b in other.annotation.boxes]
        for a, b in zip(one.annotation.boxes, other.annotation.boxes, strict=True):
            assert [a.box.x1, a.box.y1, a.box.x2, a.box.y2] == pytest.approx(
                [b.box.x1, b.box.y1, b.box.x2, b.box.y2], abs=1e-3
            )


def test_two_pictures_of_one_name_are_not_overwritten(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    both = [make_annotated(tmp_path / "a", 1)[0], make_annotated(tmp_path / "b", 1)[0]]
    with pytest.raises(SourceError, match=r"p0\.jpg"):
        write_folder(both, tmp_path / "out", Format.VOC)


def test_a_lost_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(LABELIMG, encoding="utf-8")
    with pytest.raises(SourceError, match=r"IMG_0001\.jpg is not under"):
        read_folder(tmp_path)


def test_a_registration_becomes_the_class_plate(tmp_path: Path) -> None:
    annotated = make_annotated(tmp_path, 2, label="AB12 CDE")
    assert [b.label for a in one_class(annotated) for b in a.annotation.boxes] == ["plate", "plate", "truck"]


def test_csv_records_and_label_maps(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    annotated = make_annotated(tmp_path / "in")
    counts = export_parts({"train": annotated[:2], "test": annotated[2:]}, tmp_path / "out")
    assert counts == {"train": (2, 3), "test": (1, 1)}
    with (tmp_path / "out" / "train.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0].values()) == ["p0.jpg", "96", "72", "plate", "5", "6", "30", "16"]
    assert (tmp_path / "out" / "labelmap.txt").read_text(encoding="utf-8") == "plate\ntruck\n"
    pbtxt = (tmp_path / "out" / "labelmap.pbtxt").read_text(encoding="utf-8")
    assert pbtxt == "item {\n  id: 1\n  name: 'plate'\n}\n\nitem {\n  id: 2\n  name: 'truck'\n}\n"
    records = list(read_records(tmp_path / "out" / "train.record"))
    assert len(records) == 2
    assert annotated[0].picture.read_bytes() in records[0]


def test_the_command_walks_from_voc_to_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "photos"
    source.mkdir()
    for one in make_annotated(source, 10):
        write_voc(one.annotation, voc_of(one.picture), one.picture)
    assert main(["check", str(source)]) == 0
    assert main(["split", str(source), "--out", str(tmp_path / "set")]) == 0
    assert main(["export", str(tmp_path / "set"), "--out", str(tmp_path / "records")]) == 0
    assert main(["sheet", str(source), "--out", str(tmp_path / "sheets")]) == 0
    assert main(["convert", str(source), "--to", "yolo", "--out", str(tmp_path / "yolo")]) == 0
    assert len(list((tmp_path / "set" / "train").glob("*.jpg"))) == 8
    assert len(list((tmp_path / "set" / "test").glob("*.xml"))) == 2
    assert sorted(p.name for p in (tmp_path / "records").iterdir()) == [
        "labelmap.pbtxt", "labelmap.txt", "test.csv", "test.record", "train.csv", "train.record",
    ]  # fmt: skip
    sheet = cv2.imread(str(tmp_path / "sheets" / "sheet_000.png"))
    assert sheet.shape == (480, 1600, 3)
    assert "10 pictures" in capsys.readouterr().out


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["split", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('<?xml version="1.0" encoding="foo"?>' + LABELIMG, "no XML .unknown encoding"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>\n" + LABELIMG, "line 1: declares a document type"),
        ("\n\n" + LABELIMG.replace(">40<", ">1e999<"), r"line \d+: .* beyond every picture"),
        ("\n\n" + LABELIMG.replace(">40<", ">²<"), r"line \d+: .* no number"),
        (LABELIMG.replace("</object>", "</obj>"), "no XML .mismatched tag: line"),
        ("\0" * 100, "no XML"),
    ],
)
def test_a_strange_annotation_is_told_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        read_voc(path)


def test_strange_sizes_of_a_picture_count_as_unknown(tmp_path: Path) -> None:
    for size in ("²", "9" * 5000, "-4", "1e9"):
        (tmp_path / "a.xml").write_text(LABELIMG.replace("<width>64<", f"<width>{size}<"), encoding="utf-8")
        assert read_voc(tmp_path / "a.xml").width == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"0 0.5 0.5 0.2 0.1\n1e4001 0.1 0.2 0.3 0.4\n", r"a\.txt, line 2: .* no box of YOLO"),
        (b"-1 0.5 0.5 0.2 0.1\n", "line 1: .* no box of YOLO"),
        (b"\n\n7 0.5 0.5 0.2 0.1\n", "line 3: .* of the 1 classes"),
        (b"0 nan 0.5 0.2 0.1\n", "line 1: .* beyond the picture"),
        (b"0 0.5 0.5 1e400 0.1\n", "line 1: .* beyond the picture"),
        (b"0 0.5 0.5 0.2 0.1\n\xff\n", "line 2: is no UTF-8"),
    ],
)
def test_a_strange_line_of_yolo_is_told_with_its_number(tmp_path: Path, content: bytes, said: str) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((40, 60, 3), np.uint8))
    (tmp_path / "classes.txt").write_text("plate\n", encoding="utf-8")
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read_folder(tmp_path, Format.YOLO)


def coco(file_name: object = "a.jpg", width: float = 9, bbox: object = (0, 0, 1, 1)) -> str:
    images = [{"id": 1, "file_name": file_name, "width": width, "height": 9}]
    boxes = [{"image_id": 1, "category_id": 1, "bbox": bbox}]
    return json.dumps({"categories": [{"id": 1, "name": "x"}], "annotations": boxes, "images": images})


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        "[]",
        '{"categories": 7}',
        coco("../a.jpg"),
        coco("a" * 5000),
        coco(width=float("inf")),
        coco(bbox=(float("inf"), 0, 1, 1)),
        coco(bbox="four"),
    ],
)
def test_a_strange_coco_file_is_one_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((40, 60, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "in" / "a.jpg"), np.zeros((40, 60, 3), np.uint8))
    (tmp_path / "in" / "annotations.json").write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=r"annotations\.json: (is no COCO|its picture)"):
        read_folder(tmp_path / "in", Format.COCO)
