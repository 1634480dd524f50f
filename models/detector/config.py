"""The detector's settings: what `fast.toml` may hold."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from models.training import settings
from models.training.settings import Course, Section, renamed

DEFAULT = Path(__file__).with_name("fast.toml")
STRIDES = (8, 16, 32)
"""Input pixels between the places of each level."""


class Net(Section):
    """The shape of the net."""

    input_width_px: int = Field(multiple_of=32, ge=96)
    input_height_px: int = Field(multiple_of=32, ge=96)
    """Cameras see wide: an input that is wider than high squashes their pictures less and costs less."""
    kept: tuple[float, ...] = Field(min_length=15, max_length=15)
    """The share of each expansion's channels that pruning keeps, block 1 to block 15."""
    neck_channels: int = Field(ge=8)
    anchors: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    """Width and height in input pixels, one for each level."""
    frozen_blocks: int = Field(ge=0, le=15)
    """Blocks after the stem that keep their pretrained weights: their gradients cost most and bring least."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the input in pixels."""
        return self.input_width_px, self.input_height_px


class Pruning(Section):
    """How the pretrained net is made narrower."""

    pictures: int = Field(ge=1)
    """Training pictures on which channels are ranked and projections solved anew."""
    seed: int


class Augmentation(Section):
    """How pictures are varied; shares are of all samples."""

    turned: float = Field(ge=0, le=1)
    """Turned and sheared a little."""
    whole: float = Field(ge=0, le=1)
    """The whole picture squashed, as the product sees it; the others are cut around a plate."""
    mosaic: float = Field(ge=0, le=1)
    """Four views in one."""
    narrowest_px: float = Field(gt=0)
    widest_px: float = Field(gt=0)
    """Widths in the input that the plate of a cut view may have."""
    hard_negatives: float = renamed("hard_negatives", "lures", ge=0, le=1)
    """The share of cut views around a hard negative, which a detector once took for a plate, where there is one."""
    copy_paste: float = renamed("copy_paste", "pasted", ge=0, le=1)
    """The share of pictures whose plates are covered by rendered ones (copy-paste augmentation)."""
    copy_paste_plates: int = renamed("copy_paste_plates", "pasted_pool", ge=1)
    """Rendered plates to paste."""
    lettering: float = Field(default=0.0, ge=0, le=1)
    """The share of views into which lettering that is no plate is drawn (models.synth.lettering)."""
    without_plates: float = Field(default=0.0, ge=0, le=1)
    """The share of views of photographs without a plate: those of negatives.tsv that are not held out."""


class Assignment(Section):
    """Which places of the net answer for a plate (task-aligned assignment, Feng et al. 2021)."""

    places: int = Field(ge=1)
    """So many of the best places for each plate."""
    score_power: float = Field(ge=0)
    overlap_power: float = Field(ge=0)
    centre_radius_strides: float = renamed("centre_radius_strides", "reach", gt=0)
    """A place within so many strides of a plate's centre may answer for it, though it lies outside its box."""


class Loss(Section):
    """A varifocal-like score loss and a CIoU box loss."""

    box_weight: float = Field(ge=0)
    negative_weight: float = Field(ge=0)
    negative_power: float = Field(ge=0)


class DetectorCourse(Course):
    """The course of the detector's training."""

    backbone_rate: float = Field(ge=0)
    """Learning rate of the pretrained blocks, as a share of the rest's."""


class Export(Section):
    """What the fused post-processing of the TFLite files does."""

    detections: int = Field(ge=1)
    lowest_score: float = Field(ge=0, le=1)
    overlap: float = Field(gt=0, le=1)
    """IoU from which the weaker of two boxes is dropped."""
    representative: int = Field(ge=1)
    """Pictures that the integer net's ranges are measured on."""


class DetectorConfig(Section):
    """The whole of fast.toml."""

    net: Net
    pruning: Pruning
    sources: dict[str, float]
    """How often pictures of a source are drawn; a source that is not named is not trained on."""
    augmentation: Augmentation
    assignment: Assignment
    loss: Loss
    training: DetectorCourse
    export: Export


def load(path: Path = DEFAULT) -> DetectorConfig:
    """The settings of a file. Raises SettingsError, as models.training.settings.load does."""
    return settings.load(DetectorConfig, path)
