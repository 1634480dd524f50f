from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps

from roadside.adapters.sources.pictures import decode_picture, is_picture, list_pictures, load_picture, read_bytes
from roadside.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def picture() -> Image.Image:
    """40 x 20: the left half red, the right half blue."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = (255, 0, 0)
    pixels[:, 20:] = (0, 0, 255)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str = "JPEG", orientation: int | None = None) -> bytes:
    data = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    image.save(data, kind, exif=exif)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_pictures_are_blue_green_red(kind: str) -> None:
    image = decode_picture(encoded(picture(), kind), "it")
    assert image.shape == (20, 40, 3)
    assert image.dtype == np.uint8
    assert image[10, 5, 2] > 200
    assert image[10, 5, 0] < 60
    assert image[10, 35, 0] > 200
    assert image[10, 35, 2] < 60


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_every_colour_mode_becomes_three_channels(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert decode_picture(encoded(picture().convert(mode), kind), "it").shape == (20, 40, 3)


def test_a_photo_of_a_turned_phone_is_turned_back() -> None:
    # Orientation 6: the camera was turned; the stored picture must be rotated 90 degrees clockwise.
    image = decode_picture(encoded(picture(), orientation=6), "it")
    assert image.shape == (40, 20, 3)
    assert image[5, 10, 2] > 200, "what was left is now on top"
    assert image[35, 10, 0] > 200


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"just some text", "not a picture"),
        (encoded(Image.effect_noise((200, 200), 80))[:-3000], "cut short"),
        (encoded(picture(), "PNG")[:60], "cut short|damaged"),
        (b"\xff\xd8\xff", "cut short"),
    ],
)
def test_what_is_no_whole_picture_is_named(data: bytes, fault: str) -> None:
    with pytest.raises(SourceError, match=fault) as raised:
        decode_picture(data, "shot.jpg")
    assert str(raised.value).startswith("shot.jpg: ")


def noisy(width: int = 64, height: int = 48) -> Image.Image:
    """Smooth enough that two JPEG decoders agree to a level or two."""
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)).resize((width, height))


def by_pillow(data: bytes) -> NDArray[np.uint8]:
    """The picture as Pillow decodes it and turns it upright."""
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    return np.asarray(upright)[..., ::-1]


@pytest.mark.parametrize("orientation", [None, *range(10)])
def test_a_jpeg_stands_as_pillow_sets_it_up(orientation: int | None) -> None:
    data = encoded(noisy(), orientation=orientation)
    image = decode_picture(data, "it")
    assert image.shape == by_pillow(data).shape
    assert np.abs(image.astype(int) - by_pillow(data)).max() <= 6


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_grey_and_cmyk_jpegs_have_the_colours_that_pillow_gives_them(mode: str, *, progressive: bool) -> None:
    data = io.BytesIO()
    noisy().convert(mode).save(data, "JPEG", progressive=progressive, quality=95)
    image = decode_picture(data.getvalue(), "it")
    assert image.shape == (48, 64, 3)
    assert np.abs(image.astype(int) - by_pillow(data.getvalue())).mean() < 6


def with_thumbnail(data: bytes) -> bytes:
    """A JPEG with a small JPEG of its own in its EXIF part, as cameras write them."""
    small = encoded(noisy(16, 16))
    entries = [(0x0201, 4, 1, 26 + 30), (0x0202, 4, 1, len(small))]  # where the thumbnail begins, how long it is
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    tiff = b"II*\0" + struct.pack("<IHIH", 8, 0, 14, len(entries)) + table + struct.pack("<I", 0)
    tiff = tiff.ljust(26 + 30, b"\0") + small
    exif = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def test_a_jpeg_with_a_thumbnail_is_whole_and_cut_short_it_is_refused() -> None:
    whole = with_thumbnail(encoded(Image.effect_noise((200, 200), 80)))
    assert whole.count(b"\xff\xd9") == 2
    assert decode_picture(whole, "it").shape == (200, 200, 3)
    thumbnail_end = whole.find(b"\xff\xd9") + 2
    picture_begins = whole.find(b"\xff\xda", thumbnail_end)
    for length in (*range(thumbnail_end, picture_begins, 7), *range(picture_begins, len(whole) - 2, 997)):
        with pytest.raises(SourceError, match=r"it: "):
            decode_picture(whole[:length], "it")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_refused_wherever_it_breaks_off(*, progressive: bool) -> None:
    data = io.BytesIO()
    noisy(160, 120).save(data, "JPEG", progressive=progressive, quality=95)
    whole = data.getvalue()
    for length in range(4, len(whole) - 2, 61):
        with pytest.raises(SourceError):
            decode_picture(whole[:length], "it")


def test_bytes_after_a_jpegs_end_do_no_harm() -> None:
    data = encoded(noisy())
    assert np.array_equal(decode_picture(data + b"\0" * 99, "it"), decode_picture(data, "it"))


def test_a_decompression_bomb_is_refused() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(SourceError, match="too many pixels"):
        decode_picture(bomb, "bomb.png")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_bytes(tmp_path / "none.jpg")
    with pytest.raises(SourceError, match="is a folder"):
        read_bytes(tmp_path)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(SourceError, match="is empty"):
        read_bytes(tmp_path / "empty.jpg")


def test_a_folder_gives_its_pictures_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no pictures"):
        list_pictures(tmp_path)
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / name).write_bytes(encoded(picture()))
    assert [p.name for p in list_pictures(tmp_path)] == ["a.png", "b.JPG"]


def test_a_picture_is_known_by_its_name_or_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(encoded(picture()))
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    assert is_picture(tmp_path / "upload")
    assert is_picture(tmp_path / "missing.jpeg")
    assert not is_picture(tmp_path / "clip.mp4")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_keep_their_tones(kind: str) -> None:
    grey = np.linspace(0, 255, 40).astype(np.uint16) * 257
    image = decode_picture(encoded(Image.fromarray(np.tile(grey, (20, 1))), kind), "it")
    assert np.abs(image[10, :, 0].astype(int) - np.linspace(0, 255, 40)).max() <= 1


class Named:
    """A path whose name is bytes, as `os.DirEntry` gives it for a folder that is named so."""

    def __init__(self, path: Path) -> None:
        self._path = os.fsencode(path)

    def __fspath__(self) -> bytes:
        return self._path


def test_a_path_of_bytes_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(picture(), "PNG"))
    assert load_picture(Named(tmp_path / "a.png")).shape == (20, 40, 3)  # type: ignore[arg-type]


def test_what_holds_no_pixel_or_names_no_file_is_one_line() -> None:
    with pytest.raises(SourceError, match="no pixels"):
        load_picture(Image.new("RGB", (0, 0)))
    with pytest.raises(SourceError, match="no such file"):
        load_picture("a\0b.jpg")


def test_a_pipe_that_nobody_writes_to_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(SourceError, match="is no file but a pipe"):
        read_bytes(tmp_path / "photo.jpg")
    os.mkfifo(tmp_path / "other")
    assert not is_picture(tmp_path / "other")
