"""Why a broker was not told, as a clause that names what to look at."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING

from roadside.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

WRONG_USER = ("not authorized", "bad user name or password")
"""How brokers of MQTT 5 and 3.1.1 refuse a user."""


def broker_fault(error: Exception, host: str, port: int) -> str:
    """What `error`, of a connection to that broker, means."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the broker's certificate is not trusted ({error.verify_message}); tls_ca names who signed it"
        case ssl.SSLError():
            return f"the broker speaks no TLS at port {port}, or another kind of it ({error.reason})"
        case ConnectionRefusedError():
            return f"no broker answers at {host}:{port} (nobody listens there)"
        case socket.gaierror():
            return f"the network knows no {host}; check the name"
        case _:
            return str(error) or type(error).__name__


def refusal(reason: object) -> str:
    """That a broker refused for `reason`, as it says it."""
    mend = "; check username and password_env" if str(reason).lower() in WRONG_USER else ""
    return f"the broker refused: {reason}{mend}"


def refuse_unreadable(owner: str, **files: Path | None) -> None:
    """Raises SettingsError, naming the setting, for a file of `owner` that is not there or may not be read."""
    for setting, path in files.items():
        if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            raise SettingsError(f"{owner}: {setting} {path} is not there, or may not be read")
