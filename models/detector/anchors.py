"""The places at which the detector looks for plates, and the boxes that its outputs mean there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.detector.config import STRIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.detector.config import Net

CENTRE_SCALE = 10.0
SIZE_SCALE = 5.0
"""What TFLite_Detection_PostProcess divides the outputs for centres and for sizes by."""


def place_anchors(net: Net) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Anchors (places, 4) as centre x, centre y, width, height in input pixels, and each place's stride (places,)."""
    anchors, strides = [], []
    for (width, height), stride in zip(net.anchors, STRIDES, strict=True):
        rows, columns = np.mgrid[0 : net.input_height_px // stride, 0 : net.input_width_px // stride]
        count = rows.size
        parts = [
            (columns.ravel() + 0.5) * stride,
            (rows.ravel() + 0.5) * stride,
            np.full(count, width),
            np.full(count, height),
        ]
        anchors.append(np.stack(parts, 1))
        strides.append(np.full(count, stride))
    return np.concatenate(anchors).astype(np.float32), np.concatenate(strides).astype(np.float32)


def post_process_anchors(net: Net) -> NDArray[np.float32]:
    """The same as TFLite_Detection_PostProcess takes them: centre y, centre x, height, width as shares of the input."""
    anchors, _ = place_anchors(net)
    width, height = net.size
    return anchors[:, [1, 0, 3, 2]] / np.array([height, width, height, width], np.float32)
