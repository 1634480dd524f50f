import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from models.synth.plates import Options, render_sample
from roadside.adapters.voc import read_voc


def annotate(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "roadside.cli", "annotate", str(folder), *flags)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_is_annotated_and_corrections_are_kept(tmp_path: Path) -> None:
    sample = render_sample(np.random.default_rng(4), Options(weights={"UK": 1.0}, width_px=(150, 160), hardness=0.1))
    scene = np.full((480, 640, 3), 70, np.uint8)
    height, width = sample.image.shape[:2]
    scene[200 : 200 + height, 240 : 240 + width] = sample.image
    cv2.imwrite(str(tmp_path / "a.png"), scene)
    (tmp_path / "b.jpg").write_text("no picture", encoding="utf-8")
    done = annotate(tmp_path, "--score", "0.2")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "b.jpg" in done.stderr
    annotation = read_voc(tmp_path / "a.xml")
    assert (annotation.filename, annotation.width, annotation.height) == ("a.png", 640, 480)
    truth = sample.corners.mean(axis=0) + np.array([240, 200])
    assert any(
        b.label == "plate" and b.box.x1 < truth[0] < b.box.x2 and b.box.y1 < truth[1] < b.box.y2
        for b in annotation.boxes
    )
    (tmp_path / "a.xml").write_text("<annotation>corrected</annotation>", encoding="utf-8")
    (tmp_path / "b.jpg").unlink()
    assert annotate(tmp_path).returncode == 0
    assert "corrected" in (tmp_path / "a.xml").read_text(encoding="utf-8")
    assert annotate(tmp_path, "--overwrite").returncode == 0
    assert "corrected" not in (tmp_path / "a.xml").read_text(encoding="utf-8")


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    done = annotate(tmp_path / "nowhere")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
