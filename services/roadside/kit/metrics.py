"""Every metric of every service, defined as data: `docs/metrics.md` and the meters are made of it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from roadside._version import __version__
from roadside.assembly.service_settings import Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

FAST_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""From a small net on a desktop (1 ms) to a large one on a Pi 3 (2 s)."""
PASSAGE_S = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0, 60.0, 300.0)
"""A track ends 1.5 s after its last frame: finest where a healthy system is."""
WAITING_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
READS = (1, 2, 3, 5, 8, 12, 20, 32, 64, 128)


class Kind(StrEnum):
    """Prometheus's kinds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric of one service: `roadside_<service>_<name>`."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_EVERY = (
    Spec("build_info", Kind.GAUGE, "Always 1; the labels name what is running.", ("version", "python")),
    Spec("ready_state", Kind.GAUGE, "1 while the service is ready for work, otherwise 0."),
    Spec("bus_errors_total", Kind.COUNTER, "Times that Redis did not answer."),
    Spec("grpc_requests_total", Kind.COUNTER, "gRPC calls, by method and status.", ("method", "code")),
    Spec("grpc_seconds", Kind.HISTOGRAM, "Duration of gRPC calls that are no streams.", ("method",), FAST_S),
)
_STAGE = (
    Spec("messages_total", Kind.COUNTER, "Messages of the stream: done, duplicate, failed or dead.", ("outcome",)),
    Spec("handling_seconds", Kind.HISTOGRAM, "From receiving a message to committing it.", (), FAST_S),
    Spec("stream_waiting_messages", Kind.GAUGE, "Messages of this service's stream that nobody has taken yet."),
    Spec("stream_pending_messages", Kind.GAUGE, "Messages of this service's stream in some replica's hands."),
    Spec("stream_age_seconds", Kind.HISTOGRAM, "Age of a message since its frame was captured.", (), WAITING_S),
)
_CAPTURE = (
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
    Spec("encoding_seconds", Kind.HISTOGRAM, "Encoding a frame.", (), FAST_S),
    Spec("frame_bytes", Kind.GAUGE, "Size of the newest frame as published.", ("camera",)),
)
_DETECTOR = (
    Spec("frames_total", Kind.COUNTER, "Frames looked at.", ("camera",)),
    Spec("frames_per_second", Kind.GAUGE, "Frames looked at a second, over the last ten.", ("camera",)),
    Spec("frames_dropped_total", Kind.COUNTER, "Frames too old when their turn came.", ("camera", "reason")),
    Spec("plates_total", Kind.COUNTER, "Plates found.", ("camera",)),
    Spec("decoding_seconds", Kind.HISTOGRAM, "Decoding a frame.", (), FAST_S),
    Spec("inference_seconds", Kind.HISTOGRAM, "Finding the plates of a frame, all looks together.", (), FAST_S),
    Spec("model_info", Kind.GAUGE, "Always 1; the labels name the model.", ("folder", "sha256", "runtime")),
)
_OCR = (
    Spec("reads_total", Kind.COUNTER, "Plates read: confident, or below the least confidence.", ("camera", "outcome")),
    Spec("reading_seconds", Kind.HISTOGRAM, "Reading one plate.", (), FAST_S),
    Spec("confidence_ratio", Kind.HISTOGRAM, "Calibrated confidence of reads.", (), SHARES),
    Spec("model_info", Kind.GAUGE, "Always 1; the labels name the model.", ("folder", "sha256", "runtime")),
)
_REGISTRY = (
    Spec("tracks_total", Kind.COUNTER, "Closed tracks: a sighting, or too little evidence.", ("camera", "outcome")),
    Spec("open_tracks_count", Kind.GAUGE, "Vehicles that are passing now.", ("camera",)),
    Spec("held_reads_count", Kind.GAUGE, "Reads of open tracks, not acknowledged yet."),
    Spec("track_reads_count", Kind.HISTOGRAM, "Reads of a closed track.", (), READS),
    Spec("verdicts_total", Kind.COUNTER, "Verdicts.", ("camera", "verdict")),
    Spec("judging_seconds", Kind.HISTOGRAM, "Asking the registry and deciding.", (), FAST_S),
    Spec("leader_state", Kind.GAUGE, "1 where this replica gathers the reads; the others stand by."),
)
_PLATES = (
    Spec("sightings_total", Kind.COUNTER, "Sightings stored.", ("camera", "verdict")),
    Spec(
        "capture_to_stored_seconds",
        Kind.HISTOGRAM,
        "End to end: from the last frame that shows a vehicle to its stored sighting, the end of the track included.",
        (),
        PASSAGE_S,
    ),
    Spec("storing_seconds", Kind.HISTOGRAM, "Storing one sighting with its pictures.", (), FAST_S),
    Spec("watchers_count", Kind.GAUGE, "Live watches that are open."),
    Spec("dead_letters_count", Kind.GAUGE, "Dead letters of all streams that wait for a person."),
)

SPECS: Mapping[Service, tuple[Spec, ...]] = {
    Service.CAPTURE: _EVERY + _CAPTURE,
    Service.DETECTOR: _EVERY + _STAGE + _DETECTOR,
    Service.OCR: _EVERY + _STAGE + _OCR,
    Service.REGISTRY: _EVERY + _STAGE + _REGISTRY,
    Service.PLATES: _EVERY + _STAGE + _PLATES,
}


def full_name(service: Service, spec: Spec) -> str:
    """As Prometheus shows it."""
    return f"roadside_{service.value}_{spec.name}"


class PrometheusMeter:
    """A Meter whose values Prometheus can scrape; unknown names and labels are faults (KeyError, ValueError)."""

    def __init__(self, service: Service, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._metrics: dict[str, Counter | Gauge | Histogram] = {}
        for spec in SPECS[service]:
            name = full_name(service, spec)
            match spec.kind:
                case Kind.COUNTER:
                    metric: Counter | Gauge | Histogram = Counter(name, spec.meaning, spec.labels, registry=registry)
                case Kind.GAUGE:
                    metric = Gauge(name, spec.meaning, spec.labels, registry=registry)
                case Kind.HISTOGRAM:
                    metric = Histogram(name, spec.meaning, spec.labels, registry=registry, buckets=spec.buckets)
            self._metrics[spec.name] = metric
        self.set("build_info", 1, version=__version__, python=platform.python_version())

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; adding 0 makes it known."""
        metric = self._metrics[name]
        assert isinstance(metric, Counter)  # noqa: S101 - a name has one kind
        (metric.labels(**labels) if labels else metric).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        metric = self._metrics[name]
        assert isinstance(metric, Gauge)  # noqa: S101 - a name has one kind
        (metric.labels(**labels) if labels else metric).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram."""
        metric = self._metrics[name]
        assert isinstance(metric, Histogram)  # noqa: S101 - a name has one kind
        (metric.labels(**labels) if labels else metric).observe(value)

    def serve(self, host: str, port: int) -> tuple[WSGIServer, Thread]:
        """Answer on http://host:port/metrics until the server is shut down."""
        return start_http_server(port, host, registry=self._registry)


def document(services: Sequence[Service] = tuple(Service)) -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Each service answers at `/metrics` on its own port (`metrics_port`, 9101 for capture to 9105 for plates).",
        "Names are `roadside_<service>_<what>_<unit>`; counters end in `_total`. No metric holds a plate.",
        "This page is made from `services/roadside/kit/metrics.py` by `make docs`; a test compares the two.",
    ]
    for service in services:
        lines += ["", f"## {service.value}", "", "| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{full_name(service, spec)}` | {spec.kind.value} | {', '.join(spec.labels) or '-'} | {spec.meaning} |"
            for spec in SPECS[service]
        ]
    return "\n".join(lines) + "\n"
