"""Checkpoints recovered from exported nets; these run with torch and TensorFlow: `make test-training`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")
pytest.importorskip("tensorflow", reason="TensorFlow is only in .venv-train: run `make test-training`")

from models.corners import config as corners  # noqa: E402
from models.corners.network import CornersNet, regions_to_tensor  # noqa: E402
from models.detector import config as detector  # noqa: E402
from models.detector.anchors import post_process_anchors  # noqa: E402
from models.detector.network import Decoded, DetectorNet  # noqa: E402
from models.ocr import config as reader  # noqa: E402
from models.ocr.network import ReaderNet, load_trained, strips_to_tensor  # noqa: E402
from models.training.constants import constants  # noqa: E402
from models.training.course import read_checkpoint  # noqa: E402
from models.training.onnx_file import to_onnx  # noqa: E402
from models.training.recover import recipes, recover, settle_norms  # noqa: E402
from roadside.errors import ModelError  # noqa: E402
from roadside.vision import open_nets  # noqa: E402

if TYPE_CHECKING:
    from models.training.recover import Recipe

SHIPPED = Path(__file__).parents[2] / "models" / "shipped"
CLOSE = 1e-3
SHAPES = {"detector": (3, 256, 320), "corners": (1, 64, 128), "reader": (1, 48, 176)}


def inputs(name: str, count: int = 4) -> torch.Tensor:
    return 2 * torch.rand((count, *SHAPES[name]), generator=torch.Generator().manual_seed(1)) - 1


def outputs(net: torch.nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    with torch.no_grad():
        found = net(x)
    return [found] if isinstance(found, torch.Tensor) else list(found)


def trained(recipe: Recipe, name: str) -> torch.nn.Module:
    """A net whose norms do something, as after a training."""
    torch.manual_seed(5)
    net = recipe.net()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
        if getattr(part, "bias", None) is not None:
            torch.nn.init.uniform_(part.bias, -0.3, 0.3)  # a bias of zeros would be left out of the file
    settle_norms(net, inputs(name))
    return net


@pytest.mark.parametrize("name", ["detector", "corners", "reader"])
def test_an_exported_net_is_recovered(name: str) -> None:
    recipe = recipes()[name]
    net = trained(recipe, name)
    exported = recipe.convert(recipe.fold({key: value.numpy() for key, value in net.state_dict().items()}))
    again = recover(recipe, exported, inputs(name))
    seen = inputs(name, 3)
    for wanted, found in zip(outputs(net.eval(), seen), outputs(again.eval(), seen), strict=True):
        assert torch.allclose(found, wanted, rtol=2e-2, atol=2e-3), "the reader's weights are stored in 16 bits"


def test_a_recovered_net_says_the_same_when_training_goes_on() -> None:
    """Its norms hold the means and variances of what it sees, so that taking them from a batch changes little."""
    net = CornersNet(corners.load().net)
    net.load(read_checkpoint(SHIPPED / "checkpoints" / "corners.pt"))
    recipe = recipes()["corners"]
    seen = recipe.inputs(Path())
    (resting,) = outputs(net.eval(), seen)
    (training,) = outputs(net.train(), seen)
    assert torch.allclose(training, resting, atol=CLOSE)


def test_another_net_s_file_is_refused() -> None:
    with pytest.raises(ModelError, match="another net"):
        recover(recipes()["corners"], (SHIPPED / "reader" / "read.tflite").read_bytes(), inputs("corners"))
    with pytest.raises(ModelError, match="no TFLite model"):
        constants(b"no model" * 99)


# --- The shipped checkpoints ----------------------------------------------------------------------


def pixels(*shape: int) -> np.ndarray:
    """Blurred noise: edges at all places."""
    noise = np.random.default_rng(3).integers(0, 256, (shape[0] // 8, shape[1] // 8, *shape[2:]))
    return np.kron(noise, np.ones((8, 8, 1) if len(shape) == 3 else (8, 8))).astype(np.uint8)


def test_the_shipped_detector_is_its_checkpoint() -> None:
    config = detector.load()
    net = DetectorNet(config.net)
    net.load_state_dict(read_checkpoint(SHIPPED / "checkpoints" / "detector.pt"))
    whole = Decoded(net, torch.from_numpy(post_process_anchors(config.net))).eval()
    picture = pixels(256, 320, 3)
    boxes, scores = outputs(whole, torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1)
    found = open_nets("litert").detector(SHIPPED / "detector", 1).look(picture)
    assert len(found.scores)
    for box, score in zip(found.boxes, found.scores, strict=True):
        near = np.abs(boxes[0].numpy() - box).max(1) < CLOSE
        assert (near & (np.abs(scores[0].numpy() - score) < CLOSE)).any()


def test_the_shipped_corner_net_is_its_checkpoint() -> None:
    net = CornersNet(corners.load().net)
    net.load(read_checkpoint(SHIPPED / "checkpoints" / "corners.pt"))
    region = pixels(64, 128)
    (wanted,) = outputs(net.eval(), regions_to_tensor(torch.from_numpy(region)[None]))
    assert open_nets("litert").corners(SHIPPED / "detector", 1).offsets(region) == pytest.approx(wanted[0], abs=CLOSE)


def test_the_shipped_reader_is_its_checkpoint() -> None:
    net = ReaderNet(reader.load())
    load_trained(net, SHIPPED / "checkpoints" / "reader.pt")
    strip = pixels(48, 176)
    wanted = outputs(net.eval(), strips_to_tensor(torch.from_numpy(strip)[None]))
    found = open_nets("litert").reader(SHIPPED / "reader", 1).logits(strip)
    for one, other in zip(wanted, found, strict=True):
        assert np.abs(one[0].numpy() - other).max() < CLOSE


def test_an_onnx_file_says_what_its_net_says() -> None:
    net = CornersNet(corners.load().net)
    picture = pixels(64, 128)[..., None]
    content = to_onnx(net, ("corners",), [picture], {"noted": "yes"})
    assert 1e5 < len(content) < 1e7
