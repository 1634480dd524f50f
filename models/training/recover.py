"""Training checkpoints of the shipped nets, recovered from their TFLite files.

A checkpoint lets a training start from the shipped weights (INITIAL=) and the exporters write other formats. A net of
the same settings with random weights is exported; where one of its weights stands in that file, the shipped one stands
in the shipped file. The files hold batch norms folded into convolutions: they are unfolded with the means and variances
of real activations, so that a net that goes on training says at first what the shipped one says.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from models.corners import config as corners_config
from models.corners import export as corners_export
from models.corners.dataset import held_out_rendered, sample_of
from models.corners.network import CornersNet, regions_to_tensor
from models.data.photographs import default_folder
from models.detector import config as detector_config
from models.detector import export as detector_export
from models.detector.dataset import calibration_pictures
from models.detector.network import DetectorNet
from models.ocr import config as reader_config
from models.ocr import export as reader_export
from models.ocr.network import ReaderNet, strips_to_tensor
from models.training.constants import constants, recovered
from models.training.photographs import read_split
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Weights = Mapping[str, Array]

NORM_EPSILON = 1e-3
"""Of every batch norm of the three nets."""
PICTURES = 200
"""So many pictures the detector's means and variances are measured on."""
LARGEST_DIFFERENCE = 1e-5
"""Between a weight of the shipped file and of the recovered net's, exported again; they are of the order of 1."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one of the nets is exported, and how a weight in the file becomes one of the net again."""

    file: Path
    """Under the folder of the shipped weights."""
    net: Callable[[], nn.Module]
    fold: Callable[[Weights], Weights]
    convert: Callable[[Weights], bytes]
    """A float TFLite file of folded weights."""
    inputs: Callable[[Path], torch.Tensor]
    """What the net sees of the photographs of a folder, or of rendered plates, as it takes it."""
    into_file: Callable[[str, Array], Array] = lambda _, weight: weight
    """A named folded weight as `convert` stores it."""
    out_of_file: Callable[[str, Array], Array] = lambda _, weight: weight
    """A named stored weight as the net has it."""


def recover(recipe: Recipe, shipped: bytes, inputs: torch.Tensor) -> nn.Module:
    """The net whose export `shipped` is, its norms measured on `inputs`.

    Raises:
        ModelError: `shipped` is of another net.

    """
    net = recipe.net()
    _randomise(net)
    folded = recipe.fold(_arrays(net))
    stored = {name: recipe.into_file(name, weight) for name, weight in folded.items()}
    found = recovered(constants(shipped), constants(recipe.convert(folded)), stored)
    _fill(net, {name: recipe.out_of_file(name, weight) for name, weight in found.items()})
    settle_norms(net, inputs)
    far = difference(constants(shipped), constants(recipe.convert(recipe.fold(_arrays(net)))))
    if not far < LARGEST_DIFFERENCE:
        raise ModelError(f"{recipe.file}: exported again, the recovered net differs from it by {far:.1e}")
    return net


