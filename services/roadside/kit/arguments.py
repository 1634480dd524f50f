"""What `ps` shows of this process: arguments that hold passwords are overwritten as soon as they were read."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.kit.addresses import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECRET_FLAGS = frozenset({"--token", "--redis-url", "--database-url", "--cameras", "--checkpoint-webhook"})
_STAT = Path("/proc/self/stat")
_ARG_START, _ARG_END = 45, 46
"""Places after the name of the process in /proc/PID/stat (proc(5): fields 48 and 49)."""


def secrets_among(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments that hold a password or may hold one."""
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag in SECRET_FLAGS:
            yield from (value,) if equals else arguments[place + 1 : place + 2]
        elif "://" in argument and redact(argument) != argument:
            yield value if argument.startswith("--") and equals else argument


def hide(secrets: Sequence[str]) -> bool:
    """Overwrite them where the system keeps this process's arguments; False where it does not let us."""
    wanted = [encoded for secret in secrets if (encoded := os.fsencode(secret))]
    if not wanted:
        return True
    try:
        fields = _STAT.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    except (OSError, ValueError, IndexError):
        return False
    if not 0 < start < end:
        return False
    memory = (ctypes.c_char * (end - start)).from_address(start)
    text = memory.raw
    for secret in wanted:
        text = text.replace(secret, b"*" * len(secret))
    memory.raw = text
    return True
