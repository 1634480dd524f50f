"""`make peaks`: what the worst picture that each door takes costs, and what one over its bounds does: docs/peaks.md.

Every case is a process of its own, so that its peak is its own. A picture is worst where it is as large as the door
allows, in the format whose decoder holds most beside it; those over the bounds are refused by their header.
"""

from __future__ import annotations

import argparse
import http.server
import io
import itertools
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from roadside.core.picture_header import read_header
from tests.clips_hostile import empty_jpeg, mjpeg_avi
from tests.pictures_hostile import claiming_jpeg, saved

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path("docs/peaks.md")
SIDE_16_MP, SIDE_32_MP, SIDE_64_MP = 4000, 5600, 8000
SIDE_8_MP, SIDE_CROP = 2880, 2336
CLAIMED_PX = 32_000
HEAD = """# What a picture costs at each door

The worst picture that each door takes, and one over its bounds: made by `make peaks`, which tells memory beyond what
the process had before, and time, on the machine where it runs (here: two busy cores). Where a process of its own
decodes, its whole size is told: a crash or too much there costs one picture.

| door | picture | bytes | said | MB more in the process | MB of the decoding process | s |
| --- | --- | --- | --- | --- | --- | --- |
"""
TAIL = """
Pictures of a watched folder (`watch:FOLDER`), which strangers may fill, are decoded in a process of their own as
those of services are, of 70 MB and at most 700 MB more: one that ends its decoder is refused like any that cannot be
read. Pictures of files and folders that somebody names (`roadside read`, `run` on a folder) and those that
rpicam-vid, a program of this computer, writes are decoded in the process itself: their bounds, checked before
anything is allocated, hold them under 512 MB, and the way to another process and back would take half of the
decoding's time again (a photograph of 12 megapixels 423 -> 649 ms, a frame of 720p 24 -> 48 ms, medians on a busy
machine), where a photograph may take 15 ms in all. Crops and frames of evidence are our own. The console takes no
pictures, but lists, which a process of its own reads; webhooks and MQTT only send.
"""


def photograph(data: bytes) -> None:
    """A file, whether it is named, of a folder or one that is watched."""
    from roadside.adapters.sources.pictures import decode_picture  # noqa: PLC0415 - measured from here on

    decode_picture(data, "it")


def rpicam(data: bytes) -> None:
    """A frame of the program of a Raspberry Pi's camera."""
    from roadside.core.picture_header import CAMERA_LIMITS  # noqa: PLC0415 - as above
    from roadside.wire.decoding import decode_jpeg  # noqa: PLC0415 - as above

    decode_jpeg(data, CAMERA_LIMITS)


def message(data: bytes) -> None:
    """A picture of gRPC, or a frame on Redis."""
    from roadside.core.picture_header import MESSAGE_LIMITS  # noqa: PLC0415 - as above

    _in_decoding_process(data, MESSAGE_LIMITS)


def crop(data: bytes) -> None:
    """A plate's picture of gRPC or on Redis."""
    from roadside.core.picture_header import CROP_LIMITS  # noqa: PLC0415 - as above

    _in_decoding_process(data, CROP_LIMITS)


def clip(data: bytes) -> None:
    """A file of motion JPEG."""
    header = read_header(data)
    with tempfile.NamedTemporaryFile(suffix=".avi") as file:
        file.write(mjpeg_avi(header.width, header.height, [data, data]))
        file.flush()
        _from_source("CLIP", file.name)


def camera(data: bytes) -> None:
    """Motion JPEG over HTTP."""
    part = b"--f\r\nContent-Type: image/jpeg\r\n\r\n"
    _from_web("multipart/x-mixed-replace; boundary=f", part + data + b"\r\n" + part)


def snapshot(data: bytes) -> None:
    """A camera that gives one picture at an address."""
    _from_web("image/jpeg", data)


