"""`roadside annotate FOLDER`: our detector's boxes as Pascal VOC XML, to be corrected in labelImg."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.sources.pictures import decode_picture, list_pictures, read_bytes
from roadside.adapters.voc import LABEL, LabelledBox, annotation_of, voc_of, write_voc
from roadside.assembly.models import open_named_detector
from roadside.commands.flags import add_settings, settings_of
from roadside.errors import SourceError

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers
    from roadside.ports.vision import Detector

EXIT_SOME_FAILED = 1
FINDING = ("modeldir", "quality", "runtime", "threads", "search", "score")


def add_to(commands: SubParsers) -> None:
    """Add `roadside annotate`."""
    parser = commands.add_parser(
        "annotate", help="draw boxes around the plates of a folder, to be corrected in labelImg"
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="pictures; an XML file is written beside each")
    parser.add_argument("--label", default=LABEL, help=f"name of the boxes (default {LABEL})")
    parser.add_argument("--overwrite", action="store_true", help="annotate pictures anew that have an XML file")
    add_settings(parser, *FINDING)
    parser.set_defaults(execute=annotate_folder)


def annotate_folder(arguments: argparse.Namespace) -> int:
    """Annotate every picture that has no annotation yet; one that cannot be read makes the exit code 1."""
    if not arguments.folder.is_dir():
        raise SourceError(f"{arguments.folder}: no such folder; name one with pictures")
    pictures = list_pictures(arguments.folder)
    waiting = [p for p in pictures if arguments.overwrite or not voc_of(p).exists()]
    settings = settings_of(arguments)
    detector = open_named_detector(settings, settings.search)
    boxes, failed = 0, 0
    for picture in waiting:
        try:
            found = _annotate(picture, detector, arguments.label)
        except SourceError as error:
            failed += 1
            print(f"roadside: {error}", file=sys.stderr)
            continue
        boxes += found
        print(f"{picture.name}: {found} plate{'' if found == 1 else 's'}", flush=True)
    kept = len(pictures) - len(waiting)
    print(f"{len(waiting) - failed} pictures annotated, {boxes} boxes; {kept} had an annotation and were left alone")
    return EXIT_SOME_FAILED if failed else 0


def _annotate(picture: Path, detector: Detector, label: str) -> int:
    image = decode_picture(read_bytes(picture), str(picture))
    height, width = image.shape[:2]
    found = [LabelledBox(label, d.box) for d in detector.detect(image)]
    write_voc(annotation_of(picture, width, height, found), voc_of(picture), picture)
    return len(found)
