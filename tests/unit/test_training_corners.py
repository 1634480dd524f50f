"""The corner net's training: samples that the product's geometry undoes, the net, its loss, names and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.corners import candidates
from models.corners import config as settings
from models.corners.candidates import Candidates
from models.corners.dataset import (
    View,
    held_out_rendered,
    is_frontal,
    jittered_box,
    offsets_between,
    plate_height,
    region_of,
    sample_of,
    surroundings,
    warped,
)
from models.corners.evaluate import by_box, errors
from models.ocr.crops import Crop
from roadside.core.corners import REGION_HEIGHT_PX, REGION_WIDTH_PX, place, region, region_picture
from roadside.core.frames import Box, Detection
from roadside.core.rectify import box_corners
from roadside.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from models.corners.candidates import Candidate

CONFIG = settings.load()
TILTED = np.array([[100, 60], [200, 74], [198, 98], [98, 84]], np.float32)


def street(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (160, 320), np.uint8)


@pytest.mark.parametrize("seed", range(10))
def test_the_product_places_what_the_training_asks_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = jittered_box(rng, TILTED, CONFIG.box_jitter)
    assert place(offsets_between(TILTED, box), box) == pytest.approx(TILTED, abs=1e-3)
    assert np.abs(offsets_between(TILTED, box)).max() > 0.01


@pytest.mark.parametrize("box", [Box(90, 50, 210, 100), Box(-20, -8, 60, 12), Box(4, 10, 300, 150)])
def test_the_net_is_shown_in_training_what_the_product_shows_it(box: Box) -> None:
    grey = np.asarray(cv2.GaussianBlur(street(), (0, 0), 3), np.uint8)  # sharp noise shows OpenCV's 1/32 px steps
    image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    shown = region_of(grey, box)
    assert shown.shape == (REGION_HEIGHT_PX, REGION_WIDTH_PX)
    assert np.abs(shown.astype(int) - region_picture(image, region(box))).max() <= 1


def test_spans_turn_offsets_into_plate_heights() -> None:
    view = View(street(), TILTED, Box(95, 55, 205, 105))
    sample = sample_of(view)
    moved = place(sample.offsets + 0.01, view.box) - TILTED
    assert moved.reshape(8) / plate_height(TILTED) == pytest.approx(0.01 * sample.spans, abs=1e-3)


def test_a_warp_moves_the_plate_with_its_corners() -> None:
    grey = np.full((160, 320), 30, np.uint8)
    cv2.fillConvexPoly(grey, np.round(TILTED).astype(np.int32), (220,))
    for seed in range(20):
        picture, corners = warped(np.random.default_rng(seed), grey, TILTED, CONFIG.warp)
        inside = np.zeros_like(picture)
        cv2.fillConvexPoly(inside, np.round(corners).astype(np.int32), (1,))
        ring = cv2.dilate(inside, np.ones((9, 9), np.uint8)) - cv2.dilate(inside, np.ones((5, 5), np.uint8))
        assert picture[inside > 0].mean() > 190
        assert picture[ring > 0].mean() < 60


def test_boxes_are_as_loose_as_the_settings_say() -> None:
    rng = np.random.default_rng(0)
    boxes = [jittered_box(rng, TILTED, CONFIG.box_jitter) for _ in range(2000)]
    assert np.std([np.log(box.width) for box in boxes]) == pytest.approx(CONFIG.box_jitter.width, rel=0.1)
    assert np.std([np.log(box.height) for box in boxes]) == pytest.approx(CONFIG.box_jitter.height, rel=0.1)


def crop(path: Path, width: int, height: int, **changed: object) -> Crop:
    told: dict[str, object] = {
        "text": "AB12CDE", "region": "UK", "source": "oi_gplates", "use": "train", "lines": 1, "quality": "sure",
    }  # fmt: skip
    return Crop(path, box_corners(0, 0, width, height), **(told | changed))  # type: ignore[arg-type]


def test_only_plates_whose_box_is_their_outline_are_taken(tmp_path: Path) -> None:
    taken = [
        crop(tmp_path, 450, 100),
        crop(tmp_path, 140, 100, lines=2),
        crop(tmp_path, 450, 100, source="own", region="XX"),
    ]
    left = [
        crop(tmp_path, 300, 100),
        crop(tmp_path, 600, 100),
        crop(tmp_path, 450, 100, region="XX"),
        crop(tmp_path, 450, 100, quality="none"),
        crop(tmp_path, 140, 100),
        crop(tmp_path, 140, 100, lines=2, region="ES"),
    ]
    assert [is_frontal(one, CONFIG.frontal) for one in (*taken, *left)] == [True] * 3 + [False] * 6


def test_surroundings_keep_the_plate_where_it_was() -> None:
    grey = street()
    part, corners = surroundings(grey, TILTED)
    x, y = (TILTED - corners)[0].astype(int)
    assert part.shape[0] < 100
    assert np.array_equal(part, grey[y : y + part.shape[0], x : x + part.shape[1]])
    assert (corners >= 0).all()


def test_held_out_plates_are_the_same_each_time() -> None:
    few = CONFIG.model_copy(update={"rendered": CONFIG.rendered.model_copy(update={"held_out": 3})})
    first, again = held_out_rendered(few), held_out_rendered(few)
    assert len(first) == 3
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.grey, other.grey)
        assert one.box == other.box


def test_errors_are_in_plate_heights() -> None:
    view = View(street(), box_corners(100, 50, 200, 70), Box(100, 50, 200, 70))
    assert errors([by_box(view)], [view]).mean == 0
    moved = errors([by_box(view) + np.array([6, 8], np.float32)], [view])
    assert (moved.mean, moved.ninetieth, moved.coordinate) == pytest.approx((0.5, 0.5, 0.35))


# --- What needs torch: `make test-training` -------------------------------------------------------


@pytest.fixture
def torch_here() -> object:
    return pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")


@pytest.mark.usefixtures("torch_here")
def test_an_untrained_net_answers_with_nearly_the_box() -> None:
    import torch  # noqa: PLC0415

    from models.corners.network import CornersNet, regions_to_tensor  # noqa: PLC0415

    torch.manual_seed(0)
    with torch.no_grad():
        answers = CornersNet(CONFIG.net).eval()(regions_to_tensor(torch.zeros(2, 64, 128, dtype=torch.uint8)))
    assert answers.shape == (2, 9)
    assert float(answers[:, :8].abs().max()) < 0.05


def short(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict as the first runs left it: under other names, and without `plate`."""
    heads = dict(
        zip(
            ("stem", "early", "middle", "deep", "residual", "late", "narrow", "hidden", "offsets"),
            "abcdefgho",
            strict=True,
        )
    )
    parts = {"convolution": "c", "norm": "b"}
    renamed = {}
    for key, value in state.items():
        head, *middle, leaf = key.split(".")
        if head == "plate":
            continue
        renamed[".".join([heads[head], *(parts[part] for part in middle), leaf])] = value
    return renamed


