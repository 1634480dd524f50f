"""`make soak MINUTES=60`: what `roadside run` takes while it watches a live camera for long, minute by minute.

The demonstration street is played over and over as motion JPEG by a process of its own. Resident memory, open files,
threads and the size of the database go to a CSV file and, where matplotlib is installed, to a plot. Fails where the
memory rises, after the warm-up, by more than is allowed. With `--services` the services watch it, over a Redis.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import astuple, dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.bench.soak_services import watching_services
from tests.ports import reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CLIP = Path("var/demo/street.mp4")
FOLDER = Path("var/soak")
MB = 1 << 20
START_S = 180.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process takes at one moment."""

    seconds: float
    """Since the start."""
    resident_mb: float
    """With its children's, such as the process that decodes pictures."""
    own_mb: float
    """Of it what is no file's: a kernel that is short of memory takes pages of programs back and reads them again."""
    files: int
    threads: int
    database_mb: float
    """With the evidence beside it."""
    process: str = "run"
    heap_mb: float = 0.0
    """Of its own, without its children's: malloc's heap."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the camera shows."""

    clip: Path
    frames_per_s: float
    """Of the clip, as it is played."""
    stride: int
    """Of how many of its frames one is shown: less work, as many vehicles."""


def sample(pid: int, folder: Path, started_s: float, name: str = "run") -> Sample:
    """What the process `pid` with its children, whose records lie in `folder`, takes now."""
    status = _status(pid)
    size = sum(map(_size_bytes, folder.rglob("*")))
    taken = [status, *map(_status, _children(pid))]
    return Sample(
        round(time.monotonic() - started_s, 1),
        round(sum(_kb(each, "VmRSS") for each in taken) / 1024, 2),
        round(sum(_kb(each, "RssAnon") + _kb(each, "RssShmem") for each in taken) / 1024, 2),
        len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - names alone, of what may be gone already
        int(status["Threads"]),
        round(size / MB, 2),
        name,
        round(_heap_kb(pid) / 1024, 2),
    )


def _status(pid: int) -> dict[str, str]:
    """What the kernel tells of a process; empty where it is gone."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)
    return {}


def _kb(status: Mapping[str, str], what: str) -> int:
    return int(status.get(what, "0 kB").split()[0])


def _heap_kb(pid: int) -> int:
    """What is resident of malloc's first heap; 0 where the process is gone."""
    with contextlib.suppress(OSError):
        _, _, heap = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").partition("[heap]")
        lines = heap.splitlines()[1:]
        return next((int(line.split()[1]) for line in lines if line.startswith("Rss:")), 0)
    return 0


