from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from roadside.adapters.sources.cameras import MOST_BROKEN, PipeMjpeg
from roadside.adapters.sources.pictures import decode_picture, is_picture, load_picture
from roadside.core.picture_header import (
    PHOTOGRAPH_LIMITS,
    PictureFault,
    PictureFormat,
    PictureLimits,
    lean_jpeg,
    lean_png,
    read_header,
)
from roadside.errors import SourceError
from roadside.wire.decoding import decode, decode_jpeg
from tests import pictures_hostile as hostile

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = {"JPEG": {}, "PNG": {}, "WEBP": {}, "BMP": {}, "TIFF": {}, "GIF": {}, "MPO": {"save_all": True}}
LIMITS = PictureLimits(1 << 20, 3000, 2400)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_header_tells_format_and_size(kind: str) -> None:
    options = {**FORMATS[kind], **({"append_images": [hostile.SMALL]} if kind == "MPO" else {})}
    header = read_header(hostile.saved(kind, **options))
    assert (header.format.value, header.width, header.height) == (kind, 60, 40)
    assert header.buffered is (kind not in ("JPEG", "MPO"))


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0II*\0"}])
def test_every_kind_of_webp_tells_its_size(options: dict[str, object]) -> None:
    header = read_header(hostile.saved("WEBP", **options))
    assert (header.width, header.height) == (60, 40)


