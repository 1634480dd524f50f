"""Log lines: one JSON object each in services, plain lines in a terminal; never a plate."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from roadside.kit.addresses import hide_addresses

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = "fields"
"""Where `fields(...)` puts a record's values."""


def fields(**values: Any) -> Mapping[str, Any]:  # noqa: ANN401 - whatever JSON can hold
    """`logger.info("what happened", extra=fields(camera=..., sequence=...))`."""
    return {FIELDS: values}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, event, and the fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break in it."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = hide_addresses(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Lines for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, event, fields."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        values = " ".join(f"{name}={value}" for name, value in getattr(record, FIELDS, {}).items())
        line = f"{at} {record.levelname.lower():7} {record.getMessage()} {values}".rstrip()
        return f"{line}\n{hide_addresses(self.formatException(record.exc_info))}" if record.exc_info else line


def set_up(service: str, *, style: str, level: str, stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (standard output)."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(service) if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)
