from pathlib import Path

import cv2
import numpy as np

from models.data.__main__ import main
from models.training.photographs import read_split
from roadside.adapters.voc import LabelledBox, annotation_of, voc_of, write_voc
from roadside.core.frames import Box


def test_what_the_tool_split_is_what_the_trainer_trains_on(tmp_path: Path) -> None:
    source, parts = tmp_path / "photos", tmp_path / "set"
    source.mkdir()
    for i in range(10):
        picture = source / f"p{i}.png"
        small = np.random.default_rng(i).integers(0, 256, (6, 8, 3), np.uint8)
        cv2.imwrite(str(picture), cv2.resize(small, (120, 90), interpolation=cv2.INTER_CUBIC))
        boxes = [LabelledBox("plate", Box(10 + i, 20, 60, 40))]
        write_voc(annotation_of(picture, 120, 90, boxes), voc_of(picture), picture)
    assert main(["split", str(source), "--out", str(parts), "--test", "0.3"]) == 0
    split = read_split(parts)
    assert {one.path for one in split.train} == set((parts / "train").glob("*.png"))
    assert {one.path for one in split.held_out} == set((parts / "test").glob("*.png"))
    assert (len(split.train), len(split.held_out)) == (7, 3)