TIFFS = [(c, m) for c in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits") for m in ("1", "P", "RGBA")]
TIFFS += [(c, m) for c in ("raw", "tiff_lzw", "jpeg") for m in ("RGB", "L", "CMYK")]


@pytest.mark.parametrize(("compression", "mode"), TIFFS)
def test_tiffs_are_read_as_pillow_reads_them(compression: str, mode: str) -> None:
    data = hostile.saved("TIFF", hostile.SMALL.convert(mode), compression=compression)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[..., ::-1]
    np.testing.assert_array_equal(decode_picture(data, "it"), expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_is_turned_as_its_orientation_says(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    corner = Image.new("RGB", (60, 40))
    corner.paste((255, 255, 255), (0, 0, 16, 16))
    image = decode_picture(hostile.saved(kind, corner, exif=exif, **options), "it")
    assert image.shape == ((60, 40, 3) if orientation > 4 else (40, 60, 3))
    right, low = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    assert image[-6 if low else 5, -6 if right else 5].min() > 200


@pytest.mark.parametrize("name", hostile.TOO_LARGE)
def test_what_is_too_large_is_refused_before_anything_is_allocated(name: str) -> None:
    data = hostile.TOO_LARGE[name]
    tracemalloc.start()
    with pytest.raises(SourceError, match=r"shot: .*(megapixels|a side|scans)"):
        decode_picture(data, "shot")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("name", hostile.NOT_READ)
def test_other_formats_are_not_read_whatever_decoders_there_are(name: str) -> None:
    with pytest.raises(SourceError, match="is not a picture that can be read"):
        decode_picture(hostile.NOT_READ[name], "shot.jpg")


@pytest.mark.parametrize("name", hostile.BROKEN)
def test_what_is_broken_is_one_line(name: str) -> None:
    with pytest.raises(SourceError, match=r"^shot: .*; (copy|save)"):
        decode_picture(hostile.BROKEN[name], "shot")


def test_a_picture_at_its_limit_is_read_and_one_over_it_is_not() -> None:
    decode(hostile.saved("JPEG"), PictureLimits(1 << 20, 2400, 0))
    decode(hostile.saved("PNG"), PictureLimits(1 << 20, 0, 2400))
    for data, limits in (
        (hostile.saved("JPEG"), PictureLimits(1 << 20, 2399, 9999)),
        (hostile.saved("JPEG", progressive=True), PictureLimits(1 << 20, 9999, 2399)),
        (hostile.saved("WEBP"), PictureLimits(1 << 20, 9999, 4790)),
        (hostile.saved("PNG"), PictureLimits(50, 9999, 9999)),
    ):
        with pytest.raises(PictureFault, match=r"at most|megapixels"):
            decode(data, limits)


@pytest.mark.parametrize("size", [(60, 40), (61, 41), (4000, 4000), (0, 0)])
def test_an_animated_png_gives_its_first_picture_whatever_the_second_says(size: tuple[int, int]) -> None:
    assert decode_picture(hostile.animated_png(*size), "it").shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_several_pictures_the_first_is_read(kind: str) -> None:
    second = Image.new("RGB", (60, 40), (255, 255, 255))
    options = {"lossless": True} if kind == "WEBP" else {}
    image = decode_picture(hostile.saved(kind, save_all=True, append_images=[second], **options), "it")
    assert image.shape == (40, 60, 3)
    assert image[20, 5].max() < 60


def test_what_stands_between_a_jpegs_segments_is_passed_over() -> None:
    whole = hostile.saved("JPEG")
    at = whole.index(b"\xff\xdb")
    assert read_header(whole[:at] + b"\0\0\xff\xff" + whole[at:]).width == 60


def test_a_decoder_is_given_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "the secret text"
    for make, kind in ((lean_jpeg, "JPEG"), (lean_png, "PNG")):
        data = hostile.saved(kind, exif=exif)
        assert b"the secret text" in data
        assert b"the secret text" not in make(data)
        with Image.open(io.BytesIO(make(data))) as opened:
            assert opened.size == (60, 40)


def test_no_program_is_started_for_postscript(tmp_path: Path) -> None:
    """Pillow hands PostScript to `gs`, where it is installed; the file's name says nothing of its content."""
    ghostscript = tmp_path / "gs"
    ghostscript.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    ghostscript.chmod(ghostscript.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "shot.jpg").write_bytes(hostile.POSTSCRIPT)
    read = "from roadside.adapters.sources.pictures import load_picture; import sys; load_picture(sys.argv[1])"
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run(
        [sys.executable, "-c", read, str(tmp_path / "shot.jpg")], env=environment, capture_output=True, check=False
    )
    assert b"is not a picture that can be read" in ended.stderr
    assert not (tmp_path / "ran").exists()
    with Image.open(tmp_path / "shot.jpg") as opened, pytest.raises(SourceError, match="EPS"):
        load_picture(opened)


def test_a_file_is_a_picture_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(hostile.POSTSCRIPT)
    assert not is_picture(tmp_path / "upload")
    (tmp_path / "upload").write_bytes(hostile.saved("WEBP"))
    assert is_picture(tmp_path / "upload")


@pytest.mark.parametrize("kind", FORMATS)
@given(st.data())
def test_damage_anywhere_is_a_fault_or_a_picture(kind: str, data: st.DataObject) -> None:
    whole = bytearray(hostile.saved(kind))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = decode(bytes(whole[: data.draw(st.integers(1, len(whole)))]), LIMITS)
    except PictureFault:
        return
    assert image.ndim == 3
    assert image.shape[0] * image.shape[1] <= 3000


def test_a_camera_that_sends_nothing_usable_is_told_of() -> None:
    bad = hostile.claiming_jpeg(32_000, 32_000)
    send = f"import sys; [sys.stdout.buffer.write(bytes.fromhex({bad.hex()!r})) for _ in range({MOST_BROKEN})]"
    camera = PipeMjpeg([sys.executable, "-c", send], "rpicam", 10)
    try:
        with pytest.raises(SourceError, match="too many pixels, 32000 x 32000"):
            camera.read()
    finally:
        camera.close()


def test_a_cameras_frame_must_be_a_jpeg() -> None:
    whole = hostile.saved("JPEG")
    assert decode_jpeg(whole, PHOTOGRAPH_LIMITS).shape == (40, 60, 3)
    with pytest.raises(PictureFault, match="damaged"):
        decode_jpeg(whole[:-40], PHOTOGRAPH_LIMITS)
    for name in ("PNG", "TIFF"):
        with pytest.raises(PictureFault, match="no JPEG"):
            decode_jpeg(hostile.saved(name), PHOTOGRAPH_LIMITS)
    assert read_header(whole).format is PictureFormat.JPEG
