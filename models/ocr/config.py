"""The reader's settings: what `reader.toml` may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from models.training import settings
from models.training.settings import Course, Section, renamed

DEFAULT = Path(__file__).with_name("reader.toml")


class Net(Section):
    """The shape of the net."""

    width_px: int = Field(multiple_of=4, ge=64)
    height_px: Literal[48]
    """The last convolution folds three rows of features into one, and 48 pixels leave three."""
    channels: tuple[int, int, int, int, int, int, int, int]
    """Outputs of the eight convolutions, from the picture to the row of columns."""
    context_columns: int = Field(ge=1)
    """Columns that a character sees of its neighbours in each of the two context layers; odd."""
    country_hidden: int = Field(ge=1)
    country_ends: int = Field(default=0, ge=0)
    """Columns of either end that tell the country besides the mean of all: euro bands, shields. 0: the mean alone."""
    dropout: float = Field(ge=0, lt=1)

    @property
    def columns(self) -> int:
        """Places along the strip at which a character may be read."""
        return self.width_px // 4


class Doubtful(Section):
    """How much crops count whose region has no weight of its own, or whose text is not certain."""

    region: float = Field(ge=0)
    """Any region that `mix.regions` does not name."""
    guessed_text: float = Field(ge=0)
    """A text read by eye of which a character was a guess."""
    guessed_uk: float = Field(ge=0)
    """On top of it for the UK, whose small motorway crops are the most doubtful."""
    no_text: float = Field(ge=0)
    """A plate that nobody could read: the net is to say nothing of it."""


class Mix(Section):
    """What a batch is drawn from."""

    real: float = Field(ge=0, le=1)
    negative: float = Field(ge=0, le=1)
    """Windows of pictures that touch no plate: lettering, lamps, bodywork. What is left is rendered plates."""
    mild: float = Field(ge=0, le=1)
    """The share of samples that are degraded only a little."""
    hard: float = Field(default=0.0, ge=0, le=1)
    """Of the others, how many may have been far away, moved, out of focus or half in a deep shadow before all else."""
    corner_placed: float = renamed("corner_placed", "placed", ge=0, le=1)
    """The share of real plates cut at the corners that the shipped corner net gives them; the others at their box."""
    placements: int = Field(ge=1)
    """Boxes around each real plate, all but the first a little off, that the corner net starts from."""
    turned: int = Field(default=0, ge=0)
    """Copies of each real plate that are turned and seen aslant before the corner net places them."""
    turned_share: float = Field(default=0.0, ge=0, le=1)
    """Of the real plates cut at the net's corners, how many are such copies."""
    negative_pictures: int = Field(ge=0)
    negative_windows: int = Field(ge=0)
    regions: dict[str, float]
    doubtful: Doubtful


class Rendered(Section):
    """The pool of plates rendered by models/synth, drawn by a second process while the net trains."""

    batches: int = Field(ge=1)
    batch_plates: int = Field(ge=1)
    seed: int
    two_lines: float = Field(default=0.08, ge=0, le=1)
    """How many of them have two lines."""
    three_lines: float = Field(default=0.0, ge=0, le=1)
    """How many of them have three."""


class ReaderCourse(Course):
    """The course of the reader's training."""

    mild_start_s: float = Field(ge=0)
    """Only mild degradation at first: without it CTC stays on its blank plateau for seven minutes."""
    country_weight: float = Field(ge=0)
    shortest_text: int = Field(ge=1)
    """The CTC loss is divided by the text's length, but by no less than this."""


class Export(Section):
    """How the net becomes TFLite files."""

    margin: float = Field(ge=0)
    """Margin around a plate's box on every side, as a share of its width."""
    representative: int = Field(ge=1)
    """Strips that the integer net's ranges are measured on."""
    float16_weights: bool


class ReaderConfig(Section):
    """The whole of reader.toml."""

    characters: str = Field(min_length=1)
    countries: tuple[str, ...] = Field(min_length=1)
    net: Net
    mix: Mix
    rendered: Rendered
    training: ReaderCourse
    export: Export

    @property
    def classes(self) -> int:
        """Outputs a column: the characters and, first, the CTC blank."""
        return len(self.characters) + 1


def load(path: Path = DEFAULT) -> ReaderConfig:
    """The settings of a file. Raises SettingsError, as models.training.settings.load does."""
    return settings.load(ReaderConfig, path)