def spreadsheet(data: bytes) -> None:
    """A list of an office, as the console and the command take it."""
    from roadside.adapters.spreadsheet import as_csv  # noqa: PLC0415 - as above

    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(data)
        file.flush()
        with as_csv(Path(file.name)):
            pass


def _in_decoding_process(data: bytes, limits: Any) -> None:  # noqa: ANN401 - PictureLimits, imported late
    from roadside.kit.decoding_process import DecodingProcess  # noqa: PLC0415 - as above

    process = DecodingProcess()
    try:
        process(data, limits)
    finally:
        process.close()


def _from_source(kind: str, source: str) -> None:
    from roadside.adapters.sources.decoding_process import DecodedSource  # noqa: PLC0415 - as above
    from roadside.adapters.sources.opening import Kind, Opening  # noqa: PLC0415 - as above

    decoded = DecodedSource(Opening(Kind[kind], source, "it"))
    try:
        if decoded.read() is None:
            raise ValueError("passed over")
    finally:
        decoded.close()


def _from_web(kind: str, body: bytes) -> None:
    numbers = itertools.count()

    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body + next(numbers).to_bytes(4))  # a picture that comes again is not looked at

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _from_source("WEB", f"http://127.0.0.1:{server.server_port}/")


def plain(kind: str, side: int, **options: object) -> bytes:
    """A square picture of one colour."""
    return saved(kind, Image.new("RGB", (side, side)), **options)


def wide_sheet() -> bytes:
    """Two cells at opposite ends: a table of 17 billion."""
    from openpyxl import Workbook  # noqa: PLC0415 - of the tests

    book, data = Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.cell(1, 1, "plate")
    sheet.cell(1_048_576, 16_384, "x")
    book.save(data)
    return data.getvalue()


