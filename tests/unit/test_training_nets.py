"""The nets, their losses and folding; torch is not in the everyday environment: `make test-training` runs these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")

from models.detector import config as detector  # noqa: E402
from models.detector import export as detector_export  # noqa: E402
from models.detector.anchors import place_anchors  # noqa: E402
from models.detector.assign import assign, candidates  # noqa: E402
from models.detector.loss import complete_iou, losses  # noqa: E402
from models.detector.network import DetectorNet, block_widths, decode  # noqa: E402
from models.detector.network import named as detector_named  # noqa: E402
from models.detector.prune import solve, strongest  # noqa: E402
from models.ocr import config as reader  # noqa: E402
from models.ocr import export as reader_export  # noqa: E402
from models.ocr.dataset import Sample  # noqa: E402
from models.ocr.evaluate import greedy_text  # noqa: E402
from models.ocr.network import ReaderNet, strips_to_tensor  # noqa: E402
from models.ocr.network import named as reader_named  # noqa: E402
from models.ocr.train import losses as reader_losses  # noqa: E402
from models.training import course  # noqa: E402
from roadside.errors import ModelError  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

DETECTOR, READER = detector.load(), reader.load()
SHAPE = (256, 320)
"""Rows and columns of the detector's input."""
PLACES = 40 * 32 + 20 * 16 + 10 * 8


def grid() -> tuple[torch.Tensor, torch.Tensor]:
    anchors, strides = place_anchors(DETECTOR.net)
    return torch.from_numpy(anchors), torch.from_numpy(strides)


def test_the_nets_answer_in_their_contracts_shapes() -> None:
    scores, boxes = DetectorNet(DETECTOR.net)(torch.zeros(2, 3, *SHAPE))
    assert (scores.shape, boxes.shape) == ((2, PLACES), (2, PLACES, 4))
    characters, countries = ReaderNet(READER)(strips_to_tensor(torch.zeros(2, 48, 176, dtype=torch.uint8)))
    assert (characters.shape, countries.shape) == ((2, 44, 37), (2, 30))


def test_half_of_each_expansion_is_kept() -> None:
    widths = [width for _, width, *_ in block_widths(DETECTOR.net.kept)]
    assert widths == [32, 48, 72, 72, 96, 96, 96, 192, 192, 192, 192, 288, 288, 288, 480, 480]
    assert block_widths((1.0,) * 15)[1][1] == 96


def test_names_of_the_first_runs_are_understood() -> None:
    short = {"bl.3.exp.c.weight": 1, "heads.0.t1.d.b.running_var": 2, "f4.p.c.weight": 3, "heads.2.cls.bias": 4}
    assert list(detector_named(short)) == [
        "blocks.3.expand.convolution.weight",
        "heads.0.tower1.depthwise.norm.running_var",
        "merge4.pointwise.convolution.weight",
        "heads.2.score.bias",
    ]
    assert list(reader_named({"b.c.weight": 1, "x1.d.b.bias": 2, "k1.weight": 3})) == [
        "early.convolution.weight",
        "context1.depthwise.norm.bias",
        "country_hidden.weight",
    ]
    assert set(reader_named(ReaderNet(READER).state_dict())) == set(ReaderNet(READER).state_dict())


def test_no_output_means_the_anchor_itself() -> None:
    anchors, _ = grid()
    boxes = decode(torch.zeros(1, len(anchors), 4), anchors)
    assert boxes[0, 0].tolist() == [-11, -2, 19, 10]


def test_a_plate_is_answered_for_by_places_on_it() -> None:
    anchors, strides = grid()
    plates = torch.tensor([[[100.0, 100.0, 130.0, 112.0], [200.0, 40.0, 204.0, 42.0]]])
    there = torch.ones(1, 2, dtype=torch.bool)
    boxes = decode(torch.zeros(1, len(anchors), 4), anchors)
    given = assign(torch.zeros(1, len(anchors)), boxes, (plates, there), (anchors, strides), DETECTOR.assignment)
    inside = candidates(plates, anchors, strides, DETECTOR.assignment.centre_radius_strides)[0]
    assert given.positive.sum() >= 2
    assert set(given.plate[given.positive].tolist()) == {0, 1}
    assert bool(inside[given.plate[0], torch.arange(len(anchors))][given.positive[0]].all())
    assert 0 < float(given.target.max()) <= 1
    assert float(given.target[~given.positive].max()) == 0


