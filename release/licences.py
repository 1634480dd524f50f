"""NOTICE: the licence of every package that an installed Roadside consists of.

`python -m release.licences` compares it with the locks, `python -m release.licences --write` writes it anew from what
is installed. A package that is not installed here (of another platform) keeps its line.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING

from release.locks import pins
from release.version import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from email.message import Message
    from pathlib import Path

SHIPPED = ("requirements.lock", "requirements-cluster.lock", "requirements-console.lock")
"""What `make run`, the images and the console install."""
UNKNOWN = "UNKNOWN"
HEAD = """\
Roadside
Copyright the Roadside authors. Licensed under the Apache License, Version 2.0: see LICENSE.

An installed Roadside consists of these packages besides, each under its own licence, which its distribution brings.
This list is written by `python -m release.licences --write` and compared with the locks by the tests.

"""
_LINE = re.compile(r"^(\S+)  +(\S.*)$", re.MULTILINE)
_CLASSIFIER = "License :: OSI Approved :: "
_LONGEST = 80


def packages(root: Path = ROOT) -> list[str]:
    """The canonical names of all packages of the shipped locks."""
    return sorted({name for lock in SHIPPED for name in pins((root / lock).read_text(encoding="utf-8"))})


def listed(root: Path = ROOT) -> dict[str, str]:
    """The packages of NOTICE and their licences; empty where there is no such file."""
    notice = root / "NOTICE"
    text = notice.read_text(encoding="utf-8").removeprefix(HEAD) if notice.exists() else ""
    return dict(_LINE.findall(text))


def faults(root: Path = ROOT) -> list[str]:
    """What NOTICE lacks or has too much, a line each; empty where it agrees with the locks."""
    told, wanted = listed(root), packages(root)
    found = [f"NOTICE: {name} is in a lock and not listed" for name in wanted if name not in told]
    found += [f"NOTICE: {name} is listed and in no lock" for name in told if name not in wanted]
    return found + [f"NOTICE: the licence of {name} is unknown" for name, what in told.items() if what == UNKNOWN]


def notice(names: Sequence[str], before: Mapping[str, str]) -> str:
    """The text of NOTICE; `before` has the licences of packages that are not installed here."""
    width = max(map(len, names))
    lines = (f"{name:<{width}}  {licence_of(name) or before.get(name, UNKNOWN)}" for name in names)
    return HEAD + "\n".join(lines) + "\n"


def licence_of(name: str) -> str:
    """The licence that an installed package tells, as SPDX names it where it does; empty where it is not installed."""
    try:
        told: Message = metadata(name)  # type: ignore[assignment]  # a Message, whatever its types say
    except PackageNotFoundError:
        return ""
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = [c.removeprefix(_CLASSIFIER) for c in told.get_all("Classifier") or () if c.startswith(_CLASSIFIER)]
    written = (str(told.get("License") or "").strip().splitlines() or [""])[0].strip()
    if written and len(written) <= _LONGEST and not written.startswith(("Copyright", UNKNOWN)):
        return written
    return ", ".join(classified)


def main(arguments: Sequence[str]) -> int:
    """Compares, or writes; the exit status is 1 where something is wrong."""
    if "--write" in arguments:
        (ROOT / "NOTICE").write_text(notice(packages(), listed()), encoding="utf-8")
    found = faults()
    print(*(found or [f"NOTICE lists the {len(packages())} packages of the locks"]), sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
