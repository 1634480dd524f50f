"""Photographs from files: upright, whole, in OpenCV's colour order."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from roadside.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises SourceError where there is none, or none that may be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as picture:
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                rgb = np.asarray(upright.convert("RGB"))
    except UnidentifiedImageError:
        raise SourceError(f"{name}: is not a picture that can be read (JPEG, PNG, WebP, BMP, TIFF or GIF)") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise SourceError(f"{name}: has too many pixels; scale it below 89 megapixels") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        fault = "is cut short" if "truncated" in str(error).lower() else "is damaged"
        raise SourceError(f"{name}: {fault}; copy or take it again") from None
    return np.ascontiguousarray(rgb[:, :, ::-1])


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
