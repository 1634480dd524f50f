"""The settings of finding plates."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time

from pydantic import Field

from roadside.core.detect import Quality, Search
from roadside.kit.config import ModelSection, Section
from roadside.kit.weights import shipped_detector, weights_folder


class DetectionSection(ModelSection):
    """Which detector finds plates, and how hard it looks."""

    modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "detector",
        description="folder with the detector's detect.tflite and labelmap.txt",
    )
    quality: Quality = Field(
        Quality.AUTO,
        description="the shipped detector: fast (320 x 256 pixels), best (448 x 352: sees smaller plates, in longer "
        "time), or auto (best for photographs, fast for moving pictures); with modeldir it says nothing",
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

    def detector_folder(self, *, photographs: bool = False) -> Path:
        """The detector's folder, for photographs or for moving pictures. Raises ModelError without shipped weights."""
        if "modeldir" in self.model_fields_set:
            return self.modeldir
        large = self.quality is Quality.BEST or (self.quality is Quality.AUTO and photographs)
        return shipped_detector(self.runtime, large=large)


class FrameAgeSection(Section):
    """Which frames a detector service does not look at any more."""

    frame_max_age_s: float = Field(
        5.0, gt=0, description="a live camera's frame older than this is dropped: the present matters more"
    )
