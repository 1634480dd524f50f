"""Metrics as data: what a service counts and measures, and under which name Prometheus shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FAST_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""From a small net on a desktop (1 ms) to a large one on a Pi 3 (2 s)."""
WAITING_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
"""From a message that is handled at once to one that waited for a minute."""


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


PROCESS = (
    Spec("build_info", Kind.GAUGE, "Always 1; the labels name what is running.", ("version", "python")),
    Spec("ready_state", Kind.GAUGE, "1 while the service is ready for work, otherwise 0."),
    Spec("missing_state", Kind.GAUGE, "1 for what keeps the service from being ready: /ready says why.", ("part",)),
)
"""Of every process."""
EVERY = (
    *PROCESS,
    Spec("bus_errors_total", Kind.COUNTER, "Times that Redis did not answer."),
    Spec("grpc_requests_total", Kind.COUNTER, "gRPC calls, by method and status.", ("method", "code")),
    Spec("grpc_seconds", Kind.HISTOGRAM, "Duration of gRPC calls that are no streams.", ("method",), FAST_S),
)
"""Of every service on the bus that answers over gRPC."""
MEMORY = (
    Spec("redis_used_bytes", Kind.GAUGE, "Memory that Redis uses."),
    Spec("redis_limit_bytes", Kind.GAUGE, "Memory that Redis may use (maxmemory); 0: all that there is."),
    Spec("frames_redis_used_bytes", Kind.GAUGE, "Memory that the Redis of frames uses, where they have one."),
    Spec("frames_redis_limit_bytes", Kind.GAUGE, "Memory that it may use (maxmemory); 0: all that there is."),
)
"""Of services that look how full Redis is: more than one, for one may be away. Of a cluster, its fullest node."""
STAGE = (
    Spec("messages_total", Kind.COUNTER, "Messages of the stream: done, duplicate, failed or dead.", ("outcome",)),
    Spec("handling_seconds", Kind.HISTOGRAM, "From receiving a message to committing it.", (), FAST_S),
    Spec("stream_waiting_messages", Kind.GAUGE, "Messages of this service's stream that nobody has taken yet."),
    Spec("stream_pending_messages", Kind.GAUGE, "Messages of this service's stream in some replica's hands."),
    Spec(
        "unconfirmed_hand_overs_count",
        Kind.GAUGE,
        "Hand-overs since the start that too few replicas of the Redis cluster confirmed in time.",
    ),
    Spec("stream_age_seconds", Kind.HISTOGRAM, "Age of a message since its frame was captured.", (), WAITING_S),
)
"""Of a service that takes messages off a stream."""


def full_name(service: str, spec: Spec) -> str:
    """As Prometheus shows it."""
    return f"roadside_{service}_{spec.name}"
