"""The metrics of the console service."""

from __future__ import annotations

from roadside.kit.metrics import PROCESS, Kind, Spec

SPECS = (
    *PROCESS,
    Spec("pages_count", Kind.GAUGE, "Live pages and watches that are open."),
    Spec("answered_total", Kind.COUNTER, "Requests that were answered, by the class of their status.", ("status",)),
)
