"""A trained detector as TFLite files, float and integer, with TFLite_Detection_PostProcess fused in, and as ONNX."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.data.photographs import default_folder, load_picture
from models.detector import config as settings
from models.detector.anchors import CENTRE_SCALE, SIZE_SCALE, post_process_anchors
from models.detector.dataset import calibration_pictures, squashed
from models.detector.evaluate import TfliteDetector, torch_detector
from models.detector.measures import overlaps
from models.training.course import averaged_state, read_checkpoint
from models.training.photographs import read_split
from roadside.errors import ModelError, RoadsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from models.detector.config import DetectorConfig
    from models.training.photographs import Split

    State = Mapping[str, NDArray[np.float32]]

NORM_EPSILON = 1e-3
HIGHEST_OP_VERSION = 6
POST_PROCESS = "TFLite_Detection_PostProcess"
YX_HW = [1, 0, 3, 2]
"""The trained net says dx, dy, dw, dh; the fused operator reads dy, dx, dh, dw."""
CHECKED_PICTURES = 40
FORMATS = ("tflite", "onnx")
SHIPPED = Path("models/shipped/detector")


# --- Weights --------------------------------------------------------------------------------------


def read_state(path: Path) -> dict[str, NDArray[np.float32]]:
    """The averaged weights of a checkpoint, or a plain state dict, as arrays. Raises ModelError where it is neither."""
    from models.detector.network import named  # noqa: PLC0415  # brings torch

    try:
        return {key: value.numpy() for key, value in named(averaged_state(read_checkpoint(path))).items()}
    except AttributeError as fault:
        raise ModelError(f"{path} is no checkpoint of the detector") from fault


def fold_norms(state: State) -> dict[str, NDArray[np.float32]]:
    """A state dict with the neck's and heads' norms folded too: keys `<layer>.weight` and `<layer>.bias`."""
    weights = {}
    for key, value in state.items():
        layer, leaf = key.rsplit(".", 1)
        if leaf != "weight" or layer.endswith(".norm"):
            continue
        kernel, name = value, layer.removesuffix(".convolution")
        if f"{name}.norm.weight" in state:
            scale = state[f"{name}.norm.weight"] / np.sqrt(state[f"{name}.norm.running_var"] + NORM_EPSILON)
            kernel = kernel * scale[:, None, None, None]
            bias = state[f"{name}.norm.bias"] - state[f"{name}.norm.running_mean"] * scale
        else:
            bias = state[f"{layer}.bias"]
        if name.endswith(".box"):
            kernel, bias = kernel[YX_HW], bias[YX_HW]
        weights[f"{name}.weight"], weights[f"{name}.bias"] = kernel, bias
    return weights


# --- The same net in Keras ------------------------------------------------------------------------


def build(weights: State, config: DetectorConfig) -> Any:  # noqa: ANN401  # TF is untyped here
    """The net in Keras: (1, H, W, 3) in -1..1 to box outputs (1, places, 4) and score logits (1, places, 1)."""
    import tensorflow as tf  # noqa: PLC0415  # slow to load

    from models.detector.network import LEVEL_BLOCKS, block_widths  # noqa: PLC0415  # brings torch

    layers = tf.keras.layers

    def convolve(x: Any, name: str, *, stride: int = 1, activate: bool = True) -> Any:  # noqa: ANN401
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        if name.endswith("depthwise"):
            layer, kernel = layers.DepthwiseConv2D(kernel.shape[2], stride, "same"), kernel.transpose(2, 3, 0, 1)
        else:
            layer = layers.Conv2D(kernel.shape[0], kernel.shape[2], stride, "same")
            kernel = kernel.transpose(2, 3, 1, 0)
        y = layer(x)
        layer.set_weights([kernel, bias])
        return layers.ReLU(6.0)(y) if activate else y

    def separable(x: Any, name: str) -> Any:  # noqa: ANN401
        return convolve(convolve(x, f"{name}.depthwise"), f"{name}.pointwise")

    def merge(fine: Any, coarse: Any, name: str) -> Any:  # noqa: ANN401
        return separable(layers.Add()([fine, layers.UpSampling2D(2, interpolation="nearest")(coarse)]), name)

    width, height = config.net.size
    picture = layers.Input((height, width, 3), batch_size=1)
    x = convolve(picture, "stem", stride=2)
    levels = []
    for number, (inputs, _, outputs, stride, expands) in enumerate(block_widths(config.net.kept)):
        name = f"blocks.{number}"
        y = convolve(x, f"{name}.expand") if expands else x
        y = convolve(convolve(y, f"{name}.depthwise", stride=stride), f"{name}.project", activate=False)
        x = layers.Add()([x, y]) if inputs == outputs and stride == 1 else y
        if number in LEVEL_BLOCKS:
            levels.append(x)
    coarse = convolve(levels[2], "lateral5")
    middle = merge(convolve(levels[1], "lateral4"), coarse, "merge4")
    fine = merge(convolve(levels[0], "lateral3"), middle, "merge3")
    boxes, scores = [], []
    for number, level in enumerate((fine, middle, coarse)):
        tower = separable(separable(level, f"heads.{number}.tower1"), f"heads.{number}.tower2")
        boxes.append(layers.Reshape((-1, 4))(convolve(tower, f"heads.{number}.box", activate=False)))
        scores.append(layers.Reshape((-1, 1))(convolve(tower, f"heads.{number}.score", activate=False)))
    return tf.keras.Model(picture, [layers.Concatenate(axis=1)(boxes), layers.Concatenate(axis=1)(scores)])


def save_with_post_process(model: Any, config: DetectorConfig, folder: str) -> None:  # noqa: ANN401
    """A SavedModel whose outputs the converter fuses into TFLite_Detection_PostProcess."""
    import tensorflow as tf  # noqa: PLC0415

    count, (width, height) = config.export.detections, config.net.size
    anchors = post_process_anchors(config.net)

    @tf.function(experimental_implements=_signature(config))  # type: ignore[untyped-decorator]  # TF is untyped here
    def post_process(box_encodings: Any, class_predictions: Any, anchors: Any) -> Any:  # noqa: ANN401, ARG001
        # Never run: the converter puts the operator in this function's place.
        return tf.zeros((1, count, 4)), tf.zeros((1, count)), tf.zeros((1, count)), tf.zeros((1,))

    module = tf.Module()
    module.model = model

    @tf.function(input_signature=[tf.TensorSpec((1, height, width, 3), tf.float32, name="input")])  # type: ignore[untyped-decorator]
    def serve(picture: Any) -> Any:  # noqa: ANN401
        boxes, logits = model(picture, training=False)
        scores = tf.sigmoid(logits)
        both = tf.concat([1 - scores, scores], -1)
        return dict(zip("abcd", post_process(boxes, both, tf.constant(anchors)), strict=True))

    tf.saved_model.save(module, folder, signatures={"serving_default": serve})


def _signature(config: DetectorConfig) -> str:
    attributes: dict[str, bool | int | float] = {
        "max_detections": config.export.detections,
        "max_classes_per_detection": 1,
        "use_regular_nms": False,
        "nms_score_threshold": config.export.lowest_score,
        "nms_iou_threshold": config.export.overlap,
        "num_classes": 1,
        "detections_per_class": 100,
        "y_scale": CENTRE_SCALE,
        "x_scale": CENTRE_SCALE,
        "h_scale": SIZE_SCALE,
        "w_scale": SIZE_SCALE,
    }
    parts = [f'attr {{ key: "{name}" value {{ {_value(value)} }} }}' for name, value in attributes.items()]
    return f'name: "{POST_PROCESS}" ' + " ".join(parts)


def _value(value: float) -> str:
    if isinstance(value, bool):
        return f"b: {str(value).lower()}"
    return f"i: {value}" if isinstance(value, int) else f"f: {value:g}"


def convert(folder: str, representative: NDArray[np.float32] | None) -> bytes:
    """A TFLite file of a SavedModel: float, or full integer with ranges measured on pictures (N, H, W, 3) in -1..1.

    Raises:
        ModelError: the converter wrote what the older runtime cannot read.

    """
    import tensorflow as tf  # noqa: PLC0415
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.allow_custom_ops = True
    if representative is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _one_by_one(representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.float32
    graph = flatbuffer_utils.convert_bytearray_to_object(converter.convert())
    codes = graph.operatorCodes
    highest = max(code.version for code in codes)
    if highest > HIGHEST_OP_VERSION:
        raise ModelError(f"An operator of version {highest} was written, which tflite-runtime 2.14 may not know")
    main = graph.subgraphs[0]
    fused = [one for one in main.operators if codes[one.opcodeIndex].customCode == POST_PROCESS.encode()]
    if len(fused) != 1:
        raise ModelError(f"The converter did not fuse {POST_PROCESS}")
    # The converter sorts outputs by name; readers of this kind of file expect the operator's own order.
    main.outputs = fused[0].outputs
    for place, tensor in enumerate(main.outputs):
        main.tensors[tensor].name = (POST_PROCESS + (f":{place}" if place else "")).encode()
    main.tensors[main.inputs[0]].name = b"normalized_input_image_tensor"
    graph.signatureDefs = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph))


def _one_by_one(pictures: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
    for picture in pictures:
        yield [picture[None]]


# --- Checks and files -----------------------------------------------------------------------------


def agreement(path: Path, model: bytes, pictures: Sequence[NDArray[np.uint8]], config: DetectorConfig) -> float:
    """The share of the trained net's boxes with a score of 0.3 and more that the file finds too, at 0.8 IoU."""
    trained, exported = torch_detector(_trained(path, config), config), TfliteDetector(model)
    found = wanted = 0
    for picture in pictures:
        boxes, scores = trained(picture)
        others, other_scores = exported(picture)
        for box, score in zip(boxes, scores, strict=True):
            if score >= 0.3:
                wanted += 1
                near = (overlaps(box, others) > 0.8) & (np.abs(other_scores - score) < 0.15)
                found += bool(near.any())
    return found / wanted if wanted else 1.0