def long_cell(text: bytes) -> bytes:
    """A sheet whose second cell is so long."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wide_sheet())) as made, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as out:
        for name in made.namelist():
            part = made.read(name)
            if name.startswith("xl/worksheets/"):
                row = b'<row r="2"><c r="A2" t="inlineStr"><is><t>' + text + b"</t></is></c></row></sheetData>"
                part = part.partition(b'<row r="1048576"')[0] + row + b"</worksheet>"
            out.writestr(name, part)
    return data.getvalue()


BIG = f"JPEG that claims {CLAIMED_PX} x {CLAIMED_PX}"
CASES: dict[str, tuple[str, Callable[[bytes], None], str, Callable[[], bytes]]] = {
    "file-jpeg": ("file, folder", photograph, "JPEG, 64 MP", lambda: empty_jpeg(SIDE_64_MP, SIDE_64_MP)),
    "file-progressive": (
        "",
        photograph,
        "progressive JPEG, 31 MP",
        lambda: plain("JPEG", SIDE_32_MP, progressive=True),
    ),
    "file-png": ("", photograph, "PNG, 31 MP", lambda: plain("PNG", SIDE_32_MP)),
    "file-tiff": ("", photograph, "TIFF (LZW), 31 MP", lambda: plain("TIFF", SIDE_32_MP, compression="tiff_lzw")),
    "file-webp": ("", photograph, "WebP, 16 MP", lambda: plain("WEBP", SIDE_16_MP)),
    "file-gif": ("", photograph, "GIF, 31 MP", lambda: plain("GIF", SIDE_32_MP)),
    "file-over": ("", photograph, BIG, lambda: claiming_jpeg(CLAIMED_PX, CLAIMED_PX)),
    "rpicam": ("rpicam-vid", rpicam, "JPEG, 16 MP", lambda: empty_jpeg(SIDE_16_MP, SIDE_16_MP)),
    "rpicam-over": ("", rpicam, BIG, lambda: claiming_jpeg(CLAIMED_PX, CLAIMED_PX)),
    "message-jpeg": ("gRPC picture, Redis frame", message, "JPEG, 16 MP", lambda: empty_jpeg(SIDE_16_MP, SIDE_16_MP)),
    "message-progressive": ("", message, "progressive JPEG, 8 MP", lambda: plain("JPEG", SIDE_8_MP, progressive=True)),
    "message-png": ("", message, "PNG, 8 MP", lambda: plain("PNG", SIDE_8_MP)),
    "message-over": ("", message, BIG, lambda: claiming_jpeg(CLAIMED_PX, CLAIMED_PX)),
    "crop": ("gRPC and Redis crop", crop, "PNG, 5.5 MP", lambda: plain("PNG", SIDE_CROP)),
    "crop-over": ("", crop, BIG, lambda: claiming_jpeg(CLAIMED_PX, CLAIMED_PX)),
    "clip": ("clip", clip, "AVI with a JPEG of 16 MP", lambda: empty_jpeg(SIDE_16_MP, SIDE_16_MP)),
    "clip-over": ("", clip, "AVI with a JPEG of 256 MP", lambda: empty_jpeg(16_000, 16_000)),
    "camera": ("motion JPEG", camera, "JPEG, 16 MP", lambda: empty_jpeg(SIDE_16_MP, SIDE_16_MP)),
    "camera-over": ("", camera, BIG, lambda: claiming_jpeg(CLAIMED_PX, CLAIMED_PX)),
    "snapshot": ("snapshot address", snapshot, "JPEG, 16 MP", lambda: empty_jpeg(SIDE_16_MP, SIDE_16_MP)),
    "snapshot-over": ("", snapshot, BIG, lambda: claiming_jpeg(CLAIMED_PX, CLAIMED_PX)),
    "list": ("list (console, command)", spreadsheet, "XLSX of two corners", wide_sheet),
    "list-packed": ("", spreadsheet, "XLSX with a cell of 300 MB, one letter", lambda: long_cell(b"x" * 300_000_000)),
    "list-cell": (
        "",
        spreadsheet,
        "XLSX with a cell of 40 MB, any letters",
        lambda: long_cell(random.Random(1).randbytes(20_000_000).hex().encode()),
    ),
}
"""The door where another one begins, what it does, the picture in words, and how it is made."""


def measure(name: str, picture: Path) -> dict[str, object]:
    """One case, in this process, with the picture that another one has made."""
    _, door, _, _ = CASES[name]
    small = empty_jpeg(64, 64)
    data = picture.read_bytes()
    if door in {photograph, rpicam}:  # what importing the decoders takes is no picture's
        door(small)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started_s = time.monotonic()
    try:
        door(data)
        said = "taken"
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is said is told
        said = re.sub(r"^(it|/\S+): ", "", str(error)).split("; ")[0].split(": ")[0].split(", and no ")[0]
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "bytes": len(data),
        "said": said,
        "own_mb": round((own - before) / 1024),
        "child_mb": round(children / 1024),
        "seconds": round(time.monotonic() - started_s, 1),
    }


def row(name: str) -> str:
    """One case, measured in a process of its own, as a line of the table."""
    door, _, picture, _ = CASES[name]
    with tempfile.NamedTemporaryFile() as file:
        command = [sys.executable, "-m", "tests.bench.peaks", "--picture", file.name]
        subprocess.run([*command, "--make", name], check=True)
        ran = subprocess.run([*command, "--case", name], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.splitlines()[-1])
    own, child = found["own_mb"], found["child_mb"] or "-"
    return f"| {door} | {picture} | {found['bytes']:,} | {found['said']} | {own} | {child} | {found['seconds']} |"


def main() -> int:
    """Measure all cases and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--picture", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=PAGE)
    arguments = parser.parse_args()
    if arguments.make:
        arguments.picture.write_bytes(CASES[arguments.make][3]())
        return 0
    if arguments.case:
        print(json.dumps(measure(arguments.case, arguments.picture)))
        return 0
    lines = []
    for name in CASES:
        lines.append(row(name))
        print(lines[-1], flush=True)
    arguments.out.write_text(HEAD + "\n".join(lines) + "\n" + TAIL, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
