"""`python -m models.data`: check, convert, split, export and look at a folder of annotated photographs."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from models.command import answer
from models.data import checking, contact_sheets, export, grouping, labels
from models.data.formats import Format, read_folder, write_folder
from models.data.photographs import data_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_FAULTS = 1
EXIT_INPUT = 2
PARTS = ("train", "test")


def _check(chosen: argparse.Namespace) -> int:
    report = checking.check(chosen.folder)
    for finding in report.findings:
        print(f"{finding.path.relative_to(chosen.folder)}: {finding.fault}: {finding.detail}")
    counts = Counter(finding.fault.value for finding in report.findings)
    summary = ", ".join(f"{n} {fault}" for fault, n in sorted(counts.items())) or "nothing wrong"
    print(f"{report.pictures} pictures: {summary}")
    if not chosen.fix:
        return EXIT_FAULTS if report.findings else 0
    for line in checking.fix(chosen.folder, report):
        print(line)
    left = checking.check(chosen.folder).findings
    print(f"{len(left)} faults left" + (" that only a person can mend" if left else ""))
    return EXIT_FAULTS if left else 0


def _convert(chosen: argparse.Namespace) -> int:
    source = Format(chosen.source) if chosen.source else None
    annotated = read_folder(chosen.folder, source)
    write_folder(annotated, chosen.out, Format(chosen.to))
    boxes = sum(len(a.annotation.boxes) for a in annotated)
    print(f"{len(annotated)} pictures with {boxes} boxes written to {chosen.out} as {chosen.to}")
    return 0


def _split(chosen: argparse.Namespace) -> int:
    annotated = read_folder(chosen.folder)
    parts = grouping.split(annotated, chosen.folder, chosen.test)
    for name, part in zip(PARTS, (parts.train, parts.test), strict=True):
        write_folder(part, chosen.out / name, Format.VOC)
    print(
        f"{len(parts.train)} pictures in {chosen.out / 'train'}, {len(parts.test)} in {chosen.out / 'test'}"
        f" ({len(parts.test) / max(1, len(annotated)):.0%}; {parts.groups} groups of one plate, place or view)"
    )
    return 0


def _export(chosen: argparse.Namespace) -> int:
    folders = {name: chosen.folder / name for name in PARTS if (chosen.folder / name).is_dir()}
    parts = {name: read_folder(folder) for name, folder in (folders or {"data": chosen.folder}).items()}
    for name, (pictures, boxes) in export.export_parts(dict(parts), chosen.out).items():
        print(f"{chosen.out / name}.record: {pictures} pictures; {chosen.out / name}.csv: {boxes} boxes")
    print(f"{chosen.out / 'labelmap.pbtxt'}, {chosen.out / 'labelmap.txt'}")
    return 0


def _sheet(chosen: argparse.Namespace) -> int:
    annotated = read_folder(chosen.folder)
    chosen.out.mkdir(parents=True, exist_ok=True)
    a_sheet = chosen.across * chosen.down
    for start in range(0, len(annotated), a_sheet):
        tiles = [contact_sheets.picture_tile(a) for a in annotated[start : start + a_sheet]]
        target = chosen.out / f"sheet_{start // a_sheet:03d}.png"
        cv2.imwrite(str(target), contact_sheets.sheet(tiles, chosen.across))
        print(target)
    return 0


def _label_sheets(chosen: argparse.Namespace) -> int:
    count = labels.write_label_sheets(chosen.data or data_folder(), chosen.out)
    print(f"{count} sheets in {chosen.out}; models/data/labels/README.md tells how to read them")
    return 0


def _apply(chosen: argparse.Namespace) -> int:
    rows, readable = labels.apply_labels(chosen.sheets, chosen.read, chosen.out)
    print(f"{rows} crops in {chosen.out}, {readable} with a text: set ROADSIDE_LABELS={chosen.out} to use them")
    return 0


def make_parser() -> argparse.ArgumentParser:
    """The parser of the tool."""
    parser = argparse.ArgumentParser(prog="python -m models.data", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True)

    def command(name: str, run: object, what: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=what, description=what)
        made.set_defaults(run=run)
        return made

    check = command("check", _check, "say what is wrong with the pictures of a folder; --fix mends it")
    check.add_argument("folder", type=Path)
    check.add_argument("--fix", action="store_true", help="rename, write anew upright, move aside to rejected/")
    convert = command("convert", _convert, "copy a folder with its boxes in another format")
    convert.add_argument("folder", type=Path)
    convert.add_argument("--to", required=True, choices=[f.value for f in Format])
    convert.add_argument("--from", dest="source", choices=[f.value for f in Format], help="default: what it looks like")
    convert.add_argument("--out", type=Path, required=True)
    split = command("split", _split, "copy a folder into OUT/train and OUT/test, one plate or place on one side")
    split.add_argument("folder", type=Path)
    split.add_argument("--test", type=float, default=grouping.TEST_SHARE, help="share of the pictures (default 0.2)")
    split.add_argument("--out", type=Path, required=True)
    exported = command("export", _export, "CSV, TFRecord and label maps of FOLDER/train and FOLDER/test, or of FOLDER")
    exported.add_argument("folder", type=Path)
    exported.add_argument("--out", type=Path, required=True)
    sheet = command("sheet", _sheet, "contact sheets of the pictures with their boxes")
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("--out", type=Path, required=True)
    sheet.add_argument("--across", type=int, default=5)
    sheet.add_argument("--down", type=int, default=5)
    by_eye = command("label-sheets", _label_sheets, "sheets of the plate crops that nobody has read yet")
    by_eye.add_argument("--data", type=Path, help="folder with crops.tsv (default ROADSIDE_DATA)")
    by_eye.add_argument("--out", type=Path, required=True)
    apply = command("apply", _apply, "make a labels file of what was read off the sheets")
    apply.add_argument("read", type=Path, nargs="+", help="tab-separated sheet, tile, text, lines, region, quality")
    apply.add_argument("--sheets", type=Path, required=True)
    apply.add_argument("--out", type=Path, required=True)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 where all is well, 1 where `check` found faults, 2 for bad input."""
    chosen = make_parser().parse_args(arguments)
    return answer("models.data", lambda: chosen.run(chosen), fault_code=EXIT_INPUT)


if __name__ == "__main__":
    sys.exit(main())
