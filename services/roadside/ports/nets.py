"""The three nets that plates are found and read with, apart from the method that asks them.

A backend (an interpreter of TFLite files, ONNX Runtime, an accelerator) offers `Nets`, one file of `adapters/models/`.
What to show a net and what to make of its answer is the method of `detector/` and `ocr/`, the same for every backend.
All nets take uint8 pictures of a fixed size; scaling and quantising them is the backend's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.detect import Candidates


class DetectorNet(Protocol):
    """Finds plates in one picture of a fixed size: a whole picture or a region of one, resized."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height in pixels of the pictures that the net takes."""
        ...

    @property
    def plate_classes(self) -> frozenset[int]:
        """The numbers among `Candidates.classes` that mean a plate."""
        ...

    def look(self, picture: NDArray[np.uint8]) -> Candidates:
        """What the net finds in `picture`, (height, width, 3) uint8 RGB of `input_size`, whatever the score."""
        ...


class CornerNet(Protocol):
    """Tells where the corners of a detected plate lie, and whether it is a plate."""

    def offsets(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the net says of a region's picture: `roadside.core.corners.place` tells what the numbers mean.

        `picture` is (REGION_HEIGHT_PX, REGION_WIDTH_PX) uint8, grey. The answer is (8,) float32, or (9,) where the net
        tells the log odds of a plate as well.
        """
        ...


class ReaderNet(Protocol):
    """Reads the characters and the country of a plate's rectified picture, the strip."""

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries that the net tells apart, in the order of its logits."""
        ...

    @property
    def temperature(self) -> float:
        """What the character logits are divided by to be calibrated."""
        ...

    def logits(self, strip: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the net says of `strip`, (STRIP_HEIGHT_PX, STRIP_WIDTH_PX) uint8, grey.

        Characters (T, 37) float32 from left to right, the blank first, then ALPHABET; countries (C,) float32.
        """
        ...


class Nets(Protocol):
    """A backend: opens the nets of a model folder."""

    def file(self, folder: Path, name: str) -> Path:
        """The file of `folder` that holds the net `name`: "detect", "corners" or "read"."""
        ...

    def detector(self, folder: Path, threads: int) -> DetectorNet:
        """The detector of `folder`. Raises ModelError where it holds none, SettingsError without the runtime."""
        ...

    def corners(self, folder: Path, threads: int) -> CornerNet:
        """The corner net of `folder`. Raises as `detector` does."""
        ...

    def reader(self, folder: Path, threads: int) -> ReaderNet:
        """The reader of `folder`. Raises as `detector` does."""
        ...
