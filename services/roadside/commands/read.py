"""`roadside read FILE...`: the plates of photographs, as lines for people or JSON for programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.annotate import PICTURES, PictureWriter
from roadside.api import ALPR
from roadside.api.plates import STEPS
from roadside.commands.flags import READING, add_settings, options_of
from roadside.commands.out import refuse_overwriting
from roadside.core.printable import printable
from roadside.errors import InputError, SourceError
from roadside.kit.timing import Stopwatch

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from roadside.api import Plates
    from roadside.commands.flags import SubParsers

EXIT_SOME_FAILED = 1


def add_to(commands: SubParsers) -> None:
    """Add `roadside read`."""
    parser = commands.add_parser("read", help="read the plates of photographs")
    parser.add_argument("files", nargs="+", metavar="FILE", help="JPEG, PNG, WebP, BMP, TIFF or GIF")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON object a line a file")
    shape.add_argument("-q", "--quiet", action="store_true", help="print the plates alone, one a line")
    parser.add_argument("--out", type=Path, help="write the annotated picture here (a folder for several)")
    add_settings(parser, *READING)
    parser.set_defaults(execute=read_photos)


def read_photos(arguments: argparse.Namespace) -> int:
    """Read every file, in order; a file that cannot be read stops nothing but makes the exit code 1."""
    writer = _picture_writer(arguments.out, len(arguments.files))
    if writer is not None:
        _spare(arguments.files, arguments.out)
    alpr = ALPR(**options_of(arguments, READING))
    failed = False
    for name in arguments.files:
        watch = Stopwatch()
        try:
            with watch.measure("decode"):
                plates = alpr.read(name)
        except SourceError as error:
            failed = True
            _print_fault(name, error, watch, as_json=arguments.json)
            continue
        if arguments.json:
            print(json.dumps(plates.to_json()), flush=True)
        elif arguments.quiet:
            print("".join(f"{plate.text}\n" for plate in plates), end="", flush=True)
        else:
            _print_lines(plates)
        if writer is not None:
            writer.write(plates.draw(), Path(name).name if len(arguments.files) > 1 else "")
    return EXIT_SOME_FAILED if failed else 0


def _print_fault(name: str, error: SourceError, watch: Stopwatch, *, as_json: bool) -> None:
    if not as_json:
        print(f"roadside: {error}", file=sys.stderr)
        return
    elapsed = {step: round(watch.ms(step), 3) for step in STEPS}
    found = {"source": name, "width": 0, "height": 0, "error": str(error), "elapsed_ms": elapsed}
    print(json.dumps(found), flush=True)


def _print_lines(plates: Plates) -> None:
    source = printable(str(plates.source))
    for plate in plates:
        box = plate.box
        place = f"{box.x1:.0f},{box.y1:.0f} to {box.x2:.0f},{box.y2:.0f}"
        print(f"{source}: {plate.text:<10} {plate.country or '-':<3} {plate.confidence:>4.0%}  at {place}")
    if not plates:
        print(f"{source}: no plate")


def _picture_writer(out: Path | None, files: int) -> PictureWriter | None:
    if out is None:
        return None
    if files == 1 and out.suffix.lower() not in PICTURES:
        raise InputError(f"{out}: cannot write such a picture; --out takes {', '.join(PICTURES)}")
    if files > 1 and out.suffix.lower() in PICTURES:
        raise InputError(f"{out}: several pictures do not fit one file; give --out a folder")
    return PictureWriter(out)


def _spare(files: Sequence[str], out: Path) -> None:
    """Raises InputError where an annotated picture would take the place of one of `files`."""
    for name in files:
        refuse_overwriting(out if len(files) == 1 else out / Path(name).name, Path(name))
