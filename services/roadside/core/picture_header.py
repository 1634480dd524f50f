"""What a picture's first bytes say of it: its format by its content and its size, before anything of it is decoded.

Formats are few on purpose. Each decoder that untrusted bytes can reach is one more that must never fail: of those that
Pillow and OpenCV have, some run programs (PostScript) or crash on damaged files (animated PNG in OpenCV, JPEG 2000).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from roadside.core.picture_ifd import IfdError, orientation_of, tiff_header

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SIDE_PX = 32_000
"""OpenCV's warps index pixels with 16 bits."""
MOST_JPEG_SCANS = 64
"""Encoders write about ten. Each scan passes over the whole picture: a thousand of them take minutes."""
MOST_PARTS = 4096
"""Segments or chunks before the picture's data; each costs some microseconds."""
MOST_CHUNKS = 65_536
"""Of a PNG; its encoders write one for each 8 kB or more."""
MOST_GIF_NOTES_BYTES = 1 << 20
"""Of a GIF's comments before its first picture, which Pillow below 12 joins in quadratic time."""
WEBP_SHARE = 0.5
"""Of the pixels that other buffered formats may have: libwebp holds two canvases beside the picture."""

_MORE = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The marker that ends a scan's entropy-coded data (ITU-T T.81, B.1.1.2)."""
_JPEG_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})
"""Followed by no length: a stuffed byte, TEM and the restart markers (ITU-T T.81, table B.1)."""
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_COMMON = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, with Huffman's codes: all that cameras and programs write."""
_SOI, _EOI, _SOS, _APP1, _APP2 = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2
_JPEG_NOTES = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
"""Application segments and comments, but for APP0 and APP14, which tell of colours."""
_BMP_PLAIN = frozenset({0, 3})
"""Without compression; with colour masks."""
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


class PictureFault(ValueError):  # noqa: N818 - what is wrong with a picture, which callers translate
    """Why bytes are no picture that is taken: the fault and the mend, to be put behind the picture's name."""


class PictureFormat(StrEnum):
    """The formats that are read, by the names that Pillow gives them."""

    JPEG = "JPEG"
    MPO = "MPO"
    """Several JPEGs in one file, as stereo and telephone cameras write them; the first one is read."""
    PNG = "PNG"
    WEBP = "WEBP"
    BMP = "BMP"
    TIFF = "TIFF"
    GIF = "GIF"


PILLOW_FORMATS = tuple(f.value for f in PictureFormat if f is not PictureFormat.MPO)
"""For the argument `formats` of `PIL.Image.open`, which gives an MPO where it is asked for a JPEG."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How large a picture may be."""

    size_bytes: int
    """Of the file."""
    pixels: int
    """Width times height, where the decoder holds a few rows beside the picture: JPEGs of one scan."""
    buffered_pixels: int
    """Where the decoder holds the whole picture once more, in up to 10 bytes a pixel: every other."""


PHOTOGRAPH_LIMITS = PictureLimits(64 << 20, 64_000_000, 32_000_000)
"""Of files: more than the 50 and 61 megapixels of the largest telephones and cameras; at most 512 MB of memory."""
CAMERA_LIMITS = PictureLimits(16 << 20, 16_000_000, 16_000_000)
"""Of a camera's frame: twice 4K."""
MESSAGE_LIMITS = PictureLimits(16 << 20, 16_000_000, 8_400_000)
"""Of what services are sent: twice 4K, and 4K. With the detector's own memory (200 MB) that stays below its container's
384 MiB. A raw 4K frame has 24 MiB and is refused on purpose: such cameras send JPEG."""
CROP_LIMITS = PictureLimits(16 << 20, 5_500_000, 5_500_000)
"""Of a plate's picture: what fits a message uncompressed. Readers and tracks hold many."""


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What the header of a picture says."""

    format: PictureFormat
    width: int
    height: int
    """Of the stored picture, in pixels, before it is turned."""
    orientation: int = 1
    """EXIF's, 1 to 8; 1 is upright."""
    buffered: bool = True
    """Whether its decoder holds all of it beside the picture."""


