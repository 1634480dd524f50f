"""SRT, which PyAV's FFmpeg does not have: received by the system's ffmpeg, unpacked, and handed on as MPEG-TS."""

from __future__ import annotations

import selectors
import shutil
import subprocess
import threading
from collections import deque
from typing import IO

from roadside.errors import SourceError

INSTALL = "sudo apt install ffmpeg"
CHUNK_BYTES = 64 * 1024
_TAKE = ("-v", "error", "-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,srt,udp", "-i", "pipe:0")
_GIVE = ("-map", "0:v", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", "pipe:1")
_REFUSED = (b"Incorrect passphrase", b"BADSECRET")
"""What libsrt writes where the passphrase is not that of the other side."""


class SrtPipe:
    """What ffmpeg receives from an SRT address, as a file that PyAV reads.

    The address goes by a pipe, for it may hold a passphrase and arguments are everybody's to read: a playlist of one
    line does that.
    """

    def __init__(self, address: str, name: str, timeout_s: float) -> None:
        """Raises SourceError where there is no such program."""
        program = shutil.which("ffmpeg")
        if program is None:
            raise SourceError(f"{name}: SRT is received by the program ffmpeg, which is not installed: {INSTALL}")
        self._name = name
        self._timeout_s = timeout_s
        self._process = subprocess.Popen(
            [program, *_TAKE, *_GIVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None  # noqa: S101 (asked for above)
        with self._process.stdin as told:
            told.write(_playlist(address, timeout_s))
        self._complaint: deque[bytes] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 (asked for above)
        return self._process.stdout

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none once it has ended, or has sent nothing in time."""
        if not self._selector.select(self._timeout_s):
            return b""
        return self._stdout.read(min(size, CHUNK_BYTES)) or b""

    def fault(self) -> SourceError:
        """Why nothing came."""
        self.close()
        if any(word in said for said in self._complaint for word in _REFUSED):
            return SourceError(f"{self._name}: the other side has another passphrase, or none")
        return SourceError(
            f"{self._name}: no SRT server answers there within {self._timeout_s:g} s; check address, port and mode"
        )

    def close(self) -> None:
        """Hang up."""
        self._process.kill()
        self._process.wait()
        self._listener.join(1)
        self._selector.close()
        self._stdout.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 (asked for above)
        with self._process.stderr as said:
            self._complaint.extend(said)


def _playlist(address: str, timeout_s: float) -> bytes:
    """A playlist of FFmpeg's concat demuxer that names the address, with an end to all waiting."""
    waits = f"connect_timeout={timeout_s * 1e3:.0f}&listen_timeout={timeout_s * 1e6:.0f}&timeout={timeout_s * 1e6:.0f}"
    ended = f"{address}{'&' if '?' in address else '?'}{waits}"
    quoted = ended.replace("'", r"'\''")
    return f"ffconcat version 1.0\nfile '{quoted}'\n".encode()
