"""What the notify service counts and measures."""

from __future__ import annotations

from roadside.kit.metrics import PROCESS, Kind, Spec

SPECS = (
    *PROCESS,
    Spec(
        "notices_total",
        Kind.COUNTER,
        "Attempts at notices: delivered, failed (tried again later) or given_up.",
        ("channel", "outcome"),
    ),
    Spec("notices_waiting_count", Kind.GAUGE, "Notices to be sent, now or after a pause."),
    Spec("notices_given_up_count", Kind.GAUGE, "Notices given up that wait for a person."),
)