def test_a_batch_costs_what_its_pictures_cost() -> None:
    rng = np.random.default_rng(3)
    anchors, strides = grid()
    starts = [rng.uniform(0, 200, (count, 2)) for count in (2, 0, 5)]
    plates = [np.hstack([at, at + rng.uniform(3, 60, at.shape)]).astype(np.float32) for at in starts]
    ignored = [plates[1], np.array([[10, 10, 90, 60]], np.float32), plates[1]]
    torch.manual_seed(0)
    logits = torch.randn(3, PLACES)
    raw = torch.randn(3, PLACES, 4) * 0.2
    together = losses((logits, raw), plates, ignored, (anchors, strides), DETECTOR)
    asked, score, box = 0.0, 0.0, 0.0
    for number in range(3):
        one = slice(number, number + 1)
        alone = (logits[one], raw[one])
        boxes = decode(raw[one], anchors)
        truth = torch.zeros(1, max(1, len(plates[number])), 4)
        truth[0, : len(plates[number])] = torch.from_numpy(plates[number])
        there = torch.full((1, truth.shape[1]), fill_value=len(plates[number]) > 0)
        wanted = assign(logits[one], boxes, (truth, there), (anchors, strides), DETECTOR.assignment).target.sum()
        of_one = losses(alone, plates[one], ignored[one], (anchors, strides), DETECTOR)
        share = max(1.0, float(wanted))
        asked += float(wanted)
        score, box = score + float(of_one[0]) * share, box + float(of_one[1]) * share
    assert asked > 1
    assert float(together[0]) == pytest.approx(score / asked, rel=1e-4)
    assert float(together[1]) == pytest.approx(box / asked, rel=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_finds_what_the_processor_finds() -> None:
    plates = [np.array([[60, 100, 120, 124]], np.float32), np.zeros((0, 4), np.float32)]
    logits, raw = torch.randn(2, PLACES), torch.randn(2, PLACES, 4) * 0.2
    ours = losses((logits, raw), plates, plates[::-1], grid(), DETECTOR)
    anchors, strides = (part.cuda() for part in grid())
    theirs = losses((logits.cuda(), raw.cuda()), plates, plates[::-1], (anchors, strides), DETECTOR)
    assert [float(one) for one in theirs] == pytest.approx([float(one) for one in ours], rel=1e-3)
    samples = [Sample(np.zeros((48, 176), np.uint8), text, 0) for text in ("AB12CDE", "", "PO5")]
    net = ReaderNet(READER).eval()
    here = [float(one) for one in reader_losses(net, samples, READER)]
    assert [float(one) for one in reader_losses(net.cuda(), samples, READER)] == pytest.approx(here, rel=0.02)


def test_complete_iou_is_one_for_the_same_box_and_falls_with_distance() -> None:
    plate = torch.tensor([[0.0, 0.0, 40.0, 10.0]])
    moved = [float(complete_iou(plate + shift, plate)) for shift in (0.0, 5.0, 100.0, 200.0)]
    assert moved[0] == pytest.approx(1, abs=1e-4)
    assert moved[0] > moved[1] > 0 > moved[2] > moved[3]


def test_ignored_regions_cost_nothing() -> None:
    logits = torch.full((1, PLACES), -4.0)
    anchors, _ = grid()
    loud = (anchors[:, 0] > 100) & (anchors[:, 0] < 140) & (anchors[:, 1] > 100) & (anchors[:, 1] < 140)
    logits[0, loud] = 4.0
    nothing, region = np.zeros((0, 4), np.float32), np.array([[100, 100, 140, 140]], np.float32)
    costs = [
        float(losses((logits, torch.zeros(1, PLACES, 4)), [nothing], [ignored], grid(), DETECTOR)[0])
        for ignored in (nothing, region)
    ]
    assert costs[1] < costs[0] / 10


def test_the_detector_learns_a_plate_by_heart() -> None:
    torch.manual_seed(0)
    net = DetectorNet(DETECTOR.net)
    picture = torch.full((2, 3, *SHAPE), -0.5)
    picture[:, :, 100:124, 60:120] = 0.9
    plates = [np.array([[60, 100, 120, 124]], np.float32)] * 2
    nothing = [np.zeros((0, 4), np.float32)] * 2
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
    costs = []
    for _ in range(20):
        score, box = losses(net(picture), plates, nothing, grid(), DETECTOR)
        optimiser.zero_grad()
        (score + box).backward()
        optimiser.step()
        costs.append(float(box.detach()))
    assert min(costs[-3:]) < 0.7 * costs[0]


def test_the_reader_learns_a_strip_by_heart() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = ReaderNet(READER)
    samples = [Sample(rng.integers(0, 256, (48, 176), np.uint8), text, 0) for text in ("AB12CDE", "", "PO5")]
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
    costs = []
    for _ in range(15):
        characters, country = reader_losses(net, samples, READER)
        optimiser.zero_grad()
        (characters + country).backward()
        optimiser.step()
        costs.append(float(characters.detach()))
    assert costs[-1] < 0.5 * costs[0]


def test_a_projection_is_solved_from_what_it_should_give() -> None:
    torch.manual_seed(0)
    inputs, weight, bias = torch.randn(4, 6, 20, 20), torch.randn(3, 6), torch.randn(3)
    outputs = torch.einsum("oc,nchw->nohw", weight, inputs) + bias[None, :, None, None]
    found, found_bias = solve(inputs, outputs)
    assert torch.allclose(found, weight, atol=1e-2)
    assert torch.allclose(found_bias, bias, atol=1e-2)


def test_the_channels_that_vary_and_count_are_kept() -> None:
    torch.manual_seed(0)
    middle = torch.randn(2, 4, 30, 30) * torch.tensor([1.0, 0.01, 3.0, 2.0])[None, :, None, None]
    weight = torch.tensor([[1.0, 1.0, 0.001, 1.0]])
    assert strongest(middle, weight, 2).tolist() == [0, 3]


def test_folding_the_readers_norms_changes_no_output() -> None:
    torch.manual_seed(0)
    net = ReaderNet(READER)
    net(torch.randn(8, 1, 48, 176))  # moves the running statistics away from their start
    net.eval()
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    weights = reader_export.fold_norms(state)
    x = torch.randn(1, 1, 48, 176)
    folded = torch.nn.functional.conv2d(
        torch.nn.functional.pad(x, (0, 1, 0, 1)),
        torch.from_numpy(weights["stem.weight"]),
        torch.from_numpy(weights["stem.bias"]),
        2,
    ).relu()
    with torch.no_grad():
        assert torch.allclose(folded, net.stem(x), atol=1e-4)
    assert len([key for key in weights if key.endswith(".weight")]) == 15


def test_box_outputs_are_put_into_the_fused_operators_order() -> None:
    net = DetectorNet(DETECTOR.net).eval()
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    weights = detector_export.fold_norms(state)
    assert np.array_equal(weights["heads.1.box.weight"], state["heads.1.box.weight"][[1, 0, 3, 2]])
    assert not any(".norm" in key or key.endswith("convolution.weight") for key in weights)


def test_a_run_resumes_where_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = ReaderNet(READER)
    average, optimiser = course.Average(net), torch.optim.AdamW(net.parameters(), lr=1e-3)
    course.save(tmp_path / "a.ck", net, average, optimiser, course.Progress(7, 12.5))
    other = ReaderNet(READER)
    other_average = course.Average(other)
    progress = course.resume(tmp_path / "a.ck", other, other_average, torch.optim.AdamW(other.parameters(), lr=1e-3))
    assert (progress.step, progress.elapsed_s) == (7, 12.5)
    assert torch.equal(other.state_dict()["stem.convolution.weight"], net.state_dict()["stem.convolution.weight"])
    assert not list(tmp_path.glob("*.part"))


def test_a_checkpoint_of_another_net_is_refused(tmp_path: Path) -> None:
    net = DetectorNet(DETECTOR.net)
    course.save(tmp_path / "a.ck", net, course.Average(net), torch.optim.AdamW(net.parameters()), course.Progress())
    other = ReaderNet(READER)
    with pytest.raises(ModelError, match="another net") as caught:
        course.resume(tmp_path / "a.ck", other, course.Average(other), torch.optim.AdamW(other.parameters()))
    assert "\n" not in str(caught.value)
    (tmp_path / "b.ck").write_bytes(b"not a checkpoint")
    with pytest.raises(ModelError, match=r"b\.ck"):
        course.read_checkpoint(tmp_path / "b.ck")


def test_the_average_moves_towards_the_net() -> None:
    net = ReaderNet(READER)
    average = course.Average(net)
    with torch.no_grad():
        net.country.bias += 1
    before = average.net.country.bias.clone()
    average.update(net, 0.75)
    assert torch.allclose(average.net.country.bias - before, torch.full((30,), 0.25), atol=1e-6)


def test_greedy_text_joins_repeats_and_drops_blanks() -> None:
    logits = np.full((6, 37), -5, np.float32)
    for column, index in enumerate((11, 11, 0, 11, 12, 0)):
        logits[column, index] = 5
    assert greedy_text(logits, READER.characters) == "AAB"
