"""Fine-tunes Tesseract's French model to number plates: lines, training, export, each taken up where it stopped."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.command import answer
from models.data.photographs import data_folder, plate_crops, read_labels
from models.tesseract.lines import TWO_LINE_ASPECT, real_line, rendered_line, write_lines
from roadside.core.reads import ALPHABET
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator

    from models.data.photographs import PlateCrop
    from models.tesseract.lines import Line

LANGUAGE = "gb"
LINES_A_FILE = 500
"""Rendered lines in a file."""
VALIDATION = "validation"
_OUTSIDE_EUROPE = frozenset({"US", "OT", "XX", "IN", "VN"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run."""

    work: Path
    """Where lines, checkpoints and the log are kept."""
    base: Path
    """A float Tesseract model to start from."""
    rendered_files: int
    """Files of LINES_A_FILE rendered lines each."""
    uk_repeats: int
    """How often each real UK crop is taken, shaken anew each time."""
    other_repeats: int
    seed: int


def prepare(recipe: Recipe) -> None:
    """Lines, the alphabet and the starter model under `recipe.work`, those that are missing."""
    (recipe.work / "lines").mkdir(parents=True, exist_ok=True)
    _prepare_alphabet(recipe)
    for number in range(recipe.rendered_files + 1):
        name = VALIDATION if number == recipe.rendered_files else f"rendered_{number:02d}"
        _make_file(recipe, name, _rendered_lines, number)
    crops = _real_crops()
    if not crops:
        print("No photographs (ROADSIDE_DATA): rendered lines only", flush=True)
    plan = [c for c in crops for _ in range(recipe.uk_repeats if c.region == "UK" else recipe.other_repeats)]
    order = np.random.default_rng(recipe.seed).permutation(len(plan))
    folder = data_folder() if crops else Path()
    for number, start in enumerate(range(0, len(plan), LINES_A_FILE)):
        part = [plan[i] for i in order[start : start + LINES_A_FILE]]
        _make_file(recipe, f"real_{number:02d}", partial(_real_lines, part, folder), 1000 + number)
    files = sorted((recipe.work / "lines").glob("*.lstmf"))
    training = [str(f) for f in files if f.stem != VALIDATION]
    (recipe.work / "training.txt").write_text("\n".join(training) + "\n", encoding="utf-8")
    (recipe.work / "validation.txt").write_text(f"{recipe.work / 'lines' / VALIDATION}.lstmf\n", encoding="utf-8")
    print(f"{len(training)} files of lines, {len(crops)} real crops among them", flush=True)


def train(recipe: Recipe, until_iteration: int, learning_rate: float, minutes: float = float("inf")) -> None:
    """Train from the last checkpoint, if any, at `learning_rate`; the log grows in train.log.

    It ends at `until_iteration`, counted from the very beginning, or after `minutes`, whichever comes first.
    """
    checkpoint = recipe.work / "checkpoints" / LANGUAGE
    checkpoint.parent.mkdir(exist_ok=True)
    command = [
        "lstmtraining", "--traineddata", str(_starter(recipe)), "--old_traineddata", str(recipe.base),
        "--continue_from", str(_start(recipe, checkpoint)), "--model_output", str(checkpoint),
        "--train_listfile", str(recipe.work / "training.txt"), "--eval_listfile", str(recipe.work / "validation.txt"),
        "--learning_rate", str(learning_rate), "--reset_learning_rate", "--max_iterations", str(until_iteration),
        "--debug_interval", "0",
    ]  # fmt: skip
    ends = time.monotonic() + 60 * minutes
    with (recipe.work / "train.log").open("a", encoding="utf-8") as log:
        log.write(f"# until iteration {until_iteration} at {learning_rate}\n")
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=_one_thread()) as run:
            for line in run.stdout or ():
                if "BCER" in line or "Failed" in line or "rror" in line:
                    log.write(line)
                    log.flush()
                    print(f"until {until_iteration}: {line.strip()}", flush=True)
                if time.monotonic() > ends:
                    run.terminate()
                    break
        ended_by_us = run.returncode < 0 and time.monotonic() > ends
        if run.returncode and not ended_by_us:
            raise InputError(f"lstmtraining failed ({run.returncode}): see {recipe.work / 'train.log'}")


def export(recipe: Recipe, target: Path) -> None:
    """The best checkpoint as a float model and as an integer one; the integer one goes to `target`."""
    best = _best_checkpoint(recipe)
    floating = recipe.work / f"{LANGUAGE}_float.traineddata"
    _run(
        "lstmtraining", "--stop_training", "--continue_from", str(best), "--traineddata", str(_starter(recipe)),
        "--model_output", str(floating),
    )  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    integer = recipe.work / f"{LANGUAGE}.traineddata"
    shutil.copy(floating, integer)
    _run("combine_tessdata", "-c", str(integer))
    shutil.copy(integer, target)
    print(f"{best.name} -> {target} ({target.stat().st_size / 1e6:.2f} MB)")


