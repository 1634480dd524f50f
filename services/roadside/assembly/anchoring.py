"""Signs the end of the chain of evidence once a day and at the end of a run, and puts it where the database is not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.adapters.checkpoint import CheckpointFolder
from roadside.adapters.notify.webhook import post
from roadside.assembly.storage import checkpoints_folder

if TYPE_CHECKING:
    from roadside.adapters.sql.retention import RetentionManager
    from roadside.registry.config import KeepingSection

EVERY_S = 86_400.0
WEBHOOK_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Anchoring:
    """Writes checkpoints of one chain to a folder and, where one is named, to a webhook."""

    retention: RetentionManager
    folder: CheckpointFolder
    webhook: str | None = None
    _last_s: float = field(default_factory=time.monotonic)

    def daily(self) -> bool:
        """Write one where the last is a day old; whether one was written. Raises as `write`."""
        if time.monotonic() - self._last_s < EVERY_S:
            return False
        return self.write()

    def write(self) -> bool:
        """Sign the end of the chain; False where it is signed already, or there is no entry.

        Raises UnavailableError where it cannot be written or sent, and InputError where the folder's newest checkpoint
        is none.
        """
        self._last_s = time.monotonic()
        made, known = self.retention.checkpoint(), self.folder.newest()
        if made is None or (known is not None and (known.sequence, known.link) == (made.sequence, made.link)):
            return False
        self.folder.add(made)
        if self.webhook is not None:
            post(self.webhook, made.text(), {}, WEBHOOK_TIMEOUT_S, "the checkpoint's webhook")
        return True


def open_anchoring(settings: KeepingSection, retention: RetentionManager) -> Anchoring:
    """As the settings say."""
    return Anchoring(retention, CheckpointFolder(checkpoints_folder(settings)), settings.checkpoint_webhook)
