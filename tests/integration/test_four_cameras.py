"""One capture process with four cameras, each decoded by a process of its own."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from roadside.adapters.bus.memory import MemoryBroker, MemoryBus
from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.capture.worker import CameraCondition, CameraWorker, CaptureOptions
from roadside.core.frames import CameraId
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.publisher import BoundedPublisher
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts
from roadside.ports.bus import FRAMES, Room
from tests.cameras import mjpeg_server
from tests.unit.test_gather import Counts
from tests.waiting import wait_for

NAMES = [CameraId(f"lane-{number}") for number in range(4)]
SETTINGS = CameraSettings(timeout_s=30, backoff_s=0.05, first_attempts=0)


def decoders() -> list[int]:
    """Processes that decode for this one."""
    files = [task / "children" for task in Path("/proc/self/task").iterdir()]
    pids = {int(pid) for file in files if file.exists() for pid in file.read_text(encoding="ascii").split()}
    return [pid for pid in pids if b"decoding_child" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_four_cameras_are_served_and_one_that_is_lost_takes_no_other_with_it() -> None:
    stopping, health, meter = threading.Event(), Health(("bus",), time.monotonic), Counts()
    bus = MemoryBus(MemoryBroker(SystemClock()), "test")
    seen: Counter[str] = Counter()

    def worker(camera_id: CameraId, address: str) -> CameraWorker:
        backoff = Backoff(random.Random(1))
        retry = RetryPolicy(camera_id, meter=meter, health=health, backoff=backoff, stopping=stopping, drain_s=1)
        parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)
        return CameraWorker(
            camera_id,
            lambda lost: open_source(address, camera_id, SystemClock(), SETTINGS, on_drop=lost),
            BoundedPublisher(FRAMES, parts, Room(20), camera_id),
            CaptureOptions(),
            None,
            parts,
        )

    def drain() -> Counter[str]:
        deliveries = bus.receive(FRAMES, max_messages=100, block_s=0)
        seen.update(delivery.load().camera_id for delivery in deliveries)
        bus.commit([delivery.receipt for delivery in deliveries])
        return seen

    with ExitStack() as stack:
        cameras = [stack.enter_context(mjpeg_server(10_000, pause_s=0.05)) for _ in NAMES]
        addresses = [f"{camera.address}/stream" for camera in cameras]
        workers = [worker(*each) for each in zip(NAMES, addresses, strict=True)]
        threads = [threading.Thread(target=each.run) for each in workers]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: all(drain()[name] >= 5 for name in NAMES), "frames of all four")
            assert len(decoders()) == 4
            cameras[0].shutdown()
            cameras[0].server_close()
            cameras[0].pictures = []
            seen.clear()
            wait_for(lambda: all(drain()[name] >= 20 for name in NAMES[1:]), "frames of the others")
            assert all(each.report.condition is CameraCondition.STREAMING for each in workers[1:])
        finally:
            stopping.set()
            for thread in threads:
                thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
        wait_for(lambda: not decoders(), "end of all decoding processes")
