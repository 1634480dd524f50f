"""What the detector service counts and measures."""

from __future__ import annotations

from roadside.kit.metrics import EVERY, FAST_S, STAGE, Kind, Spec

SPECS = (
    *EVERY,
    *STAGE,
    Spec("frames_total", Kind.COUNTER, "Frames looked at.", ("camera",)),
    Spec("frames_per_second", Kind.GAUGE, "Frames looked at a second, over the last ten.", ("camera",)),
    Spec("frames_dropped_total", Kind.COUNTER, "Frames too old when their turn came.", ("camera", "reason")),
    Spec("plates_total", Kind.COUNTER, "Plates found.", ("camera",)),
    Spec("decoding_seconds", Kind.HISTOGRAM, "Decoding a frame.", (), FAST_S),
    Spec("inference_seconds", Kind.HISTOGRAM, "Finding the plates of a frame, all looks together.", (), FAST_S),
    Spec("model_info", Kind.GAUGE, "Always 1; the labels name the model.", ("folder", "sha256", "runtime")),
)
