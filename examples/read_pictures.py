"""Reads the plates of pictures and draws them in: python examples/read_pictures.py PICTURE... [--out FOLDER]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2

from roadside import ALPR
from roadside.errors import RoadsideError


def main() -> int:
    """One line a plate; the exit code is 1 where a picture could not be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", type=Path)
    parser.add_argument("--out", type=Path, help="folder for the annotated pictures")
    chosen = parser.parse_args()
    alpr = ALPR()  # once: it loads the nets
    failed = False
    for path in chosen.pictures:
        try:
            plates = alpr.read(path)
        except RoadsideError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        for plate in plates:
            print(f"{path}: {plate.text} {plate.country or '-'} {plate.confidence:.0%}")
        if chosen.out is not None:
            chosen.out.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(chosen.out / path.name), plates.draw())
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
