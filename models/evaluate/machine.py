"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless", "pytesseract")


def describe() -> str:
    """Processor, cores, load and versions in one line."""
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    busy = "" if load < 0.5 * cores else ", busy with other work: times are upper bounds"
    return (
        f"{_processor()}, {cores} cores, load {load:.1f} at the start{busy}; {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}, {versions}"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(("model name", "Model"))]
    return names[0] if names else "unknown processor"
