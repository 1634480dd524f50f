"""Photographs from files: upright, whole, in OpenCV's colour order."""

from __future__ import annotations

import io
import os
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PictureLike: TypeAlias = "NDArray[Any] | str | os.PathLike[str] | bytes | Image.Image"
"""A picture as a program may hold it; an array is (H, W, 3) uint8, blue green red."""
ORIENTATION_TAG = 0x0112
_ONE_AT_A_TIME = threading.Lock()
"""`warnings.catch_warnings` changes the whole process: two threads in it would leave each other's filters behind."""
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
            with _one_line("picture"):
                return _upright(picture)
    given = "None (cv2.imread gives it for a file that it cannot read)" if picture is None else type(picture).__name__
    raise SourceError(f"picture: give a path, bytes, a numpy array or a picture of Pillow, not {given}")


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises SourceError where there is none, or none that may be read."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, ValueError):  # ValueError: a name that no file can have
        raise SourceError(f"{path}: no such file; check the name") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder; name its pictures, or use `roadside run` on it") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if not data:
        raise SourceError(f"{path}: is empty (0 bytes); copy it again")
    return data


def decode_picture(data: bytes, name: str) -> NDArray[np.uint8]:
    """An encoded photograph as (H, W, 3) uint8, blue green red, turned as its EXIF orientation says.

    Raises SourceError, naming `name`, for anything that is not one whole picture.
    """
    with _one_line(name), Image.open(io.BytesIO(data)) as picture:
        if picture.format == "JPEG" and _is_whole_jpeg(data):
            quick = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # turns it upright too
            if quick is not None:
                return np.asarray(quick, np.uint8)
        return _upright(picture)


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Pillow's many faults as one line of SourceError."""
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UnidentifiedImageError:
        raise SourceError(f"{name}: is not a picture that can be read (JPEG, PNG, WebP, BMP, TIFF or GIF)") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise SourceError(f"{name}: has too many pixels; scale it below 89 megapixels") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        fault = "is cut short" if "truncated" in str(error).lower() else "is damaged"
        raise SourceError(f"{name}: {fault}; copy or take it again") from None


def _upright(picture: Image.Image) -> NDArray[np.uint8]:
    """A picture of Pillow as (H, W, 3) uint8, blue green red, turned as its EXIF orientation says."""
    if not all(picture.size):
        raise SourceError("picture: has no pixels; give one that has")
    picture.load()
    turned = picture.getexif().get(ORIENTATION_TAG, 1) != 1
    upright = ImageOps.exif_transpose(picture) if turned else picture
    if upright.mode.startswith("I;16"):  # what Pillow makes RGB of would be white above 255 of 65535
        grey = np.asarray(np.asarray(upright) >> 8, np.uint8)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    rgb = np.asarray(upright if upright.mode == "RGB" else upright.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _checked_array(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        shape = ", ".join(map(str, image.shape))
        raise SourceError(f"picture: an array is (H, W, 3) uint8, blue green red, not ({shape}) {image.dtype}")
    return np.ascontiguousarray(image)


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether the last scan has its end: what is cut short after a thumbnail's end must not pass for whole."""
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


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
        with Image.open(path):
            return True
    except (OSError, ValueError, SyntaxError):
        return False