def settle_norms(net: nn.Module, inputs: torch.Tensor) -> None:
    """Gives every batch norm of `net` the mean and variance of its own inputs; what the net says stays the same."""

    def settle(norm: nn.BatchNorm2d, arguments: tuple[torch.Tensor]) -> None:
        (x,) = arguments
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * torch.sqrt(variance + norm.eps))
        norm.bias.copy_(shift + mean * scale)

    norms = [part for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    net.eval()
    with torch.no_grad():
        net(inputs)
    for hook in hooks:
        hook.remove()


def difference(one: Mapping[tuple[int, int], Array], other: Mapping[tuple[int, int], Array]) -> float:
    """The largest difference between the constants of two files; infinite where their places differ."""
    if {place: value.shape for place, value in one.items()} != {place: value.shape for place, value in other.items()}:
        return float("inf")
    return max(float(np.abs(value - other[place]).max()) for place, value in one.items())


def recipes() -> dict[str, Recipe]:
    """The three nets by the names of their checkpoints."""
    detector, corners, reader = detector_config.load(), corners_config.load(), reader_config.load()
    scale = corners.net.offset_scale

    def convert_detector(weights: Weights) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            detector_export.save_with_post_process(detector_export.build(weights, detector), detector, folder)
            return detector_export.convert(folder, None)

    def pictures(data: Path) -> torch.Tensor:
        seen = calibration_pictures(read_split(data).train, PICTURES, detector.net.size, 0)
        return torch.from_numpy(seen).permute(0, 3, 1, 2)

    def regions(_: Path) -> torch.Tensor:
        seen = [sample_of(view).picture for view in held_out_rendered(corners)]
        return regions_to_tensor(torch.from_numpy(np.stack(seen)))

    def strips(data: Path) -> torch.Tensor:
        return strips_to_tensor(torch.from_numpy(np.stack(reader_export.representative_strips(data, reader))))

    return {
        "detector": Recipe(
            Path("detector/detect.tflite"),
            lambda: DetectorNet(detector.net),
            detector_export.fold_norms,
            convert_detector,
            pictures,
            out_of_file=lambda name, w: w[detector_export.YX_HW] if _layer(name).endswith(".box") else w,
        ),
        "corners": Recipe(
            Path("detector/corners.tflite"),
            lambda: CornersNet(corners.net),
            reader_export.fold_norms,
            lambda weights: corners_export.convert(corners_export.build(weights, corners.net)),
            regions,
            into_file=lambda name, w: w * np.float32(scale) if _layer(name) == "offsets" else w,
            out_of_file=lambda name, w: w / np.float32(scale) if _layer(name) == "offsets" else w,
        ),
        "reader": Recipe(
            Path("reader/read.tflite"),
            lambda: ReaderNet(reader),
            reader_export.fold_norms,
            lambda weights: reader_export.convert(
                reader_export.build(weights, reader, scale_inside=True), None, float16=reader.export.float16_weights
            ),
            strips,
        ),
    }


def _layer(name: str) -> str:
    return name.rsplit(".", 1)[0]


def _arrays(net: nn.Module) -> dict[str, Array]:
    return {key: value.numpy() for key, value in net.state_dict().items()}


def _randomise(net: nn.Module) -> None:
    """Values by which every weight can be told from every other."""
    random = torch.Generator().manual_seed(0)
    for key, value in net.state_dict().items():
        if value.dtype.is_floating_point:
            drawn = torch.rand(value.shape, generator=random)
            value.copy_(drawn + 0.5 if key.endswith("running_var") else 2 * drawn - 1)


def _fill(net: nn.Module, weights: Weights) -> None:
    """Gives `net` folded `weights`, its norms doing nothing but adding the bias."""
    for layer in {_layer(name) for name in weights}:
        kernel, bias = (torch.from_numpy(weights[f"{layer}.{leaf}"].copy()) for leaf in ("weight", "bias"))
        part = net.get_submodule(layer)
        norm = getattr(part, "norm", None)
        inner = getattr(part, "convolution", part)
        with torch.no_grad():
            inner.weight.copy_(kernel)
            if norm is None:
                inner.bias.copy_(bias)
                continue
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0)
            norm.weight.fill_((1.0 + norm.eps) ** 0.5)
            norm.bias.copy_(bias)


def write(net: nn.Module, path: Path) -> None:
    """The net's weights as a state dict that `models.training.course.read_checkpoint` reads, put in place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(net.state_dict(), part)
    part.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.training.recover", description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("models/shipped"), help="folder of the shipped weights")
    parser.add_argument("--out", type=Path, default=Path("models/shipped/checkpoints"))
    parser.add_argument("--data", type=Path, default=default_folder())
    chosen = parser.parse_args(arguments)
    try:
        for name, recipe in recipes().items():
            shipped = chosen.weights / recipe.file
            if not shipped.is_file():
                raise ModelError(f"no model at {shipped}; name the folder of the weights with --weights")
            path = chosen.out / f"{name}.pt"
            write(recover(recipe, shipped.read_bytes(), recipe.inputs(chosen.data)), path)
            print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)
    except RoadsideError as fault:
        print(f"models.training.recover: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    raise SystemExit(main())
