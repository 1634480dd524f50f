"""A trained corner net as the TFLite file that lies beside the detector's, and as the ONNX file."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.corners import config as settings
from models.corners.dataset import held_out_rendered, sample_of
from models.ocr.export import fold_norms
from models.training.course import averaged_state, read_checkpoint
from models.training.tflite import interpreter_class
from roadside.core.corners import REGION_HEIGHT_PX, REGION_WIDTH_PX
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from models.corners.config import CornersConfig, Net

    Weights = Mapping[str, NDArray[np.float32]]

CORNERS_FILE = "corners.tflite"
FORMATS = ("tflite", "onnx")
LARGEST_DIFFERENCE = 1e-3
"""Of an offset, in shares of the region: an eighth of a pixel of the region's picture. Of the log odds as well."""


def read_state(path: Path) -> dict[str, NDArray[np.float32]]:
    """The averaged weights of a checkpoint, or a plain state dict, as arrays.

    Raises:
        ModelError: the file holds neither.

    """
    from models.corners.network import named  # noqa: PLC0415  # brings torch, which the rest does without

    try:
        return {key: value.numpy() for key, value in named(averaged_state(read_checkpoint(path))).items()}
    except (KeyError, AttributeError, ValueError) as fault:
        raise ModelError(f"{path} is no checkpoint of the corner net: {fault!r}") from fault


def build(weights: Weights, net: Net) -> Any:  # noqa: ANN401  # TF is untyped here
    """The net in Keras, of folded weights: grey regions (1, 64, 128, 1) in 0..255 to offsets and log odds (1, 9)."""
    import tensorflow as tf  # noqa: PLC0415  # slow to load

    layers = tf.keras.layers

    def convolve(x: Any, name: str, stride: int = 1) -> Any:  # noqa: ANN401
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        layer = layers.Conv2D(kernel.shape[0], kernel.shape[2:], stride, "same")
        y = layer(x)
        layer.set_weights([kernel.transpose(2, 3, 1, 0), bias])
        return layers.ReLU()(y)

    def dense(x: Any, name: str, activation: str | None, scale: float) -> Any:  # noqa: ANN401
        layer = layers.Dense(len(weights[f"{name}.bias"]), activation)
        y = layer(x)
        layer.set_weights([weights[f"{name}.weight"].T * scale, weights[f"{name}.bias"] * scale])
        return y

    picture = layers.Input((REGION_HEIGHT_PX, REGION_WIDTH_PX, 1), batch_size=1, name="region")
    x = layers.Rescaling(1 / 127.5, -1)(picture)
    x = convolve(convolve(convolve(x, "stem", 2), "early", 2), "middle")
    x = convolve(x, "deep", 2)
    x = layers.Add()([x, convolve(x, "residual")])
    x = convolve(convolve(x, "late", 2), "narrow")
    x = layers.Flatten()(layers.Permute((3, 1, 2))(x))  # torch flattens channels first
    x = dense(x, "hidden", "relu", 1.0)
    outputs = layers.Concatenate()([dense(x, "offsets", None, net.offset_scale), dense(x, "plate", None, 1.0)])
    return tf.keras.Model(picture, outputs)


def convert(model: Any) -> bytes:  # noqa: ANN401
    """A float TFLite file."""
    import tensorflow as tf  # noqa: PLC0415

    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def run_torch(state: Weights, config: CornersConfig, regions: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """What the trained net itself says of `regions`: (N, 9).

    Raises:
        ModelError: the weights are not of this net.

    """
    import torch  # noqa: PLC0415

    from models.corners.network import regions_to_tensor  # noqa: PLC0415

    net = _trained(state, config).eval()
    with torch.no_grad():
        return np.asarray(net(regions_to_tensor(torch.from_numpy(np.stack(regions)))).numpy(), np.float32)


def _trained(state: Weights, config: CornersConfig) -> Any:  # noqa: ANN401  # torch is untyped here
    """The net with the weights of a checkpoint."""
    import torch  # noqa: PLC0415

    from models.corners.network import CornersNet  # noqa: PLC0415

    net = CornersNet(config.net)
    try:
        net.load({key: torch.from_numpy(np.asarray(value)) for key, value in state.items()})
    except RuntimeError as fault:
        raise ModelError("The checkpoint's weights are not of the corner net that the settings describe") from fault
    return net


def run_tflite(model: bytes, regions: Sequence[NDArray[np.uint8]], runtime: str) -> tuple[NDArray[np.float32], float]:
    """Offsets and log odds (N, 9), and the median milliseconds of a call on one thread."""
    interpreter = interpreter_class(runtime)(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    entry, output = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    offsets, took_s = [], []
    for picture in regions:
        interpreter.set_tensor(entry, picture.astype(np.float32)[None, :, :, None])
        begun = time.perf_counter()
        interpreter.invoke()
        took_s.append(time.perf_counter() - begun)
        offsets.append(interpreter.get_tensor(output)[0])
    return np.stack(offsets), statistics.median(took_s) * 1e3


def export(checkpoint: Path, folders: Sequence[Path], config: CornersConfig) -> None:
    """Writes the net into each of `folders` and prints how far it is from the trained one on either interpreter.

    Raises:
        ModelError: the checkpoint is no corner net, or the file disagrees with it.

    """
    state = read_state(checkpoint)
    regions = [sample_of(view).picture for view in held_out_rendered(config)]
    wanted = run_torch(state, config, regions)
    model = convert(build(fold_norms(state), config.net))
    for runtime in ("litert", "tflite-runtime"):
        offsets, median_ms = run_tflite(model, regions, runtime)
        far = float(np.abs(offsets - wanted).max())
        print(
            f"{runtime:14} {len(model) / 1e6:.2f} MB  {median_ms:.2f} ms  largest difference {far:.1e} "
            f"on {len(regions)} regions",
            flush=True,
        )
        if not far < LARGEST_DIFFERENCE:
            raise ModelError(f"The exported corner net disagrees with the trained one by {far:.1e} on {runtime}")
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / (CORNERS_FILE + ".part")
        part.write_bytes(model)
        part.replace(folder / CORNERS_FILE)


def export_onnx(checkpoint: Path, folders: Sequence[Path], config: CornersConfig) -> None:
    """Writes `corners.onnx` into each of `folders`.

    Raises:
        ModelError: the checkpoint is no corner net, or the file disagrees with it.

    """
    from models.training.onnx_file import to_onnx, write_file  # noqa: PLC0415  # brings torch

    regions = [sample_of(view).picture[..., None] for view in held_out_rendered(config)]
    model = to_onnx(_trained(read_state(checkpoint), config), ("corners",), regions)
    for folder in folders:
        write_file(folder / "corners.onnx", model)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.corners.export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a .ck of a run, or a state dict (.pt)")
    parser.add_argument("--out", type=Path, action="append", required=True, help="a detector's folder; repeatable")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--format", choices=FORMATS, action="append", help="repeatable; all of them if not given")
    chosen = parser.parse_args(arguments)
    try:
        config = settings.load(chosen.config)
        for form in chosen.format or FORMATS:
            write = export if form == "tflite" else export_onnx
            write(chosen.checkpoint, chosen.out, config)
    except RoadsideError as fault:
        print(f"models.corners.export: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    raise SystemExit(main())
