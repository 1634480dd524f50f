"""Whether the system says that its clock is synchronised: the kernel, systemd-timesyncd and chrony are asked."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

_STA_UNSYNC = 0x0040
_STATUS_AT = 5 * ctypes.sizeof(ctypes.c_long)
"""Where `status` stands in `struct timex`: after modes, offset, freq, maxerror and esterror; adjtimex(2)."""
_TIMEX_BYTES = 512
"""More than the structure has on any machine."""
_TIMESYNCD = Path("run/systemd/timesync")
_DAEMONS = (_TIMESYNCD, Path("run/chrony"), Path("run/chronyd.pid"), Path("run/ntpd.pid"), Path("run/openntpd.sock"))
"""What those who keep the time leave under / while they run."""
_ASK_CHRONY_S = 2.0


def is_synchronised(root: Path = Path("/"), chronyc: str = "chronyc") -> bool | None:
    """True or False as the system says; None where nothing that keeps the time runs here, or can be seen.

    The kernel's word is enough where it says yes: who keeps the time tells the kernel. Its no says little alone, for
    it begins with it and stays with it where nobody keeps the time, as in most containers and virtual machines. It
    takes up to two seconds where chrony runs and has not told the kernel, else microseconds.
    """
    if _kernel_says_so():
        return True
    if (root / _TIMESYNCD / "synchronized").exists():
        return True
    if not any((root / left).exists() for left in _DAEMONS):
        return None
    return _chrony_says(chronyc) or False


def _kernel_says_so() -> bool:
    """Whether the kernel's clock is kept by somebody; False where it cannot be asked."""
    try:
        ask = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return False
    state = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: nothing is set
    if ask(state) < 0:
        return False
    return not ctypes.c_int.from_buffer(state, _STATUS_AT).value & _STA_UNSYNC


def _chrony_says(chronyc: str) -> bool | None:
    """What chrony says of itself; without `rtcsync` it does not tell the kernel."""
    program = shutil.which(chronyc)
    if program is None:
        return None
    try:
        asked = subprocess.run(
            [program, "-n", "-c", "tracking"], capture_output=True, text=True, timeout=_ASK_CHRONY_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    fields = asked.stdout.strip().split(",")
    return None if asked.returncode or len(fields) < 14 else fields[-1] != "Not synchronised"
