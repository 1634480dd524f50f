"""What the runs of the reader's ablation differ in, and what they draw their samples from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.data.photographs import read_labels
from models.ocr.ablation_table import GROUPS
from models.ocr.crops import read_crops
from models.ocr.dataset import Negatives, RealPlates, RenderedPlates, Sources
from models.ocr.evaluate import load_groups
from models.ocr.placing import CORNERS
from models.ocr.pool import fill
from roadside.vision import open_corner_finder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from models.ocr.config import ReaderConfig
    from models.ocr.crops import Crop
    from models.ocr.evaluate import Group
    from models.ocr.heads import HeadName
    from roadside.vision import CornerFinder


@dataclass(frozen=True, slots=True)
class Variant:
    """The shipped recipe with one thing changed."""

    name: str
    told: str
    """What is changed, as the table says it."""
    head: HeadName = "ctc"
    real: float | None = None
    """Share of real crops instead of the settings'."""
    negative: float | None = None
    placed: bool = True
    """Whether the corner net places the real plates of the training."""
    mild_start: bool = True


BASELINE = Variant("ctc", "the shipped recipe: CTC, real and rendered plates, negatives, corners placed")
VARIANTS = (
    BASELINE,
    Variant("slots", "head: fixed slots", head="slots"),
    Variant("attention", "head: attention decoder", head="attention"),
    Variant("rendered", "data: rendered plates only", real=0.0),
    Variant("real", "data: real crops only", real=1.0),
    Variant("boxes", "data: real plates cut at their boxes, not where the corner net places them", placed=False),
    Variant("harsh", "data: fully degraded from the first step", mild_start=False),
    Variant("plates", "data: no windows without a plate", negative=0.0),
)


@dataclass(frozen=True, slots=True)
class Material:
    """What the runs share: sources of samples and the held-out strips."""

    placed: RealPlates
    boxed: RealPlates
    rendered: RenderedPlates
    negatives: Negatives
    groups: Mapping[str, Group]
    """Cut where the corner net places them."""
    at_boxes: Mapping[str, Group]


def config_of(variant: Variant, config: ReaderConfig) -> ReaderConfig:
    """The settings with the variant's shares."""
    real = config.mix.real if variant.real is None else min(variant.real, 1 - config.mix.negative)
    negative = config.mix.negative if variant.negative is None else variant.negative
    return config.model_copy(update={"mix": config.mix.model_copy(update={"real": real, "negative": negative})})


def sources_of(variant: Variant, material: Material) -> Sources:
    """What the variant's batches are drawn from."""
    real = material.placed if variant.placed else material.boxed
    return Sources(None if variant.real == 0 else real, material.rendered, material.negatives)


def read_material(data: Path, labels: Path | None, pool: Path, config: ReaderConfig) -> Material:
    """Crops, rendered plates (missing batches are drawn first), windows without a plate.

    Raises:
        SourceError: `data` holds no crops.

    """
    fill(pool, config)
    rendered = RenderedPlates(pool)
    rendered.refresh()
    crops = read_crops(data, read_labels(labels), config.countries)
    finder = open_corner_finder(CORNERS)
    margin = config.export.margin
    return Material(
        RealPlates(crops, config.mix, config.countries, finder),
        RealPlates(crops, config.mix, config.countries),
        rendered,
        Negatives(data, config.mix, np.random.default_rng(config.training.seed)),
        pooled(crops, margin, finder),
        pooled(crops, margin, None),
    )


def pooled(crops: Sequence[Crop], margin: float, finder: CornerFinder | None) -> dict[str, Group]:
    """The held-out groups of the table, in its order."""
    found = load_groups(crops, margin, finder)
    return {name: found[name] for name in GROUPS if name in found}
