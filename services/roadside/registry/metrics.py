"""What the registry service counts and measures."""

from __future__ import annotations

from roadside.kit.metrics import EVERY, FAST_S, MEMORY, STAGE, Kind, Spec

READS = (1, 2, 3, 5, 8, 12, 20, 32, 64, 128)

SPECS = (
    *EVERY,
    *MEMORY,
    *STAGE,
    Spec(
        "tracks_total",
        Kind.COUNTER,
        "Closed tracks: a sighting, the same vehicle as before, a fixture that never moved, or too little.",
        ("camera", "outcome"),
    ),
    Spec("open_tracks_count", Kind.GAUGE, "Vehicles that are passing now.", ("camera",)),
    Spec("held_reads_count", Kind.GAUGE, "Reads of open tracks, not acknowledged yet."),
    Spec(
        "horizon_still_seconds",
        Kind.GAUGE,
        "For how long reads are held because something older of their camera is on its way; 0 while that moves on.",
        ("camera",),
    ),
    Spec(
        "vanished_events_total",
        Kind.COUNTER,
        "Events that were on their way and are on no stream any more: trimmed or deleted by somebody.",
        ("camera",),
    ),
    Spec(
        "list_age_seconds",
        Kind.GAUGE,
        "Since a list of vignettes was last imported; +Inf where none was. Nothing of a registry asked over HTTP.",
    ),
    Spec("list_longest_seconds", Kind.GAUGE, "Age from which on a list says UNKNOWN instead of UNPAID; 0: never."),
    Spec("track_reads_count", Kind.HISTOGRAM, "Reads of a closed track.", (), READS),
    Spec("verdicts_total", Kind.COUNTER, "Verdicts.", ("camera", "verdict")),
    Spec("judging_seconds", Kind.HISTOGRAM, "Asking the registry and deciding.", (), FAST_S),
    Spec("leader_state", Kind.GAUGE, "1 where this replica gathers reads; 0: it stands by."),
    Spec("led_partitions_count", Kind.GAUGE, "Partitions of which this replica gathers the reads."),
)
