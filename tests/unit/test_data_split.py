import hashlib
from pathlib import Path

import pytest

from models.data.photographs import photographs, plate_crops, read_labels
from models.data.split import bucket, detector_held_out, reader_held_out
from roadside.errors import InputError

INDEX = "path\twidth\theight\tx1\ty1\tx2\ty2\ttext\tregion\tsource\tuse\topenimages\n"
CROPS = "path\twidth\theight\tx1\ty1\tx2\ty2\ttext\tregion\tsource\tuse\tteacher\tteacher_confidence\n"


def test_a_bucket_is_the_hash_by_whole_numbers() -> None:
    expected = int(hashlib.sha1(b"AB12CDE", usedforsecurity=False).hexdigest(), 16) % 7
    assert bucket("AB12CDE", 7) == expected


def test_pictures_of_one_plate_go_together() -> None:
    held = {detector_held_out("oi_gplates", f"images/{i}.jpg", ("AB12CDE", "XY99ZZZ")) for i in range(40)}
    assert len(held) == 1


def test_about_one_picture_in_seven_is_held_out_of_the_one_source() -> None:
    held = sum(detector_held_out("oi_gplates", f"images/{i}.jpg", ()) for i in range(7000))
    assert 900 < held < 1100
    assert not any(detector_held_out("cars433", f"images/{i}.jpg", ()) for i in range(100))


def test_alike_glyphs_are_held_out_together() -> None:
    for text in ("AB10CDO", "AB1OCD0", "ABIQCDO"):
        assert reader_held_out(text, "UK") == reader_held_out("AB10CD0", "UK")


def test_a_quarter_of_uk_texts_and_a_tenth_of_others() -> None:
    texts = [f"AB{i:04d}" for i in range(4000)]
    assert 900 < sum(reader_held_out(t, "UK") for t in texts) < 1100
    assert 320 < sum(reader_held_out(t, "PL") for t in texts) < 480
    assert not reader_held_out("", "UK")


def test_rows_of_one_picture_are_one_photograph(tmp_path: Path) -> None:
    (tmp_path / "index.tsv").write_text(
        INDEX
        + "images/a.jpg\t640\t480\t1\t2\t30.5\t12\tAB12CDE\tUK\toi_gplates\ttrain\t\n"
        + "images/a.jpg\t640\t480\t100\t2\t130\t12\t\tXX\toi_gplates\ttrain\t\n"
        + "images/b.jpg\t640\t480\t\t\t\t\tXY1\tCZ\tcz_pulpan\tdev\t\n",
        encoding="utf-8",
    )
    first, second = photographs(tmp_path)
    assert (len(first.boxes), first.texts, first.boxes[0].x2) == (2, ("AB12CDE",), 30.5)
    assert (second.boxes, second.texts) == ((), ("XY1",))
    assert second.held_out


def test_a_label_fills_what_the_source_left_open(tmp_path: Path) -> None:
    (tmp_path / "crops.tsv").write_text(
        CROPS
        + "crops/a.jpg\t90\t40\t5\t5\t80\t30\t\tXX\toi_gplates\ttrain\tAB1\t0.4\n"
        + "crops/b.jpg\t90\t40\t5\t5\t80\t30\tXY99ZZZ\tUK\toi_gplates\ttrain\t\t\n"
        + "crops/c.jpg\t90\t40\t5\t5\t80\t30\t\tXX\toi_gplates\ttrain\t\t\n",
        encoding="utf-8",
    )
    labels = tmp_path / "labels.tsv"
    labels.write_text(
        "path\ttext\tlines\tregion\tquality\n"
        "crops/a.jpg\tAB12CDE\t1\tUK\tb\ncrops/b.jpg\tWRONG\t1\tDE\ta\ncrops/c.jpg\t?\t1\tOT\tc\n",
        encoding="utf-8",
    )
    a, b, c = plate_crops(tmp_path, read_labels(labels))
    assert (a.text, a.region, a.given, a.sure) == ("AB12CDE", "UK", False, False)
    assert (b.text, b.region, b.given) == ("XY99ZZZ", "UK", True)
    assert (c.text, c.region) == ("", "XX")


def test_a_missing_labels_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.tsv"):
        read_labels(tmp_path / "nothing.tsv")
