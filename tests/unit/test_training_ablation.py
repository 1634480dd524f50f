"""The reader's ablation: heads that learn and read, runs that repeat and resume, a table of what they came to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.ocr.ablation_table import Result, draw, table

if TYPE_CHECKING:
    from pathlib import Path

    from models.ocr.config import ReaderConfig
    from models.ocr.variants import Material


def result(name: str, uk: int, pl: int) -> Result:
    scores = {"UK": (uk - 1, uk, 10), "PL gate": (pl, pl, 20)}
    return Result(name, f"told of {name}", 40, 440_000, 1.25, 3.0, scores, scores, [(20, 0.3), (40, 0.5)])


def test_the_table_has_a_row_a_run_and_the_best_in_bold() -> None:
    told = table([result("ctc", 8, 15), result("slots", 6, 17)], 64)
    head, _, first, second, _, note = told.splitlines()
    assert head == "| one change at a time | parameters | ms | UK (10) | PL gate (20) | all (30) |"
    assert first == "| told of ctc | 0.44 M | 1.2 | **8** (7) | 15 (15) | **23** (22) |"
    assert second == "| told of slots | 0.44 M | 1.2 | 6 (5) | **17** (17) | **23** (22) |"
    assert "40 steps of 64 strips" in note
    assert "2,560 strips" in note
    assert "from random weights" in note
    assert "from one backbone, with a new head" in table([result("ctc", 8, 15)], 64, initial=True)
    assert table([], 64) == ""


def test_plates_cut_at_their_boxes_are_shown_measured_so_too() -> None:
    rows = table([result("ctc", 8, 15), result("boxes", 6, 17)], 64).splitlines()
    assert [row.split(" |")[0] for row in rows[2:5]] == [
        "| told of ctc", "| told of boxes", "| the same run, measured at the boxes too",
    ]  # fmt: skip


def test_figures_come_back_from_their_file_and_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is only in .venv-train: run `make test-training`")
    kept = json.loads(json.dumps({field: getattr(result("ctc", 8, 15), field) for field in Result.__slots__}))
    assert table([Result.of(kept)], 64) == table([result("ctc", 8, 15)], 64)
    draw([Result.of(kept), result("rendered", 2, 3)], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


# --- What needs torch: `make test-training` -------------------------------------------------------


@pytest.fixture
def torch_here() -> object:
    return pytest.importorskip("torch", reason="torch is only in .venv-train: run `make test-training`")


def small(steps: int) -> ReaderConfig:
    """The shipped settings with a tiny net and batch."""
    from models.ocr import config as settings  # noqa: PLC0415
    from models.training.course import Limits  # noqa: PLC0415

    config = settings.load()
    net = config.net.model_copy(update={"channels": (4, 4, 4, 4, 8, 8, 8, 16)})
    training = config.training.limited(Limits(steps=steps)).model_copy(update={"batch": 4, "warmup_steps": 1})
    return config.model_copy(update={"net": net, "training": training})


def material(config: ReaderConfig, folder: Path) -> Material:
    """Noise for plates: four real crops and four rendered ones."""
    from models.ocr.dataset import Plate, RealPlates, RenderedPlates, write_batch  # noqa: PLC0415
    from models.ocr.evaluate import Group  # noqa: PLC0415
    from models.ocr.variants import Material  # noqa: PLC0415
    from roadside.core.rectify import box_corners  # noqa: PLC0415

    rng = np.random.default_rng(0)
    plates = [
        Plate(rng.integers(0, 256, (40, 120), np.uint8), box_corners(10, 8, 110, 32), f"AB1{n}", n, 1, 0.5)
        for n in range(4)
    ]
    write_batch(folder / "pool" / "plates_0000.npz", plates)
    rendered = RenderedPlates(folder / "pool")
    rendered.refresh()
    crops = crops_of(plates, folder)
    real = RealPlates(crops, config.mix, config.countries)
    groups = {"UK": Group(rng.integers(0, 256, (3, 48, 176), np.uint8), ("AB12", "CD34", "EF56"))}
    return Material(real, real, rendered, NoNegatives(), groups, groups)


class NoNegatives:
    """No windows at all."""

    def __len__(self) -> int:
        return 0


def crops_of(plates: list, folder: Path) -> list:
    import cv2  # noqa: PLC0415

    from models.ocr.crops import Crop  # noqa: PLC0415

    crops = []
    for number, plate in enumerate(plates):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), plate.grey)
        crops.append(Crop(path, plate.corners, "", "UK", "own", "train", 1, "none"))
    return crops


@pytest.mark.usefixtures("torch_here")
@pytest.mark.parametrize("head", ["ctc", "slots", "attention"])
def test_a_head_learns_two_strips_by_heart_and_reads_them(head: str) -> None:
    import torch  # noqa: PLC0415

    from models.ocr.ablate import losses, read_strips  # noqa: PLC0415
    from models.ocr.dataset import Sample  # noqa: PLC0415
    from models.ocr.heads import HeadedReader  # noqa: PLC0415

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    config = small(1)
    samples = [Sample(rng.integers(0, 256, (48, 176), np.uint8), text, 0) for text in ("AB1", "CD", "")]
    net = HeadedReader(config, head)  # type: ignore[arg-type]
    optimiser = torch.optim.AdamW(net.parameters(), lr=8e-3)
    for _ in range(120):
        cost, country = losses(net, samples, config)
        optimiser.zero_grad()
        (cost + country).backward()
        optimiser.step()
    net.eval()
    strips = np.stack([one.strip for one in samples])
    assert read_strips(net, strips, config.characters) == ["AB1", "CD", ""]


@pytest.mark.usefixtures("torch_here")
def test_the_heads_stand_on_the_same_backbone() -> None:
    import torch  # noqa: PLC0415

    from models.ocr.heads import HeadedReader, ReaderNet  # noqa: PLC0415

    config = small(1)
    weights = {}
    for head in ("ctc", "slots", "attention"):
        torch.manual_seed(0)
        weights[head] = HeadedReader(config, head).backbone.state_dict()
    assert not any(key.startswith("characters.") for key in weights["ctc"])
    assert set(weights["ctc"]) < set(ReaderNet(config).state_dict())
    for key, value in weights["ctc"].items():
        assert torch.equal(value, weights["slots"][key])
        assert torch.equal(value, weights["attention"][key])


@pytest.mark.usefixtures("torch_here")
def test_a_text_costs_each_head_its_negative_log_likelihood() -> None:
    import torch  # noqa: PLC0415

    from models.ocr.heads import SLOTS, CtcHead, SlotHead  # noqa: PLC0415

    torch.manual_seed(0)
    seen = torch.randn(1, 2, 5)
    ctc, slots = CtcHead(5, 4), SlotHead(5, 4, 2)
    with torch.no_grad():
        shares = ctc.characters(seen)[0].softmax(-1)
        ways = shares[0, 2] * shares[1, 0] + shares[0, 0] * shares[1, 2] + shares[0, 2] * shares[1, 2]
        assert float(ctc.cost(seen, [[2]])) == pytest.approx(-float(ways.log()), rel=1e-5)
        each = slots.logits(seen)[0].softmax(-1)
        told = each[0, 3].log() + each[1:, 0].log().sum()
        assert each.shape == (SLOTS, 4)
        assert float(slots.cost(seen, [[3]])) == pytest.approx(-float(told), rel=1e-5)


@pytest.mark.usefixtures("torch_here")
def test_a_run_repeats_itself_also_after_an_interruption(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    from models.ocr.ablate import begin, run, task_of  # noqa: PLC0415
    from models.ocr.variants import VARIANTS  # noqa: PLC0415

    config, variant = small(4), VARIANTS[1]
    shared = material(config, tmp_path)
    whole = run(tmp_path / "whole", variant, shared, config)
    cut, task = begin(tmp_path / "cut", variant, config), task_of(variant, shared, config)
    for _ in range(2):
        cut.descend(task.costs(cut.net, task.draw(cut.progress, np.random.default_rng())))
    cut.save()
    resumed = run(tmp_path / "cut", variant, shared, config)
    states = [torch.load(tmp_path / part / "slots_4.ck", weights_only=False)["average"] for part in ("whole", "cut")]
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    assert whole.scores == resumed.scores
    assert run(tmp_path / "whole", variant, shared, config).minutes == whole.minutes, "an ended run is not repeated"


@pytest.mark.usefixtures("torch_here")
def test_runs_can_start_from_one_backbone(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    from models.ocr.ablate import begin  # noqa: PLC0415
    from models.ocr.heads import ReaderNet  # noqa: PLC0415
    from models.ocr.variants import VARIANTS  # noqa: PLC0415
    from roadside.errors import ModelError  # noqa: PLC0415

    config = small(4)
    torch.manual_seed(7)
    trained = ReaderNet(config).state_dict()
    torch.save({"average": trained}, tmp_path / "reader.ck")
    for variant in VARIANTS[:3]:
        backbone = begin(tmp_path / "run", variant, config, tmp_path / "reader.ck").net.backbone.state_dict()
        assert all(torch.equal(value, trained[key]) for key, value in backbone.items())
    torch.save({"stem.convolution.weight": torch.zeros(1)}, tmp_path / "other.ck")
    with pytest.raises(ModelError, match=r"other\.ck"):
        begin(tmp_path / "run", VARIANTS[0], config, tmp_path / "other.ck")


@pytest.mark.usefixtures("torch_here")
def test_each_variant_changes_one_thing() -> None:
    from dataclasses import fields  # noqa: PLC0415

    from models.ocr import config as settings  # noqa: PLC0415
    from models.ocr.variants import BASELINE, VARIANTS, config_of  # noqa: PLC0415

    config = settings.load()
    assert config_of(BASELINE, config).mix == config.mix
    for variant in VARIANTS[1:]:
        changed = [
            one.name
            for one in fields(variant)
            if one.name not in {"name", "told"} and getattr(variant, one.name) != getattr(BASELINE, one.name)
        ]
        assert len(changed) == 1, variant.name
    shares = {variant.name: config_of(variant, config).mix for variant in VARIANTS}
    assert (shares["rendered"].real, shares["real"].real, shares["plates"].negative) == (0, 1 - config.mix.negative, 0)
