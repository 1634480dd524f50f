"""Tries model files that are not Roadside's own in a process of its own, before they are used in this one.

Interpreters trust what a model file says: of 3,000 files with a few changed bytes ten ended LiteRT or made it run for
ever, whatever was checked before. A file that ends the process of its trial cannot end the one that watches the road.
"""

from __future__ import annotations

import functools
import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

from roadside.errors import ModelError
from roadside.kit.weights import shipped_digests

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 60.0
"""Loading and one run of a large detector take a busy Pi some seconds."""
CHILD = (sys.executable, "-P", "-m", "roadside.adapters.models.trial_child")
REFUSED = 1
"""The child's exit code where the interpreter refuses the file by itself; it then prints why."""


def try_apart(path: Path, content: bytes, module: str) -> None:
    """Run the model `content`, read from `path`, once in a process of its own; Roadside's own files are known to run.

    `module` is the Python module of the interpreter. Raises ModelError where the model cannot be run, ends the process,
    or takes too long or too much memory.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest in shipped_digests():
        return
    fault = _fault(_Content(digest, content), module)
    if fault:
        raise ModelError(f"{path} {fault}")


class _Content:
    """A file's content, compared by its digest."""

    def __init__(self, digest: str, content: bytes) -> None:
        self._digest = digest
        self.content = content

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and other._digest == self._digest


@functools.lru_cache(maxsize=32)
def _fault(model: _Content, module: str) -> str:
    """What is wrong with a model, empty where nothing is. The same file is tried once."""
    try:
        ended = subprocess.run(
            [*CHILD, module], input=model.content, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return (
            f"was tried in a process of its own and did not end within {TIMEOUT_S:g} s: it is damaged; export it again"
        )
    except OSError as error:
        return f"cannot be tried, as models of others are: {error.strerror}"
    if ended.returncode == 0:
        return ""
    said = ended.stdout.decode(errors="replace").strip().splitlines()
    if ended.returncode == REFUSED and said:
        return f"cannot be run by {module.partition('.')[0]}: {said[-1][:200]}"
    how = f"signal {-ended.returncode}" if ended.returncode < 0 else f"exit code {ended.returncode}"
    return f"was tried in a process of its own and ended it ({how}): damaged, or it needs too much; export it again"
