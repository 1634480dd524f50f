"""`roadside read FILE...`: the plates of photographs, as lines for people or JSON for programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.annotate import PICTURES, Mark, PictureWriter, draw
from roadside.assembly.models import open_models, warm_up
from roadside.commands.flags import READING, add_settings, settings_of
from roadside.commands.photo import read_photo
from roadside.core.detect import Search
from roadside.errors import InputError

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers
    from roadside.commands.photo import PhotoReport

EXIT_SOME_FAILED = 1


def add_to(commands: SubParsers) -> None:
    """Add `roadside read`."""
    parser = commands.add_parser("read", help="read the plates of photographs")
    parser.add_argument("files", nargs="+", metavar="FILE", help="JPEG, PNG, WebP, BMP, TIFF or GIF")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line a file")
    parser.add_argument("--out", type=Path, help="write the annotated picture here (a folder for several)")
    add_settings(parser, *READING)
    parser.set_defaults(execute=read_photos)


def read_photos(arguments: argparse.Namespace) -> int:
    """Read every file, in order; a file that cannot be read stops nothing but makes the exit code 1."""
    settings = settings_of(arguments)
    writer = _picture_writer(arguments.out, len(arguments.files))
    auto = settings.search is Search.AUTO
    detector, reader = open_models(settings, search=Search.FAST if auto else None, extra_cuts=True)
    closer = detector.detect_closer if auto else None
    warm_up(detector, reader)
    failed = False
    for name in arguments.files:
        report = read_photo(name, detector, reader, settings.confidence, closer)
        failed = failed or report.error is not None
        if arguments.json:
            print(json.dumps(report.to_json()), flush=True)
        else:
            _print_lines(report)
        if writer is not None and report.image is not None:
            marks = [Mark(p.crop.detection.box, p.read.text, p.read.country) for p in report.plates]
            writer.write(draw(report.image, marks), Path(name).name if len(arguments.files) > 1 else "")
    return EXIT_SOME_FAILED if failed else 0


def _print_lines(report: PhotoReport) -> None:
    if report.error is not None:
        print(f"roadside: {report.error}", file=sys.stderr)
        return
    for placed in report.plates:
        read, box = placed.read, placed.crop.detection.box
        place = f"{box.x1:.0f},{box.y1:.0f} to {box.x2:.0f},{box.y2:.0f}"
        print(f"{report.source}: {read.text:<10} {read.country or '-':<3} {read.confidence:>4.0%}  at {place}")
    if not report.plates:
        print(f"{report.source}: no plate")


def _picture_writer(out: Path | None, files: int) -> PictureWriter | None:
    if out is None:
        return None
    if files == 1 and out.suffix.lower() not in PICTURES:
        raise InputError(f"{out}: cannot write such a picture; --out takes {', '.join(PICTURES)}")
    if files > 1 and out.suffix.lower() in PICTURES:
        raise InputError(f"{out}: several pictures do not fit one file; give --out a folder")
    return PictureWriter(out)
