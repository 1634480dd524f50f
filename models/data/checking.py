"""Whether the pictures of a folder are what their names say, and how what is wrong is mended."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from PIL import Image, ImageOps, UnidentifiedImageError

from models.data.fingerprints import SAME_BITS, alike, clusters, fingerprint
from roadside.core.picture_header import PILLOW_FORMATS
from roadside.errors import SourceError
from roadside.vision import decode_picture, read_voc, voc_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REJECTED = "rejected"
"""Subfolder that `fix` moves unusable pictures to; nothing is deleted."""
LEAST_SIDE_PX = 64
MOST_SIDE_PX = 8000
JPEG_QUALITY = 95
"""Of pictures that are written anew."""
_ORIENTATION = 0x0112
"""The EXIF tag of a picture's orientation."""
_NOT_PICTURES = frozenset({".xml", ".txt", ".json", ".csv", ".tsv", ".record", ".pbtxt", ".md"})
_SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}
"""What training reads, by Pillow's name of the content."""


class Fault(StrEnum):
    """What can be wrong with a picture."""

    NO_PICTURE = "no picture"
    DAMAGED = "damaged"
    WRONG_NAME = "wrong name"
    OTHER_FORMAT = "other format"
    TURNED = "turned"
    TOO_SMALL = "too small"
    TOO_LARGE = "too large"
    COLOURS = "colours"
    COPY = "copy"
    ANNOTATION = "annotation"


MENDED_BY_REJECTING = frozenset({Fault.NO_PICTURE, Fault.DAMAGED, Fault.TOO_SMALL, Fault.COPY})
MENDED_BY_WRITING = frozenset({Fault.OTHER_FORMAT, Fault.TURNED, Fault.TOO_LARGE, Fault.COLOURS})


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one picture."""

    path: Path
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found."""

    pictures: int
    findings: tuple[Finding, ...]


