from pathlib import Path

import cv2
import numpy as np
import pytest

from models.data.__main__ import main
from models.data.photographs import read_labels

COLUMNS = "path\twidth\theight\tx1\ty1\tx2\ty2\ttext\tregion\tsource\tuse\tteacher\tteacher_confidence\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "crops").mkdir(parents=True)
    (folder / "index.tsv").write_text("path\n", encoding="utf-8")
    rows = [COLUMNS]
    for i in range(30):
        cv2.imwrite(str(folder / "crops" / f"{i:02d}.png"), np.full((40, 120, 3), 8 * i, np.uint8))
        text, use = ("AB12CDE" if i == 5 else ""), ("dev" if i == 6 else "train")
        rows.append(f"crops/{i:02d}.png\t120\t40\t10\t8\t110\t32\t{text}\tXX\tmine\t{use}\tAB1\t0.5\n")
    (folder / "crops.tsv").write_text("".join(rows), encoding="utf-8")
    return folder


def test_crops_without_a_text_that_may_be_trained_on_are_on_the_sheets(data: Path, tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    assert main(["label-sheets", "--data", str(data), "--out", str(sheets)]) == 0
    places = (sheets / "places.tsv").read_text(encoding="utf-8").splitlines()
    assert len(places) == 1 + 28
    assert not {"crops/05.png", "crops/06.png"} & {line.split("\t")[2] for line in places}
    assert places[1] == "s000\t0\tcrops/00.png"
    assert places[-1] == "s001\t3\tcrops/29.png"
    assert cv2.imread(str(sheets / "s000.png")).shape == (6 * 130, 4 * 250, 3)
    # The last tile shows its crop: the middle of it is as light as crop 29.
    sheet = cv2.imread(str(sheets / "s001.png"))
    assert sheet[75, 3 * 250 + 125].tolist() == pytest.approx([232] * 3, abs=1)


def test_what_was_read_becomes_a_labels_file(data: Path, tmp_path: Path) -> None:
    sheets, read, out = tmp_path / "sheets", tmp_path / "read.tsv", tmp_path / "labels.tsv"
    main(["label-sheets", "--data", str(data), "--out", str(sheets)])
    read.write_text("s000\t00\tXY99ZZZ\t1\tUK\ta\n\ns001\t3\t?\t1\tOT\tc\ns000\t1\tK1\t2\tDE\tb\n", encoding="utf-8")
    assert main(["apply", str(read), "--sheets", str(sheets), "--out", str(out)]) == 0
    labels = read_labels(out)
    assert {path: (v.text, v.lines, v.region, v.sure) for path, v in labels.items()} == {
        "crops/00.png": ("XY99ZZZ", 1, "UK", True),
        "crops/01.png": ("K1", 2, "DE", False),
        "crops/29.png": ("?", 1, "OT", False),
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("s000\t77\tAB1\t1\tUK\ta", "no tile 77 on sheet s000"),
        ("s000\t1\tAB 1\t1\tUK\ta", "is no registration"),
        ("s000\t1\tAB1\t3\tUK\ta", "lines are 1 or 2"),
        ("s000\t1\tAB1\t1\tUK", "5 fields"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    sheets, read = tmp_path / "sheets", tmp_path / "read.tsv"
    main(["label-sheets", "--data", str(data), "--out", str(sheets)])
    read.write_text(f"s000\t0\tXY99ZZZ\t1\tUK\ta\n{line}\n", encoding="utf-8")
    assert main(["apply", str(read), "--sheets", str(sheets), "--out", str(tmp_path / "labels.tsv")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "read.tsv:2" in told
    assert not (tmp_path / "labels.tsv").exists()
