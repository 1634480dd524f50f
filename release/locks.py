"""The locks: every one holds what pyproject.toml asks for, with hashes, and all of them the same versions."""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from release.version import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LOCKED: Mapping[str, tuple[str, ...]] = {
    "requirements.lock": (),
    "requirements-cluster.lock": ("cluster",),
    "requirements-console.lock": ("console",),
    "requirements-dev.lock": ("cluster", "console", "dev"),
}
"""Which extras each lock holds beside what one process needs; `make lock` writes them."""
ALONE: Mapping[str, str] = {"requirements-docs.lock": "docs", "requirements-release.lock": "release"}
"""Locks of tools that import nothing of Roadside."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\\n]*?))?\s*\\?$", re.MULTILINE)


def pins(lock: str) -> dict[str, set[Version]]:
    """The versions of each package of a lock's text, by its canonical name; more than one where markers differ."""
    found: dict[str, set[Version]] = {}
    for name, version, _ in _PIN.findall(lock):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


def faults(root: Path = ROOT) -> list[str]:
    """What is wrong, a line each; empty where all locks are consistent."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: Mapping[str, Sequence[str]] = project["optional-dependencies"]
    asked = {lock: [*project["dependencies"], *(r for e in of for r in extras[e])] for lock, of in LOCKED.items()}
    asked |= {lock: list(extras[extra]) for lock, extra in ALONE.items()}
    held = {lock: pins((root / lock).read_text(encoding="utf-8")) for lock in asked}
    found = [fault for lock, wanted in asked.items() for fault in _missing(lock, wanted, held[lock])]
    for lock in asked:
        found += _unhashed(lock, (root / lock).read_text(encoding="utf-8"))
    return found + list(_differing({lock: held[lock] for lock in LOCKED}))


def _missing(lock: str, wanted: Sequence[str], held: Mapping[str, set[Version]]) -> list[str]:
    found = []
    for requirement in map(Requirement, wanted):
        versions = held.get(canonicalize_name(requirement.name), set())
        if not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
            have = ", ".join(map(str, sorted(versions))) or "nothing"
            found.append(f"{lock}: {requirement} is asked for, {have} is held: run make lock")
    return found


def _unhashed(lock: str, text: str) -> list[str]:
    """Entries without a hash: pip refuses a lock in which only some have one."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    names = [
        entry.split("==")[0] for entry in entries if "==" in entry.split("\n")[0] and "--hash=sha256:" not in entry
    ]
    return [f"{lock}: {name} has no hash" for name in names if not name.startswith("#")]


def _differing(held: Mapping[str, Mapping[str, set[Version]]]) -> list[str]:
    base = held["requirements.lock"]
    return [
        f"{lock}: {name} is another version than in requirements.lock"
        for lock, packages in held.items()
        for name in base.keys() & packages.keys()
        if base[name] != packages[name]
    ]


def main() -> int:
    """Tells what is wrong; exit status 1 where there is anything."""
    found = faults()
    print(*(found or [f"{len(LOCKED) + len(ALONE)} locks agree with pyproject.toml and one another"]), sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
