"""Messages to telephones and chats, through Apprise, which knows more than a hundred services."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import apprise
from apprise.attachment.memory import AttachMemory

from roadside.adapters.notify.media import MEDIA_TYPES
from roadside.adapters.notify.secret import secret
from roadside.errors import SettingsError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roadside.adapters.notify.secret import Secrets
    from roadside.notify.options import PushOptions
    from roadside.ports.notify import PictureOf

WORDS = {
    "UNPAID": "a vignette was not paid",
    "REVIEW": "a person must look",
    "UNKNOWN": "the registry could not answer",
    "PAID": "the vignette is paid",
    "EXEMPT": "no vignette is needed",
}


class Push:
    """One address of Apprise, such as ntfy://..., tgram://... or mailto://..."""

    def __init__(self, options: PushOptions, secrets: Secrets = secret, picture_of: PictureOf | None = None) -> None:
        """Raises SettingsError for an address that Apprise does not understand."""
        self._options = options
        self._picture_of = picture_of
        self._service = apprise.Apprise()
        if not self._service.add(secrets(options.url_env)):
            raise SettingsError(f"push {options.name}: {options.url_env} holds no address that Apprise understands")

    def send(self, body: str) -> None:
        """Send a short text, with the pictures that are wanted and kept. Raises UnavailableError."""
        notice = json.loads(body)
        title, text = message(notice)
        pictures = self._pictures(notice["sighting_id"])
        sent = self._service.notify(text, title, attach=pictures or None, timeout=self._options.timeout_s)
        if not sent:
            raise UnavailableError(f"push {self._options.name}: the service did not take it")

    def close(self) -> None:
        """Nothing is open between messages."""

    def _pictures(self, sighting_id: str) -> Sequence[AttachMemory]:
        if self._picture_of is None:
            return []
        found = ((kind, self._picture_of(sighting_id, kind)) for kind in self._options.pictures)
        return [
            AttachMemory(  # type: ignore[no-untyped-call]
                data, name=f"{kind.value}.{MEDIA_TYPES[kind].partition('/')[2]}", mimetype=MEDIA_TYPES[kind]
            )
            for kind, data in found
            if data is not None
        ]


def message(notice: Mapping[str, str]) -> tuple[str, str]:
    """Title and text of a notice, with the time of this computer's zone."""
    seen = datetime.fromisoformat(notice["seen_at"]).astimezone()
    plate = f"{notice['plate']} ({notice['country'] or '?'}), " if notice.get("plate") else ""
    verdict = notice["verdict"]
    told = f"{plate}{seen:%Y-%m-%d %H:%M:%S}"
    if not verdict:
        return f"Seen at {notice['camera']}", told
    return f"{verdict} at {notice['camera']}", f"{told}: {WORDS.get(verdict, verdict)}"
