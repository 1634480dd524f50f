"""Pictures that nobody should decode, of a few hundred bytes each: what they claim is the harm."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = Image.fromarray(np.tile(np.arange(60, dtype=np.uint8), (40, 1))).convert("RGB")


def saved(kind: str, image: Image.Image = SMALL, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def claiming_jpeg(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A JPEG of a few hundred bytes whose header tells of another size."""
    data = bytearray(saved("JPEG", progressive=progressive))
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *further: bytes, rows: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join((header, *further, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))


def animated_png(frame_width: int, frame_height: int) -> bytes:
    """60 x 40 pixels, with a second picture that is said to be larger than the first."""
    control = chunk(b"acTL", struct.pack(">II", 2, 0))
    first = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 60, 40, 0, 0, 1, 10, 0, 0))
    second = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, frame_width, frame_height, 0, 0, 1, 10, 0, 0))
    moved = chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0" * 40 * 181))
    whole = png(60, 40, control, first, rows=b"\0" * 40 * 181)
    return whole[:-12] + second + moved + whole[-12:]


def directory(entries: Sequence[tuple[int, int, int, int]], order: str = "<") -> bytes:
    """A TIFF that is one directory of (tag, type, count, value)."""
    begin = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    body = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return begin + struct.pack(order + "H", len(entries)) + body + bytes(4)


def tiff(width: int, height: int, *further: tuple[int, int, int, int]) -> bytes:
    plain = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    strip = [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 8)]
    return directory([*plain, *strip, *further]) + bytes(64)


def webp(width: int, height: int) -> bytes:
    """A WebP with a canvas larger than its picture."""
    picture = saved("WEBP")[12:]
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(4)
    extended += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + extended + picture
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(width: int, height: int, left: int, top: int) -> bytes:
    """A GIF whose first picture lies at `left`, `top` of its screen."""
    data = bytearray(saved("GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at] != 0x2C:
        at += 1
    data[at + 1 : at + 5] = struct.pack("<HH", left, top)
    return bytes(data)


def bmp(width: int, height: int, compression: int = 0) -> bytes:
    data = bytearray(saved("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    data[30:34] = struct.pack("<I", compression)
    return bytes(data)


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    whole = cv2.imencode(".jpg", np.asarray(SMALL), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * count + whole[-2:]


def jpeg_with(segment: int, content: bytes, times: int = 1) -> bytes:
    whole = saved("JPEG")
    return whole[:2] + (bytes((0xFF, segment)) + struct.pack(">H", len(content) + 2) + content) * times + whole[2:]


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\n{ } loop\n%%EOF\n"
TOO_LARGE = {
    "JPEG": claiming_jpeg(32_000, 32_000),
    "JPEG, narrow": claiming_jpeg(65_500, 900),
    "progressive JPEG": claiming_jpeg(7000, 7000, progressive=True),
    "JPEG of a thousand scans": jpeg_of_scans(1000),
    "PNG": png(100_000, 100_000),
    "PNG, one row": png(2_000_000_000, 1),
    "TIFF": tiff(60_000, 60_000),
    "WebP": webp(16_384, 16_384),
    "GIF": gif(65_535, 65_535, 0, 0),
    "GIF, its first picture": gif(60, 40, 65_000, 65_000),
    "BMP": bmp(1_000_000, -1_000_000),
}
NOT_READ = {
    "PostScript": POSTSCRIPT,
    "PostScript behind a DOS header": b"\xc5\xd0\xd3\xc6"
    + struct.pack("<II", 30, len(POSTSCRIPT))
    + bytes(18)
    + POSTSCRIPT,
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(300),
    "JPEG 2000": saved("JPEG2000"),
    "JPEG 2000 stream": b"\xff\x4f\xff\x51" + bytes(200),
    "DDS": saved("DDS"),
    "BLP": b"BLP2" + struct.pack("<IBBBBII", 1, 1, 8, 0, 0, 60, 40) + bytes(1200),
    "PPM": saved("PPM"),
    "TGA": saved("TGA"),
    "ICO": saved("ICO"),
    "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 40, 60, 8, 3) + bytes(100),
    "text": b"just some text",
}
BROKEN = {
    "a TIFF of 60,000 entries": tiff(60, 40)[:8] + struct.pack("<H", 60_000) + bytes(720_000),
    "a TIFF of entries that share their values": tiff(60, 40, *((40_000 + n, 1, 20_000_000, 0) for n in range(200))),
    "a TIFF of huge tiles": tiff(60, 40, (322, 4, 1, 60_000), (323, 4, 1, 60_000)),
    "a TIFF with two widths": tiff(60, 40, (256, 4, 1, 60_000)),
    "a TIFF of JPEG of the old kind": tiff(60, 40).replace(
        struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, 6)
    ),
    "a TIFF whose directory is nowhere": b"II*\0\xff\xff\xff\x7f" + bytes(40),
    "a compressed BMP": bmp(60, 40, 1),
    "a lossless JPEG": saved("JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1),
    "a JPEG of 12 bits": saved("JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c", 1),
    "a JPEG of two sizes": jpeg_with(0xC0, saved("JPEG")[saved("JPEG").index(b"\xff\xc0") + 4 :][:15]),
    "a JPEG of a million segments": jpeg_with(0xFE, b"", 1_000_000),
    "a JPEG whose segment has no length": saved("JPEG")[:2] + b"\xff\xe1\0\0" + saved("JPEG")[2:],
    "a PNG whose part reaches beyond its end": png(60, 40)[:33] + b"\x7f\xff\xff\xffIDAT",
    "a PNG of a million parts": png(60, 40, chunk(b"tEXt", b"") * 70_000),
    "a GIF of comments": saved("GIF")[:13] + b"!\xfe" + (b"\xff" + bytes(255)) * 5000,
    "a GIF that ends in its first part": saved("GIF")[:14],
    "a WebP of nothing": b"RIFF\x0c\0\0\0WEBPABCD\0\0\0\0",
}
