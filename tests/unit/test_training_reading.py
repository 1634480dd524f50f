"""The reader as judge of the corner net: its cut is the product's, and its loss tells where the corners ought to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")

from models.corners import reading  # noqa: E402
from models.corners.reading import (  # noqa: E402
    CANVAS_PX,
    Readable,
    cut_through,
    grown,
    load_reader,
    placed_corners,
    reading_loss,
)
from models.ocr import config as reader  # noqa: E402
from models.ocr.best import choose, held_out  # noqa: E402
from models.ocr.evaluate import Group  # noqa: E402
from models.ocr.network import ReaderNet  # noqa: E402
from models.training.mean import greedy, mean  # noqa: E402
from models.training.mean import main as mean_main  # noqa: E402
from roadside.core.rectify import box_corners, grow, strip  # noqa: E402
from roadside.errors import ModelError  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CONFIG = reader.load()
TILTED = np.array([[40, 30], [240, 45], [235, 90], [38, 80]], np.float32)


def canvas() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(0, 256, (CANVAS_PX[1], CANVAS_PX[0])).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)


def readable(text: str) -> Readable:
    box = box_corners(60, 40, 220, 90)
    return Readable(canvas(), np.zeros((64, 128), np.uint8), box, np.array([224, 100], np.float32), 1.0, text)


def test_the_differentiable_cut_is_the_products() -> None:
    wanted = strip(canvas(), TILTED)
    found = cut_through(torch.from_numpy(canvas()).float()[None, None], torch.from_numpy(TILTED)[None])
    assert found.shape == (1, 1, *wanted.shape)
    assert np.abs(found[0, 0].numpy() - wanted).max() < 1


def test_the_margin_is_the_products_on_a_stretched_canvas_too() -> None:
    stretch = 1.6
    width, height = (float(np.linalg.norm(TILTED[end] - TILTED[0])) for end in (1, 3))
    wanted = grow(TILTED, 0.03, 0.03 * width / height) * np.array([stretch, 1], np.float32)
    stretched = torch.from_numpy(TILTED * np.array([stretch, 1], np.float32))[None]
    assert grown(stretched, 0.03, torch.tensor([stretch]))[0].numpy() == pytest.approx(wanted, abs=0.5)


def test_the_loss_says_how_the_corners_ought_to_move_unless_the_plate_is_hopeless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    judge = ReaderNet(CONFIG).eval().requires_grad_(requires_grad=False)
    plates = [readable("AB12CDE"), readable("1AB2345")]

    def gradient() -> torch.Tensor:
        offsets = torch.zeros(2, 8, requires_grad=True)
        assert torch.equal(placed_corners(offsets, plates)[0], torch.from_numpy(plates[0].box)), "no offset: the box"
        reading_loss(offsets, plates, judge, CONFIG).backward()
        assert offsets.grad is not None
        return offsets.grad

    assert not gradient().any(), "an untrained reader reads nothing, wherever the corners are"
    monkeypatch.setattr(reading, "LARGEST_LOSS", float("inf"))
    assert bool((gradient() != 0).all())


def test_the_judge_does_not_learn(tmp_path: Path) -> None:
    torch.save(ReaderNet(CONFIG).state_dict(), tmp_path / "reader.pt")
    judge = load_reader(tmp_path / "reader.pt", CONFIG)
    assert not judge.training
    assert not any(part.requires_grad for part in judge.parameters())
    torch.save({"other": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"other\.pt is no checkpoint of this reader"):
        load_reader(tmp_path / "other.pt", CONFIG)


def test_a_checkpoint_that_makes_the_mean_worse_stays_out() -> None:
    costs = {(1,): 1.0, (1, 0): 0.8, (1, 0, 2): 0.9, (1, 0, 3): 0.8}
    taken, least = greedy([2.0, 1.0, 3.0, 4.0], lambda places: costs[tuple(places)])
    assert (taken, least) == ([1, 0, 3], 0.8)
    assert greedy([2.0], lambda _: 0.0) == ([0], 2.0)


def test_the_best_mean_of_readers_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    config = reader.load()
    good, bad = ReaderNet(config), ReaderNet(config)
    with torch.no_grad():
        for part in (bad.characters.weight, bad.characters.bias):
            part.mul_(40.0)
    for name, net in (("good", good), ("bad", bad)):
        torch.save(net.state_dict(), tmp_path / f"{name}.pt")
    strips = np.random.default_rng(0).integers(0, 256, (2, 48, 176), np.uint8)
    data = held_out({"some": Group(strips, ("AB12CDE", "PO5"))}, config, copies=2)
    assert data.strips.shape == (4, 48, 176)
    best = choose([tmp_path / "bad.pt", tmp_path / "good.pt"], data)
    assert all(torch.equal(value, good.state_dict()[key]) for key, value in best.items())
    assert "mean of 1 of 2" in capsys.readouterr().out
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match="another reader"):
        choose([tmp_path / "other.pt"], data)


def test_the_mean_of_checkpoints_is_that_of_each_weight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, name in enumerate(("a.pt", "b.pt")):
        torch.save({"x": torch.full((2,), float(number)), "seen": torch.tensor(4 * number)}, tmp_path / name)
    torch.save({"y": torch.zeros(1)}, tmp_path / "c.pt")
    assert mean_main([str(tmp_path / "a.pt"), str(tmp_path / "b.pt"), "--out", str(tmp_path / "m.pt")]) == 0
    found = torch.load(tmp_path / "m.pt")
    assert found["x"].tolist() == [0.5, 0.5]
    assert (int(found["seen"]), found["seen"].dtype) == (2, torch.int64)
    with pytest.raises(ModelError, match="different nets"):
        mean([tmp_path / "a.pt", tmp_path / "c.pt"])
    assert mean_main([str(tmp_path / "a.pt"), str(tmp_path / "none.pt"), "--out", str(tmp_path / "n.pt")]) == 1
    assert "none.pt cannot be read" in capsys.readouterr().err