def _children(pid: int) -> list[int]:
    """Every thread's own."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text(encoding="ascii").split())
    return found


def _size_bytes(path: Path) -> int:
    """Of a file; 0 of a folder, and of what is gone by now: files of evidence get their names when they are whole."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def rise_mb(samples: Sequence[Sample], warm_up_s: float) -> tuple[float, float]:
    """By how much a process's own rose from the first to the last quarter after the warm-up, and an hour's slope."""
    steady = [s for s in samples if s.seconds >= warm_up_s]
    quarter = max(1, len(steady) // 4)
    first, last = (np.mean([s.own_mb for s in part]) for part in (steady[:quarter], steady[-quarter:]))
    times, sizes = [s.seconds / 3600 for s in steady], [s.own_mb for s in steady]
    slope = float(np.polyfit(times, sizes, 1)[0]) if len(steady) > 1 else 0.0
    return float(last - first), slope


def plot(samples: Sequence[Sample], path: Path) -> bool:
    """Draw the samples; False where matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra of training

        mpl.use("Agg")
        from matplotlib import pyplot as plt  # noqa: PLC0415
    except ImportError:
        return False
    figure, axes = plt.subplots(3, 1, figsize=(9, 8), sharex=True)
    names = sorted({s.process for s in samples})
    for name in names:
        own = [s for s in samples if s.process == name]
        minutes = [s.seconds / 60 for s in own]
        line = axes[0].plot(minutes, [s.own_mb for s in own], label=name)
        axes[0].plot(minutes, [s.resident_mb for s in own], color=line[0].get_color(), alpha=0.3)
        axes[1].plot(minutes, [s.files for s in own], label=f"{name}: open files")
        axes[1].plot(minutes, [s.threads for s in own], label=f"{name}: threads", linestyle="--")
    axes[0].set_ylabel("memory, MB (pale: with files')")
    axes[1].legend(fontsize="x-small", ncols=2)
    if len(names) > 1:
        axes[0].legend(fontsize="x-small", ncols=2)
    axes[2].plot([s.seconds / 60 for s in own], [s.database_mb for s in own])
    axes[2].set_ylabel("records, MB")
    axes[2].set_xlabel("minutes")
    for axis in axes:
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    return True


def serve(clip: Path, port: int, frames_per_s: float, stride: int) -> None:
    """Be a camera: each `stride`-th frame of `clip` as motion JPEG at its speed, over and over, for ever."""
    frames = list(_jpegs(clip))[::stride]

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            due_s = time.monotonic()
            for frame in itertools.cycle(frames):
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + frame + b"\r\n")
                due_s += stride / frames_per_s
                time.sleep(max(0.0, due_s - time.monotonic()))

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Camera).serve_forever()


def _jpegs(clip: Path) -> list[bytes]:
    capture = cv2.VideoCapture(str(clip))
    frames: list[bytes] = []
    while True:
        whole, image = capture.read()
        if not whole:
            return frames
        frames.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())


def soak(folder: Path, source: Source, minutes: float, every_s: float, *, services: bool) -> list[Sample]:
    """Watch the camera for `minutes`; the samples. Raises RuntimeError where what watches ends by itself."""
    records = folder / "records"
    records.mkdir(parents=True, exist_ok=True)
    samples: list[Sample] = []
    watching = watching_services if services else watching_run
    with (
        camera(source) as address,
        watching(folder, address) as processes,
        (folder / "soak.csv").open("w", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow([field.name for field in fields(Sample)])
        started_s = time.monotonic()
        while time.monotonic() - started_s < minutes * 60:
            time.sleep(every_s)
            for name, process in processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with exit code {process.returncode}; see its log in {folder}")
                samples.append(sample(process.pid, records, started_s, name))
                table.writerow(astuple(samples[-1]))
            file.flush()
    return samples


@contextlib.contextmanager
def watching_run(folder: Path, address: str) -> Iterator[Mapping[str, subprocess.Popen[bytes]]]:
    """`roadside run` as it watches the camera, by its name in the samples; its records lie in `records`."""
    program = Path(sys.executable).with_name("roadside")
    with (folder / "run.log").open("w", encoding="utf-8") as log:
        run = subprocess.Popen(
            [str(program), "run", address, "--db", str(folder / "records" / "r.db")], stdout=log, stderr=log
        )
        try:
            yield {"run": run}
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(60)


@contextlib.contextmanager
def camera(source: Source) -> Iterator[str]:
    """A process that is the camera, by its address. Raises RuntimeError where it does not start."""
    port = reserved_port()
    arguments = ["--camera", str(port), "--clip", str(source.clip), "--fps", str(source.frames_per_s)]
    arguments += ["--stride", str(source.stride)]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.soak", *arguments])
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


def _wait_for(camera: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the camera listens. Raises RuntimeError where it does not."""
    give_up_at_s = time.monotonic() + START_S
    while time.monotonic() < give_up_at_s and camera.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError("the camera did not start")


def main() -> int:
    """Run, tell, and say whether the memory stayed flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=None, help="minutes; a sixth of all, if not given")
    parser.add_argument("--every", type=float, default=10, help="seconds between two samples")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--stride", type=int, default=1, help="show one frame in so many: less work, as many vehicles")
    parser.add_argument("--most-mb", type=float, default=6, help="by which the memory may rise after the warm-up")
    parser.add_argument("--services", action="store_true", help="the services over a Redis, not `roadside run`")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--camera", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.camera is not None:
        serve(arguments.clip, arguments.camera, arguments.fps, arguments.stride)
    if not cv2.VideoCapture(str(arguments.clip)).grab():
        print(f"soak: no clip that can be played: {arguments.clip}; `make run` makes {CLIP}", file=sys.stderr)
        return 2
    source = Source(arguments.clip, arguments.fps, arguments.stride)
    samples = soak(arguments.out, source, arguments.minutes, arguments.every, services=arguments.services)
    warm_up_s = 60 * (arguments.minutes / 6 if arguments.warm_up is None else arguments.warm_up)
    drawn = plot(samples, arguments.out / "soak.png")
    print(f"{samples[-1].seconds / 60:.1f} minutes: {arguments.out / 'soak.csv'}")
    print(f"plot: {arguments.out / 'soak.png'}" if drawn else "no plot: matplotlib is not installed (extra `train`)")
    leaks = [
        name for name in dict.fromkeys(s.process for s in samples) if tell(name, samples, warm_up_s) > arguments.most_mb
    ]
    if leaks:
        print(f"soak: more than {arguments.most_mb:g} MB rose: {', '.join(leaks)}", file=sys.stderr)
    return 1 if leaks else 0


def tell(name: str, samples: Sequence[Sample], warm_up_s: float) -> float:
    """Say what the process `name` took; by how many MB its memory rose after the warm-up."""
    own = [s for s in samples if s.process == name]
    rise, slope = rise_mb(own, warm_up_s)
    last = own[-1]
    print(
        f"{name}: {last.resident_mb:.0f} MB ({last.own_mb:.0f} of its own), {last.files} files, "
        f"{last.threads} threads, {last.database_mb:.1f} MB kept; "
        f"after {warm_up_s / 60:.1f} minutes {rise:+.1f} MB, slope {slope:+.1f} MB an hour"
    )
    return rise


if __name__ == "__main__":
    sys.exit(main())
