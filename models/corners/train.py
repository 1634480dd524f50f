"""Trains the corner net on rendered plates and warped real ones; takes an interrupted run up again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as fn

from models.command import add_labels
from models.corners import config as settings
from models.corners.candidates import Candidates, mine, mine_negatives, read_candidates, write_candidates
from models.corners.dataset import Plates, held_out_rendered, load_frontal, sample_of
from models.corners.evaluate import errors
from models.corners.network import CornersNet, regions_to_tensor
from models.corners.reading import ReadablePlates, load_reader, reading_loss
from models.data.photographs import read_labels
from models.ocr import config as reader
from models.ocr.crops import read_crops
from models.ocr.pool import rendering
from models.training import command, course, device, loop
from models.training.command import Job
from models.training.loop import Costs, Run
from models.training.photographs import read_split
from roadside.core.corners import OFFSETS, place
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.corners.config import CornersConfig
    from models.corners.dataset import Sample, View
    from models.corners.reading import Readable
    from models.ocr.config import ReaderConfig
    from models.ocr.crops import Crop
    from models.ocr.network import ReaderNet
    from models.training.course import Progress

PANELS = {
    "loss": ("loss",),
    "reader's loss": ("reading",),
    "plate or not": ("doubt",),
    "held-out corner error, plate heights": ("mean", "ninetieth"),
}


@dataclass(frozen=True, slots=True)
class FrozenReader:
    """A trained reader and the plates that it is to read."""

    net: ReaderNet
    config: ReaderConfig
    plates: ReadablePlates

    def draw(self, rng: Generator, config: CornersConfig) -> list[Readable]:
        """Real plates for a share of a batch."""
        count = round(config.mix.reader_supervised * config.training.batch)
        return [self.plates.sample(rng, mild=rng.random() < config.mix.mild) for _ in range(count)]

    def loss(self, net: torch.nn.Module, plates: Sequence[Readable]) -> torch.Tensor:
        """The reader's loss on real plates as `net` places them."""
        on = device.of(net)
        pictures = device.tensor(np.stack([plate.picture for plate in plates]), on)
        return reading_loss(net(regions_to_tensor(pictures))[:, :OFFSETS], plates, self.net.to(on), self.config)


def loss(net: torch.nn.Module, samples: Sequence[Sample], config: CornersConfig) -> torch.Tensor:
    """The smooth L1 loss of the offsets, in plate heights."""
    pictures, wanted, spans = (
        device.tensor(np.stack(parts), device.of(net))
        for parts in zip(*((one.picture, one.offsets, one.spans) for one in samples), strict=True)
    )
    away = (net(regions_to_tensor(pictures))[:, :OFFSETS] - wanted) * spans
    return fn.smooth_l1_loss(away, torch.zeros_like(away), beta=config.training.loss_beta)


def draw_candidates(candidates: Candidates, rng: Generator, config: CornersConfig) -> list[NDArray[np.uint8]]:
    """Candidates for a share of a batch, every other one a plate, the first too."""
    count = round(config.mix.candidates * config.training.batch)
    return [candidates.sample(rng, plate=i % 2 == 0, mild=rng.random() < config.mix.mild) for i in range(count)]


