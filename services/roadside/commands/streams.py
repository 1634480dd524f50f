"""`roadside streams inspect|repair|form-cluster`: what waits between the services, and where."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.commands.dead_letters import add_reaching, open_reached, reached_settings
from roadside.commands.json_lines import add_json, iso, print_json
from roadside.commands.serve import needs_cluster
from roadside.errors import BusUnavailableError, InputError
from roadside.ports.bus import STREAMS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from roadside.commands.flags import SubParsers
    from roadside.ports.bus import BusMemory, BusReport, CameraReport, Stream, StreamReport

MIB = 2**20
MOMENT_S = 1.0
"""Between two steps of forming a cluster."""


def add_to(commands: SubParsers) -> None:
    """Add `roadside streams`."""
    parser = commands.add_parser("streams", help="what waits between the services: inspect, repair, form-cluster")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    inspect = actions.add_parser("inspect", help="streams, cameras and memory; changes nothing")
    add_json(inspect, "")
    inspect.set_defaults(execute=show)
    repair = actions.add_parser(
        "repair", help="wait no longer for events that are on no stream; what is on a stream is left alone"
    )
    add_json(repair, "a camera that waited for what is gone")
    repair.set_defaults(execute=mend)
    form = actions.add_parser(
        "form-cluster", help="make one Redis cluster of the nodes that redis_url names with commas; safe to run again"
    )
    form.add_argument("--replicas", type=int, default=1, metavar="N", help="of each master (default 1)")
    form.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        help="go on, and look so often whether nodes came back under new addresses (default: end with a whole cluster)",
    )
    form.set_defaults(execute=form_cluster)
    for action in (inspect, repair, form):
        add_reaching(action)


def show(parsed: argparse.Namespace) -> int:
    """Print how every stream and camera stands."""
    report = open_reached(parsed, "streams").report()
    if parsed.json:
        print_json(_fields(report))
        return 0
    for line in _lines(report):
        print(line)
    return 0


def mend(parsed: argparse.Namespace) -> int:
    """Forget what was on its way and is gone, of every camera."""
    bus = open_reached(parsed, "streams")
    total = 0
    for camera in bus.report().cameras:
        gone = bus.repair(camera.camera_id)
        total += gone
        if gone and parsed.json:
            print_json({"camera": camera.camera_id, "repaired": gone})
        elif gone:
            print(f"{camera.camera_id}: {gone} that were on no stream are waited for no longer")
    if not parsed.json:
        print(f"{total} repaired" if total else "nothing to repair: all that is waited for is there")
    return 0


def form_cluster(parsed: argparse.Namespace) -> int:
    """Bring the nodes together, tell each step, and end once they are whole, or never."""
    try:
        from roadside.assembly.context import open_forming  # noqa: PLC0415 - as of `open_reached`
    except ModuleNotFoundError as error:
        raise needs_cluster(error) from error
    if parsed.replicas < 0 or (parsed.every is not None and not MOMENT_S <= parsed.every < float("inf")):
        raise InputError(f"--replicas is 0 or more, --every at least {MOMENT_S:g} seconds")
    forming = open_forming(reached_settings(parsed), parsed.replicas)
    was_whole = False
    while True:
        try:
            for line in forming.step():
                print(line, flush=True)
            whole = forming.is_whole()
        except BusUnavailableError as error:  # nodes may still be starting
            whole = False
            print(error, file=sys.stderr, flush=True)
        if whole and not was_whole:
            print("the cluster is whole", flush=True)
        if whole and parsed.every is None:
            return 0
        was_whole = whole
        time.sleep(parsed.every if whole else MOMENT_S)


def _lines(report: BusReport) -> Iterator[str]:
    yield _memory(report.memory)
    if report.frames_memory is not None:
        yield f"frames in {_memory(report.frames_memory)}"
    if report.partitions > 1:
        yield f"{report.partitions} partitions"
    yield from (_total(stream, report) for stream in STREAMS)
    if report.partitions > 1:
        yield from (
            _stream(stream, f"{stream.stream.name}:{stream.partition}") for stream in filter(_is_used, report.streams)
        )
    yield from (_camera(camera, report.partitions) for camera in report.cameras)
    yield f"{report.dead_letters} dead letters"


def _memory(memory: BusMemory) -> str:
    used = f"memory     {memory.used_bytes / MIB:.0f} MiB"
    return (
        f"{used} of {memory.limit_bytes / MIB:.0f} ({memory.share:.0%})" if memory.limit_bytes else f"{used}, no limit"
    )


def _total(stream: Stream[Any], report: BusReport) -> str:
    """A stream in all partitions together."""
    parts = [part for part in report.streams if part.stream == stream]
    if len(parts) == 1:
        return _stream(parts[0], stream.name)
    waiting, pending = (sum(getattr(part.backlog, name) for part in parts) for name in ("waiting", "pending"))
    return f"{stream.name:10} {waiting} waiting, {pending} in hand"


def _is_used(stream: StreamReport) -> bool:
    return bool(stream.leader or stream.backlog.waiting or stream.backlog.pending)


def _stream(stream: StreamReport, name: str) -> str:
    words = [f"{name:10} {stream.backlog.waiting} waiting, {stream.backlog.pending} in hand"]
    words += [f"since {_time(stream.oldest_at_ns)}"] if stream.oldest_at_ns is not None else []
    words += [f"led by {stream.leader}"] if stream.leader else []
    words += [f"held by {', '.join(f'{name} ({count})' for name, count in stream.holders)}"] if stream.holders else []
    return "  ".join(words)


def _camera(camera: CameraReport, partitions: int) -> str:
    state = camera.state
    if state is None:
        kind = "never declared"
    else:
        kind = "live" if state.live else "recording, ended" if state.ended else "recording"
        kind += f", last frame {state.last_sequence} of {_time(state.last_captured_at_ns)}"
    words = [f"camera {camera.camera_id}  {kind}  {camera.on_their_way} on their way"]
    words += [f"in partition {camera.partition}"] if partitions > 1 else []
    oldest = camera.oldest_captured_at_ns
    return "  ".join([*words, *([f"oldest of {_time(oldest)}"] if oldest is not None else [])])


def _fields(report: BusReport) -> dict[str, Any]:
    frames = report.frames_memory
    return {
        "memory": _memory_fields(report.memory),
        "frames_memory": None if frames is None else _memory_fields(frames),
        "partitions": report.partitions,
        "streams": [_stream_fields(stream) for stream in report.streams],
        "cameras": [_camera_fields(camera) for camera in report.cameras],
        "dead_letters": report.dead_letters,
    }


def _memory_fields(memory: BusMemory) -> dict[str, Any]:
    return {"used_bytes": memory.used_bytes, "limit_bytes": memory.limit_bytes or None}


def _stream_fields(stream: StreamReport) -> dict[str, Any]:
    return {
        "stream": stream.stream.name,
        "partition": stream.partition,
        "waiting": stream.backlog.waiting,
        "in_hand": stream.backlog.pending,
        "oldest": None if stream.oldest_at_ns is None else iso(stream.oldest_at_ns),
        "leader": stream.leader or None,
        "holders": dict(stream.holders),
    }


def _camera_fields(camera: CameraReport) -> dict[str, Any]:
    state, oldest = camera.state, camera.oldest_captured_at_ns
    return {
        "camera": camera.camera_id,
        "partition": camera.partition,
        "live": None if state is None else state.live,
        "ended": None if state is None else state.ended,
        "last_sequence": None if state is None else state.last_sequence,
        "last_frame": None if state is None else iso(state.last_captured_at_ns),
        "on_their_way": camera.on_their_way,
        "oldest": None if oldest is None else iso(oldest),
    }


def _time(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="seconds")
