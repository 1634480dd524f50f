"""Sends notices to an HTTP address, signed so that the receiver knows who speaks and when."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from roadside.adapters.http.deadline import within
from roadside.adapters.http.exchange import exchange
from roadside.adapters.notify.secret import secret
from roadside.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.adapters.notify.secret import Secrets
    from roadside.notify.options import WebhookOptions
    from roadside.ports.system import Clock

SIGNATURE_HEADER = "Roadside-Signature"
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=[0-9a-f]{64}")


class Webhook:
    """One receiver. A notice may arrive twice; its `sighting_id` and `verdict` tell."""

    def __init__(self, options: WebhookOptions, clock: Clock, secrets: Secrets = secret) -> None:
        self._options = options
        self._secret = secrets(options.secret_env)
        self._clock = clock

    def send(self, body: str) -> None:
        """POST `body`. Raises UnavailableError for anything but a 2xx answer."""
        headers = {
            "Idempotency-Key": _identity(body),
            SIGNATURE_HEADER: sign(self._secret, self._clock.now_ns() // 10**9, body),
        }
        post(self._options.url, body, headers, self._options.timeout_s, f"webhook {self._options.name}")

    def close(self) -> None:
        """Each notice has a connection of its own: nothing is open."""


def post(url: str, body: str, headers: Mapping[str, str], timeout_s: float, name: str) -> None:
    """POST the JSON text `body`. Raises UnavailableError, with `name` in its text, for anything but a 2xx answer."""
    sent = {"Content-Type": "application/json", **headers}
    try:
        address = urlsplit(url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=timeout_s)
        target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
        with within(connection, timeout_s):
            status = exchange(connection, "POST", target, body=body.encode(), headers=sent).status
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{name}: {getattr(error, 'strerror', None) or type(error).__name__}") from error
    except ValueError as error:  # its text tells parts of the address
        raise UnavailableError(f"{name}: the address cannot be used") from error
    if not 200 <= status < 300:
        raise UnavailableError(f"{name}: HTTP {status}")


def sign(key: str, at_s: int, body: str) -> str:
    """`t=seconds,v1=HMAC-SHA-256 of "seconds.body"`: the time is signed too, so an old notice cannot be replayed."""
    digest = hmac.new(key.encode(), f"{at_s}.{body}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def is_signed(key: str, header: str, body: str, now_s: int, tolerance_s: int = 300) -> bool:
    """Whether `header` is the signature of `body`, made at most `tolerance_s` from now: for receivers."""
    found = _SIGNATURE.fullmatch(header)
    if found is None or abs(now_s - int(found[1])) > tolerance_s:
        return False
    return hmac.compare_digest(sign(key, int(found[1]), body), header)


def _identity(body: str) -> str:
    """The same for every attempt at a notice."""
    fields = json.loads(body)
    return f"{fields['sighting_id']}-{fields['verdict']}"
