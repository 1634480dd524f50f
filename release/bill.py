"""The bill of materials (CycloneDX 1.6): what an installed release consists of, made by cyclonedx-py."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from release.artefacts import unlisted

if TYPE_CHECKING:
    from pathlib import Path

SPECIFICATION = SchemaVersion.V1_6


def make_bill(python: Path, out: Path) -> None:
    """Writes the bill of all that is installed beside an interpreter. Raises CalledProcessError where that fails."""
    tool = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    subprocess.run([*tool, "--spec-version", SPECIFICATION.to_version(), "--output-file", out, python], check=True)


def bill_faults(bill: Path, installed: dict[str, str]) -> list[str]:
    """What is wrong with a bill; `installed` gives the version of every distribution that it must list."""
    text = bill.read_text(encoding="utf-8")
    problem = JsonStrictValidator(SPECIFICATION).validate_str(text)
    if problem:
        return [f"it does not follow the schema of CycloneDX {SPECIFICATION.to_version()}: {problem}"]
    return unlisted(text, installed)
