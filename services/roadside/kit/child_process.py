"""Processes of our own that do what may end them: how they are started, listened to, limited and told of."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import subprocess
import sys
import time
from pathlib import Path

PACKAGES = Path(__file__).parents[2]
"""The folder in which this process has found Roadside."""
ARENAS = "2"
"""Of malloc: each thread would reserve 64 MB of addresses, which count against the limit."""


_FIRST_TO_GO = "1000"
"""The kernel's highest: see proc(5), oom_score_adj."""


class DiedError(Exception):
    """The process is gone, or did not answer in time."""


def module_command(module: str) -> tuple[str, ...]:
    """What runs a module of Roadside with this Python."""
    return (sys.executable, "-P", "-m", module)


def environment() -> dict[str, str]:
    """Of a process that is to find the same Roadside."""
    path = os.pathsep.join(filter(None, (str(PACKAGES), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "MALLOC_ARENA_MAX": ARENAS}


def read_exactly(process: subprocess.Popen[bytes], size: int, timeout_s: float) -> bytes:
    """`size` bytes of its standard output. Raises DiedError, whose text tells how it ended."""
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    file, content = process.stdout.fileno(), b""
    give_up_at_s = time.monotonic() + timeout_s
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        while len(content) < size:
            if not selector.select(max(0.0, give_up_at_s - time.monotonic())):
                raise DiedError(f"no answer within {timeout_s:g} s")
            part = os.read(file, size - len(content))
            if not part:
                raise DiedError(_how_it_ended(process))
            content += part
    return content


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(5)
    except subprocess.TimeoutExpired:
        return "it closed its output"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def write_all(file: int, content: memoryview, at: int = 0) -> None:
    """Write the bytes `content` to a file from `at` on."""
    done = 0
    while done < len(content):
        done += os.pwrite(file, content[done:], at + done)


def limit_memory(beyond_bytes: int) -> None:
    """Let this process have so many bytes of addresses beyond those it has; a crash leaves no core.

    Where all processes of a machine or container together use too much, the kernel ends this one first.
    """
    with contextlib.suppress(OSError):  # another system has no such file, a strict one lets nobody write it
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + beyond_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