@pytest.mark.usefixtures("torch_here")
def test_names_of_the_first_runs_are_understood(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    from models.corners.export import read_state  # noqa: PLC0415
    from models.corners.network import CornersNet  # noqa: PLC0415

    state = CornersNet(CONFIG.net).state_dict()
    torch.save(short(state), tmp_path / "first.pt")
    read = read_state(tmp_path / "first.pt")
    assert list(read) == [key for key in state if not key.startswith("plate.")]
    assert all(np.array_equal(value, state[key].numpy()) for key, value in read.items())
    CornersNet(CONFIG.net).load({key: torch.from_numpy(value) for key, value in read.items()})


@pytest.mark.usefixtures("torch_here")
def test_a_checkpoint_of_another_net_is_refused(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    from models.corners.export import read_state, run_torch  # noqa: PLC0415
    from models.corners.network import CornersNet  # noqa: PLC0415
    from roadside.errors import ModelError  # noqa: PLC0415

    torch.save({"x.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"other\.pt"):
        read_state(tmp_path / "other.pt")
    wider = CONFIG.net.model_copy(update={"hidden": 64})
    torch.save(CornersNet(wider).state_dict(), tmp_path / "wide.pt")
    with pytest.raises(ModelError, match="settings"):
        run_torch(read_state(tmp_path / "wide.pt"), CONFIG, [np.zeros((64, 128), np.uint8)])


def places() -> list[Candidate]:
    """Two plates and as many places without one, cut out of the street."""
    settings_of = CONFIG.candidates
    marks = np.array([[100.0, 50.0, 200.0, 100.0]])
    unclear = np.array([[20.0, 10.0, 60.0, 30.0]])
    seen = [
        Detection(Box(102, 52, 198, 99), 0.9),
        Detection(Box(170, 60, 260, 100), 0.6),  # part of the plate: neither
        Detection(Box(22, 12, 58, 29), 0.5),  # unclear
        Detection(Box(220, 110, 280, 130), 0.4),
        Detection(Box(10, 110, 40, 120), 0.01),
    ]
    found = candidates.of_detections(street(), seen, marks, unclear, settings_of)
    return [*found, *candidates.of_detections(street(1), seen[:1], marks, unclear, settings_of)]


def test_what_overlaps_a_plate_a_little_is_neither_a_plate_nor_another_thing() -> None:
    found = places()
    assert [one.plate for one in found] == [True, False, False, True]
    assert [one.weight for one in found] == [1.0, 0.4, CONFIG.candidates.least_weight, 1.0]


def test_a_candidate_is_cut_with_its_box_in_place() -> None:
    one = places()[0]
    grey, box = street(), Box(102, 52, 198, 99)
    wanted, found = region_of(grey, box), region_of(one.grey, one.box)
    assert np.abs(wanted.astype(int) - found).max() <= 1


def test_candidates_are_drawn_by_kind() -> None:
    drawn = Candidates(places(), CONFIG.box_jitter)
    assert (drawn.plates, drawn.others) == (2, 2)
    assert drawn.sample(np.random.default_rng(0), plate=False, mild=True).shape == (REGION_HEIGHT_PX, REGION_WIDTH_PX)
    with pytest.raises(SourceError, match="nothing but plates"):
        Candidates(places()[:1], CONFIG.box_jitter)


@pytest.mark.usefixtures("torch_here")
def test_the_net_learns_to_tell_plates_from_other_things() -> None:
    import torch  # noqa: PLC0415

    from models.corners.network import CornersNet  # noqa: PLC0415
    from models.corners.train import draw_candidates, plate_loss  # noqa: PLC0415

    torch.manual_seed(0)
    net, drawn, rng = CornersNet(CONFIG.net), Candidates(places(), CONFIG.box_jitter), np.random.default_rng(0)
    few = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"batch": 8})})
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
    costs = []
    for _ in range(70):
        cost = plate_loss(net, draw_candidates(drawn, rng, few))
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        costs.append(float(cost.detach()))
    assert np.mean(costs[-5:]) < 0.5 * costs[0]


@pytest.mark.usefixtures("torch_here")
def test_the_net_learns_two_plates_by_heart() -> None:
    import torch  # noqa: PLC0415

    from models.corners.network import CornersNet  # noqa: PLC0415
    from models.corners.train import loss  # noqa: PLC0415

    torch.manual_seed(0)
    net = CornersNet(CONFIG.net)
    samples = [sample_of(View(street(n), TILTED, Box(90 + 8 * n, 50, 205, 105))) for n in range(2)]
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
    costs = []
    for _ in range(25):
        cost = loss(net, samples, CONFIG)
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        costs.append(float(cost.detach()))
    assert min(costs[-5:]) < 0.5 * costs[0]
