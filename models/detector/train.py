"""Trains the detector on marked pictures, from the pruned pretrained backbone; takes an interrupted run up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.data.negatives import read_negatives
from models.detector import config as settings
from models.detector.anchors import place_anchors
from models.detector.augment import sample
from models.detector.dataset import Pictures, calibration_pictures
from models.detector.evaluate import measured_groups, torch_detector
from models.detector.loss import losses
from models.detector.measures import measure
from models.detector.network import DetectorNet, named
from models.detector.pretrained import read_pretrained
from models.detector.prune import prune
from models.training import command, course, device, loop
from models.training.command import Job
from models.training.loop import Costs, Run
from models.training.photographs import read_split
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.random import Generator

    from models.detector.augment import View
    from models.detector.config import DetectorConfig
    from models.training.course import Progress
    from models.training.photographs import Marked, Split

PANELS = {"loss": ("score", "box"), "held out": ("AP50 24 px and more", "AP50 12-24 px", "recall at 0.1 false")}


def pruned_backbone(folder: Path, split: Split, config: DetectorConfig) -> dict[str, torch.Tensor]:
    """The pretrained backbone made narrow, kept in `folder` for the next time."""
    kept = folder / "pruned.pt"
    if kept.exists():
        return course.read_checkpoint(kept)
    constants = read_pretrained(folder / "pretrained")
    net, pruning = config.net, config.pruning
    pictures = calibration_pictures(split.train, pruning.pictures, net.size, pruning.seed).transpose(0, 3, 1, 2)
    print(f"Pruning the pretrained net on {len(pictures)} pictures", flush=True)
    state = prune(constants, net, np.ascontiguousarray(pictures), lambda line: print("  " + line, flush=True))
    part = kept.with_suffix(".part")
    torch.save(state, part)
    part.replace(kept)
    return state


@dataclass(frozen=True, slots=True)
class DetectorTask:
    """Batches of augmented pictures, what their plates cost the detector, and how it does on held-out pictures."""

    config: DetectorConfig
    pictures: Pictures
    groups: Mapping[str, Sequence[Marked]]
    """The pictures that are measured on, by kind."""
    grid: tuple[torch.Tensor, torch.Tensor]
    """Anchors (places, 4) and strides (places,)."""
    smoothing: float = 0.97

    def draw(self, _progress: Progress, rng: Generator) -> list[View]:
        """The augmented views of a batch."""
        config = self.config
        return [sample(rng, self.pictures, config.net.size, config.augmentation) for _ in range(config.training.batch)]

    def costs(self, net: DetectorNet, batch: Sequence[View]) -> Costs:
        """Score loss and box loss of a batch."""
        config, on = self.config, device.of(net)
        pictures = device.tensor(np.stack([view.image[..., ::-1] for view in batch]), on)
        with device.faster(on, enabled=config.training.bfloat16):
            logits, raw = net((pictures.float() / 127.5 - 1).permute(0, 3, 1, 2))
        outputs = logits.float(), raw.float()
        grid = self.grid[0].to(on), self.grid[1].to(on)
        plates, ignored = [view.boxes for view in batch], [view.ignored for view in batch]
        score, box = losses(outputs, plates, ignored, grid, config)
        return Costs(score + config.loss.box_weight * box, {"score": score, "box": box})

    def refresh(self) -> None:
        """Nothing: all pictures are there from the start."""

    def describe(self, run: Run, means: Mapping[str, float]) -> str:
        """The pace, the running means of the losses and the learning rate."""
        rate = course.learning_rate(run.training, run.progress)
        return f"{run.pace:.1f} pictures/s  score {means['score']:.3f}  box {means['box']:.3f}  rate {rate:.5f}"

    def measure(self, net: DetectorNet) -> dict[str, float]:
        """A line for each group of pictures; the figures of the first."""
        detect = torch_detector(net.eval(), self.config)
        scores = {name: measure(detect, marked, self.config.net.size) for name, marked in self.groups.items()}
        for name, one in scores.items():
            print(f"   {name}: {one}", flush=True)
        return next(
            (
                {
                    "AP50 24 px and more": one.wide,
                    "AP50 12-24 px": one.bands[1].precision,
                    "recall at 0.1 false": one.recall,
                }
                for one in scores.values()
            ),
            {},
        )


def start(job: Job, checkpoint: Path, config: DetectorConfig, split: Split) -> DetectorNet:
    """The net as it begins: with the weights of `job.initial`, or on the pruned pretrained backbone.

    Where there is a checkpoint already its weights stay random, for the run takes those of the checkpoint.
    """
    net = DetectorNet(config.net)
    if checkpoint.exists():
        return net
    if job.initial is None:
        net.load_state_dict(pruned_backbone(job.run, split, config), strict=False)
        return net
    try:
        net.load_state_dict(named(course.averaged_state(course.read_checkpoint(job.initial))))
    except (KeyError, RuntimeError) as fault:
        raise ModelError(f"{job.initial} is no checkpoint of this detector") from fault
    return net


def parameter_groups(net: DetectorNet, backbone_rate: float) -> list[dict[str, object]]:
    """The backbone, at a share of the learning rate, and all the rest; frozen parameters are in neither."""
    backbone = [part for block in net.blocks for part in block.parameters() if part.requires_grad]
    known = {id(part) for part in backbone}
    rest = [part for part in net.parameters() if part.requires_grad and id(part) not in known]
    return [{"params": backbone, "share": backbone_rate}, {"params": rest, "share": 1.0}]


def train(job: Job) -> None:
    """Trains to the end of the course and leaves detector.ck, history.jsonl and curves.png in the run's folder.

    Raises:
        RoadsideError: the settings, the pictures, the pretrained weights or a checkpoint cannot be used.

    """
    config = settings.load(job.config)
    config = config.model_copy(update={"training": config.training.limited(job.limits)})
    training, checkpoint = config.training, job.run / "detector.ck"
    loop.prepare(training)
    split = read_split(job.data)
    groups = measured_groups(split)
    job.run.mkdir(parents=True, exist_ok=True)
    net = start(job, checkpoint, config, split).to(memory_format=torch.channels_last)
    net.freeze(config.net.frozen_blocks)
    run = Run(checkpoint, training, net, parameter_groups(net, training.backbone_rate))
    negatives = [one.path for one in read_negatives(job.data) if not one.held_out]
    pictures = Pictures(split.train, config.sources, config.augmentation.copy_paste_plates, training.seed, negatives)
    measured = ", ".join(f"{name} {len(one)}" for name, one in groups.items())
    print(f"{len(pictures)} pictures, {len(negatives)} without a plate; measured on {measured}")
    anchors, strides = (torch.from_numpy(part) for part in place_anchors(config.net))
    loop.train(run, DetectorTask(config, pictures, groups, (anchors, strides)), PANELS, job.place)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.detector.train"
    parser = command.parser(prog, __doc__, "var/train/detector", settings.DEFAULT, "the pretrained ones")
    chosen = parser.parse_args(arguments)
    return command.run(prog, lambda: train(Job.of(chosen)))


if __name__ == "__main__":
    raise SystemExit(main())
