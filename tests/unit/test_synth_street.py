import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from models.synth import street, vehicles
from models.synth.street import DEMO_VEHICLES, Clip
from models.synth.view import View
from roadside.adapters.sources.containers import clip_time

SMALL = View(320, 180, focal_px=437.5, x=0.35, y=2.75, pitch=0.056, yaw=0.042)


def test_every_demo_plate_passes_readably_within_the_clip() -> None:
    clip = Clip()
    seen = street.passages(clip, street.build(np.random.default_rng(1), DEMO_VEHICLES))
    assert {one.plate for one in seen} == {"".join(filter(str.isalnum, v.plate)) for v in DEMO_VEHICLES}
    assert all(0 <= one.first_s < one.last_s - 1 <= clip.duration_s for one in seen)
    assert [one.first_s for one in seen] == sorted(one.first_s for one in seen)


def test_plates_grow_as_vehicles_approach() -> None:
    built = street.build(np.random.default_rng(1), DEMO_VEHICLES[:1])[0]
    widths = [float(np.ptp(vehicles.plate_in_view(street.VIEW, built, d)[:, 0])) for d in (40.0, 20.0, 10.0)]
    assert widths[0] < widths[1] < widths[2]
    assert 40 < widths[2] < 160


def test_a_seed_gives_the_same_frames() -> None:
    clip = Clip(view=SMALL, duration_s=0.08)
    runs = []
    for _ in range(2):
        rng = np.random.default_rng(3)
        runs.append(list(islice(street.frames(rng, clip, street.build(rng, DEMO_VEHICLES[:2])), 2)))
    assert len(runs[0]) == 2
    assert runs[0][0].shape == (180, 320, 3)
    assert not np.array_equal(runs[0][0], runs[0][1])
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one, other)


def test_the_clip_can_be_opened_and_its_plates_are_listed(tmp_path: Path) -> None:
    out = tmp_path / "clip.avi"
    seen = street.write(out, Clip(view=SMALL, duration_s=0.2), DEMO_VEHICLES[:1])
    reader = cv2.VideoCapture(str(out))
    assert int(reader.get(cv2.CAP_PROP_FRAME_COUNT)) == 5
    assert (tmp_path / "clip.tsv").read_text().splitlines()[0] == "plate\tcountry\tfirst_s\tlast_s"
    assert seen == ()


def test_the_ground_is_where_the_view_says() -> None:
    x, z = SMALL.ground()
    row, column = 150, 40
    pixels, depth = SMALL.project(np.array([(x[row, column], 0.0, z[row, column])], np.float64))
    assert np.allclose(pixels[0], (column + 0.5, row + 0.5), atol=0.01)
    assert depth[0] > 0
    assert np.isinf(z[0]).all()


def test_the_clip_says_when_it_was_made(tmp_path: Path) -> None:
    before_ns = time.time_ns()
    street.write(tmp_path / "clip.mp4", Clip(view=SMALL, duration_s=0.1), DEMO_VEHICLES[:1])
    taken = clip_time(tmp_path / "clip.mp4")
    assert taken is not None, "without it nobody would be UNPAID in it"
    assert before_ns - 10**9 <= taken.at_ns <= time.time_ns()
