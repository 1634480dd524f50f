"""A trained net as an ONNX file that takes pixels, for `ROADSIDE_RUNTIME=onnx`."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

OPSET = 17
"""Of 2022: ONNX Runtime reads it from 1.12 on, and so do the compilers of accelerators."""
LARGEST_DIFFERENCE = 1e-3
"""Between what the net and what its file says of a picture."""


class FromPixels(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A net for pictures scaled to -1..1 as one for pixels: (1, H, W, C) uint8."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the net says of the picture."""
        found = self.net(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return (found,) if isinstance(found, torch.Tensor) else tuple(found)


def to_onnx(
    net: nn.Module,
    outputs: Sequence[str],
    pictures: Sequence[NDArray[np.uint8]],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """An ONNX file of `net`, which takes (1, C, H, W) scaled to -1..1, checked on `pictures`, each (H, W, C) uint8.

    The file takes (1, H, W, C) uint8 and gives `outputs`; `metadata` is noted in it.

    Raises:
        ModelError: the file disagrees with the net.

    """
    import onnx  # noqa: PLC0415  # only training has it

    whole = FromPixels(net).eval()
    written = io.BytesIO()
    with warnings.catch_warnings():
        # It warns of its successor, which writes the weights into a second file and wants onnxscript, and of shapes
        # that it takes for fixed: they are.
        warnings.simplefilter("ignore")
        example = (torch.from_numpy(pictures[0][None]),)
        torch.onnx.export(
            whole, example, written, input_names=["pixels"], output_names=list(outputs), opset_version=OPSET,
            dynamo=False,
        )  # fmt: skip
    model = onnx.load_model_from_string(written.getvalue())
    onnx.helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    content = bytes(model.SerializeToString())
    far = _difference(whole, content, pictures)
    print(f"onnx: {len(content) / 1e6:.2f} MB, largest difference {far:.1e} on {len(pictures)} pictures", flush=True)
    if not far < LARGEST_DIFFERENCE:
        raise ModelError(f"the ONNX file disagrees with the trained net by {far:.1e}")
    return content


def write_file(path: Path, content: bytes) -> None:
    """Puts a file in place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def _difference(net: nn.Module, content: bytes, pictures: Sequence[NDArray[np.uint8]]) -> float:
    import onnxruntime  # noqa: PLC0415  # only training has it for sure

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    far = 0.0
    for picture in pictures:
        with torch.no_grad():
            wanted = net(torch.from_numpy(picture[None]))
        found = session.run(None, {"pixels": picture[None]})
        far = max(far, *(float(np.abs(w.numpy() - f).max()) for w, f in zip(wanted, found, strict=True)))
    return far
