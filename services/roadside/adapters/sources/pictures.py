"""Photographs from files: upright, whole, in OpenCV's colour order."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from roadside.adapters.sources.access import RECORDED
from roadside.core.picture_header import (
    PHOTOGRAPH_LIMITS,
    PictureFault,
    PictureFormat,
    PictureHeader,
    check_limits,
    format_of,
)
from roadside.errors import SourceError
from roadside.wire.decoding import decode, pillow_faults, to_bgr, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from roadside.core.picture_header import PictureLimits

PictureLike: TypeAlias = "NDArray[Any] | str | os.PathLike[str] | bytes | Image.Image"
"""A picture as a program may hold it; an array is (H, W, 3) uint8, blue green red."""
ORIENTATION_TAG = 0x0112
_FIRST_BYTES = 16
"""Enough to know a format by."""
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})


def load_picture(picture: PictureLike) -> NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8, blue green red; files and pictures of Pillow are turned as their EXIF says.

    Raises SourceError for anything that is not one whole picture.
    """
    match picture:
        case str() | os.PathLike():
            name = os.fsdecode(picture)
            return decode_picture(read_bytes(Path(name)), name)
        case bytes():
            return decode_picture(picture, "picture")
        case np.ndarray():
            return _checked_array(picture)
        case Image.Image():
            with _named("picture"):
                return _upright(picture)
    given = "None (cv2.imread gives it for a file that it cannot read)" if picture is None else type(picture).__name__
    raise SourceError(f"picture: give a path, bytes, a numpy array or a picture of Pillow, not {given}")


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises SourceError where there is none, or none that may be read."""
    most = PHOTOGRAPH_LIMITS.size_bytes
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # a pipe that nobody writes to never ends
            raise SourceError(f"{path}: is no file but a pipe or a device; save the picture as a file first")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (FileNotFoundError, ValueError):  # ValueError: a name that no file can have
        raise SourceError(f"{path}: no such file; check the name") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder; name its pictures, or use `roadside run` on it") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if not data:
        raise SourceError(f"{path}: is empty (0 bytes); copy it again")
    if len(data) > most:
        raise SourceError(f"{path}: is larger than {most >> 20} MiB; scale it or save it as JPEG")
    return data


def decode_picture(
    data: bytes, name: str, by: Callable[[bytes, PictureLimits], NDArray[np.uint8]] = decode
) -> NDArray[np.uint8]:
    """An encoded photograph as (H, W, 3) uint8, blue green red, turned as its EXIF orientation says.

    `by` does it as `roadside.wire.decoding.decode` does.

    Raises SourceError, naming `name`, for anything that is not one whole picture.
    """
    with _named(name):
        return by(data, PHOTOGRAPH_LIMITS)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """What is wrong with a picture as one line that names it."""
    try:
        yield
    except PictureFault as fault:
        if Path(name).suffix.lower() in RECORDED:
            raise SourceError(f"{name}: is a film, no picture; `roadside run` reads it") from None
        raise SourceError(f"{name}: {fault}") from None


def _upright(picture: Image.Image) -> NDArray[np.uint8]:
    """A picture of Pillow as (H, W, 3) uint8, blue green red, turned as its EXIF orientation says."""
    if picture.format is not None and picture.format not in set(
        PictureFormat
    ):  # opened, not loaded: its decoder has not run yet
        raise PictureFault(f"is {picture.format}; give JPEG, PNG, WebP, BMP, TIFF or GIF")
    if not all(picture.size):
        raise PictureFault("has no pixels; give one that has")
    kind = PictureFormat(picture.format) if picture.format is not None else PictureFormat.PNG
    check_limits(PictureHeader(kind, *picture.size), 0, PHOTOGRAPH_LIMITS)
    with pillow_faults():
        orientation = picture.getexif().get(ORIENTATION_TAG, 1) if kind is not PictureFormat.TIFF else 1
        picture.load()  # which turns a TIFF by itself
        return turned(to_bgr(picture), orientation)


def _checked_array(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        shape = ", ".join(map(str, image.shape))
        raise SourceError(f"picture: an array is (H, W, 3) uint8, blue green red, not ({shape}) {image.dtype}")
    return np.ascontiguousarray(image)


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """The folder's pictures in the order of their names. Raises SourceError where it holds none."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
    if not found:
        kinds = ", ".join(sorted(PICTURE_SUFFIXES))
        raise SourceError(f"{folder}: no pictures in this folder ({kinds}); name another")
    return tuple(found)


def is_picture(path: Path) -> bool:
    """Whether a file is to be read as a picture: by its name, or else by how it begins."""
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return format_of(file.read(_FIRST_BYTES)) is not None
    except (OSError, ValueError):
        return False