def _prepare_alphabet(recipe: Recipe) -> None:
    """A starter model of A-Z and 0-9 alone, without word lists: a plate is no word."""
    if _starter(recipe).exists():
        return
    alphabet = recipe.work / "alphabet.txt"
    alphabet.write_text("\n".join(ALPHABET) + "\n", encoding="utf-8")
    characters = recipe.work / "alphabet.unicharset"
    _run("unicharset_extractor", "--output_unicharset", str(characters), "--norm_mode", "1", str(alphabet))
    # Without this file, and without a line in it, combine_lang_model stops.
    (recipe.work / "radical-stroke.txt").write_text("# no radicals in Latin script\n", encoding="utf-8")
    (recipe.work / "starter").mkdir(exist_ok=True)
    _run(
        "combine_lang_model", "--input_unicharset", str(characters), "--script_dir", str(recipe.work),
        "--output_dir", str(recipe.work / "starter"), "--lang", LANGUAGE,
    )  # fmt: skip
    _run("combine_tessdata", "-e", str(recipe.base), str(recipe.work / "base.lstm"))


def _rendered_lines(rng: Generator) -> list[Line]:
    return [rendered_line(rng) for _ in range(LINES_A_FILE)]


def _real_lines(crops: Sequence[PlateCrop], folder: Path, rng: Generator) -> list[Line]:
    return [real_line(rng, crop, folder) for crop in crops]


def _make_file(recipe: Recipe, name: str, draw: Callable[[Generator], list[Line]], number: int) -> None:
    stem = recipe.work / "lines" / name
    if stem.with_suffix(".lstmf").exists():
        return
    write_lines(draw(np.random.default_rng((recipe.seed, number))), stem)
    _run("tesseract", f"{stem}.tif", str(stem), "--psm", "13", "lstm.train")
    stem.with_suffix(".tif").unlink()
    stem.with_suffix(".box").unlink()
    print(f"{name}: lines drawn", flush=True)


def _real_crops() -> list[PlateCrop]:
    """European one-line plates that may be trained on and are not held out, with a text that is sure."""
    try:
        folder = data_folder()
    except InputError:
        return []
    return [
        crop
        for crop in plate_crops(folder, read_labels())
        if crop.use == "train" and crop.text and crop.sure and not crop.held_out
        and crop.region not in _OUTSIDE_EUROPE and crop.box.width >= TWO_LINE_ASPECT * crop.box.height
    ]  # fmt: skip


def _starter(recipe: Recipe) -> Path:
    return recipe.work / "starter" / LANGUAGE / f"{LANGUAGE}.traineddata"


def _start(recipe: Recipe, checkpoint: Path) -> Path:
    last = checkpoint.with_name(f"{checkpoint.name}_checkpoint")
    return last if last.exists() else recipe.work / "base.lstm"


def _iterations_done(recipe: Recipe) -> int:
    """Lines that the checkpoints' names tell of: the last number."""
    names = [path.stem for path in (recipe.work / "checkpoints").glob(f"{LANGUAGE}_[0-9]*.checkpoint")]
    return max((int(name.rsplit("_", 1)[1]) for name in names), default=0)


def _best_checkpoint(recipe: Recipe) -> Path:
    """The checkpoint with the lowest character error, which is the first number in its name."""
    found = list((recipe.work / "checkpoints").glob(f"{LANGUAGE}_[0-9]*.checkpoint"))
    if not found:
        raise InputError(f"no checkpoint under {recipe.work}: train first")
    return min(found, key=lambda path: float(path.stem.split("_")[1]))


def _one_thread() -> dict[str, str]:
    """Tesseract's threads slow one another down on small lines."""
    return {**os.environ, "OMP_THREAD_LIMIT": "1"}


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=_one_thread(), check=False)
    if done.returncode:
        raise InputError(f"{command[0]} failed: {done.stderr.strip()[-300:]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train `gb` and write it to --out."""
    parser = argparse.ArgumentParser(prog="python -m models.tesseract.train", description=main.__doc__)
    parser.add_argument("--work", type=Path, default=Path("var/train/tesseract"), help="lines and checkpoints")
    parser.add_argument("--base", type=Path, help="default: tessdata_best/fra.traineddata of ROADSIDE_DATA")
    parser.add_argument("--out", type=Path, default=Path(f"models/shipped/tesseract/{LANGUAGE}.traineddata"))
    parser.add_argument("--iterations", type=int, default=60_000, help="lines; two thirds at 1e-3, one third at 2e-4")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop earlier, after so many")
    parser.add_argument("--rendered-files", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export-only", action="store_true", help="write the best checkpoint so far")
    chosen = parser.parse_args(arguments)

    def work() -> None:
        base = chosen.base or data_folder() / "tessdata_best" / "fra.traineddata"
        recipe = Recipe(chosen.work.resolve(), base.resolve(), chosen.rendered_files, 12, 2, chosen.seed)
        if not chosen.export_only:
            prepare(recipe)
            if _iterations_done(recipe) < chosen.iterations * 2 // 3:
                train(recipe, chosen.iterations * 2 // 3, 1e-3, chosen.minutes * 2 / 3)
            train(recipe, chosen.iterations, 2e-4, chosen.minutes / 3)
        export(recipe, chosen.out)

    return answer("models.tesseract.train", work)


if __name__ == "__main__":
    sys.exit(main())