def plate_loss(net: torch.nn.Module, drawn: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """The cross entropy of what the net says of candidates as they are drawn."""
    said = net(regions_to_tensor(device.tensor(np.stack(drawn), device.of(net))))[:, OFFSETS]
    return fn.binary_cross_entropy_with_logits(said, 1.0 - torch.arange(len(drawn), device=said.device) % 2)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the corner net learns from in a step."""

    placed: Sequence[Sample]
    """Regions whose corners are known."""
    readable: Sequence[Readable]
    """Plates for the reader; none where there is no reader."""
    candidates: Sequence[NDArray[np.uint8]]
    """What a detector took for plates, right and wrong in turn; none where there is no detector."""


@dataclass(frozen=True, slots=True)
class CornersTask:
    """Batches of regions, what their corners cost the net, and how far it is off on held-out plates."""

    config: CornersConfig
    plates: Plates
    reader: FrozenReader | None
    candidates: Candidates | None
    held_out: Sequence[View]
    smoothing: float = 0.98

    def draw(self, _progress: Progress, rng: Generator) -> Batch:
        """Regions, plates to read and candidates."""
        return Batch(
            [self.plates.sample(rng) for _ in range(self.config.training.batch)],
            self.reader.draw(rng, self.config) if self.reader else (),
            draw_candidates(self.candidates, rng, self.config) if self.candidates else (),
        )

    def costs(self, net: CornersNet, batch: Batch) -> Costs:
        """The losses of the corners, of the reader and of "plate or not", 0 where there is no reader or no detector."""
        training = self.config.training
        cost = loss(net, batch.placed, self.config)
        nothing = torch.zeros((), device=cost.device)
        reading = self.reader.loss(net, batch.readable) if self.reader else nothing
        plate = plate_loss(net, batch.candidates) if batch.candidates else nothing
        total = cost + training.reading_weight * reading + training.plate_weight * plate
        return Costs(total, {"loss": cost, "reading": reading, "doubt": plate})

    def refresh(self) -> None:
        """Takes in the plates that have been rendered."""
        self.plates.rendered.refresh()

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        """The pace, the running means of the losses and how many plates have been rendered."""
        return (
            f"{run.pace:.0f} regions/s  loss {means['loss']:.4f}  reading {means['reading']:.4f}  "
            f"doubt {means['doubt']:.4f}  rendered {len(self.plates.rendered)}"
        )

    def measure(self, net: CornersNet) -> dict[str, float]:
        """A line of how far the net's corners are off, after one forward pass."""
        net.eval()
        pictures = torch.from_numpy(np.stack([sample_of(view).picture for view in self.held_out]))
        with torch.no_grad():
            parts = [net(regions_to_tensor(some)).numpy() for some in pictures.split(64)]
        found = [place(one, view.box) for one, view in zip(np.concatenate(parts), self.held_out, strict=True)]
        one = errors(found, self.held_out)
        print(
            f"   held out, rendered: corners off by {one.mean:.3f} plate heights, nine of ten within "
            f"{one.ninetieth:.3f}, a coordinate by {one.coordinate:.3f}",
            flush=True,
        )
        return {"mean": one.mean, "ninetieth": one.ninetieth}


def start(path: Path | None, config: CornersConfig) -> CornersNet:
    """The net as it begins: with the weights of `path`, or random ones where there is none."""
    net: CornersNet = CornersNet(config.net).to(memory_format=torch.channels_last)
    if path is None:
        return net
    try:
        net.load(course.averaged_state(course.read_checkpoint(path)))
    except (KeyError, RuntimeError) as fault:
        raise ModelError(f"{path} is no checkpoint of this corner net") from fault
    return net


def frozen_reader(checkpoint: Path | None, crops: Sequence[Crop], config: CornersConfig) -> FrozenReader | None:
    """The reader of `checkpoint` and the crops whose text is known; none where none is named."""
    if checkpoint is None:
        return None
    reading = reader.load()
    faster = reading.training.model_copy(update={"bfloat16": config.training.bfloat16})
    reading = reading.model_copy(update={"training": faster})
    plates = ReadablePlates(crops, reading.mix, config.box_jitter)
    frozen = FrozenReader(load_reader(checkpoint, reading), reading, plates)
    print(f"{len(plates)} real plates are placed for the reader", flush=True)
    return frozen


def candidates_of(detectors: Sequence[Path], job: Job, config: CornersConfig) -> Candidates | None:
    """What the detectors take for plates in the training pictures; none where no detector is named.

    A run that is taken up again finds them in its folder.
    """
    if not detectors:
        return None
    kept = job.run / "candidates.npz"
    if not kept.is_file():
        found = mine_negatives(job.data, detectors, config.candidates)
        found += mine(read_split(job.data).train, detectors, config.candidates)
        write_candidates(kept, found)
    candidates = Candidates(read_candidates(kept), config.box_jitter)
    print(f"{candidates.plates} plates and {candidates.others} other things are to be told apart", flush=True)
    return candidates


def train(job: Job, labels: Path | None, reader_checkpoint: Path | None, detectors: Sequence[Path]) -> None:
    """Trains to the end of the course and leaves corners.ck, history.jsonl and curves.png in the run's folder.

    Args:
        job: what every training is told.
        labels: the texts that people read; None for the file that ROADSIDE_LABELS names.
        reader_checkpoint: a trained reader: real plates with texts are then placed so that it reads them.
        detectors: folders: what their detectors take for plates teaches the net to tell them from what only looks so.

    Raises:
        RoadsideError: the settings, the data or a checkpoint cannot be used.

    """
    config = settings.load(job.config)
    config = config.model_copy(update={"training": config.training.limited(job.limits)})
    loop.prepare(config.training)
    crops = read_crops(job.data, read_labels(labels), reader.load().countries)
    real = load_frontal([crop for crop in crops if crop.use == "train" and not crop.held_out], config.frontal)
    run = Run(job.run / "corners.ck", config.training, start(job.initial, config))
    taught = frozen_reader(reader_checkpoint, crops, config)
    candidates = candidates_of(detectors, job, config)
    with rendering(job.run / "pool", reader.DEFAULT) as pool:
        print(f"{len(real)} real plates seen from the front, rendered ones as they come", flush=True)
        plates = Plates(real, pool, config)
        task = CornersTask(config, plates, taught, candidates, held_out_rendered(config))
        loop.train(run, task, PANELS, job.place)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.corners.train"
    parser = command.parser(prog, __doc__, "var/train/corners", settings.DEFAULT, "random ones")
    add_labels(parser)
    parser.add_argument("--reader", type=Path, help="a reader's checkpoint: place real plates so that it reads them")
    parser.add_argument(
        "--detector",
        type=Path,
        action="append",
        default=[],
        help="a detector's folder: learn to tell plates from its false alarms; repeatable",
    )
    chosen = parser.parse_args(arguments)
    return command.run(prog, lambda: train(Job.of(chosen), chosen.labels, chosen.reader, chosen.detector))


if __name__ == "__main__":
    raise SystemExit(main())
