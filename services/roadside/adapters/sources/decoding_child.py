"""The process that decodes one clip or camera, started as `decoding_child FRAMES`: see `decoding_process`.

FRAMES is a file in memory with a place for each of SLOTS pictures. On the standard input comes one line of JSON, what
to open, and then a byte for each place that is free again; on the standard output go MESSAGEs, some with a text behind.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import signal
import struct
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.adapters.sources.cameras import check_pixels
from roadside.adapters.sources.opening import Opening, opened
from roadside.core.picture_header import CAMERA_LIMITS
from roadside.errors import SourceError
from roadside.kit.child_process import limit_memory
from roadside.kit.memory import MemoryKeeper

if TYPE_CHECKING:
    from roadside.adapters.sources.opening import OpenSource

SLOTS = 3
"""Pictures that are decoded ahead."""
SLOT_BYTES = CAMERA_LIMITS.pixels * 3
"""Of addresses; what no picture needs is never there."""
MESSAGE = struct.Struct("<cIIIdq")
"""Its kind; of a frame height, width, place, position in milliseconds and when it was taken, of a text its bytes."""
OPENED, FRAME, END, FAULT, NOTE = b"O", b"F", b"E", b"X", b"N"
"""A NOTE is one line for whoever watches; an empty one says that the source is there and has nothing new."""
MEMORY_BYTES = 1 << 30
"""Beyond what the process has when it begins: H.264 of 16 megapixels with 16 reference frames takes 500 MB."""


def main() -> None:
    """Decode until the source or the standard input ends."""
    frames = int(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's whole process group; whoever watches ends in order
    opening = Opening.parse(sys.stdin.buffer.readline())
    free = threading.Semaphore(SLOTS)
    threading.Thread(target=_listen, args=(free,), daemon=True).start()
    cv2.setNumThreads(1)
    cv2.setLogLevel(0)
    limit_memory(MEMORY_BYTES)
    try:
        capture = opened(opening, lambda said: _tell(NOTE, said))
        _tell(OPENED, json.dumps(asdict(capture.facts)))
        _decode(capture, opening, frames, free)
    except SourceError as error:
        _tell(FAULT, str(error))
    sys.stdout.flush()
    os._exit(0)  # without the decoders' own ends, which have crashed on what crashed nothing before


def _decode(capture: OpenSource, opening: Opening, frames: int, free: threading.Semaphore) -> None:
    """Hand over every picture. Raises SourceError for one that is larger than any camera's."""
    os.ftruncate(frames, SLOTS * SLOT_BYTES)
    places = np.frombuffer(mmap.mmap(frames, SLOTS * SLOT_BYTES), np.uint8).reshape(SLOTS, SLOT_BYTES)
    at, shape, memory = 0, (1, 1, 3), MemoryKeeper()
    while free.acquire():
        memory.look()
        into = places[at, : math.prod(shape)].reshape(shape)
        image = capture.read(into)
        if image is None:
            break
        height, width, depth = image.shape
        check_pixels(width, height, opening.name)
        if image is not into:  # another size, or a decoder that has arrays of its own
            shape = (height, width, depth)
            np.copyto(places[at, : image.size].reshape(shape), image)
        _send(MESSAGE.pack(FRAME, height, width, at, capture.position_ms, capture.taken_at_ns))
        at = (at + 1) % SLOTS
    _send(MESSAGE.pack(END, 0, 0, 0, 0.0, 0))


def _listen(free: threading.Semaphore) -> None:
    """Note each place that is free again; end with whoever tells."""
    while os.read(sys.stdin.fileno(), 1):
        free.release()
    os._exit(0)


def _tell(kind: bytes, text: str) -> None:
    said = text.encode()
    _send(MESSAGE.pack(kind, len(said), 0, 0, 0.0, 0) + said)


def _send(message: bytes) -> None:
    sys.stdout.buffer.write(message)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
