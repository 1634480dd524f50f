"""The version: read from `services/roadside/_version.py`, and held equal in every file that has to repeat it.

Image tags in manifests and the name of the migration Job cannot be computed where `kubectl apply` reads them. They are
written by this module: `python -m release.version` compares, `python -m release.version 0.3.0` sets.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "services/roadside/_version.py"
REPEATED = ("k3s/**/*.yaml", "k3s/*.template", "docker/*.yaml", "docs/*.md", "CITATION.cff")
"""Globs under the repository's root of the files that may repeat the version."""

NUMBER = r"\d+\.\d+\.\d+"
_SOURCE_LINE = re.compile(rf'^(__version__ = ")({NUMBER})(")$', re.MULTILINE)
_MENTION = re.compile(rf"(roadside\.local/[\w{{}},-]+:|\bmigrate-|(?m:^version: ))({NUMBER})\b")
_SOURCE_DAY = re.compile(r'^(RELEASED = ")[\d-]+(")$', re.MULTILINE)
_RELEASED = re.compile(r"^(date-released: )[\d-]+$", re.MULTILINE)
EXIT_INPUT = 2


def current(root: Path = ROOT) -> str:
    """The version of the checkout at `root`. Raises ValueError where its source does not say one."""
    found = _SOURCE_LINE.search((root / SOURCE).read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f'{SOURCE} has no line __version__ = "X.Y.Z"')
    return found[2]


def differing(root: Path = ROOT) -> list[str]:
    """Every mention of another version, as `file:line: mention`; empty where all are equal."""
    version = current(root)
    return [
        f"{path.relative_to(root)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for path, text in _texts(root)
        for found in _MENTION.finditer(text)
        if found[2] != version
    ]


def mentions(root: Path = ROOT) -> int:
    """How many times the version is repeated outside of its source."""
    return sum(len(_MENTION.findall(text)) for _, text in _texts(root))


def set_version(version: str, root: Path = ROOT) -> list[Path]:
    """Writes `version` wherever it is told; gives the files that changed. Raises ValueError if it is no X.Y.Z."""
    if not re.fullmatch(NUMBER, version):
        raise ValueError(f"{version!r} is no version like 1.2.3")
    today = datetime.now(UTC).date().isoformat()
    changed = []
    for path, text in ((root / SOURCE, (root / SOURCE).read_text(encoding="utf-8")), *_texts(root)):
        new = _SOURCE_LINE.sub(rf"\g<1>{version}\g<3>", _MENTION.sub(rf"\g<1>{version}", text))
        if path.suffix == ".cff" and new != text:
            new = _RELEASED.sub(rf"\g<1>{today}", new)
        if path == root / SOURCE and new != text:
            new = _SOURCE_DAY.sub(rf"\g<1>{today}\g<2>", new)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def _texts(root: Path) -> Iterator[tuple[Path, str]]:
    for pattern in REPEATED:
        for path in sorted(root.glob(pattern)):
            yield path, path.read_text(encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Compares, or sets the version that the only argument names; the exit status."""
    try:
        changed = set_version(arguments[0]) if arguments else []
        faults = differing()
    except ValueError as error:
        print(f"version: {error}", file=sys.stderr)
        return EXIT_INPUT
    for path in changed:
        print(f"wrote {path.relative_to(ROOT)}")
    for fault in faults:
        print(
            f"version: {fault}, but {SOURCE} says {current()}: run python -m release.version {current()}",
            file=sys.stderr,
        )
    if not faults:
        print(f"{current()}, repeated {mentions()} times")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
