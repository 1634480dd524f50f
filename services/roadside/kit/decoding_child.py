"""The process that decodes pictures of a service, started as `decoding_child IN OUT MEMORY`: see `decoding_process`.

IN and OUT are files in memory: the picture's bytes, and its pixels. On the standard input comes a REQUEST a picture, on
the standard output goes an ANSWER, and where it is a fault its text. MEMORY is what it may take, in bytes beyond what
it has when it begins.
"""

from __future__ import annotations

import os
import signal
import struct
import sys

import cv2

from roadside.core.picture_header import PictureFault, PictureLimits
from roadside.kit.child_process import limit_memory, write_all
from roadside.kit.memory import MemoryKeeper
from roadside.wire.decoding import decode

REQUEST = struct.Struct("<4Q")
"""Bytes of the picture, and what it may have: bytes, pixels, pixels where it is buffered."""
ANSWER = struct.Struct("<3I")
"""Height and width of the picture, or zeros and the bytes of the fault's text that follows."""
READY = b"R"


def main() -> None:
    """Decode until the standard input ends, as it does when the service has ended."""
    taken, given = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's whole process group; the service ends in order
    cv2.setNumThreads(1)
    limit_memory(int(sys.argv[3]))
    requests, answers, memory = sys.stdin.buffer, sys.stdout.buffer, MemoryKeeper()
    answers.write(READY)
    answers.flush()
    while len(request := requests.read(REQUEST.size)) == REQUEST.size:
        memory.look()
        size_bytes, *limits = REQUEST.unpack(request)
        try:
            pixels = decode(os.pread(taken, size_bytes, 0), PictureLimits(*limits))
        except PictureFault as fault:
            text = str(fault).encode()
            answers.write(ANSWER.pack(0, 0, len(text)) + text)
        else:
            write_all(given, pixels.data.cast("B"))
            answers.write(ANSWER.pack(pixels.shape[0], pixels.shape[1], 0))
            del pixels
        answers.flush()


if __name__ == "__main__":
    main()
