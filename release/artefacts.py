"""What wheel, sdist and bill of materials must hold, and must not: all of the package and its weights, no tests."""

from __future__ import annotations

import hashlib
import json
import tarfile
import zipfile
from email.parser import Parser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

PACKAGE = "services/roadside"
SUMS = "weights/SHA256SUMS"
DATA = ("py.typed", "adapters/sql/migrations/script.py.mako", SUMS)
"""Files of the package that are no Python; the weights are those that SHA256SUMS lists."""
SDIST = ("pyproject.toml", "README.md", "LICENSE", f"{PACKAGE}/_version.py")
NOWHERE = {"tests", "__pycache__", ".git", ".venv"}
MOST_BYTES = 20_000_000
"""A wheel has to reach a Raspberry Pi over a mobile network."""


def wheel_faults(wheel: Path, root: Path, version: str) -> list[str]:
    """What is wrong with a wheel that was built of the checkout at `root`; empty where nothing is."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}

        def content(name: str) -> bytes:
            return archive.read(name) if name in names else b""

        sums = _sums(content(f"roadside/{SUMS}"))
        modules = (path.relative_to(root / PACKAGE).as_posix() for path in (root / PACKAGE).rglob("*.py"))
        wanted = {f"roadside/{name}" for name in (*modules, *DATA, *(f"weights/{name}" for name in sums))}
        return [
            *(f"{name} is missing" for name in sorted(wanted - names)),
            *(f"{name} does not belong here" for name in sorted(names) if _stray(name)),
            *_damaged(sums, content),
            *_metadata_faults(content(f"roadside-{version}.dist-info/METADATA"), version),
            *([f"{wheel.stat().st_size} bytes, at most {MOST_BYTES}"] if wheel.stat().st_size > MOST_BYTES else []),
        ]


def sdist_faults(sdist: Path, version: str) -> list[str]:
    """What is wrong with an sdist; empty where nothing is. That a wheel can be built of it, the build itself shows."""
    top = f"roadside-{version}/"
    with tarfile.open(sdist) as archive:
        names = {member.name for member in archive.getmembers() if not member.isdir()}
        info = archive.extractfile(top + "PKG-INFO") if top + "PKG-INFO" in names else None
        metadata = info.read() if info else b""
    return [
        *(f"{name} is missing" for name in SDIST if top + name not in names),
        *(f"{name} does not belong here" for name in sorted(names) if not name.startswith(top) or _hidden(name)),
        *_metadata_faults(metadata, version),
    ]


def unlisted(bill: str, installed: dict[str, str]) -> list[str]:
    """What a bill of materials (CycloneDX, JSON) does not tell of the installed distributions and their versions."""
    listed = {each["name"].lower(): each.get("version") for each in json.loads(bill).get("components", [])}
    wrong = {name: version for name, version in installed.items() if listed.get(name.lower()) != version}
    return [f"{name} {version} is installed, it says {listed.get(name.lower())}" for name, version in wrong.items()]


def _stray(name: str) -> bool:
    return not name.startswith(("roadside/", "roadside-")) or _hidden(name)


def _hidden(name: str) -> bool:
    return bool(NOWHERE & set(name.split("/"))) or name.endswith((".pyc", ".key", ".pem", ".db"))


def _sums(text: bytes) -> dict[str, str]:
    pairs: Iterable[list[str]] = (line.split(maxsplit=1) for line in text.decode().splitlines())
    return {name: digest for digest, name in pairs}


def _damaged(sums: dict[str, str], content: Callable[[str], bytes]) -> list[str]:
    actual = {name: hashlib.sha256(content(f"roadside/weights/{name}")).hexdigest() for name in sums}
    return [f"weights/{name} is not what SHA256SUMS says" for name, digest in sums.items() if actual[name] != digest]


def _metadata_faults(metadata: bytes, version: str) -> list[str]:
    said = Parser().parsestr(metadata.decode())["Version"]
    return [] if said == version else [f"its metadata says version {said}, not {version}"]
