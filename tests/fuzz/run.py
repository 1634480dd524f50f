"""`make fuzz TARGET=... SECONDS=...`: feeds damaged input to every decoder of untrusted bytes.

Each target runs in a process of its own, so that a crash is seen and its input kept. Fails on a crash, on an error that
is not documented, on input that takes longer than ten seconds, and on more than 512 MB of memory. ROADSIDE_FUZZ_SEEDS
names a folder of further seeds: its files are given to every target.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz.mutation import mutated

if TYPE_CHECKING:
    from types import FrameType

    from tests.fuzz.targets import Target

SEEDS_VARIABLE = "ROADSIDE_FUZZ_SEEDS"
FOLDER = Path("var/fuzz")
HANG_S = 10
MOST_MB = 512
MOST_CORPUS = 400
GRACE_S = 600
"""For a process to start, on a machine that is busy."""


class HangError(BaseException):
    """Not an Exception, so that no decoder takes it for a fault of its input."""


def fuzz(name: str, target: Target, seconds: float, seed: int, folder: Path) -> dict[str, object]:
    """Run one target for `seconds`; what was found."""
    rng = random.Random(f"{name} {seed}")
    seeds = [*target.seeds, *_further_seeds()]
    corpus = list(seeds)
    found: Counter[str] = Counter()
    ended_s = time.monotonic() + seconds
    executions = accepted = 0
    worst_s = 0.0
    signal.signal(signal.SIGALRM, _hang)
    with (folder / f"{name}.last").open("wb", buffering=0) as last:
        while time.monotonic() < ended_s or executions < len(seeds):
            data = (
                seeds[executions] if executions < len(seeds) else mutated(rng.choice(corpus), seeds, target.tokens, rng)
            )
            os.pwrite(last.fileno(), data, 0)
            os.ftruncate(last.fileno(), len(data))
            started_s = time.perf_counter()
            signal.alarm(HANG_S)
            fault = ""
            try:
                target.run(data)
                accepted += 1
                if len(corpus) < MOST_CORPUS and rng.random() < 0.02:
                    corpus.append(data)
            except target.documented:
                pass
            except HangError:
                fault = f"hangs for more than {HANG_S} s"
            except Exception as error:  # noqa: BLE001 - whatever a decoder raises is the finding
                fault = _place(error)
            finally:
                signal.alarm(0)
            executions += 1
            worst_s = max(worst_s, time.perf_counter() - started_s)
            if not fault and _peak_mb() > MOST_MB and not found:
                fault = f"more than {MOST_MB} MB"
            if fault and not found[fault]:
                (folder / f"{name}-{hashlib.sha256(fault.encode()).hexdigest()[:8]}").write_bytes(data)
            if fault:
                found[fault] += 1
    told = {"target": name, "executions": executions, "accepted": accepted, "found": dict(found)}
    return {**told, "worst_s": round(worst_s, 2), "peak_mb": round(_peak_mb())}


def _further_seeds() -> list[bytes]:
    named = os.environ.get(SEEDS_VARIABLE)
    if not named:
        return []
    return [p.read_bytes()[: 1 << 20] for p in sorted(Path(named).iterdir()) if p.is_file() and p.stat().st_size]


def _hang(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise HangError


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "roadside" in f.filename or "models" in f.filename] or frames
    return f"{type(error).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}: {str(error)[:120]}"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run_here(name: str, seconds: float, seed: int, folder: Path) -> None:
    """In the process of the target: print what was found as one line of JSON."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    import cv2  # noqa: PLC0415 - the process of the targets alone

    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - as above

    cv2.setNumThreads(1)
    cv2.setLogLevel(0)
    print(json.dumps(fuzz(name, TARGETS[name](), seconds, seed, folder)))


def _run_apart(name: str, seconds: float, seed: int, folder: Path) -> tuple[str, bool]:
    """A line about one target, and whether it stood."""
    command = [sys.executable, "-m", "tests.fuzz.run", "--here", name, "--seconds", str(seconds), "--seed", str(seed)]
    try:
        ended = subprocess.run(
            [*command, "--out", str(folder)], capture_output=True, text=True, check=False, timeout=seconds + GRACE_S
        )
    except subprocess.TimeoutExpired:
        return f"{name}: HANGS; its input: {_kept(name, folder, 'hang')}", False
    if ended.returncode:
        why = f"signal {-ended.returncode}" if ended.returncode < 0 else f"exit code {ended.returncode}"
        said = ended.stderr.strip().splitlines()[-1:] or [""]
        return f"{name}: CRASHES ({why}: {said[0][:200]}); its input: {_kept(name, folder, 'crash')}", False
    told = json.loads(ended.stdout.splitlines()[-1])
    line = f"{name}: {told['executions']} executions, {told['accepted']} accepted, worst {told['worst_s']} s, "
    line += f"peak {told['peak_mb']} MB"
    return "\n  ".join([line, *(f"{count} x {fault}" for fault, count in told["found"].items())]), not told["found"]


def _kept(name: str, folder: Path, what: str) -> Path:
    kept = folder / f"{name}-{what}"
    with contextlib.suppress(FileNotFoundError):
        (folder / f"{name}.last").replace(kept)
    return kept


def main() -> int:
    """Run the targets that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="all, if none is named")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--here", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.here:
        _run_here(arguments.here, arguments.seconds, arguments.seed, arguments.out)
        return 0
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - it loads everything

    if unknown := sorted(set(arguments.targets) - set(TARGETS)):
        print(f"fuzz: no target {', '.join(unknown)}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    stood = True
    for name in arguments.targets or TARGETS:
        line, well = _run_apart(name, arguments.seconds, arguments.seed, arguments.out)
        print(line, flush=True)
        stood &= well
    return 0 if stood else 1


if __name__ == "__main__":
    sys.exit(main())
