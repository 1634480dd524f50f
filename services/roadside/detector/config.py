"""The settings of finding plates."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time

from pydantic import Field

from roadside.core.detect import Search
from roadside.kit.config import ModelSection, Section
from roadside.kit.weights import weights_folder


class DetectionSection(ModelSection):
    """Which detector finds plates, and how hard it looks."""

    modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "detector",
        description="folder with the detector's detect.tflite and labelmap.txt",
    )
    search: Search = Field(
        Search.AUTO,
        description="looking for small plates: fast, tiles, or auto (tiles where a photograph shows nothing for sure, "
        "one part of each frame in turn in `run`, one look a frame in services)",
    )
    score: float = Field(0.3, ge=0, le=1, description="least score of a detected plate")
    least_width: float = Field(
        0.0, ge=0, le=10_000, description="plates narrower than so many pixels are not read; a camera may have its own"
    )


class FrameAgeSection(Section):
    """Which frames a detector service does not look at any more."""

    frame_max_age_s: float = Field(
        5.0, gt=0, description="a live camera's frame older than this is dropped: the present matters more"
    )
