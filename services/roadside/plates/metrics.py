"""What the plates service counts and measures."""

from __future__ import annotations

from roadside.kit.metrics import EVERY, FAST_S, MEMORY, STAGE, Kind, Spec

PASSAGE_S = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0, 60.0, 300.0)
"""A track ends 1.5 s after its last frame: finest where a healthy system is."""

SPECS = (
    *EVERY,
    *MEMORY,
    *STAGE,
    Spec("sightings_total", Kind.COUNTER, "Sightings stored.", ("camera", "verdict")),
    Spec(
        "capture_to_stored_seconds",
        Kind.HISTOGRAM,
        "End to end: from the last frame that shows a vehicle to its stored sighting, the end of the track included.",
        (),
        PASSAGE_S,
    ),
    Spec(
        "storing_seconds",
        Kind.HISTOGRAM,
        "Storing a sighting with its pictures, of several its share.",
        (),
        FAST_S,
    ),
    Spec("watchers_count", Kind.GAUGE, "Live watches that are open."),
    Spec("evidence_free_bytes", Kind.GAUGE, "Room that is left on the disk of the pictures."),
    Spec("dead_letters_count", Kind.GAUGE, "Dead letters of all streams that wait for a person."),
)
