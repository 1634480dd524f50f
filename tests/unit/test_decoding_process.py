from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from roadside.core.events import EncodedPicture, PictureEncoding
from roadside.core.picture_header import MESSAGE_LIMITS, PictureFault
from roadside.errors import PoisonError, UnavailableError
from roadside.kit.decoding_process import CHILD, DecodingProcess
from roadside.wire.decoding import decode
from roadside.wire.pictures import decode_picture
from tests import pictures_hostile as hostile

PICTURES = {kind: hostile.saved(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")}
CRASHES = "import os, sys; sys.stdout.write('R'); sys.stdout.flush(); sys.stdin.buffer.read(32); os.abort()"
HANGS = "import sys, time; sys.stdout.write('R'); sys.stdout.flush(); time.sleep(60)"


def child_of(decoder: DecodingProcess) -> int:
    assert decoder._child is not None  # noqa: SLF001 - the process itself is the point
    return decoder._child.process.pid  # noqa: SLF001


def test_pictures_are_what_they_are_in_this_process() -> None:
    with closing(DecodingProcess()) as decoder:
        for data in PICTURES.values():
            np.testing.assert_array_equal(decoder(data, MESSAGE_LIMITS), decode(data, MESSAGE_LIMITS))
        with pytest.raises(PictureFault, match="cut short"):
            decoder(PICTURES["JPEG"][:-40], MESSAGE_LIMITS)
        large = hostile.saved("JPEG", hostile.SMALL.resize((3900, 3900)))
        assert decoder(large, MESSAGE_LIMITS).shape == (3900, 3900, 3)
        assert decoder.deaths == 0


def test_what_is_too_large_does_not_reach_the_process() -> None:
    decoder = DecodingProcess(command=("/bin/false",))
    with pytest.raises(PictureFault, match="too many pixels"):
        decoder(hostile.claiming_jpeg(32_000, 32_000), MESSAGE_LIMITS)


def test_a_killed_process_costs_nothing() -> None:
    with closing(DecodingProcess()) as decoder:
        decoder.start()
        first = child_of(decoder)
        os.kill(first, signal.SIGKILL)
        assert decoder(PICTURES["JPEG"], MESSAGE_LIMITS).shape == (40, 60, 3)
        assert child_of(decoder) != first
        assert decoder.deaths == 1


def test_a_picture_that_ends_its_process_twice_is_poison() -> None:
    with closing(DecodingProcess(command=(sys.executable, "-c", CRASHES))) as decoder:
        picture = EncodedPicture(PictureEncoding.PNG, PICTURES["PNG"])
        with pytest.raises(PoisonError, match="ended its decoder twice"):
            decode_picture(picture, decoder=decoder)
        assert decoder.deaths == 2


def test_a_picture_that_is_never_done_is_poison() -> None:
    twice = pytest.raises(PictureFault, match="ended its decoder twice")
    with closing(DecodingProcess(0.2, (sys.executable, "-c", HANGS))) as decoder, twice:
        decoder(PICTURES["PNG"], MESSAGE_LIMITS)


@pytest.mark.parametrize("command", [("/bin/false",), ("/no/such/program",)])
def test_without_a_process_the_picture_waits(command: tuple[str, ...]) -> None:
    with closing(DecodingProcess(command=command)) as decoder, pytest.raises(UnavailableError):
        decoder(PICTURES["PNG"], MESSAGE_LIMITS)


def test_memory_is_limited() -> None:
    greedy = (
        "import sys; from pathlib import Path; from roadside.kit import decoding_child as c; import numpy as np;"
        "c.decode = lambda data, limits: np.ones((40000, 40000, 3), np.uint8); c.main()"
    )
    twice = pytest.raises(PictureFault, match="ended its decoder twice")
    with closing(DecodingProcess(command=(sys.executable, "-c", greedy))) as decoder, twice:
        decoder(PICTURES["PNG"], MESSAGE_LIMITS)


def test_the_kernel_ends_it_before_its_service() -> None:
    with closing(DecodingProcess()) as decoder:
        decoder(PICTURES["PNG"], MESSAGE_LIMITS)
        assert Path(f"/proc/{child_of(decoder)}/oom_score_adj").read_text().strip() == "1000"


def test_it_ends_with_its_service() -> None:
    decoder = DecodingProcess()
    decoder.start()
    child = child_of(decoder)
    assert str(CHILD[-1]).encode() in Path(f"/proc/{child}/cmdline").read_bytes()
    decoder.close()
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(UnavailableError, match="ending"):
        decoder(PICTURES["PNG"], MESSAGE_LIMITS)


def test_threads_take_turns() -> None:
    shapes: list[tuple[int, ...]] = []
    with closing(DecodingProcess()) as decoder:

        def ask() -> None:
            shapes.extend(decoder(data, MESSAGE_LIMITS).shape for data in PICTURES.values())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert shapes == [(40, 60, 3)] * 16
