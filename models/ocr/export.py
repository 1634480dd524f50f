"""A trained reader as TFLite files, float and integer, and as ONNX, with the reader.json that explains them."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.data.photographs import default_folder
from models.ocr import config as settings
from models.ocr.crops import read_crops, read_grey
from models.ocr.placing import centred
from models.ocr.pool import render
from models.ocr.tflite import run_tflite
from models.training.course import averaged_state, read_checkpoint
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from models.ocr.config import ReaderConfig

    Weights = Mapping[str, NDArray[np.float32]]

NORM_EPSILON = 1e-3
INTEGER_SUFFIX = "_int8"
FORMATS = ("tflite", "onnx")
HIGHEST_OP_VERSION = 6
"""What tflite-runtime 2.14 was seen to accept in these nets; a newer converter could write more."""


# --- Weights --------------------------------------------------------------------------------------


def read_state(path: Path) -> dict[str, NDArray[np.float32]]:
    """The averaged weights of a checkpoint, or a plain state dict, as arrays.

    Raises:
        ModelError: the file holds neither.

    """
    from models.ocr.network import named  # noqa: PLC0415  # brings torch, which the rest does without

    try:
        return {key: value.numpy() for key, value in named(averaged_state(read_checkpoint(path))).items()}
    except (KeyError, AttributeError, ValueError) as fault:
        raise ModelError(f"{path} is no checkpoint of the reader: {fault!r}") from fault


def fold_norms(state: Weights) -> dict[str, NDArray[np.float32]]:
    """A state dict with every batch norm folded into its convolution: keys `<module>.weight` and `<module>.bias`."""
    folded = {}
    for key, weight in state.items():
        module, leaf = key.rsplit(".", 1)
        if leaf != "weight" or module.endswith(".norm"):
            continue
        if module.endswith(".convolution"):
            module = module.removesuffix(".convolution")
            norm = f"{module}.norm."
            scale = state[norm + "weight"] / np.sqrt(state[norm + "running_var"] + NORM_EPSILON)
            folded[f"{module}.weight"] = weight * scale[:, None, None, None]
            folded[f"{module}.bias"] = state[norm + "bias"] - state[norm + "running_mean"] * scale
        else:
            folded[f"{module}.weight"], folded[f"{module}.bias"] = weight, state[f"{module}.bias"]
    return folded


# --- The same net in Keras ------------------------------------------------------------------------


def build(weights: Weights, config: ReaderConfig, *, scale_inside: bool) -> Any:  # noqa: ANN401  # TF is untyped here
    """The net in Keras: strips (1, H, W, 1) to character logits (1, columns, classes) and country logits (1, C).

    With `scale_inside` it takes grey 0..255, else grey scaled to -1..1.
    """
    import tensorflow as tf  # noqa: PLC0415  # slow to load

    layers = tf.keras.layers

    def convolve(x: Any, name: str, *, stride: int = 1, padding: str = "same", activate: bool = True) -> Any:  # noqa: ANN401
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        size = kernel.shape[2:]
        if kernel.shape[1] == 1 and kernel.shape[0] == x.shape[-1] and size != (1, 1):
            layer, kernel = layers.DepthwiseConv2D(size, stride, padding), kernel.transpose(2, 3, 0, 1)
        else:
            layer, kernel = layers.Conv2D(kernel.shape[0], size, stride, padding), kernel.transpose(2, 3, 1, 0)
        y = layer(x)
        layer.set_weights([kernel, bias])
        return layers.ReLU()(y) if activate else y

    def dense(x: Any, name: str, activation: str | None) -> Any:  # noqa: ANN401
        layer = layers.Dense(len(weights[f"{name}.bias"]), activation)
        y = layer(x)
        layer.set_weights([weights[f"{name}.weight"].T, weights[f"{name}.bias"]])
        return y

    def context(x: Any, name: str) -> Any:  # noqa: ANN401
        seen = convolve(convolve(x, f"{name}.depthwise"), f"{name}.pointwise", activate=False)
        return layers.ReLU()(layers.Add()([x, seen]))

    net = config.net
    picture = layers.Input((net.height_px, net.width_px, 1), batch_size=1)
    x = layers.Rescaling(1 / 127.5, -1)(picture) if scale_inside else picture
    x = layers.MaxPool2D(2)(convolve(convolve(x, "stem", stride=2), "early"))
    x = layers.MaxPool2D((2, 1))(convolve(convolve(x, "middle1"), "middle2"))
    x = convolve(x, "deep1")
    x = layers.ReLU()(layers.Add()([x, convolve(x, "deep2")]))
    columns = convolve(convolve(layers.MaxPool2D((2, 1))(x), "late"), "column", padding="valid")
    seen = context(context(columns, "context1"), "context2")
    characters = layers.Reshape((net.columns, config.classes))(convolve(seen, "characters", activate=False))
    parts = [columns]
    if ends := net.country_ends:
        parts += [columns[:, :, :ends], columns[:, :, ends : 2 * ends], columns[:, :, -ends:]]
    means = [layers.GlobalAveragePooling2D()(part) for part in parts]
    hidden = dense(layers.Concatenate()(means) if ends else means[0], "country_hidden", "relu")
    return tf.keras.Model(picture, [characters, dense(hidden, "country", None)])


def convert(model: Any, representative: Sequence[NDArray[np.uint8]] | None, *, float16: bool) -> bytes:  # noqa: ANN401
    """A TFLite file: float, or full integer with its ranges measured on `representative` strips.

    The integer net takes raw grey: its input scale is what -1..1 becomes in 256 steps, so no arithmetic is left.
    """
    import tensorflow as tf  # noqa: PLC0415
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if representative is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _scaled(representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    elif float16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    graph = flatbuffer_utils.convert_bytearray_to_object(converter.convert())
    highest = max(code.version for code in graph.operatorCodes)
    if highest > HIGHEST_OP_VERSION:
        raise ModelError(
            f"The converter wrote an operator of version {highest}, which tflite-runtime 2.14 may not know"
        )
    main = graph.subgraphs[0]
    main.tensors[main.inputs[0]].name = b"strip"
    for index in main.outputs:
        tensor = main.tensors[index]
        tensor.name = b"characters" if len(tensor.shape) == 3 else b"countries"
    graph.signatureDefs = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph))


def _scaled(strips: Sequence[NDArray[np.uint8]]) -> Iterator[list[NDArray[np.float32]]]:
    for strip in strips:
        x = strip.astype(np.float32) / 127.5 - 1
        x[0, 0], x[0, 1] = -1, 1  # the input's range must be the whole of -1..1
        yield [x[None, :, :, None]]


# --- Representative strips ------------------------------------------------------------------------


def representative_strips(data: Path | None, config: ReaderConfig) -> list[NDArray[np.uint8]]:
    """Strips of `train` crops, or of rendered plates where there are none."""
    count, margin = config.export.representative, config.export.margin
    if data is not None and (data / "crops.tsv").is_file():
        crops = [crop for crop in read_crops(data, {}, config.countries) if crop.use == "train"]
        chosen = random.Random(0).sample(crops, min(count, len(crops)))
        return [centred(read_grey(crop.path), crop.corners, crop.lines, margin) for crop in chosen]
    rng = np.random.default_rng(0)
    plates = [render(rng, config.countries) for _ in range(count)]
    return [centred(plate.grey, plate.corners, plate.lines, margin) for plate in plates]


# --- Checks ---------------------------------------------------------------------------------------


def run_torch(
    state: Weights, config: ReaderConfig, strips: Sequence[NDArray[np.uint8]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the trained net itself says of `strips`."""
    import torch  # noqa: PLC0415

    from models.ocr.network import strips_to_tensor  # noqa: PLC0415

    net = _trained(state, config).eval()
    with torch.no_grad():
        characters, countries = net(strips_to_tensor(torch.from_numpy(np.stack(strips))))
    return characters.numpy(), countries.numpy()