def check(folder: Path) -> Report:
    """PlateStyle at every file under `folder` that is not an annotation; the content counts, not the name.

    Raises SourceError where there is no such folder or nothing in it.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder")
    files = [
        p for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix.lower() not in _NOT_PICTURES and REJECTED not in p.relative_to(folder).parts
        and not p.name.startswith(".")
    ]  # fmt: skip
    if not files:
        raise SourceError(f"{folder}: no pictures in this folder")
    findings: list[Finding] = []
    prints: list[tuple[Path, int, int]] = []
    for path in files:
        found, seen = _look(path)
        findings += found
        if seen is not None:
            prints.append((path, *seen))
    return Report(len(files), (*findings, *_copies(prints)))


def fix(folder: Path, report: Report) -> list[str]:
    """Mend what can be mended: rename, write anew upright, move aside; a line for each change."""
    done = []
    by_path: dict[Path, list[Finding]] = {}
    for finding in report.findings:
        by_path.setdefault(finding.path, []).append(finding)
    for path, findings in by_path.items():
        faults = {f.fault for f in findings}
        if faults & MENDED_BY_REJECTING:
            done.append(_reject(folder, path))
        elif faults & MENDED_BY_WRITING and Fault.ANNOTATION not in faults:
            done.append(_write_anew(path, folder))
        elif Fault.WRONG_NAME in faults:
            with Image.open(path, formats=PILLOW_FORMATS) as opened:
                suffix = _SUFFIXES[str(opened.format)][0]
            done.append(_rename(path, suffix))
    return done


def _look(path: Path) -> tuple[list[Finding], tuple[int, int] | None]:
    """The faults of one file, and its fingerprint and number of pixels if it is a whole picture."""
    data = path.read_bytes()
    try:
        with Image.open(io.BytesIO(data), formats=PILLOW_FORMATS) as opened:
            kind, mode, size = str(opened.format), opened.mode, opened.size
            orientation = int(opened.getexif().get(_ORIENTATION, 1))
        image = decode_picture(data, path.name)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return [Finding(path, Fault.NO_PICTURE, f"begins with {data[:8]!r}")], None
    except (SourceError, OSError, ValueError, SyntaxError) as error:
        return [Finding(path, Fault.DAMAGED, str(error).partition(": ")[2] or str(error))], None
    findings = []
    if kind not in _SUFFIXES:
        findings.append(Finding(path, Fault.OTHER_FORMAT, f"{kind}, not JPEG or PNG"))
    elif path.suffix.lower() not in _SUFFIXES[kind]:
        findings.append(Finding(path, Fault.WRONG_NAME, f"is {kind} by its content"))
    if orientation != 1:
        findings.append(Finding(path, Fault.TURNED, f"EXIF orientation {orientation}: programs disagree on what is up"))
    if min(size) < LEAST_SIDE_PX:
        findings.append(Finding(path, Fault.TOO_SMALL, f"{size[0]} x {size[1]}"))
    if max(size) > MOST_SIDE_PX:
        findings.append(Finding(path, Fault.TOO_LARGE, f"{size[0]} x {size[1]}"))
    if mode not in ("RGB", "L"):
        findings.append(Finding(path, Fault.COLOURS, f"{mode}, not RGB or grey"))
    findings += _annotation_faults(path, size, (image.shape[1], image.shape[0]))
    return findings, (fingerprint(image), image.shape[0] * image.shape[1])


def _annotation_faults(path: Path, stored: tuple[int, int], upright: tuple[int, int]) -> list[Finding]:
    if not voc_of(path).exists():
        return []
    try:
        annotation = read_voc(voc_of(path))
    except SourceError as error:
        return [Finding(path, Fault.ANNOTATION, str(error).partition(": ")[2])]
    told = (annotation.width, annotation.height)
    faults = []
    if 0 not in told and told != upright:
        which = "as stored, not as seen" if told == stored else f"not {upright[0]} x {upright[1]}"
        faults.append(f"was made for {told[0]} x {told[1]}, {which}: annotate again")
    outside = [b for b in annotation.boxes if b.box.x2 > max(told[0], 1) + 1 or b.box.y2 > max(told[1], 1) + 1]
    if outside and 0 not in told:
        faults.append(f"{len(outside)} boxes reach out of the picture")
    return [Finding(path, Fault.ANNOTATION, fault) for fault in faults]


def _copies(prints: Sequence[tuple[Path, int, int]]) -> list[Finding]:
    """All but the largest picture of each set that looks the same."""
    leaders = clusters(len(prints), alike([p[1] for p in prints], SAME_BITS))
    best: dict[int, int] = {}
    for i, leader in enumerate(leaders):
        if leader not in best or _worth(prints[i]) > _worth(prints[best[leader]]):
            best[leader] = i
    return [
        Finding(prints[i][0], Fault.COPY, f"of {prints[best[leader]][0].name}")
        for i, leader in enumerate(leaders)
        if best[leader] != i
    ]


def _worth(one: tuple[Path, int, int]) -> tuple[bool, int]:
    """An annotated picture before any other, then the larger."""
    return voc_of(one[0]).exists(), one[2]


def _reject(folder: Path, path: Path) -> str:
    target = folder / REJECTED / path.relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    if voc_of(path).exists() and not any(path.parent.glob(f"{path.stem}.[!x]*")):
        shutil.move(voc_of(path), target.with_suffix(".xml"))
    return f"{path.name}: moved to {REJECTED}/"


def _write_anew(path: Path, folder: Path) -> str:
    """The picture upright, in RGB, as JPEG or PNG, no side over MOST_SIDE_PX; the former file goes to REJECTED."""
    with Image.open(path, formats=PILLOW_FORMATS) as opened:
        kind = str(opened.format)
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((MOST_SIDE_PX, MOST_SIDE_PX))
    target = path.with_suffix(".png" if kind == "PNG" else ".jpg")
    kept = folder / REJECTED / path.relative_to(folder)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, kept)
    if target.exists():
        target = target.with_stem(f"{target.stem}_{path.suffix.lstrip('.').lower()}")
    upright.save(target, quality=JPEG_QUALITY)
    return f"{path.name}: written upright as {target.name} ({upright.width} x {upright.height})"


def _rename(path: Path, suffix: str) -> str:
    target = path.with_suffix(suffix)
    if target.exists():
        target = path.with_name(f"{path.stem}_{path.suffix.lstrip('.').lower()}{suffix}")
    path.rename(target)
    return f"{path.name}: renamed to {target.name}"