def write_folder(folder: Path, name: str, model: bytes) -> None:
    """The file `name` and `labelmap.txt`, each put in place whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in ((name, model), ("labelmap.txt", b"plate\n")):
        part = folder / (file + ".part")
        part.write_bytes(content)
        part.replace(folder / file)


def put_corners_beside(folder: Path, shipped: Path) -> None:
    """Copies the corner nets of `shipped` into a detector's folder that has none of its own.

    Without one plates are read at their boxes. A corner net looks at the grey region around a detection, whatever
    detector found it.
    """
    for name in ("corners.tflite", "corners.onnx"):
        fits = (folder / name.replace("corners", "detect")).is_file()
        if fits and (shipped / name).is_file() and not (folder / name).exists():
            part = folder / (name + ".part")
            shutil.copyfile(shipped / name, part)
            part.replace(folder / name)


def export_onnx(checkpoint: Path, out: Path, data: Path, config: DetectorConfig) -> None:
    """Writes `detect.onnx` into `out`: boxes and scores, with the suppression's attributes in the metadata.

    Raises:
        RoadsideError: the checkpoint or the pictures cannot be used, or the file disagrees.

    """
    import torch  # noqa: PLC0415

    from models.detector.network import Decoded  # noqa: PLC0415
    from models.training.onnx_file import to_onnx  # noqa: PLC0415

    net = Decoded(_trained(checkpoint, config), torch.from_numpy(post_process_anchors(config.net)))
    noted = {
        "detections": str(config.export.detections),
        "lowest_score": str(config.export.lowest_score),
        "overlap": str(config.export.overlap),
    }
    pictures = _checked_pictures(read_split(data), config)
    write_folder(out, "detect.onnx", to_onnx(net, ("boxes", "scores"), pictures, noted))


def _trained(checkpoint: Path, config: DetectorConfig) -> Any:  # noqa: ANN401  # torch is untyped here
    """The net with the weights of a checkpoint."""
    import torch  # noqa: PLC0415

    from models.detector.network import DetectorNet  # noqa: PLC0415

    net = DetectorNet(config.net)
    try:
        net.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in read_state(checkpoint).items()})
    except RuntimeError as fault:
        raise ModelError(f"{checkpoint} is no checkpoint of the detector that the settings describe") from fault
    return net


def _checked_pictures(split: Split, config: DetectorConfig) -> list[NDArray[np.uint8]]:
    held_out = (split.held_out or split.train)[:CHECKED_PICTURES]
    return [squashed(load_picture(one.path), config.net.size) for one in held_out]


def export(checkpoint: Path, out: Path, data: Path, config: DetectorConfig) -> None:
    """Writes `out` (float) and `out`_uint8 (full integer), once the float file agrees with the trained net.

    Raises:
        RoadsideError: the checkpoint or the pictures cannot be used, or a file disagrees.

    """
    weights = fold_norms(read_state(checkpoint))
    split = read_split(data)
    size = config.net.size
    representative = calibration_pictures(split.train, config.export.representative, size, 0)
    checked = _checked_pictures(split, config)
    with tempfile.TemporaryDirectory() as folder:
        save_with_post_process(build(weights, config), config, folder)
        files = {out: convert(folder, None), out.with_name(out.name + "_uint8"): convert(folder, representative)}
    for place, (target, model) in enumerate(files.items()):
        for runtime in ("tflite-runtime", "litert"):
            TfliteDetector(model, runtime)(checked[0])
        share = agreement(checkpoint, model, checked, config)
        print(f"{target}: {len(model) / 1e6:.2f} MB, {share:.1%} of the trained net's boxes", flush=True)
        if place == 0 and share < 0.99:
            raise ModelError(f"{target} would disagree with the trained net on {1 - share:.1%} of its boxes")
    for target, model in files.items():
        write_folder(target, "detect.tflite", model)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="models.detector.export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a .ck of a run, or a state dict (.pt)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="and the same with _uint8")
    parser.add_argument("--data", type=Path, default=default_folder())
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--format", choices=FORMATS, action="append", help="repeatable; all of them if not given")
    parser.add_argument(
        "--corners", type=Path, default=SHIPPED, help="whose corner net is put beside a detector that has none"
    )
    chosen = parser.parse_args(arguments)
    try:
        config = settings.load(chosen.config)
        for form in chosen.format or FORMATS:
            write = export if form == "tflite" else export_onnx
            write(chosen.checkpoint, chosen.out, chosen.data, config)
        for folder in (chosen.out, chosen.out.with_name(chosen.out.name + "_uint8")):
            put_corners_beside(folder, chosen.corners)
    except RoadsideError as fault:
        print(f"models.detector.export: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    raise SystemExit(main())