def _trained(state: Weights, config: ReaderConfig) -> Any:  # noqa: ANN401  # torch is untyped here
    """The net with the weights of a checkpoint."""
    import torch  # noqa: PLC0415

    from models.ocr.network import ReaderNet  # noqa: PLC0415

    net = ReaderNet(config)
    try:
        net.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in state.items()})
    except RuntimeError as fault:
        raise ModelError("The checkpoint's weights are not of the reader that the settings describe") from fault
    return net


# --- Files ----------------------------------------------------------------------------------------


def write_folder(folder: Path, model: bytes, config: ReaderConfig, temperature: float) -> None:
    """`read.tflite` and `reader.json`, each put in place whole."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {
        "characters": config.characters,
        "countries": list(config.countries),
        "temperature": temperature,
        "width": config.net.width_px,
        "height": config.net.height_px,
    }
    for name, content in (("read.tflite", model), ("reader.json", json.dumps(described, indent=1).encode() + b"\n")):
        whole = folder / (name + ".part")
        whole.write_bytes(content)
        whole.replace(folder / name)


def export(checkpoint: Path, out: Path, data: Path | None, config: ReaderConfig, temperature: float) -> None:
    """Writes `out` (float) and `out`_int8 (full integer) and prints how far they are from the trained net.

    Raises:
        ModelError: the checkpoint is no reader, or the float file disagrees with it.

    """
    state = read_state(checkpoint)
    weights = fold_norms(state)
    strips = representative_strips(data, config)
    wanted, wanted_countries = run_torch(state, config, strips)
    files = {
        out: convert(build(weights, config, scale_inside=True), None, float16=config.export.float16_weights),
        out.with_name(out.name + INTEGER_SUFFIX): convert(
            build(weights, config, scale_inside=False), strips, float16=False
        ),
    }
    for folder, model in files.items():
        for runtime in ("litert", "tflite-runtime"):
            characters, countries, median_ms = run_tflite(model, strips, runtime)
            same = float(np.mean((characters.argmax(-1) == wanted.argmax(-1)).all(-1)))
            far = float(np.abs(characters - wanted).max())
            country = float(np.mean(countries.argmax(-1) == wanted_countries.argmax(-1)))
            print(
                f"{folder.name:12} {runtime:14} {len(model) / 1e6:.2f} MB  {median_ms:.2f} ms  same columns in "
                f"{same:.1%}, same country in {country:.1%} of {len(strips)} strips, largest difference {far:.3f}",
                flush=True,
            )
            if folder == out and same < 0.98:
                raise ModelError(f"{folder.name} disagrees with the trained net on {1 - same:.1%} of the strips")
        write_folder(folder, model, config, temperature)


def export_onnx(checkpoint: Path, out: Path, data: Path | None, config: ReaderConfig) -> None:
    """Writes `read.onnx` into `out`, beside the TFLite file and its reader.json.

    Raises:
        ModelError: the checkpoint is no reader, or the file disagrees with it.

    """
    from models.training.onnx_file import to_onnx, write_file  # noqa: PLC0415  # brings torch

    strips = [strip[..., None] for strip in representative_strips(data, config)]
    net = _trained(read_state(checkpoint), config)
    write_file(out / "read.onnx", to_onnx(net, ("characters", "countries"), strips))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.ocr.export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a .ck of a run, or a state dict (.pt)")
    parser.add_argument("--out", type=Path, default=Path("models/shipped/reader"), help="and the same with _int8")
    parser.add_argument("--data", type=Path, default=default_folder())
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--temperature", type=float, default=1.0, help="what calibrate.py found")
    parser.add_argument("--format", choices=FORMATS, action="append", help="repeatable; all of them if not given")
    chosen = parser.parse_args(arguments)
    forms = chosen.format or FORMATS
    try:
        config = settings.load(chosen.config)
        if "tflite" in forms:
            export(chosen.checkpoint, chosen.out, chosen.data, config, chosen.temperature)
        if "onnx" in forms:
            export_onnx(chosen.checkpoint, chosen.out, chosen.data, config)
    except RoadsideError as fault:
        print(f"models.ocr.export: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    raise SystemExit(main())
