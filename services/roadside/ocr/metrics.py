"""What the ocr service counts and measures."""

from __future__ import annotations

from roadside.kit.metrics import EVERY, FAST_S, STAGE, Kind, Spec

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)

SPECS = (
    *EVERY,
    *STAGE,
    Spec(
        "reads_total",
        Kind.COUNTER,
        "Plates read: confident, unsure, or in pictures the wrong way round.",
        ("camera", "outcome"),
    ),
    Spec("reading_seconds", Kind.HISTOGRAM, "Reading one plate.", (), FAST_S),
    Spec("confidence_ratio", Kind.HISTOGRAM, "Calibrated confidence of reads.", (), SHARES),
    Spec("model_info", Kind.GAUGE, "Always 1; the labels name the model.", ("folder", "sha256", "runtime")),
)
