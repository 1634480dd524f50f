"""The one way from untrusted bytes to pixels: header, limits, then OpenCV for JPEG and Pillow for the other formats."""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from roadside.core.picture_header import (
    PictureFault,
    PictureFormat,
    check_limits,
    lean_jpeg,
    lean_png,
    read_header,
)
from roadside.core.picture_ifd import upright_tiff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from roadside.core.picture_header import PictureHeader, PictureLimits

_DECODERS: Mapping[PictureFormat, tuple[str]] = {
    PictureFormat.JPEG: (JpegImagePlugin.JpegImageFile.format,),
    PictureFormat.MPO: (JpegImagePlugin.JpegImageFile.format,),
    PictureFormat.PNG: (PngImagePlugin.PngImageFile.format,),
    PictureFormat.WEBP: (WebPImagePlugin.WebPImageFile.format,),
    PictureFormat.BMP: (BmpImagePlugin.BmpImageFile.format,),
    PictureFormat.TIFF: (TiffImagePlugin.TiffImageFile.format,),
    PictureFormat.GIF: (GifImagePlugin.GifImageFile.format,),
}
"""Pillow's, each imported above: `Image.open` would import all that it has, by and by."""
_BAND_ROWS = 256
"""Rows that are converted at a time: a whole picture would be held twice more."""
_ONE_AT_A_TIME = threading.Lock()
"""`warnings.catch_warnings` changes the whole process: two threads in it would leave each other's filters behind.
It also bounds the memory that all of them take together."""
_TURNS: Mapping[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}
"""By EXIF's orientation: whether rows and columns change places, and OpenCV's flip after it."""


def decode(data: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
    """An encoded picture as (H, W, 3) uint8 in BGR order, turned as its orientation says; of several the first.

    Raises PictureFault where it is none, is damaged, or larger than `limits`.
    """
    header = read_header(data)
    check_limits(header, len(data), limits)
    if header.format is PictureFormat.JPEG and _is_whole_jpeg(data):
        quick = _by_opencv(data, header)
        if quick is not None:
            return quick
    return _by_pillow(data, header)


def decode_jpeg(data: bytes, limits: PictureLimits) -> NDArray[np.uint8]:
    """A camera's JPEG as `decode` gives it, one that is broken off too, as far as it goes. Raises PictureFault."""
    header = read_header(data)
    if header.format not in (PictureFormat.JPEG, PictureFormat.MPO):
        raise PictureFault("is no JPEG")
    check_limits(header, len(data), limits)
    pixels = _by_opencv(data, header)
    if pixels is None:
        raise PictureFault("is damaged")
    return pixels


def to_bgr(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a loaded picture of Pillow in BGR order, (H, W, 3) uint8, as they are stored."""
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _BAND_ROWS):
        band = picture.crop((0, top, picture.width, min(top + _BAND_ROWS, picture.height)))
        if band.mode.startswith("I;16"):  # what Pillow makes RGB of would be white above 255 of 65535
            grey = np.asarray(np.asarray(band) >> 8, np.uint8)
            pixels[top : top + _BAND_ROWS] = grey[..., None]
        else:
            rgb = np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
            pixels[top : top + _BAND_ROWS] = rgb[..., ::-1]
    return pixels


def turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """`pixels` turned upright from EXIF's `orientation`, 1 to 8."""
    if orientation not in _TURNS:
        return pixels
    swapped, flip = _TURNS[orientation]
    if swapped:
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    return pixels if flip is None else np.asarray(cv2.flip(pixels, flip), np.uint8)


@contextmanager
def pillow_faults() -> Iterator[None]:
    """Pillow's many faults as one PictureFault."""
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnidentifiedImageError:
        raise PictureFault("is damaged; copy or take it again") from None
    except MemoryError:
        raise PictureFault("needs more memory than there is; scale it") from None
    except PictureFault:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError) as error:
        fault = "is cut short" if "truncated" in str(error).lower() else "is damaged"
        raise PictureFault(f"{fault}; copy or take it again") from None


def _by_opencv(data: bytes, header: PictureHeader) -> NDArray[np.uint8] | None:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # turns it upright too
    except cv2.error:
        return None
    if pixels is None or pixels.shape[0] * pixels.shape[1] != header.width * header.height:
        return None
    return np.asarray(pixels, np.uint8)


def _by_pillow(data: bytes, header: PictureHeader) -> NDArray[np.uint8]:
    with pillow_faults(), Image.open(io.BytesIO(_lean(data, header)), formats=_DECODERS[header.format]) as picture:
        if picture.size != (header.width, header.height):
            raise PictureFault("is damaged; copy or take it again")
        picture.load()
        pixels = to_bgr(picture)
    return turned(pixels, header.orientation)


def _lean(data: bytes, header: PictureHeader) -> bytes:
    """What Pillow is given: the picture without the parts that are not needed and that its parsers would read."""
    match header.format:
        case PictureFormat.JPEG | PictureFormat.MPO:
            return lean_jpeg(data)
        case PictureFormat.PNG:
            return lean_png(data)
        case PictureFormat.TIFF if header.orientation != 1:
            return upright_tiff(data)
        case _:
            return data


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether the last scan has its end: what is cut short after a thumbnail's end must not pass for whole."""
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
