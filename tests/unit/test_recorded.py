"""When recordings were taken: what containers, EXIF and people say, and when none of them is believed."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.adapters.sources.containers import UNKNOWN_ZONE_NS, clip_time, container_time
from roadside.adapters.sources.dating import Dating
from roadside.adapters.sources.exif import photograph_time
from roadside.adapters.sources.places import LONGEST_S, Places, believable_rate
from roadside.adapters.sources.video import open_source
from roadside.assembly.timing import dating_of
from roadside.core.frames import CameraId
from roadside.core.moments import Stamp, TimeDoubt
from roadside.errors import SettingsError
from tests.clocks import A_DAY_IN_2027_NS, HandClock

if TYPE_CHECKING:
    from pathlib import Path

GATE = CameraId("gate")
JUNE_S = round(datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC).timestamp())
JUNE_NS = JUNE_S * 10**9
FROM_1904_S = 2_082_844_800
FROM_2001_S = 978_307_200


def box(kind: bytes, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def mvhd(seconds: int, version: int = 0) -> bytes:
    shape = ">BxxxIIII" if version == 0 else ">BxxxQQIQ"
    return box(b"mvhd", struct.pack(shape, version, seconds, seconds, 1000, 5000), bytes(80))


def mp4(*inside: bytes, before: bytes = b"") -> bytes:
    return box(b"ftyp", b"isom", bytes(4), b"isom") + before + box(b"moov", *inside)


def element(name: int, data: bytes) -> bytes:
    head = name.to_bytes((name.bit_length() + 7) // 8, "big")
    return head + (len(data) | 1 << 56).to_bytes(8, "big") + data


def matroska(date: bytes, before: bytes = b"") -> bytes:
    info = element(0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40") + element(0x4461, date))
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(0x18538067, before + info)


def told(tmp_path: Path, data: bytes) -> Stamp | None:
    path = tmp_path / "clip"
    path.write_bytes(data)
    return clip_time(path)


def test_mp4_tells_when_it_was_made(tmp_path: Path) -> None:
    june = JUNE_S + FROM_1904_S
    for data in (
        mp4(mvhd(june)),
        mp4(mvhd(june, version=1)),
        mp4(mvhd(june), before=box(b"mdat", bytes(5000))),
        mp4(mvhd(june), before=struct.pack(">I4sQ", 1, b"mdat", 5016) + bytes(5000)),
        box(b"wide") + box(b"mdat", bytes(99)) + box(b"moov", mvhd(june)),
    ):
        assert told(tmp_path, data) == Stamp(JUNE_NS, UNKNOWN_ZONE_NS)
    assert told(tmp_path, mp4(mvhd(0))) is None
    assert told(tmp_path, mp4(box(b"trak", bytes(40)))) is None


@pytest.mark.parametrize("zone", ["+0200", "+02:00", "Z"])
def test_a_telephone_tells_its_zone(tmp_path: Path, zone: str) -> None:
    hour = 12 if zone == "Z" else 14
    keys = box(b"keys", bytes(4), struct.pack(">I", 1), box(b"mdta", b"com.apple.quicktime.creationdate"))
    value = box(b"ilst", box(b"\0\0\0\1", box(b"data", bytes(8), f"2026-06-01T{hour}:00:00{zone}".encode())))
    assert told(tmp_path, mp4(mvhd(1), box(b"meta", keys, value))) == Stamp(JUNE_NS)


def test_matroska_tells_when_it_was_made(tmp_path: Path) -> None:
    date = ((JUNE_S - FROM_2001_S) * 10**9).to_bytes(8, "big", signed=True)
    void = element(0xEC, bytes(300))
    for data in (matroska(date), matroska(date, before=void)):
        assert told(tmp_path, data) == Stamp(JUNE_NS, UNKNOWN_ZONE_NS)
    assert told(tmp_path, matroska(bytes(8))) is None
    assert told(tmp_path, matroska(date, before=element(0x1F43B675, b"a cluster"))) is None


@given(st.binary(max_size=300), st.sampled_from([b"", mp4(mvhd(77)), matroska(b"\1" * 8), b"\x1aE\xdf\xa3"]), st.data())
def test_no_file_whatever_it_holds_does_harm(noise: bytes, good: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, max(0, len(good))))
    spoilt = good[:at] + noise + good[at + data.draw(st.integers(0, 8)) :]
    found = container_time(io.BytesIO(spoilt))
    assert found is None or isinstance(found.at_ns, int)
    photograph_time(spoilt)


def exif(*entries: tuple[int, str], gps: bool = False, order: str = "<") -> bytes:
    """A JPEG whose EXIF has texts in its Exif directory and, where wanted, the time of GPS."""
    texts = b""
    directory = struct.pack(order + "H", len(entries))
    begin = 8 + 2 + 24 + 4
    after = begin + 2 + 12 * len(entries) + 4
    for tag, text in entries:
        data = text.encode() + b"\0"
        directory += struct.pack(order + "HHII", tag, 2, len(data), after + len(texts))
        texts += data
    directory += bytes(4) + texts
    place = begin + len(directory)
    rationals = struct.pack(order + "6I", 12, 1, 0, 1, 0, 1)
    satellite = struct.pack(order + "H", 2) + struct.pack(order + "HHII", 0x7, 5, 3, place + 30)
    satellite += struct.pack(order + "HHII", 0x1D, 2, 11, place + 54) + bytes(4) + rationals + b"2026:06:01\0"
    main = struct.pack(order + "H", 2) + struct.pack(order + "HHII", 0x8769, 4, 1, begin)
    main += struct.pack(order + "HHII", 0x8825 if gps else 0x100, 4, 1, place) + bytes(4)
    mark = b"II" if order == "<" else b"MM"
    tiff = mark + struct.pack(order + "HI", 42, 8) + main + directory + satellite
    segment = b"Exif\0\0" + tiff
    picture = cv2.imencode(".jpg", np.zeros((40, 60, 3), np.uint8))[1].tobytes()
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + picture[2:]


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_tells_the_zone_or_gps_the_time_or_it_may_be_any_zone(order: str) -> None:
    taken, zone = (0x9003, "2026:06:01 14:00:00"), (0x9011, "+02:00")
    local_ns = JUNE_NS + 2 * 3600 * 10**9
    assert photograph_time(exif(taken, zone, order=order)) == Stamp(JUNE_NS)
    assert photograph_time(exif(taken, order=order)) == Stamp(local_ns, UNKNOWN_ZONE_NS)
    assert photograph_time(exif(taken, gps=True, order=order)) == Stamp(JUNE_NS)
    assert photograph_time(exif(order=order)) is None
    assert photograph_time(exif((0x9003, "0000:00:00 00:00:00"), order=order)) is None
    assert photograph_time(exif((0x9003, "2026:13:41 99:00:00"), order=order)) is None
    assert photograph_time(b"\x89PNG") is None


def test_a_clip_and_a_picture_have_their_times(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(exif((0x9003, "2026:06:01 14:00:00"), (0x9011, "+02:00")))
    (tmp_path / "b.jpg").write_bytes(exif())
    first, second = open_source(str(tmp_path), GATE, HandClock()).frames()
    assert first.stamp == Stamp(JUNE_NS)
    assert second.stamp == Stamp(A_DAY_IN_2027_NS, doubt=TimeDoubt.RECORDING_UNKNOWN)
    writer = cv2.VideoWriter(str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for _ in range(3):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    path = str(tmp_path / "clip.mp4")
    unknown = [frame.stamp for frame in open_source(path, GATE, HandClock()).frames()]
    assert {stamp.doubt for stamp in unknown if stamp} == {TimeDoubt.RECORDING_UNKNOWN}
    dating = Dating(Stamp(JUNE_NS, 7))
    stamps = [frame.stamp for frame in open_source(path, GATE, HandClock(), dating=dating).frames()]
    assert stamps == [Stamp(JUNE_NS + place * 10**8, 7) for place in range(3)]
    assert [f.stamp for f in open_source(path, GATE, HandClock(), dating=Dating(as_played=True)).frames()] == [None] * 3


@pytest.mark.parametrize(
    ("at_ns", "believed"),
    [
        (JUNE_NS, True),
        (A_DAY_IN_2027_NS + 299 * 10**9, True),
        (A_DAY_IN_2027_NS + 3600 * 10**9, False),
        (0, False),
        (-FROM_1904_S * 10**9, False),
        (631_151_999 * 10**9, False),
    ],
)
def test_what_lies_ahead_or_before_1990_is_not_believed(at_ns: int, *, believed: bool) -> None:
    stamp = Dating().first(Stamp(at_ns), A_DAY_IN_2027_NS)
    assert stamp is not None
    assert (stamp == Stamp(at_ns)) is believed
    assert (stamp.doubt is TimeDoubt.RECORDING_UNKNOWN) is not believed


@pytest.mark.parametrize(
    ("text", "slack_s"),
    [
        ("2026-06-01T12:00:00Z", 1),
        ("2026-06-01T14:00+02:00", 60),
        ("2026-06-01 14:00:00", 1),
        ("1.6.2026 14:00:00", 1),
    ],
)
def test_a_time_is_given_in_any_usual_way(text: str, slack_s: int) -> None:
    assert dating_of(text, HandClock(), "Europe/Prague") == Dating(Stamp(JUNE_NS, slack_s * 10**9))


def test_a_day_or_an_hour_that_comes_twice_may_be_any_moment_of_it() -> None:
    day = dating_of("2026-06-01", HandClock(), "Europe/Prague").stamp
    assert day == Stamp(JUNE_NS - 14 * 3600 * 10**9, 24 * 3600 * 10**9)
    twice = dating_of("2026-10-25 02:30:00", HandClock(), "Europe/Prague").stamp
    assert twice is not None
    assert twice.slack_ns == 3601 * 10**9


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("2026-06-01T12:00", None, "say its zone"),
        ("yesterday", "UTC", "is no time"),
        ("1985-06-01", "UTC", "no film is so old"),
        ("2031-06-01", "UTC", "lies in the future"),
    ],
)
def test_what_is_no_time_is_refused_in_one_line(text: str, zone: str | None, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        dating_of(text, HandClock(), zone)


@given(st.floats(), st.lists(st.floats(), min_size=1, max_size=30))
def test_whatever_a_file_says_its_frames_lie_within_a_year(rate: float, said_s: list[float]) -> None:
    places = Places(believable_rate(rate))
    assert all(0 <= places.next_s(each) <= LONGEST_S for each in said_s)


def test_frames_lie_where_their_file_says_and_else_behind_the_one_before() -> None:
    places = Places(25.0)
    said_s = [0.0, 0.5, 2.0**40, float("nan"), -1.0, 3.0]
    assert [places.next_s(each) for each in said_s] == pytest.approx([0.0, 0.5, 0.54, 0.58, 0.62, 3.0])