def format_of(data: bytes) -> PictureFormat | None:
    """The format of a picture by its first 16 bytes, None of anything else; an MPO is a JPEG as far as they tell."""
    for start, kind in _SIGNATURES:
        if data.startswith(start):
            return kind
    return PictureFormat.WEBP if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def read_header(data: bytes) -> PictureHeader:
    """The header of a picture. Raises PictureFault where it is none, broken off, or of a kind that is not read."""
    kind = format_of(data)
    if kind is None:
        raise PictureFault("is not a picture that can be read (JPEG, PNG, WebP, BMP, TIFF or GIF)")
    try:
        header = _READERS[kind](data)
    except (struct.error, IndexError):
        raise PictureFault("is cut short; copy or take it again") from None
    except IfdError:
        raise PictureFault("is damaged; copy or take it again") from None
    if header.width < 1 or header.height < 1:
        raise PictureFault("has no pixels; give one that has")
    return header


def check_limits(header: PictureHeader, size_bytes: int, limits: PictureLimits) -> None:
    """Raises PictureFault where a picture of `size_bytes` with this header is larger than `limits`."""
    if size_bytes > limits.size_bytes:
        raise PictureFault(f"has {size_bytes} bytes; scale it, at most {limits.size_bytes} bytes are taken")
    most = limits.buffered_pixels if header.buffered else limits.pixels
    if header.format is PictureFormat.WEBP:
        most = round(most * WEBP_SHARE)
    width, height = header.width, header.height
    if width * height > most:
        raise PictureFault(f"has too many pixels, {width} x {height}; scale it below {most / 1e6:g} megapixels")
    if max(width, height) > MOST_SIDE_PX:
        raise PictureFault(f"has {width} x {height} pixels; cut it to at most {MOST_SIDE_PX} a side")


def lean_jpeg(data: bytes) -> bytes:
    """A JPEG without what its decoding does not need: comments, metadata and thumbnails, which decoders parse too.

    `data` has a header that `read_header` takes.
    """
    kept = [data[:2]]
    for marker, at, end in _jpeg_segments(data):
        if marker not in _JPEG_NOTES:
            kept.append(data[at:] if marker == _SOS else data[at:end])
    return b"".join(kept)


def lean_png(data: bytes) -> bytes:
    """A PNG's still picture: without animation, texts and profiles. `data` has a header that `read_header` takes."""
    chunks = [data[start:end] for name, start, end in _png_chunks(data) if name in _PNG_NEEDED]
    return b"".join((data[:8], *chunks))


_PNG_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})


def _jpeg(data: bytes) -> PictureHeader:
    kind, orientation = PictureFormat.JPEG, 1
    frame: tuple[int, int, int, int] | None = None
    for marker, at, end in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            frame = _jpeg_frame(data, at, marker, frame)
        elif marker == _APP1 and orientation == 1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = orientation_of(data[at + 10 : end])
        elif marker == _APP2 and data[at + 4 : at + 8] == b"MPF\0":
            kind = PictureFormat.MPO
        elif marker == _SOS and frame is not None:
            progressive, width, height, components = frame
            buffered = progressive == 0xC2 or data[at + 4] < components
            if buffered:
                _check_scans(data, at)
            return PictureHeader(kind, width, height, orientation, buffered)
    raise PictureFault("is a JPEG that is cut short or damaged; copy or take it again")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to that which begins the first scan."""
    at = 2
    for _ in range(MOST_PARTS):
        at = data.find(b"\xff", at)  # libjpeg, too, passes over what stands between segments
        if at < 0:
            return
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (_SOI, _EOI) or length < 2:
            raise PictureFault("is damaged; copy or take it again")
        yield marker, at, at + 2 + length
        if marker == _SOS:
            return
        at += 2 + length


def _jpeg_frame(data: bytes, at: int, marker: int, before: object) -> tuple[int, int, int, int]:
    precision, height, width, components = struct.unpack_from(">BHHB", data, at + 4)
    if before is not None:
        raise PictureFault("is damaged; copy or take it again")
    if marker not in _JPEG_COMMON or precision != 8 or components not in (1, 3, 4):
        raise PictureFault("is a JPEG of a rare kind; save it anew, as a usual one")
    return marker, width, height, components


def _check_scans(data: bytes, at: int) -> None:
    """Walk from the first scan at `at` over all others."""
    scans = 1
    for _ in range(MOST_PARTS):
        found = _MORE.search(data, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big"))
        if found is None or data[found.start() + 1] == _EOI:
            return
        at = found.start()
        scans += data[at + 1] == _SOS
        if scans > MOST_JPEG_SCANS:
            break
    raise PictureFault("is a JPEG of too many scans; save it anew, as a usual one")


def _png(data: bytes) -> PictureHeader:
    if data[8:16] != b"\0\0\0\x0dIHDR":
        raise PictureFault("is damaged; copy or take it again")
    width, height = struct.unpack_from(">II", data, 16)
    orientation = 1
    for name, start, end in _png_chunks(data):
        if orientation == 1 and name == b"eXIf":
            orientation = orientation_of(data[start + 8 : end - 4])
        elif orientation == 1 and name == b"iTXt":
            orientation = _xmp_orientation(data[start + 8 : end - 4])
    return PictureHeader(PictureFormat.PNG, width, height, orientation)


def _png_chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Name, start and end of each chunk; one that is broken off ends at the data's end."""
    at, chunks = 8, []
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = min(len(data), at + 12 + length)
        chunks.append((name, at, end))
        if len(chunks) > MOST_CHUNKS:
            raise PictureFault("is a PNG of too many parts; save it anew")
        at = end
        if name == b"IEND":
            break
    return chunks


