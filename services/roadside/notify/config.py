"""The settings of notifications."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time

from pydantic import Field

from roadside.kit.config import Section


class NotifySection(Section):
    """Who is told of verdicts."""

    notify: Path | None = Field(None, description="TOML file that names webhooks and MQTT brokers to be told")
    notify_secrets: Path | None = Field(
        None, description="folder with a file for each secret that the channels name; others are variables"
    )
