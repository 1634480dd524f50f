from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.adapters.sources import mjpeg
from roadside.adapters.sources.mjpeg import JpegSplitter
from roadside.errors import SourceError

if TYPE_CHECKING:
    from types import FrameType


def jpeg(shade: int) -> bytes:
    return cv2.imencode(".jpg", np.full((24, 32, 3), shade, np.uint8))[1].tobytes()


def with_thumbnail(picture: bytes) -> bytes:
    """The picture with another whole JPEG inside an application segment, as cameras write it."""
    inside = b"Exif\0\0" + jpeg(7)
    return picture[:2] + b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside + picture[2:]


PICTURES = [jpeg(10), with_thumbnail(jpeg(90)), jpeg(200)]


@given(st.integers(1, 700))
def test_pictures_come_whole_however_the_stream_is_cut(size: int) -> None:
    stream = b"".join(PICTURES)
    splitter = JpegSplitter()
    found = [p for i in range(0, len(stream), size) for p in splitter.feed(stream[i : i + size])]
    assert found == PICTURES


def test_headers_between_pictures_are_ignored() -> None:
    between = b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99999\r\n\r\n"
    stream = b"".join(between + p for p in PICTURES) + b"\r\n--frame--"
    assert list(JpegSplitter().feed(stream)) == PICTURES


def test_a_half_picture_waits_for_its_rest() -> None:
    splitter = JpegSplitter()
    assert list(splitter.feed(PICTURES[0][:-1])) == []
    assert list(splitter.feed(PICTURES[0][-1:])) == [PICTURES[0]]


def test_a_stream_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mjpeg, "LONGEST_PICTURE_BYTES", 1000)
    splitter = JpegSplitter()
    with pytest.raises(SourceError, match="does not end"):
        list(splitter.feed(PICTURES[0][:-2] + b"\x00" * 1000))


def test_noise_before_the_first_picture_is_not_kept() -> None:
    splitter = JpegSplitter()
    for _ in range(100):
        assert list(splitter.feed(b"\x00" * 10_000)) == []
    assert list(splitter.feed(PICTURES[0])) == [PICTURES[0]]


def lines_run(splitter: JpegSplitter, chunk: bytes) -> int:
    """How many lines of Python a chunk costs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> object:
        nonlocal count
        del frame, argument
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        list(splitter.feed(chunk))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("filling", [b"\xff\xff", b"\xff\xe1\0\x02", b"\xff\xd0"])
def test_a_picture_that_does_not_end_costs_no_more_the_longer_it_is(filling: bytes) -> None:
    splitter = JpegSplitter()
    list(splitter.feed(b"\xff\xd8"))
    chunk = filling * (512 // len(filling))
    early = lines_run(splitter, chunk)
    for _ in range(50):
        list(splitter.feed(chunk))
    assert lines_run(splitter, chunk) <= 2 * early


def test_a_stream_without_a_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mjpeg, "LONGEST_PICTURE_BYTES", 1000)
    splitter = JpegSplitter()
    list(splitter.feed(bytes(900)))
    with pytest.raises(SourceError, match="holds no picture"):
        list(splitter.feed(bytes(500)))
