"""The corner net's settings: what `corners.toml` may hold."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from models.training import settings
from models.training.settings import Course, Section, renamed

DEFAULT = Path(__file__).with_name("corners.toml")


class Net(Section):
    """The shape of the net; the size of its picture is the product's (roadside.core.corners)."""

    channels: tuple[int, int, int, int, int, int]
    """Outputs of the convolutions, from the picture to the narrow last one; the fourth has a residual one after it."""
    hidden: int = Field(ge=1)
    offset_scale: float = Field(gt=0)
    """What the last layer's output is multiplied by: offsets are small shares of the region."""


class Frontal(Section):
    """Which real plates are taken: those whose box, to all appearances, is their quadrilateral."""

    one_line: tuple[float, float]
    """Width over height, between which a one-line plate was photographed nearly from the front."""
    one_line_regions: tuple[str, ...]
    """Regions whose one-line plates have this shape; pictures of one's own are taken whatever their region."""
    two_lines: tuple[float, float]
    two_lines_regions: tuple[str, ...]


class Mix(Section):
    """What a batch is drawn from."""

    real: float = Field(ge=0, le=1)
    mild: float = Field(ge=0, le=1)
    """The share of samples that are degraded only a little."""
    warped: float = Field(ge=0, le=1)
    """The share of rendered plates that are warped once more; real ones always are."""
    reader_supervised: float = renamed("reader_supervised", "read", ge=0, le=1)
    """Of a batch, how many real plates with texts are cut where the net places them and read, if there is a reader."""
    candidates: float = Field(ge=0, le=4)
    """Of a batch, how many of a detector's candidates are told apart beside it, if there is a detector."""


class Warp(Section):
    """The random homography that gives a frontal plate known, tilted corners; standard deviations."""

    turn_deg: float = Field(ge=0)
    scale: float = Field(ge=0)
    """Of the logarithm."""
    shear_across: float = Field(ge=0)
    shear_down: float = Field(ge=0)
    corner: float = Field(ge=0)
    """How far each corner is moved, in plate heights."""


class BoxJitter(Section):
    """How a detector's box lies around the plate; standard deviations, in shares of the tight box."""

    shift_across: float = Field(ge=0)
    shift_down: float = Field(ge=0)
    width: float = Field(ge=0)
    """Of the logarithm, as `height` and `height_mean`."""
    height: float = Field(ge=0)
    height_mean: float


class Mining(Section):
    """What a detector takes for plates in the training pictures."""

    pictures: int = Field(ge=1)
    """Training pictures that are searched at most, drawn at random: it takes a third of a second each."""
    lowest_score: float = Field(gt=0, lt=1)
    most: int = Field(ge=1)
    """False alarms kept of a picture, the surest."""
    plate_overlap: float = Field(gt=0, le=1)
    """Intersection over union with a marked plate from which a candidate is that plate."""
    other_overlap: float = Field(ge=0, lt=1)
    """Up to which it is none; between the two nothing is said."""
    least_weight: float = Field(gt=0)
    """A false alarm is drawn by its score, at least by this."""
    lettered: float = Field(ge=0, le=1)
    """Of the pictures, how many have lettering drawn into them."""
    lettering_weight: float = Field(gt=0)
    """By which a drawn text is drawn as a candidate, whether a detector found it or not."""
    negative_views: int = Field(ge=0)
    """Parts of each photograph without a plate that are searched beside the whole of it."""
    negative_weight: float = Field(gt=0)
    """What the weight of a false alarm in a photograph without a plate is multiplied by."""


class CornersCourse(Course):
    """The course of the corner net's training."""

    loss_beta: float = Field(gt=0)
    """Error, in plate heights, from which the smooth L1 loss grows linearly."""
    reading_weight: float = Field(ge=0)
    """What the reader's loss a character counts beside the corners' error."""
    plate_weight: float = Field(ge=0)
    """What the cross entropy of plate or not counts beside it."""


class Rendered(Section):
    """Rendered plates."""

    batches: int = Field(ge=1)
    """Batches of the reader's pool (reader.toml) that are rendered and drawn from."""
    held_out: int = Field(ge=1)
    """Plates that are rendered for measuring."""
    held_out_seed: int = Field(ge=1000)
    """Far from the pool's seeds, so that no plate is on both sides."""


class CornersConfig(Section):
    """The whole of corners.toml."""

    net: Net
    frontal: Frontal
    mix: Mix
    warp: Warp
    box_jitter: BoxJitter = renamed("box_jitter", "box")
    rendered: Rendered
    candidates: Mining
    training: CornersCourse


def load(path: Path = DEFAULT) -> CornersConfig:
    """The settings of a file. Raises SettingsError, as models.training.settings.load does."""
    return settings.load(CornersConfig, path)
