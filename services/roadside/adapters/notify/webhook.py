"""Sends notices to an HTTP address, signed so that the receiver knows who speaks and when."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import http.client
import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from roadside.adapters.http.deadline import within
from roadside.adapters.http.exchange import exchange
from roadside.adapters.notify.media import MEDIA_TYPES
from roadside.adapters.notify.secret import secret
from roadside.errors import SettingsError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.adapters.notify.secret import Secrets
    from roadside.notify.options import WebhookOptions
    from roadside.ports.notify import PictureOf
    from roadside.ports.system import Clock

SIGNATURE_HEADER = "Roadside-Signature"
STANDARD_SECRET = "whsec_"  # noqa: S105 - what such a secret begins with
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=[0-9a-f]{64}")


class Webhook:
    """One receiver, signed to by the scheme of https://www.standardwebhooks.com and by our own.

    A notice may arrive twice; its `webhook-id` is the same then.
    """

    def __init__(
        self,
        options: WebhookOptions,
        clock: Clock,
        secrets: Secrets = secret,
        picture_of: PictureOf | None = None,
    ) -> None:
        """Raises SettingsError for a secret that begins with `whsec_` and goes on with what is no base64."""
        self._options = options
        self._secret = secrets(options.secret_env)
        self._key = standard_key(self._secret, options.secret_env)
        self._clock = clock
        self._picture_of = picture_of

    def send(self, body: str) -> None:
        """POST `body`, with the pictures that are wanted and kept. Raises UnavailableError but for a 2xx answer."""
        identity, at_s = _identity(body), self._clock.now_ns() // 10**9
        body = self._with_pictures(body)
        headers = {
            "webhook-id": identity,
            "webhook-timestamp": str(at_s),
            "webhook-signature": standard_signature(self._key, identity, at_s, body),
            "Idempotency-Key": identity,
            SIGNATURE_HEADER: sign(self._secret, at_s, body),
        }
        post(self._options.url, body, headers, self._options.timeout_s, f"webhook {self._options.name}")

    def close(self) -> None:
        """Each notice has a connection of its own: nothing is open."""

    def _with_pictures(self, body: str) -> str:
        if self._picture_of is None or not self._options.pictures:
            return body
        notice = json.loads(body)
        found = {kind: self._picture_of(notice["sighting_id"], kind) for kind in self._options.pictures}
        pictures = {
            kind.value: {"media_type": MEDIA_TYPES[kind], "base64": b64encode(data).decode()}
            for kind, data in found.items()
            if data is not None
        }
        return json.dumps({**notice, "pictures": pictures})


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


def standard_key(told: str, name: str) -> bytes:
    """The key of a secret as Standard Webhooks has it: `whsec_` and base64, or else the text itself.

    Raises SettingsError, which names the variable `name`.
    """
    if not told.startswith(STANDARD_SECRET):
        return told.encode()
    try:
        return b64decode(told.removeprefix(STANDARD_SECRET), validate=True)
    except binascii.Error as error:
        raise SettingsError(f"{name}: after {STANDARD_SECRET} a secret is base64") from error


def standard_signature(key: bytes, identity: str, at_s: int, body: str) -> str:
    """`v1,` and base64 of HMAC-SHA-256 of "identity.seconds.body", as Standard Webhooks writes it."""
    signed = f"{identity}.{at_s}.{body}".encode(errors="surrogatepass")
    return f"v1,{b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def is_signed(key: str, header: str, body: str, now_s: int, tolerance_s: int = 300) -> bool:
    """Whether `header` is the signature of `body`, made at most `tolerance_s` from now: for receivers."""
    found = _SIGNATURE.fullmatch(header)
    if found is None or abs(now_s - int(found[1])) > tolerance_s:
        return False
    return hmac.compare_digest(sign(key, int(found[1]), body), header)


def _identity(body: str) -> str:
    """The same for every attempt at a notice."""
    fields = json.loads(body)
    return f"{fields['sighting_id']}-{fields['verdict'] or 'SEEN'}"