def _webp(data: bytes) -> PictureHeader:
    width, height = _webp_size(data)
    orientation, at = 1, 12
    for _ in range(MOST_PARTS):
        if at + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, at)
        content = data[at + 8 : at + 8 + length] if name in (b"EXIF", b"XMP ") else b""
        if orientation == 1 and name == b"EXIF":
            orientation = orientation_of(content.removeprefix(b"Exif\0\0"))
        elif orientation == 1:
            orientation = _xmp_orientation(content)
        at += 8 + length + length % 2
    return PictureHeader(PictureFormat.WEBP, width, height, orientation)


def _webp_size(data: bytes) -> tuple[int, int]:
    """See the container's and the bitstreams' specifications, RFC 9649."""
    name = data[12:16]
    if name == b"VP8X":
        sides = struct.unpack_from("<HBHB", data, 24)
        return sides[0] + (sides[1] << 16) + 1, sides[2] + (sides[3] << 16) + 1
    if name == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise PictureFault("is damaged; copy or take it again")


def _bmp(data: bytes) -> PictureHeader:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
        return PictureHeader(PictureFormat.BMP, width, height)
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression not in _BMP_PLAIN:
        raise PictureFault("is a compressed BMP, which is not read; save it as PNG")
    return PictureHeader(PictureFormat.BMP, width, abs(height))


def _gif(data: bytes) -> PictureHeader:
    """Of the screen and the first picture on it, which may reach beyond it."""
    width, height, packed = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
    start = at
    while data[at] != 0x2C:
        if data[at] != 0x21 or at - start > MOST_GIF_NOTES_BYTES:
            raise PictureFault("is damaged; copy or take it again")
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    left, top, wide, high = struct.unpack_from("<HHHH", data, at + 1)
    return PictureHeader(PictureFormat.GIF, max(width, left + wide), max(height, top + high))


def _tiff(data: bytes) -> PictureHeader:
    width, height, orientation = tiff_header(data)
    return PictureHeader(PictureFormat.TIFF, width, height, orientation)


def _xmp_orientation(text: bytes) -> int:
    found = _XMP_ORIENTATION.search(text)
    return int(found[1]) if found else 1


_SIGNATURES = (
    (b"\xff\xd8\xff", PictureFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", PictureFormat.PNG),
    (b"II*\0", PictureFormat.TIFF),
    (b"MM\0*", PictureFormat.TIFF),
    (b"GIF87a", PictureFormat.GIF),
    (b"GIF89a", PictureFormat.GIF),
    (b"BM", PictureFormat.BMP),
)
_READERS = {
    PictureFormat.JPEG: _jpeg,
    PictureFormat.PNG: _png,
    PictureFormat.WEBP: _webp,
    PictureFormat.BMP: _bmp,
    PictureFormat.TIFF: _tiff,
    PictureFormat.GIF: _gif,
}
