"""What the capture service counts and measures."""

from __future__ import annotations

from roadside.kit.metrics import EVERY, FAST_S, MEMORY, Kind, Spec

SPECS = (
    *EVERY,
    *MEMORY,
    Spec("frames_total", Kind.COUNTER, "Frames published.", ("camera",)),
    Spec(
        "frames_dropped_total",
        Kind.COUNTER,
        "Frames not published: backlog (detectors are behind), newer (replaced before it was sent), "
        "still (nothing moved), pace (over publish_fps).",
        ("camera", "reason"),
    ),
    Spec("frames_per_second", Kind.GAUGE, "Frames published a second, over the last ten.", ("camera",)),
    Spec("camera_up_state", Kind.GAUGE, "1 while the camera sends.", ("camera",)),
    Spec("camera_reconnects_total", Kind.COUNTER, "Times a camera was lost and reopened.", ("camera",)),
    Spec(
        "camera_failures_total",
        Kind.COUNTER,
        "Times a source could not be used and was left alone for a while: a clip that is damaged or gone.",
        ("camera",),
    ),
    Spec(
        "decoder_deaths_total",
        Kind.COUNTER,
        "Times a clip or camera ended, or held up, the process that decodes it: damaged, or made to do harm.",
        ("camera",),
    ),
    Spec(
        "clock_doubt_state",
        Kind.GAUGE,
        "1 while the time of this computer is not believed, for the reason given: verdicts are UNKNOWN then.",
        ("doubt",),
    ),
    Spec("clock_difference_seconds", Kind.GAUGE, "How far this computer's clock is ahead of that of Redis."),
    Spec("encoding_seconds", Kind.HISTOGRAM, "Encoding a frame.", (), FAST_S),
    Spec("frame_bytes", Kind.GAUGE, "Size of the newest frame as published.", ("camera",)),
)
