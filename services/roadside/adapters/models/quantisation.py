"""How a model's tensors stand for pixels and for real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How the whole numbers of a tensor stand for real ones: (number - zero) * scale."""

    dtype: np.dtype[Any]
    scale: float
    """0 where the tensor holds real numbers."""
    zero: int

    @staticmethod
    def of(details: dict[str, Any]) -> Quantisation:
        """As an interpreter of TFLite files tells of a tensor."""
        scale, zero = details["quantization"]
        return Quantisation(np.dtype(details["dtype"]), float(scale), int(zero))

    def to_real(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """A tensor's values, float32."""
        real = tensor.astype(np.float32)
        return (real - np.float32(self.zero)) * np.float32(self.scale) if self.scale else real


def as_numbers(picture: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Pixels 0..255 as a model's input takes them: uint8 and real inputs as they are, int8 less 128.

    Whatever range of real numbers a quantised model was trained on, its scale and zero map the 256 numbers of
    the input to it: they are the pixels.
    """
    return (picture ^ np.uint8(128)).view(np.int8) if dtype == np.int8 else picture
